"""The ladder: messages as arrows between two columns of states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from puretls.iana import AlertDescription, ContentType, known
from puretls.inspect.render.palette import PLAIN, Marks, Palette
from puretls.inspect.seen import MessageSeen, RecordSeen
from puretls.messages.records import Alert
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

INNER = 44
"""Columns of an arrow, where there is room."""
REFUSED = " (refused)"
"""Behind the name of what its receiver may not take."""


@frozen
class Rung:
    """One message on its way, or `count` of the same kind. `size` in bytes; the states are those after sending and after receiving it."""

    from_client: bool
    name: str
    size: int
    client_state: str
    server_state: str
    protected: bool = False
    count: int = 1

    @property
    def label(self) -> str:
        """The name, and how many there are."""
        return self.name + (f" x {self.count}" if self.count > 1 else "")


def rungs(conversation: Conversation) -> list[Rung]:
    """The messages of a conversation, and records that could not be opened; data of one side that follows each other is one rung."""
    made: list[Rung] = []
    sealed = {(record.side, record.number) for record in conversation.records if record.epoch}
    states = ("", "")
    for seen in _in_order(conversation):
        if isinstance(seen, MessageSeen):
            states = states_text(seen.states_after.client), states_text(seen.states_after.server)
            protected = any((seen.side, number) in sealed for number in seen.records)
            rung = Rung(seen.side == "client", message_label(seen), len(seen.raw), *states, protected)
        else:
            rung = Rung(seen.side == "client", f"{seen.name}, encrypted", len(seen.raw), *states, protected=True)
        if made and seen.content_type == ContentType.APPLICATION_DATA and _goes_on(made[-1], rung):
            rung = _joined(made.pop(), rung)
        made.append(rung)
    return made


def _in_order(conversation: Conversation) -> list[MessageSeen | RecordSeen]:
    """Messages, each where its last record came, and the protected records that hold none which could be read."""
    orders = {(record.side, record.number): record.order for record in conversation.records}
    placed: list[tuple[int, int, MessageSeen | RecordSeen]] = [
        (max((orders[seen.side, number] for number in seen.records), default=-1), seen.order, seen)
        for seen in conversation.messages
    ]
    placed += [(record.order, 0, record) for record in conversation.records if record.plaintext is None and record.epoch]
    return [seen for _, _, seen in sorted(placed, key=lambda each: each[:2])]


def _goes_on(before: Rung, rung: Rung) -> bool:
    return (before.from_client, before.name) == (rung.from_client, rung.name)


def _joined(before: Rung, rung: Rung) -> Rung:
    return Rung(
        rung.from_client,
        rung.name,
        before.size + rung.size,
        rung.client_state,
        rung.server_state,
        rung.protected,
        before.count + 1,
    )


def message_label(seen: MessageSeen) -> str:
    """Its name; of an alert the description, too, and of what the receiver may not take that it is refused."""
    name = seen.name
    if isinstance(seen.message, Alert):
        description = known(AlertDescription, seen.message.description)
        name = f"Alert: {description.name.lower() if isinstance(description, AlertDescription) else int(description)}"
    return name + (REFUSED if seen.problem and seen.problem.refused else "")


def states_text(states: Iterable[str]) -> str:
    """Where an end may be: its state, or all that are possible."""
    return "|".join(states)


def state_path(
    conversation: Conversation, side: str, messages: Iterable[MessageSeen] | None = None
) -> list[tuple[tuple[str, ...], str]]:
    """The path of an end: its states in order, each with the message that led there; only by these `messages` where there are some.

    Several names where the observer cannot tell; "" for the first, and for what the end decided by itself, as by its verifier.
    """
    path: list[tuple[tuple[str, ...], str]] = []
    for seen in conversation.messages if messages is None else messages:
        before, after = getattr(seen.states_before, side), getattr(seen.states_after, side)
        if not path or not set(before) & set(path[-1][0]):
            path.append((before, ""))
        if after != path[-1][0]:
            path.append((after, seen.name))
    return path


def ladder(rungs: Sequence[Rung], width: int = 80, palette: Palette = PLAIN) -> list[str]:
    """Lines with an arrow a message, the client's states on the left and the server's on the right; flights stand apart.

    Double lines mark what travels encrypted. Arrows are shorter where that makes lines fit into `width` columns; where even the
    shortest do not fit, the states stand in a line of their own below the arrow.
    """
    left = max([len("client"), *(len(rung.client_state) for rung in rungs)])
    right = max([len("server"), *(len(rung.server_state) for rung in rungs)])
    shortest = max([0, *(_shortest(rung) for rung in rungs)])
    beside = left + shortest + right + 4 <= width
    inner = max(shortest, min(INNER, width - left - right - 4) if beside else min(width, left + 2 + right))
    heads = f"{'client':<{left}}  {'':<{inner}}  server" if beside else f"client{'server':>{inner - len('client')}}"
    lines = [palette.paint("title", heads)]
    before: Rung | None = None
    for rung in rungs:
        if before is not None and before.from_client != rung.from_client:
            lines.append("")
        arrow = palette.paint(_role(rung), _arrow(rung, palette.marks, inner))
        if beside:
            states = palette.paint("state", rung.client_state.ljust(left)), palette.paint("state", rung.server_state)
            lines.append(f"{states[0]}  {arrow}  {states[1]}".rstrip())
        else:
            lines += [arrow, *_below(rung, inner, palette)]
        before = rung
    return lines


def _below(rung: Rung, inner: int, palette: Palette) -> list[str]:
    """Both states in a line; in lines of their own where they do not fit into one."""
    space = inner - len(rung.client_state) - len(rung.server_state)
    if space > 0 or not rung.server_state:
        lines = [f"{rung.client_state}{' ' * max(space, 0)}{rung.server_state}".rstrip()]
    else:
        lines = _alternatives(rung.client_state, inner)
        lines += [line.rjust(inner) for line in _alternatives(rung.server_state, inner)]
    return [palette.paint("state", line) for line in lines]


def _alternatives(states: str, width: int) -> list[str]:
    """Lines of states that are possible, broken between two of them."""
    lines = [""]
    for state in states.split("|"):
        joined = f"{lines[-1]}|{state}" if lines[-1] else state
        if lines[-1] and len(joined) >= width:
            lines[-1] += "|"
            lines.append(state)
        else:
            lines[-1] = joined
    return lines


def _role(rung: Rung) -> str:
    if rung.name.endswith(REFUSED) or (rung.name.startswith("Alert") and not rung.name.endswith("close_notify")):
        return "fault"
    return "sealed" if rung.protected else "field"


def _shortest(rung: Rung) -> int:
    return len(f" {rung.label} ") + len(f" {rung.size} ") + 6


def _arrow(rung: Rung, marks: Marks, inner: int) -> str:
    line = marks.double if rung.protected else marks.line
    text, size = f" {rung.label} ", f" {rung.size} "
    fill = inner - len(text) - len(size) - 5
    if rung.from_client:
        return line * 2 + text + line * fill + size + line * 2 + marks.right
    return marks.left + line * 2 + size + line * fill + text + line * 2
