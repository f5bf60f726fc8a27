"""A conversation cut into scenes: each message with all bytes that belong to it, on the wire and decrypted, in order.

Each leaf of both views lies in exactly one scene. The header of a record and what seals it belong to the first message that the record
holds a part of; a record of which nothing is known makes a scene of its own.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from puretls.inspect.bytemap import Leaf
from puretls.inspect.seen import MessageSeen, RecordSeen, StraySeen
from puretls.inspect.streams import SIDES
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

Seen = MessageSeen | RecordSeen | StraySeen


@frozen
class Scene:
    """What is told at a time. `records` are those whose bytes are shown here; `plain` holds only what was encrypted."""

    seen: Seen
    records: tuple[RecordSeen, ...]
    wire: tuple[Leaf, ...]
    plain: tuple[Leaf, ...]

    @property
    def side(self) -> str:
        """Who sent it."""
        return self.seen.side

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(leaf.length for leaf in self.wire)


def scenes(conversation: Conversation) -> list[Scene]:
    """All of them, in order."""
    return [Scene(seen, tuple(records), tuple(wire), tuple(plain)) for seen, (records, wire, plain) in _by_thing(conversation)]


Held = tuple[list[RecordSeen], list[Leaf], list[Leaf]]


def _by_thing(conversation: Conversation) -> list[tuple[Seen, Held]]:
    records = {(record.side, record.number): record for record in conversation.records}
    owner: dict[tuple[str, int], str] = {}
    for message in conversation.messages:
        for number in message.records:
            owner.setdefault((message.side, number), message.path)
    things: dict[str, Seen] = {message.path: message for message in conversation.messages}
    things |= {record.path: record for at, record in records.items() if at not in owner}
    things |= {stray.path: stray for stray in conversation.strays}
    held: dict[str, Held] = defaultdict(lambda: ([], [], []))
    for at, record in records.items():
        held[owner.get(at, record.path)][0].append(record)
    for side in SIDES:
        for leaf in conversation.byte_map.wire(side):
            held[_home(leaf, owner, things)][1].append(leaf)
        for leaf in conversation.byte_map.plain(side):
            if leaf.record is not None and records[side, leaf.record].opener is not None:
                held[_home(leaf, owner, things)][2].append(leaf)
    in_order = sorted(things.items(), key=lambda item: _place(item[1], records))
    return [(seen, held[path]) for path, seen in in_order]


def _place(seen: Seen, records: dict[tuple[str, int], RecordSeen]) -> tuple[int, int]:
    """Which record it begins in, and where in that."""
    if isinstance(seen, MessageSeen) and seen.records:
        return records[seen.side, seen.records[0]].order, seen.plain_start
    return seen.order, 0


def _home(leaf: Leaf, owner: dict[tuple[str, int], str], things: dict[str, Seen]) -> str:
    if leaf.message in things:
        return leaf.message
    if leaf.record is not None:
        return owner.get((leaf.side, leaf.record), f"{leaf.side}.record[{leaf.record}]")
    return leaf.path.rpartition(".")[0]
