"""QAbstractSocket and QTcpSocket: TCP with Qt's states, signals and blocking functions."""

from __future__ import annotations

import enum
import socket
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

from puretls.qt._names import export_values
from puretls.qt.dispatcher import Timer
from puretls.qt.hostlookup import address_of, resolve, resolve_later, system_address
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject, Signal, SignalInstance
from puretls.qt.socketengine import TIMED_OUT, Deadline, SocketEngine, wait_for_socket
from puretls.qt.socketenums import (
    SYSTEM_OPTIONS,
    BindFlag,
    PauseMode,
    QNetworkProxy,
    SocketError,
    SocketOption,
    SocketState,
    SocketType,
)

_CONNECT_SECONDS = 30.0
_READ_WRITE = QIODeviceBase.ReadWrite

# The class has the same names as members; these are for annotations inside it.
State: TypeAlias = SocketState
Error: TypeAlias = SocketError
Kind: TypeAlias = SocketType
Option: TypeAlias = SocketOption
Flag: TypeAlias = BindFlag
Pause: TypeAlias = PauseMode
Protocol: TypeAlias = NetworkLayerProtocol

_UNCONNECTED, _CONNECTED = SocketState.UnconnectedState, SocketState.ConnectedState
_CLOSING, _CONNECTING, _LOOKUP = SocketState.ClosingState, SocketState.ConnectingState, SocketState.HostLookupState


class ErrorSignal:
    """`socket.error()` asks for the error; `socket.error.connect(slot)` is Qt 5's name of `errorOccurred`."""

    def __get__(self, instance: QAbstractSocket | None, owner: type) -> Any:
        return self if instance is None else _Error(instance)

    def __call__(self, instance: QAbstractSocket) -> SocketError:
        return instance._error


class _Error:
    def __init__(self, owner: QAbstractSocket) -> None:
        self._owner = owner
        self.connect, self.disconnect = owner.errorOccurred.connect, owner.errorOccurred.disconnect
        self.emit = owner.errorOccurred.emit

    def __call__(self) -> SocketError:
        return self._owner._error

    def __getitem__(self, types: object) -> SignalInstance:
        return self._owner.errorOccurred


