"""QSslSocket: a facade in front of settings, a TCP transport and a TLS driver.

Bytes go from the transport to the driver and back in `_transmit`; what the driver wants done is done in `_perform`, in the order of
Qt's signals. In plain mode there is no driver, and the socket passes on what the transport tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from puretls.qt._names import export_values
from puretls.qt.awaiting import SslAwaiting
from puretls.qt.calls import weakly
from puretls.qt.qabstractsocket import QAbstractSocket, QTcpSocket
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject
from puretls.qt.qocspresponse import QOcspResponse
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.signals import Signal
from puretls.qt.socketengine import Deadline
from puretls.qt.socketenums import SocketError, SocketState
from puretls.qt.sslbackend import SslBackend
from puretls.qt.sslconfigured import SslConfigured
from puretls.qt.sslsettings import SslSettings
from puretls.qt.sslvalues import PeerVerifyMode, SslMode
from puretls.qt.tcpattempt import Target
from puretls.qt.tcptransport import Ends, TcpTransport
from puretls.qt.tcpwaiting import wait_for_bytes_written, wait_for_connected, wait_for_disconnected, wait_for_ready_read
from puretls.qt.tls import CannotStart
from puretls.qt.tlsdriver import TlsDriver
from puretls.qt.tlseffects import (
    Abort,
    BytesEncrypted,
    DataArrived,
    Effect,
    Emit,
    Fail,
    PeerAccepted,
    PeerRefused,
    Steps,
    WriteUntold,
)
from puretls.qt.tlspump import ALL, AT_ONCE, close, pump

_UNCONNECTED, _CONNECTED, _CLOSING = SocketState.UnconnectedState, SocketState.ConnectedState, SocketState.ClosingState
_CONNECTING = (SocketState.HostLookupState, SocketState.ConnectingState)
_PLAIN = SslMode.UnencryptedMode
_READ_WRITE = QIODeviceBase.ReadWrite
_P = QSsl.SslProtocol
_NAMED_VERSIONS = frozenset((_P.TlsV1_0, _P.TlsV1_1, _P.TlsV1_3, _P.TlsV1_3OrLater, _P.SslV2, _P.SslV3, _P.TlsV1SslV3))
"""Protocols that Qt takes until the handshake begins."""

Mode: TypeAlias = SslMode


class QSslSocket(SslConfigured, SslBackend, SslAwaiting, QTcpSocket):
    """An encrypted connection, client or server."""

    SslMode = SslMode
    PeerVerifyMode = PeerVerifyMode

    alertReceived: Signal = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    alertSent: Signal = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    encrypted: Signal = Signal()
    encryptedBytesWritten: Signal = Signal(int)
    handshakeInterruptedOnError: Signal = Signal(QSslError)
    modeChanged: Signal = Signal(SslMode)
    newSessionTicketReceived: Signal = Signal()
    peerVerifyError: Signal = Signal(QSslError)
    preSharedKeyAuthenticationRequired: Signal = Signal(QSslPreSharedKeyAuthenticator)
    sslErrors: Signal = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = SslSettings()
        self._tls: TlsDriver | None = None  # while TCP lasts
        self._last_tls: TlsDriver | None = None  # what it has found and traced is kept after the end
        self._queued = bytearray()  # plaintext that waits to be encrypted
        self._mode = _PLAIN
        self._auto_start = False  # the handshake begins when TCP is up
        self._begun = False  # connectToHostEncrypted has forgotten the former connection already
        self._pending_close = self._aborts = False
        self._flush_posted = False
        self._flush_soon = weakly(self._flush_from_loop)
        self._has_shut_down = False  # Qt keeps this for the life of the object: see _close_tls
        self._ready_read_told: list[bool] = []  # for each waitForReadyRead that is running

    def _new_transport(self) -> TcpTransport:
        return TcpTransport(weakly(self._on_transport))  # with a buffer of its own, for ciphertext

    # settings

    def sslConfiguration(self) -> QSslConfiguration:
        """A copy of the configuration, with what was agreed on."""
        copy = QSslConfiguration(self._settings.config)
        copy._agree(cipher=self.sessionCipher(), protocol=self.sessionProtocol())
        return copy

    def mode(self) -> Mode:
        return self._mode

    def isEncrypted(self) -> bool:
        return self._tls is not None and self._tls.is_encrypted

    def sessionProtocol(self) -> QSsl.SslProtocol:
        """What was agreed on, UnknownProtocol when not connected."""
        return _P.UnknownProtocol if self.sessionCipher().isNull() else _P.TlsV1_2

    def sessionCipher(self) -> QSslCipher:
        """The suite in use, a null cipher when not connected."""
        negotiated = self._tls.connection.negotiated if self._tls is not None else None
        return QSslCipher() if negotiated is None else QSslCipher._of(negotiated.suite)

    def readBufferSize(self) -> int:
        return self._settings.read_limit

    def setReadBufferSize(self, size: int) -> None:
        """Limits what is read ahead. Records are not split: up to one of them (16384 bytes) may be there beyond."""
        self._settings.read_limit = size
        super().setReadBufferSize(size)

    # what Qt lacks

    def trace(self) -> Any:
        """The byte map of this connection: a puretls Trace, None before a handshake began. Kept after the end."""
        return self._last_tls.connection.trace if self._last_tls is not None else None

    # beginning

    def connectToHost(
        self,
        hostName: str | QHostAddress,
        port: int,
        mode: OpenMode = _READ_WRITE,
        protocol: NetworkLayerProtocol = NetworkLayerProtocol.AnyIPProtocol,
    ) -> None:
        """Connects without encryption; `startClientEncryption` may follow."""
        name = hostName.toString() if isinstance(hostName, QHostAddress) else hostName
        if self._state is not _UNCONNECTED and self._tcp.refuses_to_connect(name):
            return
        if not self._begun:
            self._forget_connection()
        self._begun = False
        self._renew_transport(mode)
        QIODevice.open(self, mode)
        self._tcp.connect(Target(name, port, protocol))

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
            protocol = mode if isinstance(mode, NetworkLayerProtocol) else protocol
            mode, sslPeerName = sslPeerName, ""
        if self._state in (_CONNECTED, SocketState.ConnectingState):
            qWarning("QSslSocket::connectToHostEncrypted() called when already connecting/connected")
            return
        self._forget_connection()
        self._auto_start = self._begun = True
        if sslPeerName:
            self._settings.verify_name = sslPeerName
        assert isinstance(mode, OpenMode)
        self.connectToHost(hostName, port, mode, protocol)

    def setSocketDescriptor(
        self, socketDescriptor: int, state: SocketState = _CONNECTED, openMode: OpenMode = _READ_WRITE
    ) -> bool:
        """Takes over a descriptor, as `incomingConnection` gives it; plain until `startServerEncryption`."""
        self._forget_connection()
        self._renew_transport(openMode)
        tcp = self._tcp
        taken = tcp.adopt(socketDescriptor)
        if taken:
            tcp.enter(state)
        self._set_error(tcp.error, tcp.error_string)
        self._ends = tcp.ends
        return taken

    def bind(self, address: Any = 0, port: Any = None, mode: Any = QAbstractSocket.BindFlag.DefaultForPlatform) -> bool:
        """Is refused, as in Qt: returns False. Hand over the descriptor of a QTcpSocket that is bound."""
        qWarning("QSslSocket::bind: bind a QTcpSocket and hand its descriptor over")
        return False

    def _forget_connection(self) -> None:
        """Forgets all that belongs to one connection."""
        self._end_tls()
        self._last_tls = None
        self._mode = _PLAIN
        self._auto_start = self._begun = self._pending_close = self._aborts = self._flush_posted = False
        self._buffer.clear()
        self._queued.clear()
        self._settings.begin_connection()

    def _end_tls(self) -> None:
        if self._tls is not None:
            self._tls.has_ended = True
            self._has_shut_down |= self._tls.peer_closed
            self._tls = None

    def _renew_transport(self, mode: OpenMode) -> None:
        """Drops the former transport silently and makes a new one. The error stays until the next, as in Qt."""
        self._tcp.tell = lambda *_: None
        self._tcp.abort()
        self._tcp = self._new_transport()
        self._tcp.read_limit = self._settings.read_limit
        self._open_mode = mode
        self._state, self._error_string, self._ends = _UNCONNECTED, "", Ends()
        self._buffer.clear()
        self._queued.clear()

    def startClientEncryption(self) -> None:
        """Begins the handshake of a client on a connection that is plain so far."""
        self._start(SslMode.SslClientMode, "QSslSocket::startClientEncryption:")

    def startServerEncryption(self) -> None:
        """Begins the handshake of a server on a connection that is plain so far."""
        self._start(SslMode.SslServerMode, "QSslSocket::startServerEncryption:")

    def _start(self, mode: Mode, where: str) -> None:
        if self._mode is not _PLAIN:
            qWarning(f"{where} cannot start handshake on non-plain connection")
        elif self._state is not _CONNECTED:
            qWarning(f"{where} cannot start handshake when not connected")
        elif self._protocol_allowed(where):
            self._mode = mode
            self.modeChanged.emit(mode)
            try:
                tls = self._new_driver(mode)
            except CannotStart as problem:
                self._fail(SocketError.SslInvalidUserDataError, str(problem))
                self._fail(SocketError.SslInternalError, f"Unable to init SSL Context: {problem}")
                return
            self._tls = self._last_tls = tls
            tls.connection.start()
            self._transmit()

    def _new_driver(self, mode: Mode) -> TlsDriver:
        ask = self.preSharedKeyAuthenticationRequired.emit
        return TlsDriver(mode, self._settings, self._ends.name, self._queued, self._buffer, ask)

    def _protocol_allowed(self, where: str) -> bool:
        protocol = self.protocol()
        if protocol in PROTOCOLS_WITH_TLS_1_2 or protocol in _NAMED_VERSIONS:
            return True
        qWarning(f"{where} QSslConfiguration with unexpected protocol {protocol.name}")
        self._fail(SocketError.SslInvalidUserDataError, "Attempted to use an unsupported protocol.")
        return False

    # ending

    def disconnectFromHost(self) -> None:
        """Sends what is queued, then close_notify, and ends TCP. The device stays open."""
        if self._state is _UNCONNECTED:
            return
        if self._is_plain():
            self._tcp.disconnect()
            return
        if self._state in _CONNECTING:
            self._pending_close = True
            return
        if self._state is not _CLOSING:
            self._show_state(_CLOSING)
        if self._queued:
            self._pending_close = True
            return
        self._close_tls()
        self._tcp.disconnect()

    def _is_plain(self) -> bool:
        """Whether this is a plain connection and no handshake will begin by itself."""
        return self._mode is _PLAIN and not self._auto_start

    def _close_tls(self) -> None:
        """Qt sends no close_notify when the peer has sent its own, nor on the second connection of one object.

        `alertSent` then comes with the end of TCP. The signals here are the same, but the alert is sent in all cases
        (RFC 5246 7.2.1), past the signals.
        """
        tls = self._tls
        if tls is not None and tls.may_close:
            tells = not self._has_shut_down and not tls.peer_closed
            self._has_shut_down = True
            self._perform(tls, close(tls, self._tcp, tells=tells))

    def close(self) -> None:
        """`disconnectFromHost`, then the device is closed: what was not read is gone."""
        if not self._aborts:
            if self.encryptedBytesToWrite() or self._queued:
                self.flush()
            self.disconnectFromHost()
            self._tcp.close()
        else:
            self._tcp.abort()
        QIODevice.close(self)
        self._buffer.clear()
        self._queued.clear()

    def abort(self) -> None:
        """Drops the connection now."""
        self._queued.clear()
        self._aborts = True
        self.close()

    def _at_work(self) -> bool:
        return super()._at_work() or self._tcp.state is not _UNCONNECTED

    # what the transport tells

    def _on_connected(self) -> None:
        self._ends = self._tcp.ends
        if self._auto_start:
            self.startClientEncryption()
        self.connected.emit()
        if self._pending_close and not self._auto_start:
            self._pending_close = False
            self.disconnectFromHost()

    def _on_disconnected(self) -> None:
        tls = self._tls
        if tls is not None:
            tls.is_encrypted = False
            self._transmit_the_rest()
            if tls.may_close:
                self._do(tls, tls.tell_close())  # too late to be sent; Qt says so all the same
            if self._tls is tls:
                self._end_tls()
        self.disconnected.emit()
        if self._state is _UNCONNECTED:
            self._ends = Ends()

    def _transmit_the_rest(self) -> None:
        """Decrypts all that has come, whatever the size of the buffer: TCP may have ended."""
        size, self._settings.read_limit = self._settings.read_limit, 0
        self._transmit()
        self._settings.read_limit = size

    def _on_error(self, error: SocketError) -> None:
        tcp = self._tcp
        self._transmit_the_rest()
        self._fail(error, tcp.error_string or "Unknown error")

    def _fail(self, error: SocketError, text: str) -> None:
        self._set_error(error, text)
        self.errorOccurred.emit(error)

    def _on_ready_read(self) -> None:
        if self._mode is _PLAIN:
            self._tell_ready_read()
        else:
            self._transmit()

    def _on_bytes_written(self, count: int) -> None:
        (self.bytesWritten if self._mode is _PLAIN else self.encryptedBytesWritten).emit(count)
        if self._state is _CLOSING and not self._queued:
            self.disconnectFromHost()

    # moving bytes

    def _transmit(self, limit: int = AT_ONCE) -> None:
        """Moves bytes between program, driver and transport, until nothing is left."""
        if self._tls is not None:
            self._perform(self._tls, pump(self._tls, self._tcp, limit))

    def _perform(self, tls: TlsDriver, steps: Steps) -> None:
        """Does what the driver wants done, one effect after the other. If a slot begins another connection, the rest is void."""
        try:
            effect = next(steps)
            while True:
                self._do(tls, effect)
                if self._last_tls is not tls:
                    return
                effect = steps.send(self._state is _CONNECTED)
        except StopIteration:
            return

    def _do(self, tls: TlsDriver, effect: Effect) -> None:
        match effect:
            case BytesEncrypted(size):
                self._tell_bytes_written(size)
            case DataArrived():
                self._tell_ready_read()
            case Emit(signal, arguments):
                getattr(self, signal).emit(*arguments)
            case Fail(error, text):
                self._fail(error, text)
            case PeerAccepted():
                self._enter_encrypted_state()
            case PeerRefused():
                self._pause_or_refuse(tls)
            case WriteUntold(last_words):
                self._tcp.write_untold(last_words)
            case Abort(last_words):
                self._abort_handshake(last_words)

    def _enter_encrypted_state(self) -> None:
        self._tcp.read_again()
        self.encrypted.emit()
        if self._auto_start and self._pending_close:
            self._pending_close = False
            self.disconnectFromHost()

    def _pause_or_refuse(self, tls: TlsDriver) -> None:
        if self._pause_mode & QAbstractSocket.PauseMode.PauseOnSslErrors:
            tls.is_paused = True
            self._tcp.pause()
        else:
            self._refuse_peer(tls)

    def _refuse_peer(self, tls: TlsDriver) -> None:
        tls.take_output()  # our Finished is not for this peer
        self._fail(SocketError.SslHandshakeFailedError, tls.verdict.errors[0].errorString())
        self._tcp.disconnect()

    def _abort_handshake(self, last_words: bytes) -> None:
        if last_words and self._tcp.state is _CONNECTED:
            self._tcp.write(last_words)
            self._tcp.flush()
        self.abort()

    def _tell_bytes_written(self, count: int) -> None:
        super()._tell_bytes_written(count)
        if self._queued:
            self._post_flush()

    def _tell_ready_read(self) -> None:
        self._ready_read_told[:] = [True] * len(self._ready_read_told)
        super()._tell_ready_read()

    # judging the peer

    def ignoreSslErrors(self, errors: Sequence[QSslError] | None = None) -> None:
        """Goes on in spite of all errors of this handshake, or in spite of those in a list (error and certificate alike).

        A list is the narrower wish and withdraws the wider one; an empty list ignores nothing any more. Without a list it holds
        for the connection there is, or on an unconnected socket for the next one: the page of the class promises this, Qt forgets it.
        """
        if errors is None:
            self._settings.ignore_all(next_time=self._state is _UNCONNECTED)
        else:
            self._settings.ignore(errors)

    def continueInterruptedHandshake(self) -> None:
        """In the slot of `handshakeInterruptedOnError`: go on."""
        if self._tls is not None:
            self._tls.may_continue = True

    def resume(self) -> None:
        """Goes on after a pause on errors: from the event loop, so that the caller returns first."""
        self._dispatcher.post(self._resume)

    def _resume(self) -> None:
        self._tcp.resume()
        tls = self._tls
        if tls is None or not tls.is_paused:
            return
        tls.is_paused = False
        if not tls.is_encrypted:
            if not self._settings.ignores(tls.verdict.errors):
                self._refuse_peer(tls)
                return
            self._perform(tls, tls.accept_peer())
        self._transmit()

    def sslHandshakeErrors(self) -> list[QSslError]:
        """The errors of the last handshake, ignored or not."""
        return list(self._last_tls.verdict.errors) if self._last_tls is not None else []

    def ocspResponses(self) -> list[QOcspResponse]:
        """Stapled answers, where stapling was enabled."""
        return list(self._last_tls.verdict.ocsp) if self._last_tls is not None else []

    # reading and writing

    def bytesAvailable(self) -> int:
        return len(self._buffer) + (len(self._tcp.received) if self._mode is _PLAIN else 0)

    def bytesToWrite(self) -> int:
        """Plaintext that is not encrypted yet."""
        return len(self._tcp.queued if self._mode is _PLAIN else self._queued)

    def encryptedBytesAvailable(self) -> int:
        """Ciphertext that came and is not decrypted yet."""
        return 0 if self._mode is _PLAIN else len(self._tcp.received)

    def encryptedBytesToWrite(self) -> int:
        """Ciphertext not yet given to TCP."""
        return 0 if self._mode is _PLAIN else len(self._tcp.queued)

    def canReadLine(self) -> bool:
        return super().canReadLine() or (self._mode is _PLAIN and b"\n" in self._tcp.received)

    def readData(self, maxlen: int) -> bytes | None:
        """In plain mode the data is in the transport's buffer. No more is taken than asked for: what follows may be TLS."""
        return self._tcp.take(maxlen) if self._is_plain() else None

    def _peek_bytes(self, count: int) -> bytes:
        data = super()._peek_bytes(count)
        return data + bytes(self._tcp.received[: count - len(data)]) if self._mode is _PLAIN else data

    def _afterRead(self) -> None:
        """Room was made: there may be records that wait for it."""
        if self._tls is not None and self._settings.read_limit and len(self._buffer) < self._settings.read_limit:
            self._dispatcher.post(self._transmit)

    def writeData(self, data: bytes, len: int) -> int:
        if self._is_plain():
            return super().writeData(data, len)
        self._queued += data[:len]
        self._post_flush()
        return len

    def _post_flush(self) -> None:
        if not self._flush_posted:
            self._flush_posted = True
            self._dispatcher.post(self._flush_soon)

    def _flush_from_loop(self) -> None:
        self._flush_posted = False
        if self._queued and self._tls is not None:
            self._transmit()
            self._tcp.flush()

    def flush(self) -> bool:
        """Encrypts and sends now what can be. Whether anything was written."""
        if self._mode is not _PLAIN:
            self._transmit(ALL)
        return self._tcp.flush()

    # waiting

    def waitForConnected(self, msecs: int = 30000) -> bool:
        """Blocks until TCP is up."""
        return wait_for_connected(self._tcp, msecs) or self._take_failure()

    def _take_failure(self) -> bool:
        """State and error are those of the transport. Always False."""
        self._state = self._tcp.state
        self._set_error(self._tcp.error, self._tcp.error_string)
        return False

    def waitForEncrypted(self, msecs: int = 30000) -> bool:
        """Blocks until `encrypted`. False at once when it is already, or when nothing is on its way."""
        if self.isEncrypted() or self._is_plain() or not self._protocol_allowed("QSslSocket::waitForEncrypted:"):
            return False
        deadline, tcp = Deadline(msecs), self._tcp
        if tcp.state is not _CONNECTED and not wait_for_connected(tcp, msecs):
            return False
        while not self.isEncrypted():
            if self._mode is _PLAIN:
                self.startClientEncryption()
            if not wait_for_ready_read(tcp, deadline.msecs):
                return False
        return True

    def _wait_until_encrypted(self, msecs: int) -> bool:
        return self.isEncrypted() or self.waitForEncrypted(msecs)

    def waitForReadyRead(self, msecs: int = 30000) -> bool:
        """Blocks until `readyRead` was emitted."""
        if self._is_plain():
            return wait_for_ready_read(self._tcp, msecs)
        deadline = Deadline(msecs)
        self._ready_read_told.append(False)
        try:
            if not self._wait_until_encrypted(msecs):
                return False
            self._transmit(ALL)  # records may have come already that had to wait for room
            while not self._ready_read_told[-1]:
                if not wait_for_ready_read(self._tcp, deadline.msecs):
                    break
            return self._ready_read_told[-1]
        finally:
            self._ready_read_told.pop()

    def waitForBytesWritten(self, msecs: int = 30000) -> bool:
        """Blocks until something was written. False if there is nothing to write."""
        if self._is_plain():
            return wait_for_bytes_written(self._tcp, msecs)
        deadline = Deadline(msecs)
        if not self._wait_until_encrypted(msecs):
            return False
        if self._queued:
            self._transmit(ALL)
        return wait_for_bytes_written(self._tcp, deadline.msecs)

    def waitForDisconnected(self, msecs: int = 30000) -> bool:
        """Blocks until the connection has ended. False, with a warning, when there is none."""
        if self._state is _UNCONNECTED:
            qWarning("QSslSocket::waitForDisconnected() is not allowed in UnconnectedState")
            return False
        if self._is_plain():
            return wait_for_disconnected(self._tcp, msecs)
        deadline = Deadline(msecs)
        if not self._wait_until_encrypted(msecs):
            return False
        if self._queued:
            self._transmit(ALL)
        if self._tcp.state is _UNCONNECTED:
            return True
        return wait_for_disconnected(self._tcp, deadline.msecs) or self._take_failure()

    _reactions: ClassVar = {
        **QAbstractSocket._reactions,
        "failed": lambda made, error, text: None,  # errors and ends are taken over when Qt does
        "ends": lambda made, ends: None,
        "connected": _on_connected,
        "disconnected": _on_disconnected,
        "errorOccurred": _on_error,
        "bytesWritten": _on_bytes_written,
        "readyRead": _on_ready_read,
        "disconnectFromHost": lambda made: made._tcp.disconnect(),
        "abort": lambda made: made._tcp.abort(),
    }


export_values(QSslSocket, SslMode, PeerVerifyMode)
