"""The edits of one side on one connection: which of them are aimed at what, what they make of bytes, and what became of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from puretls.errors import UsageError
from puretls.inspect.edit import WHOLE, Edit, changes, encoded
from puretls.spans import Span
from puretls.text import counted
from puretls.values import frozen

Annotate = Callable[[bytes], Sequence[Span]]


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
    return (data.hex() if len(data) <= 32 else f"{data[:8].hex()}... ({counted(len(data), 'byte')})") or "nothing"


def is_order(edit: Edit) -> bool:
    """Whether an edit is about the order of the messages in a flight."""
    return edit.other is not None


def is_move(edit: Edit) -> bool:
    """Whether an edit is about a message or record as a whole."""
    return not edit.place.fields and edit.operation in WHOLE


class Book:
    """The edits, and what is held back for those that let two things change places."""

    def __init__(self, side: str, edits: Iterable[Edit]) -> None:
        self.edits: tuple[Edit, ...] = tuple(edit for edit in edits if edit.place.side == side)
        self._made: dict[Edit, Outcome] = {}
        self._gathered: defaultdict[str, list[Any]] = defaultdict(list)
        self._held: dict[str, tuple[Edit, list[Any]]] = {}

    def aimed(self, thing: str, number: int) -> tuple[Edit, ...]:
        """The edits of the message or record of this number, and of what is in it."""
        return tuple(
            edit for edit in self.edits if (edit.place.thing, edit.place.number) == (thing, number) and not is_order(edit)
        )

    def ordered(self, flight: Sequence[tuple[str, int]]) -> list[int]:
        """In which order the messages of a flight, of these names and numbers, are sent."""
        order = list(range(len(flight)))
        for edit in filter(is_order, self.edits):
            one, other = ((path.thing, path.number) for path in (edit.place, edit.other or edit.place))
            if one not in flight:
                continue
            if other not in flight:
                names = ", ".join(dict.fromkeys(name for name, _ in flight))
                self.refuse([edit], f"{edit.value} is not in that flight, which has {names}")
                continue
            first, second = (order.index(flight.index(at)) for at in (one, other))
            order[first], order[second] = order[second], order[first]
            self._made[edit] = Outcome(edit)
        return order

    def outcomes(self, missed: Callable[[Edit], str]) -> tuple[Outcome, ...]:
        """What became of the edits, in their order; `missed` says why the place of one was never reached."""
        alone = {edit for edit, _ in self._held.values()}
        problem = "nothing followed with which it could change places, so it was not sent"
        return tuple(
            Outcome(edit, problem) if edit in alone else self._made.get(edit) or Outcome(edit, missed(edit))
            for edit in self.edits
        )

    def refuse(self, edits: Iterable[Edit], problem: str) -> None:
        """These could not be made."""
        self._made |= {edit: Outcome(edit, problem) for edit in edits}

    def applied(self, raw: bytes, annotate: Annotate, edits: Iterable[Edit], *, note: bool = False) -> bytes:
        """The bytes after these edits of fields, one after the other; what one cannot do is noted, and the others go on."""
        for edit in edits:
            try:
                made = changes(raw, annotate(raw), edit)
            except UsageError as error:
                if note:
                    self.refuse([edit], str(error))
                continue
            if note:
                self._made[edit] = Outcome(edit, "", raw[made[0].start : made[0].end], made[0].new)
            for change in made:
                raw = change.on(raw)
        return raw

    def moved(self, what: str, items: list[Any], moves: Iterable[Edit], make: Callable[[bytes], Any]) -> list[Any]:
        """The items of one unit after what is done to it as a whole; what was held back, to change places with it, follows."""
        held = self._held.pop(what, None) if items else None
        for edit in moves:
            try:
                inserted = [make(encoded(edit.value, 0))] if edit.operation == "insert" else []
            except UsageError as error:
                self.refuse([edit], str(error))
                continue
            self._made[edit] = Outcome(edit)
            if edit.operation == "swap":
                self._held[what], items = (edit, items), []
            else:
                items = {"delete": [], "duplicate": items * 2, "insert": inserted + items}[edit.operation]
        return items + (held[1] if held else [])

    def whole(self, what: str, units: list[Any], moves: Sequence[Edit], is_over: bool, make: Callable[[bytes], Any]) -> list[Any]:
        """As `moved` for a message that comes in several records: they wait for each other where something is to be done to it."""
        if not moves and not (is_over and what in self._held):
            return units
        self._gathered[what] += units
        return self.moved(what, self._gathered.pop(what, []), moves, make) if is_over else []
