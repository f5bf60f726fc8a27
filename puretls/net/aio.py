"""TLS for asyncio: streams as `asyncio.open_connection` and `asyncio.start_server` give them, and the protocol below them.

Owns the way between an event loop's transport and a `Connection`; no TLS. Back-pressure is asyncio's own: pausing the upper side
pauses the lower one, and the lower one's `pause_writing` reaches the upper one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from puretls.config import ClientConfig, ServerConfig
from puretls.connection import Connection
from puretls.errors import PuretlsError, Truncated, UsageError
from puretls.events import PAUSED, ConnectionClosed, DataReceived, Event, HandshakeCompleted, Sentinel
from puretls.net.defaults import client_defaults
from puretls.net.pump import last_open_state, why_closed

if TYPE_CHECKING:
    from puretls.session import Session

logger = logging.getLogger("puretls.aio")

CHUNK = 2**20
"""Plaintext bytes sealed at a time."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ClientConnected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]


async def open_connection(
    host: str,
    port: int,
    config: ClientConfig | None = None,
    *,
    server_name: str | None = None,
    session: Session | None = None,
    handshake_timeout: float | None = None,
    **options: Any,
) -> Streams:
    """Connect and shake hands; `options` go to `loop.create_connection`.

    Without a `config` the system's roots are trusted, as by `ClientConfig(verifier=roots.system_verifier())`.
    The name to verify is `host` unless `server_name` is given; an IPv6 address may have a zone ("fe80::1%eth0").
    `handshake_timeout` is in seconds, None takes the configuration's.
    `writer.get_extra_info("tls")` is the `Connection`. Raises `OSError`, `TimeoutError` and `puretls.TlsError`.
    """
    from puretls.x509.hostname import host_to_look_up

    config = client_defaults() if config is None else config
    connection = Connection.client(config, server_name or host, session=session)
    host = host_to_look_up(host)
    reader, upper = _stream_protocol()
    _, lower = await asyncio.get_running_loop().create_connection(lambda: TlsProtocol(connection, upper), host, port, **options)
    return await _opened(lower, reader, upper, handshake_timeout)


async def start_server(
    client_connected: ClientConnected,
    host: str | None,
    port: int,
    config: ServerConfig | Callable[[], ServerConfig],
    *,
    handshake_timeout: float | None = None,
    **options: Any,
) -> asyncio.Server:
    """Serve; `client_connected(reader, writer)` is called (and awaited) for each client whose handshake is complete.

    A callable `config` is asked at each new connection, so that certificates can change. Failed handshakes are logged under
    "puretls.aio". `options` go to `loop.create_server`.
    """
    loop = asyncio.get_running_loop()
    watching: set[asyncio.Task[None]] = set()  # the loop itself keeps tasks by weak references only

    def accept() -> TlsProtocol:
        current = config if isinstance(config, ServerConfig) else config()
        _, upper = _stream_protocol(client_connected)
        protocol = TlsProtocol(Connection.server(current), upper)
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
) -> Streams:
    """Put TLS on an open pair (STARTTLS) and return a new pair; the old one must not be used any more.

    The role follows from the kind of config. Bytes that `reader` holds already are taken as TLS, never as plaintext that arrived
    under protection, so nothing can be injected before the handshake (RFC 3207 4.2).
    """
    connection = (
        Connection.client(config, server_name, session=session) if isinstance(config, ClientConfig) else Connection.server(config)
    )
    new_reader, upper = _stream_protocol()
    protocol = TlsProtocol(connection, upper, keep=writer)
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


