"""Distinguished names (RFC 5280 4.1.2.4, 7.1).

A `Name` keeps its DER: equal bytes are equal names, and only where bytes differ are the hashes of two names compared, made of their
attributes after the preparation that RFC 5280 7.1 asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from puretls.der import oids, tags
from puretls.der.memo import Memo
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.text import printable
from puretls.values import frozen
from puretls.x509.names.stringprep import prepare

MAX_SHOWN = 200
"""Characters of one name in a message; a hostile certificate can hold megabytes of them."""


@frozen
class Attribute:
    """AttributeTypeAndValue: `type` as content bytes, `value` decoded where it is a string, else its DER; `tag` of the value."""

    type: bytes
    tag: int
    value: str | bytes

    def __str__(self) -> str:
        label = SHORT_LABELS.get(self.type) or oids.describe(self.type)
        value = self.value if isinstance(self.value, str) else "#" + self.value.hex()
        return f"{label}={escape(value)}"


SHORT_LABELS = {
    oids.COMMON_NAME: "CN", oids.COUNTRY: "C", oids.LOCALITY: "L", oids.STATE: "ST", oids.STREET: "STREET",
    oids.ORGANIZATION: "O", oids.ORGANIZATIONAL_UNIT: "OU", oids.DOMAIN_COMPONENT: "DC", oids.USER_ID: "UID",
}  # fmt: skip
"""The labels of RFC 4514 section 3."""

_ESCAPED = str.maketrans({c: "\\" + c for c in ',+"\\<>;'})


def escape(text: str) -> str:
    """Text that shows itself on one line: escaped as in RFC 4514 2.4, what is not printable as in `printable`, cut at MAX_SHOWN."""
    cut = text[:MAX_SHOWN].translate(_ESCAPED)
    return printable(cut) + ("..." if len(text) > MAX_SHOWN else "")


class Name:
    """A distinguished name: `raw` DER and the relative names, most significant first. Equal by RFC 5280 7.1."""

    def __init__(self, raw: bytes, rdns: tuple[tuple[Attribute, ...], ...]) -> None:
        self.raw = raw
        self.rdns = rdns

    @cached_property
    def prefixes(self) -> tuple[bytes, ...]:
        """Hashes of the first 0, 1, 2, ... relative names in their prepared form: what is equal by RFC 5280 7.1 has the same.

        Each value is prepared once, whatever the name is compared with afterwards.
        """
        return tuple(accumulate(map(_prepared_rdn, self._prepared), _chained, initial=b""))

    @cached_property
    def _prepared(self) -> tuple[tuple[_Prepared, ...], ...]:
        return tuple(tuple((attribute.type, *_prepared(attribute)) for attribute in rdn) for rdn in self.rdns)

    @cached_property
    def places(self) -> frozenset[tuple[int, bytes]]:
        """Where there are attributes: the number of the relative name, and the type."""
        return frozenset((index, attribute.type) for index, rdn in enumerate(self.rdns) for attribute in rdn)

    @cached_property
    def unclear(self) -> frozenset[tuple[int, bytes]]:
        """Those of `places` with a value that equals the same bytes, and of which nothing else can be told."""
        return frozenset((index, kind) for index, rdn in enumerate(self._prepared) for kind, tag, _ in rdn if tag)

    @property
    def canonical(self) -> bytes:
        """The hash of the whole name."""
        return self.prefixes[-1]

    @cached_property
    def size(self) -> int:
        """The number of attributes."""
        return sum(map(len, self.rdns))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Name):
            return NotImplemented
        return self.raw == other.raw or (len(self.rdns) == len(other.rdns) and self.canonical == other.canonical)

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __bool__(self) -> bool:
        return bool(self.rdns)

    def __str__(self) -> str:
        """RFC 4514 order (most specific first), cut for people."""
        if not self.rdns:
            return "(empty name)"
        parts = ["+".join(str(a) for a in rdn[:8]) for rdn in reversed(self.rdns[-16:])]
        text = ",".join(parts)
        return text if len(text) <= 4 * MAX_SHOWN else text[: 4 * MAX_SHOWN] + "..."

    def __repr__(self) -> str:
        return f"Name({self})"

    def attributes(self, kind: bytes) -> Iterator[Attribute]:
        """All attributes of a type, in order."""
        return (a for rdn in self.rdns for a in rdn if a.type == kind)

    @property
    def common_name(self) -> str | None:
        """The last commonName, for display only: it is never matched against a host name (RFC 9525 2)."""
        values = [a.value for a in self.attributes(oids.COMMON_NAME) if isinstance(a.value, str)]
        return values[-1] if values else None


_Prepared = tuple[bytes, int, bytes]
"""Type, tag and value of an attribute for comparison; the tag is 0 for text, whichever type of string it came in."""


def _chained(before: bytes, rdn: bytes) -> bytes:
    return hashlib.sha256(before + rdn).digest()


def _prepared_rdn(rdn: tuple[_Prepared, ...]) -> bytes:
    """Bytes that differ where relative names do: every part with its length, the attributes in an order of their own."""
    parts = (part for kind, tag, value in sorted(rdn) for part in (kind, bytes((tag,)), value))
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _prepared(attribute: Attribute) -> tuple[int, bytes]:
    """Tag and value for comparison.

    RFC 5280 7.1 compares DirectoryStrings, whichever of their types they have. Attributes with a syntax of their own are compared as
    text in that type alone. What is neither, or cannot be prepared, equals the same bytes of the same type.
    """
    value = attribute.value
    if isinstance(value, bytes):
        return attribute.tag, value
    text = prepare(value) if attribute.tag in _SYNTAXES.get(attribute.type, _DIRECTORY_STRING) else None
    return (attribute.tag, value.encode()) if text is None else (0, text.encode())


_DIRECTORY_STRING = frozenset({tags.UTF8_STRING, tags.PRINTABLE_STRING, tags.TELETEX_STRING, tags.BMP_STRING, tags.UNIVERSAL_STRING})
_PRINTABLE, _IA5 = frozenset({tags.PRINTABLE_STRING}), frozenset({tags.IA5_STRING})
_SYNTAXES = {
    oids.COUNTRY: _PRINTABLE, oids.SERIAL_NUMBER: _PRINTABLE, oids.DN_QUALIFIER: _PRINTABLE, oids.JURISDICTION_COUNTRY: _PRINTABLE,
    oids.DOMAIN_COMPONENT: _IA5, oids.EMAIL_ADDRESS: _IA5,
}  # fmt: skip
"""Attributes that are no DirectoryString (RFC 5280 A.1)."""

_CODECS = {
    tags.UTF8_STRING: "utf-8", tags.PRINTABLE_STRING: "ascii", tags.IA5_STRING: "ascii", tags.NUMERIC_STRING: "ascii",
    tags.VISIBLE_STRING: "ascii", tags.TELETEX_STRING: "latin-1", tags.BMP_STRING: "utf-16-be", tags.UNIVERSAL_STRING: "utf-32-be",
}  # fmt: skip


_DIGITS = b"0123456789"
_ALPHABETS = {
    tags.NUMERIC_STRING: _DIGITS + b" ",
    tags.PRINTABLE_STRING: _DIGITS + b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz '()+,-./:=?",
    tags.VISIBLE_STRING: bytes(range(0x20, 0x7F)),
}
"""The characters of the types that do not have all of their encoding's (X.680 41.2, 41.4, 41.15)."""
_TEXTUAL = frozenset({
    *SHORT_LABELS, oids.EMAIL_ADDRESS, oids.SERIAL_NUMBER, oids.DN_QUALIFIER, oids.SURNAME, oids.GIVEN_NAME, oids.TITLE,
    oids.INITIALS, oids.GENERATION_QUALIFIER, oids.PSEUDONYM,
})  # fmt: skip
"""Attribute types whose values are strings of one type or another (RFC 5280 appendix A.1)."""


