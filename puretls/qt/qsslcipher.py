"""QSslCipher: a cipher suite under OpenSSL's name, with what OpenSSL says of it."""

from __future__ import annotations

from functools import cache

from puretls.crypto.aead import CHACHA20_POLY1305, AeadAlgorithm
from puretls.qt._names import QtNames
from puretls.qt.qssl import QSsl
from puretls.suites import SUITES, Suite

_Protocol = QSsl.SslProtocol


@cache
def suites_by_name() -> dict[str, Suite]:
    """All suites that a program may use, by OpenSSL name, in order of preference."""
    return {suite.openssl_name: suite for suite in SUITES if not suite.danger}


class QSslCipher(QtNames):
    """A suite, or none (`isNull`) for a name that is not known.

    The protocol is the oldest that has the suite: SSL 3 for AES128-SHA, which shows as UnknownProtocol.
    """

    def __init__(self, name: str | QSslCipher = "", protocol: QSsl.SslProtocol | None = None) -> None:
        self._suite: Suite | None = name._suite if isinstance(name, QSslCipher) else suites_by_name().get(name)
        if protocol is not None and protocol is not self.protocol():
            self._suite = None

    @classmethod
    def _of(cls, suite: Suite | None) -> QSslCipher:
        made = cls()
        made._suite = suite
        return made

    def isNull(self) -> bool:
        return self._suite is None

    def name(self) -> str:
        """OpenSSL's name."""
        return self._suite.openssl_name if self._suite else ""

    def protocol(self) -> QSsl.SslProtocol:
        return {"TLSv1.2": _Protocol.TlsV1_2, "TLSv1": _Protocol.TlsV1_0}.get(self.protocolString(), _Protocol.UnknownProtocol)

    def protocolString(self) -> str:
        """The first protocol that had the suite: "TLSv1.2", "TLSv1" or "SSLv3"."""
        suite = self._suite
        if suite is None:
            return ""
        if suite.is_aead or (suite.mac in ("sha256", "sha384") and not suite.is_psk):
            return "TLSv1.2"
        return "TLSv1" if suite.is_elliptic or suite.mac in ("sha256", "sha384") else "SSLv3"

    def keyExchangeMethod(self) -> str:
        return self._suite.kx.openssl_name if self._suite else ""

    def authenticationMethod(self) -> str:
        return self._suite.auth.value if self._suite else ""

    def encryptionMethod(self) -> str:
        """Cipher and bits: "AESGCM(256)", "AES(128)", ..."""
        suite = self._suite
        if suite is None:
            return ""
        if suite.bulk == CHACHA20_POLY1305:
            return "CHACHA20/POLY1305(256)"
        if not isinstance(suite.bulk, AeadAlgorithm):
            return f"AES({suite.strength})"
        mode = next(each for each in ("CCM8", "CCM", "GCM") if each in suite.openssl_name)
        return f"AES{mode}({suite.strength})"

    def supportedBits(self) -> int:
        return self._suite.strength if self._suite else 0

    def usedBits(self) -> int:
        return self.supportedBits()

    def swap(self, other: QSslCipher) -> None:
        self._suite, other._suite = other._suite, self._suite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslCipher) and self._suite == other._suite

    def __hash__(self) -> int:
        return hash(self.name())

    def __repr__(self) -> str:
        return f"<QSslCipher(name={self.name()}, bits={self.usedBits()}, proto={self.protocolString()})>"
