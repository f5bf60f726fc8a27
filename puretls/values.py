"""Frozen values: what `@dataclass(frozen=True)` makes, for a tenth of its price.

`frozen` has slots, `extensible` is open to subclasses; `field` and `replace` are those of `dataclasses`, without its import.

The standard library writes and compiles six methods for each class, and its `__init__` sets each field through `object.__setattr__`.
That was a third of the time to a client's first hello, and a twentieth of what a handshake costs apart from cryptography. Here one
method is compiled, when the first value is made, and it sets fields through their slots where there are any; all others are shared.
`dataclasses.fields` and all else of that module works as ever: what it looks at is made when it looks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from types import CodeType, FunctionType, MappingProxyType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

__all__ = ["MISSING", "Field", "NamedEnum", "extensible", "field", "fields_of", "frozen", "replace"]

T = TypeVar("T")
Methods = dict[str, Callable[..., Any]]

MISSING: Any = type("Missing", (), {"__slots__": (), "__repr__": lambda self: "MISSING"})()
"""The default of a field that has none."""


class Field:
    """What a class says of one field; see `dataclasses.Field`."""

    __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "metadata", "name", "repr", "type")

    def __init__(
        self,
        default: Any = MISSING,
        default_factory: Any = MISSING,
        *,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
        kw_only: bool | None = None,
        metadata: Any = MappingProxyType({}),
    ) -> None:
        self.name: str = ""
        self.type: Any = None
        self.default: Any = default
        self.default_factory: Any = default_factory
        self.init: bool = init
        self.repr: bool = repr
        self.compare: bool = compare
        self.kw_only: bool | None = kw_only
        self.metadata: Any = metadata

    @property
    def is_optional(self) -> bool:
        """Whether the field has a value where none is given."""
        return self.default is not MISSING or self.default_factory is not MISSING


if TYPE_CHECKING:
    from dataclasses import field, replace
else:  # type checkers know what those two do, and these do the same
    field = Field

    def replace(value: T, /, **changes: Any) -> T:
        """A copy with these fields changed."""
        return type(value)(**{field.name: getattr(value, field.name) for field in fields_of(type(value))} | changes)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass with slots. Raises `TypeError` for fields that are keyword-only or not for `__init__`."""
    fields = _declaration(cls, kw_only=False)
    for field in fields.values():
        if field.kw_only or not field.init:
            raise TypeError(f"{cls.__qualname__}.{field.name}: @frozen knows positional fields only")
    made = _slotted(cls, fields)
    _give_init(made, fields)
    return _finished(made, fields, _SHARED)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def extensible(*, init: bool = True, eq: bool = True, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """Class decorator: `@dataclass(frozen=True)` with these options of it, for classes of which applications make subclasses.

    Such a subclass may be decorated with `@dataclass(frozen=True)` as ever, or not at all. All fields are for `__init__`.
    """

    def decorate(cls: type[T]) -> type[T]:
        made: Any = cls
        fields = _declaration(cls, kw_only=kw_only)
        for name in cls.__annotations__.keys() & fields.keys() & cls.__dict__.keys():
            if fields[name].default is MISSING:
                delattr(made, name)
            else:
                setattr(made, name, fields[name].default)
        if init and "__init__" not in cls.__dict__:
            _give_init(made, fields)
        return _finished(made, fields, _OPEN if eq else {name: _OPEN[name] for name in _OPEN if name not in {"__eq__", "__hash__"}})

    return decorate


def fields_of(cls: type[Any]) -> Iterable[Any]:
    """The fields of a class in order: each a `Field`, or one of `dataclasses` where a subclass was made in that way."""
    own: dict[str, Field] | None = cls.__dict__.get("_declared")
    if own is not None:
        return own.values()
    import dataclasses

    return dataclasses.fields(cls)


def _declaration(cls: type[Any], *, kw_only: bool) -> dict[str, Field]:
    """All fields of a class: those of its bases, then what it annotates itself."""
    fields: dict[str, Field] = {}
    for base in cls.__mro__[:0:-1]:
        fields |= base.__dict__["_declared"] if "_declared" in base.__dict__ else _read(base)
    for name, annotation in cls.__annotations__.items():
        if not str(annotation).removeprefix("typing.").startswith("ClassVar"):
            fields[name] = made = _as_field(cls.__dict__.get(name, MISSING))
            made.name, made.type, made.kw_only = name, annotation, kw_only if made.kw_only is None else made.kw_only
            if type(made.default).__hash__ is None:
                raise ValueError(f"{cls.__qualname__}.{name}: all values would share its default, which changes: give a default_factory")
    return fields


def _as_field(given: Any) -> Field:
    """A field by what stands behind it in the class: its default, or a field of this module or of `dataclasses`."""
    if isinstance(given, Field):
        return given
    standard = sys.modules.get("dataclasses")
    if standard is None or not isinstance(given, standard.Field):
        return Field(given)
    known = {name: value for name in Field.__slots__ if (value := getattr(given, name)) is not standard.MISSING}
    name, type_ = known.pop("name"), known.pop("type")
    made = Field(**known)
    made.name, made.type = name, type_
    return made


def _read(base: type[Any]) -> dict[str, Field]:
    """The fields of a base that `dataclasses` has made."""
    return {name: _as_field(given) for name, given in base.__dict__.get("__dataclass_fields__", {}).items()}


def _slotted(cls: type[Any], fields: dict[str, Field]) -> Any:
    """The class again, with slots for its own fields."""
    body = dict(cls.__dict__)
    inherited = {slot for base in cls.__mro__[1:] for slot in base.__dict__.get("__slots__", ())}
    body["__slots__"] = tuple([name for name in fields if name not in inherited])
    for name in (*fields, "__dict__", "__weakref__"):
        body.pop(name, None)
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


def _finished(cls: type[T], fields: dict[str, Field], methods: Methods) -> type[T]:
    made: Any = cls
    made._declared = fields
    made._compared = staticmethod(_getter([field.name for field in fields.values() if field.compare]))
    type.__setattr__(made, "__match_args__", tuple([field.name for field in fields.values() if not field.kw_only]))
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        setattr(made, name, _Lazy(cls, name, partial(_of_standard, name)))
    for name, method in methods.items():
        if made.__dict__.get(name) is None:  # a class with an __eq__ of its own has None for __hash__
            setattr(made, name, method)
    return cls


def _give_init(made: Any, fields: dict[str, Field]) -> None:
    optional = ""
    for field in fields.values():
        if optional and not field.is_optional and not field.kw_only:
            raise TypeError(f"{made.__qualname__}.{field.name} has no default, and follows {optional}, which has one")
        if field.is_optional and not field.kw_only:
            optional = field.name
    made.__init__ = _Lazy(made, "__init__", _initialiser)


class _Lazy:
    """An attribute of a class that is made when it is first asked for."""

    def __init__(self, cls: type[Any], name: str, make: Callable[[type[Any]], Any]) -> None:
        self.cls, self.name, self.make = cls, name, make

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        made = self.make(self.cls)
        setattr(self.cls, self.name, made)
        bind = getattr(type(made), "__get__", None)
        return bind(made, instance, owner) if bind else made


def _of_standard(attribute: str, cls: type[Any]) -> Any:
    """What a class of `dataclasses` with the same fields has as this attribute: its module looks for it in ours."""
    import dataclasses

    parts = []
    for part in fields_of(cls):
        options = {name: getattr(part, name) for name in ("default", "default_factory") if getattr(part, name) is not MISSING}
        options |= {name: getattr(part, name) for name in ("init", "repr", "compare", "kw_only", "metadata")}
        parts.append((part.name, part.type, dataclasses.field(**options)))
    text = {"__doc__": "Fields."}  # without one, as under -OO, a signature is asked for, and 3.11 fails to find it
    standard = dataclasses.make_dataclass(cls.__name__, parts, namespace=text, init=False, repr=False, eq=False, frozen=True)
    return getattr(standard, attribute)


def _initialiser(cls: type[Any]) -> Callable[..., None]:
    """Sets every field. It runs for each object, so that it is compiled: once for all classes whose fields are set alike."""
    fields = sorted(fields_of(cls), key=lambda field: field.kw_only)
    named = [field for field in fields if field.kw_only]
    scope: dict[str, Any] = {"MISSING": MISSING, "set_attribute": object.__setattr__}
    ways = []
    for i, field in enumerate(fields):
        slot: Any = getattr(cls, field.name, None)
        has_slot = isinstance(slot, MemberDescriptorType)
        ways.append((has_slot, field.default_factory is not MISSING))
        scope |= {f"set_{i}": slot.__set__} if has_slot else {f"name_{i}": field.name}
        scope[f"make_{i}"] = field.default_factory
    code = _setting(tuple(ways), len(named), hasattr(cls, "__post_init__"))
    code = code.replace(co_varnames=("self", *(field.name for field in fields)))
    defaults = tuple([field.default for field in fields if field.is_optional and not field.kw_only])
    made = FunctionType(code, scope, "__init__", defaults)
    made.__kwdefaults__ = {field.name: field.default for field in named if field.is_optional}
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


@cache
def _setting(ways: tuple[tuple[bool, bool], ...], named: int, has_more: bool) -> CodeType:
    """The code of an `__init__` for fields that (have a slot, have a factory), so many of them keyword-only at the end."""
    parameters = ["self", *(f"p{i}" for i in range(len(ways)))]
    lines = []
    for i, (has_slot, has_factory) in enumerate(ways):
        value = f"make_{i}() if p{i} is MISSING else p{i}" if has_factory else f"p{i}"
        lines.append(f"set_{i}(self, {value})" if has_slot else f"set_attribute(self, name_{i}, {value})")
    if named:
        parameters.insert(len(parameters) - named, "*")
    if has_more:
        lines.append("self.__post_init__()")
    scope: dict[str, Any] = {}
    exec(f"def __init__({', '.join(parameters)}): {'; '.join(lines) or 'pass'}", scope)
    code: CodeType = scope["__init__"].__code__
    return code


def _getter(names: list[str]) -> Callable[[Any], Any]:
    """Gives the fields by which two values are compared, as a tuple. `attrgetter` does it, except for a class without fields."""
    return attrgetter(*names) if names else lambda value: ()


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _refusal(verb: str, name: str) -> Exception:
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(f"cannot {verb} field {name!r}")


def _setattr(self: Any, name: str, value: Any) -> None:
    raise _refusal("assign to", name)


def _delattr(self: Any, name: str) -> None:
    raise _refusal("delete", name)


def _open_setattr(self: Any, name: str, value: Any) -> None:
    """A subclass that is no dataclass itself may set what is no field, as with those of the standard library."""
    if "__dataclass_fields__" in type(self).__dict__ or name in self.__dataclass_fields__:
        raise _refusal("assign to", name)
    object.__setattr__(self, name, value)


def _open_delattr(self: Any, name: str) -> None:
    if "__dataclass_fields__" in type(self).__dict__ or name in self.__dataclass_fields__:
        raise _refusal("delete", name)
    object.__delattr__(self, name)


def _eq(self: Any, other: Any) -> Any:
    return self._compared(self) == self._compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), self._compared(self)))


def _repr(self: Any) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in fields_of(type(self)) if field.repr]
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
    "__replace__": replace,
}
_OPEN: Methods = {
    "__setattr__": _open_setattr,
    "__delattr__": _open_delattr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__replace__": replace,
}


class NamedEnum(Enum):
    """An enumeration of names, whose members are keys of tables: the usual hash of Enum costs a Python call each time."""

    if not TYPE_CHECKING:
        __hash__ = object.__hash__  # members are compared by identity
