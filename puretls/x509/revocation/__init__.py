"""Whether certificates are revoked (RFC 5280 6.3, RFC 6960); the package holds what most callers need of its modules."""

from puretls.x509.ocsp.fields import Status
from puretls.x509.revocation.answers import Answer
from puretls.x509.revocation.case import Case, SignatureChecker
from puretls.x509.revocation.checker import Revocation
from puretls.x509.revocation.policy import HARD, LEAF, MODES, OFF, SOFT

__all__ = ["HARD", "LEAF", "MODES", "OFF", "SOFT", "Answer", "Case", "Revocation", "SignatureChecker", "Status"]
