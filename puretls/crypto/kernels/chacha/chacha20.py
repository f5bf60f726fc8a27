"""ChaCha20 (RFC 8439 2.4) over any number of blocks in big integers. No tables, no secret-dependent branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from puretls.crypto.kernels.generated.chacha20_rounds import Masks, double_rounds, double_rounds_of_rows

ROWS_MOST = 48
"""Blocks up to which four words share an integer; above, each word has its own."""
LANES_MOST = 2056
"""Blocks in one pass; temporaries leave the cache above."""
KEPT_LANES = 5120
"""Blocks for which the unchanging words are kept ready, all sizes of one key together: some 60 bytes each."""
_LANE = 5
"""Bytes a lane: 32 bits and room for the carries of forty additions."""


class ChaCha20:
    """A key of 32 bytes."""

    __slots__ = ("_kept", "_unchanged")

    def __init__(self, key: bytes) -> None:
        self._unchanged = b"expand 32-byte k" + key
        self._kept: dict[int, list[int]] = {}

    def keystreams(self, nonces: Sequence[bytes], counter: int, blocks: int) -> list[bytes]:
        """For each nonce of 12 bytes the blocks of the counters counter, counter + 1, ..."""
        per_pass = max(1, LANES_MOST // blocks)
        size = 64 * blocks
        streams: list[bytes] = []
        for i in range(0, len(nonces), per_pass):
            part = nonces[i : i + per_pass]
            n = blocks * len(part)
            output = self._by_rows(part, counter, blocks, n) if n <= ROWS_MOST else self._by_lanes(part, counter, blocks, n)
            streams += [output] if len(part) == 1 else [output[j : j + size] for j in range(0, len(output), size)]
        return streams

    def _by_lanes(self, nonces: Sequence[bytes], counter: int, blocks: int, n: int) -> bytes:
        start = self._unchanging(n, _lanes_of)
        start = [*start, *(int.from_bytes(word, "little") for word in _changing(nonces, counter, blocks))]
        size = _LANE * n
        output = bytearray(64 * n)
        for w, (x, y) in enumerate(zip(double_rounds(start, _masks(n)), start, strict=True)):
            word = (x + y).to_bytes(size, "little")
            for k in range(4):
                output[4 * w + k :: 64] = word[k::_LANE]
        return bytes(output)

    def _by_rows(self, nonces: Sequence[bytes], counter: int, blocks: int, n: int) -> bytes:
        start = [*self._unchanging(n, _rows_of), int.from_bytes(b"".join(_changing(nonces, counter, blocks)), "little")]
        rows = double_rounds_of_rows(start, _masks(4 * n), 8 * _LANE * n)
        size = 4 * _LANE * n
        joined = b"".join([(x + y).to_bytes(size, "little") for x, y in zip(rows, start, strict=True)])
        return _in_block_order(joined, n)

    def _unchanging(self, n: int, make: Callable[[bytes, int], list[int]]) -> list[int]:
        """Constants and key, for n lanes."""
        kept = self._kept.get(n)
        if kept is None:
            kept = make(self._unchanged, n)
            if sum(self._kept) + n > KEPT_LANES:
                self._kept.clear()
            self._kept[n] = kept
        return kept


def _in_block_order(lanes: bytes, n: int) -> bytes:
    """Sixteen words, each with a lane for every block, as blocks."""
    if len(lanes) <= 256:
        return _places(n).translate(lanes.ljust(256, b"\0"))
    words = bytearray(64 * n)
    for k in range(4):
        words[k::4] = lanes[k::_LANE]
    by_word = memoryview(words).cast("I")
    blocks = bytearray(64 * n)
    by_block = memoryview(blocks).cast("I")
    for w in range(16):
        by_block[w::16] = by_word[w * n : w * n + n]
    return bytes(blocks)


def _lanes_of(words: bytes, n: int) -> list[int]:
    """Each word of four bytes in n lanes."""
    return [int.from_bytes((words[i : i + 4] + b"\0") * n, "little") for i in range(0, len(words), 4)]


def _rows_of(words: bytes, n: int) -> list[int]:
    """Four words an integer, each in n lanes."""
    rows = _repeated(len(words) // 4, n).translate(words.ljust(256, b"\0"))
    size = 4 * _LANE * n
    return [int.from_bytes(rows[i : i + size], "little") for i in range(0, len(rows), size)]


@lru_cache(maxsize=ROWS_MOST)
def _repeated(words: int, n: int) -> bytes:
    """Where each byte of n lanes a word lies among the words; their fifth bytes lie behind all of them, where there are zeros."""
    return b"".join([bytes((*range(4 * word, 4 * word + 4), 255)) * n for word in range(words)])


def _changing(nonces: Sequence[bytes], counter: int, blocks: int) -> list[bytes]:
    """The lanes of counter and nonce."""
    return [
        _counters(counter, blocks) * len(nonces),
        *(b"".join([(nonce[i : i + 4] + b"\0") * blocks for nonce in nonces]) for i in (0, 4, 8)),
    ]


@lru_cache(maxsize=32)
def _counters(counter: int, blocks: int) -> bytes:
    return b"".join([(counter + i).to_bytes(_LANE, "little") for i in range(blocks)])


@lru_cache(maxsize=32)
def _masks(lanes: int) -> Masks:
    words = [((1 << bits) - 1).to_bytes(_LANE, "little") for bits in (16, 20, 12, 24, 8, 25, 7)]
    return tuple([int.from_bytes(word * lanes, "little") for word in words])


@lru_cache(maxsize=4)
def _places(n: int) -> bytes:
    """For up to three blocks: where each byte of the blocks lies in the lanes."""
    return bytes([_LANE * (w * n + block) + k for block in range(n) for w in range(16) for k in range(4)])
