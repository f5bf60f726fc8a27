"""Transports of asyncio over what JavaScript has: a WebSocket, or a socket of node. For Pyodide; no TLS here.

Both are opened as `loop.create_connection` opens one, and any asyncio protocol runs on them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from puretls.errors import UsageError

POLL = 0.005
"""Seconds between looks at what a WebSocket has still to send: browsers tell it when asked, and never of themselves."""
READ_SIZE = 2**18
"""Bytes that a protocol is given at a time, as by transports of asyncio."""
NORMAL, NO_STATUS = 1000, 1005
"""How a WebSocket ends where nothing went wrong (RFC 6455 7.4.1)."""

P = TypeVar("P", bound=asyncio.BaseProtocol)


class JsTransport(asyncio.transports._FlowControlMixin, asyncio.Transport):
    """What both kinds share: the order of things between a JavaScript object and a protocol.

    Everything that arrives is a call to be made, kept in order and held back while reading is paused. `opened` is done when
    bytes can be sent.
    """

    _protocol: Any
    _protocol_paused: bool

    def __init__(self, protocol: asyncio.BaseProtocol, extra: dict[str, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        super().__init__(extra, self._loop)
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._protocol = protocol
        self._arrived: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._reading = True
        self._closing = self._lost = False
        self._proxies: list[Any] = []

    def _callback(self, function: Callable[..., Any]) -> Any:
        """A function that JavaScript may call as long as the transport lives."""
        from pyodide.ffi import create_proxy

        self._proxies.append(create_proxy(function))
        return self._proxies[-1]

    def _on_open(self, *_: Any) -> None:
        if not self.opened.done():
            self._deliver(self._protocol.connection_made, self)
            self.opened.set_result(None)

    def _deliver(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._arrived.append((function, arguments))
        self._hand_on()

    def _hand_on(self) -> None:
        while self._arrived and self._reading and not self._lost:
            function, arguments = self._arrived.popleft()
            try:
                function(*arguments)
            except Exception as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        """A protocol raised: told as asyncio tells it, and not to JavaScript, where it would end the program."""
        self._loop.call_exception_handler({"message": "a protocol failed", "exception": error, "transport": self})
        self._drop()
        self._on_lost(error)

    def _on_bytes(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def _on_end(self) -> None:
        """No more bytes come. A protocol that does not ask to keep the transport open has it closed, as of any asyncio transport."""
        if not self._closing and not self._protocol.eof_received():
            self.close()

    def _on_lost(self, error: Exception | None) -> None:
        """The end of the transport, told once."""
        if self._lost:
            return
        self._lost = self._closing = True
        if self.opened.done():
            self._loop.call_soon(self._protocol.connection_lost, error)
        else:
            self.opened.set_exception(error or ConnectionResetError("closed before it was open"))

    def _on_gone(self) -> None:
        """JavaScript has told its last event."""
        for proxy in self._proxies:
            proxy.destroy()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._hand_on)

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        from pyodide.ffi import to_js

        if data and not self._closing:
            self._send(to_js(data))
            self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        """What was written is sent first."""
        if not self._closing:
            self._closing = True
            self._finish()

    def abort(self) -> None:
        self._closing = True
        self._drop()
        self._on_lost(None)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def _send(self, array: Any) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError

    def _drop(self) -> None:
        raise NotImplementedError


class WebSocketTransport(JsTransport):
    """The bytes of a TCP connection in binary messages of a WebSocket, as relays such as websockify carry them.

    A WebSocket cannot be told to wait: what the peer sends while reading is paused is kept here, however much it is.
    """

    def __init__(self, protocol: asyncio.BaseProtocol, url: str, subprotocols: tuple[str, ...]) -> None:
        from pyodide.ffi import to_js

        super().__init__(protocol, {"url": url})
        js = javascript()
        if not hasattr(js, "WebSocket"):
            raise UsageError("this platform has no WebSocket: put one into globalThis, such as that of the npm package ws")
        self._url = url
        self._socket = js.WebSocket.new(url, to_js(list(subprotocols)))
        self._socket.binaryType = "arraybuffer"
        self._socket.onopen = self._callback(self._on_open)
        self._socket.onmessage = self._callback(self._on_message)
        self._socket.onerror = self._callback(lambda _event: None)  # it does not say what went wrong; onclose comes next
        self._socket.onclose = self._callback(self._on_close)

    def _on_message(self, event: Any) -> None:
        if self._lost:
            return
        if isinstance(event.data, str):
            self._deliver(self._on_lost, ConnectionResetError(f"{self._url} sent text: it is no relay of bytes"))
            self._drop()
        else:
            data = event.data.to_bytes()
            for start in range(0, len(data), READ_SIZE):
                self._deliver(self._on_bytes, data[start : start + READ_SIZE])

    def _on_close(self, event: Any) -> None:
        if not self.opened.done():
            self._on_lost(ConnectionRefusedError(f"no WebSocket at {self._url}{_said(event)}"))
        elif self._closing or event.code in (NORMAL, NO_STATUS):
            self._deliver(self._on_end)
            self._deliver(self._on_lost, None)
        else:
            self._deliver(self._on_lost, ConnectionResetError(f"{self._url} closed the connection{_said(event)}"))
        if self._closing:  # nobody reads any more
            self._on_lost(None)
        self._on_gone()

    def get_write_buffer_size(self) -> int:
        return int(self._socket.bufferedAmount)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        waits = self._protocol_paused
        super().write(data)
        if self._protocol_paused and not waits:
            self._loop.call_later(POLL, self._look)

    def _send(self, array: Any) -> None:
        self._socket.send(array)

    def _look(self) -> None:
        if self._lost or not self._protocol_paused:
            return
        self._maybe_resume_protocol()  # type: ignore[attr-defined]
        if self._protocol_paused:
            self._loop.call_later(POLL, self._look)

    def _finish(self) -> None:
        self._socket.close()

    def _drop(self) -> None:
        self._socket.close()


class NodeTransport(JsTransport):
    """A TCP socket of node's module `net`."""

    def __init__(self, protocol: asyncio.BaseProtocol, host: str, port: int) -> None:
        from pyodide.ffi import to_js

        super().__init__(protocol, {"peername": (host, port)})
        js = javascript()
        self._error: OSError | None = None
        # Bytes come in a buffer of ours, for "data" would bring a class of node's that Pyodide takes for no array.
        onread = {"buffer": js.Uint8Array.new(READ_SIZE), "callback": self._callback(self._on_data)}
        options = to_js({"host": host, "port": port, "onread": onread}, dict_converter=js.Object.fromEntries)
        self._socket = node_module("net").connect(options)
        self._socket.setNoDelay(True)
        for event, function in (
            ("connect", self._on_open),
            ("end", lambda: self._deliver(self._on_end)),
            ("drain", self._maybe_resume_protocol),  # type: ignore[attr-defined]
            ("error", self._on_error),
            ("close", self._on_close),
        ):
            self._socket.on(event, self._callback(function))

    def _on_data(self, size: int, buffer: Any) -> None:
        self._deliver(self._on_bytes, buffer.subarray(0, size).to_bytes())

    def _on_error(self, error: Any) -> None:
        kind = {"ECONNREFUSED": ConnectionRefusedError, "ECONNRESET": ConnectionResetError, "EPIPE": BrokenPipeError}
        self._error = kind.get(str(error.code), OSError)(str(error.message))

    def _on_close(self, _had_error: bool) -> None:
        if self._error is not None or self._closing:
            self._on_lost(self._error)
        else:
            self._deliver(self._on_lost, None)
        self._on_gone()

    def pause_reading(self) -> None:
        super().pause_reading()
        self._socket.pause()

    def resume_reading(self) -> None:
        super().resume_reading()
        self._socket.resume()

    def get_write_buffer_size(self) -> int:
        return int(self._socket.writableLength)

    def _send(self, array: Any) -> None:
        self._socket.write(array)

    def _finish(self) -> None:
        self._socket.destroySoon()

    def _drop(self) -> None:
        self._socket.destroy()


