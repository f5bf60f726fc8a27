"""QSslConfiguration: everything a handshake is told, and what it has agreed on."""

from __future__ import annotations

import enum
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, ClassVar, TypeAlias

from puretls.errors import UsageError
from puretls.qt._names import QtNames, export_values
from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qmessage import qWarning
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher, suites_by_name
from puretls.qt.qssldiffiehellmanparameters import QSslDiffieHellmanParameters
from puretls.qt.qsslellipticcurve import SUPPORTED_NAMES, QSslEllipticCurve
from puretls.qt.qsslkey import QSslKey
from puretls.qt.verification import Trust

_O = QSsl.SslOption
_DEFAULT_OPTIONS = (
    _O.SslOptionDisableEmptyFragments
    | _O.SslOptionDisableCompression
    | _O.SslOptionDisableLegacyRenegotiation
    | _O.SslOptionDisableSessionPersistence
)


class PeerVerifyMode(enum.Enum):
    """What is asked of the peer's certificate; AutoVerifyPeer is VerifyPeer for a client and QueryPeer for a server."""

    VerifyNone = 0
    QueryPeer = 1
    VerifyPeer = 2
    AutoVerifyPeer = 3


PeerVerifyMode.__qualname__ = "QSslSocket.PeerVerifyMode"


class QSslKeyingMaterial(QtNames):
    """A request to export keying material (RFC 5705), and after the handshake its result."""

    def __init__(self, label: Any = b"", size: int = 0, context: Any = b"") -> None:
        given = label if isinstance(label, QSslKeyingMaterial) else None
        self._label: bytes = given._label if given else as_bytes(label)
        self._size: int = given._size if given else size
        self._context: bytes = given._context if given else as_bytes(context)
        self._value = b""

    def label(self) -> QByteArray:
        return QByteArray(self._label)

    def requestedSize(self) -> int:
        return self._size

    def context(self) -> QByteArray:
        return QByteArray(self._context)

    def value(self) -> QByteArray:
        """The material, empty before the handshake."""
        return QByteArray(self._value)

    def isValid(self) -> bool:
        return bool(self._label) and self._size > 0

    def clone(self) -> QSslKeyingMaterial:
        return QSslKeyingMaterial(self)

    def swap(self, other: QSslKeyingMaterial) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__


class NextProtocolNegotiationStatus(enum.Enum):
    """Whether a protocol was agreed on (ALPN)."""

    NextProtocolNegotiationNone = 0
    NextProtocolNegotiationNegotiated = 1
    NextProtocolNegotiationUnsupported = 2


NextProtocolNegotiationStatus.__qualname__ = "QSslConfiguration.NextProtocolNegotiationStatus"

_Status: TypeAlias = NextProtocolNegotiationStatus
_FRESH: dict[str, Any] = {
    "alpn": (), "alpn_status": NextProtocolNegotiationStatus.NextProtocolNegotiationNone, "alpn_chosen": b"",
    "backend": (), "anchors": (), "system_anchors": True, "ciphers": (), "cipher": QSslCipher(), "curves": (),
    "dh": QSslDiffieHellmanParameters.defaultParameters(), "dtls_cookie": True, "ephemeral": QSslKey(), "interrupt": False,
    "keying": (), "local_chain": (), "missing_fatal": False, "ocsp": False, "options": _DEFAULT_OPTIONS, "peer": QSslCertificate(),
    "peer_chain": (), "depth": 0, "mode": PeerVerifyMode.AutoVerifyPeer, "hint": b"", "key": QSslKey(),
    "protocol": QSsl.SslProtocol.SecureProtocols, "session_protocol": QSsl.SslProtocol.UnknownProtocol, "ticket": b"",
    "lifetime": -1,
}  # fmt: skip


