"""From a QSslConfiguration to puretls's own: what a handshake of QSslSocket is configured with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from puretls import key_exchange
from puretls.config import DEFAULT_GROUPS, ClientConfig, Credential, ServerConfig, Verifier
from puretls.errors import PeerError, PuretlsError, Reason, UsageError
from puretls.extensions import Alpn, Extension, ServerName, StatusRequest
from puretls.iana import ExtensionType, NamedGroup
from puretls.intercept import Direction, Interceptor, Where
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello
from puretls.qt.qssl import PROTOCOLS_WITH_TLS_1_2, QSsl
from puretls.qt.qsslconfiguration import QSslConfiguration
from puretls.qt.qsslpresharedkeyauthenticator import MAX_IDENTITY, MAX_KEY
from puretls.qt.sslvalues import PeerVerifyMode
from puretls.session import Session
from puretls.suites import Suite
from puretls.values import frozen
from puretls.wire.schema import Struct
from puretls.x509.hostname import parse_reference

_O = QSsl.SslOption
_FINITE_FIELDS = tuple(group for group in DEFAULT_GROUPS if group.name.startswith("FFDHE"))


class CannotStart(PuretlsError):
    """The configuration leaves nothing to begin a handshake with. `str()` says why."""


@frozen
class Questions:
    """What the socket is asked during a handshake."""

    verify: Verifier
    client_psk: Callable[[bytes | None], tuple[bytes, bytes] | None]
    server_psk: Callable[[bytes], bytes | None]
    interceptors: tuple[Any, ...] = ()


def client_config(given: QSslConfiguration, questions: Questions) -> ClientConfig:
    """A client's configuration. Raises `CannotStart`."""
    extensions: tuple[Extension, ...] = (
        Alpn(*_protocol_names(given)),
        StatusRequest(enabled=given.ocspStaplingEnabled()),
        ServerName(enabled=not given.testSslOption(_O.SslOptionDisableServerNameIndication)),
    )
    try:
        return ClientConfig(
            suites=_suites(given),
            groups=_groups(given),
            extensions=extensions,
            credentials=_credentials(given),
            verifier=questions.verify,
            tickets=not given.testSslOption(_O.SslOptionDisableSessionTickets),
            psk=questions.client_psk,
            interceptors=_interceptors(given, questions),
            renegotiation=True,
        )
    except UsageError as problem:
        raise CannotStart(str(problem)) from None


def server_config(given: QSslConfiguration, questions: Questions) -> ServerConfig:
    """A server's configuration. Raises `CannotStart`. Without certificate only suites of shared keys are left, as in Qt."""
    credentials, suites, psk = _credentials(given), _suites(given), questions.server_psk
    finite_field, names = given.diffieHellmanParameters(), _protocol_names(given)
    if finite_field.isEmpty():
        suites = tuple(suite for suite in suites if not suite.is_finite_field)
    if not credentials:
        suites = tuple(suite for suite in suites if not suite.has_certificate)
    if not suites:
        suites, psk = (_NOBODY_HAS_IT,), _no_key
    try:
        return ServerConfig(
            suites=suites,
            groups=_groups(given),
            extensions=(Alpn(select=_first_of_both(names)),),
            credentials=credentials,
            verifier=questions.verify,
            client_authentication=_client_authentication(given),
            tickets=None if given.testSslOption(_O.SslOptionDisableSessionTickets) else _fresh_tickets(),
            psk=psk,
            psk_hint=bytes(given.preSharedKeyIdentityHint()) or None,
            dh_parameters=finite_field._numbers,
            prefer_client_order=given.testSslOption(_O.SslOptionDisableServerCipherPreference),
            interceptors=_interceptors(given, questions),
            renegotiation=True,
        )
    except UsageError as problem:
        raise CannotStart(str(problem)) from None


def _no_key(identity: bytes) -> bytes | None:
    return None


def _fresh_tickets() -> Any:
    from puretls.session import TicketKeys

    return TicketKeys()


def _suite_nobody_has() -> Suite:
    from puretls.suites import SUITES

    return next(suite for suite in reversed(SUITES) if suite.kx is key_exchange.PSK and not suite.danger)


_NOBODY_HAS_IT = _suite_nobody_has()
"""What a server without any usable suite has in their place: the ClientHello is answered, with handshake_failure."""


