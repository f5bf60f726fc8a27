"""Bytes of a scene for a page: hexadecimal text, and beside it a row of JSON for each leaf; what many leaves share is kept once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from puretls.inspect.bytemap import Leaf
from puretls.inspect.ledger.records import KINDS, key_name
from puretls.inspect.render.words import value_text
from puretls.inspect.seen import States
from puretls.text import counted

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

MOST_OF_A_LEAF = 4096
"""Bytes of one field that a page shows."""
_FIRST = 16
"""Bytes of a field that its outline shows."""
_STEP = re.compile(r"^\w+|[.\[][^.\[]+")
_KINDS = (
    ("frame", re.compile(r"\.record\[\d+\]\.(type|version|length)$")),
    ("seal", re.compile(r"\.record\[\d+\]\.(?!fragment|ciphertext|bytes)\w+$")),
    ("sealed", re.compile(r"\.record\[\d+\]\.\w+$")),
    ("frame2", re.compile(r"\.[A-Z]\w*(#\d+)?\.(msg_type|length)$|\.(tag|length|explicit)$")),
)
"""How bytes are coloured, by the paths of their fields; the rest is content."""


class Dumps:
    """The bytes of one conversation. `left` is how many more a page may show."""

    def __init__(self, conversation: Conversation, *, most: int) -> None:
        self.conversation: Conversation = conversation
        self.left: int = most
        self._strings: dict[str, int] = {}
        self._paths: dict[tuple[int, str], int] = {}
        self._texts: dict[tuple[int, ...], int] = {}
        self._contexts: dict[tuple[int, ...], int] = {}
        self.rows: dict[str, list[list[Any]]] = {}
        self._records = {(record.side, record.number): record for record in conversation.records}
        self._keys: dict[tuple[str, int], list[str]] = {}
        self._nodes: dict[str, list[str]] = defaultdict(list)
        for node in conversation.ledger.nodes:
            if node.path:
                self._nodes[node.path].append(node.name)

    @property
    def tables(self) -> dict[str, list[Any]]:
        """What the numbers in rows stand for, which are themselves made of numbers of strings.

        A path is the number of the one above it (-1: none) and a step; a text is meaning, why and sections; a context is states, key,
        note and values of the ledger.
        """
        return {
            "strings": list(self._strings),
            "paths": list(self._paths),
            "texts": list(self._texts),
            "contexts": list(self._contexts),
        }

    def hexadecimal(self, name: str, leaves: Sequence[Leaf]) -> str:
        """The bytes of these leaves as text; their rows are noted under `name`."""
        self.rows[name] = rows = []
        texts = []
        for leaf in leaves:
            data = self.conversation.byte_map.bytes_of(leaf)[:MOST_OF_A_LEAF]
            self.left -= len(data)
            rows.append(self._row(leaf, len(data)))
            texts.append(data.hex(" "))
        return " ".join(texts)

    def value(self, leaf: Leaf) -> str:
        """What a leaf means, in a few words; "" where its bytes say it all."""
        told = value_text(leaf.value)
        return "" if told == counted(leaf.length, "byte") else told

    def value_at_length(self, leaf: Leaf) -> str:
        """As `value`, with the first bytes where there is nothing better to say."""
        told = self.value(leaf)
        if told or not leaf.length:
            return told
        data = self.conversation.byte_map.bytes_of(leaf)[:_FIRST]
        return data.hex(" ") + (f" ... {counted(leaf.length, 'byte')}" if leaf.length > _FIRST else "")

    def _row(self, leaf: Leaf, shown: int) -> list[Any]:
        """As `bytes.js` takes it apart."""
        states = f"{_states(leaf.states_before)}|{_states(leaf.states_after)}"
        kind = "fault" if leaf.fault else next((name for name, pattern in _KINDS if pattern.search(leaf.path)), "")
        inside, _, name = leaf.path.rpartition(".")
        text = _number(self._texts, self._numbers(leaf.meaning, leaf.why, leaf.text.rfc if leaf.text else leaf.rfc))
        context = _number(self._contexts, self._numbers(states, leaf.key, leaf.note, " ".join(self._made_of(leaf))))
        told = self._numbers(name, kind, self.value(leaf))
        return [leaf.start, leaf.length, shown, self._path(inside), *told, text, context, *self._links(leaf, shown)]

    def _numbers(self, *strings: str) -> tuple[int, ...]:
        return tuple(_number(self._strings, text) for text in strings)

    def _path(self, path: str) -> int:
        number = -1
        for step in _STEP.findall(path):
            number = _number(self._paths, (number, step))
        return number

    def _made_of(self, leaf: Leaf) -> list[str]:
        """Names of the values in the ledger that stand here, and of the keys that protected it."""
        around = [leaf.path[: match.start()] for match in re.finditer(r"[.\[]", leaf.path)] + [leaf.path]
        return [name for path in around if path != leaf.message for name in self._nodes.get(path, ())] + self.keys_of(leaf)

    def keys_of(self, leaf: Leaf) -> list[str]:
        """Names of the keys in the ledger that protected a leaf."""
        if leaf.record is None or not leaf.key:
            return []
        at = leaf.side, leaf.record
        if at not in self._keys:
            names = [key_name(self.conversation, self._records[at], kind) for kind in KINDS]
            self._keys[at] = [name for name in names if name in self.conversation.ledger]
        return self._keys[at]

    def _links(self, leaf: Leaf, shown: int) -> list[int]:
        """The first unit in the other view: where it begins, how long each is, and how many bytes of it lie before this leaf."""
        byte_map = self.conversation.byte_map
        first = byte_map.linked(leaf.side, leaf.start, leaf.view) if leaf.key else None
        if first is None:
            return []
        start, unit = first[0], first[1] - first[0]
        same = (byte_map.linked(leaf.side, leaf.start + at, leaf.view) == first for at in range(1, min(unit, shown)))
        return [start, unit, unit - 1 - sum(takewhile(bool, same))]


def _number(table: dict[Any, int], entry: Any) -> int:
    """The place of an entry in a table, at the end of which it is put where it is new."""
    return table.setdefault(entry, len(table))


def _states(states: States) -> str:
    return f"{','.join(states.client)};{','.join(states.server)}"
