"""What comes from the peer: records become messages and alerts, and are checked for what may come, and how often.

One step takes one message or one record. A record may hold several messages, and a ChangeCipherSpec between two records changes the keys:
so messages that are complete are handled before the next record is opened (RFC 5246 7.1 and 6.2.1).
"""

from __future__ import annotations

import copy

from puretls.connection import blame
from puretls.connection.ending import Ending
from puretls.connection.machine import Machine
from puretls.connection.progress import Progress
from puretls.connection.repeats import Repeats
from puretls.connection.transfer import Inbound
from puretls.errors import DecodeError, FatalAlert, PeerError, Reason
from puretls.events import AlertReceived
from puretls.handshake.context import Negotiated
from puretls.handshake.states import ClientState, Refused, ServerState
from puretls.iana import AlertDescription, AlertLevel, ContentType, HandshakeType, known
from puretls.intercept import Direction
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.messages.registry import handshake_class, parse_handshake
from puretls.record.fragment import Joiner
from puretls.wire.schema import parse

_FLIGHT_ENDS = frozenset((HandshakeType.CLIENT_HELLO, HandshakeType.SERVER_HELLO_DONE, HandshakeType.FINISHED))
_BEGINNINGS = frozenset((HandshakeType.HELLO_REQUEST, HandshakeType.CLIENT_HELLO))
_CONNECTED = (ClientState.CONNECTED, ServerState.CONNECTED)


