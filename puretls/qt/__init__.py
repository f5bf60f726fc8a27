"""The QSslSocket family under Qt's own names, on puretls: change the import and keep the program.

    from puretls.qt import QCoreApplication, QSslSocket      # was: from PySide6.QtNetwork import QSslSocket, ...

The manual's page `qt` says how the event loop works and where the facade differs from Qt on purpose.
"""

from puretls.qt.awaiting import SocketFailed
from puretls.qt.qabstractsocket import QAbstractSocket, QTcpSocket
from puretls.qt.qbytearray import QByteArray
from puretls.qt.qcryptographichash import QCryptographicHash
from puretls.qt.qdatetime import QDateTime
from puretls.qt.qeventloop import QCoreApplication, QEventLoop
from puretls.qt.qfile import QBuffer, QFile
from puretls.qt.qhostaddress import QHostAddress
from puretls.qt.qiodevice import QIODevice, QIODeviceBase
from puretls.qt.qmessage import QMessageLogContext, QtMsgType, qDebug, qInstallMessageHandler, qWarning
from puretls.qt.qnamespace import Qt
from puretls.qt.qobject import QMetaObject, QObject, QTimerEvent
from puretls.qt.qocspresponse import QOcspCertificateStatus, QOcspResponse, QOcspRevocationReason
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcertificateextension import QSslCertificateExtension
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qssldiffiehellmanparameters import QSslDiffieHellmanParameters
from puretls.qt.qsslellipticcurve import QSslEllipticCurve
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.qsslserver import QSslServer
from puretls.qt.qsslsocket import QSslSocket
from puretls.qt.qtcpserver import QTcpServer
from puretls.qt.qtimer import QTimer
from puretls.qt.signals import Signal, SignalInstance, Slot
from puretls.qt.socketenums import QNetworkProxy
from puretls.qt.sslvalues import QSslKeyingMaterial

__all__ = [
    "QAbstractSocket",
    "QBuffer",
    "QByteArray",
    "QCoreApplication",
    "QCryptographicHash",
    "QDateTime",
    "QEventLoop",
    "QFile",
    "QHostAddress",
    "QIODevice",
    "QIODeviceBase",
    "QMessageLogContext",
    "QMetaObject",
    "QNetworkProxy",
    "QObject",
    "QOcspCertificateStatus",
    "QOcspResponse",
    "QOcspRevocationReason",
    "QSsl",
    "QSslCertificate",
    "QSslCertificateExtension",
    "QSslCipher",
    "QSslConfiguration",
    "QSslDiffieHellmanParameters",
    "QSslEllipticCurve",
    "QSslError",
    "QSslKey",
    "QSslKeyingMaterial",
    "QSslPreSharedKeyAuthenticator",
    "QSslServer",
    "QSslSocket",
    "QTcpServer",
    "QTcpSocket",
    "QTimer",
    "QTimerEvent",
    "Qt",
    "QtMsgType",
    "Signal",
    "SignalInstance",
    "Slot",
    "SocketFailed",
    "qDebug",
    "qInstallMessageHandler",
    "qWarning",
]
