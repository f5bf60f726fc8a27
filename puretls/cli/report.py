"""What a connection agreed on, as lines for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from puretls.text import counted, printable

if TYPE_CHECKING:
    from puretls.connection import Connection
    from puretls.events import Event
    from puretls.trace import Entry

WIDTH = 13
WRAP_AT = 80


def negotiated_lines(connection: Connection) -> list[str]:
    """One line a fact, its name first."""
    lines = []
    for name, text in _facts(connection):
        first, *more = text.split(" <- ") if len(text) > WRAP_AT else [text]
        lines += [f"{name:<{WIDTH}}{first}"] if first else []
        lines += [f"{'':<{WIDTH}}<- {part}" for part in more]
    return [printable(line) for line in lines]


def one_line(connection: Connection) -> str:
    """The same facts in one line, for a log."""
    agreed = connection.negotiated
    assert agreed is not None
    parts = [agreed.suite.name, agreed.group_name, scheme_name(agreed.signature_scheme), agreed.alpn or ""]
    parts.append("resumed" if agreed.resumed else "full")
    if connection.peer_report is not None:
        parts.append(f"({connection.peer_report})")
    return printable(" ".join(part for part in parts if part))


def scheme_name(scheme: int | None) -> str:
    """The registered name of a signature scheme, its number where it has none, nothing for None."""
    if scheme is None:
        return ""
    name: str = getattr(scheme, "name", f"{scheme:04x}")
    return name.lower()


def _facts(connection: Connection) -> Iterator[tuple[str, str]]:
    agreed = connection.negotiated
    assert agreed is not None
    yield "version", "TLS 1.2"
    yield "suite", f"{agreed.suite.name} ({agreed.suite.openssl_name})"
    yield "handshake", "abbreviated, session resumed" if agreed.resumed else "full"
    yield "group", agreed.group_name
    yield "signature", scheme_name(agreed.signature_scheme)
    yield "protocol", agreed.alpn or ""
    yield "server name", agreed.server_name or ""
    yield "PSK identity", printable(agreed.psk_identity or b"")
    yield "agreed", ", ".join(name for name in _AGREEMENTS if getattr(agreed, name))
    yield "records", f"at most {agreed.send_limit} bytes to the peer" if agreed.send_limit < 2**14 else ""
    yield "certificate", str(connection.peer_report or "")


_AGREEMENTS = ("extended_master_secret", "encrypt_then_mac", "secure_renegotiation")


@contextmanager
def tracer(connection: Connection, wanted: bool, file: TextIO | None = None) -> Iterator[Callable[[Event], None] | None]:
    """Prints the trace while it grows, if `wanted`. Gives the call-back for events, and prints the rest at the end."""
    if not wanted:
        yield None
        return
    from puretls.cli import local

    out, seen = file or sys.stderr, 0

    def catch_up(event: Event | None = None) -> None:
        nonlocal seen
        for number, entry in enumerate(connection.trace, connection.trace.dropped):
            if number >= seen:
                seen = number + 1
                with local("trace"):
                    print("\n".join(trace_lines(entry, out)), file=out, flush=True)

    try:
        yield catch_up
    finally:
        catch_up()


def trace_lines(entry: Entry, file: TextIO | None = None) -> Iterator[str]:
    """A record on one line; a message with all its fields. As `file` (standard error) can show it."""
    from puretls.cli.output import columns, palette
    from puretls.inspect.render.hexdump import hexdump, of_spans
    from puretls.intercept import Direction
    from puretls.trace import Layer

    look = palette(file or sys.stderr)
    arrow = ">>" if entry.direction is Direction.OUTBOUND else "<<"
    if entry.layer is Layer.RECORD:
        made_of = " + ".join(f"{length} {name}" for name, length in entry.parts)
        size = counted(entry.length, "byte")
        yield f"{arrow} {entry.name} {entry.number}, {size}" + (f": 5 header + {made_of}" if made_of else "")
        return
    moved = f", {entry.state_before} -> {entry.state_after}" if entry.state_before != entry.state_after else ""
    yield look.paint("title", f"{arrow} {entry.name}, {counted(entry.length, 'byte')}{moved}")
    for line in hexdump(of_spans(entry.raw, entry.spans()), columns(file or sys.stderr) - len(_INDENT), look):
        yield _INDENT + line


_INDENT = " " * 5
