"""`puretls explain`: what an alert, suite, extension, group, signature scheme, certificate rule, reason, state, message or field is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.inspect.texts import Text

WIDTH = 80
"""Prose is easier to read in lines that are not longer, however wide the terminal is."""
LABEL = 20


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("explain", help="explain a name: an alert, a suite, a message, a field", description=__doc__)
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="such as handshake_failure, ECDHE-RSA-AES128-GCM-SHA256, 0xC02F, server_name, x25519, expired, WAIT_CCS, "
        "ServerHello, ClientHello.random",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what there is to say, thing by thing."""
    from puretls.inspect.texts import find

    found = []
    for name in arguments.names:
        texts = find(name)
        if not texts:
            raise UsageError(_unknown(name))
        found += texts
    for number, text in enumerate(found):
        if number:
            print()
        _print(text)
    return 0


def _print(text: Text) -> None:
    from puretls.cli.output import columns, heading, wrapped

    width = min(columns(), WIDTH)
    heading(text.title)
    for paragraph in (text.meaning.removeprefix(f"{text.name}: "), text.why):
        if paragraph:
            print("\n".join(wrapped(paragraph[0].upper() + paragraph[1:], "  ", width=width)))
    for label, value in (*text.facts, ("what to try", text.mend), ("source", _together(text.rfc))):
        if value:
            print("\n".join(wrapped(value, f"  {label}:".ljust(LABEL), width=width)).replace(_NO_BREAK, " "))


_NO_BREAK = "\N{NO-BREAK SPACE}"


def _together(sources: str) -> str:
    """Lines break between sections, not within one."""
    return "; ".join(source.replace(" ", _NO_BREAK) for source in sources.split("; "))


def _unknown(name: str) -> str:
    from puretls.inspect.texts import near

    close = near(name)
    hint = f"; did you mean {' or '.join(close)}?" if close else ": see puretls explain --help for what has one"
    return f"nothing here is called {name!r}{hint}"
