"""QIODevice as sockets use it: a read buffer with Qt's reading functions, and the guards in front of writing.

A class below says what reading and writing mean: it fills `_buffer`, and overrides `readData`, `writeData` and `_afterRead`.
"""

from __future__ import annotations

import enum
from typing import Any, overload

from puretls.qt._names import QtNames, export_values
from puretls.qt.qbytearray import QByteArray
from puretls.qt.qmessage import qWarning
from puretls.qt.qobject import QObject
from puretls.qt.signals import Signal


class QIODeviceBase(QtNames):
    """Where the open modes are defined."""

    class OpenModeFlag(enum.Flag, boundary=enum.KEEP):
        """How a device is open."""

        NotOpen = 0
        ReadOnly = 1
        WriteOnly = 2
        ReadWrite = 3
        Append = 4
        Truncate = 8
        Text = 16
        Unbuffered = 32
        NewOnly = 64
        ExistingOnly = 128

    OpenMode = OpenModeFlag
    NotOpen = OpenModeFlag.NotOpen
    ReadOnly = OpenModeFlag.ReadOnly
    WriteOnly = OpenModeFlag.WriteOnly
    ReadWrite = OpenModeFlag.ReadWrite
    Append = OpenModeFlag.Append
    Truncate = OpenModeFlag.Truncate
    Text = OpenModeFlag.Text
    Unbuffered = OpenModeFlag.Unbuffered


OpenMode = QIODeviceBase.OpenModeFlag
_READ, _WRITE, _TEXT = (each._value_ for each in (OpenMode.ReadOnly, OpenMode.WriteOnly, OpenMode.Text))
"""As numbers: every `read` and `write` asks, and operators of flags are functions of Python."""
Written = bytes | bytearray | QByteArray | None


def written_bytes(data: object) -> bytes:
    """What `write` takes: bytes, bytearray, QByteArray; None is nothing. Raises TypeError and, for a memoryview, ValueError."""
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if data is None:
        return b""
    if isinstance(data, memoryview):
        raise ValueError("write() does not take a memoryview: wrap it in bytes()")
    raise TypeError(f"write() takes bytes, not {type(data).__name__}")


