"""Certificates in bytes, devices and files: PEM or DER, one or many."""

from __future__ import annotations

import enum
import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from puretls.der.reader import Reader
from puretls.der.tags import SEQUENCE
from puretls.errors import PuretlsError
from puretls.qt.qbytearray import as_bytes
from puretls.qt.qssl import QSsl
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.pem import read_pem

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class PatternSyntax(enum.Enum):
    """How a path names several files."""

    RegularExpression = 0
    Wildcard = 1
    FixedString = 2


PatternSyntax.__qualname__ = "QSslCertificate.PatternSyntax"


def content(source: Any) -> bytes:
    """The bytes of a byte array or of a device."""
    if isinstance(source, (bytes, bytearray, memoryview, str)) or source is None:
        return as_bytes(source)
    return as_bytes(source.readAll() if hasattr(source, "readAll") else source.read())


def parse(der: bytes) -> Certificate | None:
    """What there is to show, whatever a verifier would have to say of it; None where not even a key can be found."""
    try:
        return Certificate.read(der)
    except PuretlsError:
        return None


def parse_all(data: bytes, format: QSsl.EncodingFormat) -> Iterator[Certificate]:
    """All certificates in bytes; those that cannot be read are passed over."""
    for der in _ders(data, format):
        certificate = parse(der)
        if certificate is not None:
            yield certificate


def _ders(data: bytes, format: QSsl.EncodingFormat) -> Iterator[bytes]:
    if format is QSsl.EncodingFormat.Der:
        yield from _split_der(data)
        return
    for block in _BLOCK.findall(data):
        try:
            yield from (each.data for each in read_pem(block))
        except PuretlsError:
            continue


def _split_der(data: bytes) -> Iterator[bytes]:
    """The values of one DER after the other, up to the first byte that begins none."""
    reader = Reader(data, name="certificates")
    try:
        while reader.more:
            yield reader.raw("", SEQUENCE)
    except PuretlsError:
        return


def files(path: str, syntax: PatternSyntax) -> Iterable[Path]:
    """The files that a path with a pattern names."""
    named = Path(path)
    if syntax is PatternSyntax.FixedString:
        return [named]
    fixed = [part for part in named.parts if not re.search(r"[*?\[\](){}^$|\\+]", part)]
    root = Path(*fixed) if fixed and len(fixed) < len(named.parts) else named.parent
    pattern = fnmatch.translate(path) if syntax is PatternSyntax.Wildcard else path
    try:
        matches = re.compile(pattern).fullmatch
    except re.error:
        return []
    return [each for each in root.rglob("*") if each.is_file() and matches(str(each))] if root.is_dir() else []
