"""What a connection tells the application, in the order in which it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from puretls.errors import FatalAlert, TlsError, Truncated
from puretls.iana import AlertDescription, AlertLevel
from puretls.values import field, frozen

if TYPE_CHECKING:
    from puretls.session import Session


class Sentinel:
    """A value that is only ever compared by identity."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NEED_DATA: Final = Sentinel("NEED_DATA")
"""Nothing to tell until more bytes are received."""
PAUSED: Final = Sentinel("PAUSED")
"""Nothing goes on until `Connection.answer` is called."""


@frozen
class Event:
    """Base of all events."""


@frozen
class HandshakeStarted(Event):
    """A ClientHello was sent or received; `renegotiation` when not the first on this connection."""

    renegotiation: bool


@frozen
class ParametersNegotiated(Event):
    """The hellos were exchanged: suite, extensions and resumption are known; group and signature scheme may follow."""

    negotiated: Any


@frozen
class CertificateReceived(Event):
    """The peer's chain was judged; `report` is the verifier's."""

    chain: tuple[bytes, ...]
    report: Any


@frozen
class VerificationRequired(Event):
    """The verifier answered PENDING: `Connection.answer(report)` goes on. `request` is what it was asked."""

    request: Any


@frozen
class HandshakeCompleted(Event):
    """Both Finished were verified. `session` may be resumed later (None where the server gave no way to)."""

    negotiated: Any
    session: Session | None


@frozen
class DataReceived(Event):
    """Application data of one record."""

    data: bytes


@frozen
class TicketReceived(Event):
    """The server sent a session ticket; `session` holds it, and is of use once the handshake completes."""

    session: Session


@frozen
class RenegotiationRefused(Event):
    """The peer asked for a renegotiation and was told no, or answered no to ours (RFC 5246 7.2.2)."""

    by_peer: bool


@frozen
class AlertSent(Event):
    """An alert was queued for the peer."""

    level: AlertLevel | int
    description: AlertDescription | int


@frozen
class AlertReceived(Event):
    """The peer sent an alert. After a fatal one `FatalAlert` is raised by the next step."""

    level: AlertLevel | int
    description: AlertDescription | int


@frozen
class ConnectionClosed(Event):
    """No more data will come. `clean` is False when the stream ended without close_notify: data may be missing (RFC 5246 7.2.1).

    Events of this class are equal where `clean` is.
    """

    clean: bool
    state: str = field(default="CONNECTED", compare=False)
    """The name of the state in which the end came."""
    complete: bool = field(default=True, compare=False)
    """Whether a handshake was complete by then. An end before that says nothing about a peer that is known, and no data came."""

    @property
    def error(self) -> TlsError | None:
        """What to raise for this end: `Truncated` without close_notify, `FatalAlert` for one before the handshake was complete, or None."""
        if not self.clean:
            return Truncated(self.state)
        return None if self.complete else FatalAlert(AlertDescription.CLOSE_NOTIFY, self.state)
