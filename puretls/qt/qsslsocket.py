"""QSslSocket: TLS over a QTcpSocket of its own, in the order of events that Qt's has.

The handshake and the records are puretls's `Connection`; `_transmit` moves bytes between it, the plain socket and the buffers,
and says what happened in signals. Qt's client completes a handshake before it judges the peer, so the verifier records its
report and accepts; the verdict falls in `_judge_peer`. Nothing a program wrote is sent before that.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

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
from puretls.qt._names import export_values
from puretls.qt.qabstractsocket import NetworkLayerProtocol, QAbstractSocket, QTcpSocket, SocketError, SocketState
from puretls.qt.qhostaddress import QHostAddress
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject, Signal
from puretls.qt.qocspresponse import QOcspResponse
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import NextProtocolNegotiationStatus, PeerVerifyMode, QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.socketengine import Deadline
from puretls.qt.tls import CannotStart, Questions, client_config, server_config, server_name_for, session_of, usable_psk
from puretls.qt.verification import examine, faults_of, name_matches
from puretls.session import Session

_UNCONNECTED, _CONNECTED, _CLOSING = SocketState.UnconnectedState, SocketState.ConnectedState, SocketState.ClosingState
_READ_WRITE = QIODeviceBase.ReadWrite
_WRITE_AT_ONCE = 1 << 18
"""Bytes encrypted in one turn of the event loop: other sockets get theirs in between."""
_P = QSsl.SslProtocol


class SslMode(enum.Enum):
    """Plain, or which end of TLS."""

    UnencryptedMode = 0
    SslClientMode = 1
    SslServerMode = 2


SslMode.__qualname__ = "QSslSocket.SslMode"
_PLAIN, _CLIENT, _SERVER = SslMode.UnencryptedMode, SslMode.SslClientMode, SslMode.SslServerMode


class SocketFailed(PuretlsError):
    """What the awaitable forms raise. `error` is the SocketError."""

    def __init__(self, error: SocketError, text: str) -> None:
        super().__init__(text)
        self.error = error


class QSslSocket(QTcpSocket):
    """An encrypted connection, client or server."""

    SslMode = SslMode
    PeerVerifyMode = PeerVerifyMode

    alertReceived = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    alertSent = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    encrypted = Signal()
    encryptedBytesWritten = Signal(int)
    handshakeInterruptedOnError = Signal(QSslError)
    modeChanged = Signal(SslMode)
    newSessionTicketReceived = Signal()
    peerVerifyError = Signal(QSslError)
    preSharedKeyAuthenticationRequired = Signal(QSslPreSharedKeyAuthenticator)
    sslErrors = Signal(list)

    _waiting_class = "QSslSocket"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._config = QSslConfiguration.defaultConfiguration()
        self._plain: QTcpSocket | None = None
        self._verify_name = ""
        self._ignored: list[QSslError] = []
        self._ignore_all = self._ignore_all_next = False
        self._interceptors: tuple[Any, ...] = ()
        self._mode = _PLAIN
        self._has_shut_down = False  # Qt keeps this for the life of the object: see _close_tls
        self._forget_session()

    def _forget_session(self) -> None:
        """What belongs to one connection."""
        self._mode = _PLAIN
        self._connection: Any = None
        self._last_connection: Any = None  # for trace(), also after the end
        self._auto_start = self._initialised = False
        self._is_encrypted = self._handshake_over = self._peer_closed = self._close_told = False
        self._broken = self._paused = False
        self._farewell = b""
        self._transmitting_ready_read: list[bool] = []
        self._flush_posted = False
        self._report: Any = None
        self._faults: list[QSslError] = []
        self._errors: list[QSslError] = []
        self._continue = False
        self._ocsp: list[QOcspResponse] = []
        self._ignore_all, self._ignore_all_next = self._ignore_all_next, False
        self._abort_called = self._pending_close = False
        self._buffer.clear()
        self._write_buffer.clear()
        values = self._config._values
        values["peer"], values["peer_chain"], values["ephemeral"] = QSslCertificate(), (), QSslKey()
        values["alpn_chosen"], values["alpn_status"] = b"", NextProtocolNegotiationStatus.NextProtocolNegotiationNone

    # connecting

    def connectToHost(
        self,
        hostName: str | QHostAddress,
        port: int,
        mode: OpenMode = _READ_WRITE,
        protocol: NetworkLayerProtocol = NetworkLayerProtocol.AnyIPProtocol,
    ) -> None:
        """Connects without encryption; `startClientEncryption` may follow."""
        if self._state is not _UNCONNECTED and self._plain is not None:
            self._plain.connectToHost(hostName, port, mode, protocol)  # which refuses
            return
        if not self._initialised:
            self._forget_session()
        self._initialised = False
        plain = self._make_plain_socket(mode)
        QIODevice.open(self, mode)
        plain.connectToHost(hostName, port, mode, protocol)

    def connectToHostEncrypted(
        self,
        hostName: str,
        port: int,
        sslPeerName: str | OpenMode = "",
        mode: OpenMode | NetworkLayerProtocol = _READ_WRITE,
        protocol: NetworkLayerProtocol = NetworkLayerProtocol.AnyIPProtocol,
    ) -> None:
        """Connects and begins the handshake as soon as TCP is up. `sslPeerName`: the name to verify and send, else `hostName`."""
        if isinstance(sslPeerName, OpenMode):  # the form without sslPeerName
            sslPeerName, mode, protocol = "", sslPeerName, mode if isinstance(mode, NetworkLayerProtocol) else protocol
        if self._state in (_CONNECTED, SocketState.ConnectingState):
            qWarning("QSslSocket::connectToHostEncrypted() called when already connecting/connected")
            return
        self._forget_session()
        self._auto_start = self._initialised = True
        if sslPeerName:
            self._verify_name = sslPeerName
        assert isinstance(mode, OpenMode)
        self.connectToHost(hostName, port, mode, protocol)

    def _protocol_allowed(self, where: str) -> bool:
        protocol = self._config.protocol()
        if protocol in PROTOCOLS_WITH_TLS_1_2 or protocol in _NAMED_VERSIONS:
            return True
        qWarning(f"{where} QSslConfiguration with unexpected protocol {protocol.name}")
        self._fail(SocketError.SslInvalidUserDataError, "Attempted to use an unsupported protocol.")
        return False

    def _make_plain_socket(self, mode: OpenMode) -> QTcpSocket:
        self._drop_plain_socket()
        self._open_mode = mode
        self._state, self._error_string = _UNCONNECTED, ""  # the error stays till the next, as in Qt
        self._forget_addresses()
        plain = self._plain = QTcpSocket()
        plain.setReadBufferSize(self._read_buffer_size)
        for signal, slot in (
            (plain.connected, self._on_connected),
            (plain.hostFound, self.hostFound.emit),
            (plain.disconnected, self._on_disconnected),
            (plain.stateChanged, self._on_state_changed),
            (plain.errorOccurred, self._on_error),
            (plain.readyRead, self._on_ready_read),
            (plain.channelReadyRead, self._on_channel_ready_read),
            (plain.bytesWritten, self._on_bytes_written),
            (plain.readChannelFinished, self.readChannelFinished.emit),
        ):
            signal.connect(slot)
        self._buffer.clear()
        self._write_buffer.clear()
        return plain

    def _drop_plain_socket(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.blockSignals(True)
            plain.abort()

    def setSocketDescriptor(
        self, socketDescriptor: int, state: SocketState = _CONNECTED, openMode: OpenMode = _READ_WRITE
    ) -> bool:
        """Takes over a descriptor, as `incomingConnection` gives it; plain until `startServerEncryption`."""
        self._forget_session()
        plain = self._make_plain_socket(openMode)
        taken = plain.setSocketDescriptor(socketDescriptor, state, openMode)
        self._set_error(plain.error(), plain._error_string)
        self._open_mode = openMode
        self._copy_addresses()
        if taken:
            self._state = state
        return taken

    def _copy_addresses(self) -> None:
        if self._plain is not None:
            self._local, self._peer, self._peer_name = self._plain._local, self._plain._peer, self._plain._peer_name

    def bind(self, address: Any = 0, port: Any = None, mode: Any = QAbstractSocket.BindFlag.DefaultForPlatform) -> bool:
        """Not for QSslSocket, as in Qt: False. Connect a bound QTcpSocket's descriptor instead."""
        qWarning("QSslSocket::bind: bind a QTcpSocket and hand its descriptor over")
        return False

    # the handshake

    def startClientEncryption(self) -> None:
        """Begins the handshake of a client on a connection that is plain so far."""
        if self._mode is not _PLAIN:
            qWarning("QSslSocket::startClientEncryption: cannot start handshake on non-plain connection")
            return
        if self._state is not _CONNECTED:
            qWarning("QSslSocket::startClientEncryption: cannot start handshake when not connected")
            return
        if self._protocol_allowed("QSslSocket::startClientEncryption:"):
            self._start(_CLIENT)

    def startServerEncryption(self) -> None:
        """Begins the handshake of a server on a connection that is plain so far."""
        if self._mode is not _PLAIN:
            qWarning("QSslSocket::startServerEncryption: cannot start handshake on non-plain connection")
            return
        if self._plain is None or self._state is not _CONNECTED:
            qWarning("QSslSocket::startServerEncryption: cannot start handshake when not connected")
            return
        if self._protocol_allowed("QSslSocket::startServerEncryption:"):
            self._start(_SERVER)

    def _start(self, mode: SslMode) -> None:
        self._mode = mode
        self.modeChanged.emit(mode)
        questions = Questions(self._verify, self._ask_client_psk, self._ask_server_psk, self._interceptors)
        try:
            if mode is _CLIENT:
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
        return mode is PeerVerifyMode.VerifyPeer or (mode is PeerVerifyMode.AutoVerifyPeer and self._mode is _CLIENT)

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
            going |= self._receive()
            going |= self._take_events()
            if self._plain is not None and self._connection is not None:
                going |= bool(self._send())

    def _encrypt(self, everything: bool) -> bool:
        if not self._is_encrypted or not self._write_buffer or self._broken:
            return False
        if self._close_told or self._peer_closed:
            whose = "we have" if self._close_told else "the peer has"
            self._fail(SocketError.SslInternalError, f"Unable to write data: {whose} closed the TLS connection already")
            if self._peer_closed:
                self._write_buffer.clear()
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
        self._connection.receive_bytes(data)
        return True

    def _take_events(self) -> bool:
        """Lets the connection step till it needs more bytes. Whether anything happened."""
        happened, received = False, 0
        while self._connection is not None and not self._broken and not self._paused:
            if self._is_encrypted and self._read_buffer_size and len(self._buffer) >= self._read_buffer_size:
                break
            try:
                event = self._connection.next_event()
            except PuretlsError as problem:
                self._tell_ready_read(received)
                self._on_tls_error(problem)
                return True
            if isinstance(event, DataReceived):
                self._buffer += event.data
                received += len(event.data)
                continue
            received = self._tell_ready_read(received)
            if event is NEED_DATA or event is PAUSED:
                break
            happened = True
            self._on_event(event)
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
        if not self._config.handshakeMustInterruptOnError():
            for fault in self._faults:
                self.peerVerifyError.emit(fault)
                if self._state is not _CONNECTED:
                    return

    def _take_peer_certificates(self) -> None:
        chain = tuple(QSslCertificate._of(der) for der in self._connection.peer_certificates)
        negotiated = self._connection.negotiated
        resumed = negotiated is not None and negotiated.resumed
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
        if self._judge_peer():
            self._enter_encrypted_state()

    def _judge_peer(self) -> bool:
        """Tells what is wrong with the peer. False when the handshake ends here or waits for `resume`."""
        first: list[QSslError] = []
        peer = self._config._values["peer"]
        if any(each.isBlacklisted() for each in (peer, *self._config._values["peer_chain"])):
            first.append(QSslError(QSslError.SslError.CertificateBlacklisted, peer))
        if not peer.isNull() and self._mode is _CLIENT:
            name = self._verify_name or self._peer_name
            if not name_matches(peer, name):
                first.append(QSslError(QSslError.SslError.HostNameMismatch, peer, _names_of(peer, name)))
        elif peer.isNull() and self._demands() and self._connection.negotiated.suite.has_certificate:
            first.append(QSslError(QSslError.SslError.NoPeerCertificate))
        first += self._ocsp_faults()
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

    def _ocsp_faults(self) -> list[QSslError]:
        if not self._config.ocspStaplingEnabled() or self._mode is not _CLIENT or not self._demands():
            return []
        from puretls.qt.stapling import judge_staple

        self._ocsp, faults = judge_staple(self._connection, self._config)
        return faults

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
        if self._mode is _CLIENT and not negotiated.resumed:
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

    # alerts, errors, ends

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
            if problem.reason is Reason.NOT_TLS:
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

    def disconnectFromHost(self) -> None:
        """Sends what is queued, then close_notify, and ends TCP. The device stays open."""
        plain = self._plain
        if plain is None or self._state is _UNCONNECTED:
            return
        if self._mode is _PLAIN and not self._auto_start:
            plain.disconnectFromHost()
            return
        if self._state in (SocketState.HostLookupState, SocketState.ConnectingState):
            self._pending_close = True
            return
        self._change_state(_CLOSING)
        if self._write_buffer:
            self._pending_close = True
            return
        self._close_tls()
        if self._plain is not None:
            self._plain.disconnectFromHost()

    def close(self) -> None:
        """`disconnectFromHost`, then the device is closed: what was not read is gone."""
        if not self._abort_called and (self.encryptedBytesToWrite() or self._write_buffer):
            self.flush()
        if self._plain is not None:
            if self._abort_called:
                self._plain.abort()
            else:
                self.disconnectFromHost()
                self._plain.close()
        QIODevice.close(self)
        self._buffer.clear()
        self._write_buffer.clear()

    def abort(self) -> None:
        """Drops the connection now."""
        self._write_buffer.clear()
        self._abort_called = True
        self.close()

    # what the plain socket says

    def _on_connected(self) -> None:
        self._copy_addresses()
        if self._auto_start:
            self.startClientEncryption()
        self.connected.emit()
        if self._pending_close and not self._auto_start:
            self._pending_close = False
            self.disconnectFromHost()

    def _on_disconnected(self) -> None:
        self._is_encrypted = False
        if self._plain is not None and self._plain._buffer and self._connection is not None:
            size, self._read_buffer_size = self._read_buffer_size, 0
            self._transmit()
            self._read_buffer_size = size
        if self._handshake_over and not self._close_told and not self._broken:
            self._tell_close()  # too late to be sent; Qt says so all the same
        self._connection = None
        self.disconnected.emit()
        if self._state is _UNCONNECTED:
            self._forget_addresses()

    def _on_state_changed(self, state: SocketState) -> None:
        self._state = state
        self.stateChanged.emit(state)

    def _on_error(self, error: SocketError) -> None:
        plain = self._plain
        assert plain is not None
        if plain._buffer and self._mode is not _PLAIN:
            size, self._read_buffer_size = self._read_buffer_size, 0
            self._transmit()
            self._read_buffer_size = size
        self._fail(error, plain.errorString())

    def _on_ready_read(self) -> None:
        if self._mode is _PLAIN:
            self._transmitting_ready_read[:] = [True] * len(self._transmitting_ready_read)
            self._emit_once("readyRead")
        else:
            self._transmit()

    def _on_channel_ready_read(self, channel: int) -> None:
        if self._mode is _PLAIN:
            self.channelReadyRead.emit(channel)

    def _on_bytes_written(self, count: int) -> None:
        if self._mode is _PLAIN:
            self.bytesWritten.emit(count)
        else:
            self.encryptedBytesWritten.emit(count)
        if self._state is _CLOSING and not self._write_buffer:
            self.disconnectFromHost()

    # reading and writing

    def bytesAvailable(self) -> int:
        plain = len(self._plain._buffer) if self._plain is not None and self._mode is _PLAIN else 0
        return len(self._buffer) + plain

    def bytesToWrite(self) -> int:
        """Plaintext that is not encrypted yet."""
        if self._mode is _PLAIN:
            return self._plain.bytesToWrite() if self._plain is not None else 0
        return len(self._write_buffer)

    def encryptedBytesAvailable(self) -> int:
        """Ciphertext that came and is not decrypted yet."""
        return len(self._plain._buffer) if self._plain is not None and self._mode is not _PLAIN else 0

    def encryptedBytesToWrite(self) -> int:
        """Ciphertext not yet given to TCP."""
        return self._plain.bytesToWrite() if self._plain is not None and self._mode is not _PLAIN else 0

    def canReadLine(self) -> bool:
        return super().canReadLine() or (self._mode is _PLAIN and self._plain is not None and self._plain.canReadLine())

    def readData(self, maxlen: int) -> bytes | None:
        """In plain mode the data is in the plain socket's buffer. No more is taken than asked for: what follows may be TLS."""
        if self._mode is _PLAIN and not self._auto_start and self._plain is not None:
            return self._plain._take(maxlen)
        return None

    def _peek_bytes(self, count: int) -> bytes:
        data = super()._peek_bytes(count)
        if len(data) < count and self._mode is _PLAIN and self._plain is not None:
            data += self._plain._peek_bytes(count - len(data))
        return data

    def _afterRead(self) -> None:
        """Room was made: there may be records that wait for it."""
        if self._read_buffer_size and self._connection is not None and len(self._buffer) < self._read_buffer_size:
            self._dispatcher.post(self._transmit)

    def setReadBufferSize(self, size: int) -> None:
        """Limits what is read ahead. Records are not split: up to one of them (16384 bytes) may be there beyond."""
        self._read_buffer_size = size
        if self._plain is not None:
            self._plain.setReadBufferSize(size)

    def writeData(self, data: bytes, len: int) -> int:
        if self._mode is _PLAIN and not self._auto_start:
            return self._plain.write(data[:len]) if self._plain is not None else -1
        self._write_buffer += data[:len]
        self._post_flush()
        return len

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

    def flush(self) -> bool:
        """Encrypts and sends now what can be. Whether anything was written."""
        if self._mode is not _PLAIN:
            self._transmit(everything=True)
        return self._plain.flush() if self._plain is not None else False

    # waiting

    def waitForConnected(self, msecs: int = 30000) -> bool:
        """Blocks till TCP is up."""
        if self._plain is None:
            return False
        connected = self._plain.waitForConnected(msecs)
        if not connected:
            self._state = self._plain.state()
            self._set_error(self._plain.error(), self._plain._error_string)
        return connected

    def waitForEncrypted(self, msecs: int = 30000) -> bool:
        """Blocks till `encrypted`. False at once when it is already, or when nothing is on its way."""
        plain = self._plain
        if plain is None or self._is_encrypted or (self._mode is _PLAIN and not self._auto_start):
            return False
        if not self._protocol_allowed("QSslSocket::waitForEncrypted:"):
            return False
        deadline = Deadline(msecs)
        if plain.state() is not _CONNECTED and not plain.waitForConnected(msecs):
            return False
        while not self._is_encrypted:
            if self._mode is _PLAIN:
                self.startClientEncryption()
            if not plain.waitForReadyRead(deadline.msecs):
                return False
        return self._is_encrypted

    def waitForReadyRead(self, msecs: int = 30000) -> bool:
        """Blocks till `readyRead` was emitted."""
        if self._plain is None:
            return False
        if self._mode is _PLAIN and not self._auto_start:
            return self._plain.waitForReadyRead(msecs)
        deadline = Deadline(msecs)
        self._transmitting_ready_read.append(False)
        try:
            if not self._is_encrypted and not self.waitForEncrypted(msecs):
                return False
            if self._write_buffer:
                self._transmit(everything=True)
            while not self._transmitting_ready_read[-1]:
                if self._plain is None or not self._plain.waitForReadyRead(deadline.msecs):
                    break
            return self._transmitting_ready_read[-1]
        finally:
            self._transmitting_ready_read.pop()

    def waitForBytesWritten(self, msecs: int = 30000) -> bool:
        """Blocks till something was written. False if there is nothing to write."""
        if self._plain is None:
            return False
        if self._mode is _PLAIN and not self._auto_start:
            return self._plain.waitForBytesWritten(msecs)
        deadline = Deadline(msecs)
        if not self._is_encrypted and not self.waitForEncrypted(msecs):
            return False
        if self._write_buffer:
            self._transmit(everything=True)
        return self._plain is not None and self._plain.waitForBytesWritten(deadline.msecs)

    def waitForDisconnected(self, msecs: int = 30000) -> bool:
        """Blocks till the connection has ended. False, with a warning, when there is none."""
        if self._state is _UNCONNECTED:
            qWarning("QSslSocket::waitForDisconnected() is not allowed in UnconnectedState")
            return False
        if self._plain is None:
            return False
        if self._mode is _PLAIN and not self._auto_start:
            return self._plain.waitForDisconnected(msecs)
        deadline = Deadline(msecs)
        if not self._is_encrypted and not self.waitForEncrypted(msecs):
            return False
        if self._write_buffer:
            self._transmit(everything=True)
        if self._state is _UNCONNECTED:
            return True
        ended = self._plain.waitForDisconnected(deadline.msecs)
        if not ended:
            self._state = self._plain.state()
            self._set_error(self._plain.error(), self._plain._error_string)
        return ended

    # awaiting

    async def connectedAsync(self) -> None:
        """Returns once TCP is up. Raises `SocketFailed`."""
        await self._until(lambda: self._state is _CONNECTED, self.connected)

    async def encryptedAsync(self) -> None:
        """Returns once the handshake is over. Raises `SocketFailed` when it fails."""
        await self._until(lambda: self._is_encrypted, self.encrypted)

    async def readyReadAsync(self) -> None:
        """Returns once there is something to read. Raises `SocketFailed` when nothing will come any more."""
        await self._until(lambda: self.bytesAvailable() > 0, self.readyRead)

    async def disconnectedAsync(self) -> None:
        """Returns once the connection has ended, however."""
        await self._until(lambda: self._state is _UNCONNECTED, self.disconnected)

    async def _until(self, reached: Callable[[], bool], signal: Any) -> None:
        if reached():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if future.done():
                return
            if reached():
                future.set_result(None)
            elif self._state is _UNCONNECTED:
                future.set_exception(SocketFailed(self._error, self.errorString()))

        links = [each.connect(look) for each in (signal, self.disconnected, self.errorOccurred)]
        look()
        try:
            await future
        finally:
            for link in links:
                QObject.disconnect(link)

    # judging the peer

    def ignoreSslErrors(self, errors: Sequence[QSslError] | None = None) -> None:
        """Goes on in spite of all errors of this handshake, or in spite of those in a list (error and certificate alike).

        Without a list it holds for the connection there is, or on an unconnected socket for the next one: the page of the
        class promises this, Qt forgets it.
        """
        if errors is not None:
            self._ignored = [QSslError(error) for error in errors]
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

    # configuration

    def sslConfiguration(self) -> QSslConfiguration:
        """A copy of the configuration, with what was agreed on."""
        copy = QSslConfiguration(self._config)
        copy._values["cipher"], copy._values["session_protocol"] = self.sessionCipher(), self.sessionProtocol()
        return copy

    def setSslConfiguration(self, config: QSslConfiguration) -> None:
        """Takes another configuration; what was agreed on stays."""
        kept = {name: self._config._values[name] for name in ("peer", "peer_chain", "ephemeral", "alpn_chosen", "alpn_status")}
        self._config = QSslConfiguration(config)
        self._config._values.update(kept)

    def mode(self) -> SslMode:
        return self._mode

    def isEncrypted(self) -> bool:
        return self._is_encrypted

    def protocol(self) -> QSsl.SslProtocol:
        """The protocol asked for."""
        return self._config.protocol()

    def setProtocol(self, protocol: QSsl.SslProtocol) -> None:
        """Asks for a protocol, before the handshake."""
        self._config.setProtocol(protocol)

    def sessionProtocol(self) -> QSsl.SslProtocol:
        """What was agreed on, UnknownProtocol when not connected."""
        return _P.UnknownProtocol if self._negotiated() is None else _P.TlsV1_2

    def sessionCipher(self) -> QSslCipher:
        """The suite in use, a null cipher when not connected."""
        negotiated = self._negotiated()
        return QSslCipher() if negotiated is None else QSslCipher._of(negotiated.suite)

    def _negotiated(self) -> Any:
        return self._connection.negotiated if self._connection is not None else None

    def peerVerifyMode(self) -> PeerVerifyMode:
        return self._config.peerVerifyMode()

    def setPeerVerifyMode(self, mode: PeerVerifyMode) -> None:
        self._config.setPeerVerifyMode(mode)

    def peerVerifyDepth(self) -> int:
        return self._config.peerVerifyDepth()

    def setPeerVerifyDepth(self, depth: int) -> None:
        if depth < 0:
            qWarning(f"QSslSocket::setPeerVerifyDepth: cannot set negative depth of {depth}")
        else:
            self._config.setPeerVerifyDepth(depth)

    def peerVerifyName(self) -> str:
        return self._verify_name

    def setPeerVerifyName(self, hostName: str) -> None:
        """The name to verify, and to send, instead of the host name."""
        self._verify_name = hostName

    def localCertificate(self) -> QSslCertificate:
        return self._config.localCertificate()

    def setLocalCertificate(self, certificate: QSslCertificate | str, format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem) -> None:
        """Our certificate, or a file with it."""
        if isinstance(certificate, str):
            self._config.setLocalCertificate(next(iter(QSslCertificate.fromFile(certificate, format)), QSslCertificate()))
        else:
            self._config.setLocalCertificate(certificate)

    def localCertificateChain(self) -> list[QSslCertificate]:
        return self._config.localCertificateChain()

    def setLocalCertificateChain(self, localChain: Sequence[QSslCertificate]) -> None:
        self._config.setLocalCertificateChain(localChain)

    def privateKey(self) -> QSslKey:
        return self._config.privateKey()

    def setPrivateKey(
        self,
        key: QSslKey | str,
        algorithm: QSsl.KeyAlgorithm = QSsl.KeyAlgorithm.Rsa,
        format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem,
        passPhrase: Any = b"",
    ) -> None:
        """Our key, or a file with it."""
        if isinstance(key, str):
            try:
                content = Path(key).read_bytes()
            except OSError:
                qWarning("QSslSocket::setPrivateKey: Couldn't open file for reading")
                return
            key = QSslKey(content, algorithm, format, QSsl.KeyType.PrivateKey, passPhrase)
        self._config.setPrivateKey(key)

    def peerCertificate(self) -> QSslCertificate:
        """The peer's certificate, kept after the end; null if there is none."""
        return self._config.peerCertificate()

    def peerCertificateChain(self) -> list[QSslCertificate]:
        """The chain as the peer sent it, leaf first; empty after a resumption."""
        return self._config.peerCertificateChain()

    # options of the system's socket

    def socketDescriptor(self) -> int:
        return self._plain.socketDescriptor() if self._plain is not None else -1

    def socketOption(self, option: QAbstractSocket.SocketOption) -> Any:
        return self._plain.socketOption(option) if self._plain is not None else None

    def setSocketOption(self, option: QAbstractSocket.SocketOption, value: Any) -> None:
        if self._plain is not None:
            self._plain.setSocketOption(option, value)

    # what Qt lacks

    def trace(self) -> Any:
        """The byte map of this connection: a puretls Trace, None before a handshake began. Kept after the end."""
        return self._last_connection.trace if self._last_connection is not None else None

    def setInterceptor(self, *interceptors: Any) -> None:
        """Watches and changes the messages of the next handshake: see puretls.intercept. Without arguments: no more."""
        self._interceptors = interceptors

    # names of Qt 5

    def caCertificates(self) -> list[QSslCertificate]:
        return self._config.caCertificates()

    def setCaCertificates(self, certificates: Iterable[QSslCertificate]) -> None:
        self._config.setCaCertificates(certificates)

    def addCaCertificate(self, certificate: QSslCertificate) -> None:
        self._config.addCaCertificate(certificate)

    def addCaCertificates(self, certificates: Any, format: Any = QSsl.EncodingFormat.Pem, syntax: Any = None) -> bool:
        """A list, or a path with a pattern; whether something was found."""
        return self._config.addCaCertificates(certificates, format, syntax or QSslCertificate.PatternSyntax.FixedString)

    def ciphers(self) -> list[QSslCipher]:
        return self._config.ciphers()

    def setCiphers(self, ciphers: str | Sequence[QSslCipher]) -> None:
        self._config.setCiphers(ciphers)

    @staticmethod
    def defaultCaCertificates() -> list[QSslCertificate]:
        return QSslConfiguration.defaultConfiguration().caCertificates()

    @staticmethod
    def setDefaultCaCertificates(certificates: Iterable[QSslCertificate]) -> None:
        _change_default(lambda default: default.setCaCertificates(certificates))

    @staticmethod
    def addDefaultCaCertificate(certificate: QSslCertificate) -> None:
        _change_default(lambda default: default.addCaCertificate(certificate))

    @staticmethod
    def addDefaultCaCertificates(certificates: Any, format: Any = QSsl.EncodingFormat.Pem, syntax: Any = None) -> bool:
        """The same for the default configuration."""
        kind = syntax or QSslCertificate.PatternSyntax.FixedString
        return bool(_change_default(lambda default: default.addCaCertificates(certificates, format, kind)))

    @staticmethod
    def defaultCiphers() -> list[QSslCipher]:
        return QSslConfiguration.defaultConfiguration().ciphers()

    @staticmethod
    def setDefaultCiphers(ciphers: str | Sequence[QSslCipher]) -> None:
        QSslConfiguration.setDefaultCiphers(ciphers)

    @staticmethod
    def supportedCiphers() -> list[QSslCipher]:
        return QSslConfiguration.supportedCiphers()

    @staticmethod
    def systemCaCertificates() -> list[QSslCertificate]:
        return QSslConfiguration.systemCaCertificates()

    # the back end

    @staticmethod
    def supportsSsl() -> bool:
        """Always: there is no library that could be missing."""
        return True

    @staticmethod
    def sslLibraryVersionString() -> str:
        from puretls._version import __version__

        return f"puretls {__version__}"

    @staticmethod
    def sslLibraryVersionNumber() -> int:
        """The version as Qt's callers compare it: 0xMNN00000 of major and minor."""
        from puretls._version import __version__

        major, minor = (int(part) for part in __version__.split(".")[:2])
        return (major << 28) | (minor << 20)

    sslLibraryBuildVersionString = sslLibraryVersionString
    sslLibraryBuildVersionNumber = sslLibraryVersionNumber

    @staticmethod
    def activeBackend() -> str:
        return "puretls"

    @staticmethod
    def availableBackends() -> list[str]:
        return ["puretls"]

    @staticmethod
    def setActiveBackend(backendName: str) -> bool:
        """True for the one there is."""
        return backendName == "puretls"

    @staticmethod
    def supportedProtocols(backendName: str = "") -> list[QSsl.SslProtocol]:
        """Protocols with which a connection can succeed."""
        return [each for each in _P if each in PROTOCOLS_WITH_TLS_1_2]

    @staticmethod
    def isProtocolSupported(protocol: QSsl.SslProtocol, backendName: str = "") -> bool:
        return protocol in PROTOCOLS_WITH_TLS_1_2

    @staticmethod
    def supportedFeatures(backendName: str = "") -> list[QSsl.SupportedFeature]:
        return list(QSsl.SupportedFeature)

    @staticmethod
    def isFeatureSupported(feat: QSsl.SupportedFeature, backendName: str = "") -> bool:
        return feat in QSsl.SupportedFeature

    @staticmethod
    def implementedClasses(backendName: str = "") -> list[QSsl.ImplementedClass]:
        """All but those of DTLS."""
        return [each for each in QSsl.ImplementedClass if not each.name.startswith("Dtls")]

    @staticmethod
    def isClassImplemented(cl: QSsl.ImplementedClass, backendName: str = "") -> bool:
        return cl in QSslSocket.implementedClasses()


