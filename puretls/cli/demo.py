"""`puretls demo`: two handshakes between a client and a server on this machine, shown message by message, byte by byte.

Needs no network beyond loopback, no files, no OpenSSL.
"""

from __future__ import annotations

import argparse
import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli import tapes
from puretls.cli.output import check_out
from puretls.errors import PuretlsError, UsageError
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.config import ClientConfig, ServerConfig
    from puretls.connection import Connection
    from puretls.inspect.tape import Tape
    from puretls.trace import Entry

NAME = "localhost"
DEFAULT_MESSAGE = "ServerHello"
QUESTION, ANSWER = b"How do you do?", b"HOW DO YOU DO?"
STANDING_CLOCK = 1_790_000_000.0
"""The time of a demonstration whose bytes are to be the same each time: seconds since 1970, in September 2026."""
TIMEOUT = 30.0


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    parser = subparsers.add_parser("demo", help="show two handshakes and explain their bytes", description=__doc__)
    parser.add_argument("--explain", metavar="MESSAGE", default=DEFAULT_MESSAGE, help="message to explain (%(default)s)")
    tapes.add_seed(parser, "everything random follows from this number, and the clock stands still")
    tapes.add_out(parser, "--tape", "write a tape that `puretls replay` and `puretls edit` take")


def run(arguments: argparse.Namespace) -> int:
    """Prints the four parts: a full handshake, its secrets, a resumed one, one message byte by byte."""
    from puretls._version import __version__

    check_out(arguments.tape, force=arguments.force)
    keys: list[str] = []
    played = _seeded(arguments)
    client_config, server_config = played.configurations(key_log=keys.append)
    certificate = _certificate(server_config)
    full = converse(client_config, server_config)
    explained = _find(full.client, arguments.explain)
    resumed = converse(client_config, server_config)
    say = _Paragraphs()
    say.text(f"puretls {__version__}: a client and a server talk TLS 1.2 over TCP on 127.0.0.1, both in pure Python.")
    say.text(f"A fresh certificate authority has signed a certificate for the server: {certificate}")
    say.heading(
        "1. A full handshake",
        "an arrow is a message with its size in bytes, double where encrypted; beside or below it the new states",
    )
    say.lines(_ladder(full))
    say.text("What the two have agreed on:")
    say.lines(_negotiated(full.client))
    say.heading("2. The secrets", "by their labels; their values are never shown, and logged only if you ask for it")
    say.lines(_secrets(full.client, keys))
    say.heading("3. The same client again", "both still know the master secret, so no certificate and no key exchange are needed")
    say.lines(_ladder(resumed))
    say.heading(f"4. Every byte of the {explained.name}", "as it travelled, with the field that each byte belongs to")
    say.lines(_explained(explained))
    say.heading("How to go on", "")
    say.lines(_how_to_go_on(full.client))
    tapes.save(played, arguments.tape, force=arguments.force)
    return 0


@frozen
class Conversation:
    """Both ends of a connection that is over."""

    client: Connection
    server: Connection


def converse(client_config: ClientConfig, server_config: ServerConfig) -> Conversation:
    """Shake hands over loopback TCP, exchange a line each way, close."""
    from puretls.connection import Connection
    from puretls.net import TlsSocket

    server = Connection.server(server_config)
    client = Connection.client(client_config, NAME)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, server))
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), TIMEOUT) as sock, TlsSocket(sock, client) as tls:
                tls.sendall(QUESTION)
                tls.recv(100)
                tls.unwrap()
        finally:
            thread.join()
    return Conversation(client, server)


def _answer(listener: socket.socket, connection: Connection) -> None:
    from puretls.net import TlsSocket

    listener.settimeout(TIMEOUT)
    with suppress(PuretlsError, OSError):  # the client's side tells what went wrong
        sock, _ = listener.accept()
        sock.settimeout(TIMEOUT)
        with TlsSocket(sock, connection) as tls:
            tls.recv(100)
            tls.sendall(ANSWER)
            tls.recv(100)


def tape(seed: str, clock: float) -> Tape:
    """The demonstration as a tape: everything in it follows from the seed and the time."""
    from puretls.inspect.named import AUTHORITY
    from puretls.inspect.tape import Script, Step, Tape

    steps = (Step("start"), Step("carry"), Step("send", "client", QUESTION), Step("carry"), Step("send", "server", ANSWER), Step("carry"),
             Step("close", "client"), Step("carry"))  # fmt: skip
    shared = {"extensions": [{"name": "Alpn", "protocols": ["demo"]}]}
    client = shared | {"verifier": AUTHORITY, "session_store": True}
    server = shared | {"credentials": [{"kind": "secp256r1", "names": [NAME, "127.0.0.1"]}]}
    return Tape(client, server, (Script(steps, NAME),) * 2, seed, clock, name="puretls demo")


def _seeded(arguments: argparse.Namespace) -> Tape:
    """With a seed of the user's the clock stands still, too; without one, the seed is as good as any other entropy."""
    seed = tapes.seed_of(arguments)
    return tape(os.urandom(32).hex(), time.time()) if seed is None else tape(seed, STANDING_CLOCK)


def _certificate(config: ServerConfig) -> str:
    from puretls.x509.keys import key_name

    leaf = config.credentials[0].leaf
    return f"{leaf.subject}, key {key_name(leaf.public_key)}, issued by {leaf.issuer}"


