"""As C has it: buffers of any items, integers that have a size, and objects that nobody copies."""

from __future__ import annotations

import operator
from typing import Any


def uncopied(self: object, protocol: Any, /) -> Any:
    """The `__reduce_ex__` of what holds a connection's state or its secrets: `copy` and `pickle` are refused, in CPython's words.

    It is no method of a base class, for the classes of `_ssl` have none.
    """
    kind = type(self)
    name = f"_ssl.{kind.__name__}" if kind.__module__ == "_ssl" else kind.__name__
    raise TypeError(f"cannot pickle {name!r} object")


def octets(buffer: Any) -> memoryview:
    """A view of the bytes of a buffer, whatever its items are. Raises `BufferError` where they do not lie side by side."""
    try:
        view = memoryview(buffer)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not {type(buffer).__name__!r}") from None
    if not view.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    plain = view.format.isalpha() and view.nbytes  # others, such as those of ctypes, are copied; and what is empty cannot be cast
    return view.cast("B") if plain else memoryview(view.tobytes())


def c_int(value: Any) -> int:
    """An integer of 32 bits. Raises `TypeError` for what is none, `OverflowError` for a larger one."""
    number = operator.index(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError("Python int too large to convert to C int")
    return number
