"""Signature algorithms: what a SignatureScheme or an AlgorithmIdentifier means, apart from who computes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from puretls.crypto.keys import EcPublicKey, EdPublicKey, PublicKey, RsaPublicKey
from puretls.iana import SignatureScheme
from puretls.values import frozen


class SignatureKind(Enum):
    """The families; EdDSA takes the message itself, the others its hash."""

    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    RSA_PSS = "RSASSA-PSS"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ED448 = "Ed448"


@frozen
class SignatureAlgorithm:
    """`hash` and `mgf_hash` are names for `hashlib.new` ("sha256"); empty for EdDSA.

    `salt_length` in bytes, for PSS only (RFC 8017 9.1). ECDSA signatures are DER Ecdsa-Sig-Value (RFC 3279 2.2.3) and fit any
    curve, as in TLS 1.2 (RFC 8422 5.10).
    """

    kind: SignatureKind
    hash: str = ""
    salt_length: int = 0
    mgf_hash: str = ""


HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"})
"""The hashes that signatures are computed with; others are refused whatever `hashlib` has."""


@lru_cache(maxsize=16)
def digest_size(hash_name: str) -> int:
    """Bytes that the hash of this name gives."""
    return hashlib.new(hash_name).digest_size


def _pkcs1(hash_name: str) -> SignatureAlgorithm:
    return SignatureAlgorithm(SignatureKind.RSA_PKCS1, hash_name)


def _pss(hash_name: str) -> SignatureAlgorithm:
    """The salt is as long as the hash, and the mask uses the same hash (RFC 8446 4.2.3)."""
    return SignatureAlgorithm(SignatureKind.RSA_PSS, hash_name, digest_size(hash_name), hash_name)


def _ecdsa(hash_name: str) -> SignatureAlgorithm:
    return SignatureAlgorithm(SignatureKind.ECDSA, hash_name)


SIGNATURE_SCHEMES: Mapping[int, SignatureAlgorithm] = MappingProxyType(
    {
        SignatureScheme.ECDSA_SECP256R1_SHA256: _ecdsa("sha256"),
        SignatureScheme.ECDSA_SECP384R1_SHA384: _ecdsa("sha384"),
        SignatureScheme.ECDSA_SECP521R1_SHA512: _ecdsa("sha512"),
        SignatureScheme.ED25519: SignatureAlgorithm(SignatureKind.ED25519),
        SignatureScheme.ED448: SignatureAlgorithm(SignatureKind.ED448),
        SignatureScheme.RSA_PSS_RSAE_SHA256: _pss("sha256"),
        SignatureScheme.RSA_PSS_RSAE_SHA384: _pss("sha384"),
        SignatureScheme.RSA_PSS_RSAE_SHA512: _pss("sha512"),
        SignatureScheme.RSA_PSS_PSS_SHA256: _pss("sha256"),
        SignatureScheme.RSA_PSS_PSS_SHA384: _pss("sha384"),
        SignatureScheme.RSA_PSS_PSS_SHA512: _pss("sha512"),
        SignatureScheme.RSA_PKCS1_SHA256: _pkcs1("sha256"),
        SignatureScheme.RSA_PKCS1_SHA384: _pkcs1("sha384"),
        SignatureScheme.RSA_PKCS1_SHA512: _pkcs1("sha512"),
        SignatureScheme.ECDSA_SHA224: _ecdsa("sha224"),
        SignatureScheme.RSA_PKCS1_SHA224: _pkcs1("sha224"),
        SignatureScheme.ECDSA_SHA1: _ecdsa("sha1"),
        SignatureScheme.RSA_PKCS1_SHA1: _pkcs1("sha1"),
    }
)
"""What each scheme of TLS 1.2 asks for (RFC 5246 7.4.1.4.1, RFC 8422 5.1.3, RFC 8446 4.2.3): all that a provider can do.

Which of them a connection offers or takes (SHA-1 above all) is its configuration's business.
"""

PSS_PSS_SCHEMES = frozenset(
    (SignatureScheme.RSA_PSS_PSS_SHA256, SignatureScheme.RSA_PSS_PSS_SHA384, SignatureScheme.RSA_PSS_PSS_SHA512)
)


def fits(scheme: int, key: PublicKey) -> bool:
    """Whether a key of this kind and size can sign with `scheme` in TLS 1.2.

    ECDSA schemes name a hash alone: the curve is free (RFC 8422 5.10, unlike TLS 1.3). rsa_pss_pss wants a key marked for PSS,
    every other RSA scheme one that is not (RFC 8446 4.2.3), and the modulus must have room for hash and salt (RFC 8017 9).
    """
    algorithm = SIGNATURE_SCHEMES.get(scheme)
    if algorithm is None:
        return False
    if isinstance(key, RsaPublicKey):
        return _rsa_fits(algorithm, key) and key.pss_only == (scheme in PSS_PSS_SCHEMES)
    if isinstance(key, EcPublicKey):
        return algorithm.kind is SignatureKind.ECDSA
    return isinstance(key, EdPublicKey) and algorithm.kind is _EDDSA_KINDS.get(key.curve)


_EDDSA_KINDS = {"ed25519": SignatureKind.ED25519, "ed448": SignatureKind.ED448}
_DIGEST_INFO_OVERHEAD = {"sha1": 15, "sha224": 19, "sha256": 19, "sha384": 19, "sha512": 19}


def _rsa_fits(algorithm: SignatureAlgorithm, key: RsaPublicKey) -> bool:
    bits = key.n.bit_length()
    if algorithm.kind is SignatureKind.RSA_PSS:
        return (bits + 6) // 8 >= digest_size(algorithm.hash) + algorithm.salt_length + 2
    if algorithm.kind is SignatureKind.RSA_PKCS1:
        return (bits + 7) // 8 >= digest_size(algorithm.hash) + _DIGEST_INFO_OVERHEAD[algorithm.hash] + 11
    return False
