"""QSslConfiguration: everything a handshake is told, and what it has agreed on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar, TypeAlias

from puretls.errors import UsageError
from puretls.qt._names import QtNames, export_values
from puretls.qt.certificatefiles import PatternSyntax
from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qmessage import qWarning
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher, suites_by_name
from puretls.qt.qssldiffiehellmanparameters import QSslDiffieHellmanParameters
from puretls.qt.qsslellipticcurve import SUPPORTED_NAMES, QSslEllipticCurve
from puretls.qt.qsslerror import QSslError
from puretls.qt.qsslkey import QSslKey
from puretls.qt.sslvalues import Agreed, Choices, NextProtocolNegotiationStatus, PeerVerifyMode, QSslKeyingMaterial
from puretls.qt.verification import Trust, examine, faults_of, name_matches
from puretls.x509.verifier import ChainRequest

_E = QSslError.SslError
_Status: TypeAlias = NextProtocolNegotiationStatus


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
        self._choices: Choices = other._choices if other is not None else Choices()
        self._agreed: Agreed = other._agreed if other is not None else Agreed()

    def _choose(self, **values: Any) -> None:
        self._choices = replace(self._choices, **values)

    def _agree(self, **values: Any) -> None:
        self._agreed = replace(self._agreed, **values)

    def _forget_agreed(self) -> None:
        self._agreed = Agreed()

    def _with_agreed_of(self, other: QSslConfiguration) -> QSslConfiguration:
        """A copy, with what another configuration has agreed on."""
        made = QSslConfiguration(self)
        made._agreed = other._agreed
        return made

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
        """Has no effect: there is no DTLS here."""
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
        return self == QSslConfiguration()

    def swap(self, other: QSslConfiguration) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslConfiguration) and (self._choices, self._agreed) == (other._choices, other._agreed)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    # protocol, suites, groups

    def protocol(self) -> QSsl.SslProtocol:
        return self._choices.protocol

    def setProtocol(self, protocol: QSsl.SslProtocol) -> None:
        self._choose(protocol=protocol)

    def ciphers(self) -> list[QSslCipher]:
        """Suites in order of preference."""
        return list(self._choices.ciphers)

    def setCiphers(self, ciphers: str | Sequence[QSslCipher]) -> None:
        """A list, or names joined by colons; unknown names in a string are dropped."""
        if isinstance(ciphers, str):
            known = (QSslCipher(name) for name in ciphers.split(":"))
            self._choose(ciphers=tuple(cipher for cipher in known if not cipher.isNull()))
        else:
            self._choose(ciphers=tuple(QSslCipher(cipher) for cipher in ciphers))

    @staticmethod
    def supportedCiphers() -> list[QSslCipher]:
        """All suites there are, those with weaknesses for teaching excepted."""
        return [QSslCipher._of(suite) for suite in suites_by_name().values()]

    def ellipticCurves(self) -> list[QSslEllipticCurve]:
        """Curves allowed; empty for puretls's choice."""
        return list(self._choices.elliptic_curves)

    def setEllipticCurves(self, curves: Sequence[QSslEllipticCurve]) -> None:
        self._choose(elliptic_curves=tuple(curves))

    @staticmethod
    def supportedEllipticCurves() -> list[QSslEllipticCurve]:
        return [QSslEllipticCurve.fromShortName(name) for name in SUPPORTED_NAMES]

    def diffieHellmanParameters(self) -> QSslDiffieHellmanParameters:
        return QSslDiffieHellmanParameters(self._choices.dh_parameters)

    def setDiffieHellmanParameters(self, dhparams: QSslDiffieHellmanParameters) -> None:
        """The finite-field group of a server; empty parameters switch DHE off."""
        self._choose(dh_parameters=QSslDiffieHellmanParameters(dhparams))

    # who we are

    def localCertificate(self) -> QSslCertificate:
        return QSslCertificate(self._choices.local_chain[0]) if self._choices.local_chain else QSslCertificate()

    def setLocalCertificate(self, certificate: QSslCertificate) -> None:
        """Our certificate alone, in place of the chain."""
        self._choose(local_chain=(QSslCertificate(certificate),))

    def localCertificateChain(self) -> list[QSslCertificate]:
        return list(self._choices.local_chain)

    def setLocalCertificateChain(self, localChain: Sequence[QSslCertificate]) -> None:
        """Our certificate and the intermediates, in the order in which they are sent."""
        self._choose(local_chain=tuple(QSslCertificate(each) for each in localChain))

    def privateKey(self) -> QSslKey:
        return QSslKey(self._choices.private_key)

    def setPrivateKey(self, key: QSslKey) -> None:
        """The key of our certificate; that they fit is checked by the handshake."""
        self._choose(private_key=QSslKey(key))

    # whom we trust

    def caCertificates(self) -> list[QSslCertificate]:
        """The CA certificates; the system's roots as long as none were set."""
        if self._choices.trusts_system and not self._choices.ca_certificates:
            return self.systemCaCertificates()
        return list(self._choices.ca_certificates)

    def setCaCertificates(self, certificates: Iterable[QSslCertificate]) -> None:
        """Trust these and no others; the system's roots are not loaded any more."""
        self._choose(ca_certificates=tuple(QSslCertificate(each) for each in certificates), trusts_system=False)

    def addCaCertificate(self, certificate: QSslCertificate) -> None:
        """Trust one more."""
        self.addCaCertificates([certificate])

    def addCaCertificates(
        self,
        certificates: str | Iterable[QSslCertificate],
        format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem,
        syntax: PatternSyntax = PatternSyntax.FixedString,
    ) -> bool:
        """Trust a list, or what is in the files of a path; for a path, whether something was found."""
        found = QSslCertificate.fromPath(certificates, format, syntax) if isinstance(certificates, str) else list(certificates)
        self._choose(ca_certificates=(*self._choices.ca_certificates, *(QSslCertificate(each) for each in found)))
        return bool(found)

    @staticmethod
    def systemCaCertificates() -> list[QSslCertificate]:
        """The roots of the system."""
        found = (QSslCertificate._of(der) for der in _system_anchors())
        return [certificate for certificate in found if not certificate.isNull()]

    def _trust(self) -> Trust:
        """What is trusted. Own CA certificates that have expired are left out, as Qt does; the system's come beside them."""
        own = [each._certificate for each in self._choices.ca_certificates if each._certificate is not None]
        current = [each for each in own if each.validity.not_after >= time.time()]
        system = _system_anchors() if self._choices.trusts_system else ()
        roots = tuple(each.raw for each in current if each.is_self_issued)
        return Trust(roots + system, tuple(each.raw for each in current if not each.is_self_issued))

    def peerVerifyMode(self) -> PeerVerifyMode:
        return self._choices.peer_verify_mode

    def setPeerVerifyMode(self, mode: PeerVerifyMode) -> None:
        self._choose(peer_verify_mode=mode)

    def peerVerifyDepth(self) -> int:
        return self._choices.peer_verify_depth

    def setPeerVerifyDepth(self, depth: int) -> None:
        """The longest chain to accept, counted as Qt does; 0 is no limit."""
        if depth < 0:
            qWarning(f"QSslConfiguration::setPeerVerifyDepth: cannot set negative depth of {depth}")
        else:
            self._choose(peer_verify_depth=depth)

    def handshakeMustInterruptOnError(self) -> bool:
        return self._choices.interrupts_on_error

    def setHandshakeMustInterruptOnError(self, interrupt: bool) -> None:
        """Tell of faults inside the handshake, so that the peer gets an alert that says what is wrong."""
        self._choose(interrupts_on_error=bool(interrupt))

    def missingCertificateIsFatal(self) -> bool:
        return self._choices.missing_certificate_is_fatal

    def setMissingCertificateIsFatal(self, cannotRecover: bool) -> None:
        """A peer without certificate ends the handshake with an alert, where a certificate is demanded."""
        self._choose(missing_certificate_is_fatal=bool(cannotRecover))

    def ocspStaplingEnabled(self) -> bool:
        return self._choices.ocsp_stapling

    def setOcspStaplingEnabled(self, enable: bool) -> None:
        """Ask the server for an OCSP answer, and insist on it."""
        self._choose(ocsp_stapling=bool(enable))

    # options

    def testSslOption(self, option: QSsl.SslOption) -> bool:
        return bool(self._choices.options & option)

    def setSslOption(self, option: QSsl.SslOption, on: bool) -> None:
        options = self._choices.options
        self._choose(options=options | option if on else options & ~option)

    def allowedNextProtocols(self) -> list[QByteArray]:
        return [QByteArray(each) for each in self._choices.next_protocols]

    def setAllowedNextProtocols(self, protocols: Sequence[Any]) -> None:
        """ALPN names in order of preference."""
        self._choose(next_protocols=tuple(as_bytes(each) for each in protocols))

    def preSharedKeyIdentityHint(self) -> QByteArray:
        return QByteArray(self._choices.psk_hint)

    def setPreSharedKeyIdentityHint(self, hint: Any) -> None:
        """What a server tells clients about the identity it wants."""
        self._choose(psk_hint=as_bytes(hint))

    def sessionTicket(self) -> QByteArray:
        """The session to resume: the one that was set, or (with persistence) the one that was made."""
        return QByteArray(self._choices.session)

    def setSessionTicket(self, sessionTicket: Any) -> None:
        """Resume this session; bytes that are none are ignored by the handshake."""
        self._choose(session=as_bytes(sessionTicket))

    def sessionTicketLifeTimeHint(self) -> int:
        """Seconds, -1 if there is no session."""
        return self._choices.session_lifetime

    def backendConfiguration(self) -> dict[QByteArray, Any]:
        return {QByteArray(name): value for name, value in self._choices.backend_options}

    def setBackendConfiguration(self, backendConfiguration: dict[Any, Any] | None = None) -> None:
        """Kept and not used: there is no OpenSSL to configure."""
        self._choose(backend_options=tuple((as_bytes(name), value) for name, value in (backendConfiguration or {}).items()))

    def setBackendConfigurationOption(self, name: Any, value: Any) -> None:
        """Kept and not used."""
        others = tuple(each for each in self._choices.backend_options if each[0] != as_bytes(name))
        self._choose(backend_options=(*others, (as_bytes(name), value)))

    def setKeyingMaterial(self, keyMaterial: Sequence[QSslKeyingMaterial]) -> None:
        """What to export once the handshake is over (RFC 5705); `takeKeyingMaterial` of the socket's configuration has it."""
        self._choose(keying_material=tuple(each.clone() for each in keyMaterial))

    def takeKeyingMaterial(self) -> list[QSslKeyingMaterial]:
        """The exported material, once."""
        taken = list(self._choices.keying_material)
        self._choose(keying_material=())
        return taken

    def dtlsCookieVerificationEnabled(self) -> bool:
        return self._choices.dtls_cookie

    def setDtlsCookieVerificationEnabled(self, enable: bool) -> None:
        """Has no effect: there is no DTLS here."""
        self._choose(dtls_cookie=bool(enable))

    # what was agreed on

    def peerCertificate(self) -> QSslCertificate:
        return QSslCertificate(self._agreed.peer)

    def peerCertificateChain(self) -> list[QSslCertificate]:
        return list(self._agreed.peer_chain)

    def sessionCipher(self) -> QSslCipher:
        return QSslCipher(self._agreed.cipher)

    def sessionProtocol(self) -> QSsl.SslProtocol:
        return self._agreed.protocol

    def ephemeralServerKey(self) -> QSslKey:
        """The server's key share, as a client saw it."""
        return QSslKey(self._agreed.ephemeral_key)

    def nextNegotiatedProtocol(self) -> QByteArray:
        return QByteArray(self._agreed.next_protocol)

    def nextProtocolNegotiationStatus(self) -> _Status:
        return self._agreed.next_protocol_status


@cache
def _system_anchors() -> tuple[bytes, ...]:
    from puretls.roots import system_roots

    try:
        return system_roots()
    except UsageError:
        return ()  # nothing can be verified then, which is said certificate by certificate


def _verify_chain(chain: Sequence[QSslCertificate], host: str) -> list[QSslError]:
    """The work of `QSslCertificate.verify`: the CAs of the default configuration, any purpose, the name first."""
    given = [each for each in chain if not each.isNull()]
    if not given:
        return [QSslError(_E.UnspecifiedError)]
    errors = []
    if host and not name_matches(given[0], host):
        errors.append(QSslError(_E.HostNameMismatch, given[0]))
    ders = tuple(bytes(each.toDer()) for each in given)
    trust = QSslConfiguration.defaultConfiguration()._trust()
    report = examine(ChainRequest(ders, "server", None, time.time()), trust)
    found = faults_of(report, given, trust)
    return errors + [each for each in found if each.error() is not _E.InvalidPurpose]


QSslCertificate._verifier = staticmethod(_verify_chain)
export_values(QSslConfiguration, NextProtocolNegotiationStatus)
