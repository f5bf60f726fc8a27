"""From the field list of a struct to its strategy: one rule for each codec, none for a struct.

Values stand at the edges of what is legal more often than chance would have them there: the ends of a range, powers of two, the shortest
and the longest vector. What is drawn always parses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, singledispatch
from typing import Any, TypeVar

from hypothesis import strategies as st

import puretls.extensions
import puretls.messages.registry
import puretls.session  # noqa: F401  (the structs that these declare)
from puretls.errors import UsageError
from puretls.iana import HandshakeType
from puretls.messages.extension import BODIES, ExtensionCodec, RawExtension
from puretls.wire import codec as codecs
from puretls.wire.schema import Struct, StructCodec, codec_of, serialise

S = TypeVar("S", bound=Struct)
LONGEST = 40
"""Bytes of a vector at most, but where its edge is drawn."""
LONGEST_EDGE = 1024
"""Bytes of a vector whose length is drawn for being an edge."""
MOST = 3
"""Items of a vector at most, but where more are needed."""


def strategy_for(item: type[S] | Any) -> st.SearchStrategy[Any]:
    """Values of a declared struct (`@wire`), or of any codec of `puretls.wire`: they serialise, and parse again to the same.

    Raises `UsageError` for a codec that has no rule here; `register` gives one to a codec of your own.
    """
    if isinstance(item, type):
        return _of_struct(item)
    return _of_codec(item)


@singledispatch
def _of_codec(codec: Any) -> st.SearchStrategy[Any]:
    raise UsageError(f"no strategy is known for {type(codec).__name__}: puretls.testing.strategies.register gives it one")


def register(codec: type) -> Callable[[Callable[[Any], st.SearchStrategy[Any]]], Callable[[Any], st.SearchStrategy[Any]]]:
    """Decorator: what makes a strategy for codecs of this class."""
    return _of_codec.register(codec)


def _made_of_fields(cls: type[Struct]) -> st.SearchStrategy[Any]:
    return made_of(cls, tuple(strategy_for(codec) for _, codec in cls.wire_fields))


_of_struct: Callable[[type], st.SearchStrategy[Any]] = cache(_made_of_fields)


class Unshown(tuple[Any, ...]):
    """What a strategy is made of, of which its `repr` tells the number only: hypothesis shows it when a filter refuses a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"...{len(self)}"


def either(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of these, each as often as it stands here; shrinks to the first. `one_of` takes unions apart, and weighs their parts alike."""
    return _either(Unshown(strategies))


@st.composite
def _either(draw: Any, strategies: Unshown) -> Any:
    return draw(strategies[draw(indices(len(strategies)))])


@cache
def indices(count: int) -> st.SearchStrategy[int]:
    """Which of so many things."""
    return st.integers(0, count - 1)


def made_of(cls: type[Struct], fields: tuple[st.SearchStrategy[Any], ...]) -> st.SearchStrategy[Any]:
    """A struct of fields that are drawn one by one, the first first."""
    return _made_of(cls, Unshown(fields))


@st.composite
def _made_of(draw: Any, cls: type[Struct], fields: Unshown) -> Any:
    return cls(*[draw(field) for field in fields])


# Numbers


@cache
def edges(width: int) -> tuple[int, ...]:
    """Numbers of so many bytes at which something may end: 0 and 1, powers of two and their neighbours, the last."""
    last = 256**width - 1
    near = {one + step for power in range(0, 8 * width + 1, 4) for one in (2**power,) for step in (-1, 0, 1)}
    return tuple(sorted(number for number in near if 0 <= number <= last))


@register(codecs.Uint)
def _(codec: codecs.Uint) -> st.SearchStrategy[int]:
    """A number with a name, or one at an edge, or any."""
    named: tuple[int, ...] = tuple(codec.enum) if codec.enum is not None else ()
    likely = st.sampled_from((*named, *map(codec.named, edges(codec.width))))
    return either(likely, st.integers(0, 256**codec.width - 1).map(codec.named))


def several_numbers(codec: codecs.Uint, fewest: int) -> st.SearchStrategy[list[int]]:
    """Items of a vector of numbers: mostly ones with a name, which all are drawn at once."""
    likely: tuple[int, ...] = tuple(codec.enum) if codec.enum is not None else tuple(map(codec.named, edges(codec.width)))
    any_number = st.integers(0, 256**codec.width - 1).map(codec.named)
    most = max(fewest, MOST)
    lists = [st.lists(item, min_size=fewest, max_size=most) for item in (st.sampled_from(likely), any_number)]
    return either(*lists)


# Bytes


def _edges_of_length(floor: int, ceiling: int) -> list[int]:
    """Lengths at which a vector may end: its bounds, and where a length needs one more byte, or one more bit."""
    wanted = (floor, floor + 1, 127, 128, 255, 256, ceiling - 1, ceiling)
    return sorted({length for length in wanted if floor <= length <= min(ceiling, LONGEST_EDGE)})


class Zeros(bytes):
    """So many zeros, whose `repr` is as short as what makes them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"bytes({len(self)})"


def some_bytes(floor: int, ceiling: int) -> st.SearchStrategy[bytes]:
    """Bytes of a vector `<floor..ceiling>`: few, or zeros as many as an edge has."""
    few = st.binary(min_size=floor, max_size=min(ceiling, floor + LONGEST))
    return either(few, st.sampled_from(_edges_of_length(floor, ceiling)).map(Zeros))


@register(codecs.Opaque)
def _(codec: codecs.Opaque) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=codec.length, max_size=codec.length)


