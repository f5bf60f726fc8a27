"""The store: what passes is noted, and becomes entries when somebody looks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from puretls.handshake.states import State
from puretls.iana import ContentType
from puretls.intercept import Direction
from puretls.key_exchange import KeyExchange
from puretls.messages.records import HEADER, Record
from puretls.queues import Queue
from puretls.record.channel import Channel
from puretls.record.framing import HEADER_LENGTH
from puretls.record.protection import Layout
from puretls.trace.entry import Entry, Layer
from puretls.trace.explanation import Explainer, Explanation

_ENTRY_COST = 400
"""Bytes that an entry takes besides `raw`, at most: a tuple and its numbers."""
_SEEN_MOST = 2**16
"""When so many bytes were noted, entries are made of them. A handshake fits: where nobody looks, none is made."""
_APPLICATION_DATA = ContentType.APPLICATION_DATA
_WIRE, _COUNT = -1, -2
"""Positions that belong to no content type: bytes on the wire, number of records."""


class Trace:
    """The entries of a connection, oldest first; iterate, index, `explain`."""

    def __init__(self, level: str = "handshake", limit: int = 2**20) -> None:
        self.level = level
        self._is_full = level == "full"
        self.limit = limit
        self._dropped = 0
        self._seen: list[tuple[Any, ...] | State] = []
        """Calls that make entries: a function of this class and its arguments. A state is where the message in front of it led to."""
        self._seen_size = 0
        self._kept: Queue[Entry] = Queue()
        self._size = 0
        self._positions: dict[tuple[Direction, Layer, int], int] = {}
        self._explainer: Explainer | None = None

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    @property
    def dropped(self) -> int:
        """How many entries were dropped to make room for newer ones."""
        self._settle()
        return self._dropped

    @property
    def _entries(self) -> Queue[Entry]:
        self._settle()
        return self._kept

    def _take(self, direction: Direction, layer: Layer, kind: int, length: int) -> int:
        """Move on in a stream by `length`; return the position before."""
        key = direction, layer, kind
        position = self._positions.get(key, 0)
        self._positions[key] = position + length
        return position

    def record(self, direction: Direction, record: Record, data: bytes | None, state: State, channel: Channel) -> None:
        """A record as it is on the wire, and the plaintext in it (None: it could not be opened)."""
        if self.level == "off":
            return
        kept: Record | bytes = record if record.type != _APPLICATION_DATA or self._is_full else record.header()
        size = HEADER_LENGTH + len(record.fragment) if kept is record else HEADER_LENGTH
        self._see(size, Trace._add_record, direction, kept, len(data) if data else 0, state, channel.epoch, channel.protection.layout)

    def message(self, direction: Direction, kind: int, raw: bytes, state: State, key_exchange: KeyExchange | None) -> None:
        """A handshake message with its header, or the content of another record."""
        if self.level == "off":
            return
        kept = raw if kind != _APPLICATION_DATA or self._is_full else b""
        self._see(len(kept), Trace._add_message, direction, kind, kept, len(raw), state, key_exchange)

    def led_to(self, state: State) -> None:
        """Note that the newest inbound message moved the connection to this state."""
        if self.level != "off":
            self._seen.append(state)

    def _see(self, size: int, add: Callable[..., None], *what: Any) -> None:
        """Note a call of `add`, which makes an entry. It is done when somebody looks, or when too much was noted."""
        self._seen.append((add, *what))
        self._seen_size += size + _ENTRY_COST
        if self._seen_size > _SEEN_MOST:
            self._settle()

    def _settle(self) -> None:
        seen, self._seen, self._seen_size = self._seen, [], 0
        for note in seen:
            if isinstance(note, tuple):
                add, *what = note
                add(self, *what)
            else:
                self._move(note)

    def _add_record(self, direction: Direction, kept: Record | bytes, length: int, state: State, epoch: int, layout: Layout) -> None:
        raw = kept if isinstance(kept, bytes) else kept.to_bytes()
        kind, _, fragment = HEADER.unpack_from(raw)
        name, size = state.name, HEADER_LENGTH + fragment
        self._append(
            Entry(
                direction=direction,
                layer=Layer.RECORD,
                content_type=kind,
                raw=raw,
                length=size,
                offset=self._take(direction, Layer.RECORD, _WIRE, size),
                state_before=name,
                state_after=name,
                epoch=epoch,
                number=self._take(direction, Layer.RECORD, _COUNT, 1),
                layout=layout,
                content_offset=self._take(direction, Layer.RECORD, kind, length),
                content_length=length,
            )
        )

    def _add_message(
        self, direction: Direction, kind: int, raw: bytes, length: int, state: State, key_exchange: KeyExchange | None
    ) -> None:
        name = state.name
        self._append(
            Entry(
                direction=direction,
                layer=Layer.MESSAGE,
                content_type=kind,
                raw=raw,
                length=length,
                offset=self._take(direction, Layer.MESSAGE, kind, length),
                state_before=name,
                state_after=name,
                key_exchange=key_exchange,
            )
        )

    def _move(self, state: State) -> None:
        newest = self._kept[-1] if self._kept else None
        if newest is not None and newest.layer is Layer.MESSAGE and newest.direction is Direction.INBOUND:
            self._kept[-1] = newest._replace(state_after=state.name)

    def _append(self, entry: Entry) -> None:
        """Keep an entry; the oldest make room."""
        self._kept.append(entry)
        self._size += len(entry.raw) + _ENTRY_COST
        while self._size > self.limit:
            old = self._kept.popleft()
            self._size -= len(old.raw) + _ENTRY_COST
            self._dropped += 1

    def fork(self) -> Trace:
        """A copy that goes on by itself."""
        self._settle()
        twin = copy.copy(self)
        twin._seen, twin._kept, twin._positions, twin._explainer = [], self._kept.copy(), self._positions.copy(), None
        return twin

    def messages(self, direction: Direction | None = None) -> list[Entry]:
        """Messages only, of one direction or both."""
        return [e for e in self._entries if e.layer is Layer.MESSAGE and direction in {None, e.direction}]

    def records(self, direction: Direction | None = None) -> list[Entry]:
        """Records only, of one direction or both."""
        return [e for e in self._entries if e.layer is Layer.RECORD and direction in {None, e.direction}]

    def explain(self, direction: Direction, offset: int) -> Explanation | None:
        """What the byte at `offset` of a direction's stream is; None where the trace does not hold it (any more)."""
        self._explainer = self._explainer or Explainer()
        return self._explainer.explain(self._entries, direction, offset)
