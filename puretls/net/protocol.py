"""TLS between two layers of asyncio: a protocol on the loop's transport, and a transport for the protocol above.

Owns the way between an event loop's transport and a `Connection`; no TLS. Back-pressure is asyncio's own: pausing the upper side
pauses the lower one, and the lower one's `pause_writing` reaches the upper one.
"""

from __future__ import annotations

import asyncio
import warnings
from asyncio import constants
from contextlib import suppress
from typing import Any, cast

from puretls import drive
from puretls.connection import Connection
from puretls.errors import DangerWarning, PuretlsError, Truncated, UsageError
from puretls.events import ConnectionClosed, DataReceived, Event, HandshakeCompleted, Sentinel
from puretls.net.defaults import CHUNK, RAGGED

ANSWERS = 2**14
"""Bytes of our own answers that may wait beyond the high-water mark. Only answers stop the reading, and not data of the application:
two programs that write much before they read would wait for each other."""


class TlsProtocol(asyncio.Protocol):
    """The lower side: feeds a connection from a transport, and its application data to an `upper` protocol.

    `upper.connection_made` is called when the handshake is complete. Any asyncio protocol will do, a `BufferedProtocol` too, not only
    that of streams.
    """

    def __init__(
        self, connection: Connection, upper: asyncio.BaseProtocol, keep: object = None, *, suppress_ragged_eofs: bool = False
    ) -> None:
        """`keep` is held as long as this object lives: the writer whose transport was taken over would close it when it is collected.

        `suppress_ragged_eofs`: as of `TlsSocket`, with a `DangerWarning`.
        """
        if suppress_ragged_eofs:
            warnings.warn(RAGGED, DangerWarning, stacklevel=2)
        self._ragged_is_clean = suppress_ragged_eofs
        self.connection = connection
        self.handshake: asyncio.Future[TlsTransport] = asyncio.get_running_loop().create_future()
        self._upper: Any = upper
        self._lower: asyncio.Transport | None = None
        self._transport: TlsTransport | None = None
        self._ended = False
        self._paused = False
        self._held = False
        self._congested = False
        self._answers = 0
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
            self._fail(exc or Truncated(self.connection.state.name))
        elif self._transport is not None:
            self._transport.lost()
        self._lower = None

    def pause_writing(self) -> None:
        self._congested = True
        if self._transport is not None:
            self._upper_waits = True
            self._upper.pause_writing()

    def resume_writing(self) -> None:
        self._congested, self._answers = False, 0
        if self._held:
            self._held = False
            self._follow()
        if self._upper_waits:
            self._upper_waits = False
            self._upper.resume_writing()

    def pause(self, paused: bool) -> None:
        """Pauses or resumes reading and events. Bytes that have arrived stay in the connection meanwhile."""
        self._paused = paused
        self._follow()

    def _follow(self) -> None:
        if self._lower is None or self._lower.is_closing():
            return
        if self._paused or self._held:
            self._lower.pause_reading()
        else:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        """What waits in the connection goes first, for that holds so much and no more; then the transport may bring more."""
        self.drive()
        if self._lower is not None and not (self._paused or self._held or self._lower.is_closing()):
            self._lower.resume_reading()

    def _answered(self, size: int) -> None:
        """Counts our answers while the peer does not read them; after too many, the peer is not read any more either."""
        if self._congested:
            self._answers += size
            if self._answers > ANSWERS and not self._held:
                self._held = True
                self._follow()

    def drive(self) -> None:
        """Takes events until the connection needs data, or the upper side has paused."""
        try:
            while not (self._ended or self._paused or self._held):
                turn = drive.take_turn(self.connection)
                self._answered(self.flush())
                event = turn.outcome()
                if isinstance(event, Sentinel):
                    return
                self._take(event)
        except PuretlsError as error:
            self.flush()
            self._fail(error)

    def flush(self) -> int:
        """Writes everything that the connection has to send; returns how many bytes."""
        data = self.connection.bytes_to_send()
        if data and self._lower is not None:
            self._lower.write(data)
        return len(data)

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
            _deliver(self._upper, event.data)
        elif isinstance(event, HandshakeCompleted) and self._transport is None:
            assert self._lower is not None
            self._transport = TlsTransport(self, self._lower)
            self._upper.connection_made(self._transport)
            self.handshake.set_result(self._transport) if not self.handshake.done() else None
        elif isinstance(event, ConnectionClosed):
            if event.error and not self._ragged_is_clean:
                raise event.error
            assert self._transport is not None
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


class TlsTransport(asyncio.transports._FlowControlMixin):
    """The upper side: what a protocol above TLS sees as its transport.

    The base and the names with an underscore are what asyncio's own TLS transport has: `loop.sendfile` then reads and writes the file
    itself, and `loop.start_tls` works on top.
    """

    _sendfile_compatible = constants._SendfileMode.FALLBACK
    _start_tls_compatible = True

    def __init__(self, protocol: TlsProtocol, lower: asyncio.Transport) -> None:
        asyncio.Transport.__init__(self)
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
        return not (self._protocol._paused or self._closing)

    @property
    def _protocol_paused(self) -> bool:
        return self._protocol._upper_waits

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol._upper = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast(asyncio.BaseProtocol, self._protocol._upper)

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


def _deliver(upper: Any, data: bytes) -> None:
    """Hand data to a protocol of either kind."""
    if not isinstance(upper, asyncio.BufferedProtocol):
        upper.data_received(data)
        return
    with memoryview(data) as view:
        while view:
            with memoryview(cast(bytearray, upper.get_buffer(len(view)))).cast("B") as buffer:
                size = min(len(buffer), len(view))
                if not size:
                    raise UsageError(f"{type(upper).__name__}.get_buffer gave a buffer without room")
                buffer[:size] = view[:size]
            view = view[size:]  # noqa: PLW2901
            upper.buffer_updated(size)
