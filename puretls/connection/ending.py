"""How a connection ends: close_notify of either side, the end of the stream, fatal alerts, errors."""

from __future__ import annotations

import copy
from contextlib import suppress

from puretls.connection import blame, stores
from puretls.connection.outbox import Outbox
from puretls.connection.progress import Progress
from puretls.errors import Aborted, FatalAlert, InternalError, PeerError, PuretlsError
from puretls.events import ConnectionClosed
from puretls.iana import AlertDescription, AlertLevel


class Ending:
    """Whether a connection is over, why, and what the peer is told of it."""

    def __init__(self, progress: Progress, outbox: Outbox) -> None:
        self.error: PuretlsError | None = None
        """Why the connection failed."""
        self.closing = False
        """Whether the application may send nothing more: it, or the peer, has closed."""
        self.is_over: bool = False
        """Whether nothing is received any more: after an error, the peer's close_notify, or the end of the stream."""
        self.half_closed: bool = False
        """Whether the peer has closed, and we may still send (`Config.half_close`)."""
        self._progress = progress
        self._outbox = outbox

    def fork(self, progress: Progress, outbox: Outbox) -> Ending:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._progress, twin._outbox = progress, outbox
        return twin

    @property
    def close_sent(self) -> bool:
        """Whether our close_notify was sent: nothing leaves after it."""
        return self._outbox.closed

    def send_close_notify(self) -> None:
        """RFC 5246 7.2.1, once."""
        if not self._outbox.closed:
            self._outbox.send_alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
            self._outbox.closed = True
            if self.half_closed:
                self._move_to("CLOSED")

    def receive_end(self, *, clean: bool, half: bool = False) -> None:
        """The peer's close_notify came, or the stream ended without it. The event keeps the state in which that was.

        `half`: ours is still open.
        """
        progress = self._progress
        progress.events.append(ConnectionClosed(clean, progress.state.name, progress.context.established is not None))
        self.is_over, self.half_closed = True, half
        if not half:
            self._move_to("CLOSED")

    def fail(self, cause: Exception, head: bytes) -> PuretlsError:
        """End the connection with an error, once: find the bytes at fault, forget the session, queue the alert.

        `head` is the header of a handshake message that is not complete. An exception that is not ours becomes an `InternalError`.
        The first error counts: what goes wrong in telling the peer of it changes nothing. Returns the error for `cause`.
        """
        error = cause if isinstance(cause, PuretlsError) else _internal(cause)
        if self.error is not None:
            return error
        if isinstance(error, PeerError):
            self._place(error, head)
        if not self._progress.looks_ahead:
            stores.forget(self._progress.context)
        alert, sent = _alert_for(error), False
        if alert is not None:
            with suppress(Exception):  # a key that is used up seals no alert either, and taps may raise anything
                sent = self._outbox.send_alert(AlertLevel.FATAL, alert)
        if isinstance(error, PeerError | Aborted):
            error.alert_sent = sent
        self.error, self.is_over = error, True
        self._move_to("FAILED")
        return error

    def _place(self, error: PeerError, head: bytes) -> None:
        progress = self._progress
        error.state = error.state or progress.state.name
        if error.path and error.offset is None:
            blame.place_earlier(error, head, progress.context.transcript, progress.context.key_exchange)

    def _move_to(self, name: str) -> None:
        self._progress.state = self._progress.context.states[name]


def _alert_for(error: PuretlsError) -> AlertDescription | None:
    """What the peer is told of an error; nothing where it was the peer who gave up."""
    if isinstance(error, FatalAlert):
        return None
    return error.alert if isinstance(error, PeerError | Aborted) else AlertDescription.INTERNAL_ERROR


def _internal(cause: Exception) -> InternalError:
    """What the exception says may hold secrets: it stays in the cause."""
    made = InternalError(f"{type(cause).__name__} in puretls: please report it")
    made.__cause__ = cause
    return made
