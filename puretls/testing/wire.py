"""What a network may do to the bytes of both directions, as a value: split and join them, hold them back, cut them off, flip bits.

`Wire.carry` carries a conversation between two peers over such a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from puretls.errors import UsageError
from puretls.inspect.peer import Peer, SocketPeer
from puretls.inspect.streams import other
from puretls.text import counted
from puretls.values import frozen

SIDES = ("client", "server")
MAX_TURNS = 10_000
"""Turns after which two ends that never fall silent are stopped."""


@frozen
class Flip:
    """A bit of what `side` sends, by its place in the whole stream; bit 0 is the lowest."""

    side: str
    offset: int
    bit: int = 0

    def __str__(self) -> str:
        return f"bit {self.bit} of byte {self.offset} of the {self.side} is flipped"


@frozen
class Cut:
    """Nothing that `side` sends from this offset on arrives; `ends` tells the receiver that the stream is over (a FIN), else it waits."""

    side: str
    offset: int
    ends: bool = True

    def __str__(self) -> str:
        return f"the stream of the {self.side} {'ends' if self.ends else 'is cut off'} at byte {self.offset}"


@frozen
class Wire:
    """A network between a client and a server.

    `pieces` are the sizes in which bytes arrive, taken in turn by both directions and again from the first; 0 holds what there is back
    for a turn, so that it comes together with what follows. Without pieces all arrives as it is sent. Raises `UsageError` for pieces
    that never let anything through.
    """

    pieces: tuple[int, ...] = ()
    flips: tuple[Flip, ...] = ()
    cuts: tuple[Cut, ...] = ()

    def __post_init__(self) -> None:
        if any(size < 0 for size in self.pieces) or (self.pieces and not any(self.pieces)):
            raise UsageError("pieces are sizes of 0 and more bytes, and not all of them are 0")

    @property
    def is_faithful(self) -> bool:
        """Whether every byte arrives as it was sent."""
        return not self.flips and not self.cuts

    def __str__(self) -> str:
        told = [f"pieces of {', '.join(map(str, self.pieces))} bytes"] if self.pieces else []
        return "; ".join(told + [str(one) for one in (*self.flips, *self.cuts)]) or "all arrives as it was sent"

    def carry(self, client: Peer, server: Peer) -> Carried:
        """Carry bytes both ways until neither end has anything to say. Raises `UsageError` after `MAX_TURNS`."""
        return self.between(client, server).carry()

    def between(self, client: Peer, server: Peer) -> Carriage:
        """What carries a conversation in several steps."""
        return Carriage(self, client, server)

    def arriving(self, side: str, data: bytes, offset: int = 0) -> bytes:
        """What arrives of these bytes of a side, the first of which is at `offset` of its stream."""
        changed = bytearray(data)
        for flip in self.flips:
            if flip.side == side and 0 <= flip.offset - offset < len(changed):
                changed[flip.offset - offset] ^= 1 << flip.bit
        cut = self.cut_of(side)
        return bytes(changed if cut is None else changed[: max(0, cut.offset - offset)])

    def cut_of(self, side: str) -> Cut | None:
        """Where the stream of a side is cut first, if it is."""
        return min((cut for cut in self.cuts if cut.side == side), key=lambda cut: cut.offset, default=None)


@frozen
class Carried:
    """What each side sent, and what arrived of it; `ended` are the sides whose stream was over."""

    sent: Mapping[str, bytes] = field(repr=False)
    arrived: Mapping[str, bytes] = field(repr=False)
    ended: tuple[str, ...] = ()
    flipped: tuple[Flip, ...] = ()
    """The flips whose byte was sent at all."""

    @property
    def is_faithful(self) -> bool:
        """Whether all that was sent arrived as it was."""
        return self.sent == self.arrived


class Carriage:
    """One conversation over one wire: `carry` may be called again whenever an end has more to say."""

    def __init__(self, wire: Wire, client: Peer, server: Peer) -> None:
        self._wire = wire
        self._peers = {"client": client, "server": server}
        self._sent = {side: bytearray() for side in SIDES}
        self._waiting = {side: bytearray() for side in SIDES}
        self._arrived = {side: bytearray() for side in SIDES}
        self._ended: list[str] = []
        self._sizes = self._pieces()
        self.chunks: list[tuple[str, bytes]] = []
        """What each side sent, in order."""

    def _pieces(self) -> Iterator[int]:
        while self._wire.pieces:
            yield from self._wire.pieces

    def carry(self) -> Carried:
        """Until neither end has anything to say; what was carried since the beginning. Raises `UsageError` after `MAX_TURNS`."""
        for _ in range(MAX_TURNS):
            turns = [self._turn(side) for side in SIDES]
            if not any(turns):
                flipped = tuple(flip for flip in self._wire.flips if flip.offset < len(self._arrived[flip.side]))
                sent, arrived = ({side: bytes(of[side]) for side in SIDES} for of in (self._sent, self._arrived))
                return Carried(sent, arrived, tuple(self._ended), flipped)
        raise UsageError(f"the two ends have not fallen silent in {counted(MAX_TURNS, 'turn')}")

    def _turn(self, side: str) -> bool:
        """One piece of a side arrives; whether anything moved, or waits."""
        moved = self._take(side)
        waiting = self._waiting[side]
        if waiting:
            size = next(self._sizes, len(waiting))
            piece = bytes(waiting[:size])
            del waiting[:size]
            if piece:
                self._arrived[side] += piece
                self._peers[other(side)].receive(piece)
            moved = True
        return self._end(side) or moved

    def _take(self, side: str) -> bool:
        peer = self._peers[side]
        if isinstance(peer, SocketPeer):
            peer.more_comes = any(self._waiting.values())
        data = peer.take()
        self._waiting[side] += self._wire.arriving(side, data, len(self._sent[side]))
        self._sent[side] += data
        if data:
            self.chunks.append((side, data))
        return bool(data)

    def inject(self, side: str, data: bytes) -> None:
        """Bytes that arrive as if this side had sent them."""
        self._arrived[side] += data
        self._peers[other(side)].receive(data)

    def _end(self, side: str) -> bool:
        """Tell the receiver that the stream is over, once all that arrives of it is there."""
        cut = self._wire.cut_of(side)
        if cut is None or not cut.ends or side in self._ended or self._waiting[side] or len(self._sent[side]) < cut.offset:
            return False
        self._ended.append(side)
        self._peers[other(side)].eof()
        return True
