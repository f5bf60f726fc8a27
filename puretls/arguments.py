"""Checks of arguments and fields. A wrong type or value raises `UsageError` at once, with a text that says what is wanted.

A `Kind` describes what one field or argument must be. Error texts name the type of the wrong value, and never the value: it may be a
secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from puretls.errors import UsageError
from puretls.values import frozen


@frozen
class Kind:
    """`wanted` says it in words, `fits` decides. Of a tuple, `item` is the kind of each member, and lists are taken for tuples."""

    wanted: str
    fits: Callable[[Any], bool]
    item: Kind | None = None

    def taken(self, value: Any, where: str) -> Any:
        """`value`, a list made a tuple. Raises `UsageError` where it does not fit; `where` names the field."""
        if self.item is None:
            if not self.fits(value):
                raise UsageError(f"{where} is {self.wanted}, not {described(value)}")
            return value
        if value is None and self.fits(None):
            return None
        if not isinstance(value, tuple | list):
            raise UsageError(f"{where} is {self.wanted}, not {described(value)}")
        for index, member in enumerate(value):
            if not self.item.fits(member):
                raise UsageError(f"{where}[{index}] is {self.item.wanted}, not {described(member)}")
        return tuple(value)


def described(value: object) -> str:
    """A wrong value in words: a number as it is, of everything else only the type, because the value may be secret."""
    if value is None or isinstance(value, bool | int | float):
        return f"{value!r:.40}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, str) and _has_lines(value):
        return "a text of several lines"
    return type(value).__name__


def _has_lines(text: str) -> bool:
    return "\n" in text


def instance(cls: Any, wanted: str) -> Kind:
    """A value of a class, or of one of several."""
    return Kind(wanted, lambda value: isinstance(value, cls))


def several(item: Kind, wanted: str) -> Kind:
    """A tuple, or a list, of values of one kind."""
    return Kind(wanted, lambda value: False, item)


def optional(kind: Kind) -> Kind:
    """None, or what `kind` is."""
    return Kind(f"{kind.wanted}, or None", lambda value: value is None or kind.fits(value), kind.item)


def whole(low: int, high: int, wanted: str) -> Kind:
    """A whole number in a range, ends included."""
    return Kind(wanted, lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)


def one_of(*choices: str) -> Kind:
    """One of these words."""
    *first, last = (f'"{choice}"' for choice in choices)
    return Kind(f"{', '.join(first)} or {last}", lambda value: isinstance(value, str) and value in choices)


def octets(low: int, high: int) -> Kind:
    """Bytes, so many of them."""
    return Kind(f"{low} to {high:,} bytes", lambda value: isinstance(value, bytes) and low <= len(value) <= high)


def methods(*names: str, of: str) -> Kind:
    """An object, and not the class of one, that has these methods."""

    def fits(value: Any) -> bool:
        return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in names)

    return Kind(f"{of} (with {', '.join(names)})", fits)


FLAG = instance(bool, "True or False")
FUNCTION = Kind("something that can be called", callable)
PATH = Kind("the path of a file", lambda value: isinstance(value, os.PathLike) or (isinstance(value, str) and not _has_lines(value)))
"""Text of several lines is what was read from a file. The error of an operating system would repeat it, and it may be a private key."""
PASSWORD = optional(instance((str, bytes), "text or bytes"))


def check_fields(value: object, kinds: Mapping[str, Kind], defaults: type = object) -> None:
    """Check fields of a frozen value as it is made. Raises `UsageError` that names class and field.

    Values that the class `defaults` has as defaults are not checked again.
    """
    for name, kind in kinds.items():
        given = getattr(value, name)
        if given is getattr(defaults, name, kinds):
            continue
        taken = kind.taken(given, f"{type(value).__name__}.{name}")
        if taken is not given:
            object.__setattr__(value, name, taken)


def as_bytes(data: object) -> bytes:
    """What is bytes-like, as bytes. Raises `UsageError` for everything else; `bytes` alone would make zeros of a number."""
    if type(data) is bytes:
        return data
    try:
        return bytes(memoryview(data))  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a memoryview that was released has no bytes
        raise UsageError(f"bytes are wanted here, not {described(data)}") from None
