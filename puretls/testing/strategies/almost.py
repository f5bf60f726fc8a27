"""`almost(x)`: what x is, but for a few edits by path; shrinks to none, then to the earliest field, then to one bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any

from hypothesis import strategies as st

from puretls.inspect.conversation import Conversation
from puretls.inspect.edit import Edit
from puretls.inspect.player import replay
from puretls.inspect.tape import Tape
from puretls.paths import RECORD
from puretls.spans import Span
from puretls.testing.mutated import Part, mutate, parts_of, repair_of
from puretls.testing.strategies.fields import indices
from puretls.text import counted
from puretls.values import frozen

Strategy = st.SearchStrategy
MOST = 3
"""Edits at most, unless told otherwise."""


MOVES = ("delete message", "duplicate message", "swap messages", "insert message")
"""What is done to a whole message: apart from what is done to fields, which are many more."""


@frozen
class _Target:
    """A place that edits can be made at: a field, an item of a list, a whole message."""

    path: str
    data: bytes = b""
    value: object = None
    operations: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    """The other items of its list, or the other messages."""


class _Targets(tuple[_Target, ...]):
    """Places, of which the `repr` of a strategy tells the number only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return counted(len(self), "place")


def almost(x: Any, repair: str | Iterable[str] = "none", *, most: int = MOST) -> Strategy[Any]:
    """A message, record, flight, part or tape, or what a strategy of these gives, with up to `most` edits: a `Mutated`, or a `Tape`.

    Edits set, flip, duplicate, delete, swap, reorder, retype, truncate and splice fields and messages, and lie about lengths. `repair`
    says what is put right afterwards: "none", "lengths", "mac" or "transcript" (see `mutated.REPAIRS`). Shrinks to no edit, then to the
    earliest field, then to one bit. Raises `UsageError` for a repair that is none.
    """
    repairs = repair_of(repair)
    if isinstance(x, st.SearchStrategy):
        return _almost_drawn(x, repairs, most)
    return _almost_fixed(x, repairs, most)


@st.composite
def _almost_drawn(draw: Any, values: Strategy[Any], repairs: frozenset[str], most: int) -> Any:
    return draw(_almost_fixed(draw(values), repairs, most))


def _almost_fixed(value: Any, repairs: frozenset[str], most: int) -> Strategy[Any]:
    if isinstance(value, Tape):
        return _edits(targets_of_tape(value), repairs, most).map(lambda edits: replace(value, edits=(*value.edits, *edits)))
    side, parts = parts_of(value)
    return _edits(targets_of(side, parts), repairs, most).map(lambda edits: mutate(value, edits))


@lru_cache(maxsize=256)
def _edits(targets: _Targets, repairs: frozenset[str], most: int) -> Strategy[list[Edit]]:
    return st.lists(_edit(_Choices(targets), repairs), max_size=most) if targets else st.just([])


class _Choices:
    """For each operation, in the order in which they shrink, the places at which it can be made."""

    def __init__(self, targets: _Targets) -> None:
        self.targets = targets
        self.rows = [(name, found) for name in _DRAWN if (found := [one for one in targets if name in one.operations])]

    def __repr__(self) -> str:
        return repr(self.targets)


@st.composite
def _edit(draw: Any, choices: _Choices, repairs: frozenset[str]) -> Edit:
    operation, places = choices.rows[draw(indices(len(choices.rows)))]
    return _DRAWN[operation](draw, places[draw(indices(len(places)))], repairs, choices.targets)


# Where edits can be made


@lru_cache(maxsize=256)
def targets_of(side: str, parts: tuple[Part, ...]) -> _Targets:
    """All places in these parts, in the order of their bytes; a message stands behind its fields."""
    found: list[_Target] = []
    counts: dict[str, int] = {}
    names = []
    for part in parts:
        counts[part.name] = counts.get(part.name, 0) + 1
        number = f"#{counts[part.name]}" if counts[part.name] > 1 else ""
        names.append(f"{side}.{part.name}{number}")
    for name, part in zip(names, parts, strict=True):
        found += _fields(name, part.name, part.raw, part.spans())
        if len(parts) > 1:
            others = tuple(other for other in names if other != name)
            found.append(_Target(name, part.raw, None, MOVES, others))
    return _Targets(found)


