"""What is almost right: messages, records, flights and DER with edits made in them, by the paths of their fields.

Edits are those of `puretls.inspect`, so that what a strategy found is repeated by `puretls edit`. Those that cannot be made, because
another took their field away, are told and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from puretls.errors import UsageError
from puretls.iana import ContentType
from puretls.inspect.deeper import spans_of
from puretls.inspect.edit import WHOLE, Edit, changes, encoded
from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.key_exchange import KEY_EXCHANGES, KeyExchange
from puretls.messages.handshake import (
    CertificateRequest,
    CertificateStatus,
    HandshakeMessage,
    HelloRequest,
    NewSessionTicket,
    ServerHello,
    ServerHelloDone,
)
from puretls.messages.key_exchange import ServerKeyExchange
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.messages.registry import serialise_handshake
from puretls.paths import RECORD
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.spans import Span
from puretls.testing.flights import Flight
from puretls.testing.mapped import WIDTH, Annotate, Mapped, print_lines
from puretls.text import counted
from puretls.values import frozen
from puretls.wire.schema import Struct, serialise

REPAIRS: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "lengths": frozenset(("lengths",)),
    "mac": frozenset(("lengths", "mac")),
    "transcript": frozenset(("lengths", "mac", "transcript")),
}
"""What is put right after an edit, each with what stands before it: nothing; the lengths around it; the record is sealed after it, so that
it is authentic; its sender means it, hashes it, and goes on with it. In the clear the last two are "lengths"."""
_SERVERS = frozenset(
    cls.path_name
    for cls in (
        ServerHello,
        CertificateStatus,
        ServerKeyExchange,
        CertificateRequest,
        ServerHelloDone,
        NewSessionTicket,
        HelloRequest,
    )
)
"""Messages that only servers send."""


def repair_of(repair: str | Iterable[str]) -> frozenset[str]:
    """The repairs of an edit by one of the names of `REPAIRS`, or exactly these. Raises `UsageError` for a name that is none."""
    if not isinstance(repair, str):
        return frozenset(repair)
    if repair not in REPAIRS:
        raise UsageError(f"no repair is called {repair!r}; there are {', '.join(REPAIRS)}")
    return REPAIRS[repair]


@frozen
class Part:
    """Bytes with fields: a message, a record, a DER structure. `name` is how their paths begin, after the side."""

    name: str
    raw: bytes
    content_type: int = ContentType.HANDSHAKE
    key_exchange: KeyExchange | None = None
    """Of which the form of a message depends."""
    annotate: Annotate | None = None
    """What explains the bytes; None: what this content type has."""

    def __repr__(self) -> str:
        return f"Part({self.name!r}, {counted(len(self.raw), 'byte')})"

    def spans(self) -> Sequence[Span]:
        """Spans that tile `raw`."""
        return _spans(self)


@lru_cache(maxsize=512)
def _spans(part: Part) -> Sequence[Span]:
    if part.annotate is not None:
        return part.annotate(part.raw)
    if part.name.startswith(RECORD):
        body = len(part.raw) - HEADER_LENGTH
        return annotate_record(part.raw, int(part.name[len(RECORD) + 1 : -1]), (("fragment", body),) if body > 0 else ())
    return spans_of(part.content_type, part.raw, part.key_exchange)


def parts_of(value: Any) -> tuple[str, tuple[Part, ...]]:
    """Who sends a value, and its parts: of a message or record one, of a flight each message. Raises `UsageError` for other values."""
    match value:
        case Flight():
            return value.sender or "client", tuple(_part(message) for message in value.messages)
        case Struct():
            part = _part(value)
            return "server" if part.name in _SERVERS else "client", (part,)
        case Record():
            return "client", (Part(f"{RECORD}[0]", value.to_bytes(), value.type),)
        case Part():
            return "client", (value,)
        case Mapped():
            spans = value.spans
            name = spans[0].path.partition(".")[0] if spans else "Der"
            return "client", (Part(name, bytes(value), annotate=value.annotate),)
    raise UsageError(f"almost takes messages, records, flights and tapes, not {type(value).__name__}")


def _part(message: Struct) -> Part:
    if isinstance(message, HandshakeMessage):
        return Part(message.path_name, serialise_handshake(message), ContentType.HANDSHAKE, _key_exchange(message))
    if not hasattr(message, "content_type"):
        raise UsageError(f"{type(message).__name__} is no message: it travels in none of its own")
    return Part(message.path_name, serialise(message), message.content_type)


def _key_exchange(message: HandshakeMessage) -> KeyExchange | None:
    return next((how for how in KEY_EXCHANGES if type(message) in {how.server_message, how.client_message}), None)


@frozen
class Mutated:
    """Parts after edits. `original` are those before, `problems` says which edits could not be made, and why."""

    side: str
    original: tuple[Part, ...]
    edits: tuple[Edit, ...]
    parts: tuple[Part, ...]
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Mutated({', '.join(map(str, self.edits)) or 'no edit'}; {counted(len(self.data), 'byte')})"

    @property
    def data(self) -> bytes:
        """The bytes of all parts one behind the other."""
        return b"".join(part.raw for part in self.parts)

    @property
    def is_changed(self) -> bool:
        """Whether the bytes are others than before."""
        return self.data != b"".join(part.raw for part in self.original)

    def records(self, version: int = 0x0303, size: int = MAX_PLAINTEXT) -> bytes:
        """The parts in records in the clear, as they go onto the wire: each message in its own; a record is one already."""
        return b"".join(part.raw if part.name.startswith(RECORD) else _in_records(part, version, size) for part in self.parts)

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """The edits, and the map of the bytes after them."""
        yield from (str(edit) for edit in self.edits)
        yield from (f"not made: {problem}" for problem in self.problems)
        for part in self.parts:
            yield from hexdump(of_spans(part.raw, part.spans()), width)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For hypothesis: Python that makes the bytes, and their map as comments."""
        printer.text(f"bytes.fromhex({self.data.hex()!r})")
        print_lines(printer, self.lines())


