"""Frozen values: what `@dataclass(frozen=True)` makes, for a fifth of its price.

`frozen` has slots, `extensible` is open to subclasses.

The standard library writes and compiles six methods for each class, and its `__init__` sets each field through `object.__setattr__`.
That was a third of the time to a client's first hello, and a twentieth of what a handshake costs apart from cryptography. Here one
method is compiled, and it sets fields through their slots where there are any; all others are shared. `dataclasses.fields` and
`replace` work as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from inspect import get_annotations
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
Methods = dict[str, Callable[..., Any]]


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass with slots. Raises `TypeError` for fields that are keyword-only or not for `__init__`."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # without one, as under -OO, `dataclass` asks for a signature, and 3.11 fails to find it
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for field in dataclasses.fields(made):
        if field.kw_only or not field.init:
            raise TypeError(f"{cls.__qualname__}.{field.name}: @frozen knows positional fields only")
    made.__init__ = _initialiser(made, {f"set_{field.name}": getattr(made, field.name).__set__ for field in dataclasses.fields(made)})
    made._compared = _comparison(made)
    _share(made, _SHARED)
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def extensible(*, init: bool = True, eq: bool = True, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """Class decorator: `@dataclass(frozen=True)` with these options of it, for classes of which applications make subclasses.

    Such a subclass may be decorated with `@dataclass(frozen=True)` as ever, or not at all. All fields are for `__init__`.
    """

    def decorate(cls: type[T]) -> type[T]:
        made: Any = cls
        _declare(made, kw_only=kw_only)
        if init and "__init__" not in cls.__dict__:
            made.__init__ = _initialiser(made, {f"set_{field.name}": _setter(field.name) for field in dataclasses.fields(made)})
        made._compared = _comparison(made)
        _share(made, _OPEN if eq else {name: method for name, method in _OPEN.items() if name not in {"__eq__", "__hash__"}})
        return made  # type: ignore[no-any-return]

    return decorate


def _declare(cls: Any, *, kw_only: bool) -> None:
    """Makes the class a dataclass for `dataclasses`: by the fields that it finds in another class, for which it writes nothing."""
    own = get_annotations(cls)
    namespace = {name: cls.__dict__[name] for name in own if name in cls.__dict__}
    namespace |= {"__annotations__": own, "__module__": cls.__module__, "__doc__": "Fields."}
    declared: Any = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(type(cls.__name__, (), namespace))
    fields = declared.__dataclass_fields__
    for base in cls.__mro__[1:]:
        fields = base.__dict__.get("__dataclass_fields__", {}) | fields
    for name in own:
        if isinstance(cls.__dict__.get(name), Field):
            if fields[name].default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, fields[name].default)
    cls.__dataclass_fields__ = fields
    cls.__dataclass_params__ = _Template.__dataclass_params__  # type: ignore[attr-defined]
    type.__setattr__(cls, "__match_args__", tuple([field.name for field in dataclasses.fields(cls) if not field.kw_only]))
    if hasattr(declared, "__replace__"):
        cls.__replace__ = declared.__replace__


@dataclasses.dataclass(init=False, repr=False, eq=False, frozen=True)
class _Template:
    __doc__ = "Its parameters say that a class is frozen, so that subclasses have to be."  # kept under -OO


def _share(cls: Any, methods: Methods) -> None:
    for name, method in methods.items():
        if cls.__dict__.get(name) is None:  # a class with an __eq__ of its own has None for __hash__
            setattr(cls, name, method)


def _setter(name: str) -> Callable[[Any, Any], None]:
    return lambda self, value: object.__setattr__(self, name, value)


def _comparison(cls: type[Any]) -> Any:
    """Gives the fields by which two values are compared."""
    return staticmethod(_getter([field.name for field in dataclasses.fields(cls) if field.compare]))


def _initialiser(cls: type[Any], setters: dict[str, Callable[[Any, Any], None]]) -> Callable[..., None]:
    """Sets every field; the one method that is compiled for each class, since it runs for each object."""
    scope: dict[str, Any] = {"MISSING": MISSING, **setters}
    positional: list[str] = ["self"]
    named: list[str] = []
    lines: list[str] = []
    for field in dataclasses.fields(cls):
        name = value = parameter = field.name
        if field.default_factory is not MISSING:
            scope[f"make_{name}"] = field.default_factory
            value = f"make_{name}() if {name} is MISSING else {name}"
            parameter = f"{name}=MISSING"
        elif field.default is not MISSING:
            scope[f"default_{name}"] = field.default
            parameter = f"{name}=default_{name}"
        (named if field.kw_only else positional).append(parameter)
        lines.append(f"set_{name}(self, {value})")
    parameters = [*positional, *(["*", *named] if named else [])]
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


def _open_setattr(self: Any, name: str, value: Any) -> None:
    """A subclass that is no dataclass itself may set what is no field, as with those of the standard library."""
    if "__dataclass_fields__" in type(self).__dict__ or name in self.__dataclass_fields__:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _open_delattr(self: Any, name: str) -> None:
    if "__dataclass_fields__" in type(self).__dict__ or name in self.__dataclass_fields__:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


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


_SHARED: Methods = {
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
}
_OPEN: Methods = {
    "__setattr__": _open_setattr,
    "__delattr__": _open_delattr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
}