class QSslConfiguration(QtNames):
    """A value: copies are independent, a socket keeps a copy of its own.

    Without CA certificates of one's own the system's roots are used, and loaded when the first certificate is verified.
    """

    NextProtocolNegotiationStatus = NextProtocolNegotiationStatus
    ALPNProtocolHTTP2 = "h2"
    NextProtocolHttp1_1 = "http/1.1"
    NextProtocolSpdy3_0 = "spdy/3"

    _default: ClassVar[QSslConfiguration | None] = None
    _default_dtls: ClassVar[QSslConfiguration | None] = None

    def __init__(self, other: QSslConfiguration | None = None) -> None:
        self._values: dict[str, Any] = dict(other._values if other is not None else _FRESH)

    # the default

    @staticmethod
    def defaultConfiguration() -> QSslConfiguration:
        """A copy of what new sockets begin with."""
        if QSslConfiguration._default is None:
            QSslConfiguration._default = QSslConfiguration()
            QSslConfiguration._default.setCiphers(QSslConfiguration.supportedCiphers())
        return QSslConfiguration(QSslConfiguration._default)

    @staticmethod
    def setDefaultConfiguration(configuration: QSslConfiguration) -> None:
        """What sockets made from now on begin with."""
        QSslConfiguration._default = QSslConfiguration(configuration)

    @staticmethod
    def defaultDtlsConfiguration() -> QSslConfiguration:
        """A value without use: there is no DTLS here."""
        return QSslConfiguration(QSslConfiguration._default_dtls or QSslConfiguration.defaultConfiguration())

    @staticmethod
    def setDefaultDtlsConfiguration(configuration: QSslConfiguration) -> None:
        QSslConfiguration._default_dtls = QSslConfiguration(configuration)

    @staticmethod
    def setDefaultCiphers(ciphers: str | Sequence[QSslCipher]) -> None:
        """The suites of the default configuration."""
        changed = QSslConfiguration.defaultConfiguration()
        changed.setCiphers(ciphers)
        QSslConfiguration.setDefaultConfiguration(changed)

    # value

    def isNull(self) -> bool:
        """Whether nothing was ever set to another value."""
        return self._values == _FRESH

    def swap(self, other: QSslConfiguration) -> None:
        self._values, other._values = other._values, self._values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslConfiguration) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    # protocol, suites, groups

    def protocol(self) -> QSsl.SslProtocol:
        return self._values["protocol"]  # type: ignore[no-any-return]

    def setProtocol(self, protocol: QSsl.SslProtocol) -> None:
        self._values["protocol"] = protocol

    def ciphers(self) -> list[QSslCipher]:
        """Suites in order of preference."""
        return list(self._values["ciphers"])

    def setCiphers(self, ciphers: str | Sequence[QSslCipher]) -> None:
        """A list, or names joined by colons; unknown names in a string are dropped."""
        if isinstance(ciphers, str):
            known = (QSslCipher(name) for name in ciphers.split(":"))
            self._values["ciphers"] = tuple(cipher for cipher in known if not cipher.isNull())
        else:
            self._values["ciphers"] = tuple(QSslCipher(cipher) for cipher in ciphers)

    @staticmethod
    def supportedCiphers() -> list[QSslCipher]:
        """All suites there are, those with weaknesses for teaching excepted."""
        return [QSslCipher._of(suite) for suite in suites_by_name().values()]

    def ellipticCurves(self) -> list[QSslEllipticCurve]:
        """Curves allowed; empty for puretls's choice."""
        return list(self._values["curves"])

    def setEllipticCurves(self, curves: Sequence[QSslEllipticCurve]) -> None:
        self._values["curves"] = tuple(curves)

    @staticmethod
    def supportedEllipticCurves() -> list[QSslEllipticCurve]:
        return [QSslEllipticCurve.fromShortName(name) for name in SUPPORTED_NAMES]

    def diffieHellmanParameters(self) -> QSslDiffieHellmanParameters:
        return QSslDiffieHellmanParameters(self._values["dh"])

    def setDiffieHellmanParameters(self, dhparams: QSslDiffieHellmanParameters) -> None:
        """The finite-field group of a server; empty parameters switch DHE off."""
        self._values["dh"] = QSslDiffieHellmanParameters(dhparams)

    # who we are

    def localCertificate(self) -> QSslCertificate:
        return QSslCertificate(self._values["local_chain"][0]) if self._values["local_chain"] else QSslCertificate()

    def setLocalCertificate(self, certificate: QSslCertificate) -> None:
        """Our certificate alone, in place of the chain."""
        self._values["local_chain"] = (QSslCertificate(certificate),)

    def localCertificateChain(self) -> list[QSslCertificate]:
        return list(self._values["local_chain"])

    def setLocalCertificateChain(self, localChain: Sequence[QSslCertificate]) -> None:
        """Our certificate and the intermediates, in the order in which they are sent."""
        self._values["local_chain"] = tuple(QSslCertificate(each) for each in localChain)

    def privateKey(self) -> QSslKey:
        return QSslKey(self._values["key"])

    def setPrivateKey(self, key: QSslKey) -> None:
        """The key of our certificate; that they fit is checked by the handshake."""
        self._values["key"] = QSslKey(key)

    # whom we trust

    def caCertificates(self) -> list[QSslCertificate]:
        """The CA certificates; the system's roots as long as none were set."""
        if self._values["system_anchors"] and not self._values["anchors"]:
            return self.systemCaCertificates()
        return list(self._values["anchors"])

    def setCaCertificates(self, certificates: Iterable[QSslCertificate]) -> None:
        """Trust these and no others; the system's roots are not loaded any more."""
        self._values["anchors"], self._values["system_anchors"] = tuple(QSslCertificate(each) for each in certificates), False

    def addCaCertificate(self, certificate: QSslCertificate) -> None:
        """Trust one more."""
        self.addCaCertificates([certificate])

    def addCaCertificates(
        self,
        certificates: str | Iterable[QSslCertificate],
        format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem,
        syntax: QSslCertificate.PatternSyntax = QSslCertificate.PatternSyntax.FixedString,
    ) -> bool:
        """Trust a list, or what is in the files of a path; for a path, whether something was found."""
        found = QSslCertificate.fromPath(certificates, format, syntax) if isinstance(certificates, str) else list(certificates)
        self._values["anchors"] = (*self._values["anchors"], *(QSslCertificate(each) for each in found))
        return bool(found)

    @staticmethod
    def systemCaCertificates() -> list[QSslCertificate]:
        """The roots of the system."""
        found = (QSslCertificate._of(der) for der in _system_anchors())
        return [certificate for certificate in found if not certificate.isNull()]

    def _trust(self) -> Trust:
        """What is trusted. Own CA certificates that have expired are left out, as Qt does; the system's come beside them."""
        own = [each._certificate for each in self._values["anchors"] if each._certificate is not None]
        current = [each for each in own if each.validity.not_after >= time.time()]
        system = _system_anchors() if self._values["system_anchors"] else ()
        roots = tuple(each.raw for each in current if each.is_self_issued)
        return Trust(roots + system, tuple(each.raw for each in current if not each.is_self_issued))

    def peerVerifyMode(self) -> PeerVerifyMode:
        return self._values["mode"]  # type: ignore[no-any-return]

    def setPeerVerifyMode(self, mode: PeerVerifyMode) -> None:
        self._values["mode"] = mode

    def peerVerifyDepth(self) -> int:
        return self._values["depth"]  # type: ignore[no-any-return]

    def setPeerVerifyDepth(self, depth: int) -> None:
        """The longest chain to accept, counted as Qt does; 0 is no limit."""
        if depth < 0:
            qWarning(f"QSslConfiguration::setPeerVerifyDepth: cannot set negative depth of {depth}")
        else:
            self._values["depth"] = depth

    def handshakeMustInterruptOnError(self) -> bool:
        return self._values["interrupt"]  # type: ignore[no-any-return]

    def setHandshakeMustInterruptOnError(self, interrupt: bool) -> None:
        """Tell of faults inside the handshake, so that the peer gets an alert that says what is wrong."""
        self._values["interrupt"] = bool(interrupt)

    def missingCertificateIsFatal(self) -> bool:
        return self._values["missing_fatal"]  # type: ignore[no-any-return]

    def setMissingCertificateIsFatal(self, cannotRecover: bool) -> None:
        """A peer without certificate ends the handshake with an alert, where a certificate is demanded."""
        self._values["missing_fatal"] = bool(cannotRecover)

    def ocspStaplingEnabled(self) -> bool:
        return self._values["ocsp"]  # type: ignore[no-any-return]

    def setOcspStaplingEnabled(self, enable: bool) -> None:
        """Ask the server for an OCSP answer, and insist on it."""
        self._values["ocsp"] = bool(enable)

    # options

    def testSslOption(self, option: QSsl.SslOption) -> bool:
        return bool(self._values["options"] & option)

    def setSslOption(self, option: QSsl.SslOption, on: bool) -> None:
        options = self._values["options"]
        self._values["options"] = options | option if on else options & ~option

    def allowedNextProtocols(self) -> list[QByteArray]:
        return [QByteArray(each) for each in self._values["alpn"]]

    def setAllowedNextProtocols(self, protocols: Sequence[Any]) -> None:
        """ALPN names in order of preference."""
        self._values["alpn"] = tuple(as_bytes(each) for each in protocols)

    def preSharedKeyIdentityHint(self) -> QByteArray:
        return QByteArray(self._values["hint"])

    def setPreSharedKeyIdentityHint(self, hint: Any) -> None:
        """What a server tells clients about the identity it wants."""
        self._values["hint"] = as_bytes(hint)

    def sessionTicket(self) -> QByteArray:
        """The session to resume: the one that was set, or (with persistence) the one that was made."""
        return QByteArray(self._values["ticket"])

    def setSessionTicket(self, sessionTicket: Any) -> None:
        """Resume this session; bytes that are none are ignored by the handshake."""
        self._values["ticket"] = as_bytes(sessionTicket)

    def sessionTicketLifeTimeHint(self) -> int:
        """Seconds, -1 if there is no session."""
        return self._values["lifetime"]  # type: ignore[no-any-return]

    def backendConfiguration(self) -> dict[QByteArray, Any]:
        return {QByteArray(name): value for name, value in self._values["backend"]}

    def setBackendConfiguration(self, backendConfiguration: dict[Any, Any] | None = None) -> None:
        """Kept and not used: there is no OpenSSL to configure."""
        self._values["backend"] = tuple((as_bytes(name), value) for name, value in (backendConfiguration or {}).items())

    def setBackendConfigurationOption(self, name: Any, value: Any) -> None:
        """Kept and not used."""
        others = tuple(each for each in self._values["backend"] if each[0] != as_bytes(name))
        self._values["backend"] = (*others, (as_bytes(name), value))

    def setKeyingMaterial(self, keyMaterial: Sequence[QSslKeyingMaterial]) -> None:
        """What to export once the handshake is over (RFC 5705); `takeKeyingMaterial` of the socket's configuration has it."""
        self._values["keying"] = tuple(each.clone() for each in keyMaterial)

    def takeKeyingMaterial(self) -> list[QSslKeyingMaterial]:
        """The exported material, once."""
        taken, self._values["keying"] = list(self._values["keying"]), ()
        return taken

    def dtlsCookieVerificationEnabled(self) -> bool:
        return self._values["dtls_cookie"]  # type: ignore[no-any-return]

    def setDtlsCookieVerificationEnabled(self, enable: bool) -> None:
        """Without use: there is no DTLS here."""
        self._values["dtls_cookie"] = bool(enable)

    # what was agreed on

    def peerCertificate(self) -> QSslCertificate:
        return QSslCertificate(self._values["peer"])

    def peerCertificateChain(self) -> list[QSslCertificate]:
        return list(self._values["peer_chain"])

    def sessionCipher(self) -> QSslCipher:
        return QSslCipher(self._values["cipher"])

    def sessionProtocol(self) -> QSsl.SslProtocol:
        return self._values["session_protocol"]  # type: ignore[no-any-return]

    def ephemeralServerKey(self) -> QSslKey:
        """The server's key share, as a client saw it."""
        return QSslKey(self._values["ephemeral"])

    def nextNegotiatedProtocol(self) -> QByteArray:
        return QByteArray(self._values["alpn_chosen"])

    def nextProtocolNegotiationStatus(self) -> _Status:
        return self._values["alpn_status"]  # type: ignore[no-any-return]


@cache
def _system_anchors() -> tuple[bytes, ...]:
    from puretls.roots import system_roots

    try:
        return system_roots()
    except UsageError:
        return ()  # nothing can be verified then, which is said certificate by certificate



export_values(QSslConfiguration, NextProtocolNegotiationStatus)
