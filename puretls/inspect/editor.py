"""The engine that applies edits to what one end sends, at the taps of `puretls.intercept`.

A message has three forms on its way: what its sender hashes, what is sealed, and what goes onto the wire. An edit changes all of them from
the first that its repair includes on: `transcript` what is hashed, `mac` what is sealed, neither what is on the wire. In the clear, what is
sealed is what goes onto the wire. Messages are counted as their sender meant to send them, records as they are sealed.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from puretls.connection import Connection
from puretls.errors import DecodeError, UsageError
from puretls.iana import ContentType
from puretls.inspect.deeper import spans_of
from puretls.inspect.edit import WHOLE, Edit, changes, encoded
from puretls.inspect.resealing import Resealer
from puretls.intercept import Direction, Interceptor, Where
from puretls.key_exchange import KeyExchange
from puretls.keylog import master_secrets
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import Record
from puretls.messages.registry import content_class, handshake_class, parse_handshake, serialise_handshake
from puretls.paths import RECORD
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.spans import Span
from puretls.text import counted
from puretls.values import frozen
from puretls.wire.schema import Struct

Annotate = Callable[[bytes], Sequence[Span]]
_INNER = frozenset(("mac", "padding", "padding_length"))
"""Fields that may stand inside a sealed record, behind its content."""
_HANDSHAKE = ContentType.HANDSHAKE


@frozen
class Outcome:
    """What became of an edit. `problem` is empty where it was made; `old` and `new` are the bytes at its place, before and after."""

    edit: Edit
    problem: str = ""
    old: bytes = b""
    new: bytes = b""

    def __str__(self) -> str:
        if self.problem:
            return f"not applied: {self.edit}: {self.problem}"
        return f"{self.edit}" + (f": {_shown(self.old)} became {_shown(self.new)}" if self.old or self.new else "")


def _shown(data: bytes) -> str:
    return (data.hex() if len(data) <= 32 else f"{data[:8].hex()}... ({len(data)} bytes)") or "nothing"


class _Forms:
    """The forms of a message that is on its way to the wire, and how much of it has passed in records."""

    def __init__(
        self, hashed: bytes, sealed: bytes, wire: bytes, moves: Sequence[Edit] = (), *, keeps_length: bool = False
    ) -> None:
        self.hashed, self.sealed, self.wire = hashed, sealed, wire
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
        return _Forms(self.hashed, self.sealed, self.wire, self.moves, keeps_length=self.keeps_length)


@frozen
class _Sealing:
    """A record between the two lower taps: its number (None: an edit put it in), and what is on the wire in place of its plaintext."""

    record: Record
    number: int | None = None
    wire: bytes | None = None
    said: int | None = None
    """What its header says, where that is not its length."""
    moves: Sequence[Edit] = ()
    ends_message: bool = True


class Editor(Interceptor):
    """Applies the edits of one side on one connection: an interceptor of its configuration, which is then told its `connection`.

    `outcomes` tells what became of each edit, those included whose place was never reached.
    """

    def __init__(self, side: str, edits: Iterable[Edit] = (), key_log: Sequence[str] = ()) -> None:
        """`key_log` are the lines that the connection logs, in which the key is looked up where a sealed record is to be changed."""
        self.connection: Connection | None = None
        self._key_log = key_log
        self._resealers: dict[int, Resealer | None] = {}
        self._sequences: Counter[int] = Counter()
        self._side = side
        self._edits = [edit for edit in edits if edit.place.side == side]
        self._outcomes: dict[Edit, Outcome] = {}
        self._names: Counter[str] = Counter()
        self._records = 0
        self._meant: bytes | None = None
        self._on_the_way: deque[_Forms] = deque()
        self._sealing: deque[_Sealing] = deque()
        self._gathered: defaultdict[str, list[Any]] = defaultdict(list)
        self._held: dict[str, tuple[Edit, list[Any]]] = {}

    @property
    def needed(self) -> tuple[Editor, ...]:
        """The interceptors for a configuration: none where there is nothing to edit, since records are then sealed many at a time."""
        return (self,) if self._edits else ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of the edits, in their order."""
        alone = {edit for edit, _ in self._held.values()}
        problem = "nothing followed with which it could change places, so it was not sent"
        return tuple(
            Outcome(edit, problem) if edit in alone else self._outcomes.get(edit) or Outcome(edit, self._missed(edit))
            for edit in self._edits
        )

    def _missed(self, edit: Edit) -> str:
        thing = edit.place.thing
        if thing == RECORD:
            return f"the {self._side} sent {counted(self._records, 'record')}"
        if count := self._names[thing]:
            return f"the {self._side} sent {thing} {'once' if count == 1 else f'{count} times'}"
        return f"the {self._side} sent no {thing}, but {', '.join(self._names) or 'nothing'}"

    # The taps

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        """Before serialisation: where the edited bytes are a message again, the sender goes on with that message."""
        self._meant = None
        if where.direction is Direction.INBOUND or not isinstance(message, HandshakeMessage):
            return (message,)
        thing = message.path_name
        edits = _hashed(self._aimed(thing, self._names[thing] + 1))
        if not edits:
            return (message,)
        meant = serialise_handshake(message)
        hashed = self._applied(meant, self._annotate(_HANDSHAKE), edits)
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
        hashed = self._applied(meant, self._annotate(_HANDSHAKE), _hashed(aimed))
        forms = self._forms(hashed, meant, _HANDSHAKE, aimed, where.epoch)
        moves = [edit for edit in aimed if _is_move(edit) and "transcript" in edit.repair]
        sent = self._moved("handshake", [forms], moves, lambda new: _Forms(new, new, new))
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
        made = _Sealing(
            Record(self._type(number, record.type), record.version, sealed),
            number,
            wire,
            len(record.fragment) if forms.keeps_length else None,
            below,
            forms.is_over,
        )
        early, _ = _divided(filter(_is_move, self._aimed(RECORD, number)))
        units = self._moved(
            "a record to be sealed", [made], early, lambda new: _Sealing(Record(record.type, record.version, new))
        )
        passed = self._whole(
            "a message to be sealed", units, above, forms.is_over, lambda new: _Sealing(Record(record.type, record.version, new))
        )
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
            aimed = self._aimed(RECORD, sealing.number)
            _, late = _divided(filter(_is_move, aimed))
            inner = self._inner(sealing.number, where.epoch)
            fields = [edit for edit in aimed if not _is_move(edit) and not _is_type(edit) and edit not in inner]
            if fields:
                out = self._applied(out, self._annotate_record(sealing.number), fields, note=True)
        units = self._moved("a record", [out], late, bytes)
        return self._whole("a message", units, sealing.moves, sealing.ends_message, bytes)

    # Which edits, and what they make of bytes

    def _aimed(self, thing: str, number: int) -> tuple[Edit, ...]:
        return tuple(edit for edit in self._edits if (edit.place.thing, edit.place.number) == (thing, number))

    def _met(self, thing: str) -> tuple[Edit, ...]:
        """The edits of the next message of this name, which has come."""
        self._names[thing] += 1
        return self._aimed(thing, self._names[thing])

    def _applied(self, raw: bytes, annotate: Annotate, edits: Iterable[Edit], *, note: bool = False) -> bytes:
        """The bytes after these edits of fields, one after the other; what one cannot do is noted, and the others go on."""
        for edit in edits:
            try:
                made = changes(raw, annotate(raw), edit)
            except UsageError as error:
                if note:
                    self._outcomes[edit] = Outcome(edit, str(error))
                continue
            if note:
                self._outcomes[edit] = Outcome(edit, "", raw[made[0].start : made[0].end], made[0].new)
            for change in made:
                raw = change.on(raw)
        return raw

    def _forms(self, hashed: bytes, meant: bytes, content_type: int, aimed: Iterable[Edit], epoch: int) -> _Forms:
        """All forms of a message that was meant to be `meant`, and is hashed as `hashed`."""
        fields = [edit for edit in aimed if not _is_move(edit)]
        moves = [edit for edit in aimed if _is_move(edit) and not (content_type == _HANDSHAKE and "transcript" in edit.repair)]
        if not fields:
            return _Forms(hashed, hashed, hashed, moves)
        annotate = self._annotate(content_type)
        wire = sealed = self._applied(meant, annotate, fields, note=True)
        if epoch:
            authentic, forged = _divided(fields)
            sealed = self._applied(meant, annotate, authentic)
            if len(sealed) != len(wire):
                for edit in forged:
                    self._outcomes[edit] = Outcome(
                        edit, "a sealed record cannot change its length and stay readable: repair the mac"
                    )
                wire = sealed
        keeps_length = not epoch and not any("lengths" in edit.repair for edit in fields)
        return _Forms(hashed, sealed, wire, moves, keeps_length=keeps_length)

    def _carried(self, record: Record, epoch: int) -> _Forms:
        """The message that a record carries: a part of the handshake message that is on its way, or the record's whole content."""
        if record.type == _HANDSHAKE and self._on_the_way:
            return self._on_the_way[0]
        cls = content_class(record.type)
        aimed = self._met(cls.path_name) if cls is not None else ()
        return self._forms(record.fragment, record.fragment, record.type, aimed, epoch)

    def _type(self, number: int, meant: int) -> int:
        """The type under which a record is sealed."""
        for edit in filter(_is_type, self._aimed(RECORD, number)):
            header = Record(meant, 0x0303, b"").to_bytes()
            meant = self._applied(header, lambda raw: annotate_record(raw, number), [edit], note=True)[0]
        return meant

    def _inner(self, number: int, epoch: int) -> list[Edit]:
        """The edits of what is inside a sealed record, behind its content."""
        outer = {name for name, _ in self._parts()} if epoch else set(_INNER)
        return [edit for edit in self._aimed(RECORD, number) if edit.place.fields[:1] and edit.place.fields[0] in _INNER - outer]

    def _resealed(self, raw: bytes, sealing: _Sealing, epoch: int) -> bytes:
        """The record with something else inside than was sealed, where an edit wants that."""
        sequence = self._sequences[epoch]
        self._sequences[epoch] += 1
        content, wire = sealing.record.fragment, sealing.record.fragment if sealing.wire is None else sealing.wire
        inner = [] if sealing.number is None else self._inner(sealing.number, epoch)
        if epoch not in self._resealers:
            self._resealers[epoch] = self._resealer(epoch)
        resealer = self._resealers[epoch]
        if resealer is None or (wire == content and not inner):
            return raw
        fragment, number = raw[HEADER_LENGTH:], sealing.number or 0
        old = resealer.inside(sequence, sealing.record.type, fragment, content)
        new = wire + old[len(content) :]
        new = self._applied(new, lambda data: resealer.spans(number, len(content), len(data)), inner, note=True)
        mac = wire == content and all("mac" in edit.repair for edit in inner)
        try:
            put = resealer.put(sequence, sealing.record.type, fragment, old, new, mac=mac)
        except UsageError as error:
            self._outcomes |= {edit: Outcome(edit, str(error)) for edit in inner}
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

    # Messages and records as a whole

    def _moved(self, what: str, items: list[Any], moves: Iterable[Edit], make: Callable[[bytes], Any]) -> list[Any]:
        """The items of one unit after what is done to it as a whole; what was held back, to change places with it, follows."""
        held = self._held.pop(what, None) if items else None
        for edit in moves:
            try:
                inserted = [make(encoded(edit.value, 0))] if edit.operation == "insert" else []
            except UsageError as error:
                self._outcomes[edit] = Outcome(edit, str(error))
                continue
            self._outcomes[edit] = Outcome(edit)
            if edit.operation == "swap":
                self._held[what], items = (edit, items), []
            else:
                items = {"delete": [], "duplicate": items * 2, "insert": inserted + items}[edit.operation]
        return items + (held[1] if held else [])

    def _whole(
        self, what: str, units: list[Any], moves: Sequence[Edit], is_over: bool, make: Callable[[bytes], Any]
    ) -> list[Any]:
        """As `_moved` for a message that comes in several records: they wait for each other where something is to be done to it."""
        if not moves and not (is_over and what in self._held):
            return units
        self._gathered[what] += units
        return self._moved(what, self._gathered.pop(what, []), moves, make) if is_over else []


def _is_move(edit: Edit) -> bool:
    """Whether an edit is about a message or record as a whole."""
    return not edit.place.fields and edit.operation in WHOLE


def _is_type(edit: Edit) -> bool:
    """Whether an edit changes the type under which a record is sealed."""
    return edit.place.fields == ("type",) and "mac" in edit.repair


def _hashed(aimed: Iterable[Edit]) -> list[Edit]:
    """The edits of fields that the sender means."""
    return [edit for edit in aimed if "transcript" in edit.repair and not _is_move(edit)]


def _divided(edits: Iterable[Edit], *, sealed: bool = False) -> tuple[list[Edit], list[Edit]]:
    """Those that are made before a record is sealed, and those after. `sealed`: in the clear the first are all."""
    listed = list(edits)
    before = [edit for edit in listed if sealed or "mac" in edit.repair]
    return before, [edit for edit in listed if edit not in before]
