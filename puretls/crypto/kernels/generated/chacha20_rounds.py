"""The rounds of ChaCha20 (RFC 8439 2.3) over many blocks, one word of a block a lane of 40 bits.

Written by tools/gen_chacha20.py; change it there.

Words b and d of a quarter round always come from a masked rotation, so they are clean (below 2^32) when they are added. Words a
and c may therefore gather all forty additions without a mask: they stay below 2^38, and what lies above bit 31 falls to the
masks of the next rotation. The caller takes the low 32 bits of each lane.
"""


from __future__ import annotations

Masks = tuple[int, ...]
"""In every lane the low 16, 20, 12, 24, 8, 25 and 7 bits."""


def double_rounds(x: list[int], masks: Masks) -> list[int]:
    """All rounds on sixteen words, each with a lane for every block."""
    m16, m20, m12, m24, m8, m25, m7 = masks
    x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15 = x
    for _ in range(10):
        x0 += x4
        x12 ^= x0
        x12 = (x12 & m16) << 16 | x12 >> 16 & m16
        x8 += x12
        x4 ^= x8
        x4 = (x4 & m20) << 12 | x4 >> 20 & m12
        x0 += x4
        x12 ^= x0
        x12 = (x12 & m24) << 8 | x12 >> 24 & m8
        x8 += x12
        x4 ^= x8
        x4 = (x4 & m25) << 7 | x4 >> 25 & m7
        x1 += x5
        x13 ^= x1
        x13 = (x13 & m16) << 16 | x13 >> 16 & m16
        x9 += x13
        x5 ^= x9
        x5 = (x5 & m20) << 12 | x5 >> 20 & m12
        x1 += x5
        x13 ^= x1
        x13 = (x13 & m24) << 8 | x13 >> 24 & m8
        x9 += x13
        x5 ^= x9
        x5 = (x5 & m25) << 7 | x5 >> 25 & m7
        x2 += x6
        x14 ^= x2
        x14 = (x14 & m16) << 16 | x14 >> 16 & m16
        x10 += x14
        x6 ^= x10
        x6 = (x6 & m20) << 12 | x6 >> 20 & m12
        x2 += x6
        x14 ^= x2
        x14 = (x14 & m24) << 8 | x14 >> 24 & m8
        x10 += x14
        x6 ^= x10
        x6 = (x6 & m25) << 7 | x6 >> 25 & m7
        x3 += x7
        x15 ^= x3
        x15 = (x15 & m16) << 16 | x15 >> 16 & m16
        x11 += x15
        x7 ^= x11
        x7 = (x7 & m20) << 12 | x7 >> 20 & m12
        x3 += x7
        x15 ^= x3
        x15 = (x15 & m24) << 8 | x15 >> 24 & m8
        x11 += x15
        x7 ^= x11
        x7 = (x7 & m25) << 7 | x7 >> 25 & m7
        x0 += x5
        x15 ^= x0
        x15 = (x15 & m16) << 16 | x15 >> 16 & m16
        x10 += x15
        x5 ^= x10
        x5 = (x5 & m20) << 12 | x5 >> 20 & m12
        x0 += x5
        x15 ^= x0
        x15 = (x15 & m24) << 8 | x15 >> 24 & m8
        x10 += x15
        x5 ^= x10
        x5 = (x5 & m25) << 7 | x5 >> 25 & m7
        x1 += x6
        x12 ^= x1
        x12 = (x12 & m16) << 16 | x12 >> 16 & m16
        x11 += x12
        x6 ^= x11
        x6 = (x6 & m20) << 12 | x6 >> 20 & m12
        x1 += x6
        x12 ^= x1
        x12 = (x12 & m24) << 8 | x12 >> 24 & m8
        x11 += x12
        x6 ^= x11
        x6 = (x6 & m25) << 7 | x6 >> 25 & m7
        x2 += x7
        x13 ^= x2
        x13 = (x13 & m16) << 16 | x13 >> 16 & m16
        x8 += x13
        x7 ^= x8
        x7 = (x7 & m20) << 12 | x7 >> 20 & m12
        x2 += x7
        x13 ^= x2
        x13 = (x13 & m24) << 8 | x13 >> 24 & m8
        x8 += x13
        x7 ^= x8
        x7 = (x7 & m25) << 7 | x7 >> 25 & m7
        x3 += x4
        x14 ^= x3
        x14 = (x14 & m16) << 16 | x14 >> 16 & m16
        x9 += x14
        x4 ^= x9
        x4 = (x4 & m20) << 12 | x4 >> 20 & m12
        x3 += x4
        x14 ^= x3
        x14 = (x14 & m24) << 8 | x14 >> 24 & m8
        x9 += x14
        x4 ^= x9
        x4 = (x4 & m25) << 7 | x4 >> 25 & m7
    return [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15]


def double_rounds_of_rows(rows: list[int], masks: Masks, word: int) -> list[int]:
    """All rounds on four rows of four words, each word of `word` bits with a lane for every block."""
    m16, m20, m12, m24, m8, m25, m7 = masks
    word2, word3 = 2 * word, 3 * word
    mask1, mask2, mask3 = (1 << word) - 1, (1 << word2) - 1, (1 << word3) - 1
    a, b, c, d = rows
    for _ in range(10):
        a += b
        d ^= a
        d = (d & m16) << 16 | d >> 16 & m16
        c += d
        b ^= c
        b = (b & m20) << 12 | b >> 20 & m12
        a += b
        d ^= a
        d = (d & m24) << 8 | d >> 24 & m8
        c += d
        b ^= c
        b = (b & m25) << 7 | b >> 25 & m7
        # Diagonals become columns and go back (RFC 8439 2.3): row r turns by r words.
        b = b >> word | (b & mask1) << word3
        c = c >> word2 | (c & mask2) << word2
        d = d >> word3 | (d & mask3) << word
        a += b
        d ^= a
        d = (d & m16) << 16 | d >> 16 & m16
        c += d
        b ^= c
        b = (b & m20) << 12 | b >> 20 & m12
        a += b
        d ^= a
        d = (d & m24) << 8 | d >> 24 & m8
        c += d
        b ^= c
        b = (b & m25) << 7 | b >> 25 & m7
        b = b >> word3 | (b & mask3) << word
        c = c >> word2 | (c & mask2) << word2
        d = d >> word | (d & mask1) << word3
    return [a, b, c, d]
