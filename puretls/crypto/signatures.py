"""Signature algorithms: what a SignatureScheme or an AlgorithmIdentifier means, apart from who computes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SignatureKind(Enum):
    """The families; EdDSA takes the message itself, the others its hash."""

    RSA_PKCS1 = "RSASSA-PKCS1-v1_5"
    RSA_PSS = "RSASSA-PSS"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ED448 = "Ed448"


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """`hash` and `mgf_hash` are names for `hashlib.new` ("sha256"); empty for EdDSA. `salt_length` in bytes, PSS only (RFC 8017 9.1).

    ECDSA signatures are DER Ecdsa-Sig-Value (RFC 3279 2.2.3) and fit any curve, as in TLS 1.2 (RFC 8422 5.10).
    """

    kind: SignatureKind
    hash: str = ""
    salt_length: int = 0
    mgf_hash: str = ""
