"""Keystream made ahead, within a budget of bytes; every nonce is forgotten as soon as it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Prefetched:
    """Keystream by nonce. `budget` in bytes; 0 keeps nothing."""

    __slots__ = ("_budget", "_kept", "_used")

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._kept: dict[bytes, bytes] = {}

    def __contains__(self, nonce: bytes) -> bool:
        return nonce in self._kept

    def take(self, nonce: bytes, length: int) -> bytes | None:
        """At least `length` bytes of keystream, or None; either way the nonce is forgotten."""
        stream = self._kept.pop(nonce, None)
        if stream is None:
            return None
        self._used -= len(stream)
        return stream if len(stream) >= length else None

    def fill(self, nonces: Sequence[bytes], length: int, make: Callable[[list[bytes]], list[bytes]]) -> None:
        """Keep `length` bytes for as many of the nonces, in their order, as the budget holds; the oldest give way."""
        new = [nonce for nonce in dict.fromkeys(nonces) if nonce not in self._kept][: self._budget // length]
        if not new:
            return
        while self._used + length * len(new) > self._budget:
            oldest = next(iter(self._kept))
            self._used -= len(self._kept.pop(oldest))
        self._kept.update(zip(new, make(new), strict=True))
        self._used += length * len(new)
