"""What a TLS driver wants done: values that the socket turns into signals, errors and bytes."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

from puretls.errors import FatalAlert, PuretlsError
from puretls.iana import AlertDescription
from puretls.qt.qssl import QSsl
from puretls.qt.socketenums import SocketError


class Emit(NamedTuple):
    """Emit a signal of the socket."""

    signal: str
    arguments: tuple[object, ...] = ()


class Fail(NamedTuple):
    """Tell an error of the socket."""

    error: SocketError
    text: str


class BytesEncrypted(NamedTuple):
    """So many bytes of `queued` were encrypted."""

    size: int


class DataArrived(NamedTuple):
    """Plaintext was added to `received`."""


class PeerAccepted(NamedTuple):
    """The handshake is over: the program may talk."""


class PeerRefused(NamedTuple):
    """The peer has errors that are not ignored: end here, or wait for `resume`."""


class WriteUntold(NamedTuple):
    """Send an alert where Qt sends none, past the signals."""

    alert: bytes


class Abort(NamedTuple):
    """Send the alert of a handshake that failed and drop the connection."""

    alert: bytes = b""


Effect = Emit | Fail | BytesEncrypted | DataArrived | PeerAccepted | PeerRefused | WriteUntold | Abort
Steps = Generator[Effect, bool, None]
"""Effects to be done in order. After each, the answer is whether the socket is connected."""


def alert_arguments(level: int, description: int) -> tuple[QSsl.AlertLevel, QSsl.AlertType, str]:
    """An alert as Qt's signals tell it."""
    levels = {1: QSsl.AlertLevel.Warning, 2: QSsl.AlertLevel.Fatal}
    kind = QSsl.AlertType(int(description))
    name = getattr(description, "name", f"alert {int(description)}")
    return levels.get(int(level), QSsl.AlertLevel.Unknown), kind, str(name).lower().replace("_", " ")


def handshake_failed(why: str) -> Fail:
    """The error of every handshake that fails."""
    return Fail(SocketError.SslHandshakeFailedError, f"Error during SSL handshake: {why}")


def advice(problem: PuretlsError) -> str:
    """The error in one line, and for an alert of the peer what it means."""
    if isinstance(problem, FatalAlert):
        try:
            name = AlertDescription(problem.description).name.lower()
        except ValueError:
            name = str(problem.description)
        return f"the peer gave up with the alert {name}: {problem}"
    return str(problem)
