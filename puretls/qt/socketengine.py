"""A non-blocking TCP socket with Qt's errors: the only place of the facade that touches sockets of the operating system."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable

from puretls.qt.calls import weakly
from puretls.qt.dispatcher import Dispatcher

_READ_SIZE = 1 << 18
REMOTE_CLOSED = "The remote host closed the connection"
TIMED_OUT = "Network operation timed out"

# errno of connect -> name of the QAbstractSocket.SocketError, text
_CONNECT_ERRORS = {
    errno.ECONNREFUSED: ("ConnectionRefusedError", "Connection refused"),
    errno.EINVAL: ("ConnectionRefusedError", "Connection refused"),
    errno.ETIMEDOUT: ("NetworkError", "Connection timed out"),
    errno.EHOSTUNREACH: ("NetworkError", "Host unreachable"),
    errno.ENETUNREACH: ("NetworkError", "Network unreachable"),
    errno.EADDRINUSE: ("NetworkError", "The bound address is already in use"),
    errno.EACCES: ("SocketAccessError", "Permission denied"),
    errno.EPERM: ("SocketAccessError", "Permission denied"),
    errno.EAGAIN: ("UnfinishedSocketOperationError", "Temporary error"),
}
_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EISCONN)


def wait_for_socket(sock: socket.socket, *, read: bool, write: bool, seconds: float | None) -> tuple[bool, bool]:
    """Blocks until the socket can be read or written: `(readable, writable)`, both False when the time is over."""
    if not hasattr(select, "poll"):  # Windows
        ready = select.select([sock] if read else [], [sock] if write else [], [sock] if write else [], seconds)
        return bool(ready[0]), bool(ready[1] or ready[2])
    poll = select.poll()
    poll.register(sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    for _, mask in poll.poll(None if seconds is None else max(0, seconds * 1000)):
        trouble = bool(mask & (select.POLLERR | select.POLLHUP))
        return read and bool(mask & select.POLLIN or trouble), write and bool(mask & select.POLLOUT or trouble)
    return False, False


class Deadline:
    """What is left of the milliseconds of a waiting call; -1 waits for ever."""

    def __init__(self, msecs: int) -> None:
        self._end = None if msecs < 0 else time.monotonic() + msecs / 1000

    @property
    def seconds(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def msecs(self) -> int:
        return -1 if self._end is None else int(max(0.0, self._end - time.monotonic()) * 1000)

    @property
    def over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end


class SocketEngine:
    """One descriptor, and whether its owner wants to hear when it can be read or written.

    `error` is the name of a SocketError, empty while nothing went wrong. `valid` is False once the descriptor is closed.
    """

    def __init__(self, sock: socket.socket, on_read: Callable[[], object], on_write: Callable[[], object]) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.error: str = ""
        self.error_string: str = ""
        self.valid: bool = True
        self._dispatcher = Dispatcher.current()
        self._on_read, self._on_write = weakly(on_read), weakly(on_write)
        self._reading = self._writing = False

    def __del__(self) -> None:
        if self._dispatcher is Dispatcher.existing():
            self.close()
        self.sock.close()

    # notification

    def notify_read(self, wanted: bool) -> None:
        if wanted != self._reading and self.valid:
            self._reading = wanted
            self._watch()

    def notify_write(self, wanted: bool) -> None:
        if wanted != self._writing and self.valid:
            self._writing = wanted
            self._watch()

    def _watch(self) -> None:
        self._dispatcher.watch(
            self.sock.fileno(),
            reader=self._on_read if self._reading else None,
            writer=self._on_write if self._writing else None,
        )

    def close(self) -> None:
        """Lets the descriptor go."""
        if self.valid:
            self._reading = self._writing = False
            self._watch()
            self.valid = False
            self.sock.close()

    def fail(self, error: str, text: str) -> None:
        self.error, self.error_string = error, text

    # connecting

    def connect(self, address: Callable[[], tuple[object, ...]]) -> None:
        """Begins to connect to what `address` gives; `on_write` is called when it is decided, then ask `connected`."""
        try:
            code = self.sock.connect_ex(address())
        except OSError as problem:
            code = problem.errno or errno.EINVAL
        if code not in _IN_PROGRESS:
            self._fail_connect(code)
            self._dispatcher.post(self._on_write)
        self.notify_write(True)

    def connected(self) -> bool:
        """The outcome of `connect`; on failure `error` is set and the descriptor closed."""
        if not self.valid or self.error:
            self.close()
            return False
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            try:
                self.sock.getpeername()
            except OSError as problem:
                code = problem.errno or errno.ECONNREFUSED
        if code:
            self._fail_connect(code)
            self.close()
        return code == 0

    def _fail_connect(self, code: int) -> None:
        import os

        self.fail(*_CONNECT_ERRORS.get(code, ("UnknownSocketError", os.strerror(code))))

    # transfer

    def read(self, limit: int) -> bytes:
        """Up to `limit` bytes (0: no limit); empty when there is nothing, or at the end: then `valid` is False."""
        try:
            data = self.sock.recv(min(limit, _READ_SIZE) if limit else _READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return b""
        except ConnectionResetError:
            data = b""
        except OSError as problem:
            error = "SocketTimeoutError" if problem.errno == errno.ETIMEDOUT else "NetworkError"
            self.fail(error, problem.strerror or "Unable to read from the socket")
            self.close()
            return b""
        if not data:
            self.fail("RemoteHostClosedError", REMOTE_CLOSED)
            self.close()
        return data

    def write(self, data: memoryview) -> int:
        """How many bytes the system took; -1 on failure, with `error` set."""
        try:
            return self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except (BrokenPipeError, ConnectionResetError):
            self.fail("RemoteHostClosedError", REMOTE_CLOSED)
        except OSError as problem:
            self.fail("NetworkError", problem.strerror or "Unable to write to the socket")
        self.close()
        return -1
