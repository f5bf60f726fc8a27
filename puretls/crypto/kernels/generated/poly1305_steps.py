"""The polynomial of Poly1305 (RFC 8439 2.5) over many blocks a step, with the powers of r made for the message.

Written by tools/gen_poly1305.py; change it there.

A block m = l + 2^64 h + 2^128 gives l r^i + h (2^64 r^i mod p) + 2^128 r^i.
"""

# ruff: noqa: E501

from __future__ import annotations

from struct import iter_unpack

P = (1 << 130) - 5


def by_8(r: int, data: bytes) -> int:
    """The value after messages of 8 k blocks."""
    powers = [r]
    for _ in range(7):
        powers.append(powers[-1] * r % P)
    r8, r7, r6, r5, r4, r3, r2, r1 = reversed(powers)
    s8, s7, s6, s5, s4, s3, s2, s1 = [(power << 64) % P for power in reversed(powers)]
    ones = (sum(powers) << 128) % P
    a = 0
    for l8, h8, l7, h7, l6, h6, l5, h5, l4, h4, l3, h3, l2, h2, l1, h1 in iter_unpack("<16Q", data):
        a = a * r8 + l8 * r8 + h8 * s8 + l7 * r7 + h7 * s7 + l6 * r6 + h6 * s6 + l5 * r5 + h5 * s5
        a = (a + l4 * r4 + h4 * s4 + l3 * r3 + h3 * s3 + l2 * r2 + h2 * s2 + l1 * r1 + h1 * s1 + ones) % P
    return a


def by_16(r: int, data: bytes) -> int:
    """The value after messages of 16 k blocks."""
    powers = [r]
    for _ in range(15):
        powers.append(powers[-1] * r % P)
    r16, r15, r14, r13, r12, r11, r10, r9, r8, r7, r6, r5, r4, r3, r2, r1 = reversed(powers)
    s16, s15, s14, s13, s12, s11, s10, s9, s8, s7, s6, s5, s4, s3, s2, s1 = [(power << 64) % P for power in reversed(powers)]
    ones = (sum(powers) << 128) % P
    a = 0
    for l16, h16, l15, h15, l14, h14, l13, h13, l12, h12, l11, h11, l10, h10, l9, h9, l8, h8, l7, h7, l6, h6, l5, h5, l4, h4, l3, h3, l2, h2, l1, h1 in iter_unpack("<32Q", data):
        a = a * r16 + l16 * r16 + h16 * s16 + l15 * r15 + h15 * s15 + l14 * r14 + h14 * s14 + l13 * r13 + h13 * s13
        a += l12 * r12 + h12 * s12 + l11 * r11 + h11 * s11 + l10 * r10 + h10 * s10 + l9 * r9 + h9 * s9
        a += l8 * r8 + h8 * s8 + l7 * r7 + h7 * s7 + l6 * r6 + h6 * s6 + l5 * r5 + h5 * s5
        a = (a + l4 * r4 + h4 * s4 + l3 * r3 + h3 * s3 + l2 * r2 + h2 * s2 + l1 * r1 + h1 * s1 + ones) % P
    return a
