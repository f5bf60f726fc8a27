"""The loop that drives a connection, whatever moves its bytes: a socket, an event loop, another thread, a test.

One turn is always the same: take an event, send what is to be sent, then look at the event; read only where it is NEED_DATA. `take_turn`
is for who is called when bytes come, and for who awaits them; `run` is for who can wait. What happened is in the turn, how the
connection ended is in its last event: nobody keeps a state beside the connection's own. No I/O here; it is the transport's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import NamedTuple, Protocol

from puretls.connection import Connection
from puretls.errors import PuretlsError, UsageError
from puretls.events import PAUSED, ConnectionClosed, Event, Sentinel

Drain = Callable[[], bytes]
"""Returns the bytes to be sent next, b"" when there are none."""

READ_SIZE = 2**20
"""Bytes asked of the transport at a time: sixty-four full records, for ciphers are fastest over many records at once."""


class Turn(NamedTuple):
    """What came of one turn. Send what the connection has to send before anything else: the alert of an error is in it, too."""

    event: Event | Sentinel | None
    """What happened. NEED_DATA: nothing goes on without bytes; PAUSED: without a verdict. None where the connection had failed before."""
    error: PuretlsError | None = None
    """Why the connection failed, or that it ended before its handshake was complete."""

    @property
    def forgiven(self) -> tuple[type[OSError], ...]:
        """Errors of the transport that do not matter when the turn's bytes are sent.

        To a connection that is over, sending is a courtesy. Before, the pipe may be broken, and why the peer broke it may be there to read.
        """
        over = self.error is not None or isinstance(self.event, ConnectionClosed)
        return (OSError,) if over else (BrokenPipeError, ConnectionResetError)

    def outcome(self) -> Event | Sentinel:
        """The event, or NEED_DATA. Raises the error; and `UsageError` for PAUSED, where nobody can give the verdict later."""
        if self.error is not None:
            raise self.error
        if self.event is PAUSED:
            raise UsageError("the verifier gave no verdict: here it is needed at once")
        assert self.event is not None
        return self.event


def take_turn(connection: Connection) -> Turn:
    """The next event of the connection, or the error that ended it. Raises nothing: what is to be sent goes first."""
    try:
        event = connection.next_event()
    except PuretlsError as error:
        return Turn(None, error)
    if isinstance(event, ConnectionClosed) and not event.complete:
        return Turn(event, event.error)
    return Turn(event)


def events(connection: Connection) -> Iterator[Event]:
    """The events that need no more bytes. Raises what `Connection.next_event` raises, after them."""
    while not isinstance(event := connection.next_event(), Sentinel):
        yield event


class Transport(Protocol):
    """What `run` needs of a byte stream."""

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
    flushed; an end during the first handshake is one, too. Raises `UsageError` when the verifier postponed its verdict: who waits
    here has nobody to give it later.
    """
    guard = lock or nullcontext()

    def drain() -> bytes:
        with guard:
            return connection.bytes_to_send()

    while True:
        with guard:
            turn = take_turn(connection)
        found = isinstance(turn.event, Event) and (isinstance(turn.event, ConnectionClosed) or until(turn.event))
        with suppress(*turn.forgiven):  # after `until`: a flush may time out, and an event comes once
            transport.flush(drain)
        event = turn.outcome()
        if isinstance(event, Sentinel):
            data = transport.receive(READ_SIZE)
            with guard:
                connection.receive_bytes(data)
        elif found:
            return event
