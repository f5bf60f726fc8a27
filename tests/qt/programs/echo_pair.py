"""One end of an echo, written for PySide6: `server FOLDER KIND` or `client FOLDER KIND PORT BYTES`; KIND is certificates or psk."""

import json
import os
import sys

if os.environ["QT_API"] == "PySide6":
    from PySide6.QtCore import QCoreApplication, QTimer
    from PySide6.QtNetwork import (
        QHostAddress,
        QSsl,
        QSslCertificate,
        QSslCipher,
        QSslConfiguration,
        QSslKey,
        QSslSocket,
        QTcpServer,
    )
else:
    from puretls.qt import (
        QCoreApplication,
        QHostAddress,
        QSsl,
        QSslCertificate,
        QSslCipher,
        QSslConfiguration,
        QSslKey,
        QSslSocket,
        QTcpServer,
        QTimer,
    )

role, folder, kind = sys.argv[1:4]
PSK = b"k" * 16


def read(name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def configuration(name, protocols):
    made = QSslConfiguration.defaultConfiguration()
    made.setProtocol(QSsl.TlsV1_2)
    made.setAllowedNextProtocols(protocols)
    if kind == "psk":
        made.setCiphers([QSslCipher("PSK-AES128-GCM-SHA256")])
        made.setPeerVerifyMode(QSslSocket.VerifyNone)
        return made
    made.setCaCertificates([QSslCertificate(read("root.pem"))])
    made.setLocalCertificateChain(QSslCertificate.fromData(read(f"{name}.pem")))
    made.setPrivateKey(QSslKey(read(f"{name}.key"), QSsl.Ec))
    made.setPeerVerifyMode(QSslSocket.VerifyPeer)
    return made


def answer(authenticator):
    authenticator.setIdentity(b"joe")
    authenticator.setPreSharedKey(PSK)


class Server(QTcpServer):
    def incomingConnection(self, descriptor):
        self.socket = socket = QSslSocket(self)
        socket.setSslConfiguration(configuration("server", [b"h2", b"x"]))
        if kind == "psk":
            socket.preSharedKeyAuthenticationRequired.connect(lambda authenticator: authenticator.setPreSharedKey(PSK))
        socket.setSocketDescriptor(descriptor)
        socket.readyRead.connect(lambda: socket.write(socket.readAll()))
        socket.disconnected.connect(self.tell)
        socket.startServerEncryption()

    def tell(self):
        peer = self.socket.peerCertificate()
        print(json.dumps({"peer": peer.subjectDisplayName()}), flush=True)
        app.quit()


def serve():
    server = Server()
    server.listen(QHostAddress("127.0.0.1"), 0)
    print(json.dumps({"port": server.serverPort()}), flush=True)
    app.exec()


def ask(port, size):
    data, got = os.urandom(size), bytearray()
    socket = QSslSocket()
    socket.setSslConfiguration(configuration("client", [b"x"]))
    if kind == "psk":
        socket.preSharedKeyAuthenticationRequired.connect(answer)

    def take():
        got.extend(socket.readAll().data())
        if len(got) >= size:
            socket.disconnectFromHost()

    def tell():
        found = {
            "cipher": socket.sessionCipher().name(),
            "alpn": bytes(socket.sslConfiguration().nextNegotiatedProtocol().data()).decode(),
        }
        print(json.dumps(found), flush=True)

    socket.encrypted.connect(tell)
    socket.readyRead.connect(take)
    socket.disconnected.connect(app.quit)
    socket.errorOccurred.connect(lambda error: app.quit())
    socket.connectToHostEncrypted("127.0.0.1", port)
    socket.write(data)
    app.exec()
    print(json.dumps({"same": bytes(got) == data, "error": socket.errorString() if bytes(got) != data else ""}), flush=True)


app = QCoreApplication([])
QTimer.singleShot(100_000, app.quit)
if role == "server":
    serve()
else:
    ask(int(sys.argv[4]), int(sys.argv[5]))
