"""Trust anchors: many certificates that cost nothing until one of them is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Protocol

from puretls.arguments import described
from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.errors import DecodeError, UsageError
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.names.distinguished import Name


def subject_of(data: bytes) -> bytes:
    """The DER of the subject of a certificate, without parsing the rest of it. Raises `DecodeError`."""
    tbs = Reader(data, name="Certificate").enter().enter()
    if tbs.peek() == tags.explicit(0):
        tbs.skip("version")
    for field in ("serial_number", "signature", "issuer", "validity"):
        tbs.skip(field)
    return tbs.raw("subject", tags.SEQUENCE)


@frozen
class Limits:
    """What an anchor is trusted for: purposes of extKeyUsage, None for all; and those for which it is not."""

    trusted: frozenset[bytes] | None = None
    rejected: frozenset[bytes] = frozenset()

    def refused(self, purposes: Iterable[bytes]) -> bytes | None:
        """The first of `purposes` that is not allowed."""
        for purpose in purposes:
            named = {purpose, oids.ANY_EXTENDED_KEY_USAGE}
            if named & self.rejected or not (self.trusted is None or named & self.trusted):
                return purpose
        return None


class Labelled(Protocol):
    """An entry of a file of anchors (`anchors.Anchor`)."""

    @property
    def label(self) -> str: ...
    @property
    def certificate(self) -> bytes: ...
    @property
    def limits(self) -> Limits | None: ...


class TrustStore:
    """Anchors indexed by the bytes of their subject; parsed when first looked up.

    What is no certificate is not used, and named in `faults`: one rotten file among the system's roots must not bring all down.
    """

    def __init__(self, certificates: Iterable[bytes | Certificate] = ()) -> None:
        self._by_subject: dict[bytes, list[bytes | Certificate]] = {}
        self._raw: set[bytes] = set()
        self._limits: dict[bytes, Limits] = {}
        self.faults: list[str] = []
        for number, certificate in enumerate(certificates, 1):
            self._add(certificate, f"certificate {number}")

    @property
    def skipped(self) -> int:
        """How many certificates are not used; `faults` says which, and why."""
        return len(self.faults)

    def take(self, entries: Iterable[Labelled | DecodeError], origin: str = "") -> None:
        """Takes in what a file has, and notes what it has not; `origin` is put before each fault."""
        for entry in entries:
            if isinstance(entry, DecodeError):
                self.faults.append(origin + entry.message)
                continue
            self._add(entry.certificate, origin + entry.label)
            if entry.limits is not None:
                self._limits[entry.certificate] = entry.limits

    def encoded(self, purpose: bytes) -> tuple[bytes, ...]:
        """The DER of all that are trusted for a purpose; nothing is parsed."""
        listed = (one for group in self._by_subject.values() for one in group)
        ders = (one.raw if isinstance(one, Certificate) else one for one in listed)
        return tuple(one for one in ders if one not in self._limits or self._limits[one].refused([purpose]) is None)

    def merge(self, other: TrustStore) -> None:
        """Takes in all that another store has, its limits and faults as well."""
        for certificates in list(other._by_subject.values()):
            for certificate in certificates:
                self._add(certificate, "certificate")
        self._limits |= other._limits
        self.faults += other.faults

    def refused_purpose(self, certificate: Certificate, purposes: Iterable[bytes]) -> bytes | None:
        """The first of `purposes` for which the file of the anchor does not let it be trusted."""
        limits = self._limits.get(certificate.raw)
        return limits.refused(purposes) if limits is not None else None

    def _add(self, certificate: bytes | Certificate, label: str) -> None:
        try:
            raw, subject = _raw_and_subject(certificate)
        except DecodeError as bad:
            self.faults.append(f"{label}: {bad}")
            return
        if raw not in self._raw:
            self._raw.add(raw)
            self._by_subject.setdefault(subject, []).append(certificate)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate.raw in self._raw

    def __iter__(self) -> Iterator[Certificate]:
        for subject in list(self._by_subject):
            yield from self._parsed(subject)

    def by_subject(self, name: Name) -> Iterator[Certificate]:
        """Anchors whose subject has the very bytes of `name`."""
        return self._parsed(name.raw)

    def by_equal_subject(self, name: Name) -> Iterator[Certificate]:
        """Anchors whose subject has other bytes and is equal by RFC 5280 7.1. The first call compares, and indexes, all names."""
        for raw in self._canonical.get(name.canonical, ()):
            if raw != name.raw:
                yield from self._parsed(raw)

    def _parsed(self, subject: bytes) -> Iterator[Certificate]:
        entries = self._by_subject.get(subject, [])
        for index, entry in enumerate(entries):
            if isinstance(entry, bytes):
                try:
                    entry = entries[index] = Certificate.read(entry)  # noqa: PLW2901
                except DecodeError:
                    continue
            yield entry

    @cached_property
    def _canonical(self) -> dict[object, list[bytes]]:
        """The index by prepared names. It costs as much as everything else together, and most chains never need it."""
        from puretls.x509.names.distinguished import parse_name

        found: dict[object, list[bytes]] = {}
        for raw in self._by_subject:
            try:
                found.setdefault(parse_name(raw).canonical, []).append(raw)
            except DecodeError as bad:
                self.faults.append(f"the name of a certificate: {bad}")
        return found


def _raw_and_subject(certificate: bytes | Certificate) -> tuple[bytes, bytes]:
    if isinstance(certificate, Certificate):
        return certificate.raw, certificate.subject.raw
    return certificate, subject_of(certificate)


_FROM_PEM = "`x509.pem.load_certificates` reads PEM, `roots.file_verifier` a file of it"


def trust_store(anchors: Iterable[bytes | Certificate | TrustStore]) -> TrustStore:
    """One store of all the anchors given; a single store is taken as it is, so that what it has parsed stays parsed.

    Raises `UsageError` for what is no anchor by its type, and for PEM.
    """
    if isinstance(anchors, str | bytes | bytearray | Certificate) or not isinstance(anchors, Iterable):
        raise UsageError(f"anchors are a list of certificates, not {described(anchors)}; {_FROM_PEM}")
    given = list(anchors)
    for anchor in given:
        if not isinstance(anchor, bytes | Certificate | TrustStore):
            raise UsageError(f"an anchor is a Certificate, the bytes of its DER, or a TrustStore, not {described(anchor)}; {_FROM_PEM}")
        if isinstance(anchor, bytes) and b"-----BEGIN" in anchor:
            raise UsageError(f"an anchor in bytes is DER, and this is PEM; {_FROM_PEM}")
    if len(given) == 1 and isinstance(given[0], TrustStore):
        return given[0]
    merged = TrustStore([anchor for anchor in given if not isinstance(anchor, TrustStore)])
    for anchor in given:
        if isinstance(anchor, TrustStore):
            merged.merge(anchor)
    return merged
