"""Certificate revocation lists as typed values (RFC 5280 5). What they mean for a certificate is for `revocation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from puretls.crypto.signatures import SignatureAlgorithm
from puretls.der import oids
from puretls.der import reader as der
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.values import frozen
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Extension, read_extension
from puretls.x509.certificates.extensions import DistributionPointName, ExtensionType, read_distribution_point_name
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm, signature_algorithm
from puretls.x509.names.names import GeneralName, GeneralNameKind, Name, read_general_names, read_name

ROOT = "CertificateList"
TBS = "tbs_cert_list"
MAX_CRL = 1 << 26
"""Bytes of one CRL; the largest of public authorities have some 10 MB."""
MAX_EXTENSIONS = 64

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""CRLReason (RFC 5280 5.3.1)."""
REMOVE_FROM_CRL = 8
ALL_REASONS = frozenset(range(1, 9))
"""The bits of ReasonFlags (RFC 5280 4.2.1.13) that together say everything; bit 0 is unused, and bits are not CRLReasons."""

T = TypeVar("T")


@frozen
class CrlNumber:
    """RFC 5280 5.2.3."""

    number: int


@frozen
class DeltaCrlIndicator:
    """RFC 5280 5.2.4: the number of the complete CRL that this one adds to."""

    base_number: int


@frozen
class IssuingDistributionPoint:
    """RFC 5280 5.2.5. `reasons`: bits of ReasonFlags, None where the CRL covers all of them."""

    name: DistributionPointName | None
    only_user: bool = False
    only_ca: bool = False
    reasons: frozenset[int] | None = None
    indirect: bool = False
    only_attribute: bool = False


@frozen
class CrlReason:
    """RFC 5280 5.3.1."""

    reason: int


@frozen
class InvalidityDate:
    """RFC 5280 5.3.2: since when the key was not to be trusted, seconds since 1970."""

    time: int


@frozen
class CertificateIssuer:
    """RFC 5280 5.3.3: who issued the certificate of this entry and of those that follow."""

    names: tuple[GeneralName, ...]


@frozen
class HoldInstruction:
    """RFC 3280 5.3.2, obsolete; read to be shown."""

    code: bytes


def _idp(reader: Reader) -> IssuingDistributionPoint:
    body = reader.enter()
    if not body.more:
        raise body.error("empty issuingDistributionPoint", rfc="RFC 5280 5.2.5")
    where = read_distribution_point_name(body, "distribution_point") if body.peek() == der.explicit(0) else None
    user = body.default_false("only_contains_user_certs", der.context(1))
    ca = body.default_false("only_contains_ca_certs", der.context(2))
    reasons = body.named_bits("only_some_reasons", der.context(3)) if body.peek() == der.context(3) else None
    indirect = body.default_false("indirect_crl", der.context(4))
    attribute = body.default_false("only_contains_attribute_certs", der.context(5))
    body.done()
    if user + ca + attribute > 1:
        raise body.error("a CRL for only users, only CAs and only attributes at once", rfc="RFC 5280 5.2.5")
    return IssuingDistributionPoint(where, user, ca, reasons, indirect, attribute)


def _number(reader: Reader) -> int:
    at = reader.at
    value = reader.integer()
    if value < 0 or reader.at - at > 23:
        raise reader.error("CRL number that is negative or of more than 20 octets", offset=at, rfc="RFC 5280 5.2.3")
    return value


def _reason(reader: Reader) -> CrlReason:
    reason = reader.enumerated()
    if reason not in REASONS:
        raise reader.error(f"no CRLReason {reason}", rfc="RFC 5280 5.3.1")
    return CrlReason(reason)


def _invalidity(reader: Reader) -> InvalidityDate:
    if reader.peek() != der.GENERALIZED_TIME:
        raise reader.error("invalidityDate is a GeneralizedTime", rfc="RFC 5280 5.3.2")
    return InvalidityDate(reader.time())


def _types(*rows: tuple[bytes, str, type, object, str]) -> dict[bytes, ExtensionType]:
    return {oid: ExtensionType(name, cls, read, where) for oid, name, cls, read, where in rows}  # type: ignore[arg-type]


