"""Certificate revocation lists (RFC 5280 5); the package holds what most callers need of its modules."""

from puretls.x509.crl.extensions import CrlNumber, DeltaCrlIndicator, IssuingDistributionPoint
from puretls.x509.crl.fields import RevokedCertificate
from puretls.x509.crl.lists import Crl

__all__ = ["Crl", "CrlNumber", "DeltaCrlIndicator", "IssuingDistributionPoint", "RevokedCertificate"]
