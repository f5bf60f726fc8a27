"""Where the bytes of a connection go: a socket, or a pair of memory BIOs. Each operation gets a `drive.Transport` from here.

A socket's time-out is the deadline of a whole operation, as CPython has it. What could not be sent when it passed, or because the socket
does not block, stays here for the next operation: nothing is sent twice, and nothing is lost.
"""

from __future__ import annotations

import select
import threading
import weakref
from _socket import socket as RawSocket
from time import monotonic
from typing import Any

from puretls import drive
from puretls.ssl.bio import MemoryBIO
from puretls.ssl.errors import SSLError, want_read, want_write

SMALL_READ = 2**16
"""What is asked of a socket until one read brings that much."""


class BioWire:
    """A pair of memory BIOs: nothing ever waits here."""

    sock = None
    is_waiting = False
    blocks = False

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        for bio in (incoming, outgoing):
            if not isinstance(bio, MemoryBIO):
                raise TypeError(f"_wrap_bio() argument must be _ssl.MemoryBIO, not {type(bio).__name__}")
        self._incoming: MemoryBIO = incoming
        self._outgoing: MemoryBIO = outgoing

    def operation(self, name: str, *, patient: bool = True) -> BioWire:
        return self

    def settle(self, left: int = 0) -> None:
        pass

    def receive(self, size: int) -> bytes:
        data = self._incoming.read(size)
        if not data and not self._incoming.eof:
            raise want_read()
        return data

    def flush(self, drain: drive.Drain) -> None:
        while data := drain():
            self._outgoing.write(data)


class SocketWire:
    """A socket that somebody else owns."""

    def __init__(self, sock: Any) -> None:
        self._sock = weakref.ref(sock)
        self._read_size = SMALL_READ
        self._outgoing = bytearray()
        self._sending = threading.Lock()
        self._wanted = False

    @property
    def sock(self) -> Any:
        sock = self._sock()
        if sock is None:
            raise SSLError("Underlying socket connection gone")
        return sock

    @property
    def blocks(self) -> bool:
        """Whether operations wait, be it for a time only."""
        return bool(self.sock.gettimeout() != 0.0)

    @property
    def is_waiting(self) -> bool:
        """Whether something is left to be sent."""
        return bool(self._outgoing)

    def operation(self, name: str, *, patient: bool = True) -> Operation:
        """A transport for one operation. `name` stands in the text of its `TimeoutError`.

        Not `patient`, it sends what it can without waiting: a reader is not to wait for a peer that does not read.
        """
        return Operation(self, self.sock, name, patient)


class Operation:
    """One operation on a socket, with its deadline."""

    def __init__(self, wire: SocketWire, sock: Any, name: str, patient: bool) -> None:
        self._wire, self._sock, self._name, self._patient = wire, sock, name, patient
        timeout = sock.gettimeout()
        self._deadline = None if not timeout else monotonic() + timeout
        self._blocks = timeout != 0.0

    def receive(self, size: int) -> bytes:
        wire = self._wire
        self._wait(select.POLLIN)
        try:
            data: bytes = RawSocket.recv(self._sock, min(size, wire._read_size))
        except BlockingIOError:
            raise want_read() from None
        except TimeoutError:
            raise self._late() from None
        wire._read_size = size if len(data) >= SMALL_READ else SMALL_READ
        return data

    def flush(self, drain: drive.Drain) -> None:
        """Send all that `drain` gives, in order; another thread that is sending just now does it for who is not patient."""
        wire = self._wire
        wire._wanted = True
        while wire._wanted and wire._sending.acquire(blocking=self._patient):
            try:
                wire._wanted = False
                self._send_all(drain)
            finally:
                wire._sending.release()

    def _send_all(self, drain: drive.Drain) -> None:
        outgoing = self._wire._outgoing
        while True:
            outgoing += drain()
            if not outgoing:
                return
            if not self._patient and not _ready(self._sock, select.POLLOUT, 0):
                return
            self._wait(select.POLLOUT)
            with memoryview(outgoing) as waiting:
                try:
                    sent = RawSocket.send(self._sock, waiting)
                except BlockingIOError:
                    if not self._patient:
                        return
                    raise want_write() from None
                except TimeoutError:
                    raise self._late() from None
            del outgoing[:sent]

    def _wait(self, what: int) -> None:
        """Until the socket is ready, or the deadline; where there is none, the call itself waits."""
        if self._deadline is not None and not _ready(self._sock, what, max(0.0, self._deadline - monotonic())):
            raise self._late()

    def _late(self) -> TimeoutError:
        return TimeoutError(f"The {self._name} operation timed out")


def _ready(sock: Any, what: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock.fileno(), what)
    return bool(poll.poll(seconds * 1000))
