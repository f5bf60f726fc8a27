"""The engine that applies edits to what one end sends, at the five taps of `puretls.intercept`.

The order of a flight is changed before anything of it is made: its sender means it. All else is done to messages on their way.
A message has three forms on its way: what its sender hashes, what is sealed, and what goes onto the wire. An edit changes all of them from
the first that its repair includes on: `transcript` what is hashed, `mac` what is sealed, neither what is on the wire. In the clear, what is
sealed is what goes onto the wire. Messages are counted as their sender meant to send them, records as they are sealed.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from puretls.connection import Connection
from puretls.errors import DecodeError, UsageError
from puretls.handshake.effects import Effect, Send, Update
from puretls.iana import ContentType
from puretls.inspect.book import Annotate, Book, Outcome, is_move
from puretls.inspect.deeper import spans_of
from puretls.inspect.edit import Edit
from puretls.inspect.resealing import Resealer
from puretls.intercept import Direction, Interceptor, Where
from puretls.key_exchange import KeyExchange
from puretls.keylog import master_secrets
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import Record
from puretls.messages.registry import content_class, handshake_class, parse_handshake, serialise_handshake
from puretls.paths import RECORD
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.text import counted
from puretls.values import frozen
from puretls.wire.schema import Struct

_INNER = frozenset(("mac", "padding", "padding_length"))
"""Fields that may stand inside a sealed record, behind its content."""
_HANDSHAKE = ContentType.HANDSHAKE


class _Forms:
    """The forms of a message that is on its way to the wire, and how much of it has passed in records."""

    def __init__(
        self,
        hashed: bytes,
        sealed: bytes,
        wire: bytes,
        moves: Sequence[Edit] = (),
        *,
        forged: Sequence[Edit] = (),
        keeps_length: bool = False,
    ) -> None:
        self.hashed, self.sealed, self.wire = hashed, sealed, wire
        self.forged = forged
        """The edits by which `wire` is another than `sealed`."""
        self.moves = moves
        """What is done to the message as a whole, below the line of the transcript."""
        self.keeps_length = keeps_length
        """Whether the headers of its records go on to say the length that they had."""
        self._passed = 0

    def next(self, size: int) -> tuple[bytes, bytes]:
        """What is sealed and what goes onto the wire in place of the next `size` bytes of the hashed form; the last have all the rest."""
        start, self._passed = self._passed, self._passed + size
        stop = None if self.is_over else self._passed
        return self.sealed[start:stop], self.wire[start:stop]

    @property
    def is_over(self) -> bool:
        return self._passed >= len(self.hashed)

    def fresh(self) -> _Forms:
        """The same, before any of it has passed: a message that is sent twice has two."""
        return _Forms(self.hashed, self.sealed, self.wire, self.moves, forged=self.forged, keeps_length=self.keeps_length)


_NOTHING = _Forms(b"", b"", b"")


class _Kept:
    """A message that is made at one place of a flight, and sent at a later one."""

    def __init__(self, send: Send) -> None:
        self._build = send.build
        self._made: Struct | None = None
        self.send = replace(send, build=lambda context: self._made or send.build(context))

    def make(self, context: Any) -> Any:
        """For an `Update`, which changes nothing."""
        self._made = self._build(context)
        return context


@frozen
class _Sealing:
    """A record between the two lower taps: its number (None: an edit put it in), and what is on the wire in place of its plaintext."""

    record: Record
    number: int | None = None
    wire: bytes | None = None
    said: int | None = None
    """What its header says, where that is not its length."""
    forms: _Forms = _NOTHING
    below: Sequence[Edit] = ()
    """What is done to the message as a whole after sealing."""
    ends_message: bool = True


class Editor(Interceptor):
    """Applies the edits of one side on one connection: an interceptor of its configuration, which is then told its `connection`.

    `outcomes` tells what became of each edit, those included whose place was never reached.
    """

    def __init__(self, side: str, edits: Iterable[Edit] = (), key_log: Sequence[str] = ()) -> None:
        """`key_log` are the lines that the connection logs, in which the key is looked up where a sealed record is to be changed."""
        self.connection: Connection | None = None
        self._side = side
        self._book = Book(side, edits)
        self._names: Counter[str] = Counter()
        self._flown: Counter[str] = Counter()
        """Messages of flights that have begun, by name."""
        self._records = 0
        self._meant: bytes | None = None
        self._on_the_way: deque[_Forms] = deque()
        self._sealing: deque[_Sealing] = deque()
        self._key_log = key_log
        self._resealers: dict[int, Resealer | None] = {}
        self._sequences: Counter[int] = Counter()

    @property
    def needed(self) -> tuple[Editor, ...]:
        """The interceptors for a configuration: none where there is nothing to edit, since records are then sealed many at a time."""
        return (self,) if self._book.edits else ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of the edits, in their order."""
        return self._book.outcomes(self._missed)

    def _missed(self, edit: Edit) -> str:
        thing = edit.place.thing
        if thing == RECORD:
            return f"the {self._side} sent {counted(self._records, 'record')}"
        if count := self._names[thing]:
            return f"the {self._side} sent {thing} {'once' if count == 1 else f'{count} times'}"
        return f"the {self._side} sent no {thing}, but {', '.join(self._names) or 'nothing'}"

    # The taps

    def flight(self, effects: tuple[Effect, ...], where: Where) -> Iterable[Effect]:
        """Before anything of it is made: what stands between the messages, such as the change of keys, stays where it is.

        What is sent later than it was meant to is made at its time all the same: what it needs may be forgotten then.
        """
        slots = [index for index, effect in enumerate(effects) if isinstance(effect, Send) and effect.makes is not None]
        sends: list[Send] = [effects[index] for index in slots]  # type: ignore[misc]
        order = self._book.ordered([self._fly(send) for send in sends])
        if order == sorted(order):
            return effects
        made: list[Effect] = []
        kept: dict[int, _Kept] = {}
        for index, effect in enumerate(effects):
            if index not in slots:
                made.append(effect)
                continue
            here = slots.index(index)
            if order.index(here) > here:
                kept[here] = _Kept(sends[here])
                made.append(Update(kept[here].make))
            source = order[here]
            made.append(kept[source].send if source in kept else sends[source])
        return made

    def _fly(self, send: Send) -> tuple[str, int]:
        """General name and number of the message that it sends."""
        name = send.makes.path_name if send.makes is not None else ""
        self._flown[name] += 1
        return name, self._flown[name]

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        """Before serialisation: where the edited bytes are a message again, the sender goes on with that message."""
        self._meant = None
        if where.direction is Direction.INBOUND or not isinstance(message, HandshakeMessage):
            return (message,)
        thing = message.path_name
        edits = _hashed(self._book.aimed(thing, self._names[thing] + 1))
        if not edits:
            return (message,)
        meant = serialise_handshake(message)
        hashed = self._book.applied(meant, self._annotate(_HANDSHAKE), edits)
        try:
            made = parse_handshake(hashed, self._key_exchange())
        except DecodeError:
            return (message,)
        if type(made) is not type(message) or serialise_handshake(made) != hashed:
            return (message,)
        self._meant = meant
        return (made,)

    def handshake(self, raw: bytes, where: Where) -> Iterable[bytes]:
        """After serialisation, above the line of the transcript."""
        if where.direction is Direction.INBOUND:
            return (raw,)
        meant, self._meant = raw if self._meant is None else self._meant, None
        thing = handshake_class(meant[0], self._key_exchange()).path_name
        aimed = self._met(thing)
        hashed = self._book.applied(meant, self._annotate(_HANDSHAKE), _hashed(aimed))
        forms = self._forms(hashed, meant, _HANDSHAKE, aimed, where.epoch)
        moves = [edit for edit in aimed if is_move(edit) and "transcript" in edit.repair]
        sent = self._book.moved("handshake", [forms], moves, lambda new: _Forms(new, new, new))
        self._on_the_way.extend(one.fresh() for one in sent)
        return [one.hashed for one in sent]

    def plaintext(self, record: Record, where: Where) -> Iterable[Record]:
        """Records before they are sealed."""
        if where.direction is Direction.INBOUND:
            return (record,)
        forms = self._carried(record, where.epoch)
        sealed, wire = forms.next(len(record.fragment))
        if self._on_the_way and forms is self._on_the_way[0] and forms.is_over:
            self._on_the_way.popleft()
        number, self._records = self._records, self._records + 1
        above, below = _divided(forms.moves, sealed=where.epoch == 0)
        said = len(record.fragment) if forms.keeps_length else None
        meant = Record(self._type(number, record.type), record.version, sealed)
        made = _Sealing(meant, number, wire, said, forms, below, forms.is_over)
        early, _ = _divided(filter(is_move, self._book.aimed(RECORD, number)))

        def insert(new: bytes) -> _Sealing:
            return _Sealing(Record(record.type, record.version, new))

        units = self._book.moved("a record to be sealed", [made], early, insert)
        passed = self._book.whole("a message to be sealed", units, above, forms.is_over, insert)
        self._sealing.extend(passed)
        return [one.record for one in passed]

    def ciphertext(self, raw: bytes, where: Where) -> Iterable[bytes]:
        """Records as they go onto the wire."""
        if where.direction is Direction.INBOUND:
            return (raw,)
        sealing = self._sealing.popleft()
        out = self._resealed(raw, sealing, where.epoch)
        if sealing.said is not None:
            out = out[:3] + sealing.said.to_bytes(2) + out[HEADER_LENGTH:]
        late: Sequence[Edit] = ()
        if sealing.number is not None:
            aimed = self._book.aimed(RECORD, sealing.number)
            _, late = _divided(filter(is_move, aimed))
            inner = self._inner(sealing.number, where.epoch)
            fields = [edit for edit in aimed if not is_move(edit) and not _is_type(edit) and edit not in inner]
            if fields:
                out = self._book.applied(out, self._annotate_record(sealing.number), fields, note=True)
        units = self._book.moved("a record", [out], late, bytes)
        return self._book.whole("a message", units, sealing.below, sealing.ends_message, bytes)

    # Which edits, and what they make of bytes

    def _met(self, thing: str) -> tuple[Edit, ...]:
        """The edits of the next message of this name, which has come."""
        self._names[thing] += 1
        return self._book.aimed(thing, self._names[thing])

    def _forms(self, hashed: bytes, meant: bytes, content_type: int, aimed: Iterable[Edit], epoch: int) -> _Forms:
        """All forms of a message that was meant to be `meant`, and is hashed as `hashed`."""
        fields = [edit for edit in aimed if not is_move(edit)]
        moves = [edit for edit in aimed if is_move(edit) and not (content_type == _HANDSHAKE and "transcript" in edit.repair)]
        if not fields:
            return _Forms(hashed, hashed, hashed, moves)
        annotate = self._annotate(content_type)
        wire = sealed = self._book.applied(meant, annotate, fields, note=True)
        if epoch:
            authentic, forged = _divided(fields)
            sealed = self._book.applied(meant, annotate, authentic)
            if len(sealed) != len(wire):
                self._book.refuse(forged, "a sealed record cannot change its length and stay readable: repair the mac")
                wire = sealed
            return _Forms(hashed, sealed, wire, moves, forged=forged)
        return _Forms(hashed, sealed, wire, moves, keeps_length=not any("lengths" in edit.repair for edit in fields))

    def _carried(self, record: Record, epoch: int) -> _Forms:
        """The message that a record carries: a part of the handshake message that is on its way, or the record's whole content."""
        if record.type == _HANDSHAKE and self._on_the_way:
            return self._on_the_way[0]
        cls = content_class(record.type)
        aimed = self._met(cls.path_name) if cls is not None else ()
        return self._forms(record.fragment, record.fragment, record.type, aimed, epoch)

    def _type(self, number: int, meant: int) -> int:
        """The type under which a record is sealed."""
        for edit in filter(_is_type, self._book.aimed(RECORD, number)):
            header = Record(meant, 0x0303, b"").to_bytes()
            meant = self._book.applied(header, lambda raw: annotate_record(raw, number), [edit], note=True)[0]
        return meant

    def _inner(self, number: int, epoch: int) -> list[Edit]:
        """The edits of what is inside a sealed record, behind its content."""
        outer = {name for name, _ in self._parts()} if epoch else set(_INNER)
        return [
            edit for edit in self._book.aimed(RECORD, number) if edit.place.fields[:1] and edit.place.fields[0] in _INNER - outer
        ]

    def _resealed(self, raw: bytes, sealing: _Sealing, epoch: int) -> bytes:
        """The record with something else inside than was sealed, where an edit wants that."""
        sequence = self._sequences[epoch]
        self._sequences[epoch] += 1
        content, wire = sealing.record.fragment, sealing.record.fragment if sealing.wire is None else sealing.wire
        inner = [] if sealing.number is None else self._inner(sealing.number, epoch)
        if epoch not in self._resealers:
            self._resealers[epoch] = self._resealer(epoch)
        resealer = self._resealers[epoch]
        if wire == content and not inner:
            return raw
        wanted = [*inner, *(sealing.forms.forged if wire != content else ())]
        if resealer is None:
            self._book.refuse(wanted, "the key of this record is not in the key log")
            return raw
        fragment, number = raw[HEADER_LENGTH:], sealing.number or 0
        old = resealer.inside(sequence, sealing.record.type, fragment, content)
        new = wire + old[len(content) :]
        new = self._book.applied(new, lambda data: resealer.spans(number, len(content), len(data)), inner, note=True)
        mac = wire == content and all("mac" in edit.repair for edit in inner)
        try:
            put = resealer.put(sequence, sealing.record.type, fragment, old, new, mac=mac)
        except UsageError as error:
            self._book.refuse(wanted, str(error))
            return raw
        return raw[:3] + len(put).to_bytes(2) + put

    def _resealer(self, epoch: int) -> Resealer | None:
        """Of the key that this epoch writes with, while what was agreed on with it is at hand."""
        agreed = self.connection.negotiated if self.connection is not None else None
        if not epoch or agreed is None or self.connection is None:
            return None
        master = master_secrets("\n".join(self._key_log)).get(agreed.client_random)
        return None if master is None else Resealer(self._side, agreed, master, self.connection.config.provider)

    def _parts(self) -> Sequence[tuple[str, int]]:
        """Names and lengths of the parts of the record that was sealed last."""
        records = self.connection.trace.records(Direction.OUTBOUND) if self.connection is not None else []
        return records[-1].parts if records else ()

    def _annotate_record(self, number: int) -> Annotate:
        parts = self._parts()
        return lambda raw: annotate_record(raw, number, parts)

    def _key_exchange(self) -> KeyExchange | None:
        agreed = self.connection.negotiated if self.connection is not None else None
        return agreed.suite.kx if agreed is not None else None

    def _annotate(self, content_type: int) -> Annotate:
        key_exchange = self._key_exchange()
        return lambda raw: spans_of(content_type, raw, key_exchange)


def _is_type(edit: Edit) -> bool:
    """Whether an edit changes the type under which a record is sealed."""
    return edit.place.fields == ("type",) and "mac" in edit.repair


def _hashed(aimed: Iterable[Edit]) -> list[Edit]:
    """The edits of fields that the sender means."""
    return [edit for edit in aimed if "transcript" in edit.repair and not is_move(edit)]


def _divided(edits: Iterable[Edit], *, sealed: bool = False) -> tuple[list[Edit], list[Edit]]:
    """Those that are made before a record is sealed, and those after. `sealed`: in the clear the first are all."""
    listed = list(edits)
    before = [edit for edit in listed if sealed or "mac" in edit.repair]
    return before, [edit for edit in listed if edit not in before]
