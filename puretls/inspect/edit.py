"""Edit: one change to what an end sends, said by a path; and what it makes of the bytes of a message or a record.

An edit is a value: path, operation, what to put there, and which things that depend on the bytes are put right afterwards (the repair).
Everything here is pure; `puretls.inspect.editor` applies edits while a connection runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, Self

from puretls.arguments import described
from puretls.errors import UsageError
from puretls.paths import RECORD, Path, parse_path
from puretls.spans import Span
from puretls.values import frozen

OPERATIONS: Mapping[str, str] = {
    "set": "put VALUE there",
    "flip": "flip the bits of VALUE, a mask that ends where the field ends (1: the last bit)",
    "delete": "take it out",
    "duplicate": "send it twice",
    "swap": "let it change places with the field VALUE, or with what follows it in its list; a message with another of its flight, VALUE",
    "insert": "put VALUE in front of it",
    "lie": "have its length say so much more, or less (VALUE is +1, -2, or a number)",
    "truncate": "keep its first VALUE bytes only (all but the last byte)",
}
"""What can be done to a field, and how it is said."""
WHOLE = ("delete", "duplicate", "swap", "insert")
"""Operations that a whole message or record can be the object of."""
REPAIRS: Mapping[str, str] = {
    "lengths": "the length fields around it fit",
    "transcript": "the sending end means it: it hashes, and goes on with, what it sent",
    "mac": "the record is sealed after the edit, so that it is authentic",
}
"""What may be put right after an edit. Nothing: the bytes change on the wire, as somebody between the two ends would change them."""
EVERYTHING = frozenset(REPAIRS)


@frozen
class Edit:
    """`path` begins with the side that sends: "client.ClientHello.cipher_suites[0]", "server.record[4].tag", "server.Certificate".

    `value` is written as people write it: a number in the width of the field (`771`, `0x0303`), `hex:...` or `text:...` for bytes as they
    are, or a name of the field's registry. `connection` says in which of a tape's connections, from 1.
    """

    path: str
    operation: str = "set"
    value: str = ""
    repair: frozenset[str] = EVERYTHING
    connection: int = 1

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise UsageError(f"no operation is called {self.operation!r}; there are {', '.join(OPERATIONS)}")
        if not isinstance(self.value, str):
            raise UsageError(f"the value of an edit is text, not {described(self.value)}")
        if self.operation in {"set", "insert"} and not self.value:
            raise UsageError(f"{self.operation} {self.path} needs a value: a number, hex:..., text:... or a name")
        place = self.place
        if not place.side:
            raise UsageError(f"{self.path!r} does not say who sends it: begin with client. or server.")
        if not place.fields and self.operation in {"set", "flip", "lie", "truncate"} and place.thing == RECORD:
            raise UsageError(f"{self.operation} needs a field of the record, such as {self.path}.length")
        if self.operation == "swap" and self.value and not place.fields:
            self._check_flight()
        if self.connection < 1:
            raise UsageError(f"{self.path}: connections count from 1: there is no connection {self.connection}")
        unknown = self.repair - EVERYTHING
        if unknown:
            raise UsageError(f"no repair is called {min(unknown)!r}; there are none, {', '.join(REPAIRS)}")

    def _check_flight(self) -> None:
        other = parse_path(self.value)
        if RECORD in (self.place.thing, other.thing) or other.fields:
            raise UsageError(
                f"{self.path} changes places with what follows, or with another message of its flight: {self.value} is none"
            )
        if other.side not in {"", self.place.side}:
            raise UsageError(f"{self.path} and {self.value} are not of one side")
        if "transcript" not in self.repair:
            raise UsageError(f"who changes places of {self.path} and {self.value} is their sender: repair the transcript")

    @property
    def other(self) -> Path | None:
        """The message that a message changes places with, where that is one of its flight; None for all other edits."""
        return parse_path(self.value) if self.operation == "swap" and self.value and not self.place.fields else None

    @property
    def place(self) -> Path:
        """The path taken apart."""
        return parse_path(self.path)

    @property
    def inside(self) -> str:
        """The path without the side, as the spans of a message or record have it: "ClientHello.random" also for ClientHello#2."""
        place = self.place
        thing = f"{RECORD}[{place.number}]" if place.thing == RECORD else place.thing
        return ".".join((thing, *place.fields))

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        repaired = ",".join(name for name in REPAIRS if name in self.repair) or "none"
        return f"{self.operation} {self.path}{value} (repair: {'all' if self.repair == EVERYTHING else repaired})"

    def to_json(self) -> Any:
        """As a tape's file has it."""
        made: dict[str, Any] = {"path": self.path, "operation": self.operation}
        made |= {"value": self.value} if self.value else {}
        made |= {"repair": [name for name in REPAIRS if name in self.repair]}
        return made | ({"connection": self.connection} if self.connection != 1 else {})

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Raises `UsageError`."""
        match value:
            case {"path": str(path), "operation": str(operation), **more}:
                rest: dict[Any, Any] = dict(more)
                text, repair, number = rest.pop("value", ""), rest.pop("repair", list(REPAIRS)), rest.pop("connection", 1)
                if not rest and isinstance(repair, list) and type(number) is int:
                    return cls(path, operation, text, frozenset(map(str, repair)), number)
        raise UsageError('an edit has "path" and "operation", and perhaps "value", "repair" (a list) and "connection" (from 1)')


def parse_repair(text: str) -> frozenset[str]:
    """A list such as "lengths,mac"; "all", "none". Raises `UsageError`."""
    if text in {"all", "none"}:
        return EVERYTHING if text == "all" else frozenset()
    found = frozenset(text.split(","))
    if not found <= EVERYTHING:
        raise UsageError(f"no repair is called {min(found - EVERYTHING)!r}; there are none, {', '.join(REPAIRS)} and all")
    return found


# Where


@frozen
class Place:
    """The bytes that a path stands for. `whole` includes the tag and the length in front of what has them."""

    content: slice
    whole: slice
    span: Span | None
    """The one field, where the path is that of one; None for lists and structs."""


def locate(spans: Sequence[Span], path: str) -> Place:
    """Where in the bytes that these spans tile the path is. Raises `UsageError` with paths that are near."""
    for span in spans:
        if span.path == path:
            return Place(slice(span.start, span.end), slice(span.start, span.end), span)
    below = [span for span in spans if span.path.startswith((f"{path}.", f"{path}["))]
    if not below:
        raise UsageError(f"there is no {path}{_hint(spans, path)}")
    start, stop = below[0].start, below[-1].end
    heads = {f"{path}.{name}" for name in ("msg_type", "tag", "length")}
    inner = next((span.start for span in below if span.path not in heads), stop)
    return Place(slice(inner, stop), slice(start, stop), None)


def _hint(spans: Sequence[Span], path: str) -> str:
    paths = [span.path for span in spans]
    near = get_close_matches(path, paths, n=3, cutoff=0.6) or paths[:3]
    return f"; there are, for example, {', '.join(near)}" if near else ""


# What


def encoded(value: str, width: int, sample: object = None) -> bytes:
    """The bytes that a value stands for in a field of `width` bytes; `sample` is what the field holds, which tells its registry.

    Raises `UsageError`.
    """
    if value.startswith("hex:"):
        try:
            return bytes.fromhex(value[4:])
        except ValueError:
            raise UsageError(f"{value[:40]!r}: hexadecimal digits come in pairs") from None
    if value.startswith("text:"):
        return value[5:].encode()
    number = _number(value)
    if number is None:
        registry = type(sample)
        if not issubclass(registry, IntEnum):
            raise UsageError(f"{value[:40]!r} is no number; bytes are written hex:... or text:...")
        by_name = {name.upper(): member for name, member in registry.__members__.items()}
        if value.upper() not in by_name:
            near = get_close_matches(value.upper(), by_name, n=3)
            raise UsageError(
                f"no {registry.__name__} is called {value[:40]!r}" + (f"; did you mean {', '.join(near)}?" if near else "")
            )
        number = int(by_name[value.upper()])
    if value.startswith("0x"):
        width = max(width, (len(value) - 1) // 2) if len(value) % 2 == 0 else width
    if number < 0 or number >= 1 << 8 * width:
        raise UsageError(f"{value[:40]} does not fit {width} bytes: write hex:... for bytes of another length")
    return number.to_bytes(width)


def _number(text: str) -> int | None:
    if re.fullmatch(r"0x[0-9a-fA-F]+|[0-9]+", text):
        return int(text, 0 if text.startswith("0x") else 10)
    return None


@frozen
class Change:
    """Bytes `start` up to but not including `end` become `new`."""

    start: int
    end: int
    new: bytes

    def on(self, data: bytes) -> bytes:
        """The data with the change made."""
        return data[: self.start] + self.new + data[self.end :]


def changes(raw: bytes, spans: Sequence[Span], edit: Edit) -> list[Change]:
    """What a field's edit does to these bytes, the last in them first. Raises `UsageError` where it cannot be done.

    The first of them is the edit itself; where `lengths` are repaired, those of the length fields around it follow.
    """
    made = _OPERATIONS[edit.operation](raw, spans, edit)
    if "lengths" in edit.repair:
        delta = len(made.new) - (made.end - made.start)
        return [made, *_lengths(raw, spans, made, delta)] if delta else [made]
    return [made]


def edited(raw: bytes, spans: Sequence[Span], edit: Edit) -> bytes:
    """The bytes after the edit of a field in them, the lengths around it as its repair says. Raises `UsageError`."""
    for change in changes(raw, spans, edit):
        raw = change.on(raw)
    return raw


def _set(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    place = _content(spans, edit.inside)
    at = place.content
    sample = place.span.value if place.span else None
    return Change(at.start, at.stop, encoded(edit.value, at.stop - at.start, sample))


def _content(spans: Sequence[Span], path: str) -> Place:
    """As `locate`; a field that is empty has no bytes, but a length of zero, after which it would stand."""
    try:
        return locate(spans, path)
    except UsageError:
        for span in spans:
            if span.path == f"{path}.length" and span.value == 0:
                return Place(slice(span.end, span.end), slice(span.end, span.end), None)
        raise


def _flip(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    at = locate(spans, edit.inside).content
    width = at.stop - at.start
    mask = encoded(edit.value or "1", width)
    if len(mask) != width or not any(mask):
        raise UsageError(f"a mask of {width} bytes is wanted for {edit.path}, which flips a bit at least")
    return Change(at.start, at.stop, bytes(a ^ b for a, b in zip(raw[at], mask, strict=True)))


def _delete(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    at = locate(spans, edit.inside).whole
    return Change(at.start, at.stop, b"")


def _duplicate(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    at = locate(spans, edit.inside).whole
    return Change(at.start, at.stop, raw[at] * 2)


def _swap(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    other = edit.value.removeprefix(f"{edit.place.side}.") if edit.value else _next(edit.inside)
    if "#" in other:
        other = Path(edit.place.thing, 1, parse_path(other).fields).__str__()
    one, two = sorted((locate(spans, edit.inside).whole, locate(spans, other).whole), key=lambda at: at.start)
    if one.stop > two.start:
        raise UsageError(f"{edit.path} and {other} are one inside the other: they cannot change places")
    return Change(one.start, two.stop, raw[two] + raw[one.stop : two.start] + raw[one])


def _next(path: str) -> str:
    found = re.fullmatch(r"(.*\[)([0-9]+)\]", path)
    if found is None:
        raise UsageError(f"{path} is no item of a list: swap needs the field to change places with, as a value")
    return f"{found[1]}{int(found[2]) + 1}]"


def _insert(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    place = _content(spans, edit.inside)
    sample = place.span.value if place.span else None
    new = encoded(edit.value, place.content.stop - place.content.start, sample)
    return Change(place.whole.start, place.whole.start, new)


def _lie(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    path = edit.inside if edit.inside.endswith(".length") else f"{edit.inside}.length"
    place = locate(spans, path)
    if place.span is None or not isinstance(place.span.value, int):
        raise UsageError(f"{path} is no length")
    value = edit.value or "+1"
    said = place.span.value + int(value) if re.fullmatch(r"[+-][0-9]+", value) else _number(value)
    if said is None or said < 0:
        raise UsageError(f"{value[:40]!r} is no length to lie with: write +1, -2, or a number")
    old = raw[place.content]
    return Change(place.content.start, place.content.stop, _length(old, said, der=_is_der(spans, place.span)))


def _truncate(raw: bytes, spans: Sequence[Span], edit: Edit) -> Change:
    at = locate(spans, edit.inside).content
    size = at.stop - at.start
    kept = size - 1 if not edit.value else _number(edit.value)
    if kept is None or not 0 <= kept < size:
        raise UsageError(f"{edit.path} has {size} bytes: truncate keeps fewer, not {edit.value[:40] or kept}")
    return Change(at.start + kept, at.stop, b"")


_OPERATIONS = {
    "set": _set,
    "flip": _flip,
    "delete": _delete,
    "duplicate": _duplicate,
    "swap": _swap,
    "insert": _insert,
    "lie": _lie,
    "truncate": _truncate,
}


# Lengths


def _lengths(raw: bytes, spans: Sequence[Span], made: Change, delta: int) -> Iterable[Change]:
    """The length fields whose extent holds the edit, the innermost first: each says what it holds after those inside it have changed."""
    around = [
        span
        for span in spans
        if span.path.endswith(".length")
        and type(span.value) is int
        and span.end <= made.start
        and made.end <= span.end + span.value <= len(raw)
    ]
    for span in reversed(around):
        old = raw[span.start : span.end]
        new = _length(old, int(str(span.value)) + delta, der=_is_der(spans, span))
        delta += len(new) - len(old)
        yield Change(span.start, span.end, new)


def _is_der(spans: Sequence[Span], length: Span) -> bool:
    """Whether a length is one of DER: those of TLS have no tag in front."""
    tag = length.path.removesuffix("length") + "tag"
    return any(span.path == tag and span.end == length.start for span in spans)


def _length(old: bytes, number: int, *, der: bool) -> bytes:
    """A length field that says `number`: of DER in the shortest form (X.690 10.1), of TLS as wide as it was."""
    if not der:
        if number >> 8 * len(old):
            raise UsageError(f"a length of {number} does not fit the {len(old)} bytes of its field")
        return number.to_bytes(len(old))
    if number < 0x80:
        return bytes((number,))
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return bytes((0x80 | len(octets),)) + octets
