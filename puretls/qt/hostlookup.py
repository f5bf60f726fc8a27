"""Turning host names into addresses, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qhostaddress import QHostAddress


def resolve(name: str) -> list[QHostAddress]:
    """The addresses of a name in the system's order, empty if there are none. Blocks."""
    try:
        found = socket.getaddrinfo(name.encode("idna").decode(), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(QHostAddress(str(row[4][0])) for row in found))


def resolve_later(name: str, found: Callable[[list[QHostAddress]], None]) -> None:
    """Calls `found(addresses)` from the event loop of this thread."""
    dispatcher = Dispatcher.current()

    def work() -> None:
        addresses = resolve(name)
        dispatcher.post_from_thread(lambda: found(addresses))

    threading.Thread(target=work, name=f"resolve {name}", daemon=True).start()
