"""Flights: what one side sends at once, as the handshake table has it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from puretls.handshake.states import ClientState, LocalInput, Role, ServerState, State
from puretls.handshake.table import TABLES, Input
from puretls.iana import ContentType
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.messages.registry import serialise_handshake
from puretls.values import frozen
from puretls.wire.schema import Struct, serialise

C, S = ClientState, ServerState
BEGINS: dict[Role, tuple[State, ...]] = {
    Role.CLIENT: (C.WAIT_SERVER_HELLO, C.WAIT_TICKET, C.WAIT_CCS),
    Role.SERVER: (S.START, S.WAIT_CLIENT_KEY_EXCHANGE, S.WAIT_CLIENT_CERTIFICATE, S.WAIT_CCS),
}
"""States in which an end waits for a flight to begin."""
ENDS: dict[Role, frozenset[State]] = {
    Role.CLIENT: frozenset((C.WAIT_VERDICT, C.CONNECTED)),
    Role.SERVER: frozenset((S.CONNECTED,)),
}
"""States in which an end, or its application, has its turn; a server also has it after a ClientHello."""


@frozen
class Flight:
    """Messages that one side sends one behind the other, each in the clear."""

    sender: str
    messages: tuple[Struct, ...]

    def records(self, version: int = 0x0303, size: int = MAX_PLAINTEXT) -> list[Record]:
        """The records that carry it, of at most `size` bytes each; handshake messages share them (RFC 5246 6.2.1)."""
        made: list[Record] = []
        for type_, contents in groupby(self._contents(), key=itemgetter(0)):
            parts = [content for _, content in contents]
            for content in [b"".join(parts)] if type_ == ContentType.HANDSHAKE else parts:
                made += [Record(type_, version, content[start : start + size]) for start in range(0, len(content) or 1, size)]
        return made

    def _contents(self) -> Iterator[tuple[int, bytes]]:
        for message in self.messages:
            if isinstance(message, HandshakeMessage):
                yield ContentType.HANDSHAKE, serialise_handshake(message)
            else:
                yield message.content_type, serialise(message)  # type: ignore[attr-defined]

    def to_bytes(self, version: int = 0x0303, size: int = MAX_PLAINTEXT) -> bytes:
        """The bytes on the wire."""
        return b"".join(record.to_bytes() for record in self.records(version, size))


def follows(receiver: Role, state: State) -> tuple[tuple[Input, State], ...]:
    """What may arrive at an end in this state within a flight, and where it leads; what leads nowhere is no part of one.

    Where the end only asks its verifier, the flight goes on.
    """
    found = []
    for row in TABLES[receiver]:
        if row.state is not state or issubclass(row.input, LocalInput):
            continue
        found += [
            (row.input, through) for after in row.next_states if after is not state for through in _past_verdicts(receiver, after)
        ]
    return tuple(dict.fromkeys(found))


def _past_verdicts(receiver: Role, state: State) -> Iterator[State]:
    """The state, or those behind it where only a verdict is waited for and nothing is sent."""
    if state in ENDS[receiver] or not state.name.endswith("VERDICT"):
        yield state
        return
    for row in TABLES[receiver]:
        if row.state is state:
            yield from row.next_states


def is_over(receiver: Role, input_: Input, state: State) -> bool:
    """Whether the receiver has its turn."""
    return state in ENDS[receiver] or input_.__name__ == "ClientHello"