def _fields(name: str, inner: str, raw: bytes, spans: Sequence[Span]) -> Iterator[_Target]:
    """The fields of a part, and the items of its lists, each before what is in it."""
    items = _items(spans)
    told: set[str] = set()
    for before, span in zip((None, *spans), spans, strict=False):
        for item in _around(span.path, items):
            if item not in told:
                told.add(item)
                below = [one for one in spans if one.path == item or one.path.startswith((f"{item}.", f"{item}["))]
                data = raw[below[0].start : below[-1].end]
                peers = tuple(name + one.removeprefix(inner) for one in items[_list_of(item)] if one != item)
                moves = ("delete", "duplicate", "swap", "insert") if peers else ("delete", "duplicate", "insert")
                yield _Target(name + item.removeprefix(inner), data, None, moves, peers)
        if not span.fault and span.end > span.start:
            yield _Target(name + span.path.removeprefix(inner), raw[span.start : span.end], span.value, _operations(span, before))


def _list_of(item: str) -> str:
    return item[: item.rindex("[")]


def _items(spans: Sequence[Span]) -> Mapping[str, list[str]]:
    """The items of each list, by the path of the list."""
    found: dict[str, list[str]] = {}
    for span in spans:
        end = -1
        while (end := span.path.find("]", end + 1)) >= 0:
            item = span.path[: end + 1]
            if item.startswith(RECORD) and "." not in item:
                continue
            listed = found.setdefault(_list_of(item), [])
            if item not in listed:
                listed.append(item)
    return found


def _around(path: str, items: Mapping[str, list[str]]) -> Iterator[str]:
    """The items that a field is in, the outermost first."""
    end = -1
    while (end := path.find("]", end + 1)) >= 0:
        item = path[: end + 1]
        if "[" in item and _list_of(item) in items:
            yield item


def _operations(span: Span, before: Span | None) -> tuple[str, ...]:
    if span.path.endswith(".length") and isinstance(span.value, int):
        of_der = before is not None and before.path == span.path.removesuffix("length") + "tag"
        return ("flip", "lie", "set", *(("reform",) if of_der else ()), "delete")
    wide = ("truncate",) if span.end - span.start > 1 else ()
    retyped = ("retype",) if isinstance(span.value, IntEnum) else ()
    return ("flip", *retyped, "set", "splice", *wide, "delete", "duplicate")


_PLAYED: dict[str, _Targets] = {}
_KEPT = 64


def targets_of_tape(tape: Tape) -> _Targets:
    """All places in what both ends of a tape send, played once without edits: messages, their fields, and the headers of records."""
    key = tape.dumps()
    if key not in _PLAYED:
        if len(_PLAYED) >= _KEPT:
            _PLAYED.clear()
        _PLAYED[key] = targets_of_conversation(replay(replace(tape, edits=())).conversation())
    return _PLAYED[key]


def targets_of_conversation(conversation: Conversation, sides: Iterable[str] = ("client", "server")) -> _Targets:
    """All places in what these sides sent."""
    return _Targets(target for side in sides for target in _sent_by(conversation, side))


def edit_of(targets: _Targets, repair: str | Iterable[str] = "none") -> Strategy[Edit]:
    """One edit at one of these places."""
    return _edit(_Choices(targets), repair_of(repair))


def edits_of(targets: _Targets, repair: str | Iterable[str] = "none", *, most: int = MOST) -> Strategy[tuple[Edit, ...]]:
    """Up to `most` edits at these places, for whoever sends them."""
    return _edits(targets, repair_of(repair), most).map(tuple)


def _sent_by(conversation: Conversation, side: str) -> Iterator[_Target]:
    for one in conversation.messages:
        if one.side == side and one.message is not None:
            part = Part(one.name, one.raw, one.content_type, one.key_exchange)
            yield from _fields(one.path, one.name, one.raw, part.spans())
            yield _Target(one.path, one.raw, None, MOVES[:3])
    for record in conversation.records:
        if record.side == side:
            head = Part(f"{RECORD}[{record.number}]", record.raw)
            yield from _fields(f"{side}.{head.name}", head.name, record.raw, head.spans())


