"""QFile and QBuffer: devices to read certificates and keys from, for programs that hand devices over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from puretls.qt.qbytearray import QByteArray, as_bytes
from puretls.qt.qiodevice import OpenMode, QIODevice, QIODeviceBase
from puretls.qt.qobject import QObject


class QBuffer(QIODevice):
    """Bytes as a device. Reading takes them; `seek(0)` begins again."""

    def __init__(self, data: Any = None, parent: QObject | None = None) -> None:
        super().__init__(parent if not isinstance(data, QObject) else data)
        self._content = bytearray(b"" if isinstance(data, QObject) else as_bytes(data))
        self._at = 0

    def open(self, mode: OpenMode) -> bool:
        """Opens at the beginning, with Append at the end."""
        super().open(mode)
        if mode & QIODeviceBase.Truncate:
            self._content.clear()
        return self.seek(len(self._content) if mode & QIODeviceBase.Append else 0)

    def isSequential(self) -> bool:
        return False

    def data(self) -> QByteArray:
        """All bytes, read or not."""
        return QByteArray(self._content)

    buffer = data

    def setData(self, data: Any) -> None:
        self._content[:] = as_bytes(data)
        self._at = 0

    def size(self) -> int:
        return len(self._content)

    def pos(self) -> int:
        return self._at

    def seek(self, pos: int) -> bool:
        """Goes to a position; False beyond the end."""
        if not 0 <= pos <= len(self._content):
            return False
        self._at = pos
        return True

    def reset(self) -> bool:
        return self.seek(0)

    def bytesAvailable(self) -> int:
        return len(self._content) - self._at

    def canReadLine(self) -> bool:
        return self._content.find(b"\n", self._at) >= 0

    def _peek_bytes(self, count: int) -> bytes:
        return bytes(self._content[self._at : self._at + count])

    def _take(self, count: int) -> bytes:
        data = self._peek_bytes(count)
        self._at += len(data)
        return data

    def writeData(self, data: bytes, len: int) -> int:
        self._content[self._at : self._at + len] = data[:len]
        self._at += len
        return len


class QFile(QBuffer):
    """A file, read when it is opened and written when it is closed."""

    def __init__(self, name: str = "", parent: QObject | None = None) -> None:
        super().__init__(None, parent)
        self._path = Path(name)

    def fileName(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        return self._path.is_file()

    def open(self, mode: OpenMode) -> bool:
        """False, with an error text, for a file that cannot be read."""
        try:
            if mode & QIODeviceBase.ReadOnly or mode & QIODeviceBase.Append:
                self._content[:] = self._path.read_bytes()
            elif mode & QIODeviceBase.WriteOnly:
                self._content.clear()
        except OSError as problem:
            self._error_string = problem.strerror or str(problem)
            return False
        return super().open(mode)

    def close(self) -> None:
        """Writes what was written."""
        if self.isWritable():
            self._path.write_bytes(self._content)
        super().close()