@register(codecs.Rest)
def _(codec: codecs.Rest) -> st.SearchStrategy[bytes]:
    return some_bytes(0, LONGEST_EDGE)


@register(codecs.OpaqueVector)
def _(codec: codecs.OpaqueVector) -> st.SearchStrategy[bytes]:
    return some_bytes(codec.floor, codec.ceiling)


# What is made of others


@register(codecs.Vector)
def _(codec: codecs.Vector) -> st.SearchStrategy[tuple[Any, ...]]:
    if isinstance(codec.item, codecs.Uint):
        return several_numbers(codec.item, -(-codec.floor // codec.item.width)).map(tuple)
    fewest = min(codec.floor, 1)
    return st.lists(strategy_for(codec.item), min_size=fewest, max_size=MOST).map(tuple)


@register(codecs.Converted)
def _(codec: codecs.Converted) -> st.SearchStrategy[Any]:
    """Values of the plain codec that mean something; of the others their lowest bits, which always do."""

    def meaning(plain: Any) -> Any:
        try:
            return codec.decode(plain)
        except ValueError:
            return codec.decode(plain & 1 if isinstance(plain, int) else bytes(byte & 0x7F for byte in plain))

    return strategy_for(codec.item).map(meaning)


@register(codecs.Tail)
def _(codec: codecs.Tail) -> st.SearchStrategy[Any]:
    return either(st.none(), strategy_for(codec.item))


@register(StructCodec)
def _(codec: StructCodec) -> st.SearchStrategy[Any]:
    return strategy_for(codec.cls)


@register(ExtensionCodec)
def _(codec: ExtensionCodec) -> st.SearchStrategy[RawExtension]:
    return extension_in(codec.message)


@cache
def extension_in(message: HandshakeType) -> st.SearchStrategy[RawExtension]:
    """Extensions of a hello: the body is one of its type's three times in four, else any bytes under any number."""
    known = [_with_body(number, body) for (where, number), body in sorted(BODIES.items()) if where is message]
    return either(*known, *[_of_struct(RawExtension)] * (len(known) // 3))


def _with_body(number: int, body: type[Struct]) -> st.SearchStrategy[RawExtension]:
    type_ = codec_of(RawExtension.wire_fields[0][1]).named(number)  # type: ignore[attr-defined]
    if not body.wire_fields:
        return st.just(RawExtension(type_, b""))
    return _of_struct(body).map(lambda value: RawExtension(type_, serialise(value)))


# Which structs there are


def _subclasses(cls: type[Struct]) -> Any:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def all_structs() -> list[type[Struct]]:
    """Every declared struct of puretls, by module and name."""
    declared = {sub for sub in _subclasses(Struct) if "wire_fields" in sub.__dict__ and sub.__module__.startswith("puretls.")}
    return sorted(declared, key=lambda cls: (cls.__module__, cls.__name__))
