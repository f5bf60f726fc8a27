"""What `puretls inspect` looks at: a capture, a tape, or a server that is asked now; each gives numbered connections."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.cli.output import STANDARD
from puretls.errors import PuretlsError, UsageError
from puretls.text import counted, describe, printable
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.config import ClientConfig
    from puretls.inspect import Capture, Conversation, Knowledge, TcpConnection

_CHUNK = 2**20


@frozen
class Listed:
    """A connection in a list. `make` decodes it with what is known."""

    number: int
    client: str
    server: str
    name: str
    version: str
    suite: str
    size: int
    make: Callable[[Knowledge], Conversation]
    notes: tuple[str, ...] = ()

    @property
    def row(self) -> tuple[str, ...]:
        """Its cells in the table of connections."""
        return str(self.number), self.client, self.server, self.name, self.version, self.suite, str(self.size)


HEADERS = ("no.", "client", "server", "server name", "version", "suite", "bytes")


@frozen
class Source:
    """Where connections are from. `notes` are to be told; `damaged` where it is not whole; `error` is what ended a live connection."""

    name: str
    connections: tuple[Listed, ...]
    notes: tuple[str, ...] = ()
    damaged: bool = False
    error: PuretlsError | None = None
    find: Callable[[str], int] | None = None

    def choose(self, which: str) -> Listed:
        """The connection of this number, address or name; the only one for "". Raises `UsageError`, which says how to choose."""
        number = self.find(which) if self.find else self._numbered(which)
        return next(one for one in self.connections if one.number == number)

    def _numbered(self, which: str) -> int:
        numbers = [one.number for one in self.connections if not which or which in {str(one.number), one.name}]
        if len(numbers) == 1:
            return numbers[0]
        told = ", ".join(str(one.number) for one in self.connections)
        raise UsageError(
            f"{self.name}: {f'no connection {which}' if which else 'several connections'}; --connection takes {told}"
        )

    def conversation(self, which: str, knowledge: Knowledge) -> tuple[Listed, Conversation]:
        """The one that was chosen; where it resumes a session, with what the others tell of that."""
        listed = self.choose(which)
        made = listed.make(knowledge)
        if any(handshake.resumed and not handshake.found for handshake in made.handshakes):
            upto = [one for one in self.connections if one.number <= listed.number]
            *_, made = _decoded(upto, knowledge)
        return listed, made

    def conversations(self, knowledge: Knowledge) -> Iterator[Conversation]:
        """All of them in turn; what one tells of a session helps with those that resume it."""
        return _decoded(self.connections, knowledge)


def _decoded(connections: Iterable[Listed], knowledge: Knowledge) -> Iterator[Conversation]:
    for listed in connections:
        made = listed.make(knowledge)
        knowledge = knowledge | made.learned
        yield made


def open_source(name: str, config: Callable[[], ClientConfig], *, server_name: str | None, timeout: float) -> Source:
    """What the command line names: a file, "-" for standard input, or HOST:PORT. `config` is for the latter.

    Raises `UsageError` and `OSError`.
    """
    if name == STANDARD:
        data = sys.stdin.buffer.read()
        return _of_text("standard input", data) if _is_text(data[:_CHUNK]) else _of_capture("standard input", data)
    path = Path(name)
    if path.exists():
        with path.open("rb") as file:
            head = file.read(_CHUNK)
        return _of_text(name, path.read_bytes()) if _is_text(head) else _of_capture(name, path)
    if ":" not in name or os.sep in name:
        raise UsageError(f"{name}: no such file; a server is HOST:PORT, such as example.org:443")
    return _live(name, config, server_name, timeout)


def is_file(name: str) -> bool:
    """Whether `open_source` takes this for a file or standard input, and not for a server."""
    return name == STANDARD or Path(name).exists()


def _is_text(head: bytes) -> bool:
    """Whether a JSON object begins here, in an encoding that JSON may have: editors of Windows put a mark in front."""
    return as_text(head).lstrip().startswith("{")


def as_text(data: bytes) -> str:
    """What a text file says, in any encoding of Unicode: by its mark, or by where zeros stand. What is no text is replaced."""
    return data.decode(json.detect_encoding(data), "replace")


# Captures


def _of_capture(name: str, source: Path | bytes) -> Source:
    from puretls.inspect import CaptureError, read_capture

    progress = _Progress(os.path.getsize(source) if isinstance(source, Path) else len(source))
    try:
        capture = read_capture(source, progress)
    except CaptureError as error:
        raise UsageError(str(error).replace("the capture", name, 1)) from None
    finally:
        progress.done()
    return _listed(name, capture)


def _listed(name: str, capture: Capture) -> Source:
    made = tuple(
        Listed(
            one.number,
            *one.addresses,
            one.server_name,
            one.version,
            one.suite,
            one.size,
            one.conversation,
            (*_before(one), *one.notes),
        )
        for one in capture.connections
    )
    return Source(name, made, capture.notes, capture.damaged, find=lambda which: capture.choose(which).number)


def _before(one: TcpConnection) -> Iterator[str]:
    """What was said before TLS."""
    prefix = one.prefix
    if prefix.client or prefix.server:
        sizes = f"{counted(len(prefix.client), 'byte')} from the client, {len(prefix.server)} from the server"
        yield f"before TLS, {prefix.protocol or 'another protocol'} was spoken: {sizes}"


class _Progress:
    """How much of a long file has been read, on a terminal."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._shown = 0
        self._told = sys.stderr.isatty()

    def __call__(self, position: int) -> None:
        if self._told and position - self._shown >= _CHUNK:
            self._shown = position
            part = f" of {self._size // _CHUNK}" if position <= self._size else ""
            print(f"\rreading: {position // _CHUNK}{part} MiB", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


# Tapes and JSON


def _of_text(name: str, text: bytes) -> Source:
    """A tape, or a conversation that `--json` wrote."""
    from puretls.inspect import Tape, replay
    from puretls.inspect.render import document

    try:
        if document.MARK in as_text(text[:_CHUNK]):
            return Source(name, (_of_conversation(1, document.loads(text)),))
        played = replay(Tape.loads(text))
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    made = [_of_conversation(number, conversation) for number, conversation in enumerate(played.conversations, 1)]
    return Source(name, tuple(made))


def _of_conversation(number: int, conversation: Conversation) -> Listed:
    from puretls.inspect.decoder import version_name

    version = version_name(conversation.version) if conversation.version else ""
    suite = conversation.suite.name if conversation.suite else ""
    size = conversation.client.length + conversation.server.length
    return Listed(number, *conversation.addresses, conversation.name, version, suite, size, conversation.with_knowledge)


# A server


def _live(address: str, make_config: Callable[[], ClientConfig], server_name: str | None, timeout: float) -> Source:
    """Shake hands with a server, close, and keep what went over the wire; what failed is part of it."""
    import socket

    from puretls.cli.address import split_address
    from puretls.connection import Connection
    from puretls.inspect.recorder import record
    from puretls.net import TlsSocket
    from puretls.x509.hostname import host_to_look_up

    host, port = split_address(address)
    connection = Connection.client(make_config(), server_name or host)
    recorder = record(connection)
    error: PuretlsError | None = None
    notes: list[str] = []
    try:
        sock = socket.create_connection((host_to_look_up(host), port), timeout)
    except OSError as bad:
        raise UsageError(f"{host} port {port}: {describe(bad)}") from bad
    ends = _address(sock.getsockname()), _address(sock.getpeername())
    with sock:
        try:
            with TlsSocket(sock, connection, handshake_timeout=timeout) as tls:
                tls.handshake()
                tls.unwrap()
        except PuretlsError as bad:
            error = bad
        except OSError as bad:
            notes.append(f"{host} port {port}: {describe(bad)}")
    conversation = recorder.conversation(name=server_name or host, addresses=ends)
    return Source(address, (_of_conversation(1, conversation),), tuple(notes), error=error, damaged=bool(notes))


def _address(end: Sequence[Any]) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def listing(source: Source, width: int) -> list[str]:
    """The connections as a table; in paragraphs where the table is too wide."""
    rows = [tuple(map(printable, one.row)) for one in source.connections]
    widths = [max(map(len, column)) for column in zip(HEADERS, *rows, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) <= width:
        return ["  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in (HEADERS, *rows)]
    return [line for one, row in zip(source.connections, rows, strict=True) for line in _in_lines(one, row)]


def _in_lines(one: Listed, row: tuple[str, ...]) -> list[str]:
    number, client, server, name, version, suite, _ = row
    more = ", ".join(filter(None, (version, suite, counted(one.size, "byte"))))
    return [f"{number}: {client} to {server}" + (f" ({name})" if name else ""), f"   {more}"]