def read_value(reader: Reader, name: str, kind: bytes) -> tuple[int, str | bytes]:
    """Tag and value of an attribute of type `kind`: decoded where it is one of the string types, else its whole DER.

    A lapse: characters that the string type does not have, and another type than a string where the attribute is text.
    """
    at, tag = reader.at, reader.peek()
    codec = _CODECS.get(tag)
    if codec is None:
        value = reader.raw(name)
        if kind in _TEXTUAL:
            reader.lapse(f"{oids.describe(kind)} that is no string but {tags.tag_name(tag)}", name, offset=at, rfc="RFC 5280 A.1")
        return tag, value
    start, stop = reader.take(tag, name)
    content = reader.data[start:stop]
    foreign = content.translate(None, _ALPHABETS[tag]) if tag in _ALPHABETS else b""
    if foreign:
        where = start + content.index(foreign[:1])
        reader.lapse(f"{tags.tag_name(tag)} with the octet 0x{foreign[0]:02x}", name, offset=where, rfc="X.680 41")
    try:
        return tag, content.decode(codec)
    except UnicodeDecodeError as bad:
        reader.lapse(f"{tags.tag_name(tag)} that is not {codec}", name, offset=start + bad.start, rfc="RFC 5280 4.1.2.4")
        return tag, reader.data[at:stop]


def read_name(reader: Reader, name: str) -> Name:
    """A Name: RDNSequence ::= SEQUENCE OF RelativeDistinguishedName."""
    return reader.shared(NAMES, _read_rdns, name)


NAMES: Memo[bytes, Name] = Memo(256)
"""Those read last: a CA's name is in every certificate below it."""


def _read_rdns(body: Reader, der: bytes) -> Name:
    rdns: list[tuple[Attribute, ...]] = []
    while body.more:
        rdns.append(read_rdn(body, f"[{len(rdns)}]"))
    return Name(der, tuple(rdns))


def read_rdn(reader: Reader, name: str, tag: int = tags.SET) -> tuple[Attribute, ...]:
    """A RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue."""
    return reader.set_of(_read_attribute, name, tag)


def _read_attribute(reader: Reader, name: str) -> Attribute:
    pair = reader.enter(name=name)
    kind = pair.oid("type")
    attribute = Attribute(kind, *read_value(pair, "value", kind))
    pair.done()
    return attribute


def parse_name(data: bytes) -> Name:
    """A Name from its DER, to be compared: lapses pass, which count where the name is part of something signed. Raises `DecodeError`."""
    reader = Reader(data, name="Name")
    reader.lapses = []
    name = read_name(reader, "")
    if reader.more:
        raise DecodeError("bytes after the name", path="Name", offset=reader.at)
    return name
