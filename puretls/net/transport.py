"""Moves bytes between a connection and a blocking socket, in whichever thread asks for it.

Owns the socket's time-outs and what could not be sent yet; knows no TLS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from puretls import drive

SMALL_READ = 2**16
"""What a read asks for until one brings that much: a buffer of a megabyte costs 50 microseconds even if it stays empty."""

T = TypeVar("T")


class StreamSocket(Protocol):
    """What a `TlsSocket` needs of the socket below it. A `TlsSocket` has it as well, so TLS runs inside TLS."""

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: memoryview, /) -> int: ...

    def settimeout(self, timeout: float | None, /) -> None: ...

    def gettimeout(self) -> float | None: ...

    def shutdown(self, how: int, /) -> None: ...

    def close(self) -> None: ...

    def fileno(self) -> int: ...

    def getpeername(self) -> Any: ...

    def getsockname(self) -> Any: ...


class SocketTransport:
    """Moves bytes between a connection and its socket, each exactly once and in order, whichever thread does it.

    A send that times out leaves the rest for the next flush.
    """

    def __init__(self, sock: StreamSocket) -> None:
        self.sock = sock
        self.deadline: float | None = None
        """Moment of `time.monotonic()` at which every wait ends with `TimeoutError`; None: there is no such moment."""
        self.overdue = "the handshake took too long"
        """The text of that `TimeoutError`."""
        self._read_size = SMALL_READ
        self._sending = threading.Lock()
        self._outgoing = bytearray()
        self._wanted = False

    def receive(self, size: int) -> bytes:
        data = self._limited(partial(self.sock.recv, min(size, self._read_size)))
        self._read_size = size if len(data) >= SMALL_READ else SMALL_READ
        return data

    def flush(self, drain: drive.Drain, wait: bool = False) -> None:
        """Send all that `drain` gives.

        A reader must not wait for a writer whom a slow peer holds up, so with `wait` false the work is left to the thread that is
        sending just now: it sees `_wanted` after it let go of the lock, so nothing stays behind.
        """
        self._wanted = True
        while self._wanted and self._sending.acquire(blocking=wait):
            try:
                self._wanted = False
                self._send_all(drain)
            finally:
                self._sending.release()

    def _send_all(self, drain: drive.Drain) -> None:
        while True:
            self._outgoing += drain()
            if not self._outgoing:
                return
            with memoryview(self._outgoing) as waiting:
                sent = self._limited(partial(self.sock.send, waiting))
            del self._outgoing[:sent]

    def _limited(self, action: Callable[[], T]) -> T:
        """Run `action` within the socket's own time-out and the deadline, whichever is sooner."""
        if self.deadline is None:
            return action()
        own = self.sock.gettimeout()
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(self.overdue)
        if own is not None and own <= left:
            return action()
        self.sock.settimeout(left)
        try:
            return action()
        except TimeoutError:
            raise TimeoutError(self.overdue) from None
        finally:
            self.sock.settimeout(own)
