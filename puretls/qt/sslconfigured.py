"""The functions of QSslSocket that ask or change its settings alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from puretls.handshake.states import Role
from puretls.qt._names import QtNames
from puretls.qt.qmessage import qWarning
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslkey import QSslKey
from puretls.qt.sslsettings import SslSettings
from puretls.watch import Watcher

P = ParamSpec("P")
R = TypeVar("R")


def _shared(function: Callable[Concatenate[QSslConfiguration, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The same function of the socket's configuration."""

    @wraps(function)
    def call(self: SslConfigured, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(self._settings.config, *args, **kwargs)

    return call


class SslConfigured(QtNames):
    """What has SslSettings: the class that inherits this makes them."""

    _settings: SslSettings

    protocol = _shared(QSslConfiguration.protocol)
    setProtocol = _shared(QSslConfiguration.setProtocol)
    peerVerifyMode = _shared(QSslConfiguration.peerVerifyMode)
    setPeerVerifyMode = _shared(QSslConfiguration.setPeerVerifyMode)
    peerVerifyDepth = _shared(QSslConfiguration.peerVerifyDepth)
    localCertificate = _shared(QSslConfiguration.localCertificate)
    localCertificateChain = _shared(QSslConfiguration.localCertificateChain)
    setLocalCertificateChain = _shared(QSslConfiguration.setLocalCertificateChain)
    privateKey = _shared(QSslConfiguration.privateKey)
    peerCertificate = _shared(QSslConfiguration.peerCertificate)
    peerCertificateChain = _shared(QSslConfiguration.peerCertificateChain)
    caCertificates = _shared(QSslConfiguration.caCertificates)
    setCaCertificates = _shared(QSslConfiguration.setCaCertificates)
    addCaCertificate = _shared(QSslConfiguration.addCaCertificate)
    addCaCertificates = _shared(QSslConfiguration.addCaCertificates)
    ciphers = _shared(QSslConfiguration.ciphers)
    setCiphers = _shared(QSslConfiguration.setCiphers)

    def setPeerVerifyDepth(self, depth: int) -> None:
        if depth < 0:
            qWarning(f"QSslSocket::setPeerVerifyDepth: cannot set negative depth of {depth}")
        else:
            self._settings.config.setPeerVerifyDepth(depth)

    def setLocalCertificate(
        self, certificate: QSslCertificate | str, format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem
    ) -> None:
        """Our certificate, or a file with it; a file that cannot be read changes nothing, one without a certificate gives a null one."""
        if isinstance(certificate, str):
            try:
                content = Path(certificate).read_bytes()
            except OSError:
                return
            certificate = QSslCertificate(content, format)
        self._settings.config.setLocalCertificate(certificate)

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
        self._settings.config.setPrivateKey(key)

    def setSslConfiguration(self, config: QSslConfiguration) -> None:
        """Takes another configuration; what was agreed on stays."""
        self._settings.take_configuration(config)

    def peerVerifyName(self) -> str:
        return self._settings.verify_name

    def setPeerVerifyName(self, hostName: str) -> None:
        """The name to verify, and to send, instead of the host name."""
        self._settings.verify_name = hostName

    def setInterceptor(self, *interceptors: Any) -> None:
        """Watches and changes the messages of the next handshake: see puretls.intercept. Without arguments: no more."""
        self._settings.interceptors = interceptors

    def setWatcher(self, watcher: Callable[[Role], Watcher | None] | None) -> None:
        """Tells of all bytes of the next connections, such as `puretls.inspect.Recordings()`: see puretls.watch. None: no more."""
        self._settings.watcher = watcher
