"""Codecs of the presentation language (RFC 5246 section 4): each reads, writes and annotates one kind of field.

`read(data, pos, end)` gives the value and the position after it; `annotate` does the same and appends spans as it goes, so that
at a fault everything before it is already named. Positions are offsets into `data`; nothing is copied but the values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol

from puretls.errors import DecodeError
from puretls.spans import Span

Spans = list[Span]


class Codec(Protocol):
    """What every field of a struct is made of."""

    def read(self, data: bytes, pos: int, end: int) -> tuple[Any, int]: ...

    def write(self, value: Any, out: bytearray) -> None: ...

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int: ...


def need(pos: int, count: int, end: int) -> int:
    """The position after `count` bytes; raises `DecodeError` when they are not there."""
    stop = pos + count
    if stop > end:
        raise DecodeError(f"needs {count} bytes, {end - pos} left", offset=pos, rfc="RFC 5246 4")
    return stop


class _Names(dict[int, int]):
    """Numbers to enum members; a number without a name stands for itself."""

    def __missing__(self, value: int) -> int:
        return value


def names_of(enum: type[IntEnum] | None) -> Callable[[int], int]:
    """Maps a number to its enum member, and leaves numbers without a name as they are."""
    return int if enum is None else _Names({int(member): member for member in enum}).__getitem__


class Uint:
    """An unsigned big-endian integer of `width` bytes, named by `enum` where it has a name (RFC 5246 4.4)."""

    def __init__(self, width: int, enum: type[IntEnum] | None = None) -> None:
        self.width = width
        self.enum = enum
        self.named = names_of(enum)

    def read(self, data: bytes, pos: int, end: int) -> tuple[int, int]:
        stop = pos + self.width
        if stop > end:
            need(pos, self.width, end)
        return self.named(int.from_bytes(data[pos:stop], "big")), stop

    def write(self, value: int, out: bytearray) -> None:
        out += value.to_bytes(self.width, "big")

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        value, stop = self.read(data, pos, end)
        spans.append(Span(pos, stop, path, value))
        return stop


class Opaque:
    """Exactly `length` bytes (RFC 5246 4.3)."""

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self, data: bytes, pos: int, end: int) -> tuple[bytes, int]:
        stop = need(pos, self.length, end)
        return data[pos:stop], stop

    def write(self, value: bytes, out: bytearray) -> None:
        out += value

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        value, stop = self.read(data, pos, end)
        spans.append(Span(pos, stop, path, value))
        return stop


class Rest:
    """Everything that is left: fields whose length only the enclosing structure gives."""

    def read(self, data: bytes, pos: int, end: int) -> tuple[bytes, int]:
        return data[pos:end], end

    def write(self, value: bytes, out: bytearray) -> None:
        out += value

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        if pos < end:
            spans.append(Span(pos, end, path, data[pos:end]))
        return end


class _Prefixed:
    """A length prefix whose width follows from the bound `ceiling`, as in the RFC's own notation `<floor..ceiling>`."""

    def __init__(self, floor: int, ceiling: int) -> None:
        self.floor = floor
        self.ceiling = ceiling
        self.width = (ceiling.bit_length() + 7) // 8

    def bounds(self, data: bytes, pos: int, end: int) -> tuple[int, int]:
        """Start and stop of the content; the length is checked against the bounds and the bytes at hand."""
        start = pos + self.width
        if start > end:
            need(pos, self.width, end)
        length = int.from_bytes(data[pos:start], "big")
        if not self.floor <= length <= self.ceiling:
            raise DecodeError(f"length {length} outside {self.floor}..{self.ceiling}", offset=pos, rfc="RFC 5246 4.3")
        if start + length > end:
            raise DecodeError(f"length {length}, but only {end - start} bytes left", offset=pos, rfc="RFC 5246 4.3")
        return start, start + length

    def annotate_length(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> tuple[int, int]:
        start, stop = self.bounds(data, pos, end)
        spans.append(Span(pos, start, f"{path}.length", stop - start))
        return start, stop

    def close(self, length_at: int, out: bytearray) -> None:
        """Fill in the length prefix that was left empty at `length_at`."""
        out[length_at : length_at + self.width] = (len(out) - length_at - self.width).to_bytes(self.width, "big")


class OpaqueVector(_Prefixed):
    """`opaque name<floor..ceiling>` (RFC 5246 4.3)."""

    def read(self, data: bytes, pos: int, end: int) -> tuple[bytes, int]:
        start, stop = self.bounds(data, pos, end)
        return data[start:stop], stop

    def write(self, value: bytes, out: bytearray) -> None:
        out += len(value).to_bytes(self.width, "big")
        out += value

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        start, stop = self.annotate_length(data, pos, end, path, spans)
        if start < stop:
            spans.append(Span(start, stop, path, data[start:stop]))
        return stop


_LETTERS = {1: "B", 2: "H"}
"""Formats of `struct` by width: vectors of plain numbers are most of a hello, and go through it in one piece."""


class Vector(_Prefixed):
    """A vector of `item`; floor and ceiling count bytes, as in the RFC (RFC 5246 4.3)."""

    def __init__(self, item: Codec, floor: int, ceiling: int) -> None:
        super().__init__(floor, ceiling)
        self.item = item
        self._letter = _LETTERS.get(item.width, "") if isinstance(item, Uint) else ""

    def read(self, data: bytes, pos: int, end: int) -> tuple[tuple[Any, ...], int]:
        pos, stop = self.bounds(data, pos, end)
        if isinstance(self.item, Uint) and self._letter and (stop - pos) % self.item.width == 0:
            count = (stop - pos) // self.item.width
            return tuple(map(self.item.named, struct.unpack_from(f">{count}{self._letter}", data, pos))), stop
        read, values = self.item.read, []
        try:
            while pos < stop:
                value, pos = read(data, pos, stop)
                values.append(value)
        except DecodeError as error:
            raise error.within(f"[{len(values)}]") from None
        return tuple(values), stop

    def write(self, value: tuple[Any, ...], out: bytearray) -> None:
        length_at = len(out)
        out += bytes(self.width)
        if self._letter:
            out += struct.pack(f">{len(value)}{self._letter}", *value)
            self.close(length_at, out)
            return
        for element in value:
            self.item.write(element, out)
        self.close(length_at, out)

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        pos, stop = self.annotate_length(data, pos, end, path, spans)
        index = 0
        while pos < stop:
            pos = self.item.annotate(data, pos, stop, f"{path}[{index}]", spans)
            index += 1
        return stop


class Framed(_Prefixed):
    """One structure behind a length prefix of its own, which it must fill exactly."""

    def __init__(self, item: Codec, floor: int, ceiling: int) -> None:
        super().__init__(floor, ceiling)
        self.item = item

    def read(self, data: bytes, pos: int, end: int) -> tuple[Any, int]:
        start, stop = self.bounds(data, pos, end)
        value, pos = self.item.read(data, start, stop)
        nothing_after(pos, stop)
        return value, stop

    def write(self, value: Any, out: bytearray) -> None:
        length_at = len(out)
        out += bytes(self.width)
        self.item.write(value, out)
        self.close(length_at, out)

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        start, stop = self.annotate_length(data, pos, end, path, spans)
        nothing_after(self.item.annotate(data, start, stop, path, spans), stop)
        return stop


class Tail:
    """A field that is there if any bytes are left, else None: how ClientHello got its extensions (RFC 5246 7.4.1.2)."""

    def __init__(self, item: Codec) -> None:
        self.item = item

    def read(self, data: bytes, pos: int, end: int) -> tuple[Any, int]:
        return self.item.read(data, pos, end) if pos < end else (None, pos)

    def write(self, value: Any, out: bytearray) -> None:
        if value is not None:
            self.item.write(value, out)

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        return self.item.annotate(data, pos, end, path, spans) if pos < end else pos


def nothing_after(pos: int, end: int) -> None:
    """Raise `DecodeError` when bytes are left over."""
    if pos != end:
        raise DecodeError(f"{end - pos} bytes too many", offset=pos, rfc="RFC 5246 7.2.2")
