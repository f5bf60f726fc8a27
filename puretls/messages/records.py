"""What records carry besides handshake messages: ChangeCipherSpec, Alert, application data (RFC 5246 6, 7.1, 7.2)."""

from __future__ import annotations

import struct
from typing import ClassVar

from puretls.errors import UsageError
from puretls.iana import AlertDescription, AlertLevel, ContentType
from puretls.text import counted
from puretls.values import frozen
from puretls.wire.schema import HeaderCodec, Struct, layout_of, rest, u8, u16, wire

MAX_PLAINTEXT = 2**14
"""Most bytes of plaintext in a record, unless an extension lowers the limit (RFC 5246 6.2.1)."""


@wire("5246 6.2.1", HeaderCodec)
class RecordHeader(Struct):
    """What stands in front of each fragment; `length` is that of the fragment, in bytes."""

    type: ContentType | int = u8(ContentType)
    version: int = u16()
    length: int = u16()


HEADER = layout_of(RecordHeader)


@wire("5246 7.1")
class ChangeCipherSpec(Struct):
    """Announces that all further records of the sender are protected with the new keys."""

    content_type: ClassVar[ContentType] = ContentType.CHANGE_CIPHER_SPEC
    type: int = u8()


@wire("5246 7.2")
class Alert(Struct):
    """A warning, or the end of the connection."""

    content_type: ClassVar[ContentType] = ContentType.ALERT
    level: AlertLevel | int = u8(AlertLevel)
    description: AlertDescription | int = u8(AlertDescription)


@wire("5246 10")
class ApplicationData(Struct):
    """Bytes of the application, opaque to TLS."""

    content_type: ClassVar[ContentType] = ContentType.APPLICATION_DATA
    data: bytes = rest()


@frozen
class Record:
    """One record as framed: `fragment` is what stands after the five header bytes (RFC 5246 6.2.1)."""

    type: int
    version: int
    fragment: bytes

    def header(self) -> bytes:
        """The five bytes in front of the fragment. Raises `UsageError` for a record that none can describe, as an interceptor may make."""
        try:
            return HEADER.pack(self.type, self.version, len(self.fragment))
        except struct.error:
            size = counted(len(self.fragment), "byte")
            raise UsageError(f"no header can describe a record of type {self.type}, version {self.version}, {size}") from None

    def to_bytes(self) -> bytes:
        """The record on the wire."""
        return self.header() + self.fragment
