"""Draws the state diagrams of the manual from the tables that the connection runs on.

python tools/state_diagrams.py           # writes puretls/manual/states.md
python tools/state_diagrams.py --dot     # Graphviz on standard output
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "puretls" / "manual" / "states.md"
sys.path.insert(0, str(ROOT))

from puretls.handshake.states import ClientState, LocalInput, Role, ServerState  # noqa: E402
from puretls.handshake.table import TABLES  # noqa: E402

HEAD = """# States

Drawn by `tools/state_diagrams.py` from the tables in `puretls/handshake/table.py`; a test fails when the two differ. An arrow is an input:
a message from the peer, or in *italics* something local. What has no arrow is refused with unexpected_message, and local inputs with
`UsageError`. Any fatal alert and any fault lead to FAILED; close_notify and the end of the stream lead to CLOSED. Both are left out.
"""
STATES = {Role.CLIENT: ClientState, Role.SERVER: ServerState}


def edges(role: Role) -> dict[tuple[str, str], list[str]]:
    """(from, to) -> names of the inputs that lead there, in the order of the table."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in TABLES[role]:
        local = issubclass(row.input, LocalInput)
        for target in row.next_states:
            name = f"*{row.input.__name__}*" if local else row.input.__name__
            found.setdefault((row.state.name, target.name), []).append(name)
    return found


def mermaid(role: Role) -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> START"]
    lines += [f"    {start} --> {end} : {', '.join(names)}" for (start, end), names in edges(role).items()]
    return "\n".join([*lines, "```"])


def table(role: Role) -> str:
    lines = ["| state | what it means | inputs |", "|---|---|---|"]
    for state in STATES[role]:
        inputs = sorted({row.input.__name__ for row in TABLES[role] if row.state is state})
        lines.append(f"| {state.name} | {state.value} | {', '.join(inputs) or 'none'} |")
    return "\n".join(lines)


def dot(role: Role) -> str:
    lines = [f"digraph {role.value} {{"]
    lines += [
        f'    {start} -> {end} [label="{", ".join(names).replace("*", "")}"];' for (start, end), names in edges(role).items()
    ]
    return "\n".join([*lines, "}"])


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(f"## The {role.value}\n\n{mermaid(role)}\n\n{table(role)}\n" for role in Role)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dot", action="store_true", help="print Graphviz instead")
    if parser.parse_args().dot:
        print("\n".join(dot(role) for role in Role))
    else:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
