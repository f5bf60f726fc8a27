"""OCSP responses (RFC 6960); the package holds what most callers need of its modules."""

from puretls.x509.ocsp.fields import CertId, SingleResponse, Status
from puretls.x509.ocsp.responses import OcspResponse

__all__ = ["CertId", "OcspResponse", "SingleResponse", "Status"]