def _client_authentication(given: QSslConfiguration) -> str:
    """Qt decides after the handshake about a client without certificate, unless that is fatal."""
    if given.peerVerifyMode() is PeerVerifyMode.VerifyNone:
        return "none"
    return "require" if given.missingCertificateIsFatal() and given.peerVerifyMode() is PeerVerifyMode.VerifyPeer else "request"


class OtherVersion(Interceptor):
    """Keeps a configuration for versions that puretls does not speak from becoming another: the peer is told, and refuses.

    A client offers what was asked for and nothing else; a server refuses TLS 1.2 itself.
    """

    def __init__(self, protocol: QSsl.SslProtocol) -> None:
        self._version = _LEGACY_VERSIONS.get(protocol, 0x0304)

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        """Changes the ClientHello that is sent, refuses the one that comes."""
        if not isinstance(message, ClientHello):
            return (message,)
        if where.direction is Direction.INBOUND:
            raise PeerError(Reason.VERSION_TOO_OLD, f"version {self._version:#06x} alone is allowed here, and puretls lacks it")
        if self._version <= 0x0302:
            return (replace(message, client_version=self._version),)
        only = RawExtension(ExtensionType.SUPPORTED_VERSIONS, b"\2" + self._version.to_bytes(2, "big"))
        return (replace(message, extensions=(only, *(message.extensions or ()))),)


_LEGACY_VERSIONS = {
    QSsl.SslProtocol.SslV2: 0x0002,
    QSsl.SslProtocol.SslV3: 0x0300,
    QSsl.SslProtocol.TlsV1SslV3: 0x0301,
    QSsl.SslProtocol.TlsV1_0: 0x0301,
    QSsl.SslProtocol.TlsV1_1: 0x0302,
}


def _interceptors(given: QSslConfiguration, questions: Questions) -> tuple[Any, ...]:
    """Those of the program, and one where the protocol asked for is none of ours."""
    if given.protocol() in PROTOCOLS_WITH_TLS_1_2:
        return questions.interceptors
    return (*questions.interceptors, OtherVersion(given.protocol()))


def _suites(given: QSslConfiguration) -> tuple[Suite, ...]:
    ciphers = given.ciphers() or QSslConfiguration.defaultConfiguration().ciphers()
    suites = tuple(dict.fromkeys(cipher._suite for cipher in ciphers if cipher._suite is not None))
    if not suites:
        raise CannotStart("Invalid or empty cipher list")
    return suites


def _groups(given: QSslConfiguration) -> tuple[NamedGroup, ...]:
    chosen = tuple(group for curve in given.ellipticCurves() if (group := curve._group()) is not None)
    if given.ellipticCurves() and not chosen:
        raise CannotStart("none of the elliptic curves that were set can be used")
    return chosen + _FINITE_FIELDS if chosen else DEFAULT_GROUPS


def _protocol_names(given: QSslConfiguration) -> list[str]:
    return [bytes(each).decode("latin-1") for each in given.allowedNextProtocols()]


def _first_of_both(names: list[str]) -> Callable[[tuple[str, ...]], str | None]:
    """Qt's server takes the client's favourite, and goes on without when there is nothing in common."""
    return lambda offered: next((name for name in offered if name in names), None)


def _credentials(given: QSslConfiguration) -> tuple[Credential, ...]:
    chain, key = given.localCertificateChain(), given.privateKey()
    if not chain or chain[0].isNull():
        return ()
    if key._key is None:
        raise CannotStart("Cannot provide a certificate with no key")
    try:
        return (Credential(tuple(bytes(each.toDer()) for each in chain), key._key),)  # type: ignore[arg-type]
    except UsageError as problem:
        raise CannotStart(f"Private key does not certify public key: {problem}") from None


def session_of(given: QSslConfiguration) -> Session | None:
    """The session that was set to be resumed, if it is one."""
    ticket = bytes(given.sessionTicket())
    try:
        return Session.from_bytes(ticket) if ticket else None
    except PuretlsError:
        return None


def server_name_for(name: str) -> str | None:
    """The name to send in server_name: none for addresses, and for what is no host name."""
    try:
        return parse_reference(name).sni
    except UsageError:
        return None


def usable_psk(identity: bytes, key: bytes) -> bool:
    """Whether a program has filled in something that fits."""
    return 0 < len(key) <= MAX_KEY and len(identity) <= MAX_IDENTITY
