"""What goes to the peer: messages through their taps into the transcript, and all content into records."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from puretls.connection.progress import Progress
from puretls.connection.transfer import Outbound
from puretls.events import AlertSent
from puretls.handshake.context import Context
from puretls.handshake.states import ClientState
from puretls.iana import AlertDescription, AlertLevel, ContentType, HandshakeType, ProtocolVersion
from puretls.intercept import Direction
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import Alert
from puretls.messages.registry import serialise_handshake
from puretls.wire.schema import serialise

_WHOLE = 2
"""Bytes of an alert, which is in one record whatever `max_send_fragment` says: few peers put the halves of one together."""


class Outbox:
    """Sends messages, alerts and data, until it is closed."""

    def __init__(self, progress: Progress, records: Outbound) -> None:
        self._records = records
        self.closed = False
        """Whether close_notify was sent: nothing may follow it (RFC 5246 7.2.1)."""
        self._progress = progress

    def fork(self, progress: Progress, records: Outbound) -> Outbox:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._progress, twin._records = progress, records
        return twin

    def send_message(self, message: Any, sent: Callable[[Context, Any], Context]) -> None:
        """Send a message; `sent` puts into the context what really left.

        The taps may have changed it, and the peer computes with what it received: a random, a share, Finished.
        """
        progress = self._progress
        for passed in self._through("message", message):
            if isinstance(passed, HandshakeMessage):
                self._send_handshake(passed)
            else:
                self.send_content(passed.content_type, serialise(passed))
            if isinstance(passed, type(message)):  # what a tap adds beside it is not what was to be kept
                progress.context = sent(progress.context, passed)

    def _send_handshake(self, message: HandshakeMessage) -> None:
        progress = self._progress
        for raw in self._through("handshake", serialise_handshake(message)):
            if message.handshake_type != HandshakeType.HELLO_REQUEST:  # RFC 5246 7.4.1.1: never part of the handshake hash
                progress.context = progress.context.evolve(transcript=progress.context.transcript + raw)
            self.send_content(ContentType.HANDSHAKE, raw)

    def send_alert(self, level: AlertLevel, description: AlertDescription) -> bool:
        """Send an alert and tell of it. False where none can be sent: after close_notify, and in a fork under keys in force."""
        if self.closed or self._records.barred:
            return False
        self.send_content(ContentType.ALERT, serialise(Alert(level, description)))
        self._progress.events.append(AlertSent(level, description))
        return True

    def send_content(self, content_type: ContentType, data: bytes) -> None:
        """Fragment, seal and queue. Nothing leaves after close_notify. Raises `UsageError` in a fork under keys in force."""
        if self.closed:
            return
        progress, records = self._progress, self._records
        if progress.looks_ahead:
            records.check()
        progress.trace_content(Direction.OUTBOUND, content_type, data)
        first = content_type == ContentType.HANDSHAKE and progress.state is ClientState.WAIT_SERVER_HELLO
        # RFC 5246 E.1: the record of a first ClientHello says 3.1, which every server and middlebox lets pass.
        records.channel.version = ProtocolVersion.TLS_1_0 if first else ProtocolVersion.TLS_1_2
        records.send(content_type, data, max(self._limit(), _WHOLE if content_type == ContentType.ALERT else 1))

    def _limit(self) -> int:
        """Bytes of plaintext in a record. The peer's limit goes with the keys; it is kept to before them too, as GnuTLS insists on it."""
        context = self._progress.context
        own: int = min(context.config.max_send_fragment, self._records.channel.record_size)
        in_force = context.in_force
        return own if in_force is None else min(own, in_force.send_limit)

    def _through(self, tap: str, value: Any) -> Any:
        progress = self._progress
        return progress.through(tap, value, Direction.OUTBOUND, self._records.channel.epoch) if progress.taps else (value,)
