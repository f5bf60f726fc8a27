"""Records out of a stream that nobody answers for: with gaps, cut off, or no TLS at all (RFC 5246 6.2.1).

Nothing is refused. What is no record is kept as such, and the search goes on at the next header that can be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from puretls.iana import ContentType
from puretls.inspect.seen import Piece
from puretls.inspect.streams import Gap, Run, Stream
from puretls.messages.records import HEADER, MAX_PLAINTEXT
from puretls.record.framing import HEADER_LENGTH, MAX_EXPANSION
from puretls.values import frozen

LONGEST = MAX_PLAINTEXT + MAX_EXPANSION
SSLV2_HELLO = "an SSL 2.0 hello"
_HEADER = re.compile(rb"[\x14-\x18]\x03[\x00-\x04]..", re.DOTALL)
"""What the search looks for: a type and a version that are in use."""


@frozen
class Framed:
    """A record as far as it is there; `length` is what its header announces, header included."""

    pieces: tuple[Piece, ...]
    length: int

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def raw(self) -> bytes:
        return self.pieces[0].data if len(self.pieces) == 1 else b"".join(piece.data for piece in self.pieces)


@frozen
class Stray:
    """Bytes that are no record."""

    start: int
    data: bytes
    why: str


Cut = Framed | Stray | Gap


def cut(stream: Stream) -> Iterator[Cut]:
    """What a stream is made of, in order: every byte that is there lies in exactly one record or stray piece."""
    lost: Framed | None = None
    """The record that the newest gap tore."""
    for run in stream.runs():
        position = run.start
        if run.gap is not None:
            head, position, in_step = _across(run, lost)
            if lost is not None:
                yield head or lost
                lost = None
            yield run.gap
            if not in_step:
                found = _search(run, position)
                if found > position:
                    yield Stray(position, _slice(run, position, found), "the middle of a record whose beginning is missing")
                position = found
        for item in _records(run, position):
            if isinstance(item, Framed) and len(item.raw) < item.length:
                lost = item
            else:
                yield item
    if lost is not None:
        yield lost
    if (gap := stream.trailing_gap()) is not None:
        yield gap


def _slice(run: Run, start: int, stop: int) -> bytes:
    return run.data[start - run.start : stop - run.start]


def _across(run: Run, torn: Framed | None) -> tuple[Framed | None, int, bool]:
    """The torn record with its bytes behind the gap, the position after them, and whether a record begins there."""
    gap = run.gap
    assert gap is not None
    if torn is None:
        return None, run.start, gap.records is not None
    end = torn.start + torn.length
    if not gap.length or end < run.start:
        return None, run.start, gap.records is not None
    stop = min(end, run.end)
    tail = (Piece(run.start, _slice(run, run.start, stop)),) if stop > run.start else ()
    return Framed(torn.pieces + tail, torn.length), stop, True


def _records(run: Run, position: int) -> Iterator[Framed | Stray]:
    while position < run.end:
        if position == 0 and (hello := _sslv2_length(run, position)):
            stop = min(position + hello, run.end)
            yield Stray(position, _slice(run, position, stop), f"{SSLV2_HELLO} (RFC 6176 3 forbids it)")
            position = stop
        elif (size := _announced(run, position)) is not None:
            stop = min(position + size, run.end)
            yield Framed((Piece(position, _slice(run, position, stop)),), size)
            position = stop
        else:
            found = _search(run, position + 1)
            yield Stray(position, _slice(run, position, found), _why_none(run, position))
            position = found


def _fields(run: Run, position: int) -> tuple[int, int, int] | None:
    at = position - run.start
    return HEADER.unpack_from(run.data, at) if at + HEADER_LENGTH <= len(run.data) else None


def _announced(run: Run, position: int) -> int | None:
    """Length of the record that begins here, header included; None where none does.

    A header with one field that no record has is believed where the next header stands behind the length that it gives.
    """
    fields = _fields(run, position)
    if fields is None:
        rest = _slice(run, position, run.end)
        return HEADER_LENGTH if rest and _begins_header(rest) else None
    type_, version, length = fields
    sound = (20 <= type_ <= 24) + (0x0300 <= version <= 0x0304)
    if length > LONGEST or not sound:
        return None
    end = position + HEADER_LENGTH + length
    if sound == 2 or end == run.end or (end < run.end and _is_header(run, end)):
        return HEADER_LENGTH + length
    return None


def _begins_header(rest: bytes) -> bool:
    return 20 <= rest[0] <= 24 and rest[1:2] in {b"", b"\x03"}


def _is_header(run: Run, position: int) -> bool:
    """Whether a sound header stands here, or the beginning of one where the bytes end."""
    fields = _fields(run, position)
    if fields is None:
        return position == run.end or _begins_header(_slice(run, position, run.end))
    return 20 <= fields[0] <= 24 and 0x0300 <= fields[1] <= 0x0304 and fields[2] <= LONGEST


def _search(run: Run, position: int) -> int:
    """Where the next record can begin: a sound header with another one, or the end of what is there, behind its fragment."""
    for found in _HEADER.finditer(run.data, position - run.start):
        at = run.start + found.start()
        length = int.from_bytes(found[0][3:], "big")
        end = at + HEADER_LENGTH + length
        if 0 < length <= LONGEST and (end > run.end or _is_header(run, end)):
            return at
    return run.end


def _sslv2_length(run: Run, position: int) -> int:
    """Bytes of an SSL 2.0 ClientHello (RFC 5246 E.2), or 0: two bytes of length, the type 1, a version."""
    head = _slice(run, position, position + 5)
    if len(head) == 5 and head[0] & 0x80 and head[2] == 1 and head[3] in {0, 2, 3}:
        return 2 + ((head[0] & 0x7F) << 8 | head[1])
    return 0


def _why_none(run: Run, position: int) -> str:
    fields = _fields(run, position)
    if fields is None:
        return "too short for the header of a record"
    type_, version, length = fields
    if type_ not in ContentType._value2member_map_ and not 0x0300 <= version <= 0x0304:
        return f"no record begins with {_slice(run, position, position + HEADER_LENGTH)!r}"
    if length > LONGEST:
        return f"a header that announces {length} bytes, at most {LONGEST} are allowed"
    return f"a header of type {type_} and version {version >> 8}.{version & 0xFF} that nothing follows"
