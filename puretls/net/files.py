"""Files on a `TlsSocket`, as `makefile` gives them: what was read before a stream was cut off comes with the exception.

The buffers and decoders of `io` would drop it. So the file below them says "end of file" where the stream was cut, lets the call come
to its end, and then `Truncated` is raised with what the call had in hand.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import IO, Any, Protocol

from puretls.errors import Truncated


class Stream(Protocol):
    """What a file needs of the socket that it is on."""

    def recv_into(self, buffer: Any, /) -> int: ...

    def send(self, data: Any, /) -> int: ...

    def fileno(self) -> int: ...


def _whole(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a method of a file: if the stream was cut off during the call, `Truncated` is raised, with the result of the call in it."""

    @wraps(method)
    def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
        source: RawFile = self._source
        source.calls += 1
        try:
            result = method(self, *arguments, **keywords)
        finally:
            source.calls -= 1
        if source.calls == 0 and source.cut is not None:
            cut, source.cut = source.cut, None
            cut.received = _received(result, arguments)
            raise cut
        return result

    return call


def _received(result: Any, arguments: tuple[Any, ...]) -> bytes | str:
    """The result of a call as one piece of bytes or text."""
    if isinstance(result, int):  # readinto
        return bytes(memoryview(arguments[0]).cast("B")[:result])
    if isinstance(result, list):
        return result[0][:0].join(result) if result else b""
    return result or b""


class RawFile(io.RawIOBase):
    """The unbuffered file; `on_close` is called once, when it is closed."""

    def __init__(self, sock: Stream, reads: bool, writes: bool, on_close: Callable[[], None]) -> None:
        super().__init__()
        self._sock = sock
        self._reads = reads
        self._writes = writes
        self.calls = 0
        """How many calls of the files above are running, one inside the other."""
        self.cut: Truncated | None = None
        self._on_close = on_close

    @property
    def _source(self) -> RawFile:
        """The raw file, under the name it has in the files above. An attribute would be a reference cycle that keeps the socket open."""
        return self

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def readinto(self, buffer: Any) -> int:
        try:
            return self._sock.recv_into(buffer)
        except Truncated as error:
            if self.calls == 0:
                raise
            self.cut = error
            return 0

    read = _whole(io.RawIOBase.read)
    readall = _whole(io.RawIOBase.readall)
    readline = _whole(io.RawIOBase.readline)
    readlines = _whole(io.RawIOBase.readlines)

    def write(self, data: Any) -> int:
        return self._sock.send(data)

    def fileno(self) -> int:
        return self._sock.fileno()

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._on_close()


def _with_whole_reads(cls: type) -> type:
    """A subclass whose reading methods are `_whole`."""
    names = ("read", "read1", "readinto", "readinto1", "readline", "readlines", "peek")
    return type(cls.__name__, (cls,), {name: _whole(getattr(cls, name)) for name in names if hasattr(cls, name)})


_Reader = _with_whole_reads(io.BufferedReader)
_ReaderAndWriter = _with_whole_reads(io.BufferedRWPair)
_Text = _with_whole_reads(io.TextIOWrapper)


def make_file(raw: RawFile, mode: str, buffering: int, encoding: str | None, newline: str | None) -> IO[Any]:
    """The file that `TlsSocket.makefile` returns."""
    if buffering == 0:
        if "b" not in mode:
            raise ValueError("unbuffered streams must be binary")
        return raw  # type: ignore[return-value]
    size = io.DEFAULT_BUFFER_SIZE if buffering < 0 else buffering
    made: Any
    if raw.readable() and raw.writable():
        made = _ReaderAndWriter(raw, raw, size)
    else:
        made = io.BufferedWriter(raw, size) if raw.writable() else _Reader(raw, size)
    made._source = raw
    if "b" in mode:
        return made  # type: ignore[no-any-return]
    text = _Text(made, encoding, newline=newline)
    text._source = raw
    return text  # type: ignore[no-any-return]
