"""Diagrams for other tools: Mermaid draws the messages with the states of both ends, Graphviz the way of both through their states.

State machines of any kind are drawn by both (`Arrow`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from puretls.inspect.render.ladder import rungs, state_path, states_text
from puretls.inspect.streams import SIDES
from puretls.text import counted, printable
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation


def mermaid(conversation: Conversation) -> str:
    """A `sequenceDiagram` of Mermaid: solid arrows in the clear, dotted ones encrypted, notes where the state of an end changes."""
    return "\n".join(_sequence(conversation)) + "\n"


def _sequence(conversation: Conversation) -> Iterator[str]:
    yield "sequenceDiagram"
    for side, address in zip(SIDES, conversation.addresses, strict=True):
        yield f"    participant {side} as {_mermaid_text(side if address == side else f'{side} {address}')}"
    before = {side: states_text(path[0][0]) for side in SIDES if (path := state_path(conversation, side))}
    for side, state in before.items():
        yield f"    Note over {side}: {_mermaid_text(state)}"
    for rung in rungs(conversation):
        sender, receiver = SIDES if rung.from_client else SIDES[::-1]
        arrow = "-->>" if rung.protected else "->>"
        told = f"{rung.label}, {counted(rung.size, 'byte')}"
        yield f"    {sender}{arrow}{receiver}: {_mermaid_text(told)}"
        for side, state in zip(SIDES, (rung.client_state, rung.server_state), strict=True):
            if state != before[side]:
                before[side] = state
                yield f"    Note over {side}: {_mermaid_text(state)}"


def _mermaid_text(text: str) -> str:
    """Characters that mean something to Mermaid as its entity codes (mermaid.js.org, "Entity codes to escape characters")."""
    return "".join(c if c.isalnum() or c in " _.,()/-|:" else f"#{ord(c)};" for c in printable(text))


def dot(conversation: Conversation) -> str:
    """A digraph of Graphviz: the states that each end was in, joined by numbered messages in the order of the conversation."""
    return "\n".join(_digraph(conversation)) + "\n"


def _digraph(conversation: Conversation) -> Iterator[str]:
    yield "digraph conversation {"
    yield '    node [shape=box, style=rounded, fontname="sans-serif"]; edge [fontname="sans-serif"];'
    for side, address in zip(SIDES, conversation.addresses, strict=True):
        path = [(states_text(states), message) for states, message in state_path(conversation, side)]
        yield f"    subgraph cluster_{side} {{"
        yield f"        label={_quoted(printable(side if address == side else f'{side} {address}'))};"
        for state in dict.fromkeys(state for state, _ in path):
            yield f"        {_quoted(f'{side} {state}')} [label={_quoted(state)}];"
        for number, ((start, _), (end, message)) in enumerate(pairwise(path), 1):
            yield f"        {_quoted(f'{side} {start}')} -> {_quoted(f'{side} {end}')} [label={_quoted(f'{number} {message}'.rstrip())}];"
        yield "    }"
    yield "}"


def _quoted(text: str) -> str:
    """A string of the DOT language (graphviz.org, "The DOT Language")."""
    lines = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'


# Machines


@frozen
class Arrow:
    """One edge of a state diagram: from one state to another, with what is written on it. One that `stands_out` is red."""

    start: str
    end: str
    label: str
    stands_out: bool = False


def machine_dot(name: str, arrows: Sequence[Arrow]) -> str:
    """A digraph of Graphviz of a state machine."""
    lines = [
        f"digraph {_quoted(name)} {{",
        '    node [shape=box, style=rounded, fontname="sans-serif"]; edge [fontname="sans-serif"];',
        *(f"    {_quoted(state)};" for state in _states(arrows)),
    ]
    for arrow in arrows:
        red = ", color=red, fontcolor=red" if arrow.stands_out else ""
        lines.append(f"    {_quoted(arrow.start)} -> {_quoted(arrow.end)} [label={_quoted(arrow.label)}{red}];")
    return "\n".join((*lines, "}")) + "\n"


def machine_mermaid(name: str, arrows: Sequence[Arrow]) -> str:
    """A `flowchart` of Mermaid of a state machine: its state diagrams know no colours of arrows."""
    numbers = {state: f"s{number}" for number, state in enumerate(_states(arrows))}
    lines = ["---", f"title: {_mermaid_text(name)}", "---", "flowchart TD"]
    lines += [f'    {number}("{_mermaid_text(state)}")' for state, number in numbers.items()]
    lines += [f'    {numbers[arrow.start]} -->|"{_mermaid_label(arrow.label)}"| {numbers[arrow.end]}' for arrow in arrows]
    red = ",".join(str(number) for number, arrow in enumerate(arrows) if arrow.stands_out)
    return "\n".join((*lines, *([f"    linkStyle {red} stroke:red,color:red"] if red else []))) + "\n"


def _states(arrows: Sequence[Arrow]) -> list[str]:
    return list(dict.fromkeys(state for arrow in arrows for state in (arrow.start, arrow.end)))


def _mermaid_label(text: str) -> str:
    return "<br>".join(map(_mermaid_text, text.split("\n")))
