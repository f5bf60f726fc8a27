"""ChaCha20 (RFC 8439 2.4) over any number of blocks in big integers. No tables, no secret-dependent branch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from struct import unpack

from puretls.crypto.kernels.chacha20_rounds import Masks, double_rounds, double_rounds_of_rows

ROWS_MOST = 24
"""Blocks up to which four words share an integer; above, each word has its own."""
LANES_MOST = 2056
"""Blocks in one pass; temporaries leave the cache above."""
_CONSTANTS = unpack("<4I", b"expand 32-byte k")
_LANE = 5
"""Bytes a lane: 32 bits and room for the carries of forty additions."""


def keystreams(key: bytes, nonces: Sequence[bytes], counter: int, blocks: int) -> list[bytes]:
    """For each nonce the blocks of the counters counter, counter + 1, ... Key 32 bytes, nonces 12 bytes."""
    per_pass = max(1, LANES_MOST // blocks)
    streams: list[bytes] = []
    for i in range(0, len(nonces), per_pass):
        part = nonces[i : i + per_pass]
        output = _keystream(key, part, counter, blocks)
        size = 64 * blocks
        streams += [output[j : j + size] for j in range(0, size * len(part), size)] if len(part) > 1 else [output]
    return streams


def _keystream(key: bytes, nonces: Sequence[bytes], counter: int, blocks: int) -> bytes:
    n = blocks * len(nonces)
    words = [word.to_bytes(_LANE, "little") * n for word in (*_CONSTANTS, *unpack("<8I", key))]
    words.append(_counters(counter, blocks) * len(nonces))
    words += [b"".join([nonce[i : i + 4] + b"\0" for nonce in nonces for _ in range(blocks)]) for i in (0, 4, 8)]
    return _by_rows(words, n) if n <= ROWS_MOST else _by_lanes(words, n)


def _by_lanes(words: list[bytes], n: int) -> bytes:
    start = [int.from_bytes(word, "little") for word in words]
    output = bytearray(64 * n)
    lanes = _LANE * n
    for w, (x, y) in enumerate(zip(double_rounds(start, _masks(n)), start, strict=True)):
        word = (x + y).to_bytes(lanes, "little")
        for k in range(4):
            output[4 * w + k :: 64] = word[k::_LANE]
    return bytes(output)


def _by_rows(words: list[bytes], n: int) -> bytes:
    start = [int.from_bytes(b"".join(words[i : i + 4]), "little") for i in (0, 4, 8, 12)]
    output = bytearray(64 * n)
    lanes = 4 * _LANE * n
    for r, (x, y) in enumerate(zip(double_rounds_of_rows(start, _masks(4 * n), 8 * _LANE * n), start, strict=True)):
        row = (x + y).to_bytes(lanes, "little")
        for k in range(4):
            column = row[k::_LANE]
            for w in range(4):
                output[16 * r + 4 * w + k :: 64] = column[w * n : w * n + n]
    return bytes(output)


@lru_cache(maxsize=64)
def _masks(lanes: int) -> Masks:
    words = [((1 << bits) - 1).to_bytes(_LANE, "little") for bits in (16, 20, 12, 24, 8, 25, 7)]
    return tuple([int.from_bytes(word * lanes, "little") for word in words])


@lru_cache(maxsize=64)
def _counters(counter: int, blocks: int) -> bytes:
    return b"".join([(counter + i).to_bytes(_LANE, "little") for i in range(blocks)])
