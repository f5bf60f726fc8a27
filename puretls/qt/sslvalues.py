"""What a QSslConfiguration holds: the choices of a program, and what a handshake has agreed on. Frozen values."""

from __future__ import annotations

import enum
from dataclasses import field
from typing import Any

from puretls.qt._names import QtNames
from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qssl import QSsl
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.qt.qsslcipher import QSslCipher
from puretls.qt.qssldiffiehellmanparameters import QSslDiffieHellmanParameters
from puretls.qt.qsslellipticcurve import QSslEllipticCurve
from puretls.qt.qsslkey import QSslKey
from puretls.values import frozen

_O = QSsl.SslOption
_DEFAULT_OPTIONS = (
    _O.SslOptionDisableEmptyFragments
    | _O.SslOptionDisableCompression
    | _O.SslOptionDisableLegacyRenegotiation
    | _O.SslOptionDisableSessionPersistence
)


class SslMode(enum.Enum):
    """Plain, or which end of TLS."""

    UnencryptedMode = 0
    SslClientMode = 1
    SslServerMode = 2


SslMode.__qualname__ = "QSslSocket.SslMode"


class PeerVerifyMode(enum.Enum):
    """What is asked of the peer's certificate; AutoVerifyPeer is VerifyPeer for a client and QueryPeer for a server."""

    VerifyNone = 0
    QueryPeer = 1
    VerifyPeer = 2
    AutoVerifyPeer = 3


PeerVerifyMode.__qualname__ = "QSslSocket.PeerVerifyMode"


class NextProtocolNegotiationStatus(enum.Enum):
    """Whether a protocol was agreed on (ALPN)."""

    NextProtocolNegotiationNone = 0
    NextProtocolNegotiationNegotiated = 1
    NextProtocolNegotiationUnsupported = 2


NextProtocolNegotiationStatus.__qualname__ = "QSslConfiguration.NextProtocolNegotiationStatus"


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


@frozen
class Choices:
    """What a program has chosen for its handshakes."""

    protocol: QSsl.SslProtocol = QSsl.SslProtocol.SecureProtocols
    ciphers: tuple[QSslCipher, ...] = ()
    elliptic_curves: tuple[QSslEllipticCurve, ...] = ()
    dh_parameters: QSslDiffieHellmanParameters = field(default_factory=QSslDiffieHellmanParameters.defaultParameters)
    local_chain: tuple[QSslCertificate, ...] = ()
    private_key: QSslKey = field(default_factory=QSslKey, repr=False)
    ca_certificates: tuple[QSslCertificate, ...] = ()
    trusts_system: bool = True
    peer_verify_mode: PeerVerifyMode = PeerVerifyMode.AutoVerifyPeer
    peer_verify_depth: int = 0
    interrupts_on_error: bool = False
    missing_certificate_is_fatal: bool = False
    ocsp_stapling: bool = False
    options: QSsl.SslOption = _DEFAULT_OPTIONS
    next_protocols: tuple[bytes, ...] = ()
    psk_hint: bytes = b""
    session: bytes = field(default=b"", repr=False)
    session_lifetime: int = -1
    keying_material: tuple[QSslKeyingMaterial, ...] = ()
    backend_options: tuple[tuple[bytes, Any], ...] = ()
    dtls_cookie: bool = True


@frozen
class Agreed:
    """What the last handshake has agreed on."""

    peer: QSslCertificate = field(default_factory=QSslCertificate)
    peer_chain: tuple[QSslCertificate, ...] = ()
    ephemeral_key: QSslKey = field(default_factory=QSslKey)
    next_protocol: bytes = b""
    next_protocol_status: NextProtocolNegotiationStatus = NextProtocolNegotiationStatus.NextProtocolNegotiationNone
    cipher: QSslCipher = field(default_factory=QSslCipher)
    protocol: QSsl.SslProtocol = QSsl.SslProtocol.UnknownProtocol
