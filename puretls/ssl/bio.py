"""MemoryBIO: a buffer of bytes between a connection and whoever moves them."""

from __future__ import annotations

import operator
from typing import Any

from puretls.ssl.conversions import octets, uncopied
from puretls.ssl.errors import SSLError


class MemoryBIO:
    """A queue of bytes. Empty, it wants more; empty after `write_eof`, it has ended."""

    __module__ = "_ssl"
    __reduce_ex__ = uncopied

    def __init__(self) -> None:
        self._held = bytearray()
        self._ended = False

    @property
    def pending(self) -> int:
        """The number of bytes pending in the memory BIO."""
        return len(self._held)

    @property
    def eof(self) -> bool:
        """Whether the memory BIO is at EOF."""
        return self._ended and not self._held

    def read(self, size: int = -1, /) -> bytes:
        """Read up to size bytes from the memory BIO.

        If size is not specified, read the entire buffer. If the return value is an empty bytes instance, this means either EOF or that no
        data is available. Use the "eof" property to distinguish between the two.
        """
        size = operator.index(size)
        if size < 0 or size >= len(self._held):
            data = bytes(self._held)
            self._held.clear()
            return data
        with memoryview(self._held) as view:
            data = bytes(view[:size])
        del self._held[:size]
        return data

    def write(self, b: Any, /) -> int:
        """Writes the bytes b into the memory BIO; returns the number of bytes written."""
        with octets(b) as view:
            if self._ended:
                raise SSLError("cannot write() after write_eof()")
            self._held += view
            return view.nbytes

    def write_eof(self) -> None:
        """Write an EOF marker to the memory BIO: when all data has been read, the "eof" property will be True."""
        self._ended = True
