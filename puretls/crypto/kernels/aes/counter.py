"""Counter blocks as 4 x 8 bit planes, for `aes_planes.encrypt_rows`: of several records, or of one with its first round done."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from puretls.crypto.kernels.aes import rows as aes_rows
from puretls.crypto.kernels.aes.planes import Block, constant_rows, double, swap_masks, transpose, xor
from puretls.crypto.kernels.generated.aes_sbox import sub

COUNTERS_MOST = 1 << 16
"""Counters below this fit bytes 14 and 15 of the block, which `first_round` builds upon."""


def counter_rows(prefixes: Sequence[bytes], start: int, lanes: int) -> Block:
    """The counter blocks of each prefix of 13 bytes, record after record."""
    n = lanes * len(prefixes)
    counters = _counter_planes(start, lanes, len(prefixes))
    size = lanes // 8
    run = bytes(size), b"\xff" * size
    rows = []
    for row in range(4):
        columns = [prefix[place] for place in range(row, 13, 4) for prefix in prefixes]
        planes = [int.from_bytes(b"".join([run[byte >> b & 1] for byte in columns]), "little") for b in range(8)]
        rows.append(tuple([plane | counter << 3 * n for plane, counter in zip(planes, counters[row], strict=True)]))
    return rows


def first_round(schedule: bytes, prefix: bytes, start: int, n: int) -> Block:
    """The counter blocks of one prefix after AddRoundKey and the first round, S-box constant included.

    All lanes have the same bytes but two. What the other fourteen come to is computed once for all lanes; ShiftRows takes byte 14
    to column 1 and byte 15 to column 0, where MixColumns adds multiples of them to all four rows.
    """
    key = 1 << n - 1, (1 << n) - 1  # the top lane is the guard of `aes_planes`
    counters = _counter_planes(start, n, 1)
    a, b = (sub(*[plane ^ key[schedule[12 + row] >> bit & 1] for bit, plane in enumerate(counters[row])]) for row in (2, 3))
    a2, b2 = double(a), double(b)
    a3, b3 = xor(a, a2), xor(b, b2)
    rows = constant_rows(_constant_part(schedule, prefix), n)
    return [
        tuple([x ^ y << n ^ z for x, y, z in zip(row, in_column_1, in_column_0, strict=True)])
        for row, in_column_1, in_column_0 in zip(rows, (a, a3, a2, a), (b, b, b3, b2), strict=True)
    ]


def _constant_part(schedule: bytes, prefix: bytes) -> bytes:
    """The block after the first round, without what bytes 14 and 15 add, with the constant that the S-box circuit leaves out."""
    block = bytes([x ^ k for x, k in zip(prefix + bytes(3), schedule[:16], strict=True)])
    mixed = aes_rows.round_without_key(block, keep=b"\xff" * 14 + bytes(2))
    return bytes([x ^ k ^ 0x63 for x, k in zip(mixed, schedule[16:32], strict=True)])


@lru_cache(maxsize=16)
def _counter_planes(start: int, lanes: int, records: int) -> Block:
    """The planes of column 3: counters in rows 1 to 3."""
    counters = b"".join([(start + i).to_bytes(3) for i in range(lanes)])
    size = lanes // 8
    masks = swap_masks(size)
    block: Block = [(0,) * 8]
    for byte in range(3):
        column = counters[byte::3]
        planes = transpose([int.from_bytes(column[i : i + size], "little") for i in range(0, lanes, size)], masks)
        block.append(tuple([int.from_bytes(plane.to_bytes(size, "little") * records, "little") for plane in planes]))
    return block
