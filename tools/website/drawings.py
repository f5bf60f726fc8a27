"""Code blocks that are pictures in a repository: state machines in Mermaid's language, here as tables of their arrows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

_TRANSITION = re.compile(r"\s*(\S+) --> (\S+)(?: : (.*))?$")
"""An arrow of a `stateDiagram-v2`."""
_NODE = re.compile(r'\s*(\w+)\("(.*)"\)$')
_EDGE = re.compile(r'\s*(\w+) -->\|"(.*)"\| (\w+)$')
"""An arrow of a `flowchart`, whose nodes have names of their own."""


def state_table(source: str) -> str:
    """The arrows of a state machine: from where, by what, to where. What stands out in the picture is in bold."""
    rows = [
        f"<tr><td>{_state(start)}</td><td>{_label(label)}</td><td>{_state(end)}</td></tr>" for start, label, end in arrows(source)
    ]
    head = "<tr><th>in the state</th><th>input</th><th>leads to</th></tr>"
    return f'<div class="wide"><table class="arrows"><thead>{head}</thead>\n<tbody>{chr(10).join(rows)}</tbody></table></div>\n'


def arrows(source: str) -> Iterator[tuple[str, str, str]]:
    names = {found[1]: found[2] for found in map(_NODE.match, source.splitlines()) if found}
    for line in source.splitlines():
        if found := _EDGE.match(line):
            yield names[found[1]], found[2], names[found[3]]
        elif (found := _TRANSITION.match(line)) and found[1] != "[*]":
            yield found[1], found[3] or "", found[2]


def _state(name: str) -> str:
    return f"<code>{escape(_characters(name))}</code>"


def _label(label: str) -> str:
    """Inputs that are not from the peer stand in *italics*; entity codes are characters again."""
    lines = (re.sub(r"\*(\w+)\*", r"<i>\1</i>", escape(_characters(line), quote=False)) for line in label.split("<br>"))
    return "<br>".join(lines)


def _characters(text: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


DRAWINGS: dict[str, Callable[[str], str]] = {"mermaid": state_table}