class TlsProtocol(asyncio.Protocol):
    """The lower side: feeds a connection from a transport, and its application data to an `upper` protocol.

    `upper.connection_made` is called when the handshake is complete. Any asyncio protocol will do, not only that of streams.
    """

    def __init__(self, connection: Connection, upper: asyncio.Protocol, keep: object = None) -> None:
        """`keep` lives as long as this: the writer whose transport was taken over, which would close it when collected."""
        self.connection = connection
        self.handshake: asyncio.Future[TlsTransport] = asyncio.get_running_loop().create_future()
        self._upper = upper
        self._lower: asyncio.Transport | None = None
        self._transport: TlsTransport | None = None
        self._state = connection.state.name
        self._ended = False
        self._paused = False
        self._upper_waits = False
        self._keep = keep

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lower = cast(asyncio.Transport, transport)
        try:
            self.connection.start()
        except PuretlsError as error:
            self.flush()
            self._fail(error)
        else:
            self.flush()

    def data_received(self, data: bytes) -> None:
        self.connection.receive_bytes(data)
        self.drive()

    def eof_received(self) -> bool:
        if not self._ended:
            self.connection.receive_bytes(b"")
            self.drive()
        return True  # data may wait for a paused reader: closing is done when its turn comes

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended:
            self._fail(exc or Truncated(self._state))
        elif self._transport is not None:
            self._transport.lost()
        self._lower = None

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._upper_waits = True
            self._upper.pause_writing()

    def resume_writing(self) -> None:
        if self._upper_waits:
            self._upper_waits = False
            self._upper.resume_writing()

    def pause(self, paused: bool) -> None:
        """Stop or go on with reading and with events: what arrived stays in the connection meanwhile."""
        self._paused = paused
        if self._lower is None or self._lower.is_closing():
            return
        if paused:
            self._lower.pause_reading()
        else:
            self._lower.resume_reading()
            asyncio.get_running_loop().call_soon(self.drive)

    def drive(self) -> None:
        """Take events until there is need of data, or the upper side wants no more."""
        try:
            while not (self._ended or self._paused):
                self._state = last_open_state(self.connection, self._state)
                event = self.connection.next_event()
                self.flush()
                if isinstance(event, Sentinel):
                    if event is PAUSED:
                        raise UsageError("the verifier gave no verdict: asyncio streams need it at once")
                    return
                self._take(event)
        except PuretlsError as error:
            self.flush()
            self._fail(error)

    def flush(self) -> None:
        data = self.connection.bytes_to_send()
        if data and self._lower is not None:
            self._lower.write(data)

    def close(self) -> None:
        """Send close_notify and close the transport once everything is written."""
        self._ended = True
        if self._lower is None:
            return
        with suppress(PuretlsError):
            self.connection.close()
        self.flush()
        self._lower.close()

    def abort(self) -> None:
        self._ended = True
        if self._lower is not None:
            self._lower.abort()

    def _take(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._upper.data_received(event.data)
        elif isinstance(event, HandshakeCompleted) and self._transport is None:
            assert self._lower is not None
            self._transport = TlsTransport(self, self._lower)
            self._upper.connection_made(self._transport)
            self.handshake.set_result(self._transport) if not self.handshake.done() else None
        elif isinstance(event, ConnectionClosed):
            if not event.clean or self._transport is None:
                raise why_closed(event, self._state)
            self._upper.eof_received()
            self._transport.close()  # RFC 5246 7.2.1: answer at once, drop what is unsent

    def _fail(self, error: Exception) -> None:
        self._ended = True
        if self._transport is not None:
            self._transport.lost(error)
        elif not self.handshake.done():
            self.handshake.set_exception(error)
        if self._lower is not None:
            self._lower.close()


class TlsTransport(asyncio.Transport):
    """The upper side: what a protocol above TLS sees as its transport."""

    def __init__(self, protocol: TlsProtocol, lower: asyncio.Transport) -> None:
        super().__init__()
        self._protocol = protocol
        self._lower = lower
        self._closing = False
        self._lost = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The `Connection` for "tls"; everything else comes from the transport below."""
        return self._protocol.connection if name == "tls" else self._lower.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not data:
            return
        with memoryview(data).cast("B") as view:
            for start in range(0, len(view), CHUNK):
                self._protocol.connection.send(bytes(view[start : start + CHUNK]))
                self._protocol.flush()

    def can_write_eof(self) -> bool:
        return False  # TLS 1.2 has no half-closed state (RFC 5246 7.2.1)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._protocol.close()

    def abort(self) -> None:
        self._closing = True
        self._protocol.abort()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._protocol.pause(True)

    def resume_reading(self) -> None:
        self._protocol.pause(False)

    def is_reading(self) -> bool:
        return self._lower.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol._upper = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol._upper

    def get_write_buffer_size(self) -> int:
        return self._lower.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._lower.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._lower.set_write_buffer_limits(high, low)

    def lost(self, error: Exception | None = None) -> None:
        """Tell the upper protocol, once."""
        self._closing = True
        if not self._lost:
            self._lost = True
            self._protocol._upper.connection_lost(error)


def _stream_protocol(
    client_connected: ClientConnected | None = None,
) -> tuple[asyncio.StreamReader, asyncio.StreamReaderProtocol]:
    reader = asyncio.StreamReader()
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
    """See a server's handshake through; whatever a client does ends here."""
    try:
        await _handshake(protocol, limit)
    except TimeoutError:
        logger.info("handshake failed: it took too long")
    except (PuretlsError, OSError) as error:
        logger.info("handshake failed: %s", error)


def _buffered(reader: asyncio.StreamReader) -> bytes:
    """What the reader holds already, without waiting: one step of `read` either returns it or would wait."""
    step = reader.read(2**20)
    try:
        step.send(None)
    except StopIteration as done:
        return cast(bytes, done.value)
    step.close()
    return b""
