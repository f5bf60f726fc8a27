"""A client of a line protocol in the manner of IMAP, written for PySide6: greeting, login, list, logout."""

import os
import sys

if os.environ["QT_API"] == "PySide6":
    from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
    from PySide6.QtNetwork import QSsl, QSslCertificate, QSslConfiguration, QSslSocket
else:
    from puretls.qt import QCoreApplication, QObject, QSsl, QSslCertificate, QSslConfiguration, QSslSocket, QTimer, Signal


class LineClient(QObject):
    done = Signal(str)

    def __init__(self, host, port, commands, parent=None):
        super().__init__(parent)
        self.commands, self.log = list(commands), []
        self.socket = QSslSocket(self)
        self.socket.setProtocol(QSsl.SslProtocol.TlsV1_2)
        self.socket.readyRead.connect(self.read)
        self.socket.errorOccurred.connect(self.fail)
        self.socket.disconnected.connect(lambda: self.done.emit("\n".join(self.log)))
        self.socket.connectToHostEncrypted(host, port)

    def read(self):
        while self.socket.canReadLine():
            line = bytes(self.socket.readLine()).decode().rstrip()
            self.log.append(line)
            if not line.startswith("*") or "ready" in line:
                self.next()

    def next(self):
        if self.commands:
            self.socket.write(self.commands.pop(0).encode() + b"\r\n")
        else:
            self.socket.disconnectFromHost()

    def fail(self, error):
        if error != QSslSocket.SocketError.RemoteHostClosedError:
            self.log.append(f"error {error.name}: {self.socket.errorString()}")


app = QCoreApplication([])
configuration = QSslConfiguration.defaultConfiguration()
configuration.setCaCertificates(QSslCertificate.fromPath(sys.argv[2]))
QSslConfiguration.setDefaultConfiguration(configuration)
client = LineClient("127.0.0.1", int(sys.argv[1]), ["a1 LOGIN joe secret", "a2 LIST", "a3 LOGOUT"])
client.done.connect(lambda text: (print(text), app.quit()))
QTimer.singleShot(20000, app.quit)
app.exec()
