"""How a QSslSocket handshakes and moves bytes, in the order of events that Qt's has.

The handshake and the records are puretls's `Connection`; `_transmit` moves bytes between it, the plain socket and the buffers,
and says what happened in signals. Qt's client completes a handshake before it judges the peer, so the verifier records its
report and accepts; the verdict falls in `_judge_peer`. Nothing a program wrote is sent before that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from puretls import drive
from puretls.config import PENDING
from puretls.connection import Connection
from puretls.errors import FatalAlert, PeerError, PuretlsError, Reason
from puretls.events import (
    NEED_DATA,
    PAUSED,
    AlertReceived,
    AlertSent,
    CertificateReceived,
    ConnectionClosed,
    DataReceived,
    HandshakeCompleted,
    VerificationRequired,
)
from puretls.iana import AlertDescription, AlertLevel, NamedGroup
from puretls.qt.dispatcher import weakly
from puretls.qt.qabstractsocket import QAbstractSocket
from puretls.qt.qmessage import qWarning
from puretls.qt.qocspresponse import QOcspResponse
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslconfiguration import NextProtocolNegotiationStatus, PeerVerifyMode
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.socketenums import SocketError, SocketState
from puretls.qt.sslsettings import CLIENT, PLAIN, SERVER, SslMode, SslSettings
from puretls.qt.stapling import judge_staple
from puretls.qt.tls import CannotStart, Questions, client_config, server_config, server_name_for, session_of, usable_psk
from puretls.qt.verification import examine, faults_of, name_matches
from puretls.session import Session

_UNCONNECTED, _CONNECTED = SocketState.UnconnectedState, SocketState.ConnectedState
_WRITE_AT_ONCE = 1 << 18
"""Bytes encrypted in one turn of the event loop: other sockets get theirs in between."""
_P = QSsl.SslProtocol
_NAMED_VERSIONS = frozenset((_P.TlsV1_0, _P.TlsV1_1, _P.TlsV1_3, _P.TlsV1_3OrLater, _P.SslV2, _P.SslV3, _P.TlsV1SslV3))
"""Protocols that Qt takes until the handshake begins."""


class SslTransfer(SslSettings):
    """The part of QSslSocket between plaintext and ciphertext."""

    # the handshake

    def startClientEncryption(self) -> None:
        """Begins the handshake of a client on a connection that is plain so far."""
        if self._mode is not PLAIN:
            qWarning("QSslSocket::startClientEncryption: cannot start handshake on non-plain connection")
            return
        if self._state is not _CONNECTED:
            qWarning("QSslSocket::startClientEncryption: cannot start handshake when not connected")
            return
        if self._protocol_allowed("QSslSocket::startClientEncryption:"):
            self._start(CLIENT)

    def startServerEncryption(self) -> None:
        """Begins the handshake of a server on a connection that is plain so far."""
        if self._mode is not PLAIN:
            qWarning("QSslSocket::startServerEncryption: cannot start handshake on non-plain connection")
            return
        if self._plain is None or self._state is not _CONNECTED:
            qWarning("QSslSocket::startServerEncryption: cannot start handshake when not connected")
            return
        if self._protocol_allowed("QSslSocket::startServerEncryption:"):
            self._start(SERVER)

    def _protocol_allowed(self, where: str) -> bool:
        protocol = self._config.protocol()
        if protocol in PROTOCOLS_WITH_TLS_1_2 or protocol in _NAMED_VERSIONS:
            return True
        qWarning(f"{where} QSslConfiguration with unexpected protocol {protocol.name}")
        self._fail(SocketError.SslInvalidUserDataError, "Attempted to use an unsupported protocol.")
        return False

    def _start(self, mode: SslMode) -> None:
        self._mode = mode
        self.modeChanged.emit(mode)
        questions = Questions(
            weakly(self._verify), weakly(self._ask_client_psk), weakly(self._ask_server_psk), self._interceptors
        )
        try:
            if mode is CLIENT:
                name = server_name_for(self._verify_name or self._peer_name)
                config = client_config(self._config, questions)
                self._connection = Connection.client(config, name, session=session_of(self._config))
            else:
                self._connection = Connection.server(server_config(self._config, questions))
        except CannotStart as problem:
            self._fail(SocketError.SslInvalidUserDataError, str(problem))
            self._fail(SocketError.SslInternalError, f"Unable to init SSL Context: {problem}")
            return
        self._last_connection = self._connection
        self._connection.start()
        self._transmit()

    def _verify(self, request: Any) -> Any:
        """The verifier of the handshake: what it finds is kept, the verdict is passed after the handshake."""
        trust = self._config._trust()
        report = examine(request, trust, self._config.peerVerifyDepth())
        if self._verifies():
            self._report = report
            chain = [QSslCertificate._of(der) for der in request.chain]
            self._faults = faults_of(report, chain, trust)
            if self._faults and self._config.handshakeMustInterruptOnError():
                return PENDING
        return dataclasses.replace(report, accepted=True, findings=())

    def _verifies(self) -> bool:
        """Whether faults of the chain are looked for at all."""
        return self._config.peerVerifyMode() is not PeerVerifyMode.VerifyNone

    def _demands(self) -> bool:
        """Whether a faulty peer is refused."""
        mode = self._config.peerVerifyMode()
        return mode is PeerVerifyMode.VerifyPeer or (mode is PeerVerifyMode.AutoVerifyPeer and self._mode is CLIENT)

    def _ask_client_psk(self, hint: bytes | None) -> tuple[bytes, bytes] | None:
        asked = QSslPreSharedKeyAuthenticator._for(hint or b"")
        self.preSharedKeyAuthenticationRequired.emit(asked)
        return (asked._identity, asked._key) if usable_psk(asked._identity, asked._key) else None

    def _ask_server_psk(self, identity: bytes) -> bytes | None:
        hint = bytes(self._config.preSharedKeyIdentityHint())
        asked = QSslPreSharedKeyAuthenticator._for(hint, identity)
        self.preSharedKeyAuthenticationRequired.emit(asked)
        return asked._key if usable_psk(b"", asked._key) else None

    # moving bytes

    def _transmit(self, *, everything: bool = False) -> None:
        """Encrypts what was written, decrypts what has come, and takes the steps of the handshake, till nothing is left."""
        going = True
        while going and self._connection is not None:
            going = self._encrypt(everything)
            if self._send() is None:
                return
            if self._broken or self._paused or self._connection is None:
                break
            if self._receive() | self._take_events():  # else there is no more to send than before
                self._send()
                going = True

    def _encrypt(self, everything: bool) -> bool:
        if not self._is_encrypted or not self._write_buffer or self._broken:
            return False
        if self._close_told or self._peer_closed:
            self._refuse_to_write()
            return False
        count = len(self._write_buffer) if everything else min(len(self._write_buffer), _WRITE_AT_ONCE)
        data = bytes(memoryview(self._write_buffer)[:count])
        del self._write_buffer[:count]
        self._connection.send(data)
        self._emit_once("bytesWritten", count)
        self.channelBytesWritten.emit(0, count)
        if self._write_buffer:
            self._post_flush()
        return everything

    def _refuse_to_write(self) -> None:
        """Says once that what was written after the end will not be sent."""
        whose = "we have" if self._close_told else "the peer has"
        if not self._write_refused:
            self._write_refused = True
            self._fail(SocketError.SslInternalError, f"Unable to write data: {whose} closed the TLS connection already")
        if self._peer_closed:
            self._write_buffer.clear()

    def _post_flush(self) -> None:
        if not self._flush_posted:
            self._flush_posted = True
            self._dispatcher.post(self._flush_posted_data)

    def _flush_posted_data(self) -> None:
        self._flush_posted = False
        if self._write_buffer and self._connection is not None:
            self._transmit()
            if self._plain is not None:
                self._plain.flush()

    def _send(self) -> bool | None:
        """Hands what is for the peer to the plain socket. None when that failed."""
        connection, plain = self._connection, self._plain
        if connection is None or plain is None or not plain.isValid() or not plain.isOpen():
            return False
        data = connection.bytes_to_send()
        if not data:
            return False
        if plain.write(data) < 0:
            self._fail(plain.error(), plain.errorString())
            return None
        return True

    def _receive(self) -> bool:
        plain = self._plain
        if plain is None or self._connection is None or self._peer_closed or not plain._buffer:
            return False
        if self._is_encrypted and self._read_buffer_size and len(self._buffer) >= self._read_buffer_size:
            return False
        data = plain._take(len(plain._buffer))
        self._second_byte = self._second_byte or data[1:2]
        self._connection.receive_bytes(data)
        return True

    def _take_events(self) -> bool:
        """Lets the connection step till it needs more bytes. Whether anything happened."""
        happened, received = False, 0
        while self._connection is not None and not self._broken and not self._paused:
            if self._is_encrypted and self._read_buffer_size and len(self._buffer) >= self._read_buffer_size:
                break
            event, error = drive.take_turn(self._connection)
            if isinstance(event, DataReceived):
                self._buffer += event.data
                received += len(event.data)
                continue
            received = self._tell_ready_read(received)
            if event is NEED_DATA or event is PAUSED:
                break
            happened = True
            if event is not None:
                self._on_event(event)
            elif error is not None:
                self._on_tls_error(error)
        self._tell_ready_read(received)
        return happened

    def _tell_ready_read(self, received: int) -> int:
        if received:
            self._transmitting_ready_read[:] = [True] * len(self._transmitting_ready_read)
            self._emit_once("readyRead")
            self.channelReadyRead.emit(0)
        return 0

    def _on_event(self, event: Any) -> None:
        for kind, react in _REACTIONS:
            if isinstance(event, kind):
                react(self, event)
                return

    # what happens in a handshake

    def _on_certificate(self, event: CertificateReceived) -> None:
        self._take_peer_certificates()
        self._tell_faults()

    def _tell_faults(self) -> bool:
        """Tells what is wrong with the chain, shown or of a resumed session, where it was not told before. False: a slot ended it."""
        if not self._config.handshakeMustInterruptOnError():
            for fault in self._faults:
                self.peerVerifyError.emit(fault)
                if self._state is not _CONNECTED:
                    return False
        return True

    def _take_peer_certificates(self) -> None:
        chain = tuple(QSslCertificate._of(der) for der in self._connection.peer_certificates)
        negotiated = self._connection.negotiated
        resumed = negotiated is not None and negotiated.resumed
        if not chain:
            self._report, self._faults = None, []  # what was found was about a session that the server did not take up
        self._config._values["peer"] = chain[0] if chain else QSslCertificate()
        self._config._values["peer_chain"] = () if resumed else chain

    def _on_verification_required(self, event: VerificationRequired) -> None:
        """With handshakeMustInterruptOnError: each fault is told now, and must be continued from its slot."""
        chain = tuple(QSslCertificate._of(der) for der in event.request.chain)
        self._config._values["peer"], self._config._values["peer_chain"] = chain[0], chain
        for fault in self._faults:
            self._continue = False
            self.handshakeInterruptedOnError.emit(fault)
            if self._connection is None:
                return
            if not self._continue:
                self._config._values["peer"], self._config._values["peer_chain"] = QSslCertificate(), ()
                self._connection.answer(self._report)
                return
        self._connection.answer(dataclasses.replace(self._report, accepted=True, findings=()))

    def _on_handshake_completed(self, event: HandshakeCompleted) -> None:
        if self._is_encrypted:
            return  # a renegotiation
        self._handshake_over = True
        self._take_peer_certificates()
        if event.negotiated.resumed and not self._tell_faults():
            return
        if self._judge_peer():
            self._enter_encrypted_state()

    def _judge_peer(self) -> bool:
        """Tells what is wrong with the peer. False when the handshake ends here or waits for `resume`."""
        first = self._identity_faults() + self._ocsp_faults()
        for error in first:
            self.peerVerifyError.emit(error)
            if self._state is not _CONNECTED:
                return False
        self._errors = first + self._faults
        if not self._errors:
            return True
        self.sslErrors.emit(list(self._errors))
        if not self._demands() or self._errors_are_ignored():
            return self._state is _CONNECTED
        if self._pause_mode & QAbstractSocket.PauseMode.PauseOnSslErrors:
            self._paused = True
            if self._plain is not None:
                self._plain._pause()
        else:
            self._refuse_peer()
        return False

    def _identity_faults(self) -> list[QSslError]:
        """What is wrong with who the peer is, whatever its chain may be worth."""
        found: list[QSslError] = []
        peer = self._config._values["peer"]
        if any(QSslCertificate._of(each).isBlacklisted() for each in self._connection.peer_certificates):
            found.append(QSslError(QSslError.SslError.CertificateBlacklisted, peer))
        if not peer.isNull() and self._mode is CLIENT:
            name = self._verify_name or self._peer_name
            if not name_matches(peer, name):
                found.append(QSslError(QSslError.SslError.HostNameMismatch, peer, _names_of(peer, name)))
        elif peer.isNull() and self._demands():  # with a pre-shared key too, as in Qt
            found.append(QSslError(QSslError.SslError.NoPeerCertificate))
        return found

    def _ocsp_faults(self) -> list[QSslError]:
        if not self._config.ocspStaplingEnabled() or self._mode is not CLIENT or not self._demands():
            return []
        if not self._connection.negotiated.suite.has_certificate:
            return []
        path = self._report.path if self._report is not None else ()
        self._ocsp, faults = judge_staple(self._connection.ocsp_response, path, self._config._values["peer"])
        known = {each.error() for each in self._faults}
        return [each for each in faults if each.error() not in known]

    def _refuse_peer(self) -> None:
        if self._connection is not None:
            self._connection.bytes_to_send()  # our Finished is not for this peer
        self._fail(SocketError.SslHandshakeFailedError, self._errors[0].errorString())
        if self._plain is not None:
            self._plain.disconnectFromHost()

    def _errors_are_ignored(self) -> bool:
        return all(error in self._ignored for error in self._errors) if self._ignored else self._ignore_all

    def _enter_encrypted_state(self) -> None:
        assert self._plain is not None
        connection, values = self._connection, self._config._values
        negotiated = connection.negotiated
        if self._read_buffer_size:
            self._plain.setReadBufferSize(self._read_buffer_size)
        if negotiated.alpn:
            values["alpn_chosen"] = negotiated.alpn.encode("latin-1")
            values["alpn_status"] = NextProtocolNegotiationStatus.NextProtocolNegotiationNegotiated
        if self._mode is CLIENT and not negotiated.resumed:
            values["ephemeral"] = _ephemeral_key(connection)
        self._keep_session(connection.session)
        for wanted in values["keying"]:
            wanted._value = connection.export_keying_material(wanted._label, wanted._size, wanted._context or None)
        self._is_encrypted = True
        self.encrypted.emit()
        if self._auto_start and self._pending_close:
            self._pending_close = False
            self.disconnectFromHost()

    def _keep_session(self, session: Session | None) -> None:
        if session is not None and not self._config.testSslOption(QSsl.SslOption.SslOptionDisableSessionPersistence):
            self._config._values["ticket"] = session.to_bytes()
            self._config._values["lifetime"] = session.lifetime if session.ticket else 0

    # alerts and errors

    def _on_alert_sent(self, event: AlertSent) -> None:
        """Warnings such as no_renegotiation; the others are told in their places."""
        if event.level == AlertLevel.WARNING and event.description != AlertDescription.CLOSE_NOTIFY:
            self.alertSent.emit(*_alert(event.level, event.description))

    def _on_alert_received(self, event: AlertReceived) -> None:
        self.alertReceived.emit(*_alert(event.level, event.description))

    def _on_tls_closed(self, event: ConnectionClosed) -> None:
        if not self._is_encrypted:
            self._send_unsaid(self._connection.bytes_to_send())
            self._end_handshake("the peer closed the connection before the handshake was complete")
            return
        self._peer_closed = self._has_shut_down = True
        self._farewell = self._connection.bytes_to_send()  # the answer of RFC 5246 7.2.1 waits for our own close: see _close_tls
        self._fail(SocketError.RemoteHostClosedError, "The TLS/SSL connection has been closed")

    def _on_tls_error(self, problem: PuretlsError) -> None:
        """A handshake that failed is aborted; a connection that broke says so and stays till TCP ends, as in Qt."""
        alert = self._connection.bytes_to_send()
        if isinstance(problem, PeerError):
            if problem.reason is Reason.NOT_TLS and self._second_byte != b"\3":
                alert = b""  # who does not speak TLS would not understand
            else:
                self.alertSent.emit(*_alert(2, problem.alert))
        self._broken = True
        if self._is_encrypted:
            self._send_unsaid(alert)
            self._fail(SocketError.SslInternalError, f"Error while reading: {problem}")
        else:
            self._end_handshake(_advice(problem), alert)

    def _end_handshake(self, text: str, alert: bytes = b"") -> None:
        self._fail(SocketError.SslHandshakeFailedError, f"Error during SSL handshake: {text}")
        plain = self._plain
        if alert and plain is not None and plain.state() is _CONNECTED:
            plain.write(alert)
            plain.flush()
        self.abort()

    def _send_unsaid(self, data: bytes) -> None:
        """Sends an alert where Qt sends none, past the signals; if the system has no room for it, it is lost."""
        plain = self._plain
        if data and plain is not None and plain._engine is not None and plain._engine.valid and not plain._write_buffer:
            with memoryview(data) as alert:
                plain._engine.write(alert)

    def _close_tls(self) -> None:
        """close_notify, once, and only after a whole handshake.

        Qt sends none when the peer has sent its own, nor on the second connection of one object; `alertSent` then comes with the
        end of TCP. The signals here are the same, but the alert is sent in all cases (RFC 5246 7.2.1), past the signals.
        """
        connection, plain = self._connection, self._plain
        if connection is None or plain is None or self._close_told or self._broken or not self._handshake_over:
            return
        connection.close()
        if not self._has_shut_down:
            self._has_shut_down = True
            self._tell_close()
            self._send()
        else:
            self._send_unsaid(self._farewell + connection.bytes_to_send())

    def _tell_close(self) -> None:
        self._close_told = True
        self.alertSent.emit(*_alert(1, AlertDescription.CLOSE_NOTIFY))

    # judging the peer

    def ignoreSslErrors(self, errors: Sequence[QSslError] | None = None) -> None:
        """Goes on in spite of all errors of this handshake, or in spite of those in a list (error and certificate alike).

        A list is the narrower wish and withdraws the wider one; an empty list ignores nothing any more. Without a list it holds
        for the connection there is, or on an unconnected socket for the next one: the page of the class promises this, Qt forgets it.
        """
        if errors is not None:
            self._ignored = [QSslError(error) for error in errors]
            self._ignore_all = self._ignore_all_next = False
            return
        self._ignore_all = True
        self._ignore_all_next = self._state is _UNCONNECTED

    def continueInterruptedHandshake(self) -> None:
        """In the slot of `handshakeInterruptedOnError`: go on."""
        self._continue = True

    def resume(self) -> None:
        """Goes on after a pause on errors: from the event loop, so that the caller returns first."""
        self._dispatcher.post(self._resume)

    def _resume(self) -> None:
        if self._plain is not None:
            self._plain.resume()
        if not self._paused:
            return
        self._paused = False
        if not self._is_encrypted and self._connection is not None:
            if not self._errors_are_ignored():
                self._refuse_peer()
                return
            self._enter_encrypted_state()
        self._transmit()

    def sslHandshakeErrors(self) -> list[QSslError]:
        """The errors of the last handshake, ignored or not."""
        return list(self._errors)

    def ocspResponses(self) -> list[QOcspResponse]:
        """Stapled answers, where stapling was enabled."""
        return list(self._ocsp)


_REACTIONS: tuple[tuple[type, Callable[[SslTransfer, Any], None]], ...] = (
    (CertificateReceived, SslTransfer._on_certificate),
    (VerificationRequired, SslTransfer._on_verification_required),
    (HandshakeCompleted, SslTransfer._on_handshake_completed),
    (AlertReceived, SslTransfer._on_alert_received),
    (AlertSent, SslTransfer._on_alert_sent),
    (ConnectionClosed, SslTransfer._on_tls_closed),
)


def _alert(level: int, description: int) -> tuple[QSsl.AlertLevel, QSsl.AlertType, str]:
    levels = {1: QSsl.AlertLevel.Warning, 2: QSsl.AlertLevel.Fatal}
    kind = QSsl.AlertType(int(description))
    name = getattr(description, "name", f"alert {int(description)}")
    return levels.get(int(level), QSsl.AlertLevel.Unknown), kind, str(name).lower().replace("_", " ")


def _advice(problem: PuretlsError) -> str:
    """The error in one line, and for an alert of the peer what it means."""
    if isinstance(problem, FatalAlert):
        try:
            name = AlertDescription(problem.description).name.lower()
        except ValueError:
            name = str(problem.description)
        return f"the peer gave up with the alert {name}: {problem}"
    return str(problem)


def _names_of(certificate: QSslCertificate, wanted: str) -> str:
    names = [name for group in certificate.subjectAlternativeNames().values() for name in group]
    return f"{wanted!r} is not among {', '.join(names[:8]) or 'no names at all (the common name does not count, RFC 9525)'}"


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
