"""What QSslSocket says about its back end, and the functions of Qt 5 that change the default configuration: no socket is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from puretls._version import __version__
from puretls.qt._names import QtNames
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qsslconfiguration import QSslConfiguration


class SslBackend(QtNames):
    """The static functions of QSslSocket."""

    # the default configuration, under the names of Qt 5

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
        """Trusts a list, or what a path with a pattern names. Returns whether something was found."""
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
        """Always True: there is no library that could be missing."""
        return True

    @staticmethod
    def sslLibraryVersionString() -> str:
        return f"puretls {__version__}"

    @staticmethod
    def sslLibraryVersionNumber() -> int:
        """The version as Qt's callers compare it: 0xMNN00000 of major and minor."""
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
        return [each for each in QSsl.SslProtocol if each in PROTOCOLS_WITH_TLS_1_2]

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
        return cl in SslBackend.implementedClasses()


def _change_default(change: Callable[[QSslConfiguration], Any]) -> Any:
    default = QSslConfiguration.defaultConfiguration()
    result = change(default)
    QSslConfiguration.setDefaultConfiguration(default)
    return result
