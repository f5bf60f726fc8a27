"""Handshake messages across records: a record may hold several, a message may span several (RFC 5246 6.2.1)."""

from __future__ import annotations

import copy

from puretls.errors import PeerError, Reason
from puretls.iana import HandshakeType, known
from puretls.messages.handshake import HEADER_LENGTH, announced
from puretls.messages.registry import handshake_class


class Joiner:
    """Collects handshake fragments and hands out whole messages, header included; their bodies have at most `limit` bytes."""

    def __init__(self, limit: int = 2**24 - 1) -> None:
        self._buffer: bytes | bytearray = b""
        """The content of one record as it came, which mostly is one message; a bytearray where more was joined, or a part taken."""
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
        twin._buffer = self._buffer[:]
        return twin

    def feed(self, fragment: bytes) -> None:
        """Append the content of a handshake record."""
        if self._buffer:
            self._joined().extend(fragment)
        else:
            self._buffer = fragment

    def clear(self) -> None:
        """Forget the bytes that have not been handed out."""
        self._buffer = b""

    def next(self) -> bytes | None:
        """The next message, or None until it is complete. Its announced length is judged before its bytes are waited for."""
        if len(self._buffer) < HEADER_LENGTH:
            return None
        length = announced(self._buffer)
        if length > self._limit:
            type_ = known(HandshakeType, self._buffer[0])
            detail = f"type {type_!s}, {length} bytes, at most {self._limit}"
            raise PeerError(Reason.MESSAGE_TOO_LONG, detail, path=f"{handshake_class(type_, None).path_name}.length")
        end = HEADER_LENGTH + length
        if len(self._buffer) < end:
            return None
        if len(self._buffer) == end:
            message, self._buffer = bytes(self._buffer), b""
        else:
            message = bytes(self._buffer[:end])
            del self._joined()[:end]
        return message

    def _joined(self) -> bytearray:
        """The buffer as one that grows and shrinks without being copied."""
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        return self._buffer


def split(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of at most `size` bytes; no data is one empty piece."""
    if len(data) <= size:
        return [data]
    return [data[start : start + size] for start in range(0, len(data), size)]
