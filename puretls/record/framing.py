"""Records out of a byte stream and back: the five-byte header and its limits (RFC 5246 6.2.1)."""

from __future__ import annotations

from puretls.errors import PeerError, Reason
from puretls.iana import ContentType
from puretls.messages.records import HEADER, Record

HEADER_LENGTH = HEADER.size
MAX_PLAINTEXT = 2**14
MAX_EXPANSION = 2048
"""What a protected record may be longer than its plaintext (RFC 5246 6.2.3)."""
VERSION = 0x0303
_TYPES = frozenset((ContentType.CHANGE_CIPHER_SPEC, ContentType.ALERT, ContentType.HANDSHAKE, ContentType.APPLICATION_DATA))


class Framer:
    """Collects bytes and hands out whole records. What was taken is forgotten with the next bytes at the latest."""

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0
        self.consumed = 0
        """Bytes handed out so far: the next record's offset in the stream."""

    def __len__(self) -> int:
        return len(self._buffer) - self._position

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        self._buffer = self._buffer[self._position :] + data  # no copy where nothing is left, as is usual
        self._position = 0

    def clear(self) -> bytes:
        """Give up what was not taken: it is returned, and forgotten."""
        rest = self._buffer[self._position :]
        self._buffer, self._position = b"", 0
        return rest

    def peek_is(self, type_: int, *, limit: int, version: int | None) -> bool:
        """Whether `next` would give a record of this type at once."""
        buffer, start = self._buffer, self._position
        if len(buffer) - start < HEADER_LENGTH:
            return False
        found, said, length = HEADER.unpack_from(buffer, start)
        fits: bool = found == type_ and length <= limit and version in {None, said}
        return fits and len(buffer) - start >= HEADER_LENGTH + length

    def next(self, *, limit: int, version: int | None) -> Record | None:
        """The next record, or None until it is complete.

        `limit` bounds the fragment, `version` is what the header must say (None: any 3.x, as before the ServerHello). The header is
        judged as soon as it is there.
        """
        buffer, start = self._buffer, self._position
        body = start + HEADER_LENGTH
        if len(buffer) < body:
            return None
        type_, said, length = HEADER.unpack_from(buffer, start)
        if type_ not in _TYPES:
            raise self._not_a_record(buffer[start:body])
        # RFC 5246 E.1: the first records may carry any 3.x; what follows must carry the version agreed on.
        if said >> 8 != 3 or (version is not None and said != version):
            raise PeerError(Reason.WRONG_RECORD_VERSION, f"{said >> 8}.{said & 0xFF}", path="Record.version", offset=1)
        if length > limit:
            raise PeerError(Reason.RECORD_OVERFLOW, f"{length} bytes, at most {limit}", path="Record.length", offset=3)
        end = body + length
        if len(buffer) < end:
            return None
        self.consumed += end - start
        if end == len(buffer):
            self._buffer, self._position = b"", 0
        else:
            self._position = end
        return Record(type_, said, buffer[body:end])

    def _not_a_record(self, header: bytes) -> PeerError:
        if self.consumed:
            return PeerError(Reason.UNKNOWN_CONTENT_TYPE, str(header[0]), path="Record.type", offset=0)
        if header[0] & 0x80 and header[2] == 1:
            return PeerError(Reason.SSLV2_HELLO, path="Record.type", offset=0)
        return PeerError(Reason.NOT_TLS, f"its first bytes are {header!r}", path="Record.type", offset=0)
