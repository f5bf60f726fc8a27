"""GHASH of many equally long messages at once, on 128 bit planes: a tree of multiplications by constants.

Plane i holds coefficient i of all blocks; lane n * r + k belongs to block n of message k of r. A level multiplies the earlier
half of the blocks by h^(half their number) and adds the later half. A multiplication by a constant is a matrix of bits, done as
the Method of Four Russians does it: 28 groups of four or five planes, all sums of each group, one look-up a group and output
plane. The look-ups follow the hash key, never the data.
"""

from __future__ import annotations

from itertools import pairwise

from puretls.crypto.kernels.ghash.field import multiply, times_x

_PER_PASS = 7
_STARTS = (0, 5, 10, 15, 20, 24, 28, 32)
_GROUPS = tuple([(base + start, base + end) for base in (0, 32, 64, 96) for start, end in pairwise(_STARTS)])
"""First and last plane of the groups; seven make 32 planes."""
_BITS = int.from_bytes(b"\x01" * 128)

Matrix = tuple[bytes, ...]
"""For each group of planes, the index of the sum to take for each output plane."""


def matrix(k: int) -> Matrix:
    """Multiplication by k, for `multiply_planes`."""
    columns = []
    for _ in range(128):
        columns.append(int.from_bytes(format(k, "0128b").encode()) & _BITS)
        k = times_x(k)
    return tuple([sum([column << i for i, column in enumerate(columns[start:end])]).to_bytes(128) for start, end in _GROUPS])


def multiply_planes(planes: list[int], rows: Matrix, lanes: int) -> list[int]:
    """Every lane times the constant of `rows`."""
    guard = 1 << lanes  # in every sum, so that empty ones are no shorter; an even number of sums takes it out again
    result = [0] * 128
    for i in range(0, len(_GROUPS), _PER_PASS):
        t0, t1, t2, t3, t4, t5, t6 = [_sums(planes[start:end], guard) for start, end in _GROUPS[i : i + _PER_PASS]]
        result = [
            x ^ t0[a] ^ t1[b] ^ t2[c] ^ t3[d] ^ t4[e] ^ t5[f] ^ t6[g]
            for x, a, b, c, d, e, f, g in zip(result, *rows[i : i + _PER_PASS], strict=True)
        ]
    return result


def _sums(planes: list[int], guard: int) -> list[int]:
    sums = [guard]
    for plane in planes:
        sums += [plane ^ x for x in sums]
    return sums


class HashTree:
    """The matrices of one hash key: powers h^(2^level), made when a level is first needed; some 30 KiB each."""

    __slots__ = ("_levels", "_power")

    def __init__(self, h: int) -> None:
        self._power = h
        self._levels: list[Matrix] = []

    def level(self, level: int) -> Matrix:
        """Multiplication by h^(2^level)."""
        while len(self._levels) <= level:
            self._levels.append(matrix(self._power))
            self._power = multiply(self._power, self._power)
        return self._levels[level]

    def reduce(self, planes: list[int], messages: int, blocks: int) -> list[int]:
        """The sum of block n times h^(blocks - 1 - n) for each message: planes of `messages` lanes. `blocks`: a power of two."""
        while blocks > 1:
            blocks //= 2
            half = blocks * messages
            mask = (1 << half) - 1
            earlier = multiply_planes([plane & mask for plane in planes], self.level(blocks.bit_length() - 1), half)
            planes = [x ^ plane >> half for x, plane in zip(earlier, planes, strict=True)]
        return planes
