"""`puretls edit`: change what one end of a tape sends, play it before and after, and show both runs side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges, tapes
from puretls.cli.output import check_out
from puretls.errors import UsageError
from puretls.text import printable

if TYPE_CHECKING:
    from puretls.inspect.edit import Edit

_FORMS = {
    "set": "PATH=VALUE",
    "flip": "PATH[=MASK]",
    "delete": "PATH",
    "duplicate": "PATH",
    "swap": "PATH[=PATH]",
    "insert": "PATH=VALUE",
    "lie": "PATH[=+N]",
    "truncate": "PATH[=N]",
}
_EPILOG = (
    "A PATH is that of the byte map, with the side that sends: client.ClientHello.cipher_suites[0], server.record[4].tag, "
    "server.Certificate. "
    "A VALUE is a number in the width of the field (771, 0x0303), hex:... or text:..., or a name of the field's registry. "
    "Options may be repeated; edits are made in their order."
)


class _Add(argparse.Action):
    """Keeps operations and what they are about in the order in which they were given."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        namespace.edits = [*(namespace.edits or []), (str(option).lstrip("-"), str(values))]


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    from puretls.inspect.edit import OPERATIONS, REPAIRS

    parser = subparsers.add_parser(
        "edit", help="change bytes of a tape by path, and see what comes of it", description=__doc__, epilog=_EPILOG
    )
    tapes.add_tape(parser)
    for operation, form in _FORMS.items():
        parser.add_argument(f"--{operation}", dest="edits", action=_Add, metavar=form, help=OPERATIONS[operation])
    repairs = "; ".join(f"{name}: {what}" for name, what in REPAIRS.items())
    parser.add_argument(
        "--repair", metavar="LIST", default="all", help=f"what is put right after an edit. {repairs}; none; all (default)"
    )
    parser.add_argument(
        "--connection", metavar="N", type=ranges.NUMBER, default=1, help="which of the tape's connections, from 1 (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play both. Exit status 2 where an edit could not be made, 1 where a live peer completes no handshake even without edits."""
    from puretls.cli.output import wrapped
    from puretls.inspect.compare import compared
    from puretls.inspect.player import replay

    check_out(arguments.out, force=arguments.force)
    tape = tapes.load(arguments)
    edited = replace(tape, edits=(*tape.edits, *_edits(arguments)))
    if arguments.connection > len(tape.connections):
        raise UsageError(f"--connection {arguments.connection}: {tape.numbered}")
    live: dict[str, Any] = {"against": tapes.against(arguments), "patience": arguments.patience}
    before, after = replay(tape, **live), replay(edited, **live)
    missed = [outcome for outcome in after.outcomes if outcome.problem]
    for outcome in after.outcomes:
        if outcome.problem:
            print(f"puretls: {printable(str(outcome))}", file=sys.stderr)
        else:
            print("\n".join(wrapped(str(outcome), "", 2, width=tapes.width())))
    print("\n".join(compared(before, after, arguments.connection, width=tapes.width())))
    tapes.save(edited, arguments.out, force=arguments.force, without_secrets=arguments.without_secrets)
    if missed:
        return 2
    return 1 if arguments.against and not before.connection(arguments.connection).outcome.startswith("completed") else 0


def _edits(arguments: argparse.Namespace) -> Sequence[Edit]:
    from puretls.inspect.edit import Edit, parse_repair

    if not arguments.edits:
        raise UsageError("nothing to edit: for example --set 'client.ClientHello.cipher_suites[0]=0x0000'")
    repair = parse_repair(arguments.repair)
    made = []
    for operation, text in arguments.edits:
        path, _, value = text.partition("=")
        made.append(Edit(path, operation, value, repair, arguments.connection))
    return made
