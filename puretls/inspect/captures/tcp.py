"""TCP connections out of segments (RFC 9293): which segment belongs to which, and where each lies in its sender's stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from puretls.inspect.captures.packets import FIN, RST, SYN, Endpoint, Segment

_WRAP, _HALF = 2**32, 2**31
_LATE = 2**20
"""A SYN whose sequence number is at most so far below bytes that were seen is theirs, captured late; another begins a new connection."""


class Piece(NamedTuple):
    """Bytes of one segment. `offset` is where they lie in the sender's stream, `answers` up to where the sender has the peer's."""

    offset: int
    position: int
    time: int | None
    answers: int | None
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(slots=True)
class Side:
    """What was seen of one direction. Offsets count from the first sequence number that was seen, and may be negative."""

    pieces: list[Piece] = field(default_factory=list)
    start: int | None = None
    """Offset of the first byte of the stream, where a SYN told it."""
    reach: int | None = None
    """End of what the side is seen to have sent, whether captured or not."""
    acknowledged: int | None = None
    fin: int | None = None
    reset: bool = False
    _anchor: int | None = None
    _newest: int = 0

    def place(self, number: int) -> int:
        """The offset of a sequence number, which wraps around at 2**32: the one nearest to the newest."""
        if self._anchor is None:
            self._anchor = number
        offset = self._newest + (number - self._anchor - self._newest + _HALF) % _WRAP - _HALF
        self._newest = max(self._newest, offset)
        return offset

    def begins_anew(self, number: int) -> bool:
        """Whether a SYN with this sequence number is of another connection than what was seen."""
        if self._anchor is None:
            return False
        ahead = (self._anchor + (self.start or 0) - number - 1 + _HALF) % _WRAP - _HALF
        return ahead != 0 if self.start is not None else not 0 <= ahead <= _LATE


class Flow:
    """One TCP connection, while its segments come in."""

    def __init__(self, first: Endpoint, second: Endpoint) -> None:
        self.ends: tuple[Endpoint, Endpoint] = (first, second)
        self.sides: dict[Endpoint, Side] = {first: Side(), second: Side()}
        self.opener: Endpoint | None = None
        """Who sent the SYN."""
        self.began: int | None = None

    def add(self, position: int, segment: Segment) -> None:
        """Take a segment in; `position` counts all segments."""
        if segment.time is not None and (self.began is None or segment.time < self.began):
            self.began = segment.time
        side, peer = self.sides[segment.source], self.sides[segment.destination]
        if segment.flags & RST:  # its data tells why (RFC 9293 3.5.3), and its numbers may be anything
            side.reset = True
            return
        begin = side.place(segment.seq)
        if segment.flags & SYN:
            begin += 1
            side.start = begin
            if segment.ack is None:
                self.opener = segment.source
        answers = None
        if segment.ack is not None:
            answers = peer.place(segment.ack)
            if segment.flags & SYN and peer.start is None:
                peer.start = answers
            peer.acknowledged = answers if peer.acknowledged is None else max(answers, peer.acknowledged)
        if segment.data:
            side.pieces.append(Piece(begin, position, segment.time, answers, segment.data))
        end = begin + len(segment.data) + segment.missing
        side.reach = end if side.reach is None else max(end, side.reach)
        if segment.flags & FIN:
            side.fin = end


def flows(segments: Iterable[Segment]) -> list[Flow]:
    """The connections in segments, in the order in which they were first seen. A SYN can begin another between the same ports."""
    newest: dict[tuple[Endpoint, Endpoint], Flow] = {}
    found: list[Flow] = []
    for position, segment in enumerate(segments):
        source, destination = segment.source, segment.destination
        flow = newest.get((source, destination))
        if flow is None or (segment.flags & SYN and flow.sides[source].begins_anew(segment.seq)):
            flow = newest[source, destination] = newest[destination, source] = Flow(source, destination)
            found.append(flow)
        flow.add(position, segment)
    return found
