"""Which versions a context speaks, by its protocol, its bounds and its options: the numbers, and CPython's checks of them."""

from __future__ import annotations

import warnings
from typing import Any

from puretls.ssl.conversions import c_int

SSL_3, TLS_1, TLS_1_1, TLS_1_2, TLS_1_3 = 0x300, 0x301, 0x302, 0x303, 0x304
MINIMUM_SUPPORTED, MAXIMUM_SUPPORTED = -2, -1
PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 2, 16, 17

_FIXED = {3: TLS_1, 4: TLS_1_1, 5: TLS_1_2}
"""Protocols of one version."""
_OLD = {"PROTOCOL_TLS": 2, "PROTOCOL_TLSv1": 3, "PROTOCOL_TLSv1_1": 4, "PROTOCOL_TLSv1_2": 5}
_OLD_VERSIONS = {SSL_3: "SSLv3", TLS_1: "TLSv1", TLS_1_1: "TLSv1_1"}
_VERSIONS = (SSL_3, TLS_1, TLS_1_1, TLS_1_2, TLS_1_3)
_OPTIONS = {SSL_3: 0x2000000, TLS_1: 0x4000000, TLS_1_1: 0x10000000, TLS_1_2: 0x8000000, TLS_1_3: 0x20000000}
"""OP_NO_... of each version."""
_ANY_VERSION = sum(_OPTIONS.values())
NO_TICKET, SERVER_PREFERENCE, NO_RENEGOTIATION, IGNORE_UNEXPECTED_EOF = 0x4000, 0x400000, 0x40000000, 0x80
DEFAULT_OPTIONS = 0x82520050
"""OP_ALL, no SSL 3.0, no compression, the server's order of suites, compatibility with middle boxes."""


class Versions:
    """Protocol, options, and the bounds of a context. Setters raise what CPython's do, in its words."""

    def __init__(self, protocol: Any) -> None:
        self.protocol: int = c_int(protocol)
        if self.protocol not in {*_OLD.values(), PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER}:
            raise ValueError(f"invalid or unsupported protocol version {self.protocol}")
        for name, number in _OLD.items():
            if number == self.protocol:
                _deprecated(f"ssl.{name} is deprecated", 5)
        self.minimum = MINIMUM_SUPPORTED if self.protocol in _FIXED else TLS_1_2
        self.maximum: int = MAXIMUM_SUPPORTED
        self.options: int = DEFAULT_OPTIONS

    @property
    def is_server_only(self) -> bool:
        return self.protocol == PROTOCOL_TLS_SERVER

    @property
    def is_client_only(self) -> bool:
        return self.protocol == PROTOCOL_TLS_CLIENT

    @property
    def allow_tls_1_2(self) -> bool:
        """Whether the one version that there is here may be spoken."""
        if _FIXED.get(self.protocol, TLS_1_2) != TLS_1_2 or self.options & _OPTIONS[TLS_1_2]:
            return False
        return self.minimum <= TLS_1_2 and (self.maximum == MAXIMUM_SUPPORTED or self.maximum >= TLS_1_2)

    def set_options(self, value: Any) -> None:
        if not isinstance(value, int):
            raise TypeError(f"argument must be int, not {type(value).__name__}")
        if value < 0:
            raise OverflowError("can't convert negative value to unsigned int")
        if value >= 1 << 64:
            raise OverflowError("Python int too large to convert to C unsigned long")
        if value & ~self.options & _ANY_VERSION:
            _deprecated("ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated", 5)
        self.options = int(value)

    def set_minimum(self, value: Any) -> None:
        wanted = self._bound(value)
        if wanted == TLS_1_3:
            raise ValueError(f"Unsupported protocol version 0x{wanted:x}: puretls speaks TLS 1.2")
        self.minimum = TLS_1_2 if wanted == MAXIMUM_SUPPORTED else wanted

    def set_maximum(self, value: Any) -> None:
        wanted = self._bound(value)
        self.maximum = TLS_1 if wanted == MINIMUM_SUPPORTED else wanted

    def _bound(self, value: Any) -> int:
        wanted = c_int(value)
        if self.protocol in _FIXED:
            raise ValueError("The context's protocol doesn't support modification of highest and lowest version.")
        if wanted in _OLD_VERSIONS:
            _deprecated(f"ssl.TLSVersion.{_OLD_VERSIONS[wanted]} is deprecated", 6)
        elif wanted not in {*_VERSIONS, MINIMUM_SUPPORTED, MAXIMUM_SUPPORTED}:
            raise ValueError(f"Unsupported TLS/SSL version 0x{wanted & 0xFFFFFFFF:x}")
        return wanted


def _deprecated(text: str, level: int) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=level)
