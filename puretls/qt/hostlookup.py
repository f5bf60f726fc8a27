"""Turning host names into addresses, in a thread, with Qt's memory of a minute."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from puretls.qt.dispatcher import Dispatcher
from puretls.qt.qhostaddress import QHostAddress

_KEEP_SECONDS, _KEEP_NAMES = 60.0, 128
_known: dict[str, tuple[float, list[QHostAddress]]] = {}


def remembered(name: str) -> list[QHostAddress] | None:
    """The addresses found for this name within the last minute, or None."""
    found = _known.get(name)
    if found is None or time.monotonic() - found[0] > _KEEP_SECONDS:
        return None
    return list(found[1])


def resolve(name: str) -> list[QHostAddress]:
    """The addresses of a name in the system's order, empty if there are none. Blocks."""
    try:
        found = socket.getaddrinfo(name.encode("idna").decode(), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    addresses = list(dict.fromkeys(QHostAddress(str(row[4][0])) for row in found))
    if len(_known) >= _KEEP_NAMES:
        _known.clear()
    _known[name] = (time.monotonic(), addresses)
    return list(addresses)


def resolve_later(name: str, found: Callable[[list[QHostAddress]], None]) -> None:
    """Calls `found(addresses)` from the event loop of this thread."""
    dispatcher = Dispatcher.current()

    def work() -> None:
        addresses = resolve(name)
        dispatcher.post_from_thread(lambda: found(addresses))

    threading.Thread(target=work, name=f"resolve {name}", daemon=True).start()
