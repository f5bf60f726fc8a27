"""Effects: what a handler wants done, as data, in order. One executor, in `machine`, does them.

The functions in an effect get the context of the role whose handler made it, as it is when their turn comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from puretls.events import CertificateReceived, Event, ParametersNegotiated
from puretls.handshake.context import Context
from puretls.handshake.states import State
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.record.protection import Protection
from puretls.values import frozen
from puretls.wire.schema import Struct


def _unchanged(context: Context, message: Any) -> Context:
    return context


@frozen
class Effect:
    """Base of all effects."""


@frozen
class Send(Effect):
    """Send the message that `build` makes when its turn comes; `sent` keeps what really left, after the taps.

    `makes` is the class of the message, for who taps a flight before anything of it is made.
    """

    build: Callable[[Any], Struct]
    sent: Callable[[Any, Any], Context] = _unchanged
    makes: type[Struct] | None = None


@frozen
class Update(Effect):
    """Replace the context when its turn comes: for what is computed over the transcript so far."""

    change: Callable[[Any], Context]


@frozen
class ChangeWriteKeys(Effect):
    """Seal what is sent from here on with the protection that `make` gives."""

    make: Callable[[Any], Protection]


@frozen
class ChangeReadKeys(Effect):
    """Open what is received from here on with the protection that `make` gives."""

    make: Callable[[Any], Protection]


@frozen
class LogSecret(Effect):
    """Write a line to the key log, if there is one; `get` gives the client random and the secret."""

    label: str
    get: Callable[[Any], tuple[bytes, bytes]]


@frozen
class Emit(Effect):
    """Tell the application."""

    make: Callable[[Any], Event]


@frozen
class Ask(Effect):
    """Ask the verifier what `request` says; its yes comes back as a `Verdict`, its no as a `Rejection` where the table has one."""

    request: Callable[[Any], Any]


@frozen
class KeepSession(Effect):
    """Hand the session to its store, if there is one, under `key`."""

    key: Callable[[Any], bytes]


@frozen
class Warn(Effect):
    """Send a warning alert."""

    description: int


Flight = tuple[Effect, ...]


class Step(NamedTuple):
    """What a handler gives: the context, the state to go to, and what is to be done."""

    context: Context
    next_state: State
    flight: Flight = ()


TELL_PARAMETERS = Emit(lambda context: ParametersNegotiated(context.negotiated))
TELL_CERTIFICATE = Emit(lambda context: CertificateReceived(context.peer.chain, context.peer.report))
SEND_CHANGE_CIPHER_SPEC = Send(lambda context: ChangeCipherSpec(1), makes=ChangeCipherSpec)


def send_data(data: bytes) -> Send:
    """Application data; a long buffer becomes many records."""
    return Send(lambda context: ApplicationData(data), makes=ApplicationData)
