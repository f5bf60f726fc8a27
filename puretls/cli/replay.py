"""`puretls replay`: play a tape, show what was sent, and tell the hash of the whole transcript."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from puretls.cli import tapes
from puretls.cli.output import check_out

if TYPE_CHECKING:
    from puretls.inspect.player import Replay


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("replay", help="play a tape: a conversation again, byte for byte", description=__doc__)
    tapes.add_tape(parser)


def run(arguments: argparse.Namespace) -> int:
    """Play it. Exit status 1 where a live peer did not complete a handshake; 2 where an edit of the tape could not be made."""
    from puretls.inspect.player import replay

    check_out(arguments.out, force=arguments.force)
    tape = tapes.load(arguments)
    played = replay(tape, against=tapes.against(arguments), patience=arguments.patience)
    for line in lines(played, tapes.width()):
        print(line)
    tapes.save(tape, arguments.out, force=arguments.force, without_secrets=arguments.without_secrets)
    if any(outcome.problem for outcome in played.outcomes):
        return 2
    failed = arguments.against and not all(one.outcome.startswith("completed") for one in played.connections)
    return 1 if failed else 0


def lines(played: Replay, width: int) -> Iterator[str]:
    """What was sent, record by record, and how each connection ended."""
    from puretls.cli.output import wrapped
    from puretls.inspect.compare import told, units

    if played.tape.name:
        yield from wrapped(played.tape.name, width=width)
    for number, one in enumerate(played.connections, 1):
        yield ""
        yield f"Connection {number}: {len(one.sent('client'))} bytes from the client, {len(one.sent('server'))} from the server"
        for unit in units(played.conversation(number)):
            yield from wrapped(told(unit), "  ", 4, width=width)
        yield from wrapped(f"outcome: {one.outcome}", "  ", 4, width=width)
    for outcome in played.outcomes:
        yield from wrapped(str(outcome), "", 2, width=width)
    yield ""
    yield f"SHA-256 of the transcript: {played.sha256}"
