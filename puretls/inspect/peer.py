"""Peer: one end of a TLS connection behind four calls, whoever speaks there: puretls in memory, or a server at the end of a TCP socket.

`receive` takes what the other end sent, `take` gives what is to go there, `eof` says that nothing more will come, `events` tells what
happened since it was asked last, in words that fit every implementation. `fork` gives a copy that goes on by itself, where that can be.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import Protocol, Self

from puretls import danger
from puretls.connection import Connection
from puretls.drive import READ_SIZE, take_turn
from puretls.errors import Aborted, FatalAlert, PeerError, PuretlsError, UsageError
from puretls.events import AlertReceived, AlertSent, ConnectionClosed, DataReceived, Event, HandshakeCompleted, Sentinel
from puretls.iana import AlertDescription, known
from puretls.text import counted, printable
from puretls.values import frozen
from puretls.x509.hostname import host_to_look_up

KINDS = ("handshake", "data", "alert sent", "alert received", "closed", "failed", "not possible")
"""What a peer may tell of."""
PEERS_ALERT = "the peer's alert"
"""What the reason of an end begins with that was refused by the other one."""


@frozen
class Told:
    """What happened at one end: `kind` is one of `KINDS`, `detail` a few words of it (an alert's name, a suite), `data` what arrived."""

    kind: str
    detail: str = ""
    data: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        size = counted(len(self.data), "byte") if self.kind == "data" else ""
        return " ".join(part for part in (self.kind + (":" if self.detail else ""), self.detail, size) if part)


class Peer(Protocol):
    """One end of a connection."""

    def receive(self, data: bytes) -> None:
        """Take bytes that the other end sent; nothing is raised for what they hold."""

    def take(self) -> bytes:
        """What goes to the other end next; b"" where there is nothing."""

    def eof(self) -> None:
        """The other end sends nothing any more."""

    def events(self) -> list[Told]:
        """What happened since the last call, in order."""

    def fork(self) -> Peer:
        """A copy that goes on by itself. Raises `UsageError` where there can be none."""


def _handshake(event: HandshakeCompleted) -> str:
    agreed = event.negotiated
    return f"{agreed.suite.name}{', resumed' if agreed.resumed else ''}"


_TOLD: dict[type[Event], Callable[..., Told]] = {
    HandshakeCompleted: lambda event: Told("handshake", _handshake(event)),
    DataReceived: lambda event: Told("data", data=event.data),
    AlertSent: lambda event: Told("alert sent", alert_name(event.description)),
    AlertReceived: lambda event: Told("alert received", alert_name(event.description)),
    ConnectionClosed: lambda event: Told("closed", "by close_notify" if event.clean else "without close_notify"),
}


def alert_name(description: int) -> str:
    """An alert as RFC 5246 7.2 spells it; its number where it has no name."""
    name = known(AlertDescription, description)
    return name.name.lower() if isinstance(name, AlertDescription) else str(description)


class MemoryPeer:
    """A `Connection` as a peer. What its application does is said by `start`, `send`, `close`, `abort` and `renegotiate`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.error: PuretlsError | None = None
        """What ended the connection, if something did."""
        self._told: list[Told] = []

    def receive(self, data: bytes) -> None:
        step = self.connection.transport_limit
        for start in range(0, len(data), step):
            self.connection.receive_bytes(data[start : start + step])
            self._go_on()

    def take(self) -> bytes:
        self._go_on()
        return self.connection.bytes_to_send()

    def eof(self) -> None:
        self.connection.receive_bytes(b"")
        self._go_on()

    def events(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def fork(self) -> MemoryPeer:
        """Both can send on, under the same keys: for looking at what would be, never for two conversations (see `danger.fork`)."""
        twin = MemoryPeer(danger.fork(self.connection))
        twin.error, twin._told = self.error, self._told.copy()
        return twin

    # What the application does

    def start(self) -> None:
        self._call(self.connection.start)

    def send(self, data: bytes) -> None:
        self._call(self.connection.send, data)

    def close(self) -> None:
        self._call(self.connection.close)

    def abort(self) -> None:
        self._call(self.connection.abort)

    def renegotiate(self) -> None:
        self._call(self.connection.renegotiate)

    def _call(self, call: Callable[..., None], *arguments: bytes) -> None:
        """A call that is not possible in this state is told, and changes nothing."""
        if self.error is not None:
            return
        try:
            call(*arguments)
        except UsageError as error:
            self._told.append(Told("not possible", f"{call.__name__}: {error}"))
        except PuretlsError:
            self._go_on()  # the connection raises it again, and it is told there

    def _go_on(self) -> None:
        while self.error is None:
            turn = take_turn(self.connection)
            if isinstance(turn.event, Event):
                make = _TOLD.get(type(turn.event))
                self._told += [make(turn.event)] if make else []
            if turn.error is not None:
                self.error = turn.error
                self._told.append(Told("failed", reason(turn.error)))
            if turn.event is None or isinstance(turn.event, Sentinel):
                return


def reason(error: PuretlsError) -> str:
    """Why a connection failed, in a line: the alert that belongs to it, and what the error says, which tells where none was sent."""
    if isinstance(error, PeerError | Aborted):
        return f"{alert_name(error.alert)}: {printable(str(error))}"
    if isinstance(error, FatalAlert):
        return f"{PEERS_ALERT} {alert_name(error.description)}"
    return printable(str(error))


class SocketPeer:
    """Whoever is at the other end of a connected TCP socket. Its application cannot be told what to do.

    `take` waits up to `patience` seconds for the first byte, then takes what is there: an answer that needs longer is not waited for. Where
    the peer `owes` nothing it waits for `NOTHING_OWED` seconds only; where more is on its way (`more_comes`), not at all.

    Whoever talks on and on unasked is listened to for `LONGEST` seconds or `MOST` bytes, and has ended then.
    """

    NOTHING_OWED = 0.1
    LONGEST = 30.0
    MOST = 2**24

    def __init__(self, sock: socket.socket, patience: float = 2.0) -> None:
        self._sock = sock
        self.patience = patience
        self.owes = True
        self.more_comes = False
        self._ended = False
        self._told: list[Told] = []
        self._unasked, self._since = 0, time.monotonic()

    @classmethod
    def connect(cls, host: str, port: int, patience: float = 2.0) -> Self:
        """A new TCP connection. Raises `OSError`, which says to whom, and `UsageError` for a host name that is none."""
        address = host_to_look_up(host), port
        try:
            sock = socket.create_connection(address, patience)
        except OSError as error:
            error.strerror = f"{host} port {port}: {error.strerror or error}"
            raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock, patience)

    def receive(self, data: bytes) -> None:
        if data:
            self._unasked, self._since = 0, time.monotonic()
        with suppress(OSError):  # why the peer broke the connection may be there to read: `take` tells
            self._sock.sendall(data)

    def take(self) -> bytes:
        wait = 0.0 if self.more_comes else self.patience if self.owes else min(self.patience, self.NOTHING_OWED)
        if self._ended or not select.select([self._sock], [], [], wait)[0]:
            return b""
        try:
            data = self._sock.recv(READ_SIZE)
        except OSError as error:
            return self._end(f"the connection broke: {error.strerror or error}")
        self._unasked += len(data)
        if self._unasked > self.MOST or time.monotonic() - self._since > max(self.LONGEST, 2 * self.patience):
            return self._end("the peer does not stop talking")
        return data or self._end("the peer ended the stream")

    def _end(self, why: str) -> bytes:
        self._ended = True
        self._told.append(Told("closed", why))
        return b""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the peer. Raises `OSError` where it is gone."""
        host, port = self._sock.getpeername()[:2]
        return host, port

    @property
    def ended(self) -> bool:
        """Whether the peer has ended its stream."""
        return self._ended

    def eof(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def events(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def fork(self) -> Peer:
        raise UsageError("a socket cannot be forked: connect again and replay the tape up to here")

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()
