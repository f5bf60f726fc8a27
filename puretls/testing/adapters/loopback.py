"""Whoever listens on a loopback socket: a server that runs already, or a program that is started and stopped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from puretls.config import ClientConfig
from puretls.inspect.peer import Peer, SocketPeer
from puretls.testing import honest
from puretls.testing.adapters.base import AdapterError, Factory
from puretls.text import printable

START_SECONDS = 10.0
"""Seconds in which a program must listen."""
CONNECT_SECONDS = 2.0
"""Seconds in which a server must take a connection."""
_POLL = 0.02
_CONTENT_TYPES = range(20, 24)


def at(
    host: str, port: int, *, name: str = "", patience: float = 2.0, server_name: str | None = honest.NAME, known: bool = True
) -> Factory:
    """The server at this address; each end is a new TCP connection, whose answers are waited for up to `patience` seconds.

    `server_name` and `known` are those of the factory. It is said hello to once.

    Raises `AdapterError` where nobody listens, and where what answers is no TLS.
    """
    place = f"{host}:{port}"

    def make() -> Peer:
        try:
            peer = SocketPeer.connect(host, port, max(patience, CONNECT_SECONDS))
            peer.patience = patience
            return peer
        except OSError as error:
            why = (error.strerror or str(error)).removeprefix(f"{host} port {port}: ")
            raise AdapterError(f"nobody answers at {place}: {why}") from None

    _say_hello(make(), place)
    return Factory(name or place, "server", make, acts=False, known=known, server_name=server_name)


def _say_hello(peer: Peer, place: str) -> None:
    """Raises `AdapterError` unless what a ClientHello is answered with begins as a record does; silence is no fault."""
    assert isinstance(peer, SocketPeer)
    with peer:
        client = honest.peer(ClientConfig(random=honest.common("client", b"probe")["random"], clock=lambda: honest.NOW))
        client.start()
        peer.receive(client.take())
        answer = peer.take()
    if answer and (answer[0] not in _CONTENT_TYPES or answer[1:2] not in (b"\x03", b"")):
        raise AdapterError(f"{place} speaks no TLS: it answered {printable(repr(answer[:24]))} to a ClientHello")


@contextmanager
def serving(command: Sequence[str], *, name: str = "", patience: float = 2.0, kind: str = "secp256r1") -> Iterator[Factory]:
    """A server program on loopback while the block runs. In `command` {port}, {chain} and {key} are its port and PEM files.

    It gets an honest credential of this kind, and is stopped in the end. Raises `AdapterError` where the program is not there, stops at
    once, does not listen within `START_SECONDS`, or speaks no TLS.
    """
    program = shutil.which(command[0])
    if program is None:
        raise AdapterError(f"{command[0]} is not installed, or not on the PATH")
    leaf, port = honest.issued(kind), _free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_text(leaf.chain_pem)
        key.write_text(leaf.key_pem)
        filled = [part.format(port=port, chain=chain, key=key) for part in command[1:]]
        process = subprocess.Popen([program, *filled], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, port, command[0], output)
            yield at("127.0.0.1", port, name=name or command[0], patience=patience)
        finally:
            _stop(process)


class CallingPeer(SocketPeer):
    """A client program that connected to us; it is stopped when the peer is closed."""

    def __init__(self, sock: socket.socket, patience: float, process: subprocess.Popen[bytes]) -> None:
        super().__init__(sock, patience)
        self._process: subprocess.Popen[bytes] = process

    def close(self) -> None:
        super().close()
        _stop(self._process)

    def __del__(self) -> None:
        self.close()


@contextmanager
def calling(command: Sequence[str], *, name: str = "", patience: float = 2.0) -> Iterator[Factory]:
    """A client program, started for each conversation. In `command` {port} is a port of 127.0.0.1, {ca} the file of whom it may trust.

    Its standard input stays open. Raises `AdapterError` where the program is not there; an end cannot be made, with the same exception,
    where it does not connect within `START_SECONDS`.
    """
    program = shutil.which(command[0])
    if program is None:
        raise AdapterError(f"{command[0]} is not installed, or not on the PATH")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        ca = Path(folder, "ca.pem")
        ca.write_text(honest.authority().root_pem)
        filled = [part.format(port=listener.getsockname()[1], ca=ca) for part in command[1:]]
        yield Factory(name or command[0], "client", lambda: _called([program, *filled], listener, patience), acts=False)


def _called(command: Sequence[str], listener: socket.socket, patience: float) -> Peer:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
        deadline, name = time.monotonic() + START_SECONDS, Path(command[0]).name
        listener.settimeout(_POLL)
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return CallingPeer(sock, patience, process)
            if process.poll() is not None:
                _stop(process)
                raise AdapterError(f"{name} did not connect (status {process.returncode}): {_last_line(output)}")
        _stop(process)
        raise AdapterError(f"{name} does not connect within {START_SECONDS:g} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _last_line(output: IO[bytes]) -> str:
    output.seek(0)
    said = output.read(400).decode("utf-8", "replace").strip().splitlines()
    return printable(said[-1] if said else "it said nothing")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, name: str, output: IO[bytes]) -> None:
    """Until somebody listens there. Raises `AdapterError`."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        status = process.poll()
        if status is not None:
            raise AdapterError(f"{name} did not start (status {status}): {_last_line(output)}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(_POLL)
    raise AdapterError(f"{name} does not listen on port {port} after {START_SECONDS:g} seconds")


def openssl_s_server(*options: str, patience: float = 2.0) -> AbstractContextManager[Factory]:
    """`openssl s_server`, TLS 1.2, while the block runs; `options` are more of its own."""
    command = [
        "openssl",
        "s_server",
        "-accept",
        "127.0.0.1:{port}",
        "-cert",
        "{chain}",
        "-cert_chain",
        "{chain}",
        "-key",
        "{key}",
        "-tls1_2",
        "-quiet",
    ]
    return serving([*command, *options], name="openssl s_server", patience=patience)


def gnutls_serv(*options: str, patience: float = 2.0) -> AbstractContextManager[Factory]:
    """`gnutls-serv`, TLS 1.2, an echo server, while the block runs; `options` are more of its own."""
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
    command = [
        "gnutls-serv",
        "--echo",
        "--port",
        "{port}",
        "--x509certfile",
        "{chain}",
        "--x509keyfile",
        "{key}",
        "--priority",
        priority,
    ]
    return serving([*command, *options], name="gnutls-serv", patience=patience)
