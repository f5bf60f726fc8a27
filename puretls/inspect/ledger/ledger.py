"""The ledger of a conversation: all its nodes, those of records when asked for, and both scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from puretls.display import in_notebooks
from puretls.errors import UsageError
from puretls.inspect.ledger.handshakes import handshake_nodes
from puretls.inspect.ledger.nodes import Node
from puretls.inspect.ledger.records import KINDS, key_name, record_nodes
from puretls.inspect.ledger.script import python_script
from puretls.inspect.ledger.shell import shell_script

if TYPE_CHECKING:
    from puretls.inspect.bytemap import Leaf
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.seen import RecordSeen


class Ledger:
    """The nodes of a conversation, inputs before what is made of them; those of single records are made when asked for."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __repr__(self) -> str:
        known = sum(node.value is not None for node in self.nodes)
        return f"<Ledger of {len(self.nodes)} values, {known} known>"

    _repr_html_ = in_notebooks

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Node:
        """The node of this name. Raises `UsageError` where there is none."""
        if name not in self._by_name:
            raise UsageError(f"the ledger has no value {name!r}; it has {', '.join(self._by_name) or 'none at all'}")
        return self._by_name[name]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """From the handshakes: randoms, secrets, keys, hashes, verify_data, what was signed."""
        return handshake_nodes(self._conversation)

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def record(self, side: str, number: int) -> tuple[Node, ...]:
        """Nonce, additional data or MAC of one protected record; nothing for one in the clear or one that was not opened.

        Raises `UsageError` where there is no such record.
        """
        return record_nodes(self._conversation, self._record(side, number))

    @cached_property
    def _records(self) -> dict[tuple[str, int], RecordSeen]:
        return {(seen.side, seen.number): seen for seen in self._conversation.records}

    def _record(self, side: str, number: int) -> RecordSeen:
        record = self._records.get((side, number))
        if record is None:
            raise UsageError(f"there is no {side}.record[{number}]")
        return record

    def of(self, leaf: Leaf) -> tuple[Node, ...]:
        """What the ledger tells of a leaf of the byte map: the values that stand there, and the keys that protected it."""
        around = {leaf.path[: match.start()] for match in re.finditer(r"[.\[]", leaf.path)} | {leaf.path}
        keys = self._keys_of(leaf)
        return tuple(node for node in self.nodes if node.path in around or node.name in keys)

    def _keys_of(self, leaf: Leaf) -> set[str]:
        if leaf.record is None or not leaf.key:
            return set()
        record = self._record(leaf.side, leaf.record)
        return {key_name(self._conversation, record, kind) for kind in KINDS}

    def made_of(self, name: str) -> tuple[Node, ...]:
        """All that goes into a value, directly or not, the value itself last."""
        wanted, stack = {name}, [name]
        while stack:
            for inside in self[stack.pop()].inputs:
                if inside not in wanted:
                    wanted.add(inside)
                    stack.append(inside)
        return tuple(node for node in self.nodes if node.name in wanted)

    def script(self, *, records: int = 32) -> str:
        """A Python program that needs the standard library alone, recomputes every value and says which is the first that is wrong.

        It holds secrets. `records` is how many protected records of each side it goes into.
        """
        return python_script(self._conversation, self, records)

    def shell(self) -> str:
        """The same of the handshakes as commands of OpenSSL 3 for bash. It holds secrets."""
        return shell_script(self._conversation, self)
