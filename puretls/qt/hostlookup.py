"""Turning host names into addresses, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from puretls.errors import UsageError
from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qhostaddress import QHostAddress
from puretls.x509.hostname import host_to_look_up


def resolve(name: str) -> list[QHostAddress]:
    """The addresses of a name in the system's order, empty if there are none. Blocks."""
    try:
        found = socket.getaddrinfo(host_to_look_up(name), None, type=socket.SOCK_STREAM)
    except (OSError, UsageError):
        return []
    return list(dict.fromkeys(address_of(row[4]) for row in found))


def address_of(found: tuple[Any, ...]) -> QHostAddress:
    """The address in what the system calls one; the number of an IPv6 address's zone, its last part, becomes a name."""
    address = QHostAddress(found[0])
    if len(found) == 4 and found[3] and not address.scopeId():
        try:
            address.setScopeId(socket.if_indextoname(found[3]))
        except OSError:
            address.setScopeId(str(found[3]))
    return address


def system_address(address: QHostAddress, port: int) -> tuple[Any, ...]:
    """The other way: what the system takes. Raises `OSError` for a zone that this machine does not have."""
    text, _, zone = address.toString().partition("%")
    if not zone:
        return text or "0.0.0.0", port
    return text, port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)


def resolve_later(name: str, found: Callable[[list[QHostAddress]], object]) -> None:
    """Calls `found(addresses)` from the event loop of this thread."""
    dispatcher = Dispatcher.current()

    def work() -> None:
        addresses = resolve(name)
        dispatcher.post_from_thread(lambda: found(addresses))

    threading.Thread(target=work, name=f"resolve {name}", daemon=True).start()
