"""The curves edwards25519 and edwards448 (RFC 7748 4.1, 4.2): scalar multiplication for secrets, sums for public numbers.

Points are affine pairs (x, y) of ints outside, extended (x, y, z, t) in the loops; tables hold what the loop's additions want.
The formulas are complete: no scalar and no point is an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.ec import recoding
from puretls.crypto.kernels.ec.recoding import Entry, Pair, Row, Shape

Affine = tuple[int, int]
Comb = list[list[Entry]]

_SPARSE_BASE, _SPARSE_POINT = 8, 5

# RFC 7748 4: a, d, order, base point
_PARAMETERS = {
    "edwards25519": (
        -1,
        -121665 * pow(121666, -1, 2**255 - 19),
        2**252 + 0x14DEF9DEA2F79CD65812631A5CF5D3ED,
        0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A,
        0x6666666666666666666666666666666666666666666666666666666666666658,
    ),
    "edwards448": (
        1,
        -39081,
        2**446 - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D,
        224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710,
        298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660,
    ),
}


class Edwards:
    """One curve, computing with one kind of numbers. Obtained from `edwards()`, so that tables are made once."""

    def __init__(self, name: str, arithmetic: Arithmetic) -> None:
        a, d, n, *base = _PARAMETERS[name]
        self.a: int = a
        self.n: int = n
        generated = arithmetic.module(name)
        self.name = name
        self.base: Affine = (base[0], base[1])
        self.p: int = generated.P
        self.d: int = d % self.p
        self.arithmetic = arithmetic
        self.comb_shape: Shape = recoding.shape(self.n.bit_length(), 8, 4)
        self.key_comb_shape: Shape = recoding.shape(self.n.bit_length(), 8, 2)
        self._p = arithmetic.number(self.p)
        self._d = arithmetic.number(self.d)
        self._one = arithmetic.number(1)
        self._number = arithmetic.number
        self._accumulate: Callable[[Entry, Sequence[Row], Entry], tuple[Any, Any, Any, Any]] = generated.accumulate
        self._constants = tuple(map(arithmetic.number, generated.CONSTANTS))

    @cached_property
    def root_of_minus_one(self) -> int:
        """For p = 5 (mod 8)."""
        return pow(2, (self.p - 1) // 4, self.p)

    # --- multiplication

    def multiply_base(self, k: int, blind: int) -> tuple[int, int, int]:
        """The base point times a secret k, as projective (x, y, z), all three multiplied by the random `blind`."""
        return self._walk(self._base_rows(k), blind)

    def sum(self, u1: int, u2: int, point: Affine, comb: Comb | None = None) -> tuple[int, int, int]:
        """u1 * base + u2 * point, as projective (x, y, z). All public; `comb` is the point's."""
        if comb is None:
            table = self._sparse_table(point, _SPARSE_POINT)
            return self._walk(recoding.sparse_rows([(u1, _SPARSE_BASE, self._base_multiples), (u2, _SPARSE_POINT, table)]))
        rows = recoding.joined_rows(self._comb_rows(u2 | 1, comb, self.key_comb_shape), self._base_rows(u1))
        if not u2 & 1:  # a key need not be of the order n, so that here no u2 - n may stand for u2
            rows.append((0, (self._entry(self._pair((self.p - point[0], point[1]))),)))
        return self._walk(rows)

    def _base_rows(self, k: int) -> list[Row]:
        return self._comb_rows(k % self.n, self._base_comb, self.comb_shape)

    def _comb_rows(self, k: int, comb: Comb, form: recoding.Shape) -> list[Row]:
        return recoding.comb_rows(recoding.signs(k, self.n, form.teeth * form.columns), comb, form)

    def _walk(self, rows: Sequence[Row], blind: int = 1) -> tuple[int, int, int]:
        z = self._number(blind)
        x, y, z, _ = self._accumulate((z - z, z, z, z - z), rows, self._constants)
        return int(x) % self.p, int(y) % self.p, int(z) % self.p

    # --- tables

    @cached_property
    def _base_comb(self) -> Comb:
        return [self._both_signs(upper) for upper in self._base_uppers()]

    def _base_uppers(self) -> list[list[Entry]]:
        """Upper halves of the tables for the base point, shipped for the curve that everybody uses."""
        if self.name != "edwards25519":
            return self.make_uppers(self.base, self.comb_shape)
        from puretls.crypto.kernels.generated import edwards25519_comb

        entries = recoding.shipped_entries(edwards25519_comb.ENTRIES, 32, 3, self._number)
        half = 1 << (self.comb_shape.teeth - 1)
        return [entries[i : i + half] for i in range(0, len(entries), half)]

    @cached_property
    def _base_multiples(self) -> list[Entry]:
        return self._sparse_table(self.base, _SPARSE_BASE)

    def make_comb(self, point: Affine, form: recoding.Shape) -> Comb:
        """The tables of a comb for a point: the most significant columns first, an entry for each column of signs."""
        return [self._both_signs(upper) for upper in self.make_uppers(point, form)]

    def make_uppers(self, point: Affine, form: recoding.Shape) -> list[list[Entry]]:
        """The halves of those tables for columns that begin with plus; the others are their negatives."""
        chain = [self._extended(point)]
        for _ in range(form.teeth * form.tables - 1):
            chain.append(self._accumulate(chain[-1], [(form.rounds, ())], self._constants))
        doubled = self._all_affine(chain)
        teeth = [doubled[s :: form.tables] for s in reversed(range(form.tables))]
        return [[self._entry(pair) for pair in upper] for upper in recoding.signed_sums(teeth, self._add_subtract)]

    def _pair(self, point: Affine) -> Pair:
        return self._number(point[0]), self._number(point[1])

    def _extended(self, point: Affine) -> tuple[Any, Any, Any, Any]:
        x, y = self._pair(point)
        return x, y, self._one, x * y % self._p

    def _both_signs(self, upper: list[Entry]) -> list[Entry]:
        return self._negatives(upper) + upper

    def _negatives(self, entries: Sequence[Entry]) -> list[Entry]:
        p = self._p
        if self.a == 1:
            return [(p - x, y, p - x + y, p - t2) for x, y, _, t2 in reversed(entries)]
        return [(minus, plus, p - t2) for plus, minus, t2 in reversed(entries)]

    def _entry(self, point: Pair) -> Entry:
        """What the additions of the loop want of an affine point."""
        x, y = point
        product = self._d * x % self._p * y % self._p
        if self.a == 1:
            return x, y, (x + y) % self._p, self._p - product
        return (y + x) % self._p, (y - x) % self._p, 2 * product % self._p

    def _sparse_table(self, point: Affine, width: int) -> list[Entry]:
        multiples = [self._entry(pair) for pair in self._odd_multiples(point, 1 << (width - 2))]
        return multiples + self._negatives(multiples)

    def _odd_multiples(self, point: Affine, count: int) -> list[Pair]:
        """1, 3, 5, ... times the point."""
        current = self._extended(point)
        double = self._all_affine([self._accumulate(current, [(1, ())], self._constants)])[0]
        step: list[Row] = [(0, (self._entry(double),))]
        chain = [current]
        for _ in range(count - 1):
            chain.append(self._accumulate(chain[-1], step, self._constants))
        return self._all_affine(chain)

    def _inverse(self, value: Any) -> Any:
        return self._number(pow(int(value), -1, self.p))

    def _all_affine(self, points: Sequence[tuple[Any, ...]]) -> list[Pair]:
        p = self._p
        inverses = recoding.batch_inverse([point[2] for point in points], p, self._inverse)
        return [(point[0] * inverse % p, point[1] * inverse % p) for point, inverse in zip(points, inverses, strict=True)]

    def _add_subtract(self, pairs: list[tuple[Pair, Pair]]) -> list[tuple[Pair, Pair]]:
        """Affine sums and differences: both have the denominators 1 + d xa xb ya yb and 1 - d xa xb ya yb."""
        p = self._p
        products = [self._d * (xa * xb % p) % p * (ya * yb % p) % p for (xa, ya), (xb, yb) in pairs]
        inverses = iter(recoding.batch_inverse([side for m in products for side in (1 + m, 1 - m)], p, self._inverse))
        results = []
        for (xa, ya), (xb, yb) in pairs:
            plus, minus = next(inverses), next(inverses)
            xy, yx, yy, xx = xa * yb, ya * xb, ya * yb, self.a * xa * xb
            results.append((((xy - yx) * minus % p, (yy + xx) * plus % p), ((xy + yx) * plus % p, (yy - xx) * minus % p)))
        return results


@lru_cache(maxsize=8)
def edwards(name: str, arithmetic: Arithmetic = PYTHON) -> Edwards:
    """The curve "edwards25519" or "edwards448"."""
    return Edwards(name, arithmetic)
