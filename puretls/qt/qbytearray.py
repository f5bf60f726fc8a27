"""QByteArray: what everything that returns bytes returns."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, SupportsIndex
from urllib.parse import quote_from_bytes, unquote_to_bytes

from puretls.qt._names import QtNames


def as_bytes(data: object) -> bytes:
    """The bytes of whatever PySide6 takes for a byte array: bytes, bytearray, QByteArray, str (as UTF-8), None (empty)."""
    if data is None:
        return b""
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"bytes expected, not {type(data).__name__}")


class QByteArray(bytearray, QtNames):
    """Bytes that can be changed, with Qt's methods. `x[0]` is bytes of length one; `bytes(x)` and `x.data()` copy."""

    def __init__(self, data: object = b"", fill: object = None) -> None:
        if isinstance(data, int):
            super().__init__((as_bytes(fill) or b"\0") * data)
        else:
            super().__init__(as_bytes(data))

    def data(self) -> bytes:
        """A copy as bytes."""
        return bytes(self)

    toStdString = data

    def size(self) -> int:
        return len(self)

    length = size

    def isEmpty(self) -> bool:
        return not self

    isNull = isEmpty

    def at(self, i: int) -> str:
        """One character, as PySide6 gives it."""
        return chr(super().__getitem__(i))

    def startsWith(self, data: object) -> bool:
        return super().startswith(as_bytes(data))

    def endsWith(self, data: object) -> bool:
        return super().endswith(as_bytes(data))

    def contains(self, data: object) -> bool:
        return super().find(as_bytes(data)) >= 0

    def indexOf(self, data: object, start: int = 0) -> int:
        """Where `data` begins, -1 if nowhere."""
        return super().find(as_bytes(data), start)

    def lastIndexOf(self, data: object, start: int = -1) -> int:
        """Where `data` begins for the last time, at or before `start`."""
        wanted = as_bytes(data)
        return super().rfind(wanted) if start < 0 else super().rfind(wanted, 0, start + len(wanted))

    def count(self, data: object = None, *_: Any) -> int:
        """How often `data` occurs; without argument the size, as in Qt."""
        return len(self) if data is None else super().count(as_bytes(data))

    def left(self, n: int) -> QByteArray:
        return QByteArray(bytes(self)[: max(0, n)])

    first = left

    def right(self, n: int) -> QByteArray:
        return QByteArray(bytes(self)[max(0, len(self) - n) :])

    last = right

    def mid(self, index: int, n: int = -1) -> QByteArray:
        """`n` bytes from `index`, all that follow if `n` is negative."""
        return QByteArray(bytes(self)[index:] if n < 0 else bytes(self)[index : index + n])

    sliced = mid

    def chopped(self, n: int) -> QByteArray:
        return self.left(len(self) - n)

    def chop(self, n: int) -> None:
        """Takes `n` bytes away at the end."""
        if n > 0:
            del self[max(0, len(self) - n) :]

    def truncate(self, n: int) -> None:
        del self[n:]

    def resize(self, n: int, fill: object = b"\0") -> None:
        """Cuts or fills up to `n` bytes."""
        del self[n:]
        self.extend(as_bytes(fill) * (n - len(self)))

    def append(self, data: object, *_: Any) -> QByteArray:  # type: ignore[override]
        self.extend(as_bytes(data))
        return self

    push_back = append

    def prepend(self, data: object) -> QByteArray:
        self[0:0] = as_bytes(data)
        return self

    def insert(self, index: SupportsIndex, data: object) -> QByteArray:  # type: ignore[override]
        at = int(index)
        self[at:at] = as_bytes(data)
        return self

    def remove(self, index: int, n: int = 1) -> QByteArray:  # type: ignore[override]
        """Takes `n` bytes away from `index` on."""
        del self[index : index + n]
        return self

    def replace(self, before: object, after: object, third: object = None) -> QByteArray:
        """`replace(before, after)`, or `replace(index, n, after)`."""
        if isinstance(before, int):
            self[before : before + int(str(after))] = as_bytes(third)
        else:
            self[:] = super().replace(as_bytes(before), as_bytes(after))
        return self

    def split(self, separator: object, *_: Any) -> list[QByteArray]:  # type: ignore[override]
        return [QByteArray(part) for part in bytes(self).split(as_bytes(separator))]

    def trimmed(self) -> QByteArray:
        return QByteArray(bytes(self).strip(b"\t\n\v\f\r "))

    def simplified(self) -> QByteArray:
        return QByteArray(b" ".join(bytes(self).split()))

    def toLower(self) -> QByteArray:
        return QByteArray(bytes(self).lower())

    def toUpper(self) -> QByteArray:
        return QByteArray(bytes(self).upper())

    def toHex(self, separator: object = None) -> QByteArray:
        mark = as_bytes(separator).decode("latin-1")
        return QByteArray(bytes(self).hex(mark) if mark and mark != "\0" else bytes(self).hex())

    def toBase64(self, options: object = None) -> QByteArray:
        return QByteArray(base64.b64encode(bytes(self)))

    def toPercentEncoding(self, exclude: object = b"", include: object = b"", percent: object = b"%") -> QByteArray:
        return QByteArray(quote_from_bytes(bytes(self), safe=as_bytes(exclude)))

    @staticmethod
    def fromHex(data: object) -> QByteArray:
        """The bytes of hexadecimal text; what is no digit is passed over."""
        digits = bytes(byte for byte in as_bytes(data) if byte in b"0123456789abcdefABCDEF")
        return QByteArray(bytes.fromhex(("0" if len(digits) % 2 else "") + digits.decode()))

    @staticmethod
    def fromBase64(data: object, options: object = None) -> QByteArray:
        """The bytes of base64 text; what does not belong to it is passed over."""
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        text = bytes(byte for byte in as_bytes(data) if byte in alphabet)
        return QByteArray(base64.b64decode(text[: len(text) - (len(text) % 4 == 1)] + b"=" * (-len(text) % 4)))

    @staticmethod
    def fromPercentEncoding(data: object, percent: object = b"%") -> QByteArray:
        return QByteArray(unquote_to_bytes(as_bytes(data)))

    @staticmethod
    def number(value: float, base: int = 10, *_: Any) -> QByteArray:
        """A number as digits."""
        if isinstance(value, int) and base == 16:
            return QByteArray(f"{value:x}")
        return QByteArray(str(value))

    def toInt(self, base: int = 10) -> tuple[int, bool]:
        """`(number, ok)`."""
        try:
            return int(bytes(self), base), True
        except ValueError:
            return 0, False

    def toLong(self, base: int = 10) -> tuple[int, bool]:
        return self.toInt(base)

    def toLongLong(self, base: int = 10) -> tuple[int, bool]:
        return self.toInt(base)

    def toUInt(self, base: int = 10) -> tuple[int, bool]:
        return self.toInt(base)

    def toShort(self, base: int = 10) -> tuple[int, bool]:
        return self.toInt(base)

    def toDouble(self) -> tuple[float, bool]:
        """`(number, ok)`."""
        try:
            return float(bytes(self)), True
        except ValueError:
            return 0.0, False

    toFloat = toDouble

    def compare(self, other: object) -> int:
        mine, theirs = bytes(self), as_bytes(other)
        return (mine > theirs) - (mine < theirs)

    def swap(self, other: QByteArray) -> None:
        self[:], other[:] = bytes(other), bytes(self)

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return bytes((found,)) if isinstance(found, int) else bytes(found)

    def __iter__(self) -> Iterator[Any]:
        return (bytes((byte,)) for byte in bytes(self))

    def __eq__(self, other: object) -> bool:
        return bytes(self) == (other.encode() if isinstance(other, str) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(("QByteArray", bytes(self)))

    def __add__(self, other: object) -> QByteArray:
        return QByteArray(bytes(self) + as_bytes(other))

    def __radd__(self, other: object) -> QByteArray:
        return QByteArray(as_bytes(other) + bytes(self))

    def __iadd__(self, other: object) -> QByteArray:
        self.extend(as_bytes(other))
        return self

    def __str__(self) -> str:
        return str(bytes(self))

    def __repr__(self) -> str:
        return f"QByteArray({bytes(self)!r})"
