"""TLS 1.2 in pure Python: a protocol stack whose every byte can be explained and every step changed.

The paved path: `Connection` with a `ClientConfig` or `ServerConfig`, and the events it tells. Names load on first use, so that
`import puretls` costs next to nothing.

PYTEST_DONT_REWRITE (pytest would warn, in projects with a plugin of ours, wherever puretls was imported before pytest began.)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from puretls._version import __version__

if TYPE_CHECKING:
    from puretls.config import PENDING, ClientConfig, Credential, Limits, ServerConfig
    from puretls.connection import Connection
    from puretls.errors import (
        Aborted,
        CallbackError,
        DangerWarning,
        DecodeError,
        FatalAlert,
        InternalError,
        KeyLimitReached,
        PeerError,
        PuretlsError,
        Reason,
        TlsError,
        Truncated,
        UsageError,
        VerificationError,
    )
    from puretls.events import (
        NEED_DATA,
        PAUSED,
        AlertReceived,
        AlertSent,
        CertificateReceived,
        ConnectionClosed,
        DataReceived,
        Event,
        HandshakeCompleted,
        HandshakeStarted,
        ParametersNegotiated,
        RenegotiationRefused,
        TicketReceived,
        VerificationRequired,
    )
    from puretls.extensions import Alpn, ServerName
    from puretls.intercept import Direction, Interceptor, Where
    from puretls.session import MemorySessionStore, Session, TicketKeys

_HOMES = {
    "puretls.config": ("PENDING", "ClientConfig", "Credential", "Limits", "ServerConfig"),
    "puretls.connection": ("Connection",),
    "puretls.errors": (
        "Aborted",
        "CallbackError",
        "DangerWarning",
        "DecodeError",
        "FatalAlert",
        "InternalError",
        "KeyLimitReached",
        "PeerError",
        "PuretlsError",
        "Reason",
        "TlsError",
        "Truncated",
        "UsageError",
        "VerificationError",
    ),
    "puretls.events": (
        "NEED_DATA",
        "PAUSED",
        "AlertReceived",
        "AlertSent",
        "CertificateReceived",
        "ConnectionClosed",
        "DataReceived",
        "Event",
        "HandshakeCompleted",
        "HandshakeStarted",
        "ParametersNegotiated",
        "RenegotiationRefused",
        "TicketReceived",
        "VerificationRequired",
    ),
    "puretls.extensions": ("Alpn", "ServerName"),
    "puretls.intercept": ("Direction", "Interceptor", "Where"),
    "puretls.session": ("MemorySessionStore", "Session", "TicketKeys"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "NEED_DATA",
    "PAUSED",
    "PENDING",
    "Aborted",
    "AlertReceived",
    "AlertSent",
    "Alpn",
    "CallbackError",
    "CertificateReceived",
    "ClientConfig",
    "Connection",
    "ConnectionClosed",
    "Credential",
    "DangerWarning",
    "DataReceived",
    "DecodeError",
    "Direction",
    "Event",
    "FatalAlert",
    "HandshakeCompleted",
    "HandshakeStarted",
    "Interceptor",
    "InternalError",
    "KeyLimitReached",
    "Limits",
    "MemorySessionStore",
    "ParametersNegotiated",
    "PeerError",
    "PuretlsError",
    "Reason",
    "RenegotiationRefused",
    "ServerConfig",
    "ServerName",
    "Session",
    "TicketKeys",
    "TicketReceived",
    "TlsError",
    "Truncated",
    "UsageError",
    "VerificationError",
    "VerificationRequired",
    "Where",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'puretls' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
