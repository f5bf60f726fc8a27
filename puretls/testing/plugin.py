"""Fixtures of pytest for whoever tests a program that speaks TLS; `pip install 'puretls[testing]'` suffices to have them.

    def test_my_client(puretls_echo_server, puretls_files):
        my_client.connect(*puretls_echo_server.address, cafile=puretls_files.ca)

A fixture loads what it needs when a test asks for it; before, this module loads nothing. All keys are fresh in each run. Of a test that
fails, the connections of these fixtures are written as a capture, with their secrets; the report says where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from puretls.ca import DevelopmentCa
    from puretls.config import ClientConfig, Credential, ServerConfig
    from puretls.inspect import Conversation, Recordings
    from puretls.net.blocking import TlsSocket

NAMES = ("localhost", "127.0.0.1", "::1")
"""What the certificates of the fixtures are for."""
HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds for a handshake on loopback, and for a thread to end."""
_HELLO = 43
"""Bytes of a record with a ClientHello up to the end of its random, which no two connections share."""
_CAPTURES = pytest.StashKey["list[Recordings]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--puretls-captures DIR`."""
    text = "folder for captures of failed tests that used fixtures of puretls (default: pytest's own temporary folder)"
    parser.getgroup("puretls").addoption("--puretls-captures", metavar="DIR", default=None, help=text)


# Certificates


class Files(NamedTuple):
    """PEM files: what a client trusts, and what a server is configured with."""

    ca: Path
    chain: Path
    key: Path


@pytest.fixture(scope="session")
def puretls_ca() -> DevelopmentCa:
    """An authority with fresh keys; `.issue([names])` gives certificates, `.root_pem` is what clients trust (see `puretls.ca`)."""
    import os
    import time

    from puretls.ca import DevelopmentCa

    return DevelopmentCa.create(os.urandom, time.time())


@pytest.fixture(scope="session")
def puretls_credential(puretls_ca: DevelopmentCa) -> Credential:
    """A certificate for localhost, 127.0.0.1 and ::1, of `puretls_ca`, with its key; for servers and for clients."""
    from puretls.config import Credential

    leaf = puretls_ca.issue(NAMES, usage="both")
    return Credential(leaf.chain, leaf.key)


@pytest.fixture(scope="session")
def puretls_files(puretls_ca: DevelopmentCa, puretls_credential: Credential, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The same as PEM files, for programs that are not puretls: `.ca`, `.chain` and `.key`."""
    from puretls.net.secret_files import write_secret
    from puretls.x509.keys import private_key_pem
    from puretls.x509.pem import write_pem

    folder = tmp_path_factory.mktemp("puretls")
    files = Files(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    files.ca.write_text(puretls_ca.root_pem)
    files.chain.write_text("".join(write_pem("CERTIFICATE", der) for der in puretls_credential.chain))
    write_secret(files.key, private_key_pem(puretls_credential.key))
    return files


# Configurations, recorded


@pytest.fixture
def puretls_recordings(request: pytest.FixtureRequest) -> Recordings:
    """Every connection of the fixtures' configurations in this test; `.conversations()` explains them byte by byte (see `puretls.inspect`).

    Another configuration joins by `watcher=puretls_recordings`. Of a test that fails they are written as a capture.
    """
    from puretls.inspect import Recordings

    recordings = Recordings()
    request.node.stash.setdefault(_CAPTURES, []).append(recordings)
    return recordings


@pytest.fixture
def puretls_server_config(puretls_credential: Credential, puretls_recordings: Recordings) -> ServerConfig:
    """A server with `puretls_credential`; `dataclasses.replace` makes variants."""
    from puretls.config import ServerConfig

    return ServerConfig(credentials=(puretls_credential,), watcher=puretls_recordings)


@pytest.fixture
def puretls_client_config(puretls_ca: DevelopmentCa, puretls_recordings: Recordings) -> ClientConfig:
    """A client that trusts `puretls_ca` and nobody else."""
    from puretls.config import ClientConfig
    from puretls.crypto.provider import default
    from puretls.x509.verifier import chain_verifier

    verifier = chain_verifier([puretls_ca.root.certificate], provider=default())
    return ClientConfig(verifier=verifier, watcher=puretls_recordings)


# Connections


class MemoryPair(NamedTuple):
    """A client and a server in memory, as `puretls.inspect.MemoryPeer`: `.client.send(b"...")`, `.carry()`, `.server.events()`."""

    client: Any
    server: Any

    def carry(self) -> None:
        """Carry bytes both ways until neither end has anything to say."""
        from puretls.testing.honest import converse

        converse(self.client, self.server, begins=False)


@pytest.fixture
def puretls_pair(puretls_client_config: ClientConfig, puretls_server_config: ServerConfig) -> MemoryPair:
    """Both ends of a connection in memory, their handshake complete: `.client` and `.server`."""
    from puretls.connection import Connection
    from puretls.inspect import MemoryPeer

    client = MemoryPeer(Connection.client(puretls_client_config, NAMES[0]))
    server = MemoryPeer(Connection.server(puretls_server_config))
    client.start()
    pair = MemoryPair(client, server)
    pair.carry()
    for peer in pair:
        peer.events()
    return pair


class SocketPair(NamedTuple):
    """A client and a server on loopback, as `puretls.net.blocking.TlsSocket`, which have the methods of sockets."""

    client: TlsSocket
    server: TlsSocket


@pytest.fixture
def puretls_sockets(puretls_client_config: ClientConfig, puretls_server_config: ServerConfig) -> Iterator[SocketPair]:
    """Both ends of a connection on loopback, their handshake complete: `.client` and `.server`; closed after the test."""
    import socket
    import threading

    from puretls.net.blocking import TlsSocket

    accepted: list[TlsSocket | Exception] = []

    def accept(listener: socket.socket) -> None:
        try:
            accepted.append(TlsSocket.server(listener.accept()[0], puretls_server_config, handshake_timeout=PATIENCE))
        except Exception as error:
            accepted.append(error)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        sock = socket.create_connection(listener.getsockname(), PATIENCE)
        client = TlsSocket.client(sock, puretls_client_config, NAMES[0], handshake_timeout=PATIENCE)
        thread.join(PATIENCE)
    if not accepted or isinstance(accepted[0], Exception):
        client.close()
        raise RuntimeError("the server's handshake did not complete") from (accepted[0] if accepted else None)  # type: ignore[misc]
    with client, accepted[0] as server:
        yield SocketPair(client, server)


# Echo servers


class EchoServer(NamedTuple):
    """Where an echo server listens; what it reads it sends back. `problems` are the errors of its connections, in order."""

    host: str
    port: int
    problems: list[Exception]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port


@pytest.fixture
def puretls_echo_server(puretls_server_config: ServerConfig) -> Iterator[EchoServer]:
    """A server with `puretls_server_config` that sends back what it reads, with a thread for each connection."""
    with _echoing_in_threads(puretls_server_config) as server:
        yield server


@contextmanager
def _echoing_in_threads(config: ServerConfig) -> Iterator[EchoServer]:
    import socket
    import threading

    from puretls.net.blocking import TlsSocket

    problems: list[Exception] = []
    open_sockets: set[socket.socket] = set()

    def echo(sock: socket.socket) -> None:
        try:
            with TlsSocket.server(sock, config, handshake_timeout=PATIENCE) as tls:
                while data := tls.recv(2**16):
                    tls.sendall(data)
        except Exception as error:
            problems.append(error)
        finally:
            open_sockets.discard(sock)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock = listener.accept()[0]
                open_sockets.add(sock)
                threading.Thread(target=echo, args=(sock,), daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield EchoServer(HOST, listener.getsockname()[1], problems)
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)
    for sock in tuple(open_sockets):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def puretls_async_echo_server(puretls_server_config: ServerConfig) -> Iterator[EchoServer]:
    """The same in asyncio, on a loop of its own in another thread, so that tests with and without a loop can use it."""
    import asyncio
    import threading

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)

    problems: list[Exception] = []
    server = run(_start_echo(puretls_server_config, problems))
    try:
        yield EchoServer(HOST, server.sockets[0].getsockname()[1], problems)
    finally:
        with suppress(TimeoutError):
            run(_stop(server))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _start_echo(config: ServerConfig, problems: list[Exception]) -> Any:
    from puretls.net import aio

    async def echo(reader: Any, writer: Any) -> None:
        try:
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        except Exception as error:
            problems.append(error)
        finally:
            writer.close()

    return await aio.start_server(echo, HOST, 0, config, handshake_timeout=PATIENCE)


async def _stop(server: Any) -> None:
    import asyncio

    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


# Captures of tests that failed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Write the capture of a test that failed, and say in its report where it is."""
    report = yield
    if report.failed and _CAPTURES in item.stash:
        report.sections.append(("puretls", _written(item, item.stash[_CAPTURES])))
    return report


def _written(item: pytest.Item, recorded: list[Recordings]) -> str:
    """Where the capture is, or why there is none."""
    from puretls.errors import PuretlsError
    from puretls.inspect import write_capture

    conversations = _seen(recorded)
    if not conversations:
        return "no connection was made"
    target = _folder(item) / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in item.name)}.pcapng"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        write_capture(target, *conversations)
    except (OSError, PuretlsError) as error:
        return f"no capture was written: {error}"
    return f"{len(conversations)} connection{'s' if len(conversations) > 1 else ''}, with secrets, in {target}"


def _seen(recorded: list[Recordings]) -> list[Conversation]:
    """Each connection once: where both ends were recorded, as the one saw it that saw more."""
    found: dict[bytes, Conversation] = {}
    for conversation in (one for recordings in recorded for one in recordings.conversations()):
        hello = b"".join(chunk.data for chunk in conversation.client.chunks)[:_HELLO]
        size = conversation.client.length + conversation.server.length
        if size and (hello not in found or size > found[hello].client.length + found[hello].server.length):
            found[hello] = conversation
    return list(found.values())


def _folder(item: pytest.Item) -> Path:
    chosen = item.config.getoption("--puretls-captures")
    if chosen:
        return Path(chosen)
    make: Callable[..., Path] = item.config._tmp_path_factory.mktemp  # type: ignore[attr-defined]
    return make("puretls-captures")
