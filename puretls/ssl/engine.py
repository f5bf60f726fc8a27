"""Engine: one connection on its wire, driven by whoever calls. Owns locks and the plaintext that waits; no protocol.

One thread may read while another writes, so each has a lock of its own, taken before `_lock`, which is around each use of the connection.
Nobody waits for the peer with `_lock` held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from puretls import drive
from puretls.connection import Connection
from puretls.errors import PuretlsError, UsageError
from puretls.events import ConnectionClosed, DataReceived, Event, HandshakeCompleted
from puretls.ssl.errors import closed, failure, over
from puretls.ssl.plaintext import Plaintext
from puretls.ssl.wire import BioWire, Operation, SocketWire, speaks_text

CHUNK = 2**20
"""Bytes of plaintext that are encrypted at a time: ciphers are fastest over many records at once."""
SHORT_CHUNK = 2**16
"""The same for a socket that does not block: so much may wait for the peer."""


class Engine:
    """Reads, writes, shakes hands and closes. Raises `PuretlsError` once for what ends the connection, then `SSLEOFError`."""

    def __init__(
        self, connection: Connection, wire: BioWire | SocketWire, tell: Callable[[Event], None], *, ragged_is_clean: bool = False
    ) -> None:
        """`tell` is told of events. `ragged_is_clean`: a stream that ends without close_notify counts as closed."""
        self.connection = connection
        self.complete: bool = False
        """Whether the handshake is done."""
        self._wire = wire
        self._tell = tell
        self._ragged_is_clean = ragged_is_clean
        self._lock = threading.RLock()
        self._handshaking = threading.Lock()
        self._reading = threading.RLock()
        self._writing = threading.Lock()
        self._received = Plaintext()
        self._end: ConnectionClosed | None = None
        self._failed = self._shaken = False
        self._end_told = False
        self._closing = False  # our close_notify is queued
        self._taken = 0  # bytes of the write that is under way

    @property
    def pending(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._received)

    @property
    def head(self) -> bytes:
        """The first bytes that came."""
        return self._wire.head

    def handshake(self) -> None:
        """Shakes hands, unless that is done. Where it cannot wait it goes on with the next call."""
        if self.complete:
            return
        with self._handshaking:
            if not self.complete:
                with self._operation("handshake", reads=True) as operation:
                    self._shake(operation)
                self.complete = True  # from here on the kernel's bytes are a reader's

    def _shake(self, operation: BioWire | Operation) -> None:
        if self._shaken:  # all but the sending of the last flight
            operation.flush(self._drain)
            return
        with self._lock:
            if self.connection.state.name == "START":
                self.connection.start()
        self._run(operation, HandshakeCompleted)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; b"" after the peer's close_notify."""
        self.handshake()
        with self._reading, self._operation("read", patient=False, reads=True) as operation:
            if not self._received:
                self._read_records(operation)
            if not self._received and self._closing:
                raise closed()
            return self._received.take(size)

    def _read_records(self, operation: BioWire | Operation) -> None:
        """All that has come, if it has data in it; nothing at the end."""
        if self._end is None:
            self._run(operation, DataReceived)
        elif self._end.error is not None and not self._ragged_is_clean:
            raise self._end.error
        self._end_told = self._end is not None and not self._received

    def write(self, view: memoryview) -> int:
        """Sends all of `view`; its length. What a write that could not finish has taken is sent once: a retry goes on from there."""
        self.handshake()
        with self._writing:
            if self._taken > len(view):
                raise failure("BAD_LENGTH", "a write that could not finish is retried with the same bytes")
            more = True
            while more:  # each chunk has the time-out to itself
                with self._operation("write") as operation:
                    more = self._write_chunk(operation, view)
            taken, self._taken = self._taken, 0
            return taken

    def _write_chunk(self, operation: BioWire | Operation, view: memoryview) -> bool:
        """Takes some bytes, once all before them have left. Whether there are more."""
        if self._closing:
            raise failure("PROTOCOL_IS_SHUTDOWN")
        operation.flush(self._drain)
        chunk = bytes(view[self._taken : self._taken + (CHUNK if self._wire.blocks else SHORT_CHUNK)])
        if chunk:
            with self._lock:
                try:
                    self.connection.send(chunk)
                except UsageError:
                    raise over() from None  # a reader has met the end meanwhile
            self._taken += len(chunk)
            operation.flush(self._drain)
        return self._taken < len(view)

    def close(self) -> None:
        """Sends close_notify, once, and waits for the peer's (RFC 5246 7.2.1)."""
        if not self.complete:
            raise failure("SHUTDOWN_WHILE_IN_INIT")
        with self._operation("shutdown") as operation:
            self._closing = True
            with self._lock:
                self.connection.close()
            operation.flush(self._drain)
        with self._reading, self._operation("shutdown", reads=True) as operation:
            if not self._received:
                self._read_records(operation)
            if self._received:
                raise failure("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")

    # driving

    @contextmanager
    def _operation(self, name: str, *, patient: bool = True, reads: bool = False) -> Iterator[BioWire | Operation]:
        """A transport for one operation. After one that reads, the kernel keeps what is not ours, or a sign that a record waits."""
        if self._failed and not (reads and self._received):  # data that came before is still read
            raise over()
        operation = self._wire.operation(name, patient=patient)
        try:
            yield operation
        except PuretlsError:
            self._failed = True
            raise
        finally:
            if reads and not (self._failed and speaks_text(self._wire.head)):  # what is no TLS stays where it is
                operation.settle(self._left())

    def _left(self) -> int:
        """Bytes of what was looked at that the kernel keeps: what follows the end, or one while a record, or the end, is to be told."""
        waits = self._received.holds_whole_record or (self._end is not None and not self._end_told)
        return len(self.connection.trailing_data) or int(waits)

    def _run(self, operation: BioWire | Operation, wanted: type[Event]) -> None:
        event = drive.run(self.connection, operation, lambda event: self._see(event) or isinstance(event, wanted), self._lock)
        if isinstance(event, ConnectionClosed):
            self._see(event)
            if event.error is not None and not self._ragged_is_clean:
                raise event.error
        with suppress(PuretlsError), self._lock:  # all that has come; the next operation tells of an error, after the data
            for event in drive.events(self.connection):
                self._see(event)

    def _see(self, event: Event) -> bool:
        if isinstance(event, DataReceived):
            self._received.put(event.data)
        elif isinstance(event, ConnectionClosed):
            self._end = event
        elif isinstance(event, HandshakeCompleted):
            self._shaken = True
        self._tell(event)
        return False

    def _drain(self) -> bytes:
        with self._lock:
            return self.connection.bytes_to_send()
