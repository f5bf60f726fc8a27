"""`puretls connect`: a client that pipes standard input to the peer, and what the peer sends to standard output."""

from __future__ import annotations

import argparse
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from puretls.cli import ranges
from puretls.cli.address import split_address
from puretls.errors import PuretlsError, UsageError, VerificationError
from puretls.text import counted, describe
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.config import ClientConfig
    from puretls.connection import Connection
    from puretls.net import TlsSocket
    from puretls.session import Session
    from puretls.x509.reports.report import Report

STDIN = 0
NOTHING_ASKED = 1.0
"""Seconds of silence that end a conversation if nothing was sent, or if somebody typed the input and so sees the answer."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    from puretls.cli import options

    parser = subparsers.add_parser("connect", help="talk to a server by TLS 1.2", description=__doc__)
    parser.add_argument("address", metavar="HOST:PORT", help="IPv6: [::1]:443, [fe80::1%%eth0]:443; the port is 443 unless given")
    seconds: dict[str, Any] = {"type": ranges.SECONDS, "metavar": "SECONDS"}
    parser.add_argument("--linger", help="after the input: close when the peer was silent for so long, and be content", **seconds)
    patience = "without --linger: after the input, fail when the peer was silent for so long (%(default)s)"
    parser.add_argument("--idle-timeout", default=60.0, help=patience, **seconds)
    parser.add_argument("--timeout", default=20.0, help="to connect, and to shake hands (%(default)s)", **seconds)
    parser.add_argument(
        "--resume", type=ranges.TIMES, default=0, metavar="N", help="then connect N times more, resuming the session"
    )
    options.add_client_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Connect once, or 1 + N times; only the last connection carries standard input.

    The session is kept where the peer fell silent or the wire broke, too; not where TLS failed (RFC 5246 7.2.2).
    """
    from puretls.cli import TransportFailure, options

    host, port = split_address(arguments.address)
    config = options.client_config(arguments)
    session = options.load_session(arguments.session_file)
    try:
        for left in range(arguments.resume, -1, -1):
            with _connected(host, port, arguments, config, session) as (tls, line):
                session = tls.session or session
                _report(tls, arguments)
                if left == 0:
                    _pipe(tls, line)
                    session = tls.session or session
    except TransportFailure:
        options.save_session(arguments.session_file, session)
        raise
    options.save_session(arguments.session_file, session)
    return 0


@contextmanager
def _connected(
    host: str, port: int, arguments: argparse.Namespace, config: ClientConfig, session: Session | None
) -> Iterator[tuple[TlsSocket, Line]]:
    """A connection after its handshake. What goes wrong below TLS from then on is a `TransportFailure`."""
    from puretls.cli import TransportFailure
    from puretls.cli.report import tracer
    from puretls.connection import Connection
    from puretls.net import TlsSocket
    from puretls.x509.hostname import host_to_look_up

    connection = Connection.client(config, arguments.servername or host, session=session)
    try:
        sock = socket.create_connection((host_to_look_up(host), port), arguments.timeout)
    except OSError as error:
        raise UsageError(f"{host} port {port}: {describe(error)}") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(None)
    line = Line(sock, _Patience(arguments.linger, arguments.idle_timeout))
    try:
        with tracer(connection, arguments.trace) as seen:
            tls = TlsSocket(line, connection, handshake_timeout=arguments.timeout, on_event=seen)
            with tls:
                tls.handshake()
                yield tls, line
    except OSError as error:
        raise TransportFailure(f"{host} port {port}: {describe(error)}; state {connection.state.name}") from error
    except VerificationError as error:
        if not cast("Report", error.report).reaches_anchor:
            error.add_note("if you know better, name the certificate to trust with --ca FILE")
        raise
    finally:
        line.close()


def _report(tls: TlsSocket, arguments: argparse.Namespace) -> None:
    from puretls.cli.report import negotiated_lines

    for line in negotiated_lines(tls.connection):
        _say(line)
    for line in _asked_for(tls.connection, arguments):
        _say(line)


