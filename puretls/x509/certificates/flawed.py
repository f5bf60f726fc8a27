"""Certificates that are not strict DER, read as far as a handshake and people need them.

A handshake takes the public key from a certificate, and sometimes keyUsage; what is wrong with the rest is for whoever verifies.
So everything before the key is stepped over where it cannot be read, and everything behind it left out. Each flaw is noted:
`Certificate.malformed` and `Certificate.lapses` are then not empty, and a verifier's report begins with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from puretls.der import oids, tags
from puretls.der.cursor import read_header
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.spans import Span
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.certificates.fields import UNREADABLE, Extension
from puretls.x509.certificates.reading import (
    MAX_CERTIFICATE,
    MAX_EXTENSIONS,
    ROOT,
    TBS,
    C,
    TbsFields,
    read_extension,
    read_key,
    read_serial,
    read_unique_id,
    read_validity,
    read_version,
)  # fmt: skip
from puretls.x509.keys.algorithms import AlgorithmIdentifier, read_algorithm
from puretls.x509.names.distinguished import Name, read_name
from puretls.x509.names.general import GeneralName, read_general_name

MAX_MALFORMED = 16
"""Fields that are tried in vain: reading ends there, as a hostile certificate can have any number of them."""

T = TypeVar("T")


class _Attempts:
    """Tries to read fields, and notes those that cannot be read."""

    def __init__(self) -> None:
        self.malformed: list[DecodeError] = []

    def __call__(self, reader: Reader, read: Callable[[Reader], T], missing: Callable[[bytes], T]) -> T:
        """What `read` gives; else the value is stepped over, and `missing` gives what stands for it, of its DER."""
        at, recorded = reader.at, len(reader.sink or ())
        try:
            return read(reader)
        except DecodeError as bad:
            error = bad
        if reader.sink is not None:
            del reader.sink[recorded:]
        reader.at = at
        try:
            _, _, stop = read_header(reader.data, at, reader.end)
        except DecodeError:  # nothing behind it can be found
            stop = reader.end
        self.step_over(reader, stop, error)
        return missing(reader.data[at:stop])

    def step_over(self, reader: Reader, stop: int, error: DecodeError) -> None:
        """Notes the error, and goes on at `stop`."""
        self.malformed.append(error)
        if reader.sink is not None:
            reader.sink.append(Span(reader.at, stop, error.path, reader.data[reader.at : stop], str(error), fault=True))
        reader.at = stop

    def finish(self, reader: Reader) -> None:
        """Whatever is left in a range is one more flaw."""
        try:
            reader.done()
        except DecodeError as error:
            self.step_over(reader, reader.end, error)

    @property
    def exhausted(self) -> bool:
        return len(self.malformed) >= MAX_MALFORMED


def read_flawed(kind: type[C], data: bytes, sink: list[Span] | None = None) -> C:
    """What can be read of a certificate, as a `kind`. Raises `DecodeError` where its public key cannot be found."""
    if len(data) > MAX_CERTIFICATE:
        raise DecodeError(f"certificate of {len(data)} bytes, more than {MAX_CERTIFICATE}", path=ROOT)
    attempt = _Attempts()
    top = Reader(data, name=ROOT, sink=sink)
    lapses = top.lapses = []
    body = top.enter()
    top.done()
    at = body.at
    tbs = body.enter(name=TBS)
    tbs_der = data[at : body.at]
    fields = _read_tbs(tbs, attempt)
    outer = attempt(body, lambda r: read_algorithm(r, "signature_algorithm"), _no_algorithm)
    signature = attempt(body, lambda r: r.bit_octets("signature_value"), lambda _: b"")
    attempt.finish(body)
    return kind(data, tbs_der, *fields, outer, signature, tuple(attempt.malformed), tuple(lapses))


def _read_tbs(tbs: Reader, attempt: _Attempts) -> TbsFields:
    """The fields of TBSCertificate; the key alone is indispensable."""
    version = attempt(tbs, read_version, lambda _: 3) if tbs.peek() == tags.explicit(0) else 1
    serial, is_padded = attempt(tbs, read_serial, lambda _: (0, False))
    inner = attempt(tbs, lambda r: read_algorithm(r, "signature"), _no_algorithm)
    issuer = attempt(tbs, lambda r: read_name(r, "issuer"), lambda raw: Name(raw, ()))
    validity = attempt(tbs, read_validity, lambda _: UNREADABLE)
    subject = attempt(tbs, lambda r: read_name(r, "subject"), lambda raw: Name(raw, ()))
    spki, key = read_key(tbs)
    issuer_id = attempt(tbs, lambda r: read_unique_id(r, 1, "issuer_unique_id"), lambda _: b"")
    subject_id = attempt(tbs, lambda r: read_unique_id(r, 2, "subject_unique_id"), lambda _: b"")
    extensions = attempt(tbs, lambda r: _read_extensions(r, attempt), lambda _: ()) if tbs.more else ()
    attempt.finish(tbs)
    return version, serial, is_padded, inner, issuer, validity, subject, spki, key, issuer_id, subject_id, extensions


def _no_algorithm(raw: bytes) -> AlgorithmIdentifier:
    return AlgorithmIdentifier(b"", None, raw)


def _read_extensions(tbs: Reader, attempt: _Attempts) -> tuple[Extension, ...]:
    wrapper = tbs.enter(tags.explicit(3), "extensions")
    listed = wrapper.enter()
    attempt.finish(wrapper)
    if not listed.more:
        raise listed.error("empty list of extensions", rfc="RFC 5280 4.1.2.9")
    found: list[Extension] = []
    while listed.more and len(found) < MAX_EXTENSIONS and not attempt.exhausted:
        name = f"[{len(found)}]"
        found.append(
            attempt(
                listed,
                lambda r, name=name: read_extension(r, name, TYPES, f"{TBS}.extensions"),  # type: ignore[misc]
                lambda raw, name=name: _outline(raw, name),  # type: ignore[misc]
            )
        )
    attempt.finish(listed)
    return tuple(found)


def _outline(raw: bytes, name: str) -> Extension:
    """What can be told of an extension whose value cannot be read; of a list of names, those that can be read."""
    path = f"{TBS}.extensions{name}"
    top = Reader(raw)
    top.lapses = []
    try:
        body = top.enter()
        oid = body.oid()
        critical = body.default_false()
        value = body.octets()
    except DecodeError:
        return Extension(b"", False, raw, None, path)
    kind = _NAME_LISTS.get(oid)
    names = _readable_names(value) if kind else ()
    return Extension(oid, critical, value, kind(names) if kind and names else None, path)


_NAME_LISTS: dict[bytes, Callable[[tuple[GeneralName, ...]], object]] = {
    oids.SUBJECT_ALT_NAME: ext.SubjectAltName,
    oids.ISSUER_ALT_NAME: ext.IssuerAltName,
}


def _readable_names(value: bytes) -> tuple[GeneralName, ...]:
    """The names of GeneralNames that can be read, up to `MAX_MALFORMED` that cannot."""
    attempt = _Attempts()
    found: list[GeneralName | None] = []
    try:
        body = Reader(value).enter()
        while body.more and not attempt.exhausted:
            found.append(attempt(body, lambda r: read_general_name(r, ""), lambda _: None))
    except DecodeError:
        pass
    return tuple(name for name in found if name is not None)
