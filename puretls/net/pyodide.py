"""TLS in Pyodide: over a WebSocket-to-TCP relay in a page, over node's sockets in node.

`open` gives streams everywhere; `connect` gives a `TlsSocket` where the platform can suspend Python (JSPI), and there `relay_sockets` gives
Python's own sockets a way. The relay carries
ciphertext only: names and chains are verified here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from puretls.config import ClientConfig
from puretls.connection import Connection
from puretls.errors import UsageError
from puretls.net.aio import Connect, Streams, open_over
from puretls.net.blocking import TlsSocket
from puretls.net.defaults import client_defaults
from puretls.net.js_sockets import relay_sockets
from puretls.net.js_transport import connect_node, connect_websocket

if TYPE_CHECKING:
    from puretls.session import Session

__all__ = ["SuspendingSocket", "connect", "open", "relay_sockets"]

T = TypeVar("T")


async def open(
    host: str,
    port: int,
    config: ClientConfig | None = None,
    *,
    relay: str | Connect | None = None,
    server_name: str | None = None,
    session: Session | None = None,
    handshake_timeout: float | None = None,
    suppress_ragged_eofs: bool = False,
) -> Streams:
    """Connect and shake hands; gives (reader, writer), as `puretls.net.aio.open_connection` does.

    `relay` is the URL of a WebSocket that carries the bytes to `host` and `port`; "{host}" and "{port}" in it are filled in,
    for relays that let the client choose. Or it is a function that opens the transport, as `open_over` takes it: for relays that
    want other subprotocols than "binary", `partial(connect_websocket, url=..., subprotocols=())` of `puretls.net.js_transport`.
    Without it the connection is node's own; a page has none.

    Other arguments, and the trust without a `config`, are those of `open_connection`; a page has no roots but those of certifi.
    Raises `OSError`, `TimeoutError`, `puretls.TlsError`, and `UsageError` where there is neither a relay nor node.
    """
    return await open_over(
        _way(host, port, relay),
        config,
        server_name=server_name or host,
        session=session,
        handshake_timeout=handshake_timeout,
        suppress_ragged_eofs=suppress_ragged_eofs,
    )


def connect(
    host: str,
    port: int,
    config: ClientConfig | None = None,
    *,
    relay: str | Connect | None = None,
    server_name: str | None = None,
    session: Session | None = None,
    timeout: float | None = None,
    **options: Any,
) -> TlsSocket:
    """As `open`, but a blocking `TlsSocket`, where the platform can suspend Python: node 24 and browsers with JSPI.

    `timeout` is in seconds, for connecting and for each wait afterwards; `options` go to `TlsSocket`. Raises `UsageError` where
    Python cannot be suspended, and what `open` raises.
    """
    config = client_defaults() if config is None else config
    connection = Connection.client(config, server_name or host, session=session)
    return TlsSocket(SuspendingSocket.open(_way(host, port, relay), timeout), connection, **options)._opened()


def _way(host: str, port: int, relay: str | Connect | None) -> Any:
    """How bytes get there: what opens a transport for a protocol."""
    from puretls.x509.hostname import host_to_look_up

    host = host_to_look_up(host)
    if relay is None:
        return partial(connect_node, host=host, port=port)
    if not isinstance(relay, str):
        return relay
    return partial(connect_websocket, url=relay.replace("{host}", quote(host, safe="")).replace("{port}", str(port)))


class SuspendingSocket(asyncio.Protocol):
    """A stream socket, as far as a `TlsSocket` needs one, whose waits suspend Python while JavaScript goes on."""

    def __init__(self, timeout: float | None = None) -> None:
        self._transport: Any = None
        self._received = bytearray()
        self._timeout = timeout
        self._ended = False
        self._error: Exception | None = None
        self._may_write = True
        self._changed: asyncio.Future[None] | None = None

    @classmethod
    def open(cls, way: Callable[[Callable[[], SuspendingSocket]], Awaitable[Any]], timeout: float | None) -> SuspendingSocket:
        """The socket at the end of a way, such as `partial(connect_node, host=..., port=...)`."""
        sock = cls(timeout)
        _suspend(lambda: way(lambda: sock), timeout)
        return sock

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._transport.pause_reading() if len(self._received) > 2**20 else None
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, exc
        self._wake()

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._wake()

    def recv(self, size: int) -> bytes:
        self._wait_until(lambda: bool(self._received) or self._ended)
        if not self._received and self._error is not None:
            raise self._error
        data = bytes(self._received[:size])
        del self._received[:size]
        self._transport.resume_reading() if not self._ended else None
        return data

    def send(self, data: memoryview) -> int:
        self._wait_until(lambda: self._may_write or self._ended)
        if self._ended:
            raise self._error or BrokenPipeError("the connection has ended")
        self._transport.write(bytes(data))
        return len(data)

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that one wait may take; None: without end."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        return self._timeout

    def shutdown(self, how: int) -> None:
        """The whole connection: its halves cannot be closed apart."""
        self.close()

    def close(self) -> None:
        self._transport.close()

    def fileno(self) -> int:
        return -1

    def getpeername(self) -> Any:
        return self._transport.get_extra_info("peername")

    def getsockname(self) -> Any:
        return None

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            if self._timeout == 0:
                raise BlockingIOError("nothing is there yet")
            _suspend(self._next_change, self._timeout)

    def _next_change(self) -> asyncio.Future[None]:
        self._changed = asyncio.get_running_loop().create_future()
        return self._changed


def _suspend(wait: Callable[[], Awaitable[T]], timeout: float | None) -> T:
    from pyodide.ffi import can_run_sync, run_sync

    if not can_run_sync():
        raise UsageError("Python cannot be suspended here: use `await puretls.net.pyodide.open(...)`")
    result: T = run_sync(asyncio.wait_for(wait(), timeout))
    return result