def _asked_for(connection: Connection, arguments: argparse.Namespace) -> Iterator[str]:
    """Lines for what the user asked about: --ocsp, --sct, --exporter."""
    if arguments.ocsp:
        response = connection.ocsp_response
        yield "OCSP         " + (f"{counted(len(response), 'byte')} stapled" if response else "nothing stapled")
    if arguments.sct:
        from puretls.extensions import SignedCertificateTimestamp

        stamps = connection.negotiated and connection.negotiated.result(SignedCertificateTimestamp)
        yield "timestamps   " + (counted(len(stamps), "byte") if stamps else "none")
    if arguments.exporter:
        label, length = arguments.exporter
        yield f"exporter     {connection.export_keying_material(label, length).hex()}"


def _pipe(tls: TlsSocket, line: Line) -> None:
    """Standard input to the peer in a thread, the peer to standard output in this one, until both have ended.

    Raises `TransportFailure` if the peer has not answered, or not closed, and is silent for too long.
    """
    from puretls.cli import TransportFailure

    sender = _Sender(tls, line)
    sender.start()
    try:
        while data := tls.recv(65536):
            _write(data)
        silence = None
    except Silence as error:
        silence = error
    if sender.error is not None:
        raise sender.error
    if silence and not silence.expected:
        raise TransportFailure(f"{silence}, and did not close: there may be more to come (--idle-timeout, --linger)")
    _say(f"{silence}: closing with close_notify" if silence else "the peer closed the connection")


class _Sender(threading.Thread):
    """Sends standard input, then tells the `Line` that the input has ended."""

    def __init__(self, tls: TlsSocket, line: Line) -> None:
        super().__init__(daemon=True)  # it may wait for a keyboard when the peer has gone
        self.error: Exception | None = None
        self._tls = tls
        self._line = line

    def run(self) -> None:
        asked = False
        try:
            while data := _read():
                asked = True
                self._tls.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the receiver learns why
        except (OSError, PuretlsError) as error:
            self.error = error
        self._line.input_ended(asked and not os.isatty(STDIN))


@frozen
class _Patience:
    """How long the peer may be silent after the input has ended: `linger` if the user gave it, else it depends on what was sent."""

    linger: float | None
    idle_timeout: float

    def silence(self, owed: bool) -> Silence:
        """The silence to wait for. `owed`: a request was piped in, so its answer must not be lost."""
        if self.linger is not None:
            return Silence(self.linger, expected=True)
        return Silence(self.idle_timeout, expected=False) if owed else Silence(NOTHING_ASKED, expected=True)


class Silence(Exception):
    """Standard input has ended, and the peer was silent for `seconds`. `expected`: the user takes this for a good end."""

    def __init__(self, seconds: float, *, expected: bool) -> None:
        super().__init__(f"the peer was silent for {seconds:g} s")
        self.seconds = seconds
        self.expected = expected


class Line:
    """The socket below TLS. Its `recv` gives up with `Silence` once there is nothing more to send and the peer is silent."""

    def __init__(self, sock: socket.socket, patience: _Patience) -> None:
        self._sock = sock
        self._patience = patience
        self._wake, self._woken = socket.socketpair()
        self._silence: Silence | None = None

    def input_ended(self, owed: bool) -> None:
        """From another thread: from now on the silence counts; `owed` says whether an answer must come."""
        self._silence = self._patience.silence(owed)
        with suppress(OSError):
            self._wake.send(b".")

    def recv(self, size: int) -> bytes:
        while True:
            silence = self._silence
            watched = [self._sock] if silence else [self._sock, self._woken]
            ready = select.select(watched, [], [], silence.seconds if silence else self._sock.gettimeout())[0]
            if self._sock in ready:
                return self._sock.recv(size)
            if not ready:
                raise silence or TimeoutError("timed out")

    def close(self) -> None:
        self._wake.close()
        self._woken.close()
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _read() -> bytes:
    from puretls.cli import local

    with local("standard input"):
        return os.read(STDIN, 65536)


def _write(data: bytes) -> None:
    from puretls.cli import local

    with local("standard output"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _say(text: str) -> None:
    from puretls.cli import local

    with local("standard error"):
        print(text, file=sys.stderr, flush=True)
