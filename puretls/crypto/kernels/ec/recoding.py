"""Scalars as digits, and digits as the rows of (doublings, points) that the generated loops take.

For secrets the digits are regular: an odd k is the sum of +-2^i for i below L, with signs 2b - 1 where b are the bits of
(k + 2^L - 1) / 2. No digit is zero, so the same operations run for every scalar (Joye and Tunstall, 2009; Hedabou, Pinel and
Beneteau, 2005, for combs). Even scalars are replaced by k - n, which is odd and gives the same point.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

Entry = tuple[Any, ...]
Row = tuple[int, Sequence[Entry]]


class Shape(NamedTuple):
    """A comb of `teeth` bits a column, its `columns` split over `tables` sub-tables of 2^teeth points each."""

    teeth: int
    columns: int
    tables: int

    @property
    def rounds(self) -> int:
        """Columns of one sub-table: each costs one doubling, but the last."""
        return self.columns // self.tables


def shape(bits: int, teeth: int, tables: int) -> Shape:
    """The comb that covers scalars of `bits` bits."""
    return Shape(teeth, -(-bits // (teeth * tables)) * tables, tables)


def signs(k: int, order: int, length: int) -> str:
    """The `length` signs of k modulo the odd `order`, as "0" for minus and "1" for plus, highest first."""
    odd = k - (0, order)[~k & 1]
    return format((odd + (1 << length) - 1) >> 1, f"0{length}b")


def comb_rows(digits: str, comb: Sequence[Sequence[Entry]], form: Shape) -> list[Row]:
    """A row a round, highest first: one point from each sub-table."""
    columns, rounds = form.columns, form.rounds
    index = [int(digits[q::columns], 2) for q in range(columns)]
    return [(int(r > 0), [table[index[s * rounds + r]] for s, table in enumerate(comb)]) for r in range(rounds)]


def joined_rows(long: list[Row], short: list[Row]) -> list[Row]:
    """Two combs over one run of doublings: the second has fewer rounds and joins for the last of them."""
    late = len(long) - len(short)
    ends = [(doublings, [*points, *more]) for (doublings, points), (_, more) in zip(long[late:], short, strict=True)]
    return long[:late] + ends


def window_rows(digits: str, table: Sequence[Entry], width: int) -> list[Row]:
    """Fixed windows of `width` digits: `table[i]` is 2i + 1 - 2^width times the point."""
    return [(width if i else 0, (table[int(digits[i : i + width], 2)],)) for i in range(0, len(digits), width)]


def sparse_digits(k: int, width: int) -> Iterator[tuple[int, int]]:
    """Width-w non-adjacent form of a public k >= 0: (position, odd digit below 2^(width-1) in size), lowest first."""
    position = 0
    half, full = 1 << (width - 1), 1 << width
    while k:
        zeros = (k & -k).bit_length() - 1
        position += zeros
        k >>= zeros
        digit = k & (full - 1)
        if digit >= half:
            digit -= full
        yield position, digit
        k = (k - digit) >> width
        position += width


def sparse_rows(terms: Sequence[tuple[int, int, Sequence[Entry]]]) -> list[Row]:
    """The sum of public scalars times points, interleaved (Moeller, 2001), for terms (k, width, table).

    `table[digit >> 1]` serves the odd digits, negative ones counted from its end.
    """
    found: dict[int, list[Entry]] = {}
    for k, width, table in terms:
        for position, digit in sparse_digits(k, width):
            found.setdefault(position, []).append(table[digit >> 1])
    positions = sorted(found, reverse=True)
    rows: list[Row] = []
    above = positions[0] if positions else 0
    for position in positions:
        rows.append((above - position, found[position]))
        above = position
    if above:
        rows.append((above, ()))
    return rows


Pair = tuple[Any, Any]
AddSubtract = Callable[[list[tuple[Pair, Pair]]], list[tuple[Pair, Pair]]]
"""Affine (a, b) -> (a - b, a + b) for many pairs, with one inversion for all of them."""


def signed_sums(teeth: list[list[Pair]], add_subtract: AddSubtract) -> list[list[Pair]]:
    """For each list of points the upper half of its comb table: the last point plus or minus each of the others.

    The sign of the last but one is the highest bit of the index, plus being 1.
    """
    sums = [[points[-1]] for points in teeth]
    for tooth in range(len(teeth[0]) - 2, -1, -1):
        pairs = [(total, points[tooth]) for total_list, points in zip(sums, teeth, strict=True) for total in total_list]
        results = iter(add_subtract(pairs))
        sums = [[point for _ in total_list for point in next(results)] for total_list in sums]
    return sums


def shipped_entries(text: str, size: int, width: int, number: Callable[[int], Any]) -> list[Entry]:
    """Table entries of `width` numbers of `size` bytes each, from base64."""
    data = a2b_base64(text)
    numbers = [number(int.from_bytes(data[i : i + size], "big")) for i in range(0, len(data), size)]
    return list(zip(*(numbers[i::width] for i in range(width)), strict=True))


def batch_inverse(values: Sequence[Any], p: Any, inverse: Callable[[Any], Any]) -> list[Any]:
    """The inverses modulo p of values that are not zero, for one inversion (Montgomery, 1987)."""
    products = [values[0]]
    for value in values[1:]:
        products.append(products[-1] * value % p)
    running = inverse(products[-1])
    found = []
    for value, before in zip(reversed(values), [*products[-2::-1], None], strict=True):
        found.append(running if before is None else running * before % p)
        running = running * value % p
    found.reverse()
    return found
