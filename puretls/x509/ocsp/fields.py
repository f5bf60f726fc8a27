"""The fields of an OCSP response (RFC 6960 4.2) as typed values, and what follows from them alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.fields import Extension
from puretls.x509.keys.algorithms import AlgorithmIdentifier
from puretls.x509.names.distinguished import Name


class Status(Enum):
    """RFC 6960 2.2; a CRL gives the first two, absence of answers the third."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@frozen
class CertId:
    """RFC 6960 4.1.1. `hash_oid` as content bytes; the hashes are of the issuer's name and of its key."""

    hash_oid: bytes
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int

    def is_of(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether it means this certificate of this issuer; False for a hash that is not known here."""
        name = oids.HASH_NAMES.get(self.hash_oid)
        if name is None or self.serial_number != certificate.serial_number:
            return False

        def digest(data: bytes) -> bytes:
            return hashlib.new(name, data, usedforsecurity=False).digest()

        names = {digest(certificate.issuer.raw), digest(issuer.subject.raw)}  # the same name, perhaps in two encodings
        return self.issuer_name_hash in names and self.issuer_key_hash == digest(key_octets(issuer.spki))


@frozen
class SingleResponse:
    """RFC 6960 4.2.1. Times in seconds since 1970; `reason` a CRLReason."""

    cert_id: CertId
    status: Status
    revocation_time: int | None
    reason: int | None
    this_update: int
    next_update: int | None
    extensions: tuple[Extension, ...]


def key_octets(spki: bytes) -> bytes:
    """The bits of the key in a SubjectPublicKeyInfo, without tag, length and unused bits (RFC 6960 4.1.1)."""
    body = Reader(spki, name="SubjectPublicKeyInfo").enter()
    body.skip("algorithm", tags.SEQUENCE)
    return body.bit_octets("subject_public_key")


@dataclass(frozen=True, eq=False)
class OcspFields:
    """What a successful response with its BasicOCSPResponse says."""

    raw: bytes
    tbs: bytes
    """DER of ResponseData: what is signed."""
    responder: Name | bytes
    """Its name, or the SHA-1 of its key."""
    produced_at: int
    responses: tuple[SingleResponse, ...]
    extensions: tuple[Extension, ...]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    certificates: tuple[bytes, ...]
    """DER, as they came: none of them is trusted for being here."""

    @property
    def responder_text(self) -> str:
        """The responder for people."""
        return str(self.responder) if isinstance(self.responder, Name) else f"the key with the SHA-1 {self.responder.hex()}"


# What it says
