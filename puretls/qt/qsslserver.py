"""QSslServer: a QTcpServer that does the handshakes itself and hands out encrypted sockets."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from puretls.qt.dispatcher import Timer
from puretls.qt.qabstractsocket import QAbstractSocket
from puretls.qt.qobject import QObject
from puretls.qt.qssl import QSsl
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.qsslsocket import QSslSocket
from puretls.qt.qtcpserver import QTcpServer
from puretls.qt.signals import Connection, Signal

_FORWARDED = (
    "alertReceived",
    "alertSent",
    "errorOccurred",
    "handshakeInterruptedOnError",
    "peerVerifyError",
    "preSharedKeyAuthenticationRequired",
    "sslErrors",
)
_HANDSHAKE_RECORD = b"\x16"
"""What a ClientHello begins with, and no plain text."""


class QSslServer(QTcpServer):
    """Each connection gets the server's configuration; `nextPendingConnection` gives those that are encrypted.

    A client that does not begin with a ClientHello is dropped, one that does not finish within `handshakeTimeout` too.
    """

    alertReceived: Signal = Signal(QSslSocket, QSsl.AlertLevel, QSsl.AlertType, str)
    alertSent: Signal = Signal(QSslSocket, QSsl.AlertLevel, QSsl.AlertType, str)
    errorOccurred: Signal = Signal(QSslSocket, QAbstractSocket.SocketError)
    handshakeInterruptedOnError: Signal = Signal(QSslSocket, QSslError)
    peerVerifyError: Signal = Signal(QSslSocket, QSslError)
    preSharedKeyAuthenticationRequired: Signal = Signal(QSslSocket, QSslPreSharedKeyAuthenticator)
    sslErrors: Signal = Signal(QSslSocket, list)
    startedEncryptionHandshake: Signal = Signal(QSslSocket)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._config = QSslConfiguration.defaultConfiguration()
        self._handshake_timeout = 5000
        self._handshakes: dict[QSslSocket, Timer] = {}
        self._links: dict[QSslSocket, list[Connection]] = {}

    def sslConfiguration(self) -> QSslConfiguration:
        return QSslConfiguration(self._config)

    def setSslConfiguration(self, sslConfiguration: QSslConfiguration) -> None:
        """The configuration of sockets that come from now on."""
        self._config = QSslConfiguration(sslConfiguration)

    def handshakeTimeout(self) -> int:
        """Milliseconds."""
        return self._handshake_timeout

    def setHandshakeTimeout(self, timeout: int) -> None:
        self._handshake_timeout = timeout

    def incomingConnection(self, socket: int) -> None:
        """Takes a connection and waits for its ClientHello."""
        made = QSslSocket(self)
        made.setSslConfiguration(self._config)
        if not made.setSocketDescriptor(socket):
            made.deleteLater()
            return
        self._forward(made)
        give_up = self._about(made, QSslServer._give_up)
        self._handshakes[made] = self._dispatcher.call_later(self._handshake_timeout / 1000, give_up)
        self._look_at_hello(made)

    def _forward(self, made: QSslSocket) -> None:
        """Tells of the handshake under the server's own signals."""
        reactions: dict[str, Callable[..., object]] = {
            "readyRead": QSslServer._look_at_hello,
            "disconnected": QSslServer._drop,
            "encrypted": QSslServer._finish,
            **{name: _forward_as(name) for name in _FORWARDED},
        }
        self._links[made] = [getattr(made, name).connect(self._about(made, react)) for name, react in reactions.items()]

    def _about(self, made: QSslSocket, react: Callable[..., object]) -> Callable[..., None]:
        """Calls `react(server, made, ...)` while both exist: what waits for a handshake keeps neither alive."""
        server, socket = weakref.ref(self), weakref.ref(made)

        def call(*what: object) -> None:
            here, there = server(), socket()
            if here is not None and there is not None:
                react(here, there, *what)

        return call

    def _forget(self, made: QSslSocket) -> bool:
        """Forgets a handshake that is over, well or not. False if it was over before."""
        timer = self._handshakes.pop(made, None)
        if timer is None:
            return False
        timer.cancel()
        for link in self._links.pop(made):
            QObject.disconnect(link)
        return True

    def _look_at_hello(self, made: QSslSocket) -> None:
        if made not in self._handshakes or made.mode() is not QSslSocket.SslMode.UnencryptedMode:
            return
        start = bytes(made.peek(1))
        if start == _HANDSHAKE_RECORD:
            made.startServerEncryption()
            self.startedEncryptionHandshake.emit(made)
        elif start:
            self._drop(made)

    def _finish(self, made: QSslSocket) -> None:
        if self._forget(made):
            self.addPendingConnection(made)

    def _give_up(self, made: QSslSocket) -> None:
        if made in self._handshakes:
            self.errorOccurred.emit(made, QAbstractSocket.SocketError.SocketTimeoutError)
            self._drop(made)

    def _drop(self, made: QSslSocket) -> None:
        if self._forget(made):
            made.blockSignals(True)
            made.abort()
            made.deleteLater()

    def _cleanUp(self) -> None:
        for made in list(self._handshakes):
            self._drop(made)
        super()._cleanUp()


def _forward_as(name: str) -> Callable[..., object]:
    return lambda server, made, *what: getattr(server, name).emit(made, *what)
