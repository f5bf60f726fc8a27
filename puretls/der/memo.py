"""A bounded memory for what is made again and again from the same bytes."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """A dictionary of at most `size` entries, which forgets all of them when it is full: one step, whatever other threads do."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def put(self, key: K, value: V) -> None:
        if len(self) >= self.size:
            self.clear()
        self[key] = value