class QIODevice(QObject, QIODeviceBase):
    """A device that is read and written in sequence."""

    aboutToClose: Signal = Signal()
    bytesWritten: Signal = Signal(int)
    channelBytesWritten: Signal = Signal(int, int)
    channelReadyRead: Signal = Signal(int)
    readChannelFinished: Signal = Signal()
    readyRead: Signal = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_mode = QIODeviceBase.NotOpen
        self._buffer = bytearray()
        self._consumed: bytearray | None = None  # what was read since startTransaction
        self._error_string = ""

    # opening and closing

    def open(self, mode: OpenMode) -> bool:
        """Opens with these flags."""
        self._open_mode = mode
        self._buffer.clear()
        self._consumed = None
        return True

    def close(self) -> None:
        """Emits `aboutToClose` and closes; what was not read is gone."""
        if self._open_mode is not QIODeviceBase.NotOpen:
            self.aboutToClose.emit()
            self._open_mode = QIODeviceBase.NotOpen
            self._buffer.clear()
            self._consumed = None

    def isOpen(self) -> bool:
        return self._open_mode is not QIODeviceBase.NotOpen

    def openMode(self) -> OpenMode:
        return self._open_mode

    def setOpenMode(self, openMode: OpenMode) -> None:
        self._open_mode = openMode

    def isReadable(self) -> bool:
        return bool(self._open_mode._value_ & _READ)

    def isWritable(self) -> bool:
        return bool(self._open_mode._value_ & _WRITE)

    def isTextModeEnabled(self) -> bool:
        return bool(self._open_mode._value_ & _TEXT)

    def setTextModeEnabled(self, enabled: bool) -> None:
        """In text mode, carriage returns are taken out of what is read."""
        if not self.isOpen():
            qWarning("QIODevice::setTextModeEnabled: The device is not open")
        elif enabled:
            self._open_mode |= QIODeviceBase.Text
        else:
            self._open_mode &= ~QIODeviceBase.Text

    def isSequential(self) -> bool:
        return True

    def errorString(self) -> str:
        """What went wrong last, in words."""
        return self._error_string or "Unknown error"

    def setErrorString(self, errorString: str) -> None:
        self._error_string = errorString

    # how much there is

    def bytesAvailable(self) -> int:
        return len(self._buffer)

    def bytesToWrite(self) -> int:
        return 0

    def atEnd(self) -> bool:
        return not self.isOpen() or self.bytesAvailable() == 0

    def size(self) -> int:
        return self.bytesAvailable()

    def pos(self) -> int:
        return 0

    def seek(self, pos: int) -> bool:
        return self._refuse("seek", "Cannot call seek on a sequential device")

    def reset(self) -> bool:
        return False

    def canReadLine(self) -> bool:
        """Whether a newline has arrived."""
        return b"\n" in self._buffer

    def _refuse(self, function: str, text: str) -> bool:
        qWarning(f"QIODevice::{function} ({type(self).__name__}): {text}")
        return False

    def _may_read(self, function: str) -> bool:
        if not self.isOpen():
            return self._refuse(function, "device not open")
        return self.isReadable() or self._refuse(function, "WriteOnly device")

    def _may_take(self, function: str, count: int) -> bool:
        if count < 0:
            return self._refuse(function, "Called with maxSize < 0")
        return self._may_read(function)

    # reading

    @overload
    def read(self, maxlen: int) -> QByteArray: ...

    @overload
    def read(self, maxlen: bytearray, length: int) -> int: ...

    def read(self, maxlen: Any, length: int | None = None) -> Any:
        """Up to `maxlen` bytes, empty if there is nothing; or into a bytearray, giving the number of bytes (-1: not open)."""
        if length is not None:
            return self._into(maxlen, self.read(length)) if self._may_read("read") else -1
        return QByteArray(self._take(maxlen)) if self._may_take("read", maxlen) else QByteArray()

    def readAll(self) -> QByteArray:
        """Everything there is."""
        return QByteArray(self._take(self.bytesAvailable())) if self._may_read("read") else QByteArray()

    @overload
    def readLine(self, maxlen: int = 0) -> QByteArray: ...

    @overload
    def readLine(self, maxlen: bytearray, length: int) -> int: ...

    def readLine(self, maxlen: Any = 0, length: int | None = None) -> Any:
        """A line with its newline, or what there is. With a limit of n, at most n - 1 bytes (Qt counts C's closing zero)."""
        if length is not None:
            return self._into(maxlen, self.readLine(length)) if self._may_read("readLine") else -1
        if not self._may_read("readLineInto"):
            return QByteArray()
        if maxlen < 0 or maxlen == 1:
            self._refuse("readLineInto", "Called with maxSize < 2")
            return QByteArray()
        found = self._peek_bytes(self.bytesAvailable()).find(b"\n") + 1
        count = found or self.bytesAvailable()
        return QByteArray(self._take(min(count, maxlen - 1) if maxlen > 0 else count))

    def readLineInto(self, result: bytearray, maxlen: int = 0) -> bool:
        """A line into a bytearray; False if there was nothing."""
        line = self.readLine(maxlen)
        if result is not None:
            result[:] = line
        return bool(line)

    @staticmethod
    def _into(buffer: bytearray, data: QByteArray) -> int:
        buffer[: len(data)] = data
        return len(data)

    def peek(self, maxlen: Any, length: int | None = None) -> Any:
        """As `read`, without taking."""
        if length is not None:
            return self._into(maxlen, self.peek(length)) if self._may_read("peek") else -1
        return QByteArray(self._peek_bytes(maxlen)) if self._may_take("peek", maxlen) else QByteArray()

    def skip(self, maxSize: int) -> int:
        """Throws away up to `maxSize` bytes; how many, -1 when not open or for a number below 0."""
        return len(self._take(maxSize)) if self._may_take("skip", maxSize) else -1

    def getChar(self) -> tuple[bool, str]:
        """`(True, "A")`, or False and a zero character when there is nothing."""
        data = self._take(1) if self._may_read("read") else b""
        return (True, data.decode("latin-1")) if data else (False, "\0")

    def ungetChar(self, c: int) -> None:
        """Puts a byte back, to be read first."""
        if self._may_read("read"):
            self._buffer[0:0] = bytes((c,))
            if self._consumed:
                del self._consumed[-1]

    def _peek_bytes(self, count: int) -> bytes:
        return bytes(self._buffer[:count])

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        if len(data) < count:
            data += self.readData(count - len(data)) or b""
        if self._consumed is not None:
            self._consumed += data
        self._afterRead()
        return data.replace(b"\r", b"") if self.isTextModeEnabled() else data

    def _afterRead(self) -> None:
        """Room was made in the buffer."""

    def readData(self, maxlen: int) -> bytes | None:
        """Override point: bytes beyond those in the buffer."""
        return None

    def readLineData(self, maxlen: int) -> bytes | None:
        return None

    def skipData(self, maxSize: int) -> int:
        return 0

    # transactions

    def startTransaction(self) -> None:
        """Remembers what is read from now on, for `rollbackTransaction`."""
        if self._consumed is not None:
            self._refuse("startTransaction", "Called while transaction already in progress")
        else:
            self._consumed = bytearray()

    def commitTransaction(self) -> None:
        if self._consumed is None:
            self._refuse("commitTransaction", "Called while no transaction in progress")
        self._consumed = None

    def rollbackTransaction(self) -> None:
        """Puts back all that was read since `startTransaction`."""
        if self._consumed is None:
            self._refuse("rollbackTransaction", "Called while no transaction in progress")
        else:
            self._buffer[0:0] = self._consumed
            self._consumed = None

    def isTransactionStarted(self) -> bool:
        return self._consumed is not None

    # writing

    def write(self, data: Written, length: int | None = None) -> int:
        """Hands bytes over and returns how many were taken, -1 when the device is not open for writing."""
        taken = written_bytes(data)[:length]
        if not self.isOpen():
            self._refuse("write", "device not open")
            return -1
        if not self.isWritable():
            self._refuse("write", "ReadOnly device")
            return -1
        return self.writeData(taken, len(taken)) if taken else 0

    def putChar(self, c: int | bytes | str) -> bool:
        """Writes one byte."""
        byte = c.encode("latin-1") if isinstance(c, str) else bytes((c,)) if isinstance(c, int) else bytes(c)
        return self.write(byte) == 1

    def writeData(self, data: bytes, len: int) -> int:
        """Override point: takes bytes, returns how many."""
        return -1

    # waiting and channels

    def waitForReadyRead(self, msecs: int) -> bool:
        return False

    def waitForBytesWritten(self, msecs: int) -> bool:
        return False

    def readChannelCount(self) -> int:
        return 1 if self.isReadable() else 0

    def writeChannelCount(self) -> int:
        return 1 if self.isWritable() else 0

    def currentReadChannel(self) -> int:
        return 0

    def setCurrentReadChannel(self, channel: int) -> None:
        """There is only channel 0."""

    def currentWriteChannel(self) -> int:
        return 0

    def setCurrentWriteChannel(self, channel: int) -> None:
        """There is only channel 0."""


export_values(QIODevice, QIODeviceBase.OpenModeFlag)
