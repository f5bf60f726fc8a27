"""The fields of a certificate (RFC 5280 4.1) as typed values, and what follows from them alone."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cached_property
from typing import TypeVar

from puretls.crypto.keys import PublicKey
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.der import tags
from puretls.errors import DecodeError
from puretls.values import extensible, frozen
from puretls.x509.certificates import extensions as ext
from puretls.x509.keys.algorithms import AlgorithmIdentifier, signature_algorithm
from puretls.x509.keys.public import parse_spki
from puretls.x509.names.distinguished import Name
from puretls.x509.names.general import GeneralName, GeneralNameKind

T = TypeVar("T")


@frozen
class Extension:
    """RFC 5280 4.2. `value`: one of the classes of `extensions`, None for an unknown identifier; `raw`: the content of extnValue."""

    oid: bytes
    critical: bool
    raw: bytes
    value: object
    path: str
    """Where it is, below `Certificate`: "tbs_certificate.extensions[3]"."""


@frozen
class Validity:
    """RFC 5280 4.1.2.5: seconds since 1970, both inclusive; `tags` tell UTCTime from GeneralizedTime."""

    not_before: int
    not_after: int
    tags: tuple[int, int] = (tags.UTC_TIME, tags.UTC_TIME)


UNREADABLE = Validity(0, -1)
"""What stands for dates that cannot be read: a period without a moment in it."""


@extensible(eq=False)
class CertificateFields:
    """What a certificate says. Equal when the bytes are. `Certificate` reads it, and explains its bytes."""

    raw: bytes
    tbs: bytes
    """DER of TBSCertificate: what is signed."""
    version: int
    """1, 2 or 3."""
    serial_number: int
    is_serial_padded: bool
    """Whether the serial number is written longer than X.690 8.3.2 lets it be."""
    inner_signature: AlgorithmIdentifier
    """TBSCertificate.signature, which must equal `signature_algorithm`."""
    issuer: Name
    validity: Validity
    subject: Name
    spki: bytes
    """DER of SubjectPublicKeyInfo."""
    key: PublicKey | None
    """What `public_key` gives; None where it raises."""
    issuer_unique_id: bytes | None
    subject_unique_id: bytes | None
    extensions: tuple[Extension, ...]
    outer_signature: AlgorithmIdentifier
    signature: bytes
    malformed: tuple[DecodeError, ...] = ()
    """Why fields have no value, or not all of it: a name without attributes, an extension whose `value` is None, an `UNREADABLE` date."""
    lapses: tuple[DecodeError, ...] = ()
    """Where a value is plain, and written as DER or its type does not have it."""

    @property
    def is_sound(self) -> bool:
        """Whether it is strict DER of RFC 5280 throughout, as far as it is known here."""
        return not (self.malformed or self.lapses)

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, CertificateFields) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Certificate({self.subject}, issued by {self.issuer}, serial {self.serial_number:x})"

    # Keys and digests

    @property
    def public_key(self) -> PublicKey:
        """The subject's key. Raises `DecodeError` for a kind, curve or size that is not supported."""
        return self.key or parse_spki(self.spki)

    @cached_property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How the issuer signed. Raises `DecodeError` for what is not known here."""
        return signature_algorithm(self.outer_signature)

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of the whole certificate: the pin of exactly this one."""
        return hashlib.sha256(self.raw).digest()

    @cached_property
    def spki_pin(self) -> bytes:
        """SHA-256 of SubjectPublicKeyInfo: the pin of the key (RFC 7469 2.4)."""
        return hashlib.sha256(self.spki).digest()

    @property
    def spki_pin_text(self) -> str:
        """As RFC 7469 writes it: base64."""
        return b64encode(self.spki_pin).decode()

    # Extensions

    @cached_property
    def _by_oid(self) -> dict[bytes, Extension]:
        return {e.oid: e for e in reversed(self.extensions)}

    @cached_property
    def _values(self) -> dict[type, object]:
        """The values by their classes; what is under a class is of that class."""
        return {type(e.value): e.value for e in reversed(self.extensions) if e.value is not None}

    def get(self, kind: type[T]) -> T | None:
        """The value of the extension of this class (`extensions.SubjectAltName`, ...), None where absent; of duplicates the first."""
        return self._values.get(kind)  # type: ignore[return-value]

    def extension(self, oid: bytes) -> Extension | None:
        """The extension with this identifier, None where absent; of duplicates the first."""
        return self._by_oid.get(oid)

    @cached_property
    def subject_alt_names(self) -> tuple[GeneralName, ...]:
        """All names of subjectAltName; empty where absent."""
        found = self.get(ext.SubjectAltName)
        return found.names if found else ()

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The dNSNames, wildcards included."""
        return tuple(str(n.value) for n in self.subject_alt_names if n.kind is GeneralNameKind.DNS)

    @property
    def ip_addresses(self) -> tuple[bytes, ...]:
        """The iPAddresses, 4 or 16 bytes each."""
        return tuple(n.value for n in self.subject_alt_names if n.kind is GeneralNameKind.IP and isinstance(n.value, bytes))

    @cached_property
    def is_ca(self) -> bool:
        """Whether basicConstraints says so (RFC 5280 4.2.1.9)."""
        constraints = self.get(ext.BasicConstraints)
        return constraints is not None and constraints.ca

    @cached_property
    def is_self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 6.1); says nothing of the signature."""
        return self.issuer == self.subject
