"""The trace: every record and message of a connection with its bytes, and what each byte means, computed when asked.

Capturing is always on and cheap; decoding is lazy; the store is bounded. Application data is kept by size only unless the level is
"full". No secret enters: entries hold what was on the wire and what it decrypts to, state names, never contexts.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from puretls.certificate_spans import deepened
from puretls.handshake.states import State
from puretls.iana import ContentType, known
from puretls.intercept import Direction
from puretls.key_exchange import KeyExchange
from puretls.messages.records import Record
from puretls.messages.registry import annotate_content, content_class, handshake_class
from puretls.record.channel import Channel
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.record.protection import Layout
from puretls.spans import Span, at
from puretls.text import counted, printable
from puretls.values import frozen

_ENTRY_COST = 200
"""About so many bytes an entry takes besides `raw`."""
_SEEN_MOST = 2**16
"""When so many bytes were noted, entries are made of them. A handshake fits: where nobody looks, none is made."""
_APPLICATION_DATA = ContentType.APPLICATION_DATA
_WIRE, _COUNT = -1, -2
"""Positions that belong to no content type: bytes on the wire, number of records."""


class Layer(Enum):
    """What an entry shows."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash costs a Python call

    RECORD = "record"
    MESSAGE = "message"


class Entry(NamedTuple):
    """One record or message.

    `raw` is empty where only the size was kept. `offset`: of a record, in the byte stream of its direction; of a message, in the stream
    of its content type. `parts` says how a protected fragment is made up; `content_offset` where a record's plaintext lies in the
    stream of its content type, and `content_length` how much that is.
    """

    direction: Direction
    layer: Layer
    content_type: int
    raw: bytes
    length: int
    offset: int
    state_before: str
    state_after: str
    epoch: int = 0
    number: int = 0
    """Of a record, in its direction, from 0."""
    parts: tuple[tuple[str, int], ...] = ()
    content_offset: int = 0
    content_length: int = 0
    key_exchange: KeyExchange | None = None

    @property
    def name(self) -> str:
        """What it is, for people: "ClientHello", "Alert", "record Handshake"."""
        kind = known(ContentType, self.content_type)
        label = kind.name.lower() if isinstance(kind, ContentType) else f"type {self.content_type}"
        if self.layer is Layer.RECORD:
            return f"record {label}"
        if self.content_type != ContentType.HANDSHAKE:
            cls = content_class(self.content_type)
            return cls.path_name if cls else "Unknown"
        if not self.raw:
            return "Handshake of no bytes"
        name = handshake_class(self.raw[0], self.key_exchange).path_name
        return f"Handshake type {self.raw[0]}" if name == "Unknown" else name

    def spans(self) -> list[Span]:
        """Spans that tile `raw`, whatever its bytes."""
        if self.layer is Layer.RECORD:
            return annotate_record(self.raw, self.number, self.parts)
        return deepened(annotate_content(self.content_type, self.raw, self.key_exchange), self.raw)


@frozen
class Explanation:
    """What one byte is: the record it stands in, its field there, and the field of the message it belongs to, if any."""

    direction: Direction
    offset: int
    record: Entry
    field: Span
    message: Entry | None = None
    span: Span | None = None

    def __str__(self) -> str:
        kind = known(ContentType, self.record.content_type)
        text = f"record {self.record.number}, {kind.name.lower() if isinstance(kind, ContentType) else kind}, "
        if self.span is None or self.message is None:
            return text + _field_text(self.field)
        sealed = "" if self.field.path.endswith(".fragment") else f"{self.field.path} of "
        return f"{text}{self.message.name}: {sealed}{_field_text(self.span)}"


def _field_text(span: Span) -> str:
    length = span.end - span.start
    value = span.value
    if isinstance(value, Enum):
        value = f"{value.name} ({value.value})"
    elif isinstance(value, bytes | bytearray):
        value = value.hex() if len(value) <= 16 else value[:16].hex() + "..."
    shown = f" = {value}" if value is not None else ""
    return printable(f"{span.path}, {counted(length, 'byte')}{shown}" + (f" ({span.note})" if span.note else ""))


