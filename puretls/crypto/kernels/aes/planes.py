"""AES bitsliced over hundreds to tens of thousands of blocks: no tables, no secret-dependent branch.

A plane is one integer that holds one bit of every block, a block a lane. Two cores share the circuits:

- `encrypt_rows`, 32 planes: plane (row, bit) holds the four columns side by side, so the S-box is called four times a round.
  For one record.
- `encrypt_bytes`, 128 planes: a plane for each bit of the block, so ShiftRows only renames. For many records.

Python drops the leading zeros of an integer, and xor with a short integer is faster. The top lane of every key plane is therefore
a guard, always one, so that key bits do not show in the length of integers; callers leave that lane unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from puretls.crypto.kernels.generated.aes_sbox import Planes, inverse_sub, sub

Block = list[Planes]
"""Eight planes for each of several bytes."""

_CONSTANT = 0x63
"""Left out by the S-box circuits (FIPS 197 5.1.1)."""


@lru_cache(maxsize=64)
def swap_masks(size: int) -> tuple[int, ...]:
    """The masks of `transpose` for integers of `size` bytes."""
    return tuple([int.from_bytes(bytes((mask,)) * size) for mask in (0x55, 0x33, 0x0F)])


def transpose(x: Sequence[int], masks: tuple[int, ...]) -> Planes:
    """Swap bit b of byte i of integer j with bit j of byte i of integer b; its own inverse.

    Integers j = 0..7 whose byte i is byte p of the block in lane 8 i + j become the eight planes of byte p.
    """
    a0, a1, a2, a3, a4, a5, a6, a7 = x
    m1, m2, m4 = masks
    a0, a1 = _swap(a0, a1, 1, m1)
    a2, a3 = _swap(a2, a3, 1, m1)
    a4, a5 = _swap(a4, a5, 1, m1)
    a6, a7 = _swap(a6, a7, 1, m1)
    a0, a2 = _swap(a0, a2, 2, m2)
    a1, a3 = _swap(a1, a3, 2, m2)
    a4, a6 = _swap(a4, a6, 2, m2)
    a5, a7 = _swap(a5, a7, 2, m2)
    a0, a4 = _swap(a0, a4, 4, m4)
    a1, a5 = _swap(a1, a5, 4, m4)
    a2, a6 = _swap(a2, a6, 4, m4)
    a3, a7 = _swap(a3, a7, 4, m4)
    return a0, a1, a2, a3, a4, a5, a6, a7


def _swap(a: int, b: int, distance: int, mask: int) -> tuple[int, int]:
    t = (a >> distance ^ b) & mask
    return a ^ t << distance, b ^ t


# Rows of 32 planes: bit c * n + i of plane (row, bit) belongs to column c of block i.


def lanes(blocks: int) -> int:
    """Lanes for so many blocks: a multiple of 8 that leaves one or more unused for the guard."""
    return (blocks + 8) // 8 * 8


def row_planes(blocks: bytes) -> Block:
    """The 4 x 8 planes of whole blocks, 8 k of them, in the order of `from_row_planes`."""
    size = len(blocks) // 8
    eighths = [blocks[i : i + size] for i in range(0, len(blocks), size)]
    masks = swap_masks(len(blocks) // 32)
    return [transpose([_column_join(eighth, row) for eighth in eighths], masks) for row in range(4)]


def _column_join(blocks: bytes, row: int) -> int:
    return int.from_bytes(b"".join([blocks[4 * column + row :: 16] for column in range(4)]), "little")


def from_row_planes(rows: Block, n: int, records: int = 1) -> bytes:
    """The n blocks of 4 x 8 planes, in so many records of 8 k blocks each.

    Lane 8 i + j of a record is block i of the j-th eighth of the record: lanes then come out in long pieces.
    """
    size = n // 8
    blocks = bytearray(16 * n)
    masks = swap_masks(4 * size)
    columns = _pieces(size, size // records)
    for row, planes in enumerate(rows):
        lanes = b"".join([x.to_bytes(4 * size, "little") for x in transpose(planes, masks)])
        for column, pieces in enumerate(columns):
            blocks[4 * column + row :: 16] = b"".join([lanes[piece] for piece in pieces])
    return bytes(blocks)


@lru_cache(maxsize=16)
def _pieces(size: int, piece: int) -> list[list[slice]]:
    """For each column where its lanes lie, in the order of blocks, among eight integers of four columns of `size` bytes."""
    return [
        [slice(i + j, i + j + piece) for i in range(column * size, column * size + size, piece) for j in range(0, 32 * size, 4 * size)]
        for column in range(4)
    ]


@lru_cache(maxsize=16)
def _column_masks(n: int) -> tuple[int, ...]:
    """Every union of columns (bit c of the index: column c), with the guard lane at the top."""
    lanes = (1 << n) - 1
    return tuple([sum((lanes << c * n) * (columns >> c & 1) for c in range(4)) | 1 << 4 * n - 1 for columns in range(16)])


def constant_rows(block: bytes, n: int) -> Block:
    """The 4 x 8 planes of n times the same block, and the guard."""
    masks = _column_masks(n)
    return [_select(masks, block[row], block[4 + row], block[8 + row], block[12 + row]) for row in range(4)]


def row_key_planes(schedule: bytes, n: int) -> list[Block]:
    """Round keys for `encrypt_rows` and `decrypt_rows`; all but the first carry the constant of the S-box."""
    keys = []
    for i in range(len(schedule) // 16):
        constant = _CONSTANT if i else 0
        key = bytes([byte ^ constant for byte in schedule[16 * i : 16 * i + 16]])
        keys.append(constant_rows(key, n))
    return keys


def _select(masks: tuple[int, ...], k0: int, k1: int, k2: int, k3: int) -> Planes:
    return tuple([masks[k0 >> b & 1 | (k1 >> b & 1) << 1 | (k2 >> b & 1) << 2 | (k3 >> b & 1) << 3] for b in range(8)])


def encrypt_rows(rows: Block, keys: Sequence[Block], n: int) -> Block:
    """FIPS 197 5.1 on 4 x 8 planes of n lanes a column. `keys` from `row_key_planes`."""
    return rounds(add(rows, keys[0]), keys[1:], n)


def rounds(rows: Block, keys: Sequence[Block], n: int) -> Block:
    """The rounds of `encrypt_rows` for these keys, the last one without MixColumns."""
    from puretls.crypto.kernels.generated.aes_rounds import middle_rounds

    rows = middle_rounds(rows, keys[:-1], n)
    return add(_shift_rows([sub(*row) for row in rows], n), keys[-1])


def decrypt_rows(rows: Block, keys: Sequence[Block], n: int) -> Block:
    """FIPS 197 5.3.5 on 4 x 8 planes of n lanes a column. `keys` from `row_key_planes` of `aes_rows.inverse_schedule`."""
    rows = add(rows, keys[-1])
    for key in keys[-2:0:-1]:
        a, b, c, d = [inverse_sub(*row) for row in _inverse_shift_rows(rows, n)]
        rows = _inverse_mix_columns(a, b, c, d, key)
    return add([inverse_sub(*row) for row in _inverse_shift_rows(rows, n)], keys[0])


def add(rows: Block, key: Block) -> Block:
    """The sum of two blocks of planes."""
    return [tuple([a ^ k for a, k in zip(row, k_row, strict=True)]) for row, k_row in zip(rows, key, strict=True)]


def _shift_rows(rows: Block, n: int) -> Block:
    """FIPS 197 5.1.2: row r turns left by r columns."""
    return [rows[0], *(_turn(row, r * n, 4 * n) for r, row in enumerate(rows[1:], 1))]


def _inverse_shift_rows(rows: Block, n: int) -> Block:
    return [rows[0], *(_turn(row, (4 - r) * n, 4 * n) for r, row in enumerate(rows[1:], 1))]


def _turn(row: Planes, by: int, width: int) -> Planes:
    mask, back = (1 << by) - 1, width - by
    return tuple([x >> by | (x & mask) << back for x in row])


def xor(a: Planes, b: Planes) -> Planes:
    """The sum of two bytes of planes."""
    a0, a1, a2, a3, a4, a5, a6, a7 = a
    b0, b1, b2, b3, b4, b5, b6, b7 = b
    return a0 ^ b0, a1 ^ b1, a2 ^ b2, a3 ^ b3, a4 ^ b4, a5 ^ b5, a6 ^ b6, a7 ^ b7


def _inverse_mix_columns(a: Planes, b: Planes, c: Planes, d: Planes, key: Block) -> Block:
    """FIPS 197 5.3.3, and AddRoundKey: MixColumns after adding 4 (row r + row r+2) to rows r and r+2."""
    ac, bd = _four_times(xor(a, c)), _four_times(xor(b, d))
    return _mix_columns(xor(a, ac), xor(b, bd), xor(c, ac), xor(d, bd), key)


def _mix_columns(a: Planes, b: Planes, c: Planes, d: Planes, key: Block) -> Block:
    """FIPS 197 5.1.3 on the four rows, and AddRoundKey."""
    ab, bc, cd, da = xor(a, b), xor(b, c), xor(c, d), xor(d, a)
    return [_mix(ab, b, cd, key[0]), _mix(bc, c, da, key[1]), _mix(cd, d, ab, key[2]), _mix(da, a, bc, key[3])]


def _mix(p: Planes, a: Planes, q: Planes, key: Planes) -> Planes:
    """2 p + a + q + key: for row r, p = row r + row r+1, a = row r+1, q = row r+2 + row r+3."""
    p0, p1, p2, p3, p4, p5, p6, p7 = p
    a0, a1, a2, a3, a4, a5, a6, a7 = a
    q0, q1, q2, q3, q4, q5, q6, q7 = q
    k0, k1, k2, k3, k4, k5, k6, k7 = key
    return (
        p7 ^ a0 ^ q0 ^ k0,
        p0 ^ p7 ^ a1 ^ q1 ^ k1,
        p1 ^ a2 ^ q2 ^ k2,
        p2 ^ p7 ^ a3 ^ q3 ^ k3,
        p3 ^ p7 ^ a4 ^ q4 ^ k4,
        p4 ^ a5 ^ q5 ^ k5,
        p5 ^ a6 ^ q6 ^ k6,
        p6 ^ a7 ^ q7 ^ k7,
    )


def double(p: Planes) -> Planes:
    """2 p in GF(2^8)."""
    p0, p1, p2, p3, p4, p5, p6, p7 = p
    return p7, p0 ^ p7, p1, p2 ^ p7, p3 ^ p7, p4, p5, p6


def _four_times(p: Planes) -> Planes:
    p0, p1, p2, p3, p4, p5, p6, p7 = p
    p67 = p6 ^ p7
    return p6, p67, p0 ^ p7, p1 ^ p6, p2 ^ p67, p3 ^ p7, p4, p5


# 128 planes: bit i of plane (byte, bit) belongs to block i.


def byte_key_planes(schedule: bytes, lanes: int) -> list[Block]:
    """Round keys for `encrypt_bytes`; the guard is lane number `lanes`."""
    bit = 1 << lanes, (2 << lanes) - 1
    rounds: list[Block] = []
    for i, byte in enumerate(schedule):
        if i % 16 == 0:
            rounds.append([])
        value = byte ^ (_CONSTANT if i >= 16 else 0)
        rounds[-1].append(tuple([bit[value >> b & 1] for b in range(8)]))
    return rounds


def encrypt_bytes(block: Block, keys: Sequence[Block]) -> Block:
    """FIPS 197 5.1 on 16 x 8 planes. `keys` from `byte_key_planes`."""
    return byte_rounds(add(block, keys[0]), keys[1:])


def byte_rounds(block: Block, keys: Sequence[Block]) -> Block:
    """The rounds of `encrypt_bytes` for these keys, the last one without MixColumns."""
    from puretls.crypto.kernels.generated.aes_rounds import sub_and_mix

    for key in keys[:-1]:
        after = []
        for p in (0, 4, 8, 12):
            places = p, (p + 5) % 16, (p + 10) % 16, (p + 15) % 16
            column = [block[place] for place in places]
            for place in places:
                block[place] = ()  # a plane dies where it is used for the last time
            after += sub_and_mix(column, key[p : p + 4])
        block = after
    s = [sub(*planes) for planes in block]
    return add([s[5 * p % 16] for p in range(16)], keys[-1])


def shift_and_mix(s: Block, key: Block) -> Block:
    """What follows SubBytes in a round on 16 x 8 planes."""
    block = []
    for p in (0, 4, 8, 12):
        block += _mix_columns(s[p], s[(p + 5) % 16], s[(p + 10) % 16], s[(p + 15) % 16], key[p : p + 4])
    return block
