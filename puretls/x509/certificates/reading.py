"""Reading certificates: strict DER of RFC 5280 4.1, field by field.

The readers of single fields serve `flawed` as well, which goes on where one of them fails.
"""

from __future__ import annotations

from typing import TypeVar

from puretls.crypto.keys import PublicKey
from puretls.der import tags
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.certificates.extension_types import TYPES, ExtensionType
from puretls.x509.certificates.fields import CertificateFields, Extension, Validity
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm, read_signed
from puretls.x509.keys.public import read_spki
from puretls.x509.names.distinguished import Name, read_name

MAX_CERTIFICATE = 2**20
"""Bytes of one certificate; real ones have some thousand, and what is a megabyte long is an attack."""
MAX_EXTENSIONS = 256

ROOT = "Certificate"
TBS = "tbs_certificate"

C = TypeVar("C", bound=CertificateFields)
TbsFields = tuple[
    int, int, bool, AlgorithmIdentifier, Name, Validity, Name, bytes, PublicKey | None, bytes | None, bytes | None, tuple[Extension, ...]
]
"""The fields of TBSCertificate in the order of `CertificateFields`, from `version` to `extensions`."""


def read_sound(kind: type[C], data: bytes, sink: list[Span] | None = None) -> C:
    """The certificate in `data`, which holds nothing else, as a `kind`. Raises `DecodeError` for whatever is not strict DER."""
    if len(data) > MAX_CERTIFICATE:
        raise DecodeError(f"certificate of {len(data)} bytes, more than {MAX_CERTIFICATE}", path=ROOT)
    top = Reader(data, name=ROOT, sink=sink)
    body = top.enter()
    top.done()
    tbs, fields, outer = read_signed(body, TBS, _read_tbs)
    signature = body.bit_octets("signature_value")
    body.done()
    return kind(data, tbs, *fields, outer, signature)


def _read_tbs(tbs: Reader) -> TbsFields:
    """The fields of TBSCertificate (RFC 5280 4.1)."""
    version = read_version(tbs)
    serial, is_padded = read_serial(tbs)
    inner = read_algorithm(tbs, "signature")
    issuer = read_name(tbs, "issuer")
    validity = read_validity(tbs)
    subject = read_name(tbs, "subject")
    spki, key = read_key(tbs)
    issuer_id = read_unique_id(tbs, 1, "issuer_unique_id")
    subject_id = read_unique_id(tbs, 2, "subject_unique_id")
    extensions = _read_extensions(tbs) if tbs.more else ()
    tbs.done()
    return version, serial, is_padded, inner, issuer, validity, subject, spki, key, issuer_id, subject_id, extensions


def read_version(tbs: Reader) -> int:
    """The version as people count, from 1."""
    if tbs.peek() != tags.explicit(0):
        return 1
    field = tbs.enter(tags.explicit(0), "version")
    value = field.small("", limit=256)
    field.done()
    if value not in (1, 2):  # v1 is the DEFAULT, which DER leaves out
        raise field.error(f"version field {value}", rfc="RFC 5280 4.1.2.1")
    return value + 1


def read_serial(tbs: Reader) -> tuple[int, bool]:
    """The serial number, and whether it is padded: some are deployed, and the rule "serial-number" has a say."""
    at = tbs.at
    serial = tbs.integer("serial_number", padded=True)
    return serial, tbs.at - at - 2 != (serial if serial >= 0 else ~serial).bit_length() // 8 + 1


def read_validity(tbs: Reader) -> Validity:
    """The dates of `validity`, and the types of time in which they are written."""
    body = tbs.enter(name="validity")
    first = body.peek()
    not_before = body.time("not_before")
    second = body.peek()
    not_after = body.time("not_after")
    body.done()
    return Validity(not_before, not_after, (first, second))


def read_key(tbs: Reader) -> tuple[bytes, PublicKey | None]:
    """SubjectPublicKeyInfo as bytes, and the key if it is one that is known here; others must be sound DER all the same."""
    at, recorded = tbs.at, len(tbs.sink or ())
    try:
        key = read_spki(tbs)
    except DecodeError:
        if tbs.sink is not None:
            del tbs.sink[recorded:]
        tbs.at = at
    else:
        return tbs.data[at : tbs.at], key
    spki = tbs.enter(name="subject_public_key_info")
    algorithm = spki.enter(name="algorithm")
    algorithm.oid("algorithm")
    if algorithm.more:
        algorithm.skip("parameters")
    algorithm.done()
    spki.bits("subject_public_key")
    spki.done()
    return tbs.data[at : tbs.at], None


def read_unique_id(tbs: Reader, number: int, name: str) -> bytes | None:
    """The bits of an issuerUniqueID (1) or subjectUniqueID (2), None where absent."""
    if tbs.peek() != tags.context(number):
        return None
    _, start, stop = tbs.bits(name, tags.context(number))
    return tbs.data[start:stop]


def _read_extensions(tbs: Reader) -> tuple[Extension, ...]:
    wrapper = tbs.enter(tags.explicit(3), "extensions")
    listed = wrapper.enter()
    wrapper.done()
    if not listed.more:
        raise listed.error("empty list of extensions", rfc="RFC 5280 4.1.2.9")
    found: list[Extension] = []
    while listed.more:
        if len(found) == MAX_EXTENSIONS:
            raise listed.error(f"more than {MAX_EXTENSIONS} extensions")
        found.append(read_extension(listed, f"[{len(found)}]", TYPES, f"{TBS}.extensions"))
    return tuple(found)


def read_extension(listed: Reader, name: str, types: dict[bytes, ExtensionType], above: str) -> Extension:
    """One Extension (RFC 5280 4.1), its value read by the row that `types` has for it; CRLs use it with types of their own."""
    body = listed.enter(name=name)
    oid = body.oid("extn_id")
    critical = body.default_false("critical")
    kind = types.get(oid)
    if kind is None:
        raw = body.octets("extn_value")
        value = None
    else:
        start, stop = body.enter_octets("extn_value")
        raw = body.data[start:stop]
        value = kind.parse(body.data, start, stop, body)
    body.done()
    return Extension(oid, critical, raw, value, above + name)
