"""The extensions of OCSP responses (RFC 6960 4.4)."""

from __future__ import annotations

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.spans import Span
from puretls.values import frozen
from puretls.x509.certificates.extension_types import ExtensionType
from puretls.x509.crl.extensions import CRL_TYPES, ENTRY_TYPES


@frozen
class Nonce:
    """RFC 8954 2.1."""

    value: bytes


@frozen
class ArchiveCutoff:
    """RFC 6960 4.4.4: seconds since 1970."""

    time: int


@frozen
class OcspTimestamps:
    """RFC 6962 3.3; kept as it is, for those who check transparency."""

    raw: bytes


def _nonce(reader: Reader) -> Nonce:
    """An OCTET STRING by RFC 8954 2.1; older responders put their bytes bare, which may begin like one by chance."""
    length = reader.end - reader.at - 2
    wrapped = reader.peek() == tags.OCTET_STRING and length >= 0 and reader.data[reader.at + 1] == length
    return Nonce(reader.octets() if wrapped else _rest(reader))


def _rest(reader: Reader) -> bytes:
    at, reader.at = reader.at, reader.end
    if reader.sink is not None:
        reader.sink.append(Span(at, reader.end, reader.path, reader.data[at : reader.end]))
    return reader.data[at : reader.end]


OCSP_SCTS = oids.encode_oid("1.3.6.1.4.1.11129.2.4.5")
RESPONSE_TYPES = {oids.OCSP_NONCE: ExtensionType("nonce", Nonce, _nonce, "RFC 8954 2.1")}
"""Extensions of a response that are known here."""
SINGLE_TYPES = {
    oids.OCSP_ARCHIVE_CUTOFF: ExtensionType(
        "archive_cutoff", ArchiveCutoff, lambda reader: ArchiveCutoff(reader.time()), "RFC 6960 4.4.4"
    ),
    OCSP_SCTS: ExtensionType("sct_list", OcspTimestamps, lambda reader: OcspTimestamps(_rest(reader)), "RFC 6962 3.3"),
    oids.CRL_REASON: ENTRY_TYPES[oids.CRL_REASON],
    oids.INVALIDITY_DATE: ENTRY_TYPES[oids.INVALIDITY_DATE],
    oids.CRL_NUMBER: CRL_TYPES[oids.CRL_NUMBER],
}
"""Those of a single response (RFC 6960 4.4.5 allows what CRL entries have)."""
