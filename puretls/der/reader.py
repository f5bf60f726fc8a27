"""A strict reader of definite-length DER (X.690 sections 8 and 10).

`Reader` is a cursor over one range of a buffer. It copies nothing until a value is asked for, makes an object per *constructed*
value only, and knows its path, so that every error and every finding can name the field and its bytes. The caller drives it field
by field: there is no generic recursion for a hostile input to exploit, and depth is bounded all the same.

    certificate = Reader(data, name="Certificate").enter()
    tbs = certificate.enter(name="tbs_certificate")
    serial = tbs.integer("serial_number")

Given a list as `sink`, the same calls also record a `Span` for each tag, length and content: the parser *is* the explanation.

What is plain and yet not DER (a DEFAULT written out, a SET OF out of order) is a *lapse*: an error like any other, unless the outermost
reader is given a list to keep lapses in.
"""

from __future__ import annotations

from puretls.der.cursor import Cursor
from puretls.der.tags import (
    BIT_STRING,
    BOOLEAN,
    ENUMERATED,
    GENERALIZED_TIME,
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    UTC_TIME,
)
from puretls.der.times import unix_time

MAX_OID = 64
"""Bytes of an object identifier; the longest in use are below 24."""
MAX_NATURAL = 128
"""Bytes of an INTEGER (0..MAX): every one that means something has fewer, and text can be made of it in no time."""


