"""Interceptors: five taps at which every value that passes can be kept, changed, dropped or multiplied.

Each method returns an iterable: nothing drops the value, one keeps or changes it, several inject. The transcript line lies between
`handshake` and `plaintext`: what is changed above it is part of the handshake both sides hash, what is changed below it is not, so
Finished must fail. Inbound the taps are passed in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from puretls.arguments import described
from puretls.errors import UsageError, calling
from puretls.handshake.effects import Effect
from puretls.handshake.states import Role, State
from puretls.messages.records import Record
from puretls.values import NamedEnum, frozen
from puretls.wire.schema import Struct


class Direction(NamedEnum):
    """Seen from the connection that is tapped."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@frozen
class Where:
    """Where a value passes: `epoch` counts the changes of keys in that direction, 0 before the first."""

    direction: Direction
    role: Role
    state: State
    epoch: int


class Interceptor:
    """Base of interceptors: override the taps you need; at the others values pass unchanged.

    A method that takes a value and its `where` under a name that is no tap's would never be called: the class is refused with
    `UsageError`, and so is a tap that does not take the two. Helpers may have any other form, or a name with an underscore.
    """

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        for name, method in vars(cls).items():
            if isinstance(method, FunctionType):
                _check_method(cls, name, method)

    def flight(self, effects: tuple[Effect, ...], where: Where) -> Iterable[Effect]:
        """The effects of a handler, before any is done."""
        return effects

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        """A typed message: change it with `dataclasses.replace`, lengths follow."""
        return (message,)

    def handshake(self, raw: bytes, where: Where) -> Iterable[bytes]:
        """The bytes of a handshake message, header included: change them with `spans.patch`."""
        return (raw,)

    def plaintext(self, record: Record, where: Where) -> Iterable[Record]:
        """A record before it is sealed, or after it was opened."""
        return (record,)

    def ciphertext(self, raw: bytes, where: Where) -> Iterable[bytes]:
        """A record as it is on the wire; outbound, each item is handed to the transport by itself."""
        return (raw,)


_RESULTS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "flight": (Effect, "effects"),
    "message": (Struct, "messages"),
    "handshake": ((bytes, bytearray), "bytes objects"),
    "plaintext": (Record, "Records"),
    "ciphertext": ((bytes, bytearray), "bytes objects"),
}
"""For each tap the type of the items that it gives, and their name in messages."""


def through(taps: Sequence[Interceptor], tap: str, value: Any, where: Where) -> list[Any]:
    """Lead a value through the tap of this name of one interceptor after the other; return what comes out.

    Raises `UsageError` for a tap that does not give an iterable of its kind.
    """
    values = [value]
    for interceptor in taps:
        method = getattr(interceptor, tap)
        with calling(f"{type(interceptor).__name__}.{tap}", method):
            values = [result for item in values for result in given(interceptor, tap, method(item, where))]
    return values


def given(interceptor: Interceptor, tap: str, results: Any) -> list[Any]:
    """What a tap returned, as a list. Raises `UsageError` unless it is an iterable of items of the tap's type."""
    kind, plural = _RESULTS[tap]
    name = f"{type(interceptor).__name__}.{tap}"
    if isinstance(results, str | bytes | bytearray) or not isinstance(results, Iterable):
        raise UsageError(f"{name} returns an iterable of {plural}, such as (value,) or (), not {described(results)}")
    items = list(results)
    for item in items:
        if not isinstance(item, kind):
            raise UsageError(f"{name} gives {plural}, and {described(item)} is among them")
    return items


def _check_method(cls: type, name: str, method: FunctionType) -> None:
    import inspect  # four milliseconds, for whoever intercepts

    parameters = list(inspect.signature(method).parameters.values())
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if name in _RESULTS:
        try:
            inspect.signature(method).bind(None, None, None)
        except TypeError:
            raise UsageError(f"{cls.__name__}.{name} must take a value and its `where` besides self") from None
    elif not name.startswith("_") and len(positional) == len(parameters) == 3:
        from difflib import get_close_matches  # a millisecond, for whoever mistyped

        meant = get_close_matches(name, _RESULTS, n=1, cutoff=0.75)
        if meant or positional[-1].name == "where":
            hint = f"did you mean {meant[0]}" if meant else f"the taps are {', '.join(_RESULTS)}"
            raise UsageError(f"{cls.__name__}.{name} is no tap and would never be called: {hint}? A helper's name begins with _")
