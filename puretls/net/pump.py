"""The drive loop that every blocking facade shares: send what is pending, take an event, read when there is none.

Owns the order of these steps; sockets, time-outs and threads belong to the transport.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol

from puretls.connection import Connection
from puretls.errors import FatalAlert, PuretlsError, TlsError, Truncated, UsageError
from puretls.events import PAUSED, ConnectionClosed, Event, Sentinel
from puretls.iana import AlertDescription

Drain = Callable[[], bytes]
"""Gives what must be sent next, b"" when nothing must."""

READ_SIZE = 2**20
"""Bytes asked of the transport at a time: sixty-four full records, for ciphers are fastest over many records at once."""


class Transport(Protocol):
    """What the loop needs of a byte stream."""

    def receive(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end of the stream."""

    def flush(self, drain: Drain) -> None:
        """Send what `drain` gives, in order, until it gives nothing."""


def run(
    connection: Connection,
    transport: Transport,
    until: Callable[[Event], bool],
    lock: AbstractContextManager[object] | None = None,
) -> Event:
    """Drive the connection to the first event that `until` accepts, or to its `ConnectionClosed`; return that event.

    `lock` is held around every use of the connection, never while the transport works. A `TlsError` passes after its alert was
    flushed; an end during a handshake is one, too. Raises `UsageError` when the verifier postponed its verdict: a blocking
    caller has nobody to give it later.
    """
    guard = lock or nullcontext()

    def drain() -> bytes:
        with guard:
            return connection.bytes_to_send()

    state = connection.state.name
    while True:
        try:
            with guard:
                state = last_open_state(connection, state)
                event = connection.next_event()
        except PuretlsError:
            with suppress(OSError):  # the peer may be gone; why the connection failed matters more
                transport.flush(drain)
            raise
        wanted = not isinstance(event, Sentinel | ConnectionClosed) and until(event)  # first: a flush may time out, events come once
        with suppress(*(_ENDED if isinstance(event, ConnectionClosed) else _GONE)):
            transport.flush(drain)
        if isinstance(event, Sentinel):
            if event is PAUSED:
                raise UsageError("the verifier gave no verdict: a blocking connection needs it at once")
            data = transport.receive(READ_SIZE)
            with guard:
                connection.receive_bytes(data)
        elif isinstance(event, ConnectionClosed):
            if state not in _MAY_END:
                raise why_closed(event, state)
            return event
        elif wanted:
            return event


_GONE = (BrokenPipeError, ConnectionResetError)
"""A peer that gave up: its alert may be there to read."""
_ENDED = (OSError,)
"""The answer to a close_notify is a courtesy."""
_MAY_END = frozenset(("CONNECTED", "CLOSED"))


def last_open_state(connection: Connection, before: str) -> str:
    """The state, or the one `before` when the connection has ended meanwhile: an end is told after what led to it."""
    return before if connection.state.name in {"CLOSED", "FAILED"} else connection.state.name


def why_closed(event: ConnectionClosed, state: str) -> TlsError:
    """The error that an end is which came before its time, in `state`."""
    return FatalAlert(AlertDescription.CLOSE_NOTIFY, state) if event.clean else Truncated(state)
