"""QSslSocket: TLS over a QTcpSocket of its own. Its parts: `sslsettings` below, `ssltransfer` in between, and here the socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from puretls.errors import PuretlsError
from puretls.qt._names import export_values
from puretls.qt.qabstractsocket import QAbstractSocket, QTcpSocket
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject
from puretls.qt.qsslconfiguration import PeerVerifyMode
from puretls.qt.socketengine import Deadline
from puretls.qt.socketenums import SocketError, SocketState
from puretls.qt.sslsettings import PLAIN, SslMode
from puretls.qt.ssltransfer import SslTransfer

_UNCONNECTED, _CONNECTED, _CLOSING = SocketState.UnconnectedState, SocketState.ConnectedState, SocketState.ClosingState
_READ_WRITE = QIODeviceBase.ReadWrite


class SocketFailed(PuretlsError):
    """What the awaitable forms raise. `error` is the SocketError."""

    def __init__(self, error: SocketError, text: str) -> None:
        super().__init__(text)
        self.error = error


class QSslSocket(SslTransfer):
    """An encrypted connection, client or server."""

    _waiting_class = "QSslSocket"

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
            protocol = mode if isinstance(mode, NetworkLayerProtocol) else protocol
            mode, sslPeerName = sslPeerName, ""
        if self._state in (_CONNECTED, SocketState.ConnectingState):
            qWarning("QSslSocket::connectToHostEncrypted() called when already connecting/connected")
            return
        self._forget_session()
        self._auto_start = self._initialised = True
        if sslPeerName:
            self._verify_name = sslPeerName
        assert isinstance(mode, OpenMode)
        self.connectToHost(hostName, port, mode, protocol)

    def _make_plain_socket(self, mode: OpenMode) -> QTcpSocket:
        self._drop_plain_socket()
        self._open_mode = mode
        self._state, self._error_string = _UNCONNECTED, ""  # the error stays till the next, as in Qt
        self._forget_addresses()
        plain = self._plain = QTcpSocket()
        plain._always_emits = True
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
        self._update_kept()
        return taken

    def _at_work(self) -> bool:
        return super()._at_work() or (self._plain is not None and self._plain._at_work())

    def _copy_addresses(self) -> None:
        if self._plain is not None:
            self._local, self._peer, self._peer_name = self._plain._local, self._plain._peer, self._plain._peer_name

    def bind(self, address: Any = 0, port: Any = None, mode: Any = QAbstractSocket.BindFlag.DefaultForPlatform) -> bool:
        """Not for QSslSocket, as in Qt: False. Connect a bound QTcpSocket's descriptor instead."""
        qWarning("QSslSocket::bind: bind a QTcpSocket and hand its descriptor over")
        return False

    # ending

    def disconnectFromHost(self) -> None:
        """Sends what is queued, then close_notify, and ends TCP. The device stays open."""
        plain = self._plain
        if plain is None or self._state is _UNCONNECTED:
            return
        if self._mode is PLAIN and not self._auto_start:
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
        self._transmit_the_rest()
        if self._handshake_over and not self._close_told and not self._broken:
            self._tell_close()  # too late to be sent; Qt says so all the same
        self._connection = None
        self.disconnected.emit()
        if self._state is _UNCONNECTED:
            self._forget_addresses()

    def _transmit_the_rest(self) -> None:
        """TCP has ended: all that had come is decrypted now, whatever the size of the buffer."""
        size, self._read_buffer_size = self._read_buffer_size, 0
        self._transmit()
        self._read_buffer_size = size

    def _on_state_changed(self, state: SocketState) -> None:
        self._state = state
        self._update_kept()
        self.stateChanged.emit(state)

    def _on_error(self, error: SocketError) -> None:
        plain = self._plain
        assert plain is not None
        self._transmit_the_rest()
        self._fail(error, plain.errorString())

    def _on_ready_read(self) -> None:
        if self._mode is PLAIN:
            self._transmitting_ready_read[:] = [True] * len(self._transmitting_ready_read)
            self._emit_once("readyRead")
        else:
            self._transmit()

    def _on_channel_ready_read(self, channel: int) -> None:
        if self._mode is PLAIN:
            self.channelReadyRead.emit(channel)

    def _on_bytes_written(self, count: int) -> None:
        if self._mode is PLAIN:
            self.bytesWritten.emit(count)
        else:
            self.encryptedBytesWritten.emit(count)
        if self._state is _CLOSING and not self._write_buffer:
            self.disconnectFromHost()

    # reading and writing

    def bytesAvailable(self) -> int:
        plain = len(self._plain._buffer) if self._plain is not None and self._mode is PLAIN else 0
        return len(self._buffer) + plain

    def bytesToWrite(self) -> int:
        """Plaintext that is not encrypted yet."""
        if self._mode is PLAIN:
            return self._plain.bytesToWrite() if self._plain is not None else 0
        return len(self._write_buffer)

    def encryptedBytesAvailable(self) -> int:
        """Ciphertext that came and is not decrypted yet."""
        return len(self._plain._buffer) if self._plain is not None and self._mode is not PLAIN else 0

    def encryptedBytesToWrite(self) -> int:
        """Ciphertext not yet given to TCP."""
        return self._plain.bytesToWrite() if self._plain is not None and self._mode is not PLAIN else 0

    def canReadLine(self) -> bool:
        return super().canReadLine() or (self._mode is PLAIN and self._plain is not None and self._plain.canReadLine())

    def readData(self, maxlen: int) -> bytes | None:
        """In plain mode the data is in the plain socket's buffer. No more is taken than asked for: what follows may be TLS."""
        if self._mode is PLAIN and not self._auto_start and self._plain is not None:
            return self._plain._take(maxlen)
        return None

    def _peek_bytes(self, count: int) -> bytes:
        data = super()._peek_bytes(count)
        if len(data) < count and self._mode is PLAIN and self._plain is not None:
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
        if self._mode is PLAIN and not self._auto_start:
            return self._plain.write(data[:len]) if self._plain is not None else -1
        self._write_buffer += data[:len]
        self._post_flush()
        return len

    def flush(self) -> bool:
        """Encrypts and sends now what can be. Whether anything was written."""
        if self._mode is not PLAIN:
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
        if plain is None or self._is_encrypted or (self._mode is PLAIN and not self._auto_start):
            return False
        if not self._protocol_allowed("QSslSocket::waitForEncrypted:"):
            return False
        deadline = Deadline(msecs)
        if plain.state() is not _CONNECTED and not plain.waitForConnected(msecs):
            return False
        while not self._is_encrypted:
            if self._mode is PLAIN:
                self.startClientEncryption()
            if not plain.waitForReadyRead(deadline.msecs):
                return False
        return self._is_encrypted

    def waitForReadyRead(self, msecs: int = 30000) -> bool:
        """Blocks till `readyRead` was emitted."""
        if self._plain is None:
            return False
        if self._mode is PLAIN and not self._auto_start:
            return self._plain.waitForReadyRead(msecs)
        deadline = Deadline(msecs)
        self._transmitting_ready_read.append(False)
        try:
            if not self._is_encrypted and not self.waitForEncrypted(msecs):
                return False
            self._transmit(everything=True)  # records may have come already that had to wait for room
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
        if self._mode is PLAIN and not self._auto_start:
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
        if self._mode is PLAIN and not self._auto_start:
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


export_values(QSslSocket, SslMode, PeerVerifyMode)
