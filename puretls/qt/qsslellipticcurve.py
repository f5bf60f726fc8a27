"""QSslEllipticCurve: a group for ephemeral keys under OpenSSL's name."""

from __future__ import annotations

from puretls.iana import NamedGroup
from puretls.qt._names import QtNames

_GROUPS = {
    "prime256v1": NamedGroup.SECP256R1,
    "secp384r1": NamedGroup.SECP384R1,
    "secp521r1": NamedGroup.SECP521R1,
    "X25519": NamedGroup.X25519,
    "X448": NamedGroup.X448,
}
SUPPORTED_NAMES = tuple(_GROUPS)


class QSslEllipticCurve(QtNames):
    """A curve, or none (`isValid()` false) for a name that is not known."""

    def __init__(self, other: QSslEllipticCurve | None = None) -> None:
        self._name: str = other._name if other is not None else ""

    @staticmethod
    def fromShortName(name: str) -> QSslEllipticCurve:
        """By OpenSSL's name: "prime256v1", "secp384r1", "secp521r1", "X25519", "X448"."""
        made = QSslEllipticCurve()
        made._name = name if name in _GROUPS else ""
        return made

    @staticmethod
    def fromLongName(name: str) -> QSslEllipticCurve:
        """By the long name, which is the same."""
        return QSslEllipticCurve.fromShortName(name)

    def isValid(self) -> bool:
        return bool(self._name)

    def isTlsNamedCurve(self) -> bool:
        """Whether the curve is one of RFC 4492; X25519 and X448, of RFC 8422, count as well."""
        return bool(self._name)

    def shortName(self) -> str:
        return self._name

    def longName(self) -> str:
        return self._name

    def _group(self) -> NamedGroup | None:
        return _GROUPS.get(self._name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslEllipticCurve) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"QSslEllipticCurve({self._name!r})"
