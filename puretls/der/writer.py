"""Writing DER: small functions that give bytes, to be nested like the structure they write (X.690).

sequence(integer(0), oid("1.2.840.113549.1.1.1"), null())
"""

from __future__ import annotations

from collections.abc import Iterable

from puretls.der import tags
from puretls.der.oids import encode_oid
from puretls.der.times import civil_time


def tlv(tag: int, content: bytes) -> bytes:
    """One value: tag, length in its shortest form (X.690 10.1), content."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size) + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE or SEQUENCE OF."""
    return tlv(tags.SEQUENCE, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF: the parts in ascending order of their encodings (X.690 11.6)."""
    return tlv(tags.SET, b"".join(sorted(parts)))


def explicit(number: int, *parts: bytes) -> bytes:
    """`[number] EXPLICIT`, or `[number] IMPLICIT` around the content of a constructed type."""
    return tlv(tags.explicit(number), b"".join(parts))


def implicit(number: int, content: bytes) -> bytes:
    """`[number] IMPLICIT` around the content of a primitive type."""
    return tlv(tags.context(number), content)


def boolean(value: bool) -> bytes:
    """BOOLEAN; leave a DEFAULT out yourself (X.690 11.5)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def integer_content(value: int) -> bytes:
    """The two's complement content of an INTEGER in its shortest form."""
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, signed=True)


def integer(value: int) -> bytes:
    """INTEGER."""
    return tlv(tags.INTEGER, integer_content(value))


def enumerated(value: int) -> bytes:
    """ENUMERATED."""
    return tlv(tags.ENUMERATED, integer_content(value))


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def oid(identifier: str | bytes) -> bytes:
    """OBJECT IDENTIFIER, from dotted text or content bytes (as in `oids`)."""
    return tlv(tags.OBJECT_IDENTIFIER, encode_oid(identifier) if isinstance(identifier, str) else identifier)


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(tags.OCTET_STRING, content)


def bit_string(content: bytes, unused: int = 0) -> bytes:
    """BIT STRING with `unused` (0..7) zero bits at its end."""
    return tlv(tags.BIT_STRING, bytes((unused,)) + content)


def named_bits(bits: Iterable[int]) -> bytes:
    """BIT STRING of a named bit list, without trailing zeros (X.690 11.2.2)."""
    wanted = set(bits)
    if not wanted:
        return bit_string(b"")
    length = max(wanted) // 8 + 1
    value = sum(1 << (8 * length - 1 - bit) for bit in wanted)
    return bit_string(value.to_bytes(length), 7 - max(wanted) % 8)


def utf8_string(text: str) -> bytes:
    """UTF8String."""
    return tlv(tags.UTF8_STRING, text.encode())


def printable_string(text: str) -> bytes:
    """PrintableString; the caller keeps to its alphabet."""
    return tlv(tags.PRINTABLE_STRING, text.encode("ascii"))


def ia5_string(text: str) -> bytes:
    """IA5String."""
    return tlv(tags.IA5_STRING, text.encode("ascii"))


def generalized_time(seconds: int) -> bytes:
    """GeneralizedTime in Z with seconds, from seconds since 1970 (RFC 5280 4.1.2.5.2)."""
    return tlv(tags.GENERALIZED_TIME, "{:04}{:02}{:02}{:02}{:02}{:02}Z".format(*civil_time(seconds)).encode())


def time(seconds: int) -> bytes:
    """Time: UTCTime from 1950 to 2049, else GeneralizedTime (RFC 5280 4.1.2.5)."""
    year, *rest = civil_time(seconds)
    if not 1950 <= year < 2050:
        return generalized_time(seconds)
    return tlv(tags.UTC_TIME, "{:02}{:02}{:02}{:02}{:02}{:02}Z".format(year % 100, *rest).encode())
