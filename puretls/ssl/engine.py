"""Engine: one connection on its wire, driven by whoever calls. Owns locks and the plaintext that waits; no protocol.

One thread may read while another writes, so each has a lock of its own, taken before `_lock`, which is around each use of the connection.
Nobody waits for the peer with `_lock` held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from puretls import drive
from puretls.connection import Connection
from puretls.errors import PuretlsError
from puretls.events import ConnectionClosed, DataReceived, Event, HandshakeCompleted
from puretls.ssl.errors import closed, failure, over, want_read
from puretls.ssl.wire import BioWire, SocketWire

CHUNK = 2**20
"""Bytes of plaintext that one write takes: ciphers are fastest over many records at once."""
SHORT_CHUNK = 2**16
"""The same for a socket that does not block: whoever turns away from a write that would block has given away no more than this."""


class Engine:
    """Reads, writes, shakes hands and closes. Raises `PuretlsError` once for what ends the connection, then `SSLEOFError`."""

    def __init__(self, connection: Connection, wire: BioWire | SocketWire, tell: Callable[[Event], None]) -> None:
        self.connection = connection
        self.complete = False
        self._wire = wire
        self._tell = tell
        self._lock = threading.RLock()
        self._handshaking = threading.Lock()
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._received = bytearray()
        self._end: ConnectionClosed | None = None
        self._failed = False
        self._owed = 0  # bytes of plaintext that were taken by a write which could not finish
        self._closed = False  # our close_notify is queued

    # the four operations

    def handshake(self) -> None:
        operation = self._wire.operation("handshake")
        with self._handshaking:
            if self.complete:
                operation.flush(self._drain)
                return
            self._check()
            with self._lock:
                if self.connection.state.name == "START":
                    self.connection.start()
            operation.flush(self._drain)
            self._run(operation, lambda event: isinstance(event, HandshakeCompleted))
            if not self.complete:
                raise closed()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; b"" after the peer's close_notify."""
        if not self.complete:
            self.handshake()
        with self._reading:
            if not self._received and self._end is None:
                self._check()
                self._run(self._wire.operation("read", patient=False), lambda event: isinstance(event, DataReceived))
                self._take_the_rest()
            return self._take(size)

    def _take(self, size: int) -> bytes:
        received = self._received
        if not received:
            return self._at_end()
        if size >= len(received):
            data = bytes(received)
            received.clear()
            return data
        with memoryview(received) as view:
            data = bytes(view[:size])
        del received[:size]
        return data

    def write(self, view: memoryview) -> int:
        """Takes bytes and sends them; how many were taken. Those of a write that could not finish are sent once: a retry goes on."""
        if not self.complete:
            self.handshake()
        with self._writing:
            self._check()
            operation = self._wire.operation("write")
            if self._closed:
                raise failure("PROTOCOL_IS_SHUTDOWN")
            if not self._owed:
                operation.flush(self._drain)  # what an earlier operation left; while that waits, nothing more is taken
                chunk = bytes(view[: CHUNK if self._wire.blocks or self._wire.sock is None else SHORT_CHUNK])
                with self._lock:
                    self.connection.send(chunk)
                self._owed = len(chunk)
            elif self._owed > len(view):
                raise failure("BAD_WRITE_RETRY")
            operation.flush(self._drain)
            taken, self._owed = self._owed, 0
        return taken

    def close(self) -> None:
        """Sends close_notify and waits for the peer's (RFC 5246 7.2.1). Raises `SSLWantReadError` where it cannot wait."""
        if not self.complete:
            raise failure("SHUTDOWN_WHILE_IN_INIT")
        self._check()
        operation = self._wire.operation("shutdown")
        with self._reading:
            if not self._closed:
                self._closed = True
                with self._lock:
                    self.connection.close()
            operation.flush(self._drain)
            if self._received:
                raise failure("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")
            if self._end is None:
                self._run(operation, lambda event: isinstance(event, DataReceived))
            if self._received:
                raise failure("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")
            if self._end is not None and self._end.error is not None:
                self._at_end()

    @property
    def pending(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._received)

    # driving

    def _run(self, operation: Any, until: Callable[[Event], bool]) -> None:
        try:
            event = drive.run(self.connection, operation, lambda event: self._see(event) or until(event), self._lock)
        except PuretlsError:
            self._failed = True
            raise
        if isinstance(event, ConnectionClosed):
            self._end = event

    def _take_the_rest(self) -> None:
        """The records that came with the first. An error among them is told by the next read, after the data before it."""
        try:
            for event in drive.events(self.connection):
                self._see(event)
        except PuretlsError:
            pass

    def _see(self, event: Event) -> bool:
        if isinstance(event, DataReceived):
            self._received += event.data
        elif isinstance(event, ConnectionClosed):
            self._end = event
        else:
            self.complete = self.complete or isinstance(event, HandshakeCompleted)
            self._tell(event)
        return False

    def _drain(self) -> bytes:
        with self._lock:
            return self.connection.bytes_to_send()

    def _check(self) -> None:
        if self._failed:
            raise over()

    def _at_end(self) -> bytes:
        if self._end is None:
            raise want_read()
        if self._end.error is not None:
            error, self._failed = self._end.error, True
            raise error
        if self._closed:
            raise closed()
        return b""
