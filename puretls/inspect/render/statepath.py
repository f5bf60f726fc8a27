"""The states of both ends as a picture: all that there are, from top to bottom, and the way that a conversation took."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from puretls.handshake.states import ClientState, Role, ServerState
from puretls.handshake.table import TABLES
from puretls.inspect.render.ladder import state_path
from puretls.inspect.render.markup import Html, element
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.seen import MessageSeen

_STATES: dict[str, type[Enum]] = {"client": ClientState, "server": ServerState}
_WIDTH, _ROW, _BOX, _LEFT, _BOX_WIDTH = 460, 46, 36, 8, 316


@frozen
class Move:
    """One end went from one state to another by a message, or by itself ("")."""

    before: str
    after: str
    message: str


def _moves(conversation: Conversation, side: str, messages: Iterable[MessageSeen] | None) -> list[Move]:
    """The way of one end; where several states are possible, the first of them."""
    return [
        Move(before[0], after[0], message)
        for (before, _), (after, message) in pairwise(state_path(conversation, side, messages))
        if before[0] != after[0]
    ]


def arrowhead() -> Html:
    """What the arrows of the pictures end in: once on a page."""
    arrow = element("marker", element("path", d="M0 0L8 4L0 8z"), id="head", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=7,
                    markerHeight=7, orient="auto")  # fmt: skip
    return element("svg", element("defs", arrow), class_="defs", width=0, height=0, aria_hidden="true")


def state_picture(conversation: Conversation, side: str, messages: Iterable[MessageSeen] | None = None, *, now: str = "") -> Html:
    """An SVG of the states of "client" or "server" with the path taken; every state has the id `state-SIDE-NAME`.

    The path is that by these `messages` (None: all). `now` is the state in which the end is known to be, which is marked; where no message
    led there, the end went there by itself.
    """
    states = list(_STATES[side])
    at = {state.name: index for index, state in enumerate(states)}
    taken = [move for move in _moves(conversation, side, messages) if move.before in at and move.after in at]
    if taken and now and taken[-1].after != now:
        taken.append(Move(taken[-1].after, now, ""))
    been = {name for move in taken for name in (move.before, move.after)}
    legal = {(row.state.name, target.name) for row in TABLES[Role(side)] for target in row.next_states}
    walked = {(move.before, move.after) for move in taken}
    arcs = [_arc(at[start], at[end], "may") for start, end in sorted(legal - walked) if start != end]
    arcs += [_arc(at[start], at[end], "took") for start, end in sorted(walked)]
    looks = dict.fromkeys(been, "been") | {now: "been now"}
    boxes = [_box(side, state, at[state.name], looks.get(state.name, "not"), _by(taken, state.name)) for state in states]
    title = f"States of the {side}"
    label = f"{title}: {_told(taken)}" + (f"; it is in {now}" if now else "")
    return element(
        "svg", element("title", title), *arcs, *boxes, class_="states", role="img", aria_label=label,
        viewBox=f"0 0 {_WIDTH} {len(states) * _ROW + 10}", xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip


def _told(taken: Iterable[Move]) -> str:
    told = (f"{move.message or 'its own decision'} leads from {move.before} to {move.after}" for move in taken)
    return "; ".join(told) or "no message was seen"


def _by(taken: list[Move], name: str) -> str:
    """What led to a state, with the number of the step."""
    return ", ".join(f"{step} {move.message or 'by itself'}" for step, move in enumerate(taken, 1) if move.after == name)


def _box(side: str, state: Enum, index: int, look: str, by: str) -> Html:
    top = index * _ROW + 5
    rect = element("rect", x=_LEFT, y=top, width=_BOX_WIDTH, height=_BOX, rx=6)
    name = element("text", state.name, x=_LEFT + 10, y=top + (15 if by else 22), class_="name")
    step = element("text", _short(by), x=_LEFT + 10, y=top + 30, class_="by") if by else None
    told = element("title", f"{state.name}: {state.value}")
    return element("g", told, rect, name, step, id=f"state-{side}-{state.name}", class_=look)


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _arc(start: int, end: int, kind: str) -> Html:
    """An arrow at the right of the boxes, the wider the further it leads; a straight one between neighbours."""
    first, last = (5 + index * _ROW + _BOX / 2 for index in (start, end))
    if kind == "took" and end == start + 1:
        x = _LEFT + _BOX_WIDTH / 2
        return element("path", d=f"M{x:g} {first + _BOX / 2:g}V{last - _BOX / 2:g}", class_=kind, marker_end="url(#head)")
    edge, reach = _LEFT + _BOX_WIDTH, min(130, 14 + 9 * abs(end - start))
    shift = 5 if kind == "took" else -3
    return element(
        "path", d=f"M{edge} {first + shift:g}C{edge + reach} {first + shift:g} {edge + reach} {last - shift:g} {edge} {last - shift:g}",
        class_=kind, marker_end="url(#head)" if kind == "took" else None,
    )  # fmt: skip
