"""GHASH of many equally long messages at once, on 128 bit planes: a tree of multiplications by constants.

Plane i holds coefficient i of all blocks; lane n * r + k belongs to block n of message k of r. A level multiplies the earlier
half of the blocks by h^(half their number) and adds the later half. A multiplication by a constant is a matrix of bits, done as
the Method of Four Russians does it: 26 groups of five planes, all 32 sums of each, one look-up a group and output plane. The
look-ups follow the hash key, never the data.
"""

from __future__ import annotations

from puretls.crypto.kernels.ghash_field import multiply, times_x

_GROUP = 5
_PER_PASS = 7
_BITS = int.from_bytes(b"\x01" * 128)
_NO_PLANES = (0,) * 12

Matrix = tuple[bytes, ...]
"""For each group of planes, the index of the sum to take for each output plane."""


def matrix(k: int) -> Matrix:
    """Multiplication by k, for `multiply_planes`."""
    columns = []
    for _ in range(128):
        columns.append(int.from_bytes(format(k, "0128b").encode()) & _BITS)
        k = times_x(k)
    columns += _NO_PLANES
    groups = [columns[i : i + _GROUP] for i in range(0, len(columns), _GROUP)]
    return tuple([sum([column << i for i, column in enumerate(group)]).to_bytes(128) for group in groups])


def multiply_planes(planes: list[int], rows: Matrix) -> list[int]:
    """Every lane times the constant of `rows`."""
    planes = [*planes, *_NO_PLANES]
    result = [0] * 128
    for start in range(0, len(rows), _PER_PASS):
        t0, t1, t2, t3, t4, t5, t6 = [_sums(planes[_GROUP * g : _GROUP * g + _GROUP]) for g in range(start, start + _PER_PASS)]
        result = [
            x ^ t0[a] ^ t1[b] ^ t2[c] ^ t3[d] ^ t4[e] ^ t5[f] ^ t6[g]
            for x, a, b, c, d, e, f, g in zip(result, *rows[start : start + _PER_PASS], strict=True)
        ]
    return result


def _sums(planes: list[int]) -> list[int]:
    sums = [0]
    for plane in planes:
        sums += [plane ^ x for x in sums] if plane else sums
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
            earlier = multiply_planes([plane & mask for plane in planes], self.level(blocks.bit_length() - 1))
            planes = [x ^ plane >> half for x, plane in zip(earlier, planes, strict=True)]
        return planes
