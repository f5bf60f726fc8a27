"""A TCP connection's two streams out of pieces in any order: each byte once, its first copy, and what is missing.

The order of both sides' chunks follows the acknowledgements before the order in the file: who acknowledges a byte has received it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from puretls.inspect.captures.tcp import Piece, Side
from puretls.inspect.streams import NOT_CAPTURED, Chunk, Gap, Stream
from puretls.values import frozen

BEFORE = "the connection began before the capture"
_SHOWN = 3


@frozen
class Direction:
    """One side put together: pieces that do not overlap, by offset from 0."""

    pieces: tuple[Piece, ...]
    gaps: tuple[Gap, ...]
    end: str
    notes: tuple[str, ...]


def directions(one: Side, two: Side) -> tuple[Direction, Direction]:
    """Both sides of a connection."""
    starts = _start(one), _start(two)
    return _direction(one, *starts), _direction(two, *reversed(starts))


def _start(side: Side) -> int:
    if side.start is not None:
        return side.start
    seen = [piece.offset for piece in side.pieces]
    return min(seen, default=side.reach or 0)


def _direction(side: Side, start: int, peer_start: int) -> Direction:
    pieces, differing = _without_overlaps(side.pieces)
    moved = tuple(_from_zero(piece, start, peer_start) for piece in pieces if piece.end > start)
    gaps = [] if side.start is not None else [Gap(0, 0, BEFORE)]
    position = 0
    for piece in moved:
        if piece.offset > position:
            gaps.append(Gap(position, piece.offset - position, NOT_CAPTURED))
        position = piece.end
    length, fin = _length(side, start)
    if length > position:
        gaps.append(Gap(position, length - position, NOT_CAPTURED))
    return Direction(moved, tuple(gaps), "fin" if fin else "reset" if side.reset else "open", _told(differing, start))


def _length(side: Side, start: int) -> tuple[int, bool]:
    """How many bytes the side has sent, captured or not; and whether it said that they are all."""
    if side.fin is not None:
        return side.fin - start, True
    sent = side.reach if side.reach is not None else start
    if side.acknowledged is not None and side.acknowledged == sent + 1:
        return sent - start, True  # one more than was sent: a FIN that was not captured takes a number, too
    return max(sent, side.acknowledged or sent) - start, False


def _from_zero(piece: Piece, start: int, peer_start: int) -> Piece:
    before = max(0, start - piece.offset)  # bytes ahead of the stream's first are none of it
    answers = None if piece.answers is None else piece.answers - peer_start
    return piece._replace(offset=piece.offset + before - start, answers=answers, data=piece.data[before:])


def _without_overlaps(pieces: Sequence[Piece]) -> tuple[list[Piece], list[tuple[int, int]]]:
    """Pieces by offset, of which none overlap; and where a later copy differed from the one that is kept."""
    ordered = sorted(pieces, key=attrgetter("offset"))
    if all(one.end <= two.offset for one, two in pairwise(ordered)):
        return ordered, []
    kept: list[Piece] = []
    differing: list[tuple[int, int]] = []
    for piece in pieces:
        if not kept or piece.offset >= kept[-1].end:
            kept.append(piece)
            continue
        low = bisect_right(kept, piece.offset, key=attrgetter("offset"))
        low -= low > 0 and kept[low - 1].end > piece.offset
        high = bisect_right(kept, piece.end - 1, lo=low, key=attrgetter("offset"))
        over = kept[low:high]
        differing += [place for there in over if (place := _difference(there, piece))]
        kept[low:high] = sorted([*over, *_outside(piece, over)], key=attrgetter("offset"))
    return kept, differing


def _outside(piece: Piece, over: Sequence[Piece]) -> Iterator[Piece]:
    """The parts of a piece that lie in none of those that it overlaps."""
    position = piece.offset
    for there in over:
        if there.offset > position:
            yield _part(piece, position, there.offset)
        position = there.end
    if piece.end > position:
        yield _part(piece, position, piece.end)


def _part(piece: Piece, start: int, end: int) -> Piece:
    return piece._replace(offset=start, data=piece.data[start - piece.offset : end - piece.offset])


def _difference(kept: Piece, piece: Piece) -> tuple[int, int] | None:
    start, end = max(kept.offset, piece.offset), min(kept.end, piece.end)
    if len(piece.data) == 1 and end == kept.end:
        return None  # a keep-alive's one byte is garbage (RFC 9293 3.8.4)
    return (start, end) if _part(kept, start, end).data != _part(piece, start, end).data else None


def _told(differing: Sequence[tuple[int, int]], start: int) -> tuple[str, ...]:
    if not differing:
        return ()
    shown = ", ".join(f"{first - start} to {last - start - 1}" for first, last in differing[:_SHOWN])
    more = f" and {len(differing) - _SHOWN} places more" if len(differing) > _SHOWN else ""
    return (f"bytes {shown}{more} came twice and differ: the first copy counts",)


def streams(one: Direction, two: Direction) -> tuple[Stream, Stream]:
    """The two directions with one order of all chunks."""
    chunks: tuple[list[Chunk], list[Chunk]] = ([], [])
    for order, (which, piece) in enumerate(_merged(one.pieces, two.pieces)):
        chunks[which].append(Chunk(piece.offset, piece.data, piece.time, order))
    return Stream(tuple(chunks[0]), one.gaps, one.end), Stream(tuple(chunks[1]), two.gaps, two.end)


def _merged(one: Sequence[Piece], two: Sequence[Piece]) -> Iterator[tuple[int, Piece]]:
    """Both in one order: never bytes before those of the peer that they acknowledge, else as they were captured."""
    i = j = 0
    while i < len(one) and j < len(two):
        first, second = one[i], two[j]
        waits = _answers(first, second), _answers(second, first)
        if waits[0] if waits[0] != waits[1] else second.position < first.position:
            yield 1, second
            j += 1
        else:
            yield 0, first
            i += 1
    yield from ((0, piece) for piece in one[i:])
    yield from ((1, piece) for piece in two[j:])


def _answers(piece: Piece, other: Piece) -> bool:
    """Whether the sender of `piece` had received all of `other`, so that `piece` comes later."""
    return piece.answers is not None and piece.answers >= other.end
