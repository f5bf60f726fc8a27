"""Cryptography as values: descriptors and contracts; `provider` chooses who computes."""
