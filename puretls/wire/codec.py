"""Codecs of the presentation language (RFC 5246 section 4): each reads and writes one kind of field.

`read(data, pos, end)` gives the value and the position after it. Given a list as `sink`, and the field's `path`, the same call also
records a `Span` for each field as it goes, as `der.reader` does: the parser is the explanation, and at a fault everything before it is
already named. Positions are offsets into `data`; nothing is copied but the values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol

from puretls.errors import DecodeError
from puretls.spans import Sink, Span
from puretls.text import counted
from puretls.values import replace


class Codec(Protocol):
    """Reads and writes one kind of field."""

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[Any, int]: ...

    def write(self, value: Any, out: bytearray) -> None: ...


def need(pos: int, count: int, end: int) -> int:
    """The position after `count` bytes; raises `DecodeError` when they are not there."""
    stop = pos + count
    if stop > end:
        raise DecodeError(f"needs {counted(count, 'byte')}, {end - pos} left", offset=pos, rfc="RFC 5246 4")
    return stop


class _Names(dict[int, int]):
    """A dictionary from numbers to enum members, in which a number without a name stands for itself."""

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
        self.named: Callable[[int], int] = names_of(enum)

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[int, int]:
        stop = pos + self.width
        if stop > end:
            need(pos, self.width, end)
        value = self.named(int.from_bytes(data[pos:stop], "big"))
        if sink is not None:
            sink.append(Span(pos, stop, path, value))
        return value, stop

    def write(self, value: int, out: bytearray) -> None:
        out += value.to_bytes(self.width, "big")


class Opaque:
    """Exactly `length` bytes (RFC 5246 4.3)."""

    def __init__(self, length: int) -> None:
        self.length = length

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[bytes, int]:
        stop = need(pos, self.length, end)
        if sink is not None:
            sink.append(Span(pos, stop, path, data[pos:stop]))
        return data[pos:stop], stop

    def write(self, value: bytes, out: bytearray) -> None:
        out += value


class Rest:
    """Everything that is left: fields whose length only the enclosing structure gives."""

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[bytes, int]:
        if sink is not None and pos < end:
            sink.append(Span(pos, end, path, data[pos:end]))
        return data[pos:end], end

    def write(self, value: bytes, out: bytearray) -> None:
        out += value


class _Prefixed:
    """A length prefix whose width follows from the bound `ceiling`, as in the RFC's own notation `<floor..ceiling>`."""

    def __init__(self, floor: int, ceiling: int) -> None:
        self.floor = floor
        self.ceiling = ceiling
        self.width: int = (ceiling.bit_length() + 7) // 8

    def bounds(self, data: bytes, pos: int, end: int) -> tuple[int, int]:
        """Start and stop of the content; the length is checked against the bounds and the bytes at hand."""
        start = pos + self.width
        if start > end:
            need(pos, self.width, end)
        length = int.from_bytes(data[pos:start], "big")
        if not self.floor <= length <= self.ceiling:
            raise DecodeError(f"length {length} outside {self.floor}..{self.ceiling}", offset=pos, rfc="RFC 5246 4.3")
        if start + length > end:
            raise DecodeError(f"length {length}, but only {counted(end - start, 'byte')} left", offset=pos, rfc="RFC 5246 4.3")
        return start, start + length

    def close(self, length_at: int, out: bytearray) -> None:
        """Fill in the length prefix that was left empty at `length_at`."""
        out[length_at : length_at + self.width] = (len(out) - length_at - self.width).to_bytes(self.width, "big")


class OpaqueVector(_Prefixed):
    """`opaque name<floor..ceiling>` (RFC 5246 4.3)."""

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[bytes, int]:
        start, stop = self.bounds(data, pos, end)
        if sink is not None:
            sink.append(Span(pos, start, f"{path}.length", stop - start))
            if start < stop:
                sink.append(Span(start, stop, path, data[start:stop]))
        return data[start:stop], stop

    def write(self, value: bytes, out: bytearray) -> None:
        out += len(value).to_bytes(self.width, "big")
        out += value


LETTERS = {1: "B", 2: "H"}
"""Formats of `struct` by width. Most of a hello is vectors of plain numbers, and `struct` reads each of them in one call."""


class Vector(_Prefixed):
    """A vector of `item`; floor and ceiling count bytes, as in the RFC (RFC 5246 4.3)."""

    def __init__(self, item: Codec, floor: int, ceiling: int) -> None:
        super().__init__(floor, ceiling)
        self.item = item
        self._letter = LETTERS.get(item.width, "") if isinstance(item, Uint) else ""

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[tuple[Any, ...], int]:
        start, stop = self.bounds(data, pos, end)
        if sink is not None:
            sink.append(Span(pos, start, f"{path}.length", stop - start))
        elif isinstance(self.item, Uint) and self._letter and (stop - start) % self.item.width == 0:
            count = (stop - start) // self.item.width
            return tuple(map(self.item.named, struct.unpack_from(f">{count}{self._letter}", data, start))), stop
        read, pos = self.item.read, start
        values: list[Any] = []
        try:
            while pos < stop:
                value, pos = read(data, pos, stop) if sink is None else read(data, pos, stop, sink, f"{path}[{len(values)}]")
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


class Tail:
    """A field that is None if no bytes are left for it, as the extensions of ClientHello are (RFC 5246 7.4.1.2)."""

    def __init__(self, item: Codec) -> None:
        self.item = item

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[Any, int]:
        return self.item.read(data, pos, end, sink, path) if pos < end else (None, pos)

    def write(self, value: Any, out: bytearray) -> None:
        if value is not None:
            self.item.write(value, out)


class Converted:
    """A field with another form in the struct than on the wire: None for an empty vector, for example, or text for bytes.

    `decode` raises `ValueError`, with what is wrong, for what `encode` never makes.
    """

    def __init__(self, item: Codec, decode: Callable[[Any], Any], encode: Callable[[Any], Any]) -> None:
        self.item = item
        self.decode = decode
        self.encode = encode

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[Any, int]:
        value, stop = self.item.read(data, pos, end, sink, path)
        try:
            better = self.decode(value)
        except ValueError as error:
            raise DecodeError(str(error), offset=pos, rfc="RFC 5246 4") from None
        if sink and sink[-1].path == path:  # an empty vector has its length only
            sink[-1] = replace(sink[-1], value=better)
        return better, stop

    def write(self, value: Any, out: bytearray) -> None:
        self.item.write(self.encode(value), out)


def nothing_after(pos: int, end: int) -> None:
    """Raise `DecodeError` when bytes are left over."""
    if pos != end:
        raise DecodeError(f"{counted(end - pos, 'byte')} too many", offset=pos, rfc="RFC 5246 7.2.2")
