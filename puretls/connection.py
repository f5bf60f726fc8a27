"""Connection: TLS 1.2 without I/O. The only module that knows every layer: it moves values from one to the next.

Bytes go in by `receive_bytes`, come out by `bytes_to_send`; `next_event` does one step at a time. A connection is not thread-safe.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from puretls import blame, exporters, stores
from puretls.arguments import as_bytes, described
from puretls.config import PENDING, ClientConfig, Config, ServerConfig
from puretls.crypto.cbc import CbcAlgorithm
from puretls.errors import (
    Aborted,
    DecodeError,
    FatalAlert,
    InternalError,
    PeerError,
    PuretlsError,
    Reason,
    UsageError,
    VerificationError,
    calling,
)
from puretls.events import (
    NEED_DATA,
    PAUSED,
    AlertReceived,
    AlertSent,
    ConnectionClosed,
    Event,
    Sentinel,
    VerificationRequired,
)
from puretls.handshake import effects as fx
from puretls.handshake.authenticate import blamed_path, check_report, consult
from puretls.handshake.context import Context, Established, Negotiated
from puretls.handshake.states import (
    ClientState,
    LocalInput,
    Refused,
    Rejection,
    Renegotiate,
    Role,
    ServerState,
    Start,
    State,
    Verdict,
    Write,
)
from puretls.handshake.table import expected, input_key, lookup
from puretls.iana import AlertDescription, AlertLevel, ContentType, HandshakeType, ProtocolVersion, known
from puretls.intercept import Direction, given
from puretls.key_exchange import KeyExchange
from puretls.keylog import key_log_line
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.messages.registry import (
    handshake_class,
    parse_handshake,
    serialise_handshake,
)
from puretls.record.channel import Channel
from puretls.record.fragment import Joiner
from puretls.session import Session
from puretls.trace import Trace
from puretls.transfer import Inbound, Line, Outbound
from puretls.wire.schema import parse, serialise

_FLIGHT_ENDS = frozenset((HandshakeType.CLIENT_HELLO, HandshakeType.SERVER_HELLO_DONE, HandshakeType.FINISHED))
_IN, _OUT = Direction.INBOUND, Direction.OUTBOUND
FORGIVING_DATA, ROWS_AMONG_DATA = 2**16, 8
"""Among so many bytes of application data there may be so many times the HelloRequests that may come in a row."""
_CONNECTED = (ClientState.CONNECTED, ServerState.CONNECTED)


class Connection:
    """One end of a TLS 1.2 connection. Make one with `client` or `server`."""

    def __init__(self, role: Role, config: Config, server_name: str | None = None, session: Session | None = None) -> None:
        start = ClientState.START if role is Role.CLIENT else ServerState.START
        limits = config.limits
        self._context = Context(config=config, role=role, server_name=server_name, session=session)
        self._line = Line(role, start, config.interceptors, Trace(config.trace_level, config.trace_limit))
        self._inbound = Inbound(self._line, Channel(limits.records_per_key, 2**64))
        self._outbound = Outbound(self._line, Channel(limits.records_per_key, 2**64))
        self._joiner = Joiner(limits.handshake_message)
        self._events: deque[Event] = deque()
        self._waiting_writes: list[bytes] = []
        self.trailing_data = b""
        """What was received after the peer's close_notify: not TLS any more."""
        self._error: PuretlsError | None = None
        self._paused = self._eof = False
        self._closing = self._close_sent = self._close_received = False
        self._counts = {"empty": 0, "warnings": 0, "hello_requests": 0, "hello_requests_in_all": 0, "renegotiations": 0, "data": 0}

    @classmethod
    def client(cls, config: ClientConfig, server_name: str | None = None, session: Session | None = None) -> Connection:
        """A client. `server_name` is a host name or an address, sent (names only) and verified; None leaves both out.

        An international name is mapped once, as by `puretls.x509.hostname.ascii_name`; the zone of an address is not verified.
        `session` is offered for resumption; without one, the configuration's `session_store` is asked.
        """
        _check_role(config, ClientConfig)
        if not isinstance(session, Session | None):
            raise UsageError(f"a session to resume is a Session, not {described(session)}")
        host, sni = _names(server_name)
        made = cls(Role.CLIENT, config, host, stores.look_up(config, host) if session is None else session)
        made._context = made._context.evolve(sni=sni)
        return made

    @classmethod
    def server(cls, config: ServerConfig) -> Connection:
        """A server."""
        _check_role(config, ServerConfig)
        return cls(Role.SERVER, config)

    # What the application asks

    @property
    def role(self) -> Role:
        return self._line.role

    @property
    def state(self) -> State:
        return self._line.state

    @property
    def trace(self) -> Trace:
        """Every record and message so far."""
        return self._line.trace

    @property
    def config(self) -> Config:
        return self._context.config

    @property
    def server_name(self) -> str | None:
        """Client: the name the connection was made for. Server: the name the client asked for, once it did."""
        if self.role is Role.CLIENT:
            return self._context.server_name
        return self.negotiated.server_name if self.negotiated else None

    @property
    def negotiated(self) -> Negotiated | None:
        """What was agreed on; None before the ServerHello."""
        return self._context._negotiated

    @property
    def session(self) -> Session | None:
        """The session to resume later, once the handshake is complete."""
        return self._context.session if self._context.established else None

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The peer's chain in DER, leaf first; on resumption that of the session. Proven once the handshake is complete."""
        return self._context.peer.chain

    @property
    def peer_report(self) -> Any:
        """The verifier's report on the peer's chain; None before it. On resumption that on the session's chain, made anew."""
        return self._context.peer.report

    @property
    def certificate_request(self) -> Any:
        """Client: the server's CertificateRequest, once it came."""
        return self._context.peer.request

    @property
    def ocsp_response(self) -> bytes | None:
        """Client: the OCSP response that the server stapled; on resumption that of the session."""
        return self._context.peer.ocsp_response

    @property
    def is_connected(self) -> bool:
        """Whether application data can be sent now."""
        return self.state in _CONNECTED and not self._closing

    @property
    def is_closed(self) -> bool:
        """Whether nothing will be received any more."""
        return self._error is not None or self._close_received or self._eof

    @property
    def is_handshaking(self) -> bool:
        """Whether a handshake is under way."""
        return self.state.name not in {"START", "CONNECTED", "CLOSED", "FAILED"}

    @property
    def bytes_buffered(self) -> int:
        """Bytes received and not processed yet."""
        return len(self._inbound)

    @property
    def transport_limit(self) -> int:
        """Bytes of input held at most."""
        return self._context.config.limits.buffered

    # Bytes and steps

    def start(self) -> None:
        """Begin the handshake: a client's ClientHello is queued. For a server there is nothing to do."""
        if self._closing:
            raise UsageError("the connection is closed for sending")
        if self.role is Role.CLIENT:
            if self.state is not ClientState.START:
                raise UsageError("start was called already")
            self._local(Start())

    def receive_bytes(self, data: bytes) -> None:
        """Take what the peer sent; b"" says that the stream has ended. Nothing is processed before `next_event`.

        Raises `UsageError` when more is fed than may be held: take events first; and for what are no bytes.
        """
        data = as_bytes(data)
        if not data:
            self._eof = True
        elif not (self._close_received or self._error):
            if len(self._inbound) > self.transport_limit:
                raise UsageError("too much input is waiting: call next_event until NEED_DATA before feeding more")
            self._inbound.feed(data)

    def bytes_to_send(self) -> bytes:
        """What must go to the peer now; b"" if nothing. Also after an error: the alert is in it."""
        return b"".join(self._outbound.take())

    def segments_to_send(self) -> list[bytes]:
        """As `bytes_to_send`, but record by record, and as an interceptor cut them."""
        return self._outbound.take()

    def next_event(self) -> Event | Sentinel:
        """The next event, after doing what leads to it; NEED_DATA when bytes are missing, PAUSED when a verdict is.

        Raises `TlsError` once the connection has failed: `PeerError` when the peer is at fault, `FatalAlert` when it gave up. Events from
        before the failure come first.
        """
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._paused:
                return PAUSED
            if not self.step():
                return NEED_DATA
        return self._events.popleft()

    def step(self) -> bool:
        """Do the next single thing: one record opened or one message handled. False when there is nothing to do."""
        if self._error is not None or self._paused or self._close_received:
            return False
        try:
            return self._advance()
        except PuretlsError as error:
            self._fail(error)
        except Exception as error:  # call-backs may raise anything; the peer must hear of it all the same
            self._fail(_internal(error))
        return True

    def send(self, data: bytes) -> None:
        """Queue application data. Raises `UsageError` before the handshake is complete, after `close`, and for what are no bytes."""
        if self._closing or self.state.name in {"FAILED", "CLOSED"}:
            raise UsageError("the connection is closed for sending")
        if self._context.established is None:
            raise UsageError("the handshake is not complete: wait for HandshakeCompleted")
        if self._line.looks_ahead:
            self._outbound.check()
        data = as_bytes(data)
        if not data:
            return
        if lookup(self.state, Write) is None:
            self._waiting_writes.append(data)  # a renegotiation is under way
        else:
            self._local(Write(data))

    def close(self) -> None:
        """Queue close_notify (RFC 5246 7.2.1): nothing can be sent after it; what the peer sends is still received.

        Data that waits for the end of a renegotiation goes first.
        """
        if not self._closing and self._error is None:
            self._outbound.check()
            self._closing = True
            if not self._waiting_writes:
                self._attempt(self._send_close_notify)

    def abort(self, description: AlertDescription = AlertDescription.USER_CANCELED) -> None:
        """Give the connection up with a fatal alert of the application's choice; none is sent after `close`.

        `next_event` raises `Aborted` from then on.
        """
        if not isinstance(description, AlertDescription):
            raise UsageError(f"an alert is an AlertDescription, not {described(description)}")
        if self._error is None:
            self._outbound.check()
            self._fail(Aborted(description, self.state.name), description)

    def answer(self, report: Any) -> None:
        """The verdict that the connection is waiting for. Raises `UsageError` for what is none, and where none is asked for."""
        if not self._paused:
            raise UsageError("no verdict is asked for")
        check_report(report, "a verdict")
        self._paused = False
        self._judge(report)

    def renegotiate(self) -> None:
        """Ask for a new handshake on this connection; needs `renegotiation=True` and a peer that can do it securely (RFC 5746)."""
        if not self._context.config.renegotiation:
            raise UsageError("renegotiation is not switched on in the configuration")
        if self.negotiated is None or not self.is_connected:
            raise UsageError("renegotiation needs a complete handshake")
        if not self.negotiated.secure_renegotiation:
            raise UsageError("the peer cannot renegotiate securely (RFC 5746)")
        self._outbound.check()
        self._local(Renegotiate())

    def change_config(self, config: Config) -> None:
        """Another configuration, as for a renegotiation that asks for a certificate.

        What is negotiated follows with the next handshake; call-backs and limits of one's own are those of the new one at once.
        """
        _check_role(config, ClientConfig if self.role is Role.CLIENT else ServerConfig)
        self._context = self._context.evolve(config=config)

    def fork(self) -> Connection:
        """A copy for looking ahead: it receives, steps and shows what comes of it, and leaves this connection as it is.

        Two ends that send from one place would use a nonce twice, which gives GCM's key away (RFC 5288 3, RFC 5246 6.2.3.3), so a fork
        seals nothing under keys in force: `send`, `close`, `abort` and `renegotiate` raise `UsageError` then, as `next_event` does where
        the handshake would go on by a message under keys; the fork has ended there, in state FAILED. Alerts that it would owe
        the peer are left out, and no `AlertSent` tells of them. In the clear it may send. It keeps no session and discards none.
        `puretls.danger.fork` gives a copy that can send.
        """
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._line = self._line.fork()
        twin._inbound, twin._outbound = self._inbound.fork(twin._line), self._outbound.fork(twin._line)
        twin._joiner = copy.deepcopy(self._joiner)
        twin._events, twin._waiting_writes = self._events.copy(), self._waiting_writes.copy()
        twin._counts = self._counts.copy()
        return twin

    def __copy__(self) -> Connection:
        return self.fork()

    def __deepcopy__(self, memo: object) -> Connection:
        return self.fork()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise UsageError("a connection cannot be pickled: its keys must not count twice; a session can be kept (Session.to_bytes)")

    # Exporters

    def export_keying_material(self, label: bytes, length: int, context: bytes | None = None) -> bytes:
        """`length` bytes under `label` (RFC 5705 4). No context and an empty one give different bytes."""
        return exporters.keying_material(self._context, self._settled(), label, length, context)

    def channel_binding(self, kind: str) -> bytes:
        """The bytes of "tls-unique" or "tls-server-end-point" (RFC 5929 3 and 4), or "tls-exporter" (RFC 9266).

        Without extended master secrets two connections may share keys (RFC 7627 1), so tls-exporter is refused (RFC 9266 4.2), and
        tls-unique on a resumed session.
        """
        return exporters.channel_binding(self._context, self._settled(), kind)

    def _settled(self) -> Established:
        established = self._context.established
        if established is None:
            raise UsageError("the handshake is not complete")
        if self.is_handshaking:
            raise UsageError("a renegotiation is under way: it is not clear whose keys are meant")
        return established

    # Inbound: records

    def _advance(self) -> bool:
        raw = self._joiner.next()
        if raw is not None:
            self._on_handshake_bytes(raw)
            return True
        in_force = self._in_force
        version = None if in_force is None else in_force.version
        record = self._inbound.next(version=version, batch=self._line.state in _CONNECTED)
        if record is not None:
            self._on_plaintext(record)
            return True
        if self._eof:
            self._end(clean=False)
            return True
        return False

    def _end(self, *, clean: bool) -> None:
        """Nothing is received any more; the event keeps the state in which that came."""
        self._events.append(ConnectionClosed(clean, self.state.name, self._context.established is not None))
        self._close_received = True
        self._line.state = self._named("CLOSED")

    # Inbound: content

    def _on_plaintext(self, record: Record) -> None:
        try:
            self._check_content(record)
        except PeerError as error:
            self._inbound.place(error, record)
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
            blame.place(error, record.type, record.fragment, self._key_exchange())
            raise

    def _check_content(self, record: Record) -> None:
        limit = self._receive_limit()
        if len(record.fragment) > limit:
            raise PeerError(Reason.RECORD_OVERFLOW, f"{len(record.fragment)} bytes of plaintext, at most {limit}", path="length")
        if not record.fragment:
            if record.type != ContentType.APPLICATION_DATA:
                raise PeerError(Reason.EMPTY_RECORD, str(known(ContentType, record.type)), path="length")
            self._count("empty", self._context.config.limits.empty_records, Reason.TOO_MANY_EMPTY_RECORDS, "length")
        elif record.type != ContentType.ALERT:
            self._counts["empty"] = self._counts["warnings"] = 0
            if record.type == ContentType.APPLICATION_DATA:
                self._forgive(len(record.fragment))
        if record.type == ContentType.CHANGE_CIPHER_SPEC and self._joiner.pending:
            raise PeerError(Reason.UNALIGNED_CHANGE_CIPHER_SPEC, path="type")
        if record.type == ContentType.APPLICATION_DATA:
            if not self._inbound.channel.protected:
                raise self._unexpected("ApplicationData in the clear", "type")
            if self._joiner.torn:
                raise self._unexpected("ApplicationData inside the header of a handshake message", "type")

    def _forgive(self, size: int) -> None:
        """HelloRequests in a row end with data; all of them are counted anew after so much data that answers are little beside it."""
        self._counts["hello_requests"] = 0
        self._counts["data"] += size
        if self._counts["data"] >= FORGIVING_DATA:
            self._counts["data"] = self._counts["hello_requests_in_all"] = 0

    def _receive_limit(self) -> int:
        """What we asked the peer to keep to: under these keys, and since the ServerHello."""
        in_force = self._in_force
        size = self._inbound.channel.record_size
        return size if in_force is None else min(size, in_force.limits.receive)

    def _count(self, what: str, limit: int, reason: Reason, path: str) -> None:
        self._counts[what] += 1
        if self._counts[what] > limit:
            raise PeerError(reason, f"more than {limit}", path=path)

    def _on_content(self, cls: type[ChangeCipherSpec | ApplicationData], data: bytes, reason: Reason) -> None:
        self._trace_message(_IN, cls.content_type, data)
        if lookup(self.state, cls) is None:
            raise self._unexpected(cls.__name__, cls.path_name)
        try:
            message = parse(cls, data)
        except DecodeError as error:
            raise PeerError(reason, error.message, path=error.path) from None
        for passed in self._pass("message", _IN, message):
            self._feed(passed)

    def _on_handshake_bytes(self, raw: bytes) -> None:
        passed = self._pass("handshake", _IN, raw)
        if not passed:
            # Dropped above the transcript line: the peer sent it, so both sides have hashed it.
            self._context = self._context.evolve(transcript=self._context.transcript + raw)
        for index, changed in enumerate(passed):
            try:
                self._on_handshake_message(changed, raw if index == 0 else b"")
            except PeerError as error:
                blame.place(error, ContentType.HANDSHAKE, changed, self._key_exchange())
                raise

    def _on_handshake_message(self, raw: bytes, for_transcript: bytes) -> None:
        """`for_transcript` is what the peer hashed: `raw` as it came, or nothing for what a tap injected."""
        type_ = raw[0] if raw else -1
        self._trace_message(_IN, ContentType.HANDSHAKE, raw)
        if lookup(self.state, type_) is None:
            raise self._unexpected(_message_name(type_), f"{handshake_class(type_, None).path_name}.msg_type")
        if type_ in _FLIGHT_ENDS and self._joiner.pending:
            raise PeerError(Reason.EXCESS_HANDSHAKE_DATA, f"after {_message_name(type_)}", path=f"{_message_name(type_)}.length")
        if self._close_sent and type_ in {HandshakeType.HELLO_REQUEST, HandshakeType.CLIENT_HELLO}:
            # RFC 5246 7.2.1: nothing may be sent any more.
            raise PeerError(Reason.NO_RENEGOTIATION, "after our close_notify", path=f"{_message_name(type_)}.msg_type")
        if type_ == HandshakeType.HELLO_REQUEST:
            limit = self._context.config.limits.hello_requests
            self._count("hello_requests", limit, Reason.TOO_MANY_HELLO_REQUESTS, "HelloRequest.msg_type")
            self._count("hello_requests_in_all", limit * ROWS_AMONG_DATA, Reason.TOO_MANY_HELLO_REQUESTS, "HelloRequest.msg_type")
            for_transcript = b""  # RFC 5246 7.4.1.1: never part of the handshake hash
        if self._begins_again(type_):
            limit = self._context.config.limits.renegotiations
            self._count("renegotiations", limit, Reason.NO_RENEGOTIATION, f"{_message_name(type_)}.msg_type")
        try:
            message = parse_handshake(raw, self._key_exchange())
        except DecodeError as error:
            raise PeerError(Reason.DECODE, error.message, path=error.path, rfc=error.rfc) from None
        for index, passed in enumerate(self._pass("message", _IN, message)):
            self._feed(passed, for_transcript if index == 0 else b"")

    def _begins_again(self, type_: int) -> bool:
        """Whether the peer begins another handshake by this, or has us begin one."""
        if type_ == HandshakeType.CLIENT_HELLO:
            return self._context.established is not None
        granted = type_ == HandshakeType.HELLO_REQUEST and self.state is ClientState.CONNECTED
        return granted and self._context.config.renegotiation

    def _key_exchange(self) -> KeyExchange | None:
        negotiated = self._context._negotiated
        return negotiated.suite.kx if negotiated else None

    def _unexpected(self, got: str, path: str) -> PeerError:
        wanted = ", ".join(expected(self.role, self.state)) or "nothing"
        return PeerError(Reason.UNEXPECTED_MESSAGE, f"got {got}, expected {wanted}", path=path)

    # Inbound: alerts

    def _on_alert(self, data: bytes) -> None:
        self._trace_message(_IN, ContentType.ALERT, data)
        try:
            alert = parse(Alert, data)
        except DecodeError as error:
            raise PeerError(Reason.BAD_ALERT, error.message, path=error.path) from None
        if alert.level not in {AlertLevel.WARNING, AlertLevel.FATAL}:
            raise PeerError(Reason.UNKNOWN_ALERT_LEVEL, str(alert.level), path="Alert.level")
        self._events.append(AlertReceived(alert.level, alert.description))
        if alert.description == AlertDescription.CLOSE_NOTIFY:
            self._on_close_notify()
        elif alert.level == AlertLevel.FATAL:
            self._die(FatalAlert(alert.description, self.state.name))
            self._forget_session()
        else:
            self._on_warning(alert.description)

    def _on_close_notify(self) -> None:
        """RFC 5246 7.2.1: answered with our own, at once; what still waits to be sent is dropped."""
        self._closing = True
        self._waiting_writes.clear()
        self._send_close_notify()
        self.trailing_data = self._inbound.clear()
        self._end(clean=True)

    def _on_warning(self, description: int) -> None:
        self._count("warnings", self._context.config.limits.warning_alerts, Reason.TOO_MANY_WARNINGS, "Alert.level")
        if description == AlertDescription.NO_RENEGOTIATION and lookup(self.state, Refused) is not None:
            self._feed(Refused())

    # The state machine

    def _local(self, message: LocalInput) -> None:
        """Feed an input of our own; one that is not legal now is the caller's fault."""
        if lookup(self.state, type(message)) is None:
            raise UsageError(f"{type(message).__name__} is not possible in state {self.state.name}")
        self._attempt(lambda: self._feed(message))

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do what the application asked for; what goes wrong ends the connection and is raised."""
        try:
            action()
        except PuretlsError as error:
            self._fail(error)
            raise
        except Exception as error:
            internal = _internal(error)
            self._fail(internal)
            raise internal from error

    def _feed(self, message: Any, for_transcript: bytes = b"") -> None:
        """One cell of the table: handler, transcript, state, flight."""
        before = self._line.state
        row = lookup(before, input_key(type(message)))  # type: ignore[arg-type]
        if row is None:
            raise self._unexpected(type(message).__name__, getattr(message, "path_name", ""))
        step = row.handler(self._context, message)
        if step.next_state not in row.next_states:
            raise InternalError(f"{before} x {type(message).__name__} led to {step.next_state}")
        self._context = step.context
        if for_transcript:
            self._context = step.context.evolve(transcript=step.context.transcript + for_transcript)
        self._line.state = step.next_state
        self._line.trace.led_to(step.next_state)
        for effect in self._pass_flight(step.flight):
            self._do(effect)
        if self._waiting_writes and before is not self._line.state and lookup(self.state, Write) is not None:
            writes, self._waiting_writes = self._waiting_writes, []
            for data in writes:
                self._feed(Write(data))
            if self._closing:
                self._send_close_notify()

    def _do(self, effect: fx.Effect) -> None:
        """The executor of effects, one case each."""
        context = self._context
        match effect:
            case fx.Send(build, sent):
                self._send_message(build(context), sent)
            case fx.Emit(make):
                self._events.append(make(context))
            case fx.Update(change):
                self._context = change(context)
            case fx.ChangeWriteKeys(make):
                size = context.negotiated.key_limits.send
                self._outbound.channel.change(make(context), bytes_per_key=self._bytes_per_key(), record_size=size)
            case fx.ChangeReadKeys(make):
                size = context.negotiated.key_limits.receive
                self._inbound.channel.change(make(context), bytes_per_key=self._bytes_per_key(), record_size=size)
            case fx.Ask(request):
                self._ask(request(context))
            case fx.LogSecret(label, get):
                self._log_secret(label, *get(context))
            case fx.KeepSession(key):
                self._keep_session(key(context))
            case fx.Warn(description):
                self._send_alert(AlertLevel.WARNING, AlertDescription(description))
            case _:
                raise InternalError(f"no executor for {effect}")

    def _log_secret(self, label: str, client_random: bytes, secret: bytes) -> None:
        key_log = self._context.config.key_log
        if key_log is not None:
            with calling("key_log", key_log):
                key_log(key_log_line(label, client_random, secret))

    def _bytes_per_key(self) -> int:
        bulk = self._context.suite.bulk
        small = isinstance(bulk, CbcAlgorithm) and bulk.block_length == 8
        return self._context.config.limits.bytes_per_key_64 if small else 2**64

    def _ask(self, request: Any) -> None:
        if request is None:
            self._feed(Verdict(None))
            return
        report = consult(self._context.config, request)
        if report is PENDING:
            self._paused = True
            self._events.append(VerificationRequired(request))
        else:
            self._judge(report)

    def _judge(self, report: Any) -> None:
        goes_on = lookup(self.state, Rejection) is not None
        if not report.accepted and not goes_on:
            self._context = self._context.evolve(peer=self._context.peer.evolve(report=report))
            path = blamed_path(report, self._context.peer.chain)
            error = VerificationError(report, report.alert, state=self.state.name, path=path)
            self._fail(error)
            return
        try:
            self._feed(Verdict(report) if report.accepted else Rejection(report))
        except PuretlsError as error:
            self._fail(error)
        except Exception as error:
            self._fail(_internal(error))

    def _keep_session(self, key: bytes) -> None:
        """Not in a fork that looks ahead, as for forgetting."""
        if not self._line.looks_ahead:
            stores.keep(self._context, key)

    def _forget_session(self) -> None:
        if not self._line.looks_ahead:
            stores.forget(self._context)

    # Failure

    def _fail(self, error: PuretlsError, alert: AlertDescription | None = None) -> None:
        """Queue the alert that belongs to the error, once, and end the connection."""
        if self._error is not None:
            return
        if isinstance(error, PeerError):
            error.state = error.state or self.state.name
            if error.path and error.offset is None:
                blame.place_earlier(error, self._joiner.head, self._context.transcript, self._key_exchange())
        if alert is None:
            alert = error.alert if isinstance(error, PeerError) else AlertDescription.INTERNAL_ERROR
        self._forget_session()
        sent = False
        with suppress(Exception):  # a key that is used up seals no alert either, and taps may raise anything
            sent = self._send_alert(AlertLevel.FATAL, alert)
        if isinstance(error, PeerError | Aborted):
            error.alert_sent = sent
        self._die(error)

    def _die(self, error: PuretlsError) -> None:
        self._error = error
        self._paused = False
        self._line.state = self._named("FAILED")
        self._inbound.clear()
        self._joiner.clear()
        self._waiting_writes.clear()

    def _named(self, name: str) -> State:
        return (ClientState if self.role is Role.CLIENT else ServerState)[name]

    # Outbound

    def _send_close_notify(self) -> None:
        if not self._close_sent:
            self._send_alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
            self._close_sent = True

    def _send_alert(self, level: AlertLevel, description: AlertDescription) -> bool:
        """Send an alert, and tell of it once it was sent: not after close_notify, nor in a fork that must not send."""
        if self._close_sent or self._outbound.barred:
            return False
        self._send_content(ContentType.ALERT, serialise(Alert(level, description)))
        self._events.append(AlertSent(level, description))
        return True

    def _send_message(self, message: Any, sent: Any) -> None:
        for passed in self._pass("message", _OUT, message):
            if isinstance(passed, HandshakeMessage):
                self._send_handshake(passed)
            else:
                self._send_content(passed.content_type, serialise(passed))
            if isinstance(passed, type(message)):  # what a tap adds beside it is not what was to be kept
                self._context = sent(self._context, passed)

    def _send_handshake(self, message: HandshakeMessage) -> None:
        for raw in self._pass("handshake", _OUT, serialise_handshake(message)):
            if message.handshake_type != HandshakeType.HELLO_REQUEST:
                self._context = self._context.evolve(transcript=self._context.transcript + raw)
            self._send_content(ContentType.HANDSHAKE, raw)

    def _send_content(self, type_: ContentType, data: bytes) -> None:
        """Fragment, seal and queue; after close_notify nothing leaves any more (RFC 5246 7.2.1)."""
        if self._close_sent:
            return
        if self._line.looks_ahead:
            self._outbound.check()
        self._trace_message(_OUT, type_, data)
        first = type_ == ContentType.HANDSHAKE and self.state is ClientState.WAIT_SERVER_HELLO
        # RFC 5246 E.1: the record of a first ClientHello says 3.1, which every server and middlebox lets pass.
        self._outbound.channel.version = ProtocolVersion.TLS_1_0 if first else ProtocolVersion.TLS_1_2
        self._outbound.send(type_, data, self._send_limit())

    def _send_limit(self) -> int:
        """The peer's limit goes with the keys; it is kept to before them as well, for GnuTLS insists on it at once."""
        own: int = min(self._context.config.max_send_fragment, self._outbound.channel.record_size)
        in_force = self._in_force
        return own if in_force is None else min(own, in_force.send_limit)

    @property
    def _in_force(self) -> Negotiated | None:
        """What bounds records now: in a renegotiation, until its ServerHello, what was agreed on before."""
        context = self._context
        return context._negotiated or (context.established.negotiated if context.established else None)

    # Taps and trace

    def _pass(self, tap: str, direction: Direction, value: Any) -> Sequence[Any]:
        if not self._line.taps:
            return (value,)
        channel = self._inbound.channel if direction is _IN else self._outbound.channel
        return self._line.through(tap, value, direction, channel.epoch)

    def _trace_message(self, direction: Direction, type_: int, raw: bytes) -> None:
        self._line.trace.message(direction, type_, raw, self._line.state, self._key_exchange())

    def _pass_flight(self, flight: fx.Flight) -> Iterable[fx.Effect]:
        for interceptor in self._line.taps:
            where = self._line.where(_OUT, self._outbound.channel.epoch)
            with calling(f"{type(interceptor).__name__}.flight", interceptor.flight):
                flight = tuple(given(interceptor, "flight", interceptor.flight(flight, where)))
        return flight


def _names(server_name: str | None) -> tuple[str | None, str | None]:
    """The name the connection is made for, and the one to send; raises `UsageError` for what is no name."""
    if server_name is None:
        return None, None
    if not isinstance(server_name, str):
        raise UsageError(f"a server name is a host name or an address, or None, not {described(server_name)}")
    from puretls.x509.hostname import parse_reference

    reference = parse_reference(server_name)
    return reference.host, reference.sni


def _check_role(config: object, wanted: type[Config]) -> None:
    if not isinstance(config, wanted):
        another = ", which is of another role" if isinstance(config, Config) else ""
        raise UsageError(f"a {wanted.__name__} is wanted here, not {described(config)}{another}")


def _message_name(type_: int) -> str:
    name = known(HandshakeType, type_)
    if not isinstance(name, HandshakeType):
        return f"handshake type {type_}"
    return "".join(word.capitalize() for word in name.name.split("_"))


def _internal(error: Exception) -> PuretlsError:
    """An exception that is not ours, as one that is; what it said may hold secrets and stays in the cause."""
    made = InternalError(f"{type(error).__name__} in puretls: please report it")
    made.__cause__ = error
    return made
