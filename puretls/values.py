"""Frozen values: what `@dataclass(frozen=True, slots=True)` makes, for a fifth of its price.

The standard library writes and compiles six methods for each class, and its `__init__` sets each field through `object.__setattr__`.
That was a third of the time to a client's first hello, and a twentieth of what a handshake costs apart from cryptography. Here one
method is compiled, and it sets fields through their slots; all others are shared. `dataclasses.fields` and `replace` work as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass with slots. Raises `TypeError` for fields that are keyword-only or not for `__init__`."""
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__init__ = _initialiser(made)
    made._compared = staticmethod(_getter([field.name for field in dataclasses.fields(made) if field.compare]))
    for name, method in _SHARED.items():
        if made.__dict__.get(name) is None:  # a class with an __eq__ of its own has None for __hash__
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _initialiser(cls: type[Any]) -> Callable[..., None]:
    """Sets every field; the one method that is compiled for each class, since it runs for each object."""
    scope: dict[str, Any] = {"MISSING": MISSING}
    parameters, lines = ["self"], []
    for field in dataclasses.fields(cls):
        name = value = field.name
        if field.kw_only or not field.init:
            raise TypeError(f"{cls.__qualname__}.{name}: @frozen knows positional fields only")
        scope[f"set_{name}"] = getattr(cls, name).__set__
        if field.default_factory is not MISSING:
            scope[f"make_{name}"] = field.default_factory
            value = f"make_{name}() if {name} is MISSING else {name}"
            parameters.append(f"{name}=MISSING")
        elif field.default is not MISSING:
            scope[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        else:
            parameters.append(name)
        lines.append(f"set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}): {'; '.join(lines) or 'pass'}", scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _getter(names: list[str]) -> Callable[[Any], Any]:
    """Gives the fields by which two values are compared, as a tuple. `attrgetter` does it, except for a class without fields."""
    return attrgetter(*names) if names else lambda value: ()


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _setattr(self: Any, name: str, value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _eq(self: Any, other: Any) -> Any:
    return self._compared(self) == self._compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), self._compared(self)))


def _repr(self: Any) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    """Pickles and copies a value by calling its class, because nothing else may set a field."""
    return type(self), _values(self)


_SHARED = {
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
}