def _in_records(part: Part, version: int, size: int) -> bytes:
    pieces = [part.raw[start : start + size] for start in range(0, len(part.raw) or 1, size)]
    return b"".join(Record(part.content_type, version, piece).to_bytes() for piece in pieces)


def mutate(value: Any, edits: Iterable[Edit]) -> Mutated:
    """The value with these edits made, one after the other. Raises `UsageError` for a value that has no fields."""
    side, original = parts_of(value)
    listed, parts, problems = tuple(edits), original, []
    for edit in listed:
        try:
            parts = _made(parts, edit)
        except UsageError as error:
            problems.append(f"{edit}: {error}")
    return Mutated(side, original, listed, parts, tuple(problems))


def _made(parts: tuple[Part, ...], edit: Edit) -> tuple[Part, ...]:
    index = _index(parts, edit)
    part = parts[index]
    if not edit.place.fields and edit.operation in WHOLE:
        return _moved(parts, index, edit)
    raw = part.raw
    _check_there(part.spans(), edit)
    for change in changes(raw, part.spans(), edit):
        raw = change.on(raw)
    return (*parts[:index], _with_raw(part, raw), *parts[index + 1 :])


def _check_there(spans: Sequence[Span], edit: Edit) -> None:
    """Raises `UsageError` where the field is gone. `changes` would look for names that are near, which takes longer than all the rest."""
    inside = edit.inside
    below = (f"{inside}.", f"{inside}[")
    if not any(span.path == inside or span.path.startswith(below) for span in spans):
        raise UsageError(f"there is no {inside}")


def _with_raw(part: Part, raw: bytes) -> Part:
    return Part(part.name, raw, part.content_type, part.key_exchange, part.annotate)


def _index(parts: Sequence[Part], edit: Edit) -> int:
    place = edit.place
    name = f"{RECORD}[{place.number}]" if place.thing == RECORD else place.thing
    found = [index for index, part in enumerate(parts) if part.name == name]
    nth = 1 if place.thing == RECORD else place.number
    if len(found) < nth:
        raise UsageError(f"there is no {place.thing} of this number")
    return found[nth - 1]


def _moved(parts: tuple[Part, ...], index: int, edit: Edit) -> tuple[Part, ...]:
    before, part, behind = parts[:index], parts[index], parts[index + 1 :]
    match edit.operation:
        case "delete":
            return before + behind
        case "duplicate":
            return (*before, part, part, *behind)
        case "insert":
            return (*before, _with_raw(part, encoded(edit.value, 0)), part, *behind)
    other = _other(parts, index, edit)
    swapped = list(parts)
    swapped[index], swapped[other] = swapped[other], swapped[index]
    return tuple(swapped)


def _other(parts: Sequence[Part], index: int, edit: Edit) -> int:
    """With which part another one changes places."""
    if edit.value:
        return _index(parts, Edit(edit.value, "delete"))
    if index + 1 == len(parts):
        raise UsageError("nothing follows with which it could change places")
    return index + 1
