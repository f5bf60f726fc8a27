"""General names (RFC 5280 4.2.1.6): what a certificate calls its subject besides the distinguished name."""

from __future__ import annotations

from enum import IntEnum

from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.text import counted
from puretls.values import frozen
from puretls.x509.names.distinguished import MAX_SHOWN, Name, escape, read_name


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
_TAGS = {tags.explicit(kind) if kind in _CONSTRUCTED else tags.context(kind): kind for kind in GeneralNameKind}


def read_general_name(reader: Reader, name: str, *, constraint: bool = False) -> GeneralName:
    """One GeneralName. In a constraint an IP holds address and mask (RFC 5280 4.2.1.10).

    Raises `DecodeError` for text that is not printable ASCII and for IP addresses of other lengths: a name that cannot be
    compared is not carried any further.
    """
    tag = reader.peek()
    kind = _TAGS.get(tag)
    if kind is None:
        raise reader.error(f"no GeneralName has {tags.tag_name(tag)}", name, rfc="RFC 5280 4.2.1.6")
    if kind in _TEXT:
        return GeneralName(kind, _ia5(reader, tag, name))
    if kind is GeneralNameKind.IP:
        start, stop = reader.take(tag, name)
        if stop - start not in ((8, 32) if constraint else (4, 16)):
            raise reader.error(f"IP address of {counted(stop - start, 'byte')}", name, offset=start, rfc="RFC 5280 4.2.1.6")
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
        value = inner.enter(tags.explicit(0), "value")
        value.skip("")
        value.done()
        inner.done()
    else:
        reader.skip(name)
    return GeneralName(kind, reader.data[at : reader.at], type_id)


def read_general_names(reader: Reader, name: str, tag: int = tags.SEQUENCE) -> tuple[GeneralName, ...]:
    """GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName."""
    return reader.list_of(read_general_name, name, tag)


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