class Trace:
    """The entries of a connection, oldest first; iterate, index, `explain`."""

    def __init__(self, level: str = "handshake", limit: int = 2**20) -> None:
        self.level = level
        self.limit = limit
        self._dropped = 0
        self._seen: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._seen_size = 0
        self._kept: deque[Entry] = deque()
        self._size = 0
        self._positions: dict[tuple[Direction, Layer, int], int] = {}
        self._last_spans: dict[Layer, tuple[object, Sequence[Span]]] = {}
        """The spans explained last, by layer: who asks about a byte mostly asks about its neighbours next."""

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
    def _entries(self) -> deque[Entry]:
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
        kept: Record | bytes = record if self._keeps(record.type) else record.header()
        size, length = len(record.fragment), len(data) if data else 0
        held = HEADER_LENGTH if kept is not record else HEADER_LENGTH + size
        self._see(held, Trace._add_record, direction, record.type, kept, size, length, state, channel.epoch, channel.protection.layout)

    def message(self, direction: Direction, kind: int, raw: bytes, state: State, key_exchange: KeyExchange | None) -> None:
        """A handshake message with its header, or the content of another record."""
        if self.level == "off":
            return
        kept = raw if self._keeps(kind) else b""
        self._see(len(kept), Trace._add_message, direction, kind, kept, len(raw), state, key_exchange)

    def led_to(self, state: State) -> None:
        """Note that the newest inbound message moved the connection to this state."""
        if self.level != "off":
            self._seen.append((Trace._move, (state,)))

    def _keeps(self, content_type: int) -> bool:
        """Whether bytes of this content type are kept, or their size only."""
        return content_type != _APPLICATION_DATA or self.level == "full"

    def _see(self, size: int, add: Callable[..., None], *what: Any) -> None:
        """Note a call of `add`, which makes an entry. It is done when somebody looks, or when too much was noted."""
        self._seen.append((add, what))
        self._seen_size += size + _ENTRY_COST
        if self._seen_size > _SEEN_MOST:
            self._settle()

    def _settle(self) -> None:
        seen, self._seen, self._seen_size = self._seen, [], 0
        for add, what in seen:
            add(self, *what)

    def _add_record(
        self,
        direction: Direction,
        kind: int,
        kept: Record | bytes,
        size: int,
        length: int,
        state: State,
        epoch: int,
        layout: Layout,
    ) -> None:
        name, parts, size = state.name, layout.parts(size), HEADER_LENGTH + size
        self._append(
            Entry(
                direction=direction,
                layer=Layer.RECORD,
                content_type=kind,
                raw=kept if isinstance(kept, bytes) else kept.to_bytes(),
                length=size,
                offset=self._take(direction, Layer.RECORD, _WIRE, size),
                state_before=name,
                state_after=name,
                epoch=epoch,
                number=self._take(direction, Layer.RECORD, _COUNT, 1),
                parts=parts,
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
        twin._seen, twin._kept, twin._positions, twin._last_spans = [], self._kept.copy(), self._positions.copy(), {}
        return twin

    def messages(self, direction: Direction | None = None) -> list[Entry]:
        """Messages only, of one direction or both."""
        return [e for e in self._entries if e.layer is Layer.MESSAGE and direction in {None, e.direction}]

    def records(self, direction: Direction | None = None) -> list[Entry]:
        """Records only, of one direction or both."""
        return [e for e in self._entries if e.layer is Layer.RECORD and direction in {None, e.direction}]

    def explain(self, direction: Direction, offset: int) -> Explanation | None:
        """What the byte at `offset` of a direction's stream is; None where the trace does not hold it (any more)."""
        for record in self._entries:
            if record.layer is Layer.RECORD and record.direction is direction and 0 <= offset - record.offset < record.length:
                return self._explain_in(record, offset)
        return None

    def _explain_in(self, record: Entry, offset: int) -> Explanation:
        inside = offset - record.offset
        missing = f"record[{record.number}].fragment"
        field = at(self._spans(record), inside) or Span(HEADER_LENGTH, record.length, missing, None, "not kept: application data")
        part = field.path.rpartition(".")[2]
        if part not in {"fragment", "ciphertext"}:
            return Explanation(record.direction, offset, record, field)
        if part == "ciphertext" and not _byte_for_byte(record):
            block = (inside - field.start) // 16
            return Explanation(record.direction, offset, record, Span(field.start, field.end, field.path, None, f"block {block}"))
        content = record.content_offset + inside - field.start
        found = self._message_at(record, content)
        if found is None:
            return Explanation(record.direction, offset, record, field)
        return Explanation(record.direction, offset, record, field, found, at(self._spans(found), content - found.offset))

    def _spans(self, entry: Entry) -> Sequence[Span]:
        of, spans = self._last_spans.get(entry.layer, (None, []))
        if of is not entry:
            spans = entry.spans()
            self._last_spans[entry.layer] = entry, spans
        return spans

    def _message_at(self, record: Entry, content: int) -> Entry | None:
        for entry in self._entries:
            if (
                entry.layer is Layer.MESSAGE
                and entry.direction is record.direction
                and entry.content_type == record.content_type
                and 0 <= content - entry.offset < len(entry.raw)
            ):
                return entry
        return None


def _byte_for_byte(record: Entry) -> bool:
    """Whether byte i of the ciphertext encrypts byte i of the plaintext: true of AEADs and streams, not of CBC."""
    names = {name for name, _ in record.parts}
    return "iv" not in names
