"""Structs by declaration: `@wire` makes a frozen dataclass whose fields know their wire form.

One field list gives `parse`, `serialise`, the byte map of `annotate`, and (from `testing`) a hypothesis strategy. `annotate` is `parse`
with a sink: there is one traversal.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform

from puretls.errors import DecodeError
from puretls.spans import Sink, Span, mark_fault, with_note
from puretls.values import MISSING, field, fields_of, frozen
from puretls.wire.codec import LETTERS, Codec, Opaque, OpaqueVector, Rest, Tail, Uint, Vector, nothing_after

T = TypeVar("T")
S = TypeVar("S", bound="Struct")

_CODEC = "codec"


class Struct:
    """Base of all declared structs. `rfc` is the section that defines it."""

    __slots__ = ()
    wire_fields: ClassVar[tuple[tuple[str, Codec], ...]] = ()
    path_name: ClassVar[str] = ""
    """How the paths of its fields begin: with the name of the class, or with a name that a base class gives to all its forms."""
    rfc: ClassVar[str] = ""
    codec: ClassVar[StructCodec]


def _field(codec: Codec, default: Any = MISSING, *, shown: bool = True) -> Any:
    return field(default=default, repr=shown, metadata={_CODEC: codec})


def u8(enum: type[IntEnum] | None = None) -> Any:
    """uint8, or an enum of one byte."""
    return _field(Uint(1, enum))


def u16(enum: type[IntEnum] | None = None) -> Any:
    """uint16, or an enum of two bytes."""
    return _field(Uint(2, enum))


def u24() -> Any:
    """uint24."""
    return _field(Uint(3))


def u32() -> Any:
    """uint32."""
    return _field(Uint(4))


def opaque(length: int) -> Any:
    """Exactly `length` bytes."""
    return _field(Opaque(length))


def opaque_vector(floor: int, ceiling: int) -> Any:
    """`opaque name<floor..ceiling>`."""
    return _field(OpaqueVector(floor, ceiling))


def vector(item: Codec | type[Struct], floor: int, ceiling: int) -> Any:
    """A vector of codecs or structs; the bounds count bytes."""
    return _field(Vector(codec_of(item), floor, ceiling))


def nested(item: Codec | type[Struct], *, default: Any = MISSING, shown: bool = True) -> Any:
    """A struct, or any codec, in place; `shown` in the `repr` or not."""
    return _field(codec_of(item), default, shown=shown)


def tail(item: Codec | type[Struct]) -> Any:
    """Present only if bytes are left, else None."""
    return _field(Tail(codec_of(item)))


def rest() -> Any:
    """All bytes that are left."""
    return _field(Rest())


class StructCodec:
    """A declared struct as a codec."""

    def __init__(self, cls: type[Struct]) -> None:
        self.cls = cls
        self._reads = tuple((name, codec.read) for name, codec in cls.wire_fields)
        self._writes = tuple((name, codec.write) for name, codec in cls.wire_fields)

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[Any, int]:
        values = []
        name = ""
        try:
            for name, read in self._reads:
                value, pos = read(data, pos, end) if sink is None else read(data, pos, end, sink, f"{path}.{name}")
                values.append(value)
        except DecodeError as error:
            raise error.within(f".{name}") from None
        return self.cls(*values), pos

    def write(self, value: Any, out: bytearray) -> None:
        for name, write in self._writes:
            write(getattr(value, name), out)


class HeaderCodec(StructCodec):
    """A struct of numbers that stands in front of its content. It is read as a whole or not at all."""

    def __init__(self, cls: type[Struct]) -> None:
        super().__init__(cls)
        self._size = size_of(cls)

    def read(self, data: bytes, pos: int, end: int, sink: Sink | None = None, path: str = "") -> tuple[Any, int]:
        if end - pos < self._size:
            raise cut_short(self.cls, pos)
        return super().read(data, pos, end, sink, path)


def codec_of(item: Codec | type[Struct]) -> Codec:
    """The codec of a struct class; a codec is returned as it is."""
    return item.codec if isinstance(item, type) else item


@dataclass_transform(frozen_default=True, field_specifiers=(u8, u16, u24, u32, opaque, opaque_vector, vector, nested, tail, rest))
def wire(rfc: str, codec: type[StructCodec] = StructCodec) -> Callable[[type[S]], type[S]]:
    """Class decorator: a frozen, slotted dataclass with a wire form; `rfc` is the section that defines it ("5246 7.4.1.2")."""

    def decorate(cls: type[S]) -> type[S]:
        made = frozen(cls)
        made.wire_fields = tuple((part.name, part.metadata[_CODEC]) for part in fields_of(made))
        made.path_name = cls.path_name or cls.__name__
        made.rfc = f"RFC {rfc}"
        made.codec = codec(made)
        return made

    return decorate


def size_of(cls: type[Struct]) -> int:
    """Bytes of a struct that is made of numbers only."""
    return sum(codec.width for _, codec in cls.wire_fields if isinstance(codec, Uint))


def layout_of(cls: type[Struct]) -> struct.Struct:
    """A struct of numbers as `struct.Struct`, which reads all fields in one call: for headers that come with every record."""
    return struct.Struct(">" + "".join(LETTERS[codec.width] for _, codec in cls.wire_fields if isinstance(codec, Uint)))


def cut_short(cls: type[Struct], offset: int = 0) -> DecodeError:
    """The error for a header of this class that is not complete."""
    return DecodeError("the header is cut short", offset=offset, rfc=cls.rfc)


def parse(cls: type[S], data: bytes, start: int = 0) -> S:
    """`data` from `start`, all of it, as a `cls`. Raises `DecodeError` with the path of the field and the offset in `data`."""
    value: S
    try:
        value, pos = cls.codec.read(data, start, len(data))
        nothing_after(pos, len(data))
    except DecodeError as error:
        raise error.within(cls.path_name) from None
    return value


def serialise(value: Struct) -> bytes:
    """The wire form. Lengths are computed, never checked: a caller may build what no peer accepts."""
    out = bytearray()
    value.codec.write(value, out)
    return bytes(out)


def annotate(cls: type[Struct], data: bytes, start: int = 0, stop: int | None = None, path: str = "") -> list[Span]:
    """Spans that tile `data[start:stop]` exactly, each with the RFC section it follows; `path` stands for the struct's own name.

    At a fault the rest of the data is one span with `fault` set, the path that `parse` names, and the reason as note.
    """
    sink: Sink = []
    path = path or cls.path_name
    stop = len(data) if stop is None else stop
    try:
        nothing_after(cls.codec.read(data, start, stop, sink, path)[1], stop)
    except DecodeError as fault:
        mark_fault(sink, data, start, stop, path + fault.path, fault.message)
    return with_note(sink, cls.rfc)