class Reader(Cursor):
    """A `Cursor` that reads values: a method for each type of ASN.1 that is read here.

    Every method that reads raises `DecodeError` naming the path and the offset from the start of `data`.
    """

    __slots__ = ()

    def integer(self, name: str = "", tag: int = INTEGER, *, padded: bool = False) -> int:
        """An INTEGER of any size, two's complement, in its shortest form (X.690 8.3.2) unless `padded` says that longer ones pass."""
        start, stop = self.take(tag, name)
        data = self.data
        if stop - start == 1:
            octet = data[start]
            return octet if octet < 0x80 else octet - 0x100
        if start == stop:
            raise self.error("empty INTEGER", name, offset=start, rfc="X.690 8.3.1")
        if not padded and ((data[start] == 0 and data[start + 1] < 0x80) or (data[start] == 0xFF and data[start + 1] >= 0x80)):
            self.lapse("INTEGER not in its shortest form", name, offset=start, rfc="X.690 8.3.2")
        return int.from_bytes(data[start:stop], signed=True)

    def small(self, name: str = "", tag: int = INTEGER, *, limit: int = 2**31) -> int:
        """An INTEGER of 0..limit-1, refused before a huge one is turned into a number."""
        at = self.at
        value = self.integer(name, tag)
        if not 0 <= value < limit:
            raise self.error(f"value outside 0..{limit - 1}", name, offset=at)
        return value

    def natural(self, name: str = "", tag: int = INTEGER) -> int:
        """An INTEGER (0..MAX), of at most `MAX_NATURAL` bytes."""
        at = self.at
        value = self.integer(name, tag)
        if value < 0 or value.bit_length() > 8 * MAX_NATURAL:
            raise self.error(f"a number below zero, or of more than {MAX_NATURAL} bytes", name, offset=at)
        return value

    def enumerated(self, name: str = "") -> int:
        """An ENUMERATED."""
        return self.small(name, ENUMERATED)

    def boolean(self, name: str = "", tag: int = BOOLEAN) -> bool:
        """A BOOLEAN: 00 or FF (X.690 11.1)."""
        start, stop = self.take(tag, name)
        content = self.data[start:stop]
        if content == b"\xff":
            return True
        if content == b"\x00":
            return False
        if len(content) != 1:
            raise self.error("BOOLEAN that is not one octet", name, offset=start, rfc="X.690 8.2.1")
        self.lapse("BOOLEAN that is neither 00 nor FF", name, offset=start, rfc="X.690 11.1")
        return True

    def default_false(self, name: str = "", tag: int = BOOLEAN) -> bool:
        """A BOOLEAN DEFAULT FALSE, which DER must leave out when false (X.690 11.5)."""
        at = self.at
        if self.peek() != tag:
            return False
        if not self.boolean(name, tag):
            self.lapse("DEFAULT value FALSE written out", name, offset=at, rfc="X.690 11.5")
            return False
        return True

    def null(self, name: str = "") -> None:
        """A NULL."""
        start, stop = self.take(NULL, name)
        if start != stop:
            raise self.error("NULL with content", name, offset=start, rfc="X.690 8.8.2")

    def oid(self, name: str = "", tag: int = OBJECT_IDENTIFIER) -> bytes:
        """The content bytes of an OBJECT IDENTIFIER: compared as bytes; `oids.dotted` makes text of them, for people."""
        start, stop = self.take(tag, name)
        content = self.data[start:stop]
        if not content or content[-1] >= 0x80 or len(content) > MAX_OID:
            raise self.error("empty, unfinished or oversized OBJECT IDENTIFIER", name, offset=start, rfc="X.690 8.19")
        if b"\x80" in content and (content[0] == 0x80 or _padded_arc(content)):
            raise self.error("OBJECT IDENTIFIER with a padded arc", name, offset=start, rfc="X.690 8.19.2")
        return content

    def octets(self, name: str = "", tag: int = OCTET_STRING) -> bytes:
        """The content of an OCTET STRING, or of any primitive string under the tag given."""
        start, stop = self.take(tag, name)
        return self.data[start:stop]

    def bits(self, name: str = "", tag: int = BIT_STRING) -> tuple[int, int, int]:
        """A BIT STRING: the number of unused bits and start and stop of its bytes (X.690 11.2: unused bits are zero)."""
        start, stop = self.take(tag, name)
        data = self.data
        if start == stop:
            raise self.error("BIT STRING without its first octet", name, offset=start, rfc="X.690 8.6.2.2")
        unused = data[start]
        if unused and (unused > 7 or stop - start < 2 or data[stop - 1] & ((1 << unused) - 1)):
            raise self.error("BIT STRING with bad unused bits", name, offset=start, rfc="X.690 11.2")
        return unused, start + 1, stop

    def bit_octets(self, name: str = "", tag: int = BIT_STRING) -> bytes:
        """A BIT STRING that must hold whole octets: a key or a signature."""
        unused, start, stop = self.bits(name, tag)
        if unused:
            raise self.error("BIT STRING that is not whole octets", name, offset=start - 1)
        return self.data[start:stop]

    def named_bits(self, name: str = "", tag: int = BIT_STRING, *, padded: bool = False) -> frozenset[int]:
        """The set bits of a named BIT STRING, which has no trailing zero bits (X.690 11.2.2) unless `padded` says that they pass."""
        unused, start, stop = self.bits(name, tag)
        if stop - start > 8:
            raise self.error("named BIT STRING of more than 64 bits", name, offset=start)
        if stop > start and not padded and not self.data[stop - 1] >> unused & 1:
            self.lapse("named BIT STRING with trailing zero bits", name, offset=stop - 1, rfc="X.690 11.2.2")
        value = int.from_bytes(self.data[start:stop])
        width = 8 * (stop - start)
        return frozenset(bit for bit in range(width - unused) if value >> (width - 1 - bit) & 1)

    def time(self, name: str = "") -> int:
        """A Time (RFC 5280 4.1.2.5), UTCTime or GeneralizedTime in Z: seconds since 1970 in the proleptic Gregorian calendar."""
        tag = self.peek()
        start, stop = self.take(UTC_TIME if tag == UTC_TIME else GENERALIZED_TIME, name)
        text = self.data[start:stop]
        digits = 12 if tag == UTC_TIME else 14
        if len(text) != digits + 1 or text[-1] != 0x5A or not text[:-1].isdigit():
            raise self.error("time not written as YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", name, offset=start, rfc="RFC 5280 4.1.2.5")
        if tag == UTC_TIME:
            text = (b"19" if text >= b"50" else b"20") + text
        numbers = (int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:12]), int(text[12:14]))
        seconds = unix_time(*numbers)
        if seconds is None:
            raise self.error("no such date or time of day", name, offset=start, rfc="RFC 5280 4.1.2.5")
        return seconds


def _padded_arc(content: bytes) -> bool:
    """Whether an arc begins with 0x80, a leading zero in base 128."""
    return any(octet == 0x80 and content[i - 1] < 0x80 for i, octet in enumerate(content) if i)