class QAbstractSocket(QIODevice):
    """A TCP connection."""

    SocketState = SocketState
    SocketError = SocketError
    SocketType = SocketType
    SocketOption = SocketOption
    BindFlag = BindFlag
    PauseMode = PauseMode
    NetworkLayerProtocol = NetworkLayerProtocol

    connected = Signal()
    disconnected = Signal()
    errorOccurred = Signal(SocketError)
    hostFound = Signal()
    proxyAuthenticationRequired = Signal(object, object)
    stateChanged = Signal(SocketState)
    error = ErrorSignal()

    def __init__(self, socketType: Kind = SocketType.TcpSocket, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._type = socketType
        self._state = _UNCONNECTED
        self._error = SocketError.UnknownSocketError
        self._engine: SocketEngine | None = None
        self._write_buffer = bytearray()
        self._host, self._port = "", 0
        self._protocol = NetworkLayerProtocol.AnyIPProtocol
        self._addresses: list[QHostAddress] = []
        self._lookup = 0  # the lookup whose answer counts
        self._connect_timer: Timer | None = None
        self._read_buffer_size = 0
        self._abort_called = self._pending_close = False
        self._emitting: set[str] = set()  # signals about data that are not emitted from inside their own slots
        self._always_emits = False  # for the plain socket inside a QSslSocket: a loop in a slot must not starve it
        self._pause_mode = PauseMode.PauseNever
        self._local: tuple[QHostAddress, int] = (QHostAddress(), 0)
        self._peer: tuple[QHostAddress, int] = (QHostAddress(), 0)
        self._peer_name = ""
        self._protocol_tag = ""
        self._proxy = QNetworkProxy()

    # what it is like

    def state(self) -> State:
        return self._state

    def setSocketState(self, state: State) -> None:
        self._state = state

    def setSocketError(self, socketError: Error) -> None:
        self._error = socketError

    def socketType(self) -> Kind:
        return self._type

    def isValid(self) -> bool:
        """Whether the device is open on a socket, connected or not."""
        return self.isOpen()

    def bytesToWrite(self) -> int:
        return len(self._write_buffer)

    def localAddress(self) -> QHostAddress:
        return QHostAddress(self._local[0])

    def setLocalAddress(self, address: QHostAddress) -> None:
        self._local = (QHostAddress(address), self._local[1])

    def localPort(self) -> int:
        return self._local[1]

    def setLocalPort(self, port: int) -> None:
        self._local = (self._local[0], port)

    def peerAddress(self) -> QHostAddress:
        return QHostAddress(self._peer[0])

    def setPeerAddress(self, address: QHostAddress) -> None:
        self._peer = (QHostAddress(address), self._peer[1])

    def peerPort(self) -> int:
        return self._peer[1]

    def setPeerPort(self, port: int) -> None:
        self._peer = (self._peer[0], port)

    def peerName(self) -> str:
        """The name that was given to connect to."""
        return self._peer_name

    def setPeerName(self, name: str) -> None:
        self._peer_name = name

    def pauseMode(self) -> Pause:
        return self._pause_mode

    def setPauseMode(self, pauseMode: Pause) -> None:
        self._pause_mode = pauseMode

    def readBufferSize(self) -> int:
        return self._read_buffer_size

    def setReadBufferSize(self, size: int) -> None:
        """Limits what is read ahead to `size` bytes; 0 is no limit."""
        self._read_buffer_size = size
        self._room_to_read()

    def protocolTag(self) -> str:
        return self._protocol_tag

    def setProtocolTag(self, tag: str) -> None:
        self._protocol_tag = tag

    def proxy(self) -> QNetworkProxy:
        return self._proxy

    def setProxy(self, networkProxy: QNetworkProxy | QNetworkProxy.ProxyType) -> None:
        """Proxies are kept and not used: connections are direct."""
        self._proxy = QNetworkProxy(networkProxy) if isinstance(networkProxy, enum.Enum) else networkProxy

    def socketDescriptor(self) -> int:
        """The system's number of the socket, -1 if there is none."""
        return self._engine.sock.fileno() if self._engine is not None and self._engine.valid else -1

    def socketOption(self, option: Option) -> Any:
        """The value of an option, or None when there is no socket."""
        if self._engine is None or not self._engine.valid or option not in SYSTEM_OPTIONS:
            return None
        return self._engine.sock.getsockopt(*SYSTEM_OPTIONS[option])

    def setSocketOption(self, option: Option, value: Any) -> None:
        """Sets an option of a socket that is connected or bound."""
        if self._engine is not None and self._engine.valid and option in SYSTEM_OPTIONS:
            self._engine.sock.setsockopt(*SYSTEM_OPTIONS[option], int(value))

    # connecting

    def bind(self, address: Any = 0, port: Any = None, mode: Flag = BindFlag.DefaultForPlatform) -> bool:
        """Binds to `(address, port)` or to a port of all addresses, before connecting."""
        if isinstance(address, int):
            address, port = QHostAddress.Any, address  # type: ignore[attr-defined]
        local = QHostAddress(address)
        self._open_engine(local)
        assert self._engine is not None
        if mode & (BindFlag.ShareAddress | BindFlag.ReuseAddressHint):
            self._engine.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._engine.sock.bind(system_address(local, port or 0))
        except OSError as problem:
            self._set_error(SocketError.AddressInUseError, problem.strerror or str(problem))
            return False
        self._take_addresses()
        self._change_state(SocketState.BoundState)
        return True

    def connectToHost(
        self,
        hostName: str | QHostAddress,
        port: int,
        mode: OpenMode = _READ_WRITE,
        protocol: Protocol = NetworkLayerProtocol.AnyIPProtocol,
    ) -> None:
        """Begins to connect; what happens is told by signals. A second call while connected is refused (OperationError)."""
        name = hostName.toString() if isinstance(hostName, QHostAddress) else hostName
        if self._state in (_CONNECTED, _CONNECTING, _CLOSING, _LOOKUP):
            qWarning(
                f'QAbstractSocket::connectToHost() called when already looking up or connecting/connected to "{name}"'
            )
            self._fail(SocketError.OperationError, "Trying to connect while connection is in progress")
            return
        self._host, self._port, self._protocol = name, port, protocol
        self._abort_called = self._pending_close = False
        self._write_buffer.clear()
        if self._state is not SocketState.BoundState:
            self._state, self._local = _UNCONNECTED, (QHostAddress(), 0)
        self._peer, self._peer_name = (QHostAddress(), 0), name
        self._error, self._error_string = SocketError.UnknownSocketError, ""
        QIODevice.open(self, mode)
        self._change_state(_LOOKUP)
        if self._state is not _LOOKUP:
            return  # a slot has ended it
        self._lookup += 1
        address = QHostAddress(name)
        if not address.isNull():
            self._start_connecting([address])
        else:
            resolve_later(name, self._answer_of_lookup())

    def _answer_of_lookup(self) -> Callable[[list[QHostAddress]], None]:
        """Takes the addresses, unless the socket is gone or looks up something else by then."""
        itself, number = weakref.ref(self), self._lookup

        def found(addresses: list[QHostAddress]) -> None:
            alive = itself()
            if alive is not None and number == alive._lookup:
                alive._start_connecting(addresses)

        return found

    def _start_connecting(self, addresses: list[QHostAddress]) -> None:
        if self._state is not _LOOKUP:
            return
        wanted = self._protocol
        self._addresses = [
            each
            for each in addresses
            if wanted in (NetworkLayerProtocol.AnyIPProtocol, NetworkLayerProtocol.UnknownNetworkLayerProtocol, each.protocol())
        ]
        if not self._addresses:
            self._error, self._error_string = SocketError.HostNotFoundError, "Host not found"
            self._change_state(_UNCONNECTED)
            self.errorOccurred.emit(self._error)
            return
        self._change_state(_CONNECTING)
        self.hostFound.emit()
        if self._state is _CONNECTING:
            self._connect_to_next_address()

    def _connect_to_next_address(self) -> None:
        self._stop_connect_timer()
        if not self._addresses:
            failed = self._engine
            if failed is not None and failed.error:
                self._set_error(SocketError[failed.error], failed.error_string)
            else:
                self._set_error(SocketError.ConnectionRefusedError, "Connection refused")
            self._change_state(_UNCONNECTED)
            self.errorOccurred.emit(self._error)
            return
        address = self._addresses.pop(0)
        if self._engine is None or not self._engine.valid or self._state is not SocketState.BoundState:
            self._open_engine(address)
        assert self._engine is not None
        self._connect_timer = self._dispatcher.call_later(_CONNECT_SECONDS, self._connect_to_next_address)
        self._engine.connect(lambda: system_address(address, self._port))

    def _open_engine(self, address: QHostAddress) -> None:
        if self._engine is not None:
            self._engine.close()
        family = socket.AF_INET6 if address.protocol() is NetworkLayerProtocol.IPv6Protocol else socket.AF_INET
        self._engine = SocketEngine(socket.socket(family, socket.SOCK_STREAM), self._can_read, self._can_write)

    def _test_connection(self) -> None:
        self._stop_connect_timer()
        if self._engine is not None and self._engine.connected():
            self._enter_connected_state()
            if self._pending_close:
                self._pending_close = False
                self.disconnectFromHost()
        else:
            self._connect_to_next_address()

    def _enter_connected_state(self) -> None:
        assert self._engine is not None
        self._engine.notify_read(True)
        self._engine.notify_write(True)
        self._take_addresses()
        self._peer_name = self._host
        self._change_state(_CONNECTED)
        self.connected.emit()

    def _take_addresses(self) -> None:
        assert self._engine is not None
        self._local = _address_of(self._engine.sock.getsockname)
        self._peer = _address_of(self._engine.sock.getpeername)

    def setSocketDescriptor(
        self, socketDescriptor: int, state: State = _CONNECTED, openMode: OpenMode = _READ_WRITE
    ) -> bool:
        """Takes over a descriptor, as `incomingConnection` gives it. False if it is no socket."""
        self._reset_engine()
        try:
            sock = socket.socket(fileno=socketDescriptor)
        except OSError as problem:
            self._set_error(SocketError.UnsupportedSocketOperationError, problem.strerror or str(problem))
            return False
        self._engine = SocketEngine(sock, self._can_read, self._can_write)
        QIODevice.open(self, openMode)
        self._write_buffer.clear()
        self._error, self._error_string = SocketError.UnknownSocketError, ""
        self._pending_close = self._abort_called = False
        self._take_addresses()
        self._change_state(state)
        if state is _CONNECTED and self._engine is not None:
            self._engine.notify_read(True)
        return True

    def _stop_connect_timer(self) -> None:
        if self._connect_timer is not None:
            self._connect_timer.cancel()
            self._connect_timer = None

    # ending

    def disconnectFromHost(self) -> None:
        """Ends the connection once all is written; during connecting, once it is connected."""
        if self._state is _UNCONNECTED:
            return
        if not self._abort_called and self._state in (_CONNECTING, _LOOKUP):
            self._pending_close = True
            return
        if self._engine is not None:
            self._engine.notify_read(False)
        self._lookup += 1
        if not self._abort_called:
            if self._state is not _CLOSING:
                self._change_state(_CLOSING)
            if self._engine is not None and self._engine.valid and self._write_buffer:
                self._engine.notify_write(True)
                return
        self._end()

    def _end(self) -> None:
        former = self._state
        self._reset_engine()
        self._change_state(_UNCONNECTED)
        self.readChannelFinished.emit()
        if former in (_CONNECTED, _CLOSING):
            self.disconnected.emit()
        if self._state is _UNCONNECTED:
            self._forget_addresses()

    def _forget_addresses(self) -> None:
        self._local = self._peer = (QHostAddress(), 0)
        self._peer_name = ""

    def _reset_engine(self) -> None:
        self._stop_connect_timer()
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close(self) -> None:
        """Closes the device (`aboutToClose`) and disconnects."""
        QIODevice.close(self)
        if self._state is not _UNCONNECTED:
            self.disconnectFromHost()

    def abort(self) -> None:
        """Ends the connection now; what was not written is lost."""
        if self._state is not _UNCONNECTED:
            self._write_buffer.clear()
        self._abort_called = True
        self.close()

    def _cleanUp(self) -> None:
        if self._state is not _UNCONNECTED:
            self.abort()

    def _at_work(self) -> bool:
        return self._state is not _UNCONNECTED or super()._at_work()

    def resume(self) -> None:
        """Goes on after a pause."""
        if self._engine is not None:
            self._engine.notify_read(True)
            if self._write_buffer:
                self._engine.notify_write(True)

    def _pause(self) -> None:
        if self._engine is not None:
            self._engine.notify_read(False)
            self._engine.notify_write(False)

    # reading and writing

    def _room_to_read(self) -> None:
        full = self._read_buffer_size and len(self._buffer) >= self._read_buffer_size
        if self._engine is not None and self._state is _CONNECTED and not full:
            self._engine.notify_read(True)

    def _afterRead(self) -> None:
        """Goes on reading ahead when all was taken, as Qt does."""
        if not self._buffer:
            self._room_to_read()

    def _can_read(self) -> bool:
        """The system has data: takes it and emits `readyRead`. False if there was none.

        What waits to be written goes first, as in Qt: what comes may be the end of the stream, after which nothing is written.
        """
        if self._write_buffer and self._state is _CONNECTED:
            self._write_to_socket()
        engine = self._engine
        if engine is None or not engine.valid:
            return False
        room = self._read_buffer_size - len(self._buffer) if self._read_buffer_size else 0
        if self._read_buffer_size and room <= 0:
            engine.notify_read(False)
            return False
        data = engine.read(room)
        if not engine.valid:
            self._fail(SocketError[engine.error], engine.error_string)
            self._reset_engine()
            self.disconnectFromHost()
            return False
        if not data:
            return False
        self._buffer += data
        if room and len(data) >= room:
            engine.notify_read(False)
        self._emit_once("readyRead")
        self.channelReadyRead.emit(0)
        return True

    def _emit_once(self, name: str, *arguments: object) -> None:
        if self._always_emits:
            getattr(self, name).emit(*arguments)
        elif name not in self._emitting:
            self._emitting.add(name)
            try:
                getattr(self, name).emit(*arguments)
            finally:
                self._emitting.discard(name)

    def _can_write(self) -> bool:
        """The system has room: writes and emits `bytesWritten`. False if nothing was written."""
        if self._state is _CONNECTING:
            self._test_connection()
            return False
        return self._write_to_socket()

    def _write_to_socket(self) -> bool:
        engine = self._engine
        if engine is None or not engine.valid or not self._write_buffer:
            if engine is not None and engine.valid:
                engine.notify_write(False)
            if self._state is _CLOSING:
                self.disconnectFromHost()
            return False
        with memoryview(self._write_buffer) as pending:
            written = engine.write(pending)
        if written < 0:
            self._fail(SocketError[engine.error], engine.error_string)
            self.abort()
            return False
        del self._write_buffer[:written]
        if written:
            self._emit_once("bytesWritten", written)
            self.channelBytesWritten.emit(0, written)
        if not self._write_buffer and self._engine is not None:
            self._engine.notify_write(False)
        if self._state is _CLOSING:
            self.disconnectFromHost()
        return written > 0

    def writeData(self, data: bytes, len: int) -> int:
        if self._state is _UNCONNECTED:
            self._set_error(SocketError.UnknownSocketError, "Socket is not connected")
            return -1
        self._write_buffer += data[:len]
        if self._engine is not None and self._state is _CONNECTED:
            self._engine.notify_write(True)
        return len

    def flush(self) -> bool:
        """Writes now what the system takes. Whether anything was written."""
        written = False
        while self._write_buffer and self._write_to_socket():
            written = True
        return written

    # waiting

    def waitForConnected(self, msecs: int = 30000) -> bool:
        """Blocks till connected, failed or `msecs` are over (-1: for ever). Only this socket's events happen meanwhile."""
        if self._state is _CONNECTED:
            return True
        closing, self._pending_close = self._pending_close, False
        deadline = Deadline(msecs)
        if self._state is _LOOKUP:
            self._lookup += 1
            self._start_connecting(resolve(self._host))
        while self._state is _CONNECTING and not deadline.over:
            self._wait_for_connection(deadline)
        if self._state is _CONNECTING:
            self._set_error(SocketError.SocketTimeoutError, "Socket operation timed out")
            self._reset_engine()
            self._change_state(_UNCONNECTED)
        if self._state is not _CONNECTED:
            return False
        if closing:
            self.disconnectFromHost()
        return True

    def _wait_for_connection(self, deadline: Deadline) -> None:
        assert self._engine is not None
        patience = _CONNECT_SECONDS if deadline.seconds is None else min(_CONNECT_SECONDS, deadline.seconds)
        before = time.monotonic()
        if not self._engine.valid or self._engine.error or wait_for_socket(self._engine.sock, read=False, write=True, seconds=patience)[1]:
            self._test_connection()
        elif time.monotonic() - before >= _CONNECT_SECONDS:
            self._connect_to_next_address()

    def waitForReadyRead(self, msecs: int = 30000) -> bool:
        """Blocks till `readyRead` was emitted; False when the time is over (SocketTimeoutError) or the connection has ended."""
        return self._wait(msecs, self._can_read, self._write_to_socket, when_read=True, when_written=None)

    def waitForBytesWritten(self, msecs: int = 30000) -> bool:
        """Blocks till something was written; False at once if there is nothing to write."""
        if not self._write_buffer:
            return False
        return self._wait(msecs, self._can_read, self._write_to_socket, when_read=None, when_written=True)

    def _wait(
        self,
        msecs: int,
        on_read: Callable[[], bool],
        on_write: Callable[[], bool],
        *,
        when_read: bool | None,
        when_written: bool | None,
    ) -> bool:
        deadline = Deadline(msecs)
        if self._state in (_LOOKUP, _CONNECTING) and not self.waitForConnected(msecs):
            return False
        while True:
            if self._state not in (_CONNECTED, SocketState.BoundState, _CLOSING) or self._engine is None:
                return False
            if when_read and self._state is _CLOSING:
                return False
            readable, writable = self._poll(deadline)
            if not readable and not writable:
                self._fail(SocketError.SocketTimeoutError, TIMED_OUT)
                return False
            if readable and on_read() and when_read:
                return True
            if writable and on_write() and when_written:
                return True

    def _poll(self, deadline: Deadline) -> tuple[bool, bool]:
        assert self._engine is not None
        full = self._read_buffer_size and len(self._buffer) >= self._read_buffer_size
        return wait_for_socket(
            self._engine.sock,
            read=not full and self._state is not _CLOSING,
            write=bool(self._write_buffer),
            seconds=deadline.seconds,
        )

    def waitForDisconnected(self, msecs: int = 30000) -> bool:
        """Blocks till the connection has ended. False, with a warning, on a socket that is not connected."""
        if self._state is _UNCONNECTED:
            qWarning(f"{self._waiting_class}::waitForDisconnected() is not allowed in UnconnectedState")
            return False
        deadline = Deadline(msecs)
        if self._state in (_LOOKUP, _CONNECTING) and not self.waitForConnected(msecs):
            return False
        while self._state is not _UNCONNECTED and self._engine is not None:
            readable, writable = self._poll(deadline)
            if not readable and not writable:
                self._fail(SocketError.SocketTimeoutError, TIMED_OUT)
                return False
            if readable:
                self._can_read()
            if writable:
                self._write_to_socket()
        return self._state is _UNCONNECTED

    _waiting_class = "QAbstractSocket"

    # telling

    def _change_state(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self._update_kept()
            self.stateChanged.emit(state)

    def _set_error(self, error: Error, text: str) -> None:
        self._error, self._error_string = error, text

    def _fail(self, error: Error, text: str) -> None:
        self._set_error(error, text)
        self.errorOccurred.emit(error)


def _address_of(ask: Callable[[], Any]) -> tuple[QHostAddress, int]:
    try:
        found = ask()
    except OSError:
        return QHostAddress(), 0
    return (address_of(found), found[1]) if isinstance(found, tuple) else (QHostAddress(), 0)


export_values(QAbstractSocket, SocketState, SocketError, SocketType, SocketOption, BindFlag, PauseMode, NetworkLayerProtocol)


class QTcpSocket(QAbstractSocket):
    """A plain TCP connection."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(SocketType.TcpSocket, parent)
