"""Combs of public keys that come again (a CA, a pinned server): made at the third use, kept for the last few keys.

A comb costs two or three verifications to make and makes each that follows three times faster. Only public points are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

MAX_COMBS = 16
"""Combs kept; one takes 80 to 100 KiB, 190 KiB for Ed448."""
MAX_COUNTED = 256
USES = 3
"""The use at which a key gets its comb."""

_combs: OrderedDict[Hashable, Any] = OrderedDict()
_counts: OrderedDict[Hashable, int] = OrderedDict()


def clear() -> None:
    """Forget all combs and counts."""
    _combs.clear()
    _counts.clear()


def comb_for(key: Hashable, make: Callable[[], Any]) -> Any | None:
    """The comb of the key, made now if the key was used often enough, else None. Safe to call from several threads."""
    comb = _combs.pop(key, None)
    if comb is None:
        if not has_or_gets(key):
            count(key)
            return None
        _counts.pop(key, None)
        comb = make()
    _keep(_combs, key, comb, MAX_COMBS)
    return comb


def has_or_gets(key: Hashable) -> bool:
    """Whether the next use of the key is by a comb."""
    return key in _combs or _counts.get(key, 0) + 1 >= USES


def count(key: Hashable) -> None:
    """A use without a comb of a key that has none yet."""
    _keep(_counts, key, _counts.pop(key, 0) + 1, MAX_COUNTED)


def _keep(store: OrderedDict[Hashable, Any], key: Hashable, value: Any, limit: int) -> None:
    store[key] = value
    while len(store) > limit:
        store.pop(next(iter(store), None), None)
