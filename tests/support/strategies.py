"""Hypothesis strategies for declared structs, by the class of each codec."""

from __future__ import annotations

from functools import singledispatch

from hypothesis import strategies as st

import puretls.extensions
import puretls.messages.registry
import puretls.session  # noqa: F401
from puretls.wire import codec as codecs
from puretls.wire.schema import Struct, StructCodec

_LONGEST = 40


@singledispatch
def strategy(codec) -> st.SearchStrategy:
    raise AssertionError(f"no strategy for {type(codec).__name__}: a new codec needs one here")


@strategy.register
def _(codec: codecs.Uint):
    numbers = st.integers(0, 256**codec.width - 1)
    return numbers if codec.enum is None else st.sampled_from(list(codec.enum)) | numbers


@strategy.register
def _(codec: codecs.Opaque):
    return st.binary(min_size=codec.length, max_size=codec.length)


@strategy.register
def _(codec: codecs.Rest):
    return st.binary(max_size=_LONGEST)


@strategy.register
def _(codec: codecs.OpaqueVector):
    return st.binary(min_size=codec.floor, max_size=min(codec.ceiling, codec.floor + _LONGEST))


@strategy.register
def _(codec: codecs.Vector):
    return st.lists(strategy(codec.item), min_size=min(codec.floor, 1), max_size=3).map(tuple)


@strategy.register
def _(codec: codecs.Converted):
    """Values of the plain codec that mean something; of the others their lowest bits, which always do."""

    def meaning(plain):
        try:
            return codec.decode(plain)
        except ValueError:
            return codec.decode(plain & 1 if isinstance(plain, int) else bytes(byte & 0x7F for byte in plain))

    return strategy(codec.item).map(meaning)


@strategy.register
def _(codec: codecs.Tail):
    return st.none() | strategy(codec.item)


@strategy.register
def _(codec: StructCodec):
    return values_of(codec.cls)


def values_of(cls: type[Struct]) -> st.SearchStrategy:
    """Valid values of a struct."""
    return st.builds(cls, *(strategy(codec) for _, codec in cls.wire_fields))


def _subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def all_structs() -> list[type[Struct]]:
    """Every declared struct of puretls, by name."""
    declared = {sub for sub in _subclasses(Struct) if "wire_fields" in sub.__dict__ and sub.__module__.startswith("puretls.")}
    return sorted(declared, key=lambda cls: (cls.__module__, cls.__name__))
