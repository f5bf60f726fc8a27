"""QTcpServer: a listening socket that hands out connected ones."""

from __future__ import annotations

import collections
import errno
import socket

from puretls.qt.calls import call_safely, weakly
from puretls.qt.hostlookup import address_of, system_address
from puretls.qt.qabstractsocket import Error, QAbstractSocket, QTcpSocket
from puretls.qt.qhostaddress import NetworkLayerProtocol, QHostAddress
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject
from puretls.qt.signals import Signal
from puretls.qt.socketengine import TIMED_OUT, wait_for_socket
from puretls.qt.socketenums import QNetworkProxy

_ERRORS = {
    errno.EADDRINUSE: (QAbstractSocket.SocketError.AddressInUseError, "The bound address is already in use"),
    errno.EADDRNOTAVAIL: (QAbstractSocket.SocketError.SocketAddressNotAvailableError, "The address is not available"),
    errno.EACCES: (QAbstractSocket.SocketError.SocketAccessError, "The address is protected"),
    errno.EMFILE: (QAbstractSocket.SocketError.SocketResourceError, "Out of resources"),
}


class QTcpServer(QObject):
    """Override `incomingConnection` to make sockets of another class, as the page of QSslSocket shows."""

    acceptError: Signal = Signal(QAbstractSocket.SocketError)
    newConnection: Signal = Signal()
    pendingConnectionAvailable: Signal = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._socket: socket.socket | None = None
        self._pending: collections.deque[QTcpSocket] = collections.deque()
        self._max_pending = 30
        self._backlog = 50
        self._paused = False
        self._error = QAbstractSocket.SocketError.UnknownSocketError
        self._error_string = ""
        self._proxy = QNetworkProxy()

    def listen(self, address: QHostAddress | QHostAddress.SpecialAddress | None = None, port: int | None = 0) -> bool:
        """Listens on an address (all of them at first) and a port (0: one that is free). False, with an error, if it cannot."""
        if self._socket is not None:
            qWarning("QTcpServer::listen() called when already listening")
            return False
        where = QHostAddress(QHostAddress.SpecialAddress.Any if address is None else address)
        protocol = where.protocol()
        dual = protocol is NetworkLayerProtocol.AnyIPProtocol and socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if dual or protocol is NetworkLayerProtocol.IPv6Protocol else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
            listening.bind(("::", port or 0) if dual else system_address(where, port or 0))
            listening.listen(self._backlog)
        except OSError as problem:
            listening.close()
            self._fail(problem)
            return False
        self._take(listening)
        return True

    def setSocketDescriptor(self, socketDescriptor: int) -> bool:
        """Takes over a socket that listens already."""
        try:
            self._take(socket.socket(fileno=socketDescriptor))
        except OSError as problem:
            self._fail(problem)
            return False
        return True

    def _take(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        self._socket, self._paused = listening, False
        self._on_incoming = weakly(self._accept)
        self._watch()
        self._update_kept()

    def _fail(self, problem: OSError) -> None:
        unknown = (QAbstractSocket.SocketError.UnsupportedSocketOperationError, problem.strerror or str(problem))
        self._error, self._error_string = _ERRORS.get(problem.errno or 0, unknown)

    def close(self) -> None:
        """Stops listening and drops the connections nobody has taken."""
        if self._socket is not None:
            self._dispatcher.watch(self._socket.fileno(), reader=None, writer=None)
            self._socket.close()
            self._socket = None
            self._update_kept()
        while self._pending:
            self._pending.popleft().abort()

    def _cleanUp(self) -> None:
        self.close()

    def _at_work(self) -> bool:
        return self._socket is not None or super()._at_work()

    def _watch(self) -> None:
        if self._socket is not None:
            wanted = not self._paused and len(self._pending) < self._max_pending
            self._dispatcher.watch(self._socket.fileno(), reader=self._on_incoming if wanted else None, writer=None)

    def _accept(self) -> None:
        while self._socket is not None and not self._paused:
            if len(self._pending) >= self._max_pending:
                self._watch()
                return
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:
                self.pauseAccepting()
                self._fail(problem)
                self.acceptError.emit(self._error)
                return
            handle = connection.detach()
            call_safely(lambda handle=handle: self.incomingConnection(handle))  # type: ignore[misc]
            self.newConnection.emit()

    def incomingConnection(self, handle: int) -> None:
        """Override point: gets the descriptor of a new connection."""
        connection = QTcpSocket(self)
        connection.setSocketDescriptor(handle)
        self.addPendingConnection(connection)

    def addPendingConnection(self, socket: QTcpSocket) -> None:
        """Puts a connection into the queue of `nextPendingConnection`."""
        self._pending.append(socket)
        self.pendingConnectionAvailable.emit()

    def hasPendingConnections(self) -> bool:
        return bool(self._pending)

    def nextPendingConnection(self) -> QTcpSocket | None:
        """The connection that waits longest, or None."""
        if not self._pending:
            return None
        connection = self._pending.popleft()
        self._watch()
        return connection

    def waitForNewConnection(self, msec: int = 0) -> tuple[bool, bool]:
        """Blocks until a connection comes in: `(ok, timedOut)`."""
        if self._socket is None:
            return False, False
        if not wait_for_socket(self._socket, read=True, write=False, seconds=None if msec < 0 else msec / 1000)[0]:
            self._error, self._error_string = QAbstractSocket.SocketError.SocketTimeoutError, TIMED_OUT
            return False, True
        self._accept()
        return True, False

    def isListening(self) -> bool:
        return self._socket is not None

    def serverAddress(self) -> QHostAddress:
        """The address, null when not listening."""
        return QHostAddress() if self._socket is None else address_of(self._socket.getsockname())

    def serverPort(self) -> int:
        """The port, 0 when not listening."""
        return 0 if self._socket is None else int(self._socket.getsockname()[1])

    def socketDescriptor(self) -> int:
        return -1 if self._socket is None else self._socket.fileno()

    def serverError(self) -> Error:
        return self._error

    def errorString(self) -> str:
        return self._error_string

    def maxPendingConnections(self) -> int:
        return self._max_pending

    def setMaxPendingConnections(self, numConnections: int) -> None:
        self._max_pending = numConnections
        self._watch()

    def listenBacklogSize(self) -> int:
        return self._backlog

    def setListenBacklogSize(self, size: int) -> None:
        self._backlog = size

    def pauseAccepting(self) -> None:
        """Leaves new connections in the system's queue until `resumeAccepting`."""
        self._paused = True
        self._watch()

    def resumeAccepting(self) -> None:
        self._paused = False
        self._watch()

    def proxy(self) -> QNetworkProxy:
        return self._proxy

    def setProxy(self, networkProxy: QNetworkProxy | QNetworkProxy.ProxyType) -> None:
        """Kept and not used."""
        self._proxy = networkProxy if isinstance(networkProxy, QNetworkProxy) else QNetworkProxy(networkProxy)
