"""What a peer may cost: memory, and work."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from puretls.messages.records import Record
from puretls.testing.adapters.base import Factory
from puretls.testing.properties.playing import Meeting
from puretls.testing.properties.property import Property, unless
from puretls.values import frozen

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MEMORY = 2**22
"""Bytes that an end may hold in objects of Python, for what a peer sent before the handshake is complete: traces and logs count."""
FLOOD = 2**23
"""Bytes of a flood, unless the end gives the connection up before."""
CALLS = 100
"""Calls of Python functions that an end may make for each record, or for 100 bytes, of a flood."""
RECORDS = 4000
"""Records of a flood, at most."""
_STEP = 2**16


def _message(body: bytes, length: int) -> bytes:
    return Record(22, 0x0303, b"\x01" + length.to_bytes(3) + body).to_bytes()


_FLOODS: Mapping[str, Callable[[], tuple[bytes, bytes]]] = {
    "a message that says 16 MiB": lambda: (_message(b"", 2**24 - 1), Record(22, 0x0303, bytes(2**14)).to_bytes()),
    "a record that never ends": lambda: (b"\x16\x03\x03\x48\x00", bytes(_STEP)),
    "empty records": lambda: (b"", Record(22, 0x0303, b"").to_bytes() * 1000),
    "records of one byte": lambda: (_message(b"", 2**16), Record(22, 0x0303, b"x").to_bytes() * 1000),
    "warnings": lambda: (b"", Record(21, 0x0303, b"\x01\x5a").to_bytes() * 1000),
    "ChangeCipherSpec": lambda: (b"", Record(20, 0x0303, b"\x01").to_bytes() * 1000),
    "application data": lambda: (b"", Record(23, 0x0303, bytes(2**14)).to_bytes()),
    "HelloRequest": lambda: (b"", Record(22, 0x0303, bytes(4)).to_bytes() * 1000),
}
"""What it begins with, and what is sent again and again."""


@frozen
class Flood:
    """What is sent, and whether a handshake was begun before."""

    name: str
    begun: bool


def _floods(subject: Factory) -> SearchStrategy[Flood]:
    from hypothesis import strategies as st

    return st.builds(Flood, st.sampled_from(tuple(_FLOODS)), st.booleans())


def _flood(subject: Factory, case: Flood) -> None:
    first, again = _FLOODS[case.name]()
    peer: Any = subject()
    if case.begun and subject.role == "server":
        meeting = Meeting(subject)
        meeting.ours.start()
        hello = meeting.ours.take()
        peer.receive(hello)
    elif subject.role == "client" and subject.acts:
        peer.start()
    peer.take()
    sent, held, calls = _fed(peer, first, again)
    unless(held < MEMORY, subject, bounded, f"{case.name}: {held} bytes are held of {sent} that came")
    records = max(1, sent // 100, sent * again.count(b"\x03\x03") // max(1, len(again)))
    unless(calls < CALLS * records + 5000, subject, bounded, f"{case.name}: {calls} calls for {sent} bytes")


class Cost:
    """What a block of code cost so far: `calls` of Python functions, and the most bytes that were `held` when `look` was called."""

    def __init__(self) -> None:
        self.calls: int = 0
        self.held: int = 0
        self._base: int = tracemalloc.get_traced_memory()[0]

    def look(self) -> None:
        """See how much is held."""
        self.held = max(self.held, tracemalloc.get_traced_memory()[0] - self._base)

    def count(self, frame: Any, event: str, argument: Any) -> None:
        """For `sys.setprofile`."""
        self.calls += event == "call"


@contextmanager
def cost() -> Iterator[Cost]:
    """Count what the block costs."""
    before = sys.getprofile()
    tracemalloc.start()
    counted = Cost()
    sys.setprofile(counted.count)
    try:
        yield counted
    finally:
        sys.setprofile(before)
        counted.look()
        tracemalloc.stop()


def _fed(peer: Any, first: bytes, again: bytes) -> tuple[int, int, int]:
    """Send until the end gives up: bytes that came, the most that was held, and calls made."""
    size = min(FLOOD, max(RECORDS * len(again) // max(1, again.count(b"\x03\x03")), len(again)))
    sent = 0
    with cost() as counted:
        peer.receive(first)
        while sent < size:
            peer.receive(again)
            sent += len(again)
            peer.take()
            counted.look()
            if any(told.kind in {"failed", "closed"} for told in peer.events()):
                break
    return sent, counted.held, counted.calls


bounded: Property = Property(
    "bounded",
    "what a peer sends costs memory up to a limit, and work in proportion",
    "RFC 5246 D.4",
    _floods,
    _flood,
)
