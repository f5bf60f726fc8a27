"""Interceptors: five taps at which every value that passes can be kept, changed, dropped or multiplied.

Each method returns an iterable: nothing drops the value, one keeps or changes it, several inject. The transcript line lies between
`handshake` and `plaintext`: what is changed above it is part of the handshake both sides hash, what is changed below it is not, so
Finished must fail. Inbound the taps are passed in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from puretls.handshake.effects import Effect
from puretls.handshake.states import Role, State
from puretls.messages.records import Record
from puretls.values import frozen
from puretls.wire.schema import Struct


class Direction(Enum):
    """Seen from the connection that is tapped."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash costs a Python call

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@frozen
class Where:
    """What passes where: `epoch` counts the changes of keys in that direction, 0 before the first."""

    direction: Direction
    role: Role
    state: State
    epoch: int


class Interceptor:
    """Override what is needed; the rest passes unchanged."""

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


def through(taps: Sequence[Interceptor], tap: str, value: Any, where: Where) -> list[Any]:
    """What comes out when a value passes the tap of that name of all interceptors, one after the other."""
    values = [value]
    for interceptor in taps:
        values = [result for item in values for result in getattr(interceptor, tap)(item, where)]
    return values
