"""QSslKey: a private or public key."""

from __future__ import annotations

import os
from typing import Any

from puretls.crypto import provider as providers
from puretls.crypto.keys import EcPrivateKey, EcPublicKey, EdPrivateKey, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey
from puretls.errors import PuretlsError
from puretls.qt._names import QtNames
from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qssl import QSsl
from puretls.x509.keys import parse_private_key, parse_public_key, public_key_pem, spki_bytes, traditional_key
from puretls.x509.pem import looks_like_der, write_pem
from puretls.x509.pkcs8 import traditional_key_pem

_Algorithm, _Private, _Public = QSsl.KeyAlgorithm, QSsl.KeyType.PrivateKey, QSsl.KeyType.PublicKey
_CURVE_BITS = {"secp256r1": 256, "secp384r1": 384, "secp521r1": 521}
_Key = PrivateKey | PublicKey


class QSslKey(QtNames):
    """A key, or none (`isNull`). What cannot be read is null and keeps the algorithm that was asked for, as in Qt."""

    def __init__(
        self,
        encoded: Any = None,
        algorithm: QSsl.KeyAlgorithm | QSsl.KeyType = _Algorithm.Opaque,
        format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem,
        type: QSsl.KeyType = _Private,
        passPhrase: Any = b"",
    ) -> None:
        self._key: _Key | None = None
        self._share_bits: int | None = None  # a key share: known by its kind and size alone, 0 bits for X25519
        self._algorithm = algorithm if isinstance(algorithm, _Algorithm) else _Algorithm.Opaque
        self._type = type
        if isinstance(encoded, QSslKey):
            self.__dict__.update(encoded.__dict__)
        elif isinstance(encoded, int):
            self._type = algorithm if isinstance(algorithm, QSsl.KeyType) else type  # a handle: there is no back end to ask
        elif encoded is not None:
            self._key = _read(encoded, self._algorithm, format, type, as_bytes(passPhrase))
            if self._key is None:
                self._type = _Public

    @classmethod
    def _of(cls, key: _Key) -> QSslKey:
        made = cls()
        made._key = key
        made._algorithm = _algorithm_of(key)
        made._type = _Private if isinstance(key, (RsaPrivateKey, EcPrivateKey, EdPrivateKey)) else _Public
        return made

    @classmethod
    def _share(cls, bits: int | None, algorithm: QSsl.KeyAlgorithm = _Algorithm.Ec) -> QSslKey:
        """The ephemeral key of a server: one of so many bits, or an opaque one."""
        made = cls()
        made._share_bits, made._type = bits or 0, _Public
        made._algorithm = algorithm if bits else _Algorithm.Opaque
        return made

    def isNull(self) -> bool:
        return self._key is None and self._share_bits is None

    def clear(self) -> None:
        self._key, self._share_bits, self._algorithm = None, None, _Algorithm.Opaque

    def handle(self) -> int:
        """0: there is no back end that would have handles."""
        return 0

    def type(self) -> QSsl.KeyType:
        return self._type

    def algorithm(self) -> QSsl.KeyAlgorithm:
        return self._algorithm

    def length(self) -> int:
        """Bits, -1 for a null or an opaque key."""
        if self._key is None:
            return self._share_bits or -1
        public = getattr(self._key, "public", self._key)
        if isinstance(public, RsaPublicKey):
            return public.n.bit_length()
        return _CURVE_BITS.get(public.curve, -1) if isinstance(public, EcPublicKey) else -1

    def toDer(self, passPhrase: Any = b"") -> QByteArray:
        """PKCS #1 or SEC 1 of a private key, SubjectPublicKeyInfo of a public one; the pass phrase is not used."""
        if self._key is None:
            return QByteArray()
        if self._type is _Public:
            return QByteArray(spki_bytes(self._key))  # type: ignore[arg-type]
        return QByteArray(traditional_key(self._key)[1])  # type: ignore[arg-type]

    def toPem(self, passPhrase: Any = b"") -> QByteArray:
        """The same as text, a private key encrypted if there is a pass phrase."""
        if self._key is None:
            return QByteArray()
        if self._type is _Public:
            return QByteArray(public_key_pem(self._key))  # type: ignore[arg-type]
        secret = as_bytes(passPhrase)
        if secret:
            return QByteArray(traditional_key_pem(self._key, os.urandom, providers.default(), secret))  # type: ignore[arg-type]
        return QByteArray(write_pem(*traditional_key(self._key)))  # type: ignore[arg-type]

    def swap(self, other: QSslKey) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QSslKey) and (self._key, self._share_bits) == (other._key, other._share_bits)

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"<QSslKey {self._type.name} {self._algorithm.name} {self.length()}>"


def _algorithm_of(key: _Key) -> QSsl.KeyAlgorithm:
    if isinstance(key, (RsaPrivateKey, RsaPublicKey)):
        return _Algorithm.Rsa
    return _Algorithm.Ec if isinstance(key, (EcPrivateKey, EcPublicKey)) else _Algorithm.Opaque


def _read(source: Any, algorithm: QSsl.KeyAlgorithm, format: QSsl.EncodingFormat, type: QSsl.KeyType, secret: bytes) -> _Key | None:
    if hasattr(source, "readAll"):
        source = source.readAll()
    data = as_bytes(source)
    if looks_like_der(data) != (format is QSsl.EncodingFormat.Der):
        return None
    try:
        key: _Key = parse_public_key(data) if type is _Public else parse_private_key(data, secret or None)
    except (PuretlsError, UnicodeDecodeError):
        return None
    return key if algorithm is _algorithm_of(key) else None
