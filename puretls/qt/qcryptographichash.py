"""QCryptographicHash: the hashes that `QSslCertificate.digest` can be asked for, under Qt's names."""

from __future__ import annotations

import enum
import hashlib
from typing import Any, TypeAlias

from puretls.errors import UsageError
from puretls.qt._names import QtNames, export_values
from puretls.qt.qbytearray import QByteArray, as_bytes


class Algorithm(enum.Enum):
    """The algorithms and their numbers. `Md4` and the Keccak forms are not computed here."""

    Md4 = 0
    Md5 = 1
    Sha1 = 2
    Sha224 = 3
    Sha256 = 4
    Sha384 = 5
    Sha512 = 6
    Keccak_224 = 7
    Keccak_256 = 8
    Keccak_384 = 9
    Keccak_512 = 10
    RealSha3_224 = Sha3_224 = 11
    RealSha3_256 = Sha3_256 = 12
    RealSha3_384 = Sha3_384 = 13
    RealSha3_512 = Sha3_512 = 14
    Blake2b_160 = 15
    Blake2b_256 = 16
    Blake2b_384 = 17
    Blake2b_512 = 18
    Blake2s_128 = 19
    Blake2s_160 = 20
    Blake2s_224 = 21
    Blake2s_256 = 22


Algorithm.__qualname__ = "QCryptographicHash.Algorithm"
Kind: TypeAlias = Algorithm


def new_hash(algorithm: Algorithm) -> Any:
    """A fresh hash object of the standard library, None for an algorithm that is not computed here."""
    name = algorithm.name.removeprefix("Real").lower()
    if name.startswith("blake2"):
        kind, bits = name.split("_")
        return getattr(hashlib, kind)(digest_size=int(bits) // 8)
    if name not in hashlib.algorithms_guaranteed:
        return None
    return hashlib.new(name, usedforsecurity=False)


def algorithm_named(wanted: Any) -> Algorithm:
    """The algorithm of this name, in any case ("sha256"), or of another binding's enum. Raises `UsageError` for what names none."""
    name = str(getattr(wanted, "name", wanted))
    for known, algorithm in Algorithm.__members__.items():
        if known.lower() == name.lower():
            return algorithm
    raise UsageError(f"{name!r} names no hash; QCryptographicHash.Algorithm lists them")


class QCryptographicHash(QtNames):
    """Hashes what `addData` is given. An algorithm that is not computed here gives an empty result, as in Qt."""

    Algorithm = Algorithm

    def __init__(self, method: Kind) -> None:
        self._method = method
        self._hash = new_hash(method)

    def addData(self, data: Any, length: int | None = None) -> None:
        """Hashes bytes more, or the first `length` of them."""
        if self._hash is not None:
            self._hash.update(as_bytes(data)[:length])

    def result(self) -> QByteArray:
        """The hash of all that was added."""
        return QByteArray(b"" if self._hash is None else self._hash.digest())

    resultView = result

    def reset(self) -> None:
        """Begins again."""
        self._hash = new_hash(self._method)

    def algorithm(self) -> Kind:
        return self._method

    @staticmethod
    def hash(data: Any, method: Kind) -> QByteArray:
        """The hash of these bytes."""
        made = QCryptographicHash(method)
        made.addData(data)
        return made.result()

    @staticmethod
    def hashLength(method: Kind) -> int:
        """Bytes; 0 for an algorithm that is not computed here."""
        found = new_hash(method)
        return 0 if found is None else int(found.digest_size)

    @staticmethod
    def supportsAlgorithm(method: Kind) -> bool:
        return new_hash(method) is not None


export_values(QCryptographicHash, Algorithm)
