"""Two runs of a tape side by side: where the first byte differs, in which field, and what became of either run from there on.

Pure functions from conversations to lines of text; they take a width and print nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence, Set
from itertools import zip_longest
from typing import TYPE_CHECKING

from puretls.display import in_notebooks
from puretls.iana import AlertDescription, known
from puretls.inspect.deeper import spans_of
from puretls.inspect.player import Replay
from puretls.messages.records import Alert
from puretls.record.framing import annotate_record
from puretls.spans import Span
from puretls.text import counted, printable
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.seen import MessageSeen, RecordSeen, StraySeen

TWO_COLUMNS = 100
"""Columns from which on the runs stand side by side; in fewer, one below the other."""
_BYTES = 16
"""Bytes of a field that are shown."""


@frozen
class Unit:
    """What is sent at a time: a record with the messages that begin in it, or bytes that are no record."""

    side: str
    raw: bytes
    what: str
    record: RecordSeen | None = None
    messages: tuple[MessageSeen, ...] = ()


def units(seen: Conversation) -> list[Unit]:
    """Records and strays of both sides, in order."""
    made: list[tuple[int, Unit]] = []
    for record in seen.records:
        held = tuple(m for m in seen.messages if m.side == record.side and m.records and m.records[0] == record.number)
        made.append((record.order, Unit(record.side, record.raw, _record(record, held), record, held)))
    made += [(stray.order, Unit(stray.side, stray.raw, _stray(stray))) for stray in seen.strays]
    return [unit for _, unit in sorted(made, key=lambda pair: pair[0])]


def _record(record: RecordSeen, held: Sequence[MessageSeen]) -> str:
    names = ", ".join(map(_message, held))
    if record.plaintext is None:
        return f"{record.name}, sealed: {record.problem}" if record.problem else f"{record.name}, sealed"
    return names or f"{record.name}, goes on"


def _message(seen: MessageSeen) -> str:
    if isinstance(seen.message, Alert):
        description = known(AlertDescription, seen.message.description)
        name = description.name.lower() if isinstance(description, AlertDescription) else str(description)
        return f"{seen.name} {name}"
    return seen.name + (" (does not parse)" if seen.message is None else "")


def _stray(stray: StraySeen) -> str:
    return f"no record: {stray.why}"


@frozen
class Comparison:
    """Both runs of connection `number`; `str` shows them side by side, and a notebook does, too."""

    before: Replay
    after: Replay
    number: int = 1

    def __str__(self) -> str:
        return "\n".join(compared(self.before, self.after, self.number))

    _repr_html_ = in_notebooks


# Lines


def compared(before: Replay, after: Replay, number: int = 1, *, width: int = 120) -> list[str]:
    """The lines that show both runs of a connection (from 1): the first byte that differs, its field, and each run to its outcome."""
    left, right = units(before.conversation(number)), units(after.conversation(number))
    first = _first_difference(left, right)
    outcomes = before.connection(number).outcome, after.connection(number).outcome
    if first is None:
        return [*_wrapped("Both runs are the same, byte for byte.", width), *_wrapped(f"outcome: {outcomes[0]}", width)]
    lines = _where(left, right, first, width)
    rows = [(told(one), told(other)) for one, other in zip_longest(left[first:], right[first:])]
    rows.append((f"outcome: {outcomes[0]}", f"outcome: {outcomes[1]}"))
    return [*lines, "", *side_by_side("as it was", "as edited", rows, width)]


def _first_difference(left: Sequence[Unit], right: Sequence[Unit]) -> int | None:
    pairs = zip_longest(left, right)
    return next(
        (at for at, (one, other) in enumerate(pairs) if not (one and other) or (one.side, one.raw) != (other.side, other.raw)),
        None,
    )


def _where(left: Sequence[Unit], right: Sequence[Unit], first: int, width: int) -> list[str]:
    """Which byte is the first to differ, and the fields that do in the record that holds it."""
    one, other = (run[first] if first < len(run) else None for run in (left, right))
    if one is None or other is None:
        return _wrapped(f"The runs are the same until {'the first' if one is None else 'the second'} one ends.", width)
    if one.side != other.side:
        return _wrapped(f"The runs are the same until the {one.side} goes on in one and the {other.side} in the other.", width)
    inside = next(
        (at for at, (a, b) in enumerate(zip(one.raw, other.raw, strict=False)) if a != b), min(len(one.raw), len(other.raw))
    )
    offset = sum(len(unit.raw) for unit in left[:first] if unit.side == one.side) + inside
    head = _wrapped(f"The first byte that differs is byte {offset} of what the {one.side} sends: {one.what}.", width)
    return [*head, *(line for row in _differences(one, other) for line in _wrapped(row, width, "  "))]


def _differences(one: Unit, other: Unit) -> Iterable[str]:
    """Field by field, what the two have that is not the same."""
    opened = all(unit.record is not None and unit.record.plaintext is not None and unit.messages for unit in (one, other))
    names = [{_numbered(seen, seen.name) for seen in unit.messages if opened} for unit in (one, other)]
    left, right = (_fields(unit, opened, names[0] & names[1]) for unit in (one, other))
    for path in dict.fromkeys((*left, *right)):
        old, new = left.get(path), right.get(path)
        if old is None or new is None or old[0] != new[0]:
            yield f"{path}: {_became(old, new)}"


_Field = tuple[bytes, Span]


def _fields(unit: Unit, opened: bool, common: Set[str]) -> dict[str, _Field]:
    """Fields by their paths: of the record, and where it could be opened, of the messages in it in place of its content.

    A message that is not among the `common` ones is one field.
    """
    found: dict[str, _Field] = {}
    if unit.record is not None:
        spans = annotate_record(unit.raw, unit.record.number, unit.record.parts)
        content = {f"record[{unit.record.number}].{part}" for part in ("fragment", "ciphertext")} if opened else set()
        found |= {
            f"{unit.side}.{span.path}": (unit.raw[span.start : span.end], span) for span in spans if span.path not in content
        }
    for seen in unit.messages if opened else ():
        name = _numbered(seen, seen.name)
        whole = [Span(0, len(seen.raw), seen.name, counted(len(seen.raw), "byte"))]
        spans = spans_of(seen.content_type, seen.raw, seen.key_exchange) if name in common else whole
        found |= {f"{unit.side}.{_numbered(seen, span.path)}": (seen.raw[span.start : span.end], span) for span in spans}
    return found


def _numbered(seen: MessageSeen, path: str) -> str:
    return path if seen.nth == 1 else path.replace(seen.name, f"{seen.name}#{seen.nth}", 1)


def _became(old: _Field | None, new: _Field | None) -> str:
    """Both values, from shortly before where they differ."""
    one, other = old[0] if old else b"", new[0] if new else b""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, same - 2) if max(len(one), len(other)) > _BYTES else 0
    return f"{_shown(old, start)} became {_shown(new, start)}" + (f" (from byte {start} on)" if start else "")


def _shown(field: _Field | None, start: int) -> str:
    if field is None:
        return "nothing"
    data, span = field
    part = data[start : start + _BYTES]
    digits = f"{'...' if start else ''}{part.hex()}{'...' if start + len(part) < len(data) else ''}"
    name = getattr(span.value, "name", None) or (span.value if isinstance(span.value, str) else None)
    return (digits or "no bytes") + (f" ({printable(str(name))[:60]})" if name else "")


def told(unit: Unit | None) -> str:
    """A unit in a line; "" for none."""
    if unit is None:
        return ""
    return f"{unit.side} {'->' if unit.side == 'client' else '<-'} {unit.what}, {counted(len(unit.raw), 'byte')}"


def side_by_side(left: str, right: str, rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Two columns with titles, each cell wrapped; below `TWO_COLUMNS` the one run below the other."""
    listed = list(rows)
    if width < TWO_COLUMNS:
        made: list[str] = []
        for title, column in ((left, 0), (right, 1)):
            cells = [row[column] for row in listed if row[column]]
            made += [*([""] if made else []), title, *(line for cell in cells for line in _wrapped(cell, width, "  "))]
        return made
    room = (width - 3) // 2
    made = [f"{left:<{room}} | {right}", f"{'-' * room}-+-{'-' * room}"]
    for row in listed:
        one, other = (_wrapped(cell, room) for cell in row)
        made += [f"{a or '':<{room}} | {b or ''}".rstrip() for a, b in zip_longest(one, other)]
    return made


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False) or [""]
