"""Handshake messages across records: a record may hold several, a message may span several (RFC 5246 6.2.1)."""

from __future__ import annotations

import copy

from puretls.errors import PeerError, Reason
from puretls.messages.handshake import HEADER_LENGTH, HandshakeHeader
from puretls.messages.registry import handshake_class


class Joiner:
    """Collects handshake fragments and hands out whole messages, header included; their bodies have at most `limit` bytes."""

    def __init__(self, limit: int = 2**24 - 1) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def __len__(self) -> int:
        """Bytes that have not been handed out."""
        return len(self._buffer)

    @property
    def pending(self) -> bool:
        """Whether a message, or the beginning of one, has not been handed out."""
        return bool(self._buffer)

    @property
    def torn(self) -> bool:
        """Whether a message has begun whose header is not complete."""
        return 0 < len(self._buffer) < HEADER_LENGTH

    @property
    def head(self) -> bytes:
        """The header of the next message, as far as it is there."""
        return bytes(self._buffer[:HEADER_LENGTH])

    def fork(self) -> Joiner:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._buffer = self._buffer.copy()
        return twin

    def feed(self, fragment: bytes) -> None:
        """Append the content of a handshake record."""
        self._buffer += fragment

    def clear(self) -> None:
        """Forget the bytes that have not been handed out."""
        self._buffer.clear()

    def next(self) -> bytes | None:
        """The next message, or None until it is complete. Its announced length is judged before its bytes are waited for."""
        if len(self._buffer) < HEADER_LENGTH:
            return None
        header, start = HandshakeHeader.codec.read(self.head, 0, HEADER_LENGTH)
        if header.length > self._limit:
            path = f"{handshake_class(header.msg_type, None).path_name}.length"
            detail = f"type {header.msg_type!s}, {header.length} bytes, at most {self._limit}"
            raise PeerError(Reason.MESSAGE_TOO_LONG, detail, path=path)
        end = start + header.length
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[:end]
        return message


def split(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of at most `size` bytes; no data is one empty piece."""
    if len(data) <= size:
        return [data]
    return [data[start : start + size] for start in range(0, len(data), size)]
