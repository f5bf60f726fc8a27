"""QSslDiffieHellmanParameters: the finite-field group of a server."""

from __future__ import annotations

import enum
from typing import Any

from puretls.der.reader import Reader
from puretls.der.tags import SEQUENCE
from puretls.errors import PuretlsError
from puretls.qt._names import QtNames
from puretls.qt.qbytearray import as_bytes
from puretls.qt.qssl import QSsl
from puretls.x509.pem import read_pem

_SMALLEST_BITS, _LARGEST_BITS = 1024, 8192


class QSslDiffieHellmanParameters(QtNames):
    """Parameters (p, g). Empty ones switch DHE off; the default ones let clients choose a group of RFC 7919."""

    class Error(enum.Enum):
        """Why parameters cannot be used."""

        NoError = 0
        InvalidInputDataError = 1
        UnsafeParametersError = 2

    def __init__(self, other: QSslDiffieHellmanParameters | None = None) -> None:
        self._numbers: tuple[int, int] | None = other._numbers if other is not None else None
        self._default: bool = other._default if other is not None else False
        self._error: QSslDiffieHellmanParameters.Error = other._error if other is not None else self.Error.NoError

    @staticmethod
    def defaultParameters() -> QSslDiffieHellmanParameters:
        """A named group of RFC 7919 of at least 2048 bits, which client and server agree on."""
        made = QSslDiffieHellmanParameters()
        made._default = True
        return made

    @staticmethod
    def fromEncoded(encoded: Any, format: QSsl.EncodingFormat = QSsl.EncodingFormat.Pem) -> QSslDiffieHellmanParameters:
        """From "DH PARAMETERS" in PEM or DER, as bytes or a device."""
        made = QSslDiffieHellmanParameters()
        try:
            made._numbers = _read(as_bytes(encoded.readAll() if hasattr(encoded, "readAll") else encoded), format)
        except PuretlsError:
            made._error = made.Error.InvalidInputDataError
            return made
        if not _is_safe(*made._numbers):
            made._numbers, made._error = None, made.Error.UnsafeParametersError
        return made

    def isEmpty(self) -> bool:
        return self._numbers is None and not self._default and self._error is self.Error.NoError

    def isValid(self) -> bool:
        return self._error is self.Error.NoError

    def error(self) -> Error:
        return self._error

    def errorString(self) -> str:
        return {
            self.Error.NoError: "No error",
            self.Error.InvalidInputDataError: "Invalid input data",
            self.Error.UnsafeParametersError: "The given Diffie-Hellman parameters are deemed unsafe",
        }[self._error]

    def swap(self, other: QSslDiffieHellmanParameters) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QSslDiffieHellmanParameters):
            return NotImplemented
        return (self._numbers, self._default, self._error) == (other._numbers, other._default, other._error)

    def __hash__(self) -> int:
        return hash((self._numbers, self._default))


def _read(data: bytes, format: QSsl.EncodingFormat) -> tuple[int, int]:
    if format is QSsl.EncodingFormat.Pem:
        data = next((block.data for block in read_pem(data) if block.label == "DH PARAMETERS"), b"")
    outer = Reader(data, name="DHParameter")
    body = outer.enter(SEQUENCE)
    prime, generator = body.integer("prime"), body.integer("base")
    return prime, generator


def _is_safe(prime: int, generator: int) -> bool:
    """An odd number of a sane size that passes Fermat's test, as its half does: good enough to tell a mistake."""
    if not _SMALLEST_BITS <= prime.bit_length() <= _LARGEST_BITS or not prime & 1 or not 1 < generator < prime - 1:
        return False
    return pow(2, prime - 1, prime) == 1 and pow(2, (prime - 1) // 2 - 1, (prime - 1) // 2) == 1