_SHARED = (oids.AUTHORITY_KEY_IDENTIFIER, oids.ISSUER_ALT_NAME, oids.FRESHEST_CRL, oids.AUTHORITY_INFO_ACCESS)
CRL_TYPES = {oid: ext.TYPES[oid] for oid in _SHARED} | _types(
    (oids.CRL_NUMBER, "crl_number", CrlNumber, lambda r: CrlNumber(_number(r)), "RFC 5280 5.2.3"),
    (oids.DELTA_CRL_INDICATOR, "delta_crl_indicator", DeltaCrlIndicator,
     lambda r: DeltaCrlIndicator(_number(r)), "RFC 5280 5.2.4"),
    (oids.ISSUING_DISTRIBUTION_POINT, "issuing_distribution_point", IssuingDistributionPoint, _idp, "RFC 5280 5.2.5"),
)  # fmt: skip
"""The extensions of a CRL that are known here."""
ENTRY_TYPES = _types(
    (oids.CRL_REASON, "crl_reason", CrlReason, _reason, "RFC 5280 5.3.1"),
    (oids.INVALIDITY_DATE, "invalidity_date", InvalidityDate, _invalidity, "RFC 5280 5.3.2"),
    (oids.CERTIFICATE_ISSUER, "certificate_issuer", CertificateIssuer,
     lambda r: CertificateIssuer(read_general_names(r, "")), "RFC 5280 5.3.3"),
    (oids.HOLD_INSTRUCTION_CODE, "hold_instruction_code", HoldInstruction, lambda r: HoldInstruction(r.oid()), "RFC 3280 5.3.2"),
)  # fmt: skip
"""Those of an entry."""


@frozen
class RevokedCertificate:
    """One entry (RFC 5280 5.1.2.6). `issuer`: of the certificate, which an indirect CRL names and others take from themselves."""

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
class Crl:
    """A CRL. `parse` makes one; whether it is genuine and current is for `revocation`."""

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

    @classmethod
    def parse(cls, data: bytes, sink: list[Span] | None = None) -> Crl:
        """The CRL in `data`, which holds nothing else. Raises `DecodeError` for whatever is not strict DER of RFC 5280 5.1.

        With a `sink`, spans for every byte are appended to it.
        """
        if len(data) > MAX_CRL:
            raise DecodeError(f"CRL of {len(data)} bytes, more than {MAX_CRL}", path=ROOT)
        top = Reader(data, name=ROOT, sink=sink)
        body = top.enter()
        top.done()
        tbs_at = body.at
        fields = _read_tbs(body.enter(name=TBS))
        tbs = data[tbs_at : body.at]
        outer = read_algorithm(body, "signature_algorithm")
        if outer.raw != fields[1].raw:
            raise body.error("two different signature algorithms", "signature_algorithm", rfc="RFC 5280 5.1.1.2")
        signature = body.bit_octets("signature_value")
        body.done()
        return cls(data, tbs, *fields, outer, signature)

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Crl) else NotImplemented

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

    def spans(self) -> tuple[Span, ...]:
        """Spans that tile the CRL: each byte with its path, decoded value, meaning and RFC section."""
        from puretls.x509 import show  # text that checking never needs
        from puretls.x509.certificates import explain

        return explain.annotated(self.raw, Crl.parse, show.CRL_NOTES)

    def text(self) -> str:
        """The CRL in words, over many lines."""
        from puretls.x509.show import crl_text

        return crl_text(self)

    @cached_property
    def unknown_critical(self) -> bytes | None:
        """The identifier of a critical extension unknown here, in the CRL or any entry; such a CRL decides nothing (5.2)."""
        listed = [*self.extensions, *(one for entry in self.entries for one in entry.extensions)]
        return next((one.oid for one in listed if one.critical and one.value is None), None)


