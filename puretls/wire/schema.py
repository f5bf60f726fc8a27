"""Structs by declaration: `@wire` makes a frozen dataclass whose fields know their wire form.

One field list gives `parse`, `serialise`, `annotate`, and (from `testing`) a hypothesis strategy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform

from puretls.errors import DecodeError
from puretls.spans import Span, with_note
from puretls.values import frozen
from puretls.wire.codec import Codec, Opaque, OpaqueVector, Rest, Spans, Tail, Uint, Vector, nothing_after

T = TypeVar("T")
S = TypeVar("S", bound="Struct")

_CODEC = "codec"


class Struct:
    """Base of all declared structs. `rfc` is the section that defines it."""

    __slots__ = ()
    wire_fields: ClassVar[tuple[tuple[str, Codec], ...]] = ()
    path_name: ClassVar[str] = ""
    """What its fields' paths begin with: the class's name, unless a base gives one for all its forms."""
    rfc: ClassVar[str] = ""
    codec: ClassVar[StructCodec]


def _field(codec: Codec) -> Any:
    return dataclasses.field(metadata={_CODEC: codec})


def u8(enum: type[IntEnum] | None = None) -> Any:
    """uint8, or an enum of one byte."""
    return _field(Uint(1, enum))


def u16(enum: type[IntEnum] | None = None) -> Any:
    """uint16, or an enum of two bytes."""
    return _field(Uint(2, enum))


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


def nested(item: Codec | type[Struct]) -> Any:
    """A struct, or any codec, in place."""
    return _field(codec_of(item))


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

    def read(self, data: bytes, pos: int, end: int) -> tuple[Any, int]:
        values = []
        name = ""
        try:
            for name, read in self._reads:  # noqa: B007  (the name is wanted when a read fails)
                value, pos = read(data, pos, end)
                values.append(value)
        except DecodeError as error:
            raise error.within(f".{name}") from None
        return self.cls(*values), pos

    def write(self, value: Any, out: bytearray) -> None:
        for name, write in self._writes:
            write(getattr(value, name), out)

    def annotate(self, data: bytes, pos: int, end: int, path: str, spans: Spans) -> int:
        for name, codec in self.cls.wire_fields:
            pos = codec.annotate(data, pos, end, f"{path}.{name}", spans)
        return pos


def codec_of(item: Codec | type[Struct]) -> Codec:
    """A struct class as its codec; codecs as they are."""
    return item.codec if isinstance(item, type) else item


@dataclass_transform(frozen_default=True, field_specifiers=(u8, u16, u32, opaque, opaque_vector, vector, nested, tail, rest))
def wire(rfc: str) -> Callable[[type[S]], type[S]]:
    """Class decorator: a frozen, slotted dataclass with a wire form; `rfc` is the section that defines it ("5246 7.4.1.2")."""

    def decorate(cls: type[S]) -> type[S]:
        made = frozen(cls)
        made.wire_fields = tuple((field.name, field.metadata[_CODEC]) for field in dataclasses.fields(made))  # type: ignore[arg-type]
        made.path_name = cls.path_name or cls.__name__
        made.rfc = f"RFC {rfc}"
        made.codec = StructCodec(made)
        return made

    return decorate


def parse(cls: type[S], data: bytes) -> S:
    """`data`, all of it, as a `cls`. Raises `DecodeError` with the path of the field and the offset in `data`."""
    try:
        value, pos = cls.codec.read(data, 0, len(data))
        nothing_after(pos, len(data))
    except DecodeError as error:
        raise error.within(cls.path_name) from None
    return value  # type: ignore[no-any-return]


def serialise(value: Struct) -> bytes:
    """The wire form. Lengths are computed, never checked: a caller may build what no peer accepts."""
    out = bytearray()
    value.codec.write(value, out)
    return bytes(out)


def annotate(cls: type[Struct], data: bytes) -> list[Span]:
    """Spans that tile `data` exactly, each with the RFC section it follows.

    At a fault the rest of the data is one span with `fault` set, the path that `parse` names, and the reason as note.
    """
    spans: list[Span] = []
    annotate_into(spans, cls, data, 0, len(data), cls.path_name)
    return with_note(spans, cls.rfc)


def annotate_into(spans: Spans, cls: type[Struct], data: bytes, start: int, stop: int, path: str) -> None:
    """Append the spans of `data[start:stop]` as a `cls`, under `path`; a fault is marked where it begins, under its field's path."""
    before = len(spans)
    try:
        nothing_after(cls.codec.annotate(data, start, stop, path, spans), stop)
    except DecodeError as fault:
        covered = spans[-1].end if len(spans) > before else start
        where = path + _fault_path(cls, data[start:stop])
        spans.append(Span(covered, stop, where, data[covered:stop], fault.message, fault=True))


def _fault_path(cls: type[Struct], data: bytes) -> str:
    """Which field cannot be read, below the struct: reading knows, annotating does not."""
    try:
        parse(cls, data)
    except DecodeError as error:
        return error.path.removeprefix(cls.path_name)
    return ""
