"""QAbstractSocket and QTcpSocket: a TcpTransport with Qt's functions and signals."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from puretls.qt._names import export_values
from puretls.qt.calls import weakly
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qobject import QObject
from puretls.qt.signals import Signal, SignalInstance
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
from puretls.qt.tcpattempt import Target
from puretls.qt.tcptransport import Ends, TcpTransport
from puretls.qt.tcpwaiting import wait_for_bytes_written, wait_for_connected, wait_for_disconnected, wait_for_ready_read

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
    """A TCP connection.

    State, error and ends are what the transport has told. QSslSocket takes them over at other moments, so they are kept here.
    """

    SocketState = SocketState
    SocketError = SocketError
    SocketType = SocketType
    SocketOption = SocketOption
    BindFlag = BindFlag
    PauseMode = PauseMode
    NetworkLayerProtocol = NetworkLayerProtocol

    connected: Signal = Signal()
    disconnected: Signal = Signal()
    errorOccurred: Signal = Signal(SocketError)
    hostFound: Signal = Signal()
    proxyAuthenticationRequired: Signal = Signal(object, object)
    stateChanged: Signal = Signal(SocketState)
    error: ErrorSignal = ErrorSignal()

    def __init__(self, socketType: Kind = SocketType.TcpSocket, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tcp = self._new_transport()
        self._type = socketType
        self._state = _UNCONNECTED
        self._error = SocketError.UnknownSocketError
        self._ends = Ends()
        self._emitting: set[str] = set()  # signals about data that are not emitted from inside their own slots
        self._pause_mode = PauseMode.PauseNever
        self._protocol_tag = ""
        self._proxy = QNetworkProxy()

    def _new_transport(self) -> TcpTransport:
        """A transport that reads into the buffer of this device."""
        return TcpTransport(weakly(self._on_transport), self._buffer)

    # what it is like

    def state(self) -> State:
        return self._state

    def setSocketState(self, state: State) -> None:
        self._state = self._tcp.state = state

    def setSocketError(self, socketError: Error) -> None:
        self._error = socketError

    def socketType(self) -> Kind:
        return self._type

    def isValid(self) -> bool:
        """Whether the device is open on a socket, connected or not."""
        return self.isOpen()

    def bytesToWrite(self) -> int:
        return len(self._tcp.queued)

    def localAddress(self) -> QHostAddress:
        return QHostAddress(self._ends.local[0])

    def setLocalAddress(self, address: QHostAddress) -> None:
        self._ends = self._ends._replace(local=(QHostAddress(address), self._ends.local[1]))

    def localPort(self) -> int:
        return self._ends.local[1]

    def setLocalPort(self, port: int) -> None:
        self._ends = self._ends._replace(local=(self._ends.local[0], port))

    def peerAddress(self) -> QHostAddress:
        return QHostAddress(self._ends.peer[0])

    def setPeerAddress(self, address: QHostAddress) -> None:
        self._ends = self._ends._replace(peer=(QHostAddress(address), self._ends.peer[1]))

    def peerPort(self) -> int:
        return self._ends.peer[1]

    def setPeerPort(self, port: int) -> None:
        self._ends = self._ends._replace(peer=(self._ends.peer[0], port))

    def peerName(self) -> str:
        """The name that was given to connect to."""
        return self._ends.name

    def setPeerName(self, name: str) -> None:
        self._ends = self._ends._replace(name=name)

    def pauseMode(self) -> Pause:
        return self._pause_mode

    def setPauseMode(self, pauseMode: Pause) -> None:
        self._pause_mode = pauseMode

    def readBufferSize(self) -> int:
        return self._tcp.read_limit

    def setReadBufferSize(self, size: int) -> None:
        """Limits what is read ahead to `size` bytes; 0 is no limit."""
        self._tcp.read_limit = size
        self._tcp.read_again()

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
        sock = self._tcp.system_socket
        return -1 if sock is None else sock.fileno()

    def socketOption(self, option: Option) -> Any:
        """The value of an option, or None when there is no socket."""
        sock = self._tcp.system_socket
        return None if sock is None or option not in SYSTEM_OPTIONS else sock.getsockopt(*SYSTEM_OPTIONS[option])

    def setSocketOption(self, option: Option, value: Any) -> None:
        """Sets an option of a socket that is connected or bound."""
        sock = self._tcp.system_socket
        if sock is not None and option in SYSTEM_OPTIONS:
            sock.setsockopt(*SYSTEM_OPTIONS[option], int(value))

    # beginning and ending

    def bind(self, address: Any = 0, port: Any = None, mode: Flag = BindFlag.DefaultForPlatform) -> bool:
        """Binds to `(address, port)` or to a port of all addresses, before connecting."""
        if isinstance(address, int):
            address, port = QHostAddress.Any, address  # type: ignore[attr-defined]
        return self._tcp.bind(QHostAddress(address), port or 0, mode)

    def connectToHost(
        self,
        hostName: str | QHostAddress,
        port: int,
        mode: OpenMode = _READ_WRITE,
        protocol: Protocol = NetworkLayerProtocol.AnyIPProtocol,
    ) -> None:
        """Begins to connect; what happens is told by signals. A second call while connected is refused (OperationError)."""
        name = hostName.toString() if isinstance(hostName, QHostAddress) else hostName
        if not self._tcp.refuses_to_connect(name):
            QIODevice.open(self, mode)
            self._tcp.connect(Target(name, port, protocol))

    def setSocketDescriptor(self, socketDescriptor: int, state: State = _CONNECTED, openMode: OpenMode = _READ_WRITE) -> bool:
        """Takes over a descriptor, as `incomingConnection` gives it. False if it is no socket."""
        if not self._tcp.adopt(socketDescriptor):
            return False
        QIODevice.open(self, openMode)
        self._tcp.enter(state)
        return True

    def disconnectFromHost(self) -> None:
        """Ends the connection once all is written; during connecting, once it is connected."""
        self._tcp.disconnect()

    def close(self) -> None:
        """Closes the device (`aboutToClose`) and disconnects."""
        QIODevice.close(self)
        if self._state is not _UNCONNECTED:
            self.disconnectFromHost()

    def abort(self) -> None:
        """Ends the connection now; what was not written is lost."""
        self._tcp.give_up()
        self.close()

    def resume(self) -> None:
        """Goes on after a pause."""
        self._tcp.resume()

    def _cleanUp(self) -> None:
        if self._tcp.state is not _UNCONNECTED:
            self._tcp.tell = self._on_transport  # the collector may have cleared the weak reference already
            self.abort()
            self._tcp.tell = weakly(self._on_transport)

    def _at_work(self) -> bool:
        return self._state is not _UNCONNECTED or super()._at_work()

    # reading and writing

    def _afterRead(self) -> None:
        """Goes on reading ahead when all was taken, as Qt does."""
        if not self._buffer:
            self._tcp.read_again()

    def writeData(self, data: bytes, len: int) -> int:
        return len if self._tcp.write(data[:len]) else -1

    def flush(self) -> bool:
        """Writes now what the system takes. Whether anything was written."""
        return self._tcp.flush()

    # waiting

    def waitForConnected(self, msecs: int = 30000) -> bool:
        """Blocks until connected, failed or `msecs` are over (-1: for ever). Only this socket's events happen meanwhile."""
        return wait_for_connected(self._tcp, msecs)

    def waitForReadyRead(self, msecs: int = 30000) -> bool:
        """Blocks until `readyRead` was emitted; False when the time is over (SocketTimeoutError) or the connection has ended."""
        return wait_for_ready_read(self._tcp, msecs)

    def waitForBytesWritten(self, msecs: int = 30000) -> bool:
        """Blocks until something was written; False at once if there is nothing to write."""
        return wait_for_bytes_written(self._tcp, msecs)

    def waitForDisconnected(self, msecs: int = 30000) -> bool:
        """Blocks until the connection has ended. False, with a warning, on a socket that is not connected."""
        return wait_for_disconnected(self._tcp, msecs)

    # what the transport tells

    def _on_transport(self, what: str, *arguments: Any) -> None:
        react = self._reactions.get(what)
        if react is None:
            getattr(self, what).emit(*arguments)
        else:
            react(self, *arguments)

    def _show_state(self, state: State) -> None:
        self._state = state
        self._update_kept()
        self.stateChanged.emit(state)

    def _show_ends(self, ends: Ends) -> None:
        self._ends = ends

    def _set_error(self, error: Error, text: str) -> None:
        self._error, self._error_string = error, text

    def _emit_once(self, signal: SignalInstance, *arguments: object) -> None:
        """Emits, but not from inside a slot of the same signal."""
        if signal.name not in self._emitting:
            self._emitting.add(signal.name)
            try:
                signal.emit(*arguments)
            finally:
                self._emitting.discard(signal.name)

    def _tell_ready_read(self) -> None:
        self._emit_once(self.readyRead)
        self.channelReadyRead.emit(0)

    def _tell_bytes_written(self, count: int) -> None:
        self._emit_once(self.bytesWritten, count)
        self.channelBytesWritten.emit(0, count)

    _reactions: ClassVar[dict[str, Callable[..., object]]] = {
        "stateChanged": _show_state,
        "failed": _set_error,
        "ends": _show_ends,
        "readyRead": _tell_ready_read,
        "bytesWritten": _tell_bytes_written,
        "disconnectFromHost": lambda made: made.disconnectFromHost(),
        "abort": lambda made: made.abort(),
    }
    """What the transport tells that is more than a signal of the same name."""


export_values(QAbstractSocket, SocketState, SocketError, SocketType, SocketOption, BindFlag, PauseMode, NetworkLayerProtocol)


class QTcpSocket(QAbstractSocket):
    """A plain TCP connection."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(SocketType.TcpSocket, parent)
