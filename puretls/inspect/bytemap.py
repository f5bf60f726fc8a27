"""The byte map: each byte of both sides, on the wire and decrypted, with its path, value, guard, states and key.

The wire view of a side is its TCP stream; the plaintext view is what its records hold, one after the other, with the MACs and the
padding that were decrypted along. In the clear both views hold the same bytes, and the wire view shows the fields of the messages.
Leaves of a view are in order and cover every byte that is there exactly once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from puretls.inspect.deeper import opaque_spans, spans_of
from puretls.inspect.seen import MessageSeen, RecordSeen, States, StraySeen
from puretls.inspect.streams import SIDES, Run
from puretls.messages.records import RecordHeader
from puretls.record.framing import HEADER_LENGTH
from puretls.spans import Span
from puretls.values import frozen
from puretls.wire.schema import annotate

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.texts import Text

WIRE, PLAINTEXT = VIEWS = ("wire", "plaintext")
_PROTECTION = "RFC 5246 6.2.3"
_UNKNOWN = States(("unknown",), ("unknown",))


@frozen
class Leaf:
    """Bytes `start` up to but not including `end` of one view of one side, which are one field or a part of one.

    A field that lies in several records has a leaf in each, all of the same path; `part` counts them from 0. `value` is what the bytes
    mean, `rfc` the section that says so; `note` is a remark, with `fault` the reason why nothing more could be read ("unparsed: ...").
    `key` says under which key, epoch and sequence number the bytes were protected, "" in the clear. `linked` is the range of the other
    view that these bytes belong to, None where there is none. `record` is the number of the record, `message` the path of the message.
    """

    side: str
    view: str
    start: int
    end: int
    path: str
    value: object
    rfc: str
    note: str
    fault: bool
    states_before: States
    states_after: States
    key: str = ""
    record: int | None = None
    message: str = ""
    part: int = 0
    linked: tuple[int, int] | None = None

    @property
    def length(self) -> int:
        """Bytes."""
        return self.end - self.start

    @property
    def text(self) -> Text | None:
        """What is told of this field, and of its value where it is one of a registry."""
        from puretls.inspect.texts import explain_path  # texts are read from files when somebody wants to know

        return explain_path(self.path, self.value)

    @property
    def meaning(self) -> str:
        """What it is, in plain sentences."""
        return self.text.meaning if self.text else ""

    @property
    def why(self) -> str:
        """Why it is there, or what follows from it."""
        return self.text.why if self.text else ""


class ByteMap:
    """The leaves of a conversation, made for each side when they are first asked for."""

    def __init__(self, conversation: Conversation) -> None:
        self._sides = {side: _Side(conversation, side) for side in SIDES}

    def wire(self, side: str) -> tuple[Leaf, ...]:
        """Leaves of what "client" or "server" sent, in the order of the stream."""
        return self._sides[side].wire

    def plain(self, side: str) -> tuple[Leaf, ...]:
        """Leaves of what its records hold, as far as they could be opened."""
        return self._sides[side].plain

    def leaves(self, side: str, view: str = WIRE) -> tuple[Leaf, ...]:
        """Leaves of "wire" or "plaintext"."""
        return self.wire(side) if view == WIRE else self.plain(side)

    def plain_bytes(self, side: str) -> bytes:
        """The bytes of the plaintext view."""
        return self._sides[side].plain_bytes

    def at(self, side: str, offset: int, view: str = WIRE) -> Leaf | None:
        """The leaf that holds the byte at `offset`; None where no byte is."""
        leaves = self.leaves(side, view)
        index = bisect_right(self._sides[side].starts(view), offset) - 1
        return leaves[index] if index >= 0 and offset < leaves[index].end else None

    def find(self, path: str) -> tuple[Leaf, ...]:
        """The leaves of a path, those on the wire first; of a list or a struct all that are in it. Without a side those of both."""
        with_side = path.partition(".")[0] in SIDES
        wanted = [path] if with_side else [f"{side}.{path}" for side in SIDES]
        return tuple(
            leaf
            for full in wanted
            for view in VIEWS
            for leaf in self.leaves(full.partition(".")[0], view)
            if leaf.path == full or leaf.path.startswith((f"{full}.", f"{full}["))
        )

    def linked(self, side: str, offset: int, view: str = WIRE) -> tuple[int, int] | None:
        """The range of the other view that the byte at `offset` belongs to: one byte, or a block of CBC; None where there is none."""
        leaf = self.at(side, offset, view)
        return self._sides[side].linked(leaf, offset, offset + 1) if leaf else None

    def bytes_of(self, leaf: Leaf) -> bytes:
        """The bytes of a leaf."""
        return self._sides[leaf.side].bytes_of(leaf)


class _Link(NamedTuple):
    """`length` bytes at `wire` and at `plain` belong together, `unit` by `unit`."""

    wire: int
    plain: int
    length: int
    unit: int

    def to(self, view: str, start: int, end: int) -> tuple[int, int]:
        """The range of the other view, which `start` up to `end` of this `view` belong to."""
        here, there = (self.wire, self.plain) if view == WIRE else (self.plain, self.wire)
        first = (start - here) // self.unit * self.unit
        last = min(-(-(end - here) // self.unit) * self.unit, self.length)
        return there + first, there + last


def _links(record: RecordSeen) -> tuple[_Link, ...]:
    """How the bytes of a record that was opened lie in both views."""
    if record.plaintext is None:
        return ()
    if record.opener is None:
        return (_Link(record.start + HEADER_LENGTH, record.plain_start, len(record.plaintext), 1),)
    at = record.start + HEADER_LENGTH
    for name, size in record.parts:
        if name == "ciphertext":
            return (_Link(at, record.plain_start, record.inner, record.opener.block_length),)
        at += size
    return ()


class _About(NamedTuple):
    """What all leaves of a record have in common."""

    before: States
    after: States
    key: str
    record: RecordSeen


class _Side:
    """The leaves of one side."""

    def __init__(self, conversation: Conversation, side: str) -> None:
        self.side = side
        self._seen = conversation
        self._starts: dict[str, list[int]] = {}
        self._looked = -1, b""
        """The record that was looked into last, and what it holds: who goes through leaves asks for one record many times."""

    # What is there

    @cached_property
    def _runs(self) -> list[Run]:
        return self._seen.stream(self.side).runs()

    @cached_property
    def _records(self) -> dict[int, RecordSeen]:
        mine = sorted((record for record in self._seen.records if record.side == self.side), key=lambda record: record.number)
        return {record.number: record for record in mine}

    @cached_property
    def _messages(self) -> list[MessageSeen]:
        return [message for message in self._seen.messages if message.side == self.side]

    @cached_property
    def _about(self) -> dict[int, _About]:
        """Of each record: from the states before its first message to those after its last."""
        of: dict[int, list[MessageSeen]] = {}
        for message in self._messages:
            for number in message.records:
                of.setdefault(number, []).append(message)
        now = self._messages[0].states_before if self._messages else _UNKNOWN
        about = {}
        for number, record in self._records.items():
            messages = of.get(number, [])
            before, now = (messages[0].states_before, messages[-1].states_after) if messages else (now, now)
            about[number] = _About(before, now, str(record.key or ""), record)
        return about

    @cached_property
    def plain_bytes(self) -> bytes:
        """All that was opened, one record after the other."""
        return b"".join(_inside(record) for record in self._records.values())

    # Lookup

    def starts(self, view: str) -> list[int]:
        """Offsets at which the leaves of a view begin."""
        if view not in self._starts:
            self._starts[view] = [leaf.start for leaf in (self.wire if view == WIRE else self.plain)]
        return self._starts[view]

    def linked(self, leaf: Leaf, start: int, end: int) -> tuple[int, int] | None:
        """What bytes of a leaf belong to in the other view."""
        if leaf.linked is None or leaf.record is None:
            return None
        return _links(self._records[leaf.record])[0].to(leaf.view, start, end)

    def bytes_of(self, leaf: Leaf) -> bytes:
        """The bytes of a leaf of this side."""
        if leaf.record is None:
            run = next(run for run in self._runs if run.start <= leaf.start < run.end)
            return run.data[leaf.start - run.start : leaf.end - run.start]
        record = self._records[leaf.record]
        if leaf.view == PLAINTEXT:
            return self._inside(record)[leaf.start - record.plain_start : leaf.end - record.plain_start]
        piece = next(piece for piece in record.pieces if piece.start <= leaf.start < piece.start + len(piece.data))
        return piece.data[leaf.start - piece.start : leaf.end - piece.start]

    def _inside(self, record: RecordSeen) -> bytes:
        if self._looked[0] != record.number:
            self._looked = record.number, _inside(record)
        return self._looked[1]

    # Plaintext

    @cached_property
    def plain(self) -> tuple[Leaf, ...]:
        """Leaves of the plaintext view."""
        leaves = [leaf for message in self._messages for leaf in self._fields(message)]
        leaves += (leaf for about in self._about.values() for leaf in self._behind_content(about))
        return tuple(sorted(leaves, key=lambda leaf: leaf.start))

    def _fields(self, message: MessageSeen) -> Iterator[Leaf]:
        """The fields of a message, cut where its records end."""
        ranges = iter(message.ranges)
        here = next(ranges, None)
        spans = opaque_spans(message.raw, message.name) if message.opaque else None
        for span in spans or spans_of(message.content_type, message.raw, message.key_exchange):
            path = message.path + span.path[len(message.name) :]
            start, part = span.start, 0
            while here is not None and start < span.end:
                end = min(span.end, here.start + here.length)
                at = here.plain_start + start - here.start
                yield self._field(message, span, path, (at, at + end - start), here.record, part)
                start, part = end, part + 1
                if start == here.start + here.length:
                    here = next(ranges, None)

    def _field(self, message: MessageSeen, span: Span, path: str, place: tuple[int, int], record: int, part: int) -> Leaf:
        section = "" if span.fault else span.note
        rfc = section or (message.message.rfc if message.message is not None else "RFC 5246 7.4")
        note = f"unparsed: {span.note}" if span.fault else ""
        links = _links(self._records[record])
        return Leaf(
            self.side, PLAINTEXT, *place, path, span.value, rfc, note, span.fault, message.states_before, message.states_after,
            self._about[record].key, record, message.path, part, links[0].to(PLAINTEXT, *place) if links else None,
        )  # fmt: skip

    def _behind_content(self, about: _About) -> Iterator[Leaf]:
        """The MAC and the padding that were encrypted along with the content."""
        record = about.record
        if record.opener is None or record.plaintext is None:
            return
        at = record.plain_start + len(record.plaintext)
        for name, size in record.opener.inner_parts(len(record.plaintext), record.inner):
            key = record.key.told(record.key.mac_name) if name == "mac" and record.key else about.key
            linked = _links(record)[0].to(PLAINTEXT, at, at + size)
            inner = self._inside(record)
            value = inner[at - record.plain_start :][:size] if name != "padding_length" else inner[at - record.plain_start]
            yield self._part(about, PLAINTEXT, at, at + size, name, value, "", key, linked)
            at += size

    def _part(
        self,
        about: _About,
        view: str,
        start: int,
        end: int,
        name: str,
        value: object,
        note: str = "",
        key: str | None = None,
        linked: tuple[int, int] | None = None,
    ) -> Leaf:
        """A leaf of the record layer."""
        record = about.record
        return Leaf(
            self.side, view, start, end, f"{record.path}.{name}", value, _PROTECTION, note, False, about.before, about.after,
            about.key if key is None else key, record.number, "", 0, linked,
        )  # fmt: skip

    # Wire

    @cached_property
    def wire(self) -> tuple[Leaf, ...]:
        """Leaves of the wire view."""
        in_the_clear: dict[int, list[Leaf]] = {}
        for leaf in self.plain:
            if leaf.record is not None and self._records[leaf.record].opener is None:
                in_the_clear.setdefault(leaf.record, []).append(leaf)
        leaves = [leaf for about in self._about.values() for leaf in self._on_the_wire(about, in_the_clear)]
        leaves += (self._stray(stray) for stray in self._seen.strays if stray.side == self.side)
        return tuple(sorted(leaves, key=lambda leaf: leaf.start))

    def _on_the_wire(self, about: _About, in_the_clear: dict[int, list[Leaf]]) -> Iterator[Leaf]:
        record = about.record
        for span in annotate(RecordHeader, record.raw[:HEADER_LENGTH], path=f"record[{record.number}]"):
            note = f"unparsed: {span.note}" if span.fault else ""
            if span.start < span.end:
                place = record.start + span.start, record.start + span.end
                yield Leaf(
                    self.side, WIRE, *place, f"{self.side}.{span.path}", span.value, RecordHeader.rfc, note, span.fault,
                    about.before, about.after, "", record.number,
                )  # fmt: skip
        shown = HEADER_LENGTH
        if record.opener is None and record.plaintext is not None:
            for leaf in in_the_clear.get(record.number, ()):
                assert leaf.linked is not None
                start, end = leaf.linked
                yield replace(leaf, view=WIRE, start=start, end=end, linked=(leaf.start, leaf.end))
            shown += len(record.plaintext)
        yield from self._parts(about, shown)

    def _parts(self, about: _About, shown: int) -> Iterator[Leaf]:
        """The parts of a fragment, as far as they are there and not `shown`, counted from the record's first byte."""
        record = about.record
        note = str(record.problem) if record.problem and record.plaintext is None else ""
        at = HEADER_LENGTH
        for name, size in record.parts:
            for piece in record.pieces:
                first = piece.start - record.start
                start, end = max(at, first, shown), min(at + size, first + len(piece.data))
                if start < end:
                    value = piece.data[start - first : end - first]
                    place = record.start + start, record.start + end
                    yield self._part(about, WIRE, *place, name, value, note, self._guard(about, name), self._inner(record, name))
            at += size

    def _guard(self, about: _About, name: str) -> str:
        key = about.record.key
        if key is None or about.record.opener is None:
            return about.key
        return key.told(key.mac_name) if name == "mac" else about.key

    @staticmethod
    def _inner(record: RecordSeen, name: str) -> tuple[int, int] | None:
        inside = name == "ciphertext" and record.plaintext is not None and record.inner
        return (record.plain_start, record.plain_start + record.inner) if inside else None

    def _stray(self, stray: StraySeen) -> Leaf:
        end = stray.start + len(stray.raw)
        states = self._messages[0].states_before if self._messages else _UNKNOWN
        return Leaf(
            self.side,
            WIRE,
            stray.start,
            end,
            f"{stray.path}.bytes",
            stray.raw,
            "RFC 5246 6.2.1",
            f"unparsed: {stray.why}",
            True,
            states,
            states,
        )


def _inside(record: RecordSeen) -> bytes:
    """All that a record holds, as far as it was opened."""
    if record.plaintext is None:
        return b""
    if record.opener is None or record.sequence is None:
        return record.plaintext
    return record.opener.inside(record.sequence, record.content_type, record.raw[HEADER_LENGTH:], record.plaintext)


def uncovered(leaves: Iterable[Leaf], ranges: Iterable[tuple[int, int]]) -> str:
    """Empty where the leaves cover the ranges exactly, in order, with no gap and no overlap; else a sentence that says where not."""
    left = list(leaves)
    for start, end in ranges:
        position = start
        while position < end:
            leaf = left.pop(0) if left else None
            if leaf is None or leaf.start != position or not position < leaf.end <= end:
                found = f"{leaf.path} from {leaf.start} to {leaf.end}" if leaf else "nothing"
                return f"{found}, expected to begin at {position}"
            position = leaf.end
    return f"{left[0].path} covers what is not there" if left else ""