def _find(connection: Connection, wanted: str) -> Entry:
    """The first message of this name. Raises `UsageError` with the names there are."""
    names = []
    for entry in connection.trace.messages():
        if entry.raw and entry.name.lower() == wanted.lower():
            return entry
        if entry.raw and entry.name not in names:
            names.append(entry.name)
    raise UsageError(f"no message {wanted!r} in this handshake; there are {', '.join(names)}")


def _ladder(conversation: Conversation) -> list[str]:
    """Messages as the client sent and received them; the server's states come from its own trace."""
    from puretls.cli.output import columns, palette
    from puretls.iana import ContentType
    from puretls.inspect.render.ladder import Rung, ladder
    from puretls.intercept import Direction

    theirs = {
        Direction.OUTBOUND: iter(conversation.server.trace.messages(Direction.INBOUND)),
        Direction.INBOUND: iter(conversation.server.trace.messages(Direction.OUTBOUND)),
    }
    rungs = []
    protected = dict.fromkeys(Direction, False)
    for entry in conversation.client.trace.messages():
        there = next(theirs[entry.direction], None)
        state = there.state_after if there else ""
        sent = entry.direction is Direction.OUTBOUND
        rungs.append(Rung(sent, _told(entry), entry.length, entry.state_after, state, protected[entry.direction]))
        if entry.content_type == ContentType.CHANGE_CIPHER_SPEC:
            protected[entry.direction] = True
    return ladder(rungs, columns(), palette())


def _told(entry: Entry) -> str:
    """The message's name; an alert's description with it."""
    if entry.name != "Alert":
        return entry.name
    description = entry.spans()[-1].value
    return f"Alert: {getattr(description, 'name', str(description)).lower()}"


def _negotiated(connection: Connection) -> list[str]:
    from puretls.cli.output import wrapped
    from puretls.cli.report import WIDTH, negotiated_lines

    return [part for line in negotiated_lines(connection) for part in wrapped(line[WIDTH:], line[:WIDTH])]


def _secrets(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The derivation of the secrets, by their labels (RFC 5246 8.1, 6.3 and 7.4.9)."""
    from puretls.cli.output import columns, wrapped

    agreed = connection.negotiated
    assert agreed is not None
    bulk = agreed.suite.bulk
    master = "extended master secret" if agreed.extended_master_secret else "master secret"
    label, client_random, secret = keys[0].split()
    rows = (
        ("premaster secret", f"shared by {agreed.group_name}", "RFC 8422 5.10"),
        (f'"{master}"', f"{len(secret) // 2} bytes from the premaster secret", "RFC 7627 4"),
        ('"key expansion"', f"keys of {bulk.key_length} bytes for {bulk.name}, one each way", "RFC 5246 6.3"),
        ('"client finished"', "12 bytes: proof that the client saw the same handshake", "RFC 5246 7.4.9"),
        ('"server finished"', "12 bytes: proof that the server did", "RFC 5246 7.4.9"),
    )
    if columns() >= 100:
        lines = [f"{name:<26}{what:<58}{source}" for name, what, source in rows]
    else:
        lines = [line for name, what, source in rows for line in wrapped(f"{what} [{source}]", f"{name:<26}")]
    return [*lines, *wrapped(f"{label} {client_random[:16]}... <{len(secret) // 2} bytes, not shown>", "In a key log: ")]


def _explained(entry: Entry) -> list[str]:
    """Its bytes; paths are told from the message on."""
    from puretls.cli.output import columns, palette
    from puretls.inspect.render.hexdump import hexdump, of_spans

    fields = [replace(field, path=field.path.removeprefix(f"{entry.name}.")) for field in of_spans(entry.raw, entry.spans())]
    return list(hexdump(fields, columns(), palette()))


def _how_to_go_on(connection: Connection) -> list[str]:
    from puretls.cli.output import wrapped

    names = dict.fromkeys(entry.name for entry in connection.trace.messages() if entry.raw)
    hints = (
        ("puretls demo --explain MESSAGE", f"another message: {', '.join(names)}"),
        ("puretls inspect example.org:443", "every byte of a handshake with a server, explained"),
        ("puretls connect example.org:443", "talk to a server; --trace shows what you have seen here, live"),
        ("puretls ca --help", "certificates of your own, and then puretls serve"),
        ("puretls list suites", "what can be negotiated"),
        ("puretls demo --tape FILE", "keep this conversation; puretls edit FILE changes bytes of it and shows what comes of it"),
    )
    return [*(line for command, text in hints for line in wrapped(text, f"{command:<34}")), f"The manual: {_manual()}"]


def _manual() -> str:
    """Where the manual is, relative to the working directory where that is possible. The one-file form of puretls has none."""
    path = Path(__file__).parents[1] / "manual" / "index.md"
    if not path.is_file():
        return "puretls/manual/index.md in what `pip download puretls` fetches"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


class _Paragraphs:
    """Output with an empty line between its parts."""

    def text(self, text: str) -> None:
        from puretls.cli.output import wrapped

        self.lines(wrapped(text))

    def lines(self, lines: Sequence[str]) -> None:
        print("\n".join(lines) + "\n")

    def heading(self, title: str, subtitle: str) -> None:
        from puretls.cli.output import heading, wrapped

        heading(title)
        self.lines(wrapped(subtitle, "   ")) if subtitle else print()
