"""A GHASH key (SP 800-38D 6.4) that prepares more the more it is used.

Fresh keys multiply without preparation, so that one that only ever protects a Finished costs nothing more. Then come tables,
and for keys that see bulk traffic parity masks; without tables the masks come at once and grow with the longest message.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from weakref import ref

from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.ghash.field import multiply_spread, spread, update_spread
from puretls.crypto.kernels.ghash.parity import ParityMasks
from puretls.crypto.kernels.ghash.tree import HashTree

_WITH_MASKS: dict[ref[Ghash], None] = {}
"""The keys that hold masks now, those used last at the end: a server with thousands of connections must not hold a set for each."""


class Ghash:
    """The hash key h, a 128-bit integer."""

    __slots__ = ("__weakref__", "_hashed", "_masks", "_ref", "_spread", "_table_free", "_tables", "_tree", "h")

    def __init__(self, h: int, *, table_free: bool = False) -> None:
        self.h: int = h
        self._table_free = table_free
        self._hashed = 0
        self._spread = spread(h)
        self._tables: Callable[[int, bytes], int] | None = None
        self._masks: ParityMasks | None = None
        self._ref: ref[Ghash] | None = None
        self._tree: HashTree | None = None

    @property
    def tree(self) -> HashTree:
        """The same key for batches."""
        if self._tree is None:
            self._tree = HashTree(self.h)
        return self._tree

    def hash(self, y: int, data: bytes) -> int:
        """The state `y` after whole blocks of data."""
        blocks = len(data) // 16
        self._hashed += blocks
        masks = self._masks_for(blocks)
        if masks is not None:
            return masks.hash(y, data)
        if self._table_free or self._hashed <= thresholds.GHASH_TABLE_AFTER:
            return update_spread(self._spread, y, data)
        if self._tables is None:
            from puretls.crypto.kernels.ghash.table import tables, update

            self._tables = partial(update, tables(self.h))
        return self._tables(y, data)

    def _masks_for(self, blocks: int) -> ParityMasks | None:
        """The masks, made when it is time, where a message of so many blocks goes by them."""
        masks = self._masks
        if self._table_free:
            wanted = blocks > thresholds.GHASH_SINGLE_MOST
        else:
            is_worth_it = masks is not None or self._hashed >= thresholds.GHASH_PARITY_AFTER
            wanted = blocks >= thresholds.GHASH_PARITY_BLOCKS and is_worth_it
        if not wanted:
            return None
        if masks is None:
            masks = self._masks = ParityMasks(self.h, self._multiplier())
        if not self._table_free:
            self._keep_masks()
        return masks

    def _keep_masks(self) -> None:
        """Be the key whose masks were used last; the longest unused masks go where there are too many.

        Whoever loses them goes back to tables until it has hashed as much as masks cost once more: however keys take turns, making
        masks costs no more than what tables cost meanwhile.
        """
        if self._ref is None:
            self._ref = ref(self, _forget)
        _forget(self._ref)
        _WITH_MASKS[self._ref] = None
        for other in list(_WITH_MASKS)[: -thresholds.MASK_SETS_MOST]:
            _forget(other)
            key = other()
            if key is not None:
                key._masks, key._hashed = None, thresholds.GHASH_TABLE_AFTER

    def times_h(self, element: int) -> int:
        """The element times h."""
        return multiply_spread(spread(element), self._spread)

    def _multiplier(self) -> Callable[[int], int]:
        """`times_h` the fastest way there is; holds no reference to this object, so that the masks go when the key goes."""
        tables, spread_h = self._tables, self._spread
        if tables is None:
            return lambda element: multiply_spread(spread(element), spread_h)
        return lambda element: tables(0, element.to_bytes(16))


def _forget(key: ref[Ghash]) -> None:
    _WITH_MASKS.pop(key, None)
