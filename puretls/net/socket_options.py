"""What a `TlsSocket` hands to the socket below it: time-outs, options, addresses."""

from __future__ import annotations

import socket
from typing import Any


class SocketOptions:
    """The methods of `socket.socket` in which TLS has no part.

    `_below` is the socket. A stream that is none, such as another `TlsSocket`, may lack some of them: then calls raise `AttributeError`.
    """

    _below: socket.socket

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that one wait for the socket may take; the handshake as a whole has its own limit."""
        self._below.settimeout(timeout)

    def gettimeout(self) -> float | None:
        return self._below.gettimeout()

    @property
    def timeout(self) -> float | None:
        """As `gettimeout` gives it."""
        return self.gettimeout()

    def setblocking(self, flag: bool) -> None:
        """`settimeout(None)` or `settimeout(0)`: then calls that would wait raise `BlockingIOError`.

        What `send` took is sent once, as after a time-out: the rest goes out with the next call.
        """
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        return self.gettimeout() != 0

    def setsockopt(self, *arguments: Any) -> None:
        """As of the socket below."""
        self._below.setsockopt(*arguments)

    def getsockopt(self, *arguments: Any) -> Any:
        """As of the socket below."""
        return self._below.getsockopt(*arguments)

    @property
    def family(self) -> Any:
        return self._below.family

    @property
    def type(self) -> Any:
        return self._below.type

    @property
    def proto(self) -> int:
        return self._below.proto

    def get_inheritable(self) -> bool:
        return self._below.get_inheritable()

    def set_inheritable(self, inheritable: bool) -> None:
        self._below.set_inheritable(inheritable)

    def fileno(self) -> int:
        """The socket's; mind that `pending` data does not show in `select`."""
        return self._below.fileno()

    def getpeername(self) -> Any:
        return self._below.getpeername()

    def getsockname(self) -> Any:
        return self._below.getsockname()
