"""Secret bytes that do not show themselves in a repr, a log or an exception."""

from __future__ import annotations


class Secret(bytes):
    """Bytes whose `repr` and `str` tell only their length.

    Slicing and concatenation give plain `bytes`, as for every subclass of `bytes`: wrap the result again where it stays secret.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({len(self)} bytes)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)
