"""The fields of a CRL (RFC 5280 5.1) as typed values, and what follows from them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from puretls.crypto.signatures import SignatureAlgorithm
from puretls.values import frozen
from puretls.x509.certificates.fields import Extension
from puretls.x509.crl.extensions import REASONS
from puretls.x509.keys.algorithms import AlgorithmIdentifier, signature_algorithm
from puretls.x509.names.distinguished import Name

T = TypeVar("T")


@frozen
class RevokedCertificate:
    """One entry (RFC 5280 5.1.2.6). `issuer` issued the certificate: the CRL's own issuer, or in an indirect CRL the one it names."""

    serial_number: int
    revocation_date: int
    issuer: Name
    reason: int | None
    extensions: tuple[Extension, ...]
    """Their paths begin at `tbs_cert_list.revoked_certificates[index]`."""
    index: int
    """Position in the list."""

    @property
    def reason_text(self) -> str:
        """The reason in the words of RFC 5280 5.3.1."""
        return REASONS[self.reason or 0]


@dataclass(frozen=True, eq=False)
class CrlFields:
    """What a CRL says. Equal when the bytes are. `Crl` reads it, and explains its bytes."""

    raw: bytes
    tbs: bytes
    """DER of TBSCertList: what is signed."""
    version: int
    """1 or 2."""
    inner_signature: AlgorithmIdentifier
    issuer: Name
    this_update: int
    """Seconds since 1970."""
    next_update: int | None
    entries: tuple[RevokedCertificate, ...]
    extensions: tuple[Extension, ...]
    outer_signature: AlgorithmIdentifier
    signature: bytes

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, CrlFields) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"Crl({self.issuer}, {len(self.entries)} entries)"

    @cached_property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How the issuer signed. Raises `DecodeError` for what is not known here."""
        return signature_algorithm(self.outer_signature)

    def get(self, kind: type[T]) -> T | None:
        """The value of the extension of this class, None where absent."""
        return next((one.value for one in self.extensions if isinstance(one.value, kind)), None)

    @cached_property
    def by_serial(self) -> Mapping[int, list[RevokedCertificate]]:
        """Entries by serial number, for look-up; an indirect CRL can have several with one number."""
        found: dict[int, list[RevokedCertificate]] = {}
        for entry in self.entries:
            found.setdefault(entry.serial_number, []).append(entry)
        return MappingProxyType(found)

    def find(self, issuer: Name, serial_number: int) -> RevokedCertificate | None:
        """The entry for the certificate of this issuer and number; the last where there are several."""
        entries = self.by_serial.get(serial_number, [])
        return next((entry for entry in reversed(entries) if entry.issuer == issuer), None)

    @cached_property
    def unknown_critical(self) -> bytes | None:
        """The identifier of a critical extension unknown here, in the CRL or any entry; such a CRL decides nothing (5.2)."""
        listed = [*self.extensions, *(one for entry in self.entries for one in entry.extensions)]
        return next((one.oid for one in listed if one.critical and one.value is None), None)
