"""Reading CRLs: strict DER of RFC 5280 5.1."""

from __future__ import annotations

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.values import frozen
from puretls.x509.certificates.extension_types import ExtensionType
from puretls.x509.certificates.fields import Extension
from puretls.x509.certificates.reading import read_extension
from puretls.x509.crl.extensions import CRL_TYPES, ENTRY_TYPES, CertificateIssuer, CrlReason
from puretls.x509.crl.fields import RevokedCertificate
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm
from puretls.x509.names.distinguished import Name, read_name
from puretls.x509.names.general import GeneralNameKind

TBS = "tbs_cert_list"
MAX_EXTENSIONS = 64


def read_tbs(
    tbs: Reader,
) -> tuple[int, AlgorithmIdentifier, Name, int, int | None, tuple[RevokedCertificate, ...], tuple[Extension, ...]]:
    """The fields of TBSCertList (RFC 5280 5.1.2), in the order of `CrlFields`."""
    version = _read_version(tbs)
    inner = read_algorithm(tbs, "signature")
    issuer = read_name(tbs, "issuer")
    this_update = tbs.time("this_update")
    next_update = tbs.time("next_update") if tbs.peek() in (tags.UTC_TIME, tags.GENERALIZED_TIME) else None
    entries = _read_entries(tbs, issuer, version) if tbs.peek() == tags.SEQUENCE else ()
    extensions: tuple[Extension, ...] = ()
    if tbs.peek() == tags.explicit(0):
        wrapper = tbs.enter(tags.explicit(0), "crl_extensions")
        extensions = _read_extensions(wrapper, "", CRL_TYPES, f"{TBS}.crl_extensions", version)
        wrapper.done()
    tbs.done()
    return version, inner, issuer, this_update, next_update, entries, extensions


def _read_version(tbs: Reader) -> int:
    if tbs.peek() != tags.INTEGER:
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