def _read_tbs(
    tbs: Reader,
) -> tuple[int, AlgorithmIdentifier, Name, int, int | None, tuple[RevokedCertificate, ...], tuple[Extension, ...]]:
    """The fields of TBSCertList (RFC 5280 5.1.2), in the order of `Crl`."""
    version = _read_version(tbs)
    inner = read_algorithm(tbs, "signature")
    issuer = read_name(tbs, "issuer")
    this_update = tbs.time("this_update")
    next_update = tbs.time("next_update") if tbs.peek() in (der.UTC_TIME, der.GENERALIZED_TIME) else None
    entries = _read_entries(tbs, issuer, version) if tbs.peek() == der.SEQUENCE else ()
    extensions: tuple[Extension, ...] = ()
    if tbs.peek() == der.explicit(0):
        wrapper = tbs.enter(der.explicit(0), "crl_extensions")
        extensions = _read_extensions(wrapper, "", CRL_TYPES, f"{TBS}.crl_extensions", version)
        wrapper.done()
    tbs.done()
    return version, inner, issuer, this_update, next_update, entries, extensions


def _read_version(tbs: Reader) -> int:
    if tbs.peek() != der.INTEGER:
        return 1
    at = tbs.at
    if tbs.small("version", limit=256) != 1:  # v1 is said by silence
        raise tbs.error("version field other than v2", "version", offset=at, rfc="RFC 5280 5.1.2.1")
    return 2


def _read_extensions(
    outer: Reader, name: str, types: dict[bytes, ExtensionType], above: str, version: int
) -> tuple[Extension, ...]:
    listed = outer.enter(name=name)
    if version != 2 or not listed.more:
        raise listed.error("extensions in a v1 CRL, or an empty list of them", rfc="RFC 5280 5.1.2.7")
    found: list[Extension] = []
    while listed.more:
        if len(found) == MAX_EXTENSIONS:
            raise listed.error(f"more than {MAX_EXTENSIONS} extensions")
        found.append(read_extension(listed, f"[{len(found)}]", types, above))
        if any(found[-1].oid == one.oid for one in found[:-1]):
            raise listed.error(f"{oids.describe(found[-1].oid)} twice", rfc="RFC 5280 4.2")
    return tuple(found)


@frozen
class _EntryFacts:
    """What the extensions of an entry say; equal bytes say the same, and most entries of a long list have equal ones."""

    extensions: tuple[Extension, ...] = ()
    reason: int | None = None
    issuer: Name | None = None


_NO_FACTS = _EntryFacts()


def _read_entries(tbs: Reader, issuer: Name, version: int) -> tuple[RevokedCertificate, ...]:
    listed = tbs.enter(name="revoked_certificates")
    if not listed.more:
        raise listed.error("empty list of revoked certificates", rfc="RFC 5280 5.1.2.6")
    found: list[RevokedCertificate] = []
    known: dict[bytes, _EntryFacts] = {}
    while listed.more:
        index = len(found)
        entry = listed.enter(name=f"[{index}]")
        serial = entry.integer("user_certificate", padded=True)
        when = entry.time("revocation_date")
        facts = _entry_facts(entry, version, known) if entry.more else _NO_FACTS
        if facts.issuer is not None:  # it holds until another entry names one (RFC 5280 5.3.3)
            issuer = facts.issuer
        found.append(RevokedCertificate(serial, when, issuer, facts.reason, facts.extensions, index))
    return tuple(found)


def _entry_facts(entry: Reader, version: int, known: dict[bytes, _EntryFacts]) -> _EntryFacts:
    """The rest of an entry, which is its extensions; taken from `known` where the same bytes have been read, unless spans are wanted."""
    raw = entry.data[entry.at : entry.end]
    facts = known.get(raw)
    if facts is None or entry.sink is not None:
        facts = known[raw] = _read_entry_facts(entry, version)
    return facts


def _read_entry_facts(entry: Reader, version: int) -> _EntryFacts:
    extensions = _read_extensions(entry, "crl_entry_extensions", ENTRY_TYPES, "crl_entry_extensions", version)
    entry.done()
    reason = next((one.value.reason for one in extensions if isinstance(one.value, CrlReason)), None)
    named = next((one.value for one in extensions if isinstance(one.value, CertificateIssuer)), None)
    return _EntryFacts(extensions, reason, _directory_name(named, entry) if named else None)


def _directory_name(value: CertificateIssuer, entry: Reader) -> Name:
    for one in value.names:
        if one.kind is GeneralNameKind.DIRECTORY and isinstance(one.value, Name):
            return one.value
    raise entry.error("certificateIssuer without a directory name", "crl_entry_extensions", rfc="RFC 5280 5.3.3")
