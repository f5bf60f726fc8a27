"""Elliptic curves: arithmetic in each form, key exchange, ECDSA and EdDSA."""
