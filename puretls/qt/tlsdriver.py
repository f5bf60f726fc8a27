"""The TLS of a QSslSocket as a value: bytes go in, bytes come out, and what is to be done about it comes as effects.

A driver has no signals and moves no bytes. It yields effects, the socket does them one after the other (that is when slots run) and
answers whether it is still connected, so the handshake reads from top to bottom in spite of slots that may end it anywhere.

Qt's client completes a handshake before it judges the peer: the verifier records its report and accepts, and the verdict falls in
`_judge`. Nothing that a program wrote is sent before that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Sequence
from typing import Any

from puretls import drive
from puretls.connection import Connection
from puretls.crypto.provider import Provider, Signed
from puretls.errors import PeerError, PuretlsError, Reason
from puretls.events import (
    NEED_DATA,
    AlertReceived,
    AlertSent,
    CertificateReceived,
    ConnectionClosed,
    DataReceived,
    Event,
    HandshakeCompleted,
    Sentinel,
    VerificationRequired,
)
from puretls.iana import AlertDescription, AlertLevel, NamedGroup
from puretls.qt import peerjudge
from puretls.qt.calls import weakly
from puretls.qt.peerjudge import Verdict
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.socketenums import SocketError
from puretls.qt.sslsettings import SslSettings
from puretls.qt.sslvalues import NextProtocolNegotiationStatus, SslMode
from puretls.qt.tls import Questions, client_config, server_config, server_name_for, session_of, usable_psk
from puretls.qt.tlseffects import (
    Abort,
    DataArrived,
    Effect,
    Emit,
    Fail,
    PeerAccepted,
    PeerRefused,
    Steps,
    WriteUntold,
    advice,
    alert_arguments,
    handshake_failed,
)
from puretls.qt.verification import verify_ahead
from puretls.session import Session
from puretls.x509.verifier import ChainRequest


class _Verifier:
    """What a handshake asks about its peer. Does not keep the driver alive."""

    def __init__(self, driver: TlsDriver) -> None:
        self._driver = weakref.ref(driver)

    def __call__(self, request: ChainRequest) -> Any:
        driver = self._driver()
        return None if driver is None else peerjudge.verify(request, driver.settings.config, driver.verdict)

    def verify_ahead(self, chain: Sequence[bytes], signed: Signed, provider: Provider) -> bool:
        """As `Verifier.verify_ahead`."""
        driver = self._driver()
        return driver is not None and verify_ahead(chain, signed, provider, driver.settings.config._trust())


class TlsDriver:
    """One TLS connection. `queued` is plaintext to be encrypted, `received` is plaintext to be read: buffers of the socket."""

    def __init__(
        self,
        mode: SslMode,
        settings: SslSettings,
        host: str,
        queued: bytearray,
        received: bytearray,
        ask_psk: Callable[[QSslPreSharedKeyAuthenticator], object],
    ) -> None:
        """`host`: the name that was connected to. `ask_psk` lets the program fill in a pre-shared key. Raises `CannotStart`."""
        self.mode: SslMode = mode
        self.settings: SslSettings = settings
        self.queued: bytearray = queued
        self.received: bytearray = received
        self.verdict: Verdict = Verdict()
        self.is_encrypted: bool = False  # the program may talk
        self.handshake_over: bool = False  # both Finished were exchanged; the verdict may still be open
        self.is_paused: bool = False
        self.is_broken: bool = False
        self.has_ended: bool = False
        self.peer_closed: bool = False
        self.close_told: bool = False
        self.may_continue: bool = False  # the answer of a slot of handshakeInterruptedOnError
        self.steps_taken: int = 0  # events, without those of data
        self._host, self._ask_psk = host, ask_psk
        self._needs_data = False
        self._farewell = b""  # our answer to the close_notify of the peer; it waits for our own close
        self._second_byte = b""  # of what the peer sent: 3 where it speaks TLS
        self._write_refused = False
        self.connection: Connection = self._connect()

    def _connect(self) -> Connection:
        config, verify = self.settings.config, _Verifier(self)
        client_psk, server_psk = weakly(self._ask_client_psk), weakly(self._ask_server_psk)
        questions = Questions(verify, client_psk, server_psk, self.settings.interceptors)
        if self.mode is SslMode.SslServerMode:
            connection = Connection.server(server_config(config, questions))
        else:
            connection = Connection.client(client_config(config, questions), server_name_for(self.name), session_of(config))
        if self.settings.watcher is not None:
            connection.watch(self.settings.watcher(connection.role))
        return connection

    @property
    def name(self) -> str:
        """The name that a server must have."""
        return self.settings.verify_name or self._host

    @property
    def is_refused(self) -> bool:
        """Whether the peer is refused for its errors."""
        errors = self.verdict.errors
        return bool(errors) and peerjudge.demands_peer(self.settings.config, self.mode) and not self.settings.ignores(errors)

    # what the handshake asks

    def _ask_client_psk(self, hint: bytes | None) -> tuple[bytes, bytes] | None:
        asked = QSslPreSharedKeyAuthenticator._for(hint or b"")
        self._ask_psk(asked)
        return (asked._identity, asked._key) if usable_psk(asked._identity, asked._key) else None

    def _ask_server_psk(self, identity: bytes) -> bytes | None:
        hint = bytes(self.settings.config.preSharedKeyIdentityHint())
        asked = QSslPreSharedKeyAuthenticator._for(hint, identity)
        self._ask_psk(asked)
        return asked._key if usable_psk(b"", asked._key) else None

    # bytes

    def feed(self, data: bytes) -> None:
        """Takes what has come from TCP."""
        self._second_byte = self._second_byte or data[1:2]
        self._needs_data = False
        self.connection.receive_bytes(data)

    def encrypt(self, limit: int) -> int:
        """Encrypts up to `limit` bytes of `queued`; how many it was."""
        with memoryview(self.queued) as queued:
            data = bytes(queued[:limit])
        del self.queued[:limit]
        self.connection.send(data)
        return len(data)

    def take_output(self) -> bytes:
        """What must be sent to the peer next."""
        return self.connection.bytes_to_send()

    @property
    def may_write(self) -> bool:
        """Whether neither end has closed: nothing is written after that (RFC 5246 7.2.1)."""
        return not self.close_told and not self.peer_closed

    def refuse_to_write(self) -> Steps:
        """Says once that what was written after the end will not be sent."""
        whose = "we have" if self.close_told else "the peer has"
        if not self._write_refused:
            self._write_refused = True
            yield Fail(SocketError.SslInternalError, f"Unable to write data: {whose} closed the TLS connection already")
        if self.peer_closed:
            self.queued.clear()

    @property
    def may_close(self) -> bool:
        """Whether a close_notify is due: once, and only after a whole handshake."""
        return self.handshake_over and not self.close_told and not self.is_broken

    def close(self) -> bytes:
        """Queues our close_notify. Returns the answer that the peer's close_notify is still owed, to be sent before it."""
        self._needs_data = False
        self.connection.close()
        return self._farewell

    def tell_close(self) -> Emit:
        """Our close_notify is told, once."""
        self.close_told = True
        return Emit("alertSent", alert_arguments(1, AlertDescription.CLOSE_NOTIFY))

    # what happens

    @property
    def is_full(self) -> bool:
        """Whether no more data is to be decrypted ahead."""
        limit = self.settings.read_limit
        return self.is_encrypted and bool(limit) and len(self.received) >= limit

    @property
    def is_idle(self) -> bool:
        """Whether nothing can happen without bytes from the peer, or at all."""
        return self._needs_data or self.is_broken or self.is_paused or self.has_ended

    def steps(self) -> Steps:
        """Lets the connection step until it needs bytes."""
        has_news = False
        while not self.is_idle and not self.is_full:
            event, error = drive.take_turn(self.connection)
            if isinstance(event, DataReceived):
                self.received += event.data
                has_news = True
                continue
            if has_news:
                has_news = False
                yield DataArrived()
            if isinstance(event, Sentinel):
                self._needs_data = event is NEED_DATA
                break
            self.steps_taken += 1
            if event is not None:
                yield from self._on_event(event)
            elif error is not None:
                yield from self._on_error(error)
        if has_news:
            yield DataArrived()

    def _on_event(self, event: Event) -> Steps:
        for kind, react in _REACTIONS:
            if isinstance(event, kind):
                yield from react(self, event)
                return

    def _on_certificate(self, event: CertificateReceived) -> Steps:
        self._take_peer_certificates()
        yield from self._tell_faults()

    def _take_peer_certificates(self) -> None:
        chain = peerjudge.certificates(self.connection.peer_certificates)
        negotiated = self.connection.negotiated
        resumed = negotiated is not None and negotiated.resumed
        if not chain:  # what was found was about a session that the server did not take up
            self.verdict.report, self.verdict.faults = None, []
        self.settings.config._agree(peer=chain[0] if chain else QSslCertificate(), peer_chain=() if resumed else chain)

    def _tell_faults(self) -> Generator[Effect, bool, bool]:
        """Tells what is wrong with the chain, where it was not told before. False: a slot has ended the connection."""
        if not self.settings.config.handshakeMustInterruptOnError():
            for fault in self.verdict.faults:
                if not (yield Emit("peerVerifyError", (fault,))):
                    return False
        return True

    def _on_verification_required(self, event: VerificationRequired) -> Steps:
        """With handshakeMustInterruptOnError: each fault is told in the handshake, and must be continued from its slot."""
        agree, report = self.settings.config._agree, self.verdict.report
        assert report is not None
        chain = peerjudge.certificates(event.request.chain)
        agree(peer=chain[0], peer_chain=chain)
        for fault in self.verdict.faults:
            self.may_continue = False
            yield Emit("handshakeInterruptedOnError", (fault,))
            if self.has_ended:
                return
            if not self.may_continue:
                agree(peer=QSslCertificate(), peer_chain=())
                self.connection.answer(report)
                return
        self.connection.answer(peerjudge.accepted(report))

    def _on_handshake_completed(self, event: HandshakeCompleted) -> Steps:
        if self.is_encrypted:
            return  # a renegotiation
        self.handshake_over = True
        self._take_peer_certificates()
        if not event.negotiated.resumed or (yield from self._tell_faults()):
            yield from self._judge()

    def _judge(self) -> Steps:
        """Tells what is wrong with the peer, and accepts or refuses it."""
        config, verdict = self.settings.config, self.verdict
        first = peerjudge.identity_faults(self.connection, config, self.mode, self.name)
        first += peerjudge.staple_faults(self.connection, config, self.mode, verdict)
        for error in first:
            if not (yield Emit("peerVerifyError", (error,))):
                return
        verdict.errors = first + verdict.faults
        if verdict.errors:
            connected = yield Emit("sslErrors", (list(verdict.errors),))
            if self.is_refused:
                yield PeerRefused()
                return
            if not connected:
                return
        yield from self.accept_peer()

    def accept_peer(self) -> Steps:
        """The program may talk from here on."""
        connection, config = self.connection, self.settings.config
        negotiated = connection.negotiated
        assert negotiated is not None
        if negotiated.alpn:
            status = NextProtocolNegotiationStatus.NextProtocolNegotiationNegotiated
            config._agree(next_protocol=negotiated.alpn.encode("latin-1"), next_protocol_status=status)
        if self.mode is SslMode.SslClientMode and not negotiated.resumed:
            config._agree(ephemeral_key=_ephemeral_key(connection))
        self._keep_session(connection.session)
        for wanted in config._choices.keying_material:
            wanted._value = connection.export_keying_material(wanted._label, wanted._size, wanted._context or None)
        self.is_encrypted = True
        yield PeerAccepted()

    def _keep_session(self, session: Session | None) -> None:
        config = self.settings.config
        if session is not None and not config.testSslOption(QSsl.SslOption.SslOptionDisableSessionPersistence):
            config._choose(session=session.to_bytes(), session_lifetime=session.lifetime if session.ticket else 0)

    # alerts and errors

    def _on_alert_sent(self, event: AlertSent) -> Steps:
        """Warnings such as no_renegotiation; the others are told in their places."""
        if event.level == AlertLevel.WARNING and event.description != AlertDescription.CLOSE_NOTIFY:
            yield Emit("alertSent", alert_arguments(event.level, event.description))

    def _on_alert_received(self, event: AlertReceived) -> Steps:
        yield Emit("alertReceived", alert_arguments(event.level, event.description))

    def _on_closed(self, event: ConnectionClosed) -> Steps:
        answer = self.take_output()
        if not self.is_encrypted:
            yield WriteUntold(answer)
            yield handshake_failed("the peer closed the connection before the handshake was complete")
            yield Abort()
            return
        self.peer_closed = True
        self._farewell = answer
        yield Fail(SocketError.RemoteHostClosedError, "The TLS/SSL connection has been closed")

    def _on_error(self, problem: PuretlsError) -> Steps:
        """A handshake that failed is aborted; a connection that broke says so and stays until TCP ends, as in Qt."""
        last_words = self.take_output()
        if isinstance(problem, PeerError):
            if problem.reason is Reason.NOT_TLS and self._second_byte != b"\3":
                last_words = b""  # who does not speak TLS would not understand
            else:
                yield Emit("alertSent", alert_arguments(2, problem.alert))
        self.is_broken = True
        if not self.is_encrypted:
            yield handshake_failed(advice(problem))
            yield Abort(last_words)
            return
        yield WriteUntold(last_words)
        yield Fail(SocketError.SslInternalError, f"Error while reading: {problem}")


_REACTIONS: tuple[tuple[type, Callable[[TlsDriver, Any], Steps]], ...] = (
    (CertificateReceived, TlsDriver._on_certificate),
    (VerificationRequired, TlsDriver._on_verification_required),
    (HandshakeCompleted, TlsDriver._on_handshake_completed),
    (AlertReceived, TlsDriver._on_alert_received),
    (AlertSent, TlsDriver._on_alert_sent),
    (ConnectionClosed, TlsDriver._on_closed),
)


def _ephemeral_key(connection: Any) -> QSslKey:
    """The server's share: elliptic and finite-field keys as such, others (X25519) opaque, none with RSA or a shared key."""
    negotiated = connection.negotiated
    if not negotiated.suite.is_ephemeral:
        return QSslKey()
    if negotiated.suite.is_finite_field:
        length = int(negotiated.group_name.lstrip("dfhe"))  # "ffdhe2048", or "dh2048" without a registered name
        return QSslKey._share(length, QSsl.KeyAlgorithm.Dh)
    bits = {NamedGroup.SECP256R1: 256, NamedGroup.SECP384R1: 384, NamedGroup.SECP521R1: 521}.get(negotiated.group)
    return QSslKey._share(bits)
