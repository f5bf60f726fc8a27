"""Poly1305 (RFC 8439 2.5): block by block for short messages, dozens of blocks a multiplication for longer ones.

A chunk of 3 g blocks is read as one integer and masked into three parts, each of which has g blocks in lanes of 48 bytes. A block
times a power of r has 258 bits, so that one multiplication of a part serves g blocks, and a lane has room for the sum of all chunks.
Chunk after chunk is added so, times its power of r^(3 g); Horner's rule then runs once, over the 3 g sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

P = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
HIGH_BIT = 1 << 128
"""What is added to each whole block (RFC 8439 2.5.1)."""
_LANE = 48
_BY_BLOCKS_MOST, _BY_6_MOST, _BY_18_MOST = 384, 1800, 6000
"""Bytes up to which larger chunks do not pay."""


def chunk_size(length: int) -> int:
    """Bytes of a chunk for a message of so many bytes; 0: it is too short for chunks."""
    if length <= _BY_BLOCKS_MOST:
        return 0
    if length <= _BY_6_MOST:
        return 2 * _LANE
    return 6 * _LANE if length <= _BY_18_MOST else 11 * _LANE  # a full record is 31 times 33 blocks, and one


def tag(key: bytes, data: bytes) -> bytes:
    """The tag of 16 bytes; `key` 32 bytes, for one message only."""
    size = chunk_size(len(data))
    if not size:
        return finished(key, clamped(key), 0, data)
    done = len(data) // size * size
    return tag_of_parts(key, b"", [int.from_bytes(data[i : i + size], "little") for i in range(0, done, size)], size, data[done:])


def tag_of_parts(key: bytes, head: bytes, chunks: Sequence[int], size: int, rest: bytes) -> bytes:
    """The tag of a message in parts: whole blocks, chunks of `size` bytes as little-endian integers, and the rest."""
    r = clamped(key)
    a = 0
    for i in range(0, len(head), 16):
        a = (a + int.from_bytes(head[i : i + 16], "little") + HIGH_BIT) * r % P
    if chunks:
        a = _after_chunks(r, a, chunks, size)
    return finished(key, r, a, rest)


def clamped(key: bytes) -> int:
    """The number r of RFC 8439 2.5.1."""
    return int.from_bytes(key[:16], "little") & _CLAMP


def finished(key: bytes, r: int, a: int, rest: bytes) -> bytes:
    """The tag after the value `a`, and the rest of the message."""
    whole = len(rest) & ~15
    for i in range(0, whole, 16):
        a = (a + int.from_bytes(rest[i : i + 16], "little") + HIGH_BIT) * r % P
    if len(rest) > whole:
        a = (a + int.from_bytes(rest[whole:] + b"\x01", "little")) * r % P
    return (a + int.from_bytes(key[16:], "little") & HIGH_BIT - 1).to_bytes(16, "little")


def _after_chunks(r: int, a: int, chunks: Sequence[int], size: int) -> int:
    """The value after `a` and the chunks."""
    mask0, mask1, mask2, ones = _masks(size)
    step = pow(r, size // 16, P)
    sum0 = sum1 = sum2 = powers = 0
    power = 1
    for chunk in reversed(chunks):
        sum0 += (chunk & mask0) * power
        sum1 += (chunk & mask1) * power
        sum2 += (chunk & mask2) * power
        powers += power
        power = power * step % P
    ones *= powers % P
    x = (sum0 + ones).to_bytes(size, "little")
    y = ((sum1 >> 128) + ones).to_bytes(size, "little")
    z = ((sum2 >> 256) + ones).to_bytes(size, "little")
    number = int.from_bytes
    value = 0
    for i in range(0, size, _LANE):
        j = i + _LANE
        value = (((value + number(x[i:j], "little")) * r + number(y[i:j], "little")) * r % P + number(z[i:j], "little")) * r % P
    return (value + a * power) % P


@lru_cache(maxsize=4)
def _masks(size: int) -> tuple[int, int, int, int]:
    """The blocks of each part of a chunk; and, in the lanes of all parts, the bit that is added to a block."""
    lanes = size // _LANE
    mask = int.from_bytes((b"\xff" * 16 + bytes(32)) * lanes, "little")
    return mask, mask << 128, mask << 256, int.from_bytes((bytes(16) + b"\x01" + bytes(31)) * lanes, "little")