export_values(QSslSocket, SslMode, PeerVerifyMode)

_NAMED_VERSIONS = frozenset((_P.TlsV1_0, _P.TlsV1_1, _P.TlsV1_3, _P.TlsV1_3OrLater, _P.SslV2, _P.SslV3, _P.TlsV1SslV3))
"""Protocols that Qt takes until the handshake begins."""

_REACTIONS: tuple[tuple[type, Callable[[QSslSocket, Any], None]], ...] = (
    (CertificateReceived, QSslSocket._on_certificate),
    (VerificationRequired, QSslSocket._on_verification_required),
    (HandshakeCompleted, QSslSocket._on_handshake_completed),
    (AlertReceived, QSslSocket._on_alert_received),
    (AlertSent, QSslSocket._on_alert_sent),
    (ConnectionClosed, QSslSocket._on_tls_closed),
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
    """The server's share: elliptic keys as such, others (X25519, finite fields) opaque, none with RSA or a shared key."""
    negotiated = connection.negotiated
    if not negotiated.suite.is_ephemeral:
        return QSslKey()
    bits = {NamedGroup.SECP256R1: 256, NamedGroup.SECP384R1: 384, NamedGroup.SECP521R1: 521}.get(negotiated.group)
    return QSslKey._share(bits)


def _change_default(change: Callable[[QSslConfiguration], Any]) -> Any:
    default = QSslConfiguration.defaultConfiguration()
    result = change(default)
    QSslConfiguration.setDefaultConfiguration(default)
    return result
