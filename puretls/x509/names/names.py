"""Distinguished names and general names (RFC 5280 4.1.2.4, 4.2.1.6, 7.1).

A `Name` keeps its DER: equal bytes are equal names, and only where bytes differ are the hashes of two names compared, made of their
attributes after the preparation that RFC 5280 7.1 asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property
from itertools import accumulate

from puretls.der import oids
from puretls.der import reader as der
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


_DIRECTORY_STRING = frozenset({der.UTF8_STRING, der.PRINTABLE_STRING, der.TELETEX_STRING, der.BMP_STRING, der.UNIVERSAL_STRING})
_PRINTABLE, _IA5 = frozenset({der.PRINTABLE_STRING}), frozenset({der.IA5_STRING})
_SYNTAXES = {
    oids.COUNTRY: _PRINTABLE, oids.SERIAL_NUMBER: _PRINTABLE, oids.DN_QUALIFIER: _PRINTABLE, oids.JURISDICTION_COUNTRY: _PRINTABLE,
    oids.DOMAIN_COMPONENT: _IA5, oids.EMAIL_ADDRESS: _IA5,
}  # fmt: skip
"""Attributes that are no DirectoryString (RFC 5280 A.1)."""

_CODECS = {
    der.UTF8_STRING: "utf-8", der.PRINTABLE_STRING: "ascii", der.IA5_STRING: "ascii", der.NUMERIC_STRING: "ascii",
    der.VISIBLE_STRING: "ascii", der.TELETEX_STRING: "latin-1", der.BMP_STRING: "utf-16-be", der.UNIVERSAL_STRING: "utf-32-be",
}  # fmt: skip


_DIGITS = b"0123456789"
_ALPHABETS = {
    der.NUMERIC_STRING: _DIGITS + b" ",
    der.PRINTABLE_STRING: _DIGITS + b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz '()+,-./:=?",
    der.VISIBLE_STRING: bytes(range(0x20, 0x7F)),
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
            reader.lapse(f"{oids.describe(kind)} that is no string but {der.tag_name(tag)}", name, offset=at, rfc="RFC 5280 A.1")
        return tag, value
    start, stop = reader.take(tag, name)
    content = reader.data[start:stop]
    foreign = content.translate(None, _ALPHABETS[tag]) if tag in _ALPHABETS else b""
    if foreign:
        where = start + content.index(foreign[:1])
        reader.lapse(f"{der.tag_name(tag)} with the octet 0x{foreign[0]:02x}", name, offset=where, rfc="X.680 41")
    try:
        return tag, content.decode(codec)
    except UnicodeDecodeError as bad:
        reader.lapse(f"{der.tag_name(tag)} that is not {codec}", name, offset=start + bad.start, rfc="RFC 5280 4.1.2.4")
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


def read_rdn(reader: Reader, name: str, tag: int = der.SET) -> tuple[Attribute, ...]:
    """A RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue."""
    return reader.set_of(_read_attribute, name, tag)


def _read_attribute(reader: Reader, name: str) -> Attribute:
    pair = reader.enter(name=name)
    kind = pair.oid("type")
    attribute = Attribute(kind, *read_value(pair, "value", kind))
    pair.done()
    return attribute


class GeneralNameKind(IntEnum):
    """The tag numbers of GeneralName (RFC 5280 4.2.1.6)."""

    OTHER_NAME = 0
    RFC822 = 1
    DNS = 2
    X400_ADDRESS = 3
    DIRECTORY = 4
    EDI_PARTY = 5
    URI = 6
    IP = 7
    REGISTERED_ID = 8


@frozen
class GeneralName:
    """One name. `value`: text for RFC822, DNS and URI; 4 or 16 bytes for IP (8 or 32 in name constraints); `Name` for DIRECTORY;
    OID content bytes for REGISTERED_ID; the whole DER for the other forms, whose OTHER_NAME type is in `type_id`."""  # noqa: D205, D209

    kind: GeneralNameKind
    value: str | bytes | Name
    type_id: bytes = b""

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, Name):
            return f"directory name {value}"
        if isinstance(value, str):
            return f"{self.kind.name} {escape(value)}"
        if self.kind is GeneralNameKind.IP:
            return f"IP {ip_text(value)}"
        if self.kind is GeneralNameKind.REGISTERED_ID:
            return f"registered id {oids.describe(value)}"
        return f"{self.kind.name} {oids.describe(self.type_id) if self.type_id else value[:MAX_SHOWN].hex()}"


_CONSTRUCTED = (GeneralNameKind.OTHER_NAME, GeneralNameKind.X400_ADDRESS, GeneralNameKind.DIRECTORY, GeneralNameKind.EDI_PARTY)
_TAGS = {der.explicit(kind) if kind in _CONSTRUCTED else der.context(kind): kind for kind in GeneralNameKind}


def read_general_name(reader: Reader, name: str, *, constraint: bool = False) -> GeneralName:
    """One GeneralName. In a constraint an IP holds address and mask (RFC 5280 4.2.1.10).

    Raises `DecodeError` for text that is not printable ASCII and for IP addresses of other lengths: a name that cannot be
    compared is not carried any further.
    """
    tag = reader.peek()
    kind = _TAGS.get(tag)
    if kind is None:
        raise reader.error(f"no GeneralName has {der.tag_name(tag)}", name, rfc="RFC 5280 4.2.1.6")
    if kind in _TEXT:
        return GeneralName(kind, _ia5(reader, tag, name))
    if kind is GeneralNameKind.IP:
        start, stop = reader.take(tag, name)
        if stop - start not in ((8, 32) if constraint else (4, 16)):
            raise reader.error(f"IP address of {stop - start} bytes", name, offset=start, rfc="RFC 5280 4.2.1.6")
        return GeneralName(kind, reader.data[start:stop])
    if kind is GeneralNameKind.DIRECTORY:
        inner = reader.enter(tag, name)
        value = read_name(inner, "directory_name")
        inner.done()
        return GeneralName(kind, value)
    if kind is GeneralNameKind.REGISTERED_ID:
        return GeneralName(kind, reader.oid(name, tag))
    return _opaque_name(reader, tag, kind, name)


_TEXT = (GeneralNameKind.DNS, GeneralNameKind.RFC822, GeneralNameKind.URI)


def _ia5(reader: Reader, tag: int, name: str) -> str:
    start, stop = reader.take(tag, name)
    content = reader.data[start:stop]
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        raise reader.error("name that is not ASCII", name, offset=start, rfc="RFC 5280 4.2.1.6") from None
    if not text.isprintable():  # CVE-2009-2408: a NUL must neither end nor hide anything
        raise reader.error("name with control characters", name, offset=start, rfc="RFC 5280 4.2.1.6")
    return text


def _opaque_name(reader: Reader, tag: int, kind: GeneralNameKind, name: str) -> GeneralName:
    """The forms that nothing here can match; only the type of an otherName is looked at."""
    at = reader.at
    type_id = b""
    if kind is GeneralNameKind.OTHER_NAME:
        inner = reader.enter(tag, name)
        type_id = inner.oid("type_id")
        value = inner.enter(der.explicit(0), "value")
        value.skip("")
        value.done()
        inner.done()
    else:
        reader.skip(name)
    return GeneralName(kind, reader.data[at : reader.at], type_id)


def read_general_names(reader: Reader, name: str, tag: int = der.SEQUENCE) -> tuple[GeneralName, ...]:
    """GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName."""
    return reader.list_of(read_general_name, name, tag)


def parse_name(data: bytes) -> Name:
    """A Name from its DER, to be compared: lapses pass, which count where the name is part of something signed. Raises `DecodeError`."""
    reader = Reader(data, name="Name")
    reader.lapses = []
    name = read_name(reader, "")
    if reader.more:
        raise DecodeError("bytes after the name", path="Name", offset=reader.at)
    return name


def ip_text(address: bytes) -> str:
    """Text of an address (4, 16 bytes) or of an address and mask (8, 32 bytes): "192.0.2.0/24", "2001:db8::1" (RFC 5952 4)."""
    half = len(address) // 2
    if len(address) in (8, 32):
        mask = int.from_bytes(address[half:])
        width = 8 * half
        ones = mask.bit_count()
        prefix = mask == ((1 << ones) - 1) << (width - ones)
        return f"{ip_text(address[:half])}/{ones if prefix else ip_text(address[half:])}"
    if len(address) == 4:
        return ".".join(str(octet) for octet in address)
    groups = [f"{address[i] << 8 | address[i + 1]:x}" for i in range(0, 16, 2)]
    best_at, best = 0, 0  # the longest run of zero groups, the first of equals (RFC 5952 4.2)
    at = 0
    while at < 8:
        run = 0
        while at + run < 8 and groups[at + run] == "0":
            run += 1
        if run > best:
            best_at, best = at, run
        at += run or 1
    if best < 2:
        return ":".join(groups)
    return ":".join(groups[:best_at]) + "::" + ":".join(groups[best_at + best :])
