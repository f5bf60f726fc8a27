"""The QSslSocket family under Qt's own names, on puretls: change the import and keep the program."""
from puretls.qt.qabstractsocket import QAbstractSocket, QNetworkProxy, QTcpSocket
from puretls.qt.qbytearray import QByteArray
from puretls.qt.qdatetime import QDateTime
from puretls.qt.qeventloop import QCoreApplication, QEventLoop
from puretls.qt.qhostaddress import QHostAddress
from puretls.qt.qiodevice import QIODevice, QIODeviceBase
from puretls.qt.qmessage import qDebug, qInstallMessageHandler, qWarning
from puretls.qt.qobject import QMetaObject, QObject, Qt, Signal, Slot
from puretls.qt.qtcpserver import QTcpServer
from puretls.qt.qtimer import QTimer
from puretls.qt.qocspresponse import QOcspCertificateStatus, QOcspResponse, QOcspRevocationReason
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate, QSslCertificateExtension
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import QSslConfiguration, QSslKeyingMaterial
from puretls.qt.qssldiffiehellmanparameters import QSslDiffieHellmanParameters
from puretls.qt.qsslellipticcurve import QSslEllipticCurve
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator
from puretls.qt.qsslserver import QSslServer
from puretls.qt.qsslsocket import QSslSocket, SocketFailed
