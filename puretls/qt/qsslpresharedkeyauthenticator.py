"""QSslPreSharedKeyAuthenticator: what the slot of preSharedKeyAuthenticationRequired fills in."""

from __future__ import annotations

from typing import Any

from puretls.qt._names import QtNames
from puretls.qt.qbytearray import QByteArray, as_bytes

MAX_IDENTITY, MAX_KEY = 128, 512
"""Bytes: what a handshake has room for here."""


class QSslPreSharedKeyAuthenticator(QtNames):
    """Identity and key: a client sets both, a server reads the identity and sets the key."""

    def __init__(self, authenticator: QSslPreSharedKeyAuthenticator | None = None) -> None:
        self._hint = self._identity = self._key = b""
        self._max_identity = self._max_key = 0
        if authenticator is not None:
            self.__dict__.update(authenticator.__dict__)

    @classmethod
    def _for(cls, hint: bytes, identity: bytes | None = None) -> QSslPreSharedKeyAuthenticator:
        """For a client (no identity yet) or, with the identity it sent, for a server."""
        made = cls()
        made._hint, made._identity, made._max_key = hint, identity or b"", MAX_KEY
        made._max_identity = MAX_IDENTITY if identity is None else 0
        return made

    def identityHint(self) -> QByteArray:
        """What the server says of the identity it wants."""
        return QByteArray(self._hint)

    def identity(self) -> QByteArray:
        return QByteArray(self._identity)

    def setIdentity(self, identity: Any) -> None:
        self._identity = as_bytes(identity)

    def maximumIdentityLength(self) -> int:
        """Bytes; 0 where the identity is not ours to set."""
        return self._max_identity

    def preSharedKey(self) -> QByteArray:
        return QByteArray(self._key)

    def setPreSharedKey(self, preSharedKey: Any) -> None:
        self._key = as_bytes(preSharedKey)

    def maximumPreSharedKeyLength(self) -> int:
        """Bytes."""
        return self._max_key

    def swap(self, other: QSslPreSharedKeyAuthenticator) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslPreSharedKeyAuthenticator) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self._hint, self._identity))

    def __repr__(self) -> str:
        return f"<QSslPreSharedKeyAuthenticator hint={self._hint!r} identity={self._identity!r}>"