# What is drawn for each operation

_Draw = Callable[[Any, _Target, frozenset[str], _Targets], Edit]


@cache
def _bits(width: int) -> Strategy[int]:
    return st.integers(0, 8 * width - 1)


def _flip(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    mask = 1 << draw(_bits(len(target.data)))
    return Edit(target.path, "flip", f"hex:{mask.to_bytes(len(target.data)).hex()}", repairs)


def _set(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    return Edit(target.path, "set", f"hex:{draw(_contents(len(target.data))).hex()}", repairs)


@cache
def _contents(width: int) -> Strategy[bytes]:
    """Bytes in place of so many: zeros, ones, others, none, more."""
    largest, middle = b"\xff" * width, b"\x7f" + b"\xff" * (width - 1)
    edges = (bytes(width), largest, (1).to_bytes(width), middle, b"", bytes(width + 1))
    return st.sampled_from(edges) | st.binary(min_size=width, max_size=width) | st.binary(max_size=min(width + 8, 64))


def _retype(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    assert isinstance(target.value, IntEnum)
    number = draw(st.sampled_from(tuple(type(target.value))))
    return Edit(target.path, "set", f"hex:{int(number).to_bytes(len(target.data)).hex()}", repairs)


def _splice(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    """The bytes of another place."""
    other = targets[draw(indices(len(targets)))]
    return Edit(target.path, "set", f"hex:{other.data.hex()}", repairs)


def _lie(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    width = len(target.data)
    last = 256**width - 1
    said = draw(
        st.sampled_from(("+1", "-1", "+2", "+255", "0", "1", str(last), str(last // 2 + 1))) | st.integers(0, last).map(str)
    )
    return Edit(target.path, "lie", said, repairs)


def _reform(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    """A length of DER in another form (X.690 8.1.3): indefinite, longer than it need be, of more bytes than there are."""
    number = target.value if isinstance(target.value, int) else 0
    longer = b"\x84" + number.to_bytes(4), b"\x88" + number.to_bytes(8)
    forms = (b"\x80", *longer, b"\x84\xff\xff\xff\xff", b"\x89" + bytes(9), b"\xff")
    return Edit(target.path, "set", f"hex:{draw(st.sampled_from(forms)).hex()}", repairs)


def _truncate(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    return Edit(target.path, "truncate", str(draw(st.integers(0, len(target.data) - 1))), repairs)


def _whole(operation: str) -> _Draw:
    def drawn(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
        draw(st.booleans())  # nothing depends on it: no edit costs fewer choices than the flip of a bit, to which all shrink
        return Edit(target.path, operation, "", repairs)

    return drawn


def _swap(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    """With its neighbour, or with any other of its list."""
    number = draw(indices(max(len(target.peers), 2)))
    other = target.peers[number] if number < len(target.peers) else ""
    return Edit(target.path, "swap", other, repairs)


def _swap_messages(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    """With what follows; where their sender means it, with any other of the flight."""
    edit = _swap(draw, target, repairs if "transcript" in repairs else repairs | {"transcript"}, targets)
    return edit if "transcript" in repairs else Edit(target.path, "swap", "", repairs)


def _insert(draw: Any, target: _Target, repairs: frozenset[str], targets: _Targets) -> Edit:
    """Something of the same list, of another place, or any bytes, in front of it."""
    other = targets[draw(indices(len(targets)))].data
    data = draw(st.sampled_from((target.data, other)) | st.binary(min_size=1, max_size=16)) or b"\x00"
    return Edit(target.path, "insert", f"hex:{data.hex()}", repairs)


_DRAWN: Mapping[str, _Draw] = {
    "flip": _flip,
    "set": _set,
    "retype": _retype,
    "splice": _splice,
    "lie": _lie,
    "reform": _reform,
    "truncate": _truncate,
    "delete": _whole("delete"),
    "duplicate": _whole("duplicate"),
    "swap": _swap,
    "insert": _insert,
    "delete message": _whole("delete"),
    "duplicate message": _whole("duplicate"),
    "swap messages": _swap_messages,
    "insert message": _insert,
}
