"""Records out of a byte stream and back: the five-byte header and its limits (RFC 5246 6.2.1)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from puretls.errors import PeerError, Reason
from puretls.iana import ContentType
from puretls.messages.records import HEADER, MAX_PLAINTEXT, Record, RecordHeader
from puretls.spans import Span
from puretls.wire.schema import annotate

HEADER_LENGTH = HEADER.size
MAX_EXPANSION = 2048
"""What a protected record may be longer than its plaintext (RFC 5246 6.2.3)."""
VERSION = 0x0303
_TYPES = frozenset((ContentType.CHANGE_CIPHER_SPEC, ContentType.ALERT, ContentType.HANDSHAKE, ContentType.APPLICATION_DATA))


def annotate_record(raw: bytes, number: int, parts: Sequence[tuple[str, int]] = ()) -> list[Span]:
    """Spans that tile a record as it is on the wire, or its header alone; `parts` are names and lengths in the fragment."""
    thing = f"record[{number}]"
    spans = annotate(RecordHeader, raw, 0, min(len(raw), HEADER_LENGTH), thing)
    position = HEADER_LENGTH
    for name, size in parts if len(raw) > HEADER_LENGTH else ():
        spans.append(Span(position, position + size, f"{thing}.{name}", None, "RFC 5246 6.2.3"))
        position += size
    return spans


def _fits(type_: int, said: int, version: int | None) -> bool:
    """RFC 5246 E.1: the first records may carry any 3.x; what follows must carry the version agreed on.

    A peer that gave up before it learned of the version says why in an alert of its own: that is read, whatever its record says.
    """
    return said >> 8 == 3 and (version is None or said == version or type_ == ContentType.ALERT)


class Framer:
    """Collects bytes and hands out whole records. What was taken is forgotten with the next bytes at the latest."""

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0
        self._later = bytearray()
        self._needed = HEADER_LENGTH
        """Bytes of the next record, as far as known. Until they are there, what comes is put aside: it is not copied with each piece."""
        self.consumed: int = 0
        """Bytes handed out so far: the next record's offset in the stream."""

    def __len__(self) -> int:
        return len(self._buffer) - self._position + len(self._later)

    def fork(self) -> Framer:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._later = self._later.copy()
        return twin

    @property
    def head(self) -> bytes:
        """The header of the record that comes next, as far as it is there."""
        self._gather()
        return self._buffer[self._position : self._position + HEADER_LENGTH]

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        if self._position == len(self._buffer) and not self._later:
            self._buffer, self._position = data, 0  # no copy where nothing is left, as is usual
        else:
            self._later += data

    def _gather(self) -> None:
        """Make one buffer of all pieces, as a record that lies across several needs it."""
        if self._later:
            self._buffer, self._position = self._buffer[self._position :] + self._later, 0
            self._later = bytearray()

    def clear(self) -> bytes:
        """Forget the bytes that were not handed out, and return them."""
        self._gather()
        rest = self._buffer[self._position :]
        self._buffer, self._position, self._needed = b"", 0, HEADER_LENGTH
        return rest

    def peek_is(self, type_: int, *, limit: int, version: int | None) -> bool:
        """Whether `next` would give a record of this type at once."""
        buffer, start = self._buffer, self._position
        if len(buffer) - start < HEADER_LENGTH:
            return False
        found, said, length = HEADER.unpack_from(buffer, start)
        fits: bool = found == type_ and length <= limit and version in {None, said}
        return fits and len(buffer) - start >= HEADER_LENGTH + length

    def next(self, *, limit: int = MAX_PLAINTEXT + MAX_EXPANSION, version: int | None = None) -> Record | None:
        """The next record, or None until it is complete.

        `limit` bounds the fragment, `version` is what the header must say (None: any 3.x, as before the ServerHello). The header is
        judged as soon as it is there; the path of a `PeerError` is that of the field below the record.
        """
        waiting = len(self._buffer) - self._position
        if waiting < self._needed:
            if waiting + len(self._later) < self._needed:
                return None
            self._gather()
        buffer, start = self._buffer, self._position
        body = start + HEADER_LENGTH
        type_, said, length = HEADER.unpack_from(buffer, start)
        if type_ not in _TYPES:
            raise self._not_a_record(buffer[start:body])
        if said != version and not _fits(type_, said, version):
            raise PeerError(Reason.WRONG_RECORD_VERSION, f"{said >> 8}.{said & 0xFF}", path="version")
        if length > limit:
            raise PeerError(Reason.RECORD_OVERFLOW, f"{length} bytes, at most {limit}", path="length")
        end = body + length
        if len(buffer) < end:
            self._needed = end - start
            return self.next(limit=limit, version=version) if len(self) >= self._needed else None
        self._needed = HEADER_LENGTH
        self.consumed += end - start
        if end == len(buffer):
            self._buffer, self._position = b"", 0
        else:
            self._position = end
        return Record(type_, said, buffer[body:end])

    def _not_a_record(self, header: bytes) -> PeerError:
        if self.consumed:
            return PeerError(Reason.UNKNOWN_CONTENT_TYPE, str(header[0]), path="type")
        if header[0] & 0x80 and header[2] == 1:
            return PeerError(Reason.SSLV2_HELLO, path="type")
        return PeerError(Reason.NOT_TLS, f"its first bytes are {header!r}", path="type")
