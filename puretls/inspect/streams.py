"""The bytes of a TCP connection as they were seen: two streams of chunks, with what is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from puretls.values import frozen

SIDES = ("client", "server")
NOT_CAPTURED = "not captured"


def other(side: str) -> str:
    """The side that receives what `side` sends."""
    return "server" if side == "client" else "client"


@frozen
class Chunk:
    """Bytes of one direction that came together.

    `offset` counts from 0 in the TCP stream of the direction. `time` is in nanoseconds since the epoch, None where nobody knows it.
    `order` is the position among the chunks of both directions: which came first.
    """

    offset: int
    data: bytes
    time: int | None = None
    order: int = 0


@frozen
class Gap:
    """Bytes that are not there. `length` is 0 where nobody knows it; `records` is how many whole records lie in it, where that is known."""

    offset: int
    length: int
    why: str
    records: int | None = None


class Run(NamedTuple):
    """Bytes without a gap between them, and the gap before them, if there is one."""

    start: int
    data: bytes
    gap: Gap | None

    @property
    def end(self) -> int:
        return self.start + len(self.data)


@frozen
class Stream:
    """One direction. `end` tells how it ended: "fin", "reset", or "open" where nobody saw the end."""

    chunks: tuple[Chunk, ...] = ()
    gaps: tuple[Gap, ...] = ()
    end: str = "open"

    @classmethod
    def of(cls, *data: bytes, end: str = "open") -> Stream:
        """A stream of these pieces, without times and order."""
        chunks, offset = [], 0
        for piece in data:
            chunks.append(Chunk(offset, piece))
            offset += len(piece)
        return cls(tuple(chunks), end=end)

    @property
    def data(self) -> bytes:
        """All bytes that are there, in order."""
        return b"".join(run.data for run in self.runs())

    def first(self, count: int) -> bytes:
        """At most so many bytes from the beginning; none where that is missing."""
        chunks = (chunk for chunk in sorted(self.chunks, key=lambda chunk: chunk.offset) if chunk.offset < count)
        head = Stream(tuple(chunks), self.gaps).runs()[:1]
        return head[0].data[:count] if head and head[0].start == 0 else b""

    @property
    def length(self) -> int:
        """Bytes that were sent as far as is known, those in gaps included."""
        ends = [chunk.offset + len(chunk.data) for chunk in self.chunks] + [gap.offset + gap.length for gap in self.gaps]
        return max(ends, default=0)

    def runs(self) -> list[Run]:
        """What is there, in pieces as long as can be. Where chunks overlap, the earlier bytes count."""
        chunks = sorted((chunk for chunk in self.chunks if chunk.data), key=lambda chunk: chunk.offset)
        gaps = deque(sorted(self.gaps, key=lambda gap: gap.offset))
        return list(_runs(chunks, gaps))

    def trailing_gap(self) -> Gap | None:
        """The gap behind all bytes that are there."""
        last = max((chunk.offset + len(chunk.data) for chunk in self.chunks if chunk.data), default=0)
        return next((gap for gap in self.gaps if gap.offset >= last), None)


def _runs(chunks: Sequence[Chunk], gaps: deque[Gap]) -> Iterator[Run]:
    parts: list[bytes] = []
    start = position = 0
    before: Gap | None = None
    for chunk in chunks:
        data = chunk.data[max(0, position - chunk.offset) :] if chunk.offset < position else chunk.data
        offset = max(chunk.offset, position)
        gap = _gap_between(gaps, position, offset)
        if gap is not None:
            if parts:
                yield Run(start, b"".join(parts), before)
            parts, start, before = [], offset, gap
        parts.append(data)
        position = offset + len(data)
    if parts:
        yield Run(start, b"".join(parts), before)


def _gap_between(gaps: deque[Gap], position: int, offset: int) -> Gap | None:
    """The gap from `position` up to `offset`: one that somebody noted, or else one that the offsets show."""
    while gaps and gaps[0].offset < position:
        gaps.popleft()
    if gaps and gaps[0].offset <= offset:
        noted = gaps.popleft()
        if offset > position or not noted.length:
            return noted
    return Gap(position, offset - position, NOT_CAPTURED) if offset > position else None


class Clock:
    """When the byte at an offset came, and in which order: asked for offsets that mostly grow."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = sorted(chunks, key=lambda chunk: chunk.offset)
        self._offsets = [chunk.offset for chunk in self._chunks]

    def at(self, offset: int) -> Chunk | None:
        """The chunk that holds the byte at `offset`."""
        index = bisect_right(self._offsets, offset) - 1
        return self._chunks[index] if index >= 0 else None
