"""Whether certificates are revoked (RFC 5280 6.3, RFC 6960). `Revocation` is what a verifier takes."""

from puretls.x509.revocation.checker import Revocation
from puretls.x509.revocation.policy import HARD, LEAF, MODES, OFF, SOFT

__all__ = ["HARD", "LEAF", "MODES", "OFF", "SOFT", "Revocation"]
