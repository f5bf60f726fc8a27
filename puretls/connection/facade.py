"""Connection: TLS 1.2 without I/O, as the application sees it. Its parts do the work; here they are put together.

Bytes go in by `receive_bytes`, come out by `bytes_to_send`; `next_event` does one step at a time. A connection is not thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from puretls.arguments import as_bytes, described
from puretls.config import ClientConfig, Config, ServerConfig
from puretls.connection import exporters, stores
from puretls.connection.parts import Parts
from puretls.errors import Aborted, PuretlsError, UsageError
from puretls.events import NEED_DATA, PAUSED, Event, Sentinel
from puretls.handshake.authenticate import check_report
from puretls.handshake.context import ClientContext, Context, Negotiated, ServerContext
from puretls.handshake.states import ClientState, Renegotiate, Role, ServerState, Start, State
from puretls.iana import AlertDescription
from puretls.messages.handshake import CertificateRequest
from puretls.session import Session
from puretls.trace import Trace
from puretls.watch import Watcher

_CONNECTED = (ClientState.CONNECTED, ServerState.CONNECTED)


class Connection:
    """One end of a TLS 1.2 connection. Make one with `client` or `server`."""

    def __init__(self, context: Context, state: State) -> None:
        self._hold(Parts.join(context, state))

    def _hold(self, parts: Parts) -> None:
        self._parts = parts
        self._progress, self._inbound, self._outbound, self._outbox, self._ending, self._machine, self._inbox = parts

    @classmethod
    def client(cls, config: ClientConfig, server_name: str | None = None, session: Session | None = None) -> Self:
        """A client. `server_name` is a host name or an address, sent (names only) and verified; None leaves both out.

        An international name is mapped once, as by `puretls.x509.hostname.ascii_name`; the zone of an address is not verified.
        `session` is offered for resumption; without one, the configuration's `session_store` is asked.
        """
        context = ClientContext.begin(config, server_name, session)
        if session is None:
            context = context.evolve(session=stores.look_up(context))
        return cls(context, ClientState.START)

    @classmethod
    def server(cls, config: ServerConfig) -> Self:
        """A server."""
        return cls(ServerContext.begin(config), ServerState.START)

    # What is known

    @property
    def role(self) -> Role:
        """Which end this is."""
        return self._progress.context.role

    @property
    def state(self) -> State:
        """The state in the table of the role."""
        return self._progress.state

    @property
    def trace(self) -> Trace:
        """Every record and message so far."""
        return self._progress.trace

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._progress.context.config

    @property
    def server_name(self) -> str | None:
        """Client: the name the connection was made for. Server: the name the client asked for, once it did."""
        context = self._progress.context
        if isinstance(context, ClientContext):
            return context.server_name
        return self.negotiated.server_name if self.negotiated else None

    @property
    def negotiated(self) -> Negotiated | None:
        """What was agreed on; None before the ServerHello."""
        return self._progress.context.agreed

    @property
    def session(self) -> Session | None:
        """The session to resume later, once the handshake is complete."""
        context = self._progress.context
        return context.session if context.established else None

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The peer's chain in DER, leaf first; on resumption that of the session. Proven once the handshake is complete."""
        return self._progress.context.peer.chain

    @property
    def peer_report(self) -> Any:
        """The verifier's report on the peer's chain; None before it. On resumption that on the session's chain, made anew."""
        return self._progress.context.peer.report

    @property
    def certificate_request(self) -> CertificateRequest | None:
        """Client: the server's CertificateRequest, once it came."""
        return self._progress.context.peer.request

    @property
    def ocsp_response(self) -> bytes | None:
        """Client: the OCSP response that the server stapled; on resumption that of the session."""
        return self._progress.context.peer.ocsp_response

    @property
    def is_connected(self) -> bool:
        """Whether application data can be sent now."""
        return self._progress.state in _CONNECTED and not self._ending.closing

    @property
    def is_closed(self) -> bool:
        """Whether nothing will be received any more."""
        return self._ending.is_over or self._inbox.stream_ended

    @property
    def is_handshaking(self) -> bool:
        """Whether a handshake is under way."""
        return self._progress.is_handshaking

    @property
    def bytes_buffered(self) -> int:
        """Bytes received and not processed yet, the beginning of a handshake message among them."""
        return len(self._inbox)

    @property
    def transport_limit(self) -> int:
        """Bytes of input held at most."""
        return self._progress.context.config.limits.buffered

    @property
    def trailing_data(self) -> bytes:
        """What was received after the peer's close_notify: not TLS any more."""
        return self._inbox.trailing_data

    # Bytes and steps

    def start(self) -> None:
        """Begin the handshake: a client's ClientHello is queued. For a server there is nothing to do."""
        if self._ending.closing:
            raise UsageError("the connection is closed for sending")
        if self.role is Role.CLIENT:
            if self.state is not ClientState.START:
                raise UsageError("start was called already")
            self._attempt(self._machine.feed, Start())

    def receive_bytes(self, data: bytes) -> None:
        """Take what the peer sent; b"" says that the stream has ended. Nothing is processed before `next_event`.

        Raises `UsageError` when more is fed than may be held: take events first; and for what are no bytes.
        """
        data = as_bytes(data)
        if not data:
            self._inbox.stream_ended = True
        elif not self._ending.is_over:
            if len(self._inbound) > self.transport_limit:
                raise UsageError("too much input is waiting: call next_event until NEED_DATA before feeding more")
            self._inbound.feed(data)
        if self._progress.watcher is not None:
            self._progress.tell_watcher("received", data)

    def bytes_to_send(self) -> bytes:
        """What must go to the peer now; b"" if nothing. Also after an error: the alert is in it."""
        return b"".join(self.segments_to_send())

    def segments_to_send(self) -> list[bytes]:
        """As `bytes_to_send`, but record by record, and as an interceptor cut them."""
        segments = self._outbound.take()
        if segments and self._progress.watcher is not None:
            self._progress.tell_watcher("sent", b"".join(segments))
        return segments

    def watch(self, watcher: Watcher | None) -> None:
        """Tell `watcher` of all that goes in and out from here on, in place of who was told before; None: tell nobody."""
        self._progress.watcher = watcher
        self._progress.tell_watcher("begins", self.config)

    def next_event(self) -> Event | Sentinel:
        """The next event, after doing what leads to it; NEED_DATA when bytes are missing, PAUSED when a verdict is.

        Raises `TlsError` once the connection has failed: `PeerError` when the peer is at fault, `FatalAlert` when it gave up. Events from
        before the failure come first.
        """
        events = self._progress.events
        while not events:
            if self._ending.error is not None:
                raise self._ending.error
            if self._machine.paused:
                return PAUSED
            if not self.step():
                return NEED_DATA
        return events.popleft()

    def step(self) -> bool:
        """Do the next single thing: one record opened or one message handled. False when there is nothing to do."""
        if self._ending.is_over or self._machine.paused:
            return False
        try:
            return self._inbox.step()
        except Exception as error:  # call-backs may raise anything; the peer must hear of it all the same
            self._fail(error)
        return True

    # What the application does

    def send(self, data: bytes) -> None:
        """Queue application data. Raises `UsageError` before the handshake is complete, after `close`, and for what are no bytes."""
        if self._ending.closing or (self._ending.is_over and not self._ending.half_closed):
            raise UsageError("the connection is closed for sending")
        if self._progress.context.established is None:
            raise UsageError("the handshake is not complete: wait for HandshakeCompleted")
        if self._progress.looks_ahead:
            self._outbound.check()
        data = as_bytes(data)
        if data:
            self._attempt(self._machine.write, data)

    def close(self) -> None:
        """Queue close_notify (RFC 5246 7.2.1): nothing can be sent after it; what the peer sends is still received.

        Data that waits for the end of a renegotiation goes first.
        """
        if not self._ending.closing and self._ending.error is None:
            self._outbound.check()
            self._attempt(self._machine.close)

    def abort(self, description: AlertDescription = AlertDescription.USER_CANCELED) -> None:
        """Give the connection up with a fatal alert of the application's choice; none is sent after `close`.

        `next_event` raises `Aborted` from then on.
        """
        if not isinstance(description, AlertDescription):
            raise UsageError(f"an alert is an AlertDescription, not {described(description)}")
        if self._ending.error is None:
            self._outbound.check()
            self._fail(Aborted(description, self.state.name))

    def answer(self, report: Any) -> None:
        """The verdict that the connection is waiting for. Raises `UsageError` for what is none, and where none is asked for."""
        if not self._machine.paused:
            raise UsageError("no verdict is asked for")
        check_report(report, "a verdict")
        try:
            self._machine.judge(report)
        except Exception as error:
            self._fail(error)

    def renegotiate(self) -> None:
        """Ask for a new handshake on this connection; needs `renegotiation=True` and a peer that can do it securely (RFC 5746)."""
        if not self.config.renegotiation:
            raise UsageError("renegotiation is not switched on in the configuration")
        if self.negotiated is None or not self.is_connected or self.is_closed:
            raise UsageError("renegotiation needs a complete handshake")
        if not self.negotiated.secure_renegotiation:
            raise UsageError("the peer cannot renegotiate securely (RFC 5746)")
        self._outbound.check()
        self._attempt(self._machine.feed, Renegotiate())

    def change_config(self, config: Config) -> None:
        """Another configuration, as for a renegotiation that asks for a certificate.

        What is negotiated follows with the next handshake; call-backs and limits of one's own are those of the new one at once.
        """
        self._progress.context = self._progress.context.configured(config)

    def export_keying_material(self, label: bytes, length: int, context: bytes | None = None) -> bytes:
        """`length` bytes under `label` (RFC 5705 4). No context and an empty one give different bytes."""
        return exporters.keying_material(self._progress, label, length, context)

    def channel_binding(self, kind: str) -> bytes:
        """The bytes of "tls-unique" or "tls-server-end-point" (RFC 5929 3 and 4), or "tls-exporter" (RFC 9266).

        Without extended master secrets two connections may share keys (RFC 7627 1), so tls-exporter is refused (RFC 9266 4.2), and
        tls-unique on a resumed session.
        """
        return exporters.channel_binding(self._progress, kind)

    # Copies

    def fork(self) -> Self:
        """A copy for looking ahead: it receives, steps and shows what comes of it, and leaves this connection as it is.

        Two ends that send from one place would use a nonce twice, which gives GCM's key away (RFC 5288 3, RFC 5246 6.2.3.3), so a fork
        seals nothing under keys in force: `send`, `close`, `abort` and `renegotiate` raise `UsageError` then, as `next_event` does where
        the handshake would go on by a message under keys; the fork has ended there, in state FAILED. Alerts that it would owe
        the peer are left out, and no `AlertSent` tells of them. In the clear it may send. It keeps no session and discards none.
        `puretls.danger.fork` gives a copy that can send.
        """
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)  # a subclass may have attributes of its own
        twin._hold(self._parts.fork())
        return twin

    def __copy__(self) -> Self:
        return self.fork()

    def __deepcopy__(self, memo: object) -> Self:
        return self.fork()

    def __reduce_ex__(self, protocol: object) -> Any:
        raise UsageError("a connection cannot be pickled: its keys must not count twice; a session can be kept (Session.to_bytes)")

    # Failure

    def _attempt(self, action: Callable[..., None], *values: object) -> None:
        """Do what the application asked for; what goes wrong ends the connection and is raised."""
        try:
            action(*values)
        except Exception as error:
            ours = self._fail(error)
            if ours is error:
                raise
            raise ours from error

    def _fail(self, cause: Exception) -> PuretlsError:
        error = self._ending.fail(cause, self._inbox.head)
        self._inbox.clear()
        self._machine.clear()
        return error
