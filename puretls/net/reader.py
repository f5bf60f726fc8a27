"""The reader of a stream over TLS: what was read before a stream was cut off comes with the exception."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from puretls.errors import Truncated


class Reader(asyncio.StreamReader):
    """`asyncio.StreamReader`, except that `Truncated` is raised when its turn comes, after the data before it.

    A read that the cut leaves incomplete raises it with what it has in `received`.
    """

    _cut: Truncated | None = None

    def set_exception(self, exc: Exception) -> None:
        if isinstance(exc, Truncated):
            self._cut = exc
            self.feed_eof()
        else:
            super().set_exception(exc)

    def exception(self) -> Exception | None:
        return self._cut or super().exception()

    async def read(self, n: int = -1) -> bytes:
        if n >= 0:
            data = await super().read(n)
            return data if data or n == 0 else self._ended(data)
        pieces = []
        while data := await super().read(2**16):
            pieces.append(data)
        return self._ended(b"".join(pieces))

    async def readuntil(self, separator: bytes = b"\n") -> bytes:  # type: ignore[override]  # 3.13 takes a tuple as well
        return await self._complete(super().readuntil(separator))

    async def readexactly(self, n: int) -> bytes:
        return await self._complete(super().readexactly(n))

    async def _complete(self, reading: Awaitable[bytes]) -> bytes:
        try:
            return await reading
        except asyncio.IncompleteReadError as error:
            self._ended(error.partial)
            raise

    def _ended(self, data: bytes) -> bytes:
        """The result of a read that has met the end of the stream: `data`, or `Truncated` with it if the stream was cut."""
        if self._cut is not None:
            cut = Truncated(self._cut.state)
            cut.received = data
            raise cut
        return data