class Inbox:
    """Takes one record or one handshake message at a time to the machine. Whatever goes wrong is raised, with the bytes at fault."""

    def __init__(self, progress: Progress, records: Inbound, machine: Machine, ending: Ending) -> None:
        self.stream_ended = False
        self.trailing_data: bytes = b""
        """What was received after the peer's close_notify."""
        self._progress = progress
        self._records = records
        self._machine = machine
        self._ending = ending
        self._joiner = Joiner(progress.context.config.limits.handshake_message)
        self._repeats = Repeats()

    def fork(self, progress: Progress, records: Inbound, machine: Machine, ending: Ending) -> Inbox:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._progress, twin._records, twin._machine, twin._ending = progress, records, machine, ending
        twin._joiner, twin._repeats = self._joiner.fork(), self._repeats.fork()
        return twin

    def __len__(self) -> int:
        """Bytes received and not handled yet: those not framed, and the beginning of a handshake message."""
        return len(self._records) + len(self._joiner)

    @property
    def head(self) -> bytes:
        """The header of the handshake message that comes next, as far as it is there."""
        return self._joiner.head

    def clear(self) -> None:
        """Forget what was received and not processed."""
        self._records.clear()
        self._joiner.clear()

    def step(self) -> bool:
        """Handle one message, or else one record, or else the end of the stream. False when there is nothing to handle."""
        raw = self._joiner.next()
        if raw is not None:
            self._on_handshake(raw)
            return True
        progress = self._progress
        in_force = progress.context.in_force
        version = None if in_force is None else in_force.version
        record = self._records.next(version=version, batch=progress.state in _CONNECTED)
        if record is not None:
            self._on_record(record, in_force)
            return True
        if self.stream_ended:
            self._ending.receive_end(clean=False)
            return True
        return False

    # Records

    def _on_record(self, record: Record, in_force: Negotiated | None) -> None:
        try:
            self._check_record(record, in_force)
        except PeerError as error:
            self._records.place(error, record)
            raise
        if record.type == ContentType.HANDSHAKE:
            self._joiner.feed(record.fragment)
            return
        try:
            if record.type == ContentType.ALERT:
                self._on_alert(record.fragment)
            elif record.type == ContentType.CHANGE_CIPHER_SPEC:
                self._on_content(ChangeCipherSpec, record.fragment, Reason.BAD_CHANGE_CIPHER_SPEC)
            else:
                self._on_content(ApplicationData, record.fragment, Reason.DECODE)
        except PeerError as error:
            blame.place(error, record.type, record.fragment, self._progress.context.key_exchange)
            raise

    def _check_record(self, record: Record, in_force: Negotiated | None) -> None:
        """What can be said of a record by its type and its length (RFC 5246 6.2.1)."""
        type_, size = record.type, len(record.fragment)
        # What we asked the peer to keep to: under these keys (RFC 8449 4), and since the ServerHello (RFC 6066 4).
        limit = self._records.channel.record_size
        if in_force is not None:
            limit = min(limit, in_force.limits.receive)
        if size > limit:
            raise PeerError(Reason.RECORD_OVERFLOW, f"{size} bytes of plaintext, at most {limit}", path="length")
        if not size and type_ != ContentType.APPLICATION_DATA:
            raise PeerError(Reason.EMPTY_RECORD, str(known(ContentType, type_)), path="length")
        self._repeats.record(record, self._progress.context.config.limits)
        if type_ == ContentType.CHANGE_CIPHER_SPEC and self._joiner.pending:
            raise PeerError(Reason.UNALIGNED_CHANGE_CIPHER_SPEC, path="type")
        if type_ == ContentType.APPLICATION_DATA:
            if not self._records.channel.protected:
                raise self._progress.unexpected("ApplicationData in the clear", "type")
            if self._joiner.torn:
                raise self._progress.unexpected("ApplicationData inside the header of a handshake message", "type")

    def _on_content(self, cls: type[ChangeCipherSpec | ApplicationData], data: bytes, reason: Reason) -> None:
        progress = self._progress
        progress.trace_content(Direction.INBOUND, cls.content_type, data)
        if progress.row(cls) is None:
            raise progress.unexpected(cls.__name__, cls.path_name)
        try:
            message = parse(cls, data)
        except DecodeError as error:
            raise PeerError(reason, error.message, path=error.path) from None
        for passed in progress.through("message", message, Direction.INBOUND, self._records.channel.epoch):
            self._machine.feed(passed)

    # Alerts (RFC 5246 7.2)

    def _on_alert(self, data: bytes) -> None:
        progress = self._progress
        progress.trace_content(Direction.INBOUND, ContentType.ALERT, data)
        try:
            alert = parse(Alert, data)
        except DecodeError as error:
            raise PeerError(Reason.BAD_ALERT, error.message, path=error.path) from None
        if alert.level not in {AlertLevel.WARNING, AlertLevel.FATAL}:
            raise PeerError(Reason.UNKNOWN_ALERT_LEVEL, str(alert.level), path="Alert.level")
        progress.events.append(AlertReceived(alert.level, alert.description))
        if alert.description == AlertDescription.CLOSE_NOTIFY:
            self._on_close_notify()
        elif alert.level == AlertLevel.FATAL:
            raise FatalAlert(alert.description, progress.state.name)
        else:
            self._on_warning(alert.description)

    def _on_close_notify(self) -> None:
        """RFC 5246 7.2.1: the answer is our own, at once, and data that waits for the end of a renegotiation is dropped.

        The same RFC has whatever follows the peer's close_notify ignored; it is kept, since another protocol may go on there.
        With `half_close` the answer is left to the application, unless a handshake is under way (RFC 8446 6.1).
        """
        progress = self._progress
        half = progress.context.config.half_close and progress.state in _CONNECTED and not self._ending.closing
        if not half:
            self._machine.clear()
            self._machine.close()
        self.trailing_data = self._records.clear()
        self._ending.receive_end(clean=True, half=half)

    def _on_warning(self, description: int) -> None:
        self._repeats.warning(self._progress.context.config.limits)
        if description == AlertDescription.NO_RENEGOTIATION and self._progress.row(Refused) is not None:
            self._machine.feed(Refused())

    # Handshake messages

    def _on_handshake(self, raw: bytes) -> None:
        progress = self._progress
        passed = progress.through("handshake", raw, Direction.INBOUND, self._records.channel.epoch)
        if not passed:
            # Dropped above the transcript line: the peer sent it, so both sides have hashed it.
            progress.context = progress.context.evolve(transcript=progress.context.transcript + raw)
        for index, changed in enumerate(passed):
            try:
                self._on_message(changed, raw if index == 0 else b"")
            except PeerError as error:
                blame.place(error, ContentType.HANDSHAKE, changed, progress.context.key_exchange)
                raise

    def _on_message(self, raw: bytes, for_transcript: bytes) -> None:
        """`for_transcript` is what the peer hashed: `raw` as it came, or nothing for what a tap injected."""
        progress = self._progress
        progress.trace_content(Direction.INBOUND, ContentType.HANDSHAKE, raw)
        type_ = raw[0] if raw else -1
        self._check_type(type_)
        if type_ == HandshakeType.HELLO_REQUEST:
            for_transcript = b""  # RFC 5246 7.4.1.1: never part of the handshake hash
        try:
            message = parse_handshake(raw, progress.context.key_exchange)
        except DecodeError as error:
            raise PeerError(Reason.DECODE, error.message, path=error.path, rfc=error.rfc) from None
        for index, passed in enumerate(progress.through("message", message, Direction.INBOUND, self._records.channel.epoch)):
            self._machine.feed(passed, for_transcript if index == 0 else b"")

    def _check_type(self, type_: int) -> None:
        """What can be said of a message by its type alone, before it is parsed."""
        progress = self._progress
        if progress.row(type_) is None:
            raise progress.unexpected(_message_name(type_), f"{handshake_class(type_, None).path_name}.msg_type")
        if type_ in _FLIGHT_ENDS and self._joiner.pending:
            name = _message_name(type_)
            raise PeerError(Reason.EXCESS_HANDSHAKE_DATA, f"after {name}", path=f"{name}.length")
        if type_ in _BEGINNINGS:
            self._check_beginning(type_, f"{_message_name(type_)}.msg_type")

    def _check_beginning(self, type_: int, path: str) -> None:
        """Whether the peer may begin another handshake, or have us begin one: not after our close_notify, nor too often."""
        context, limits = self._progress.context, self._progress.context.config.limits
        if self._ending.close_sent:
            # RFC 5246 7.2.1: nothing may be sent any more.
            raise PeerError(Reason.NO_RENEGOTIATION, "after our close_notify", path=path)
        if type_ == HandshakeType.HELLO_REQUEST:
            self._repeats.hello_request(limits)
            again = self._progress.state is ClientState.CONNECTED and context.config.renegotiation
        else:
            again = context.established is not None
        if again:
            self._repeats.renegotiation(limits, path)


def _message_name(type_: int) -> str:
    name = known(HandshakeType, type_)
    if not isinstance(name, HandshakeType):
        return f"handshake type {type_}"
    return "".join(word.capitalize() for word in name.name.split("_"))
