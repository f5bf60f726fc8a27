"""What an adapter gives: a factory of ends, each of which can be told what its application does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from puretls.errors import UsageError
from puretls.inspect.peer import Peer
from puretls.testing import honest
from puretls.values import frozen


class AdapterError(UsageError):
    """An implementation that cannot be tested: it does not start, or speaks no TLS. The text says what to do."""


class Acting(Peer, Protocol):
    """A peer whose application is within reach. What is not possible in a state is told, and changes nothing."""

    def start(self) -> None:
        """Begin: a client sends its hello."""

    def send(self, data: bytes) -> None:
        """Send application data."""

    def close(self) -> None:
        """Send close_notify."""


@frozen
class Factory:
    """Makes ends of one implementation and one role; each call makes a fresh one.

    `deterministic`: two of them that get the same bytes send the same bytes. `secure`: its ends talk to none but those with cryptography.
    `acts`: they are `Acting`; the application at the other end of a socket is out of reach. `known`: a server's chain is of the honest
    authority (`honest.authority`), else whoever talks to it takes any; `server_name` is what it is asked for.
    """

    name: str
    role: str
    make: Callable[[], Peer]
    secure: bool = True
    deterministic: bool = False
    acts: bool = True
    known: bool = True
    server_name: str | None = honest.NAME

    def __post_init__(self) -> None:
        if self.role not in {"client", "server"}:
            raise UsageError(f"a role is client or server, not {self.role!r}")

    def __call__(self) -> Peer:
        """A fresh end. Raises `AdapterError` where there can be none."""
        return self.make()

    def __str__(self) -> str:
        return f"{self.name} {self.role}"
