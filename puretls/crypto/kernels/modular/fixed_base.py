"""Powers of one generator by a comb (Lim and Lee, 1994): for a group whose key pairs are made again and again.

The exponent's bits stand in six rows, the teeth; a column of them is the index of a product made ahead. Two tables, for the left and
the right half of the columns, halve the squarings. Every exponent takes the same operations, on numbers of one length.
"""

from __future__ import annotations

_TEETH, _TABLES = 6, 2


class Comb:
    """Powers of g modulo p with exponents of at most `bits` bits. Making it costs some two powers."""

    __slots__ = ("_columns", "_left", "_p", "_right")

    def __init__(self, g: int, p: int, bits: int) -> None:
        rounds = -(-bits // (_TEETH * _TABLES))
        teeth = [g]
        for _ in range(_TEETH * _TABLES - 1):
            teeth.append(pow(teeth[-1], 1 << rounds, p))
        self._p = p
        self._columns = rounds * _TABLES
        self._right, self._left = _products(teeth[::2], p), _products(teeth[1::2], p)

    def power(self, exponent: int) -> int:
        """g^exponent mod p."""
        columns, p, left, right = self._columns, self._p, self._left, self._right
        rounds = columns // _TABLES
        digits = format(int(exponent), f"0{columns * _TEETH}b")
        indices = [int(digits[column::columns], 2) for column in range(columns)]
        product = 1
        for i, j in zip(indices[:rounds], indices[rounds:], strict=True):
            product = product * product % p * left[i] % p * right[j] % p
        return product


def _products(teeth: list[int], p: int) -> list[int]:
    """The products of all sets of teeth, by their bits; with p added, so that 1 and g take as long to multiply as any."""
    products = [p + 1]
    for tooth in teeth:
        products += [product * tooth % p + p for product in products]
    return products
