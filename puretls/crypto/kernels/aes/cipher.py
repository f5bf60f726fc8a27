"""An AES key and its ways to make keystream: byte rows, 32 planes, 128 planes, whichever is fastest for the amount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.aes import counter as aes_counter
from puretls.crypto.kernels.aes import planes as aes_planes
from puretls.crypto.kernels.aes import rows as aes_rows
from puretls.crypto.kernels.aes.key import expand

if TYPE_CHECKING:
    from puretls.crypto.kernels.aes.block import BlockKeys

K = TypeVar("K")


class PreparedKeys(Generic[K]):
    """Round keys as a kernel wants them for n blocks, kept for the sizes used last, `most` blocks all together."""

    __slots__ = ("_kept", "_make", "_most", "_schedule")

    def __init__(self, schedule: bytes, make: Callable[[bytes, int], K], most: int) -> None:
        self._schedule = schedule
        self._make = make
        self._most = most
        self._kept: dict[int, K] = {}

    def __call__(self, n: int) -> K:
        keys = self._kept.get(n)
        if keys is None:
            keys = self._make(self._schedule, n)
            if sum(self._kept) + n > self._most:
                self._kept.clear()
            self._kept[n] = keys
        return keys


class Aes:
    """An AES key of 16 or 32 bytes. `table_free` keeps secrets out of table indices."""

    __slots__ = ("_block_keys", "_encrypt_rows", "_row_keys", "_rows_most", "plane_keys", "schedule", "table_free")

    def __init__(self, key: bytes, *, table_free: bool = False) -> None:
        self.table_free: bool = table_free
        self.schedule: bytes = expand(key, table_free=table_free)
        self._encrypt_rows = aes_rows.encrypt_table_free if table_free else aes_rows.encrypt
        self._rows_most = thresholds.ROWS_MOST_TABLE_FREE if table_free else thresholds.ROWS_MOST
        self._row_keys = PreparedKeys(self.schedule, aes_rows.round_keys, thresholds.ROWS_CACHED)
        self.plane_keys: PreparedKeys[list[aes_planes.Block]]
        self.plane_keys = PreparedKeys(self.schedule, aes_planes.row_key_planes, thresholds.LANES_CACHED)
        self._block_keys: BlockKeys | None = None

    def encrypt_blocks(self, blocks: bytes) -> bytes:
        """Each 16-byte block encrypted for itself. For what a key does once: the round keys for so many blocks are not kept."""
        n = len(blocks) // 16
        state = self._encrypt_rows(aes_rows.to_state(blocks), aes_rows.round_keys(self.schedule, n), n)
        return aes_rows.from_state(state, n)

    def encrypt_state(self, state: int, n: int) -> int:
        """A state of `aes_rows` encrypted."""
        return self._encrypt_rows(state, self._row_keys(n), n)

    def chain(self, ivs: Sequence[bytes], messages: Sequence[bytes]) -> list[bytes]:
        """CBC encryption (SP 800-38A 6.2) of equally long messages of whole blocks, each after its IV.

        A chain cannot be split, but chains can run side by side. `table_free` takes some 60 us a block.
        """
        n = len(messages)
        if not self.table_free and n < thresholds.CHAINS_AS_LANES:
            from puretls.crypto.kernels.aes import block as aes_block

            if self._block_keys is None:
                self._block_keys = aes_block.round_keys(self.schedule)
            return [aes_block.chain(self._block_keys, int.from_bytes(iv), data) for iv, data in zip(ivs, messages, strict=True)]
        state = aes_rows.interleave(ivs)[0]
        states = []
        for block in aes_rows.interleave(messages):
            state = self.encrypt_state(state ^ block, n)
            states.append(state)
        return aes_rows.separate(states, n)

    def keystream(self, prefix: bytes, start: int, blocks: int) -> bytes:
        """The encrypted counter blocks of 13 bytes of prefix and the counters start, start + 1, ... in three bytes."""
        if blocks <= self._rows_most:
            n = blocks if blocks <= 16 else -(-blocks // thresholds.ROW_STEP) * thresholds.ROW_STEP
            state = self.encrypt_state(aes_rows.counter_state(prefix, start, n), n)
            return aes_rows.from_state(state, n)[: 16 * blocks]
        most = thresholds.LANES_MOST - 8
        if blocks > most:
            return self.keystream(prefix, start, most) + self.keystream(prefix, start + most, blocks - most)
        return self._plane_keystreams((prefix,), start, blocks)[0]

    def keystreams(self, prefixes: Sequence[bytes], start: int, blocks: int) -> list[bytes]:
        """`keystream` for each prefix."""
        per_pass = thresholds.LANES_MOST // aes_planes.lanes(blocks)
        if len(prefixes) * blocks <= self._rows_most or per_pass < 2:
            return [self.keystream(prefix, start, blocks) for prefix in prefixes]
        if len(prefixes) >= thresholds.STREAM_RECORDS:
            return self._batch_keystreams(prefixes, start, blocks)
        passes = [prefixes[i : i + per_pass] for i in range(0, len(prefixes), per_pass)]
        return [stream for part in passes for stream in self._plane_keystreams(part, start, blocks)]

    def _plane_keystreams(self, prefixes: Sequence[bytes], start: int, blocks: int) -> list[bytes]:
        lanes = aes_planes.lanes(blocks)
        n = lanes * len(prefixes)
        keys = self.plane_keys(n)
        if len(prefixes) == 1 and start + lanes <= aes_counter.COUNTERS_MOST:
            rows = aes_planes.rounds(aes_counter.first_round(self.schedule, prefixes[0], start, n), keys[2:], n)
        else:
            rows = aes_planes.encrypt_rows(aes_counter.counter_rows(prefixes, start, lanes), keys, n)
        output = aes_planes.from_row_planes(rows, n, len(prefixes))
        return [output[i : i + 16 * blocks] for i in range(0, 16 * n, 16 * lanes)]

    def _batch_keystreams(self, prefixes: Sequence[bytes], start: int, blocks: int) -> list[bytes]:
        from puretls.crypto.kernels.aes.batch import from_planes, keystream_planes

        streams = []
        for i in range(0, len(prefixes), thresholds.BATCH_MOST):
            part = list(prefixes[i : i + thresholds.BATCH_MOST])
            padded = part + part[-1:] * (-len(part) % 8)
            planes = keystream_planes(self.schedule, padded, start, blocks - 1)
            streams += [stream[-16:] + stream[:-16] for stream in from_planes(planes, len(padded), blocks)[: len(part)]]
        return streams
