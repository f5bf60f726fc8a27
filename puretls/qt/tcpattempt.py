"""The way to a host: its addresses, tried one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from puretls.qt.calls import Call
from puretls.qt.dispatcher import Dispatcher, Timer
from puretls.qt.hostlookup import resolve_later
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress

CONNECT_SECONDS = 30.0
"""Patience with one address."""
_ANY = (NetworkLayerProtocol.AnyIPProtocol, NetworkLayerProtocol.UnknownNetworkLayerProtocol)


class Target(NamedTuple):
    """What to connect to."""

    host: str = ""
    port: int = 0
    protocol: NetworkLayerProtocol = NetworkLayerProtocol.AnyIPProtocol


class Attempt:
    """One attempt to connect. After `cancel`, the answer of its lookup does not count."""

    def __init__(self, target: Target | None = None, *, is_bound: bool = False) -> None:
        """`is_bound`: the first address is to be connected from a socket that is bound."""
        self.target: Target = target or Target()
        self.is_bound = is_bound
        self._addresses: list[QHostAddress] = []
        self._timer: Timer | None = None
        self._counts = True

    def look_up(self, found: Callable[[list[QHostAddress]], object]) -> None:
        """Calls `found(addresses)`: at once where the host is an address, and from the event loop where it is a name."""
        address = QHostAddress(self.target.host)
        if not address.isNull():
            found([address])
        else:
            resolve_later(self.target.host, lambda addresses: self._counts and found(addresses))

    def keep(self, addresses: list[QHostAddress]) -> bool:
        """Keeps the addresses of the protocol that is wanted. False if there are none."""
        self._addresses = [each for each in addresses if self.target.protocol in (*_ANY, each.protocol())]
        return bool(self._addresses)

    def next_address(self, too_late: Call) -> QHostAddress | None:
        """The address to try next, None after the last. `too_late` is called when it has not been decided in time."""
        self.stop_timer()
        if not self._addresses:
            return None
        self._timer = Dispatcher.current().call_later(CONNECT_SECONDS, too_late)
        return self._addresses.pop(0)

    def stop_timer(self) -> None:
        """An address was decided about."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def cancel(self) -> None:
        """The attempt has ended."""
        self._counts = False
        self.stop_timer()
