"""TLS for asyncio: streams as `asyncio.open_connection` and `asyncio.start_server` give them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from puretls.arguments import described
from puretls.config import ClientConfig, ServerConfig
from puretls.connection import Connection
from puretls.errors import PuretlsError, UsageError
from puretls.net.defaults import client_defaults
from puretls.net.protocol import TlsProtocol, TlsTransport
from puretls.net.reader import Reader

if TYPE_CHECKING:
    from puretls.session import Session

__all__ = ["TlsProtocol", "TlsTransport", "open_connection", "open_over", "start_server", "start_tls"]

logger: logging.Logger = logging.getLogger("puretls.aio")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[Callable[[], TlsProtocol]], Awaitable[tuple[asyncio.BaseTransport, TlsProtocol]]]
ClientConnected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]


async def open_connection(
    host: str,
    port: int,
    config: ClientConfig | None = None,
    *,
    server_name: str | None = None,
    session: Session | None = None,
    handshake_timeout: float | None = None,
    suppress_ragged_eofs: bool = False,
    **options: Any,
) -> Streams:
    """Connect and shake hands; `options` go to `loop.create_connection`.

    Without a `config` the system's roots are trusted, as by `ClientConfig(verifier=roots.system_verifier())`.
    The name to verify is `host` unless `server_name` is given; an IPv6 address may have a zone ("fe80::1%eth0").
    `handshake_timeout` is in seconds, None takes the configuration's.
    `writer.get_extra_info("tls")` is the `Connection`. Raises `OSError`, `TimeoutError` and `puretls.TlsError`.
    """
    from puretls.x509.hostname import host_to_look_up

    connect = partial(asyncio.get_running_loop().create_connection, host=host_to_look_up(host), port=port, **options)
    return await open_over(
        connect,
        config,
        server_name=server_name or host,
        session=session,
        handshake_timeout=handshake_timeout,
        suppress_ragged_eofs=suppress_ragged_eofs,
    )


async def open_over(
    connect: Connect,
    config: ClientConfig | None = None,
    *,
    server_name: str | None,
    session: Session | None = None,
    handshake_timeout: float | None = None,
    suppress_ragged_eofs: bool = False,
) -> Streams:
    """Shake hands over whatever `connect` opens.

    It takes a protocol factory and gives (transport, protocol), as `loop.create_connection` and `loop.create_unix_connection` do
    when the rest of their arguments is bound. The other arguments are those of `open_connection`.
    """
    config = client_defaults() if config is None else config
    connection = Connection.client(config, server_name, session=session)
    reader, upper = _stream_protocol()
    lower_side = partial(TlsProtocol, connection, upper, suppress_ragged_eofs=suppress_ragged_eofs)
    _, lower = await connect(lower_side)
    return await _opened(lower, reader, upper, handshake_timeout)


async def start_server(
    client_connected: ClientConnected,
    host: str | None,
    port: int,
    config: ServerConfig | Callable[[], ServerConfig],
    *,
    handshake_timeout: float | None = None,
    suppress_ragged_eofs: bool = False,
    **options: Any,
) -> asyncio.Server:
    """Serve; `client_connected(reader, writer)` is called (and awaited) for each client whose handshake is complete.

    A callable `config` is asked at each new connection, so that certificates can change. Failed handshakes are logged under
    "puretls.aio". `options` go to `loop.create_server`. Raises `UsageError` for a configuration that is none of a server.
    """
    if not isinstance(config, ServerConfig) and not callable(config):
        raise UsageError(f"start_server needs a ServerConfig, or a function that gives one, not {described(config)}")
    loop = asyncio.get_running_loop()
    watching: set[asyncio.Task[None]] = set()  # the loop itself keeps tasks by weak references only

    def accept() -> TlsProtocol:
        current = config if isinstance(config, ServerConfig) else config()
        _, upper = _stream_protocol(client_connected)
        protocol = TlsProtocol(Connection.server(current), upper, suppress_ragged_eofs=suppress_ragged_eofs)
        task = loop.create_task(_watch(protocol, handshake_timeout))
        watching.add(task)
        task.add_done_callback(watching.discard)
        return protocol

    return await loop.create_server(accept, host, port, **options)


async def start_tls(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    config: ClientConfig | ServerConfig,
    *,
    server_name: str | None = None,
    session: Session | None = None,
    handshake_timeout: float | None = None,
    suppress_ragged_eofs: bool = False,
) -> Streams:
    """Put TLS on an open pair (STARTTLS) and return a new pair; the old one must not be used any more.

    The role follows from the kind of config. Bytes that `reader` holds already are taken as TLS, never as plaintext that arrived
    under protection, so nothing can be injected before the handshake (RFC 3207 4.2).
    """
    connection = (
        Connection.client(config, server_name, session=session) if isinstance(config, ClientConfig) else Connection.server(config)
    )
    new_reader, upper = _stream_protocol()
    protocol = TlsProtocol(connection, upper, keep=writer, suppress_ragged_eofs=suppress_ragged_eofs)
    await writer.drain()
    early = _buffered(reader)
    writer.transport.set_protocol(protocol)
    protocol.connection_made(writer.transport)
    writer.transport.resume_reading()  # type: ignore[attr-defined]  # the old reader may have paused it
    if early:
        protocol.data_received(early)
    if reader.at_eof():
        protocol.eof_received()
    return await _opened(protocol, new_reader, upper, handshake_timeout)


def _stream_protocol(
    client_connected: ClientConnected | None = None,
) -> tuple[asyncio.StreamReader, asyncio.StreamReaderProtocol]:
    reader = Reader()
    return reader, asyncio.StreamReaderProtocol(reader, client_connected)


async def _opened(
    protocol: TlsProtocol, reader: asyncio.StreamReader, upper: asyncio.StreamReaderProtocol, limit: float | None
) -> Streams:
    transport = await _handshake(protocol, limit)
    return reader, asyncio.StreamWriter(transport, upper, reader, asyncio.get_running_loop())


async def _handshake(protocol: TlsProtocol, limit: float | None) -> TlsTransport:
    try:
        async with asyncio.timeout(protocol.connection.config.limits.handshake_time if limit is None else limit):
            return await protocol.handshake
    except (TimeoutError, asyncio.CancelledError):
        protocol.abort()
        raise


async def _watch(protocol: TlsProtocol, limit: float | None) -> None:
    """Waits for a server's handshake. Its errors end here, in the log: no client may disturb the server."""
    try:
        await _handshake(protocol, limit)
    except TimeoutError:
        logger.info("handshake failed: it took too long")
    except (PuretlsError, OSError) as error:
        logger.info("handshake failed: %s", error)


def _buffered(reader: asyncio.StreamReader) -> bytes:
    """The bytes that the reader holds already. One step of `read` either returns them or would wait; then there are none."""
    step = reader.read(2**20)
    try:
        step.send(None)
    except StopIteration as done:
        return cast(bytes, done.value)
    step.close()
    return b""
