"""OpenSSL's security levels (SSL_CTX_set_security_level(3)), and what keys and digests are worth in bits."""

from __future__ import annotations

from collections.abc import Iterator

from puretls.crypto.keys import PublicKey, RsaPublicKey
from puretls.errors import DecodeError
from puretls.x509.certificates.certificate import Certificate

DEFAULT_LEVEL = 2
"""That of a context to which no cipher string gives one: 112 bits."""
_MINIMUM = (0, 80, 112, 128, 192, 256)


def minimum_bits(level: int) -> int:
    """The strength that a level asks for."""
    return _MINIMUM[min(level, len(_MINIMUM) - 1)]


def strength(key: PublicKey) -> int:
    """Bits of security (NIST SP 800-57 part 1, table 2)."""
    if isinstance(key, RsaPublicKey):
        return max((bits for size, bits in _RSA if key.n.bit_length() >= size), default=0)
    return _CURVES[key.curve]


_RSA = ((1024, 80), (2048, 112), (3072, 128), (7680, 192), (15360, 256))
_CURVES = {"secp256r1": 128, "secp384r1": 192, "secp521r1": 256, "ed25519": 128, "ed448": 224}


def digest_bits(certificate: Certificate) -> int:
    """Half the length of the digest that is signed, less where it is broken; schemes without one are as strong as their keys."""
    try:
        return _DIGESTS.get(certificate.signature_algorithm.hash, 256)
    except DecodeError:
        return 0


_DIGESTS = {"sha1": 63, "md5": 39, "sha224": 112, "sha256": 128, "sha384": 192, "sha512": 256}


def weaknesses(chain: tuple[Certificate, ...], level: int) -> Iterator[str]:
    """What a level has against a chain of one's own, leaf first, in OpenSSL's names: "EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK" ..."""
    bits = minimum_bits(level)
    for index, certificate in enumerate(chain):
        if certificate.key is not None and strength(certificate.key) < bits:
            yield "CA_KEY_TOO_SMALL" if index else "EE_KEY_TOO_SMALL"
        if not certificate.is_self_issued and digest_bits(certificate) < bits:
            yield "CA_MD_TOO_WEAK"
