"""Where the bytes of a connection go: a socket, or a pair of memory BIOs. Each operation gets a `drive.Transport` from here.

A socket's time-out is the deadline of a whole operation, as CPython has it. What could not be sent when it passed, or because the socket
does not block, stays here for the next operation: nothing is sent twice, and nothing is lost.

Ciphers are fastest over many records at once, but programs that wait for a socket with `select` must find it readable while records wait.
So a read looks at all that has come (MSG_PEEK), and `settle` leaves the last byte in the kernel as long as a whole record is not read. In
the same way a shutdown takes no byte of what follows the peer's close_notify.
"""

from __future__ import annotations

import select
import socket
import sys
import threading
import weakref
from _socket import socket as RawSocket
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from puretls import drive
from puretls.ssl.bio import MemoryBIO
from puretls.ssl.errors import SSLError, want_read, want_write

SMALL_READ = 2**16
"""What is asked of a socket until one read brings that much."""
HEAD = 8
"""So many of the first bytes are kept: they tell what a peer speaks that speaks no TLS."""
_PEEK = 0 if sys.platform in {"emscripten", "wasi"} else socket.MSG_PEEK
"""Their sockets take no flags."""
_READ, _WRITE = 1, 4
"""POLLIN and POLLOUT, where there is no `poll` too."""


class BioWire:
    """A pair of memory BIOs: nothing ever waits here."""

    sock = None
    peer = ""
    blocks = True  # whatever is written has room

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        for name, bio in (("incoming", incoming), ("outgoing", outgoing)):
            if not isinstance(bio, MemoryBIO):
                raise TypeError(f"_wrap_bio() argument {name!r} must be _ssl.MemoryBIO, not {type(bio).__name__}")
        self._incoming: MemoryBIO = incoming
        self._outgoing: MemoryBIO = outgoing
        self.head: bytes = b""

    def operation(self, name: str, *, patient: bool = True) -> BioWire:
        """A transport for one operation."""
        return self

    def settle(self, left: int = 0) -> None:
        """Nothing is left anywhere: a BIO belongs to one connection."""

    def receive(self, size: int) -> bytes:
        data = self._incoming.read(size)
        if not data and not self._incoming.eof:
            raise want_read()
        self.head = self.head or data[:HEAD]
        return data

    def flush(self, drain: drive.Drain) -> None:
        while data := drain():
            if not speaks_text(self.head):
                self._outgoing.write(data)


class SocketWire:
    """A socket that somebody else owns."""

    def __init__(self, sock: Any) -> None:
        self._sock = weakref.ref(sock)
        self.head = b""
        self.read_size = SMALL_READ
        self.seen = 0  # bytes that were looked at and are still in the kernel
        self.outgoing: bytearray = bytearray()
        self.sending: threading.Lock = threading.Lock()
        self.wanted = False  # a flush, by a thread that did not wait for `sending`

    @property
    def sock(self) -> Any:
        """The socket. Raises `SSLError` once it is gone."""
        sock = self._sock()
        if sock is None:
            raise SSLError(0, "Underlying socket connection gone")
        return sock

    @property
    def peer(self) -> str:
        """The address of the other end, as text."""
        try:
            return repr(self.sock.getpeername())
        except OSError:
            return ""

    @property
    def blocks(self) -> bool:
        """Whether operations wait, be it for a time only."""
        return bool(self.sock.gettimeout() != 0.0)

    def operation(self, name: str, *, patient: bool = True) -> Operation:
        """A transport for one operation. A `TimeoutError` of a "handshake" says so, all others say whether it was a read or a write.

        Not `patient`, it sends what it can without waiting: a reader is not to wait for a peer that does not read.
        """
        return Operation(self, self.sock, name, patient)


class Operation:
    """One operation on a socket, with its deadline."""

    def __init__(self, wire: SocketWire, sock: Any, name: str, patient: bool) -> None:
        self._wire, self._sock, self._name, self._patient = wire, sock, name, patient
        timeout = sock.gettimeout()
        self._deadline = None if not timeout else monotonic() + timeout

    def receive(self, size: int) -> bytes:
        wire = self._wire
        self.settle()
        self._wait(_READ)
        try:
            data: bytes = RawSocket.recv(self._sock, min(size, wire.read_size), _PEEK)
        except BlockingIOError:
            raise want_read() from None
        except TimeoutError:
            raise self._late(_READ) from None
        wire.read_size = size if len(data) >= SMALL_READ else SMALL_READ
        wire.seen = len(data) if _PEEK else 0
        wire.head = wire.head or data[:HEAD]
        return data

    def settle(self, left: int = 0) -> None:
        """Take from the kernel what was looked at, but for the last `left` bytes."""
        wire = self._wire
        while wire.seen > left:
            taken: list[bytes] = []
            try:
                _call_into(taken, partial(RawSocket.recv, self._sock), wire.seen - left)
            finally:
                wire.seen -= (len(taken[0]) or wire.seen) if taken else 0

    def flush(self, drain: drive.Drain) -> None:
        """Send all that `drain` gives, in order; another thread that is sending just now does it for who is not patient."""
        wire = self._wire
        wire.wanted = True
        while wire.wanted and wire.sending.acquire(blocking=self._patient):
            try:
                wire.wanted = False
                self._send_all(drain)
            finally:
                wire.sending.release()

    def _send_all(self, drain: drive.Drain) -> None:
        outgoing = self._wire.outgoing
        while True:
            outgoing += drain()
            if speaks_text(self._wire.head):
                outgoing.clear()
            if not outgoing or not (self._patient or _ready(self._sock, _WRITE, 0)):
                return
            self._wait(_WRITE)
            sent: list[int] = []
            try:
                with memoryview(outgoing) as waiting:
                    _call_into(sent, partial(RawSocket.send, self._sock), waiting)
            except BlockingIOError:
                raise want_write() from None
            except TimeoutError:
                raise self._late(_WRITE) from None
            finally:
                del outgoing[: sum(sent)]

    def _wait(self, what: int) -> None:
        """Until the socket is ready, or the deadline; where there is none, the call itself waits."""
        if self._deadline is not None and not _ready(self._sock, what, max(0.0, self._deadline - monotonic())):
            raise self._late(what)

    def _late(self, what: int) -> TimeoutError:
        name = self._name if self._name == "handshake" else "read" if what == _READ else "write"
        return TimeoutError(f"The {name} operation timed out")


def speaks_text(head: bytes) -> bool:
    """Whether the peer's first bytes are letters, as those of an HTTP request: it would take an alert for a broken answer."""
    return head[:1].isalpha()


def _call_into(results: list[Any], function: Callable[[Any], Any], argument: Any) -> None:
    """Put the result of a call into a list, in one step: a signal handler that raises when the call is over does not lose it."""
    results.extend(map(function, (argument,)))


def _ready(sock: Any, what: int, seconds: float) -> bool:
    """Whether a socket can be read or written (or has failed, which its next call tells) within so many seconds."""
    number = sock.fileno()
    if number < 0:
        raise SSLError("Underlying socket has been closed.")
    if not hasattr(select, "poll"):  # Windows
        reading, writing = ([sock], []) if what == _READ else ([], [sock])
        return any(select.select(reading, writing, [], seconds))
    poll = select.poll()
    poll.register(number, what)
    return bool(poll.poll(seconds * 1000))
