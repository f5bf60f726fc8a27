"""`puretls learn`: the state machine of a peer, inferred by asking it, beside what RFC 5246 says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli import ranges
from puretls.cli.output import add_force, check_out
from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.testing.learning import Lesson, Subject

_SELF = ("self-server", "self-client")


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser(
        "learn",
        help="infer the state machine of a TLS peer and compare it with the RFC",
        description=__doc__ + " Exit status 1 where they differ. Needs AALpy: pip install 'puretls[research]'.",
    )
    parser.add_argument("target", help="self-server, self-client, or HOST:PORT of a server, to which many connections are made")
    parser.add_argument("--full", action="store_true", help="ask with all twelve symbols of the role, not with the usual ones")
    parser.add_argument(
        "--symbols", metavar="LIST", help="ask with these, by comma, such as ClientHello,ClientKeyExchange,Finished"
    )
    parser.add_argument("--name", help="server name to ask for (HOST)")
    parser.add_argument(
        "--patience", type=ranges.SECONDS, default=0.1, metavar="SECONDS", help="how long a silent server is listened to (0.1)"
    )
    parser.add_argument("--dot", metavar="FILE", help="write the model for Graphviz")
    parser.add_argument("--mermaid", metavar="FILE", help="write the model for Mermaid")
    add_force(parser, "overwrite files that are there")


def run(arguments: argparse.Namespace) -> int:
    """Learn, tell, write."""
    from puretls.testing.learning import dot, learn, mermaid, text

    check_out(arguments.dot, arguments.mermaid, force=arguments.force)
    lesson = learn(_subject(arguments))
    sys.stdout.write(text(lesson))
    _write(arguments.dot, dot, lesson)
    _write(arguments.mermaid, mermaid, lesson)
    return 0 if lesson.conforms else 1


def _subject(arguments: argparse.Namespace) -> Subject:
    from puretls.cli.address import split_address
    from puretls.handshake.states import Role
    from puretls.testing import learning

    role = Role.CLIENT if arguments.target == "self-client" else Role.SERVER
    symbols = (learning.FULL if arguments.full else learning.USUAL)[role]
    if arguments.symbols:
        symbols = tuple(arguments.symbols.split(","))
        unknown = [symbol for symbol in symbols if symbol not in learning.FULL[role]]
        if unknown:
            raise UsageError(f"no symbol is called {unknown[0]!r}; there are {', '.join(learning.FULL[role])}")
    if arguments.target in _SELF:
        return (learning.self_client if role is Role.CLIENT else learning.self_server)(symbols)
    host, port = split_address(arguments.target)
    return learning.server_at(host, port, symbols, name=arguments.name or host, patience=arguments.patience)


def _write(path: str | None, draw: Any, lesson: Lesson) -> None:
    if path is not None:
        Path(path).write_text(draw(lesson), encoding="utf-8")
