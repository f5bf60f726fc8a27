"""The settings of a QSslSocket: its configuration, what was agreed on, the functions of Qt 5, and what Qt asks of a back end."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from puretls.qt.qabstractsocket import Option, QTcpSocket
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject, Signal
from puretls.qt.qocspresponse import QOcspResponse
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import NextProtocolNegotiationStatus, PeerVerifyMode, QSslConfiguration
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.qsslpresharedkeyauthenticator import QSslPreSharedKeyAuthenticator

_P = QSsl.SslProtocol


class SslMode(enum.Enum):
    """Plain, or which end of TLS."""

    UnencryptedMode = 0
    SslClientMode = 1
    SslServerMode = 2


SslMode.__qualname__ = "QSslSocket.SslMode"
Mode: TypeAlias = SslMode
Verify: TypeAlias = PeerVerifyMode
PLAIN, CLIENT, SERVER = SslMode.UnencryptedMode, SslMode.SslClientMode, SslMode.SslServerMode


class SslSettings(QTcpSocket):
    """The part of QSslSocket that is asked and told: no bytes move here."""

    SslMode = SslMode
    PeerVerifyMode = PeerVerifyMode

    alertReceived = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    alertSent = Signal(QSsl.AlertLevel, QSsl.AlertType, str)
    encrypted = Signal()
    encryptedBytesWritten = Signal(int)
    handshakeInterruptedOnError = Signal(QSslError)
    modeChanged = Signal(SslMode)
    newSessionTicketReceived = Signal()
    peerVerifyError = Signal(QSslError)
    preSharedKeyAuthenticationRequired = Signal(QSslPreSharedKeyAuthenticator)
    sslErrors = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._config = QSslConfiguration.defaultConfiguration()
        self._plain: QTcpSocket | None = None
        self._verify_name = ""
        self._ignored: list[QSslError] = []
        self._ignore_all = self._ignore_all_next = False
        self._interceptors: tuple[Any, ...] = ()
        self._mode = PLAIN
        self._has_shut_down = False  # Qt keeps this for the life of the object: see _close_tls
        self._forget_session()

    def _forget_session(self) -> None:
        """What belongs to one connection."""
        self._mode = PLAIN
        self._connection: Any = None
        self._last_connection: Any = None  # for trace(), also after the end
        self._auto_start = self._initialised = False
        self._is_encrypted = self._handshake_over = self._peer_closed = self._close_told = False
        self._broken = self._paused = False
        self._write_refused = False
        self._farewell = b""
        self._second_byte = b""  # of what the peer sent: 3 where it speaks TLS
        self._transmitting_ready_read: list[bool] = []
        self._flush_posted = False
        self._report: Any = None
        self._faults: list[QSslError] = []
        self._errors: list[QSslError] = []
        self._continue = False
        self._ocsp: list[QOcspResponse] = []
        self._ignore_all, self._ignore_all_next = self._ignore_all_next, False
        self._abort_called = self._pending_close = False
        self._buffer.clear()
        self._write_buffer.clear()
        values = self._config._values
        values["peer"], values["peer_chain"], values["ephemeral"] = QSslCertificate(), (), QSslKey()
        values["alpn_chosen"], values["alpn_status"] = b"", NextProtocolNegotiationStatus.NextProtocolNegotiationNone

    # configuration

    def sslConfiguration(self) -> QSslConfiguration:
        """A copy of the configuration, with what was agreed on."""
        copy = QSslConfiguration(self._config)
        copy._values["cipher"], copy._values["session_protocol"] = self.sessionCipher(), self.sessionProtocol()
        return copy

    def setSslConfiguration(self, config: QSslConfiguration) -> None:
        """Takes another configuration; what was agreed on stays."""
        kept = {name: self._config._values[name] for name in ("peer", "peer_chain", "ephemeral", "alpn_chosen", "alpn_status")}
        self._config = QSslConfiguration(config)
        self._config._values.update(kept)

    def mode(self) -> Mode:
        return self._mode

    def isEncrypted(self) -> bool:
        return self._is_encrypted

    def protocol(self) -> QSsl.SslProtocol:
        """The protocol asked for."""
        return self._config.protocol()

    def setProtocol(self, protocol: QSsl.SslProtocol) -> None:
        """Asks for a protocol, before the handshake."""
        self._config.setProtocol(protocol)

    def sessionProtocol(self) -> QSsl.SslProtocol:
        """What was agreed on, UnknownProtocol when not connected."""
        return _P.UnknownProtocol if self._negotiated() is None else _P.TlsV1_2

    def sessionCipher(self) -> QSslCipher:
        """The suite in use, a null cipher when not connected."""
        negotiated = self._negotiated()
        return QSslCipher() if negotiated is None else QSslCipher._of(negotiated.suite)

    def _negotiated(self) -> Any:
        return self._connection.negotiated if self._connection is not None else None

    def peerVerifyMode(self) -> Verify:
        return self._config.peerVerifyMode()

    def setPeerVerifyMode(self, mode: Verify) -> None:
        self._config.setPeerVerifyMode(mode)

    def peerVerifyDepth(self) -> int:
        return self._config.peerVerifyDepth()

    def setPeerVerifyDepth(self, depth: int) -> None:
        if depth < 0:
            qWarning(f"QSslSocket::setPeerVerifyDepth: cannot set negative depth of {depth}")
        else:
            self._config.setPeerVerifyDepth(depth)

    def peerVerifyName(self) -> str:
        return self._verify_name

    def setPeerVerifyName(self, hostName: str) -> None:
        """The name to verify, and to send, instead of the host name."""
        self._verify_name = hostName

    def localCertificate(self) -> QSslCertificate:
        return self._config.localCertificate()

    def setLocalCertificate(self, certificate: QSslCertificate | str, format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem) -> None:
        """Our certificate, or a file with it; a file that cannot be read changes nothing, one without a certificate gives a null one."""
        if isinstance(certificate, str):
            try:
                content = Path(certificate).read_bytes()
            except OSError:
                return
            certificate = QSslCertificate(content, format)
        self._config.setLocalCertificate(certificate)

    def localCertificateChain(self) -> list[QSslCertificate]:
        return self._config.localCertificateChain()

    def setLocalCertificateChain(self, localChain: Sequence[QSslCertificate]) -> None:
        self._config.setLocalCertificateChain(localChain)

    def privateKey(self) -> QSslKey:
        return self._config.privateKey()

    def setPrivateKey(
        self,
        key: QSslKey | str,
        algorithm: QSsl.KeyAlgorithm = QSsl.KeyAlgorithm.Rsa,
        format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem,
        passPhrase: Any = b"",
    ) -> None:
        """Our key, or a file with it; a file that cannot be read, or holds no key for this pass phrase, changes nothing."""
        if isinstance(key, str):
            try:
                content = Path(key).read_bytes()
            except OSError:
                qWarning("QSslSocket::setPrivateKey: Couldn't open file for reading")
                return
            key = QSslKey(content, algorithm, format, QSsl.KeyType.PrivateKey, passPhrase)
            if key.isNull():
                qWarning("QSslSocket::setPrivateKey: The specified file does not contain a valid key")
                return
        self._config.setPrivateKey(key)

    def peerCertificate(self) -> QSslCertificate:
        """The peer's certificate, kept after the end; null if there is none."""
        return self._config.peerCertificate()

    def peerCertificateChain(self) -> list[QSslCertificate]:
        """The chain as the peer sent it, leaf first; empty after a resumption."""
        return self._config.peerCertificateChain()

    # options of the system's socket

    def socketDescriptor(self) -> int:
        return self._plain.socketDescriptor() if self._plain is not None else -1

    def socketOption(self, option: Option) -> Any:
        return self._plain.socketOption(option) if self._plain is not None else None

    def setSocketOption(self, option: Option, value: Any) -> None:
        if self._plain is not None:
            self._plain.setSocketOption(option, value)

    # what Qt lacks

    def trace(self) -> Any:
        """The byte map of this connection: a puretls Trace, None before a handshake began. Kept after the end."""
        return self._last_connection.trace if self._last_connection is not None else None

    def setInterceptor(self, *interceptors: Any) -> None:
        """Watches and changes the messages of the next handshake: see puretls.intercept. Without arguments: no more."""
        self._interceptors = interceptors

    # names of Qt 5

    def caCertificates(self) -> list[QSslCertificate]:
        return self._config.caCertificates()

    def setCaCertificates(self, certificates: Iterable[QSslCertificate]) -> None:
        self._config.setCaCertificates(certificates)

    def addCaCertificate(self, certificate: QSslCertificate) -> None:
        self._config.addCaCertificate(certificate)

    def addCaCertificates(self, certificates: Any, format: Any = QSsl.EncodingFormat.Pem, syntax: Any = None) -> bool:
        """A list, or a path with a pattern; whether something was found."""
        return self._config.addCaCertificates(certificates, format, syntax or QSslCertificate.PatternSyntax.FixedString)

    def ciphers(self) -> list[QSslCipher]:
        return self._config.ciphers()

    def setCiphers(self, ciphers: str | Sequence[QSslCipher]) -> None:
        self._config.setCiphers(ciphers)

    @staticmethod
    def defaultCaCertificates() -> list[QSslCertificate]:
        return QSslConfiguration.defaultConfiguration().caCertificates()

    @staticmethod
    def setDefaultCaCertificates(certificates: Iterable[QSslCertificate]) -> None:
        _change_default(lambda default: default.setCaCertificates(certificates))

    @staticmethod
    def addDefaultCaCertificate(certificate: QSslCertificate) -> None:
        _change_default(lambda default: default.addCaCertificate(certificate))

    @staticmethod
    def addDefaultCaCertificates(certificates: Any, format: Any = QSsl.EncodingFormat.Pem, syntax: Any = None) -> bool:
        """The same for the default configuration."""
        kind = syntax or QSslCertificate.PatternSyntax.FixedString
        return bool(_change_default(lambda default: default.addCaCertificates(certificates, format, kind)))

    @staticmethod
    def defaultCiphers() -> list[QSslCipher]:
        return QSslConfiguration.defaultConfiguration().ciphers()

    @staticmethod
    def setDefaultCiphers(ciphers: str | Sequence[QSslCipher]) -> None:
        QSslConfiguration.setDefaultCiphers(ciphers)

    @staticmethod
    def supportedCiphers() -> list[QSslCipher]:
        return QSslConfiguration.supportedCiphers()

    @staticmethod
    def systemCaCertificates() -> list[QSslCertificate]:
        return QSslConfiguration.systemCaCertificates()

    # the back end

    @staticmethod
    def supportsSsl() -> bool:
        """Always: there is no library that could be missing."""
        return True

    @staticmethod
    def sslLibraryVersionString() -> str:
        from puretls._version import __version__

        return f"puretls {__version__}"

    @staticmethod
    def sslLibraryVersionNumber() -> int:
        """The version as Qt's callers compare it: 0xMNN00000 of major and minor."""
        from puretls._version import __version__

        major, minor = (int(part) for part in __version__.split(".")[:2])
        return (major << 28) | (minor << 20)

    sslLibraryBuildVersionString = sslLibraryVersionString
    sslLibraryBuildVersionNumber = sslLibraryVersionNumber

    @staticmethod
    def activeBackend() -> str:
        return "puretls"

    @staticmethod
    def availableBackends() -> list[str]:
        return ["puretls"]

    @staticmethod
    def setActiveBackend(backendName: str) -> bool:
        """True for the one there is."""
        return backendName == "puretls"

    @staticmethod
    def supportedProtocols(backendName: str = "") -> list[QSsl.SslProtocol]:
        """Protocols with which a connection can succeed."""
        return [each for each in _P if each in PROTOCOLS_WITH_TLS_1_2]

    @staticmethod
    def isProtocolSupported(protocol: QSsl.SslProtocol, backendName: str = "") -> bool:
        return protocol in PROTOCOLS_WITH_TLS_1_2

    @staticmethod
    def supportedFeatures(backendName: str = "") -> list[QSsl.SupportedFeature]:
        return list(QSsl.SupportedFeature)

    @staticmethod
    def isFeatureSupported(feat: QSsl.SupportedFeature, backendName: str = "") -> bool:
        return feat in QSsl.SupportedFeature

    @staticmethod
    def implementedClasses(backendName: str = "") -> list[QSsl.ImplementedClass]:
        """All but those of DTLS."""
        return [each for each in QSsl.ImplementedClass if not each.name.startswith("Dtls")]

    @staticmethod
    def isClassImplemented(cl: QSsl.ImplementedClass, backendName: str = "") -> bool:
        return cl in SslSettings.implementedClasses()


def _change_default(change: Callable[[QSslConfiguration], Any]) -> Any:
    default = QSslConfiguration.defaultConfiguration()
    result = change(default)
    QSslConfiguration.setDefaultConfiguration(default)
    return result
