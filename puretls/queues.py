"""A queue that costs nothing while it is empty."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """First in, first out; iterates and indexes from the oldest.

    An empty `deque` takes 760 bytes, and most queues of most connections are empty: here it is made with the first item, and goes with the
    last.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items: deque[T] | None = deque(items) or None

    def __len__(self) -> int:
        return len(self._items) if self._items is not None else 0

    def __bool__(self) -> bool:
        return self._items is not None

    def __iter__(self) -> Iterator[T]:
        return iter(self._items or ())

    def __getitem__(self, index: int) -> T:
        return (self._items or deque())[index]

    def __setitem__(self, index: int, item: T) -> None:
        (self._items or deque())[index] = item

    def append(self, item: T) -> None:
        """Put one at the end."""
        if self._items is None:
            self._items = deque()
        self._items.append(item)

    def extend(self, items: Iterable[T]) -> None:
        """Put several at the end."""
        found = deque() if self._items is None else self._items
        found.extend(items)
        self._items = found or None

    def popleft(self) -> T:
        """Take the oldest one; `IndexError` where there is none."""
        if self._items is None:
            raise IndexError("the queue is empty")
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item

    def clear(self) -> None:
        """Forget all."""
        self._items = None

    def copy(self) -> Queue[T]:
        """Another queue with the same items."""
        return Queue(self)
