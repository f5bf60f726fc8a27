"""From the path of a field to the bytes that an error about it names.

Paths are plain text here, and spans are whatever has a start, an end and a path: errors use this module, and `paths` and `spans` use
errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Placed(Protocol):
    """What is needed of a span."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def path(self) -> str: ...


S = TypeVar("S", bound=Placed)


def enclosing(path: str) -> str:
    """The path one level up: of "A.b[3].c" first "A.b[3]", then "A.b", then "A"; "" above that."""
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def nearest(spans: Iterable[S], path: str) -> S | None:
    """The span that an error at `path` is about; None where there are no bytes at all.

    It is the span of exactly this path, if there is one. For a list or a struct it is the first span inside (the list's length only if
    the list is empty). For a field that is missing it is the length of the list or struct that should contain the field.
    """
    leaves = [span for span in spans if span.start < span.end]
    by_path = {span.path: span for span in reversed(leaves)}
    if path in by_path:
        return by_path[path]
    inside = _below(leaves, path)
    if inside:
        return next((span for span in inside if span.path != f"{path}.length"), inside[0])
    while path := enclosing(path):
        length = by_path.get(f"{path}.length") or by_path.get(f"{path}.extension_data.length")
        if length is not None:
            return length
        if inside := _below(leaves, path):
            return inside[0]
    return leaves[0] if leaves else None


def _below(spans: Iterable[S], path: str) -> list[S]:
    return [span for span in spans if span.path.startswith((f"{path}.", f"{path}["))]
