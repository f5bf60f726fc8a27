"""A chat server and fifty clients, written for PySide6: each line goes to everybody."""

import os
import sys

if os.environ["QT_API"] == "PySide6":
    from PySide6.QtCore import QCoreApplication, QObject, QTimer
    from PySide6.QtNetwork import QHostAddress, QSsl, QSslCertificate, QSslConfiguration, QSslKey, QSslServer, QSslSocket
else:
    from puretls.qt import (
        QCoreApplication,
        QHostAddress,
        QObject,
        QSsl,
        QSslCertificate,
        QSslConfiguration,
        QSslKey,
        QSslServer,
        QSslSocket,
        QTimer,
    )

CLIENTS = 50


class ChatServer(QObject):
    def __init__(self, configuration, parent=None):
        super().__init__(parent)
        self.members = []
        self.server = QSslServer(self)
        self.server.setSslConfiguration(configuration)
        self.server.setMaxPendingConnections(100)
        self.server.setListenBacklogSize(100)
        self.server.pendingConnectionAvailable.connect(self.welcome)
        assert self.server.listen(QHostAddress("127.0.0.1"), 0)

    def welcome(self):
        while self.server.hasPendingConnections():
            member = self.server.nextPendingConnection()
            self.members.append(member)
            member.readyRead.connect(lambda member=member: self.spread(member))
            self.spread(member)
            if len(self.members) == CLIENTS:
                for each in self.members:
                    each.write(b"* all here\n")

    def spread(self, member):
        while member.canReadLine():
            line = bytes(member.readLine())
            for each in self.members:
                each.write(line)


class Member(QObject):
    def __init__(self, number, port, configuration, parent=None):
        super().__init__(parent)
        self.number, self.heard = number, []
        self.socket = QSslSocket(self)
        self.socket.setSslConfiguration(configuration)
        self.socket.readyRead.connect(self.read)
        self.socket.connectToHostEncrypted("127.0.0.1", port)

    def read(self):
        while self.socket.canReadLine():
            line = bytes(self.socket.readLine()).decode().strip()
            if line == "* all here":
                self.socket.write(f"hello from {self.number}\n".encode())
            else:
                self.heard.append(line)


app = QCoreApplication([])
configuration = QSslConfiguration.defaultConfiguration()
configuration.setProtocol(QSsl.SslProtocol.TlsV1_2)
configuration.setCaCertificates(QSslCertificate.fromPath(sys.argv[1] + "/root.pem"))
mine = QSslConfiguration(configuration)
mine.setPeerVerifyMode(QSslSocket.PeerVerifyMode.VerifyNone)
mine.setLocalCertificateChain(QSslCertificate.fromPath(sys.argv[1] + "/server.pem"))
with open(sys.argv[1] + "/server.key", "rb") as file:
    mine.setPrivateKey(QSslKey(file.read(), QSsl.KeyAlgorithm.Ec))
server = ChatServer(mine)
members = [Member(number, server.server.serverPort(), configuration) for number in range(CLIENTS)]
timer = QTimer()
timer.timeout.connect(lambda: app.quit() if all(len(each.heard) >= CLIENTS for each in members) else None)
timer.start(20)
QTimer.singleShot(60000, app.quit)
app.exec()
wanted = sorted(f"hello from {number}" for number in range(CLIENTS))
print(sum(sorted(each.heard) == wanted for each in members), "of", CLIENTS, "heard everybody")
