"""Sends a file and shows how far it is, written for PySide6: bytesWritten drives the progress bar."""

import os
import sys

if os.environ["QT_API"] == "PySide6":
    from PySide6.QtCore import QCoreApplication, QFile, QIODevice, QObject, QTimer
    from PySide6.QtNetwork import QSsl, QSslCertificate, QSslConfiguration, QSslSocket
else:
    from puretls.qt import (
        QCoreApplication,
        QFile,
        QIODevice,
        QObject,
        QSsl,
        QSslCertificate,
        QSslConfiguration,
        QSslSocket,
        QTimer,
    )

BLOCK = 65536


class Sender(QObject):
    def __init__(self, path, port, parent=None):
        super().__init__(parent)
        self.file = QFile(path)
        assert self.file.open(QIODevice.OpenModeFlag.ReadOnly)
        self.total, self.written, self.shown = self.file.size(), 0, []
        self.socket = QSslSocket(self)
        self.socket.encrypted.connect(self.send)
        self.socket.bytesWritten.connect(self.progress)
        self.socket.disconnected.connect(QCoreApplication.quit)
        self.socket.connectToHostEncrypted("127.0.0.1", port)

    def send(self):
        block = self.file.read(BLOCK)
        if block.size():
            self.socket.write(block)
        else:
            self.socket.disconnectFromHost()

    def progress(self, count):
        self.written += count
        percent = 100 * self.written // self.total
        if not self.shown or percent >= self.shown[-1] + 20:
            self.shown.append(percent - percent % 20)
        if self.socket.bytesToWrite() == 0:
            QTimer.singleShot(0, self.send)


app = QCoreApplication([])
configuration = QSslConfiguration.defaultConfiguration()
configuration.setProtocol(QSsl.SslProtocol.TlsV1_2)
configuration.setCaCertificates(QSslCertificate.fromPath(sys.argv[2]))
QSslConfiguration.setDefaultConfiguration(configuration)
sender = Sender(sys.argv[3], int(sys.argv[1]))
QTimer.singleShot(60000, app.quit)
app.exec()
print("sent", sender.written, "progress", sender.shown[-1])
