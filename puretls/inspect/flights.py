"""Flights: which messages of one side follow each other before the other side speaks, read from the tables of both ends (RFC 5246 7.3)."""

from __future__ import annotations

from collections.abc import Iterable

from puretls.handshake.states import Rejection, Role, State, Verdict
from puretls.handshake.table import INDEX, TABLES, Row
from puretls.iana import HandshakeType
from puretls.inspect.streams import other
from puretls.messages.handshake import HandshakeMessage, HelloRequest
from puretls.messages.records import ChangeCipherSpec
from puretls.values import frozen

ENDS_A_FLIGHT = frozenset((HandshakeType.CLIENT_HELLO, HandshakeType.SERVER_HELLO_DONE, HandshakeType.FINISHED))
"""After these the other side speaks, or the handshake is over (RFC 5246 7.3, figures 1 and 2)."""


@frozen
class Neighbours:
    """What may come directly before and after a message in its flight, and whether it may be the first or the last of it."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    first: bool
    last: bool

    def __str__(self) -> str:
        if self.first and self.last and not self.before:
            return "the only message"
        first = "first" if self.first else ""
        before = f"after {_either(self.before)}" if self.before else ""
        after = f"before {_either(self.after)}" if self.after else ""
        return "; ".join(filter(None, (", or ".join(filter(None, (before, first))), after, "last" if self.last else "")))


def neighbours(sender: str, name: str) -> Neighbours | None:
    """Of the message of this name from "client" or "server"; None where that side sends none in a flight."""
    table = [row for row in TABLES[Role(other(sender))] if _is_of_a_flight(row)]
    rows = [row for row in table if row.input.__name__ == name]
    if not rows:
        return None
    states = {row.state for row in rows}
    before = [row for row in table if states & _reached(row) and row not in rows]
    after = [row for row in table if row not in rows and any(row.state in _reached(one) for one in rows)]
    told = _names(row for row in before if not _ends(row)), _names(row for row in after if not _ends(rows[0]))
    return Neighbours(*told, first=not told[0] or any(map(_ends, before)), last=_ends(rows[0]))


def _is_of_a_flight(row: Row) -> bool:
    return issubclass(row.input, HandshakeMessage | ChangeCipherSpec) and row.input is not HelloRequest and bool(row.next_states)


def _ends(row: Row) -> bool:
    return issubclass(row.input, HandshakeMessage) and row.input.handshake_type in ENDS_A_FLIGHT


def _reached(row: Row) -> set[State]:
    """Where the message leads, and from there what the receiver's own verifier says."""
    states = set(row.next_states)
    for state in row.next_states:
        for verdict in (Verdict, Rejection):
            states |= set(found.next_states) if (found := INDEX.get((state, verdict))) else set()
    return states


def _names(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.input.__name__ for row in rows))


def _either(names: tuple[str, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