def javascript() -> Any:
    """The global scope of JavaScript. Raises `UsageError` where there is none."""
    try:
        import js
    except ModuleNotFoundError:
        raise UsageError("this is not Pyodide: use puretls.net, or puretls.net.aio") from None
    return js


def node_module(name: str) -> Any:
    """A module of node. Raises `UsageError` where this is no node."""
    process = getattr(javascript(), "process", None)
    find = getattr(process, "getBuiltinModule", None)
    if find is None:
        raise UsageError("a page has no TCP: name a relay, such as relay='wss://relay.example/'")
    return find(name)


async def connect_websocket(
    factory: Callable[[], P], url: str, subprotocols: tuple[str, ...] = ("binary",)
) -> tuple[JsTransport, P]:
    """A connection to a relay. Raises `OSError`."""
    javascript()
    protocol = factory()
    return await _opened(WebSocketTransport(protocol, url, subprotocols)), protocol


async def connect_node(factory: Callable[[], P], host: str, port: int) -> tuple[JsTransport, P]:
    """A TCP connection of node's. Raises `OSError`."""
    node_module("net")
    protocol = factory()
    return await _opened(NodeTransport(protocol, host, port)), protocol


async def _opened(transport: JsTransport) -> JsTransport:
    try:
        await transport.opened
    except asyncio.CancelledError:
        transport.abort()
        raise
    return transport


def _said(event: Any) -> str:
    """What a close event tells."""
    return f": {event.code} {event.reason}".rstrip()
