"""Keys between bytes and values, in DER and PEM; the package holds what most callers need of its modules."""

from puretls.x509.keys.private import parse_private_key
from puretls.x509.keys.public import key_fits, key_name, parse_public_key, parse_spki, public_key_pem, spki_bytes
from puretls.x509.keys.writing import private_key_der, private_key_pem, traditional_key

__all__ = [
    "key_fits", "key_name", "parse_private_key", "parse_public_key", "parse_spki", "private_key_der", "private_key_pem",
    "public_key_pem", "spki_bytes", "traditional_key",
]  # fmt: skip
