"""Records out of a byte stream and back: the five-byte header and its limits (RFC 5246 6.2.1)."""

from __future__ import annotations

from puretls.errors import PeerError, Reason
from puretls.iana import ContentType
from puretls.messages.records import Record

HEADER_LENGTH = 5
MAX_PLAINTEXT = 2**14
MAX_EXPANSION = 2048
"""What a protected record may be longer than its plaintext (RFC 5246 6.2.3)."""
VERSION = 0x0303
_COMPACT_AT = 2**16
_TYPES = frozenset((ContentType.CHANGE_CIPHER_SPEC, ContentType.ALERT, ContentType.HANDSHAKE, ContentType.APPLICATION_DATA))


class Framer:
    """Collects bytes and hands out whole records. It holds what it was fed until it is taken, and nothing else."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._position = 0
        self.consumed = 0
        """Bytes handed out so far: the next record's offset in the stream."""

    def __len__(self) -> int:
        return len(self._buffer) - self._position

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        self._buffer += data

    def clear(self) -> bytes:
        """Give up what was not taken: it is returned, and forgotten."""
        rest = bytes(self._buffer[self._position :])
        self._buffer.clear()
        self._position = 0
        return rest

    def peek_is(self, type_: int, *, limit: int, version: int | None) -> bool:
        """Whether `next` would give a record of this type at once."""
        start = self._position
        if len(self._buffer) - start < HEADER_LENGTH or self._buffer[start] != type_:
            return False
        length = self._buffer[start + 3] << 8 | self._buffer[start + 4]
        said = self._buffer[start + 1] << 8 | self._buffer[start + 2]
        return length <= limit and version in {None, said} and len(self._buffer) - start >= HEADER_LENGTH + length

    def next(self, *, limit: int, version: int | None) -> Record | None:
        """The next record, or None until it is complete.

        `limit` bounds the fragment, `version` is what the header must say (None: any 3.x, as before the ServerHello). The header is
        judged as soon as it is there.
        """
        start = self._position
        if len(self._buffer) - start < HEADER_LENGTH:
            return None
        header = bytes(self._buffer[start : start + HEADER_LENGTH])
        self._check(header, limit, version)
        end = start + HEADER_LENGTH + (header[3] << 8 | header[4])
        if len(self._buffer) < end:
            return None
        fragment = bytes(self._buffer[start + HEADER_LENGTH : end])
        self._advance(end)
        return Record(header[0], header[1] << 8 | header[2], fragment)

    def _advance(self, position: int) -> None:
        self.consumed += position - self._position
        self._position = position
        if position >= _COMPACT_AT or position == len(self._buffer):
            del self._buffer[:position]
            self._position = 0

    def _check(self, header: bytes, limit: int, version: int | None) -> None:
        if header[0] not in _TYPES:
            raise self._not_a_record(header)
        # RFC 5246 E.1: the first records may carry any 3.x; what follows must carry the version agreed on.
        if header[1] != 3 or (version is not None and header[2] != version & 0xFF):
            raise PeerError(Reason.WRONG_RECORD_VERSION, f"{header[1]}.{header[2]}", path="Record.version", offset=1)
        length = header[3] << 8 | header[4]
        if length > limit:
            raise PeerError(Reason.RECORD_OVERFLOW, f"{length} bytes, at most {limit}", path="Record.length", offset=3)

    def _not_a_record(self, header: bytes) -> PeerError:
        if self.consumed:
            return PeerError(Reason.UNKNOWN_CONTENT_TYPE, str(header[0]), path="Record.type", offset=0)
        if header[0] & 0x80 and header[2] == 1:
            return PeerError(Reason.SSLV2_HELLO, path="Record.type", offset=0)
        return PeerError(Reason.NOT_TLS, f"its first bytes are {header!r}", path="Record.type", offset=0)
