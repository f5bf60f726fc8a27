"""The curves P-256, P-384 and P-521: points, scalar multiplication for secrets, sums of products for public numbers.

Points are affine pairs (x, y) of ints outside, Jacobian (x, 2y, z) in the loops, (x, 2y) in tables.
`None` is the point at infinity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.ec import recoding
from puretls.crypto.kernels.ec.recoding import Entry, Pair, Row, Shape

Affine = tuple[int, int]
Jacobian = tuple[Any, Any, Any]
Comb = list[list[Entry]]

_WINDOW = 4
_SPARSE_BASE, _SPARSE_POINT = 8, 5

# SP 800-186 3.2.1: n, b, Gx, Gy
_PARAMETERS = {
    "secp256r1": (
        "p256",
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    "secp384r1": (
        "p384",
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    "secp521r1": (
        "p521",
        0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
        0x051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
        0x0C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
        0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,
    ),
}
NAMES = tuple(_PARAMETERS)


class Curve:
    """One curve, computing with one kind of numbers. Obtained from `curve()`, so that tables are made once."""

    def __init__(self, name: str, arithmetic: Arithmetic) -> None:
        module, n, b, *base = _PARAMETERS[name]
        self.n: int = n
        self.b: int = b
        generated = arithmetic.module(module)
        number = arithmetic.number
        self.name = name
        self.base: Affine = (base[0], base[1])
        self.p: int = generated.P
        self.size: int = (self.p.bit_length() + 7) // 8
        self.arithmetic = arithmetic
        self.comb_shape: Shape = recoding.shape(self.n.bit_length(), 8, 4)
        self.key_comb_shape: Shape = recoding.shape(self.n.bit_length(), 8, 2)
        self._p = number(self.p)
        self._one = number(1)
        self._number = number
        self._accumulate: Callable[[Entry, Sequence[Row], Entry], tuple[Any, Any, Any]] = generated.accumulate
        self._constants = tuple(map(number, generated.CONSTANTS))

    # --- points as bytes

    def decode(self, data: bytes) -> Affine:
        """An uncompressed point (SEC 1 2.3.4), on the curve; `BadPublicValue` for anything else."""
        size = self.size
        if len(data) != 1 + 2 * size or data[0] != 4:
            raise BadPublicValue(f"the {self.name} public value is not an uncompressed point of {1 + 2 * size} bytes")
        x, y = int.from_bytes(data[1 : 1 + size], "big"), int.from_bytes(data[1 + size :], "big")
        if x >= self.p or y >= self.p or (y * y - (x * x - 3) * x - self.b) % self.p:
            raise BadPublicValue(f"the {self.name} public value is not a point of the curve")
        return x, y

    def encode(self, point: Affine) -> bytes:
        """The uncompressed form (SEC 1 2.3.3)."""
        return b"\4" + point[0].to_bytes(self.size, "big") + point[1].to_bytes(self.size, "big")

    def lift(self, x: int) -> Affine | None:
        """One of the two points with this x coordinate, where there are any. All p here are 3 modulo 4, so that a root is a power."""
        square = ((x * x - 3) * x + self.b) % self.p
        y = self.arithmetic.power(square, (self.p + 1) // 4, self.p)
        return (x, y) if (y * y - square) % self.p == 0 else None

    # --- multiplication

    def multiply_base(self, k: int, blind: int) -> Affine | None:
        """The base point times a secret 0 < k < n. `blind` is random: it hides the coordinates of the sum."""
        return self._affine(self._walk(self._base_rows(k), blind)) or self._slow_sum([(k, self.base)])

    def multiply(self, k: int, point: Affine, blind: int) -> Affine | None:
        """A point times a secret 0 < k < n. `blind` is random."""
        length = -(-self.n.bit_length() // _WINDOW) * _WINDOW
        half = self._odd_multiples(point, 1 << (_WINDOW - 1))
        table = self._negatives(half) + half
        rows = recoding.window_rows(recoding.signs(k, self.n, length), table, _WINDOW)
        return self._affine(self._walk(rows, blind)) or self._slow_sum([(k, point)])

    def sum_has_x(self, r: int, u1: int, u2: int, point: Affine, comb: Comb | None = None) -> bool:
        """Whether the x coordinate of u1 * base + u2 * point is r modulo n (FIPS 186-5 6.4.2).

        All numbers are public, u1 and u2 not both zero; `comb` is the point's, where it has one.
        """
        if comb is None:
            table = self._sparse_table(point, _SPARSE_POINT)
            rows = recoding.sparse_rows([(u1, _SPARSE_BASE, self.base_multiples), (u2, _SPARSE_POINT, table)])
        else:
            rows = recoding.joined_rows(self._comb_rows(u2, comb, self.key_comb_shape), self._base_rows(u1))
        x, _, z = self._walk(rows, 1)
        square = z * z % self._p
        if not square:
            total = self._slow_sum([(u1, self.base), (u2, point)])
            return total is not None and total[0] % self.n == r
        return (r * square - x) % self._p == 0 or (r + self.n < self.p and ((r + self.n) * square - x) % self._p == 0)

    # --- sums of public numbers, as `together` puts them together

    def sum_of(self, terms: Sequence[tuple[int, int, Sequence[Entry]]]) -> Jacobian:
        """The sum of scalars times points, as terms of `recoding.sparse_rows`, not all of them zero."""
        return self._walk(recoding.sparse_rows(terms), 1)

    def plus_minus(self, point: Jacobian, entry: Entry) -> tuple[Jacobian, Jacobian]:
        """The point plus and minus another; z is zero where they are one, or each other's negative."""
        x, v = entry
        add = self._accumulate
        return add(point, [(0, (entry,))], self._constants), add(point, [(0, ((x, self._p - v),))], self._constants)

    def entry(self, point: Affine) -> Entry:
        """A point as tables hold it."""
        return self._number(point[0]), self._number(2 * point[1] % self.p)

    def affine_entries(self, points: Sequence[Jacobian]) -> list[Entry]:
        """The same of points of the loops, none at infinity."""
        return self._all_affine(points)

    def sparse_tables(self, wanted: Sequence[tuple[Affine, int]]) -> list[list[Entry]]:
        """Tables for `recoding.sparse_rows` of points and their widths, with one inversion for all of them."""
        chains = [self._odd_chain(point, 1 << (width - 2)) for point, width in wanted]
        entries = iter(self._all_affine([point for chain in chains for point in chain]))
        tables = [[next(entries) for _ in chain] for chain in chains]
        return [table + self._negatives(table) for table in tables]

    def _base_rows(self, k: int) -> list[Row]:
        return self._comb_rows(k, self._base_comb, self.comb_shape)

    def _comb_rows(self, k: int, comb: Comb, form: recoding.Shape) -> list[Row]:
        return recoding.comb_rows(recoding.signs(k, self.n, form.teeth * form.columns), comb, form)

    def _walk(self, rows: Sequence[Row], blind: int) -> Jacobian:
        """The sum of the rows, from their first point on, given a z that is `blind`."""
        (_, ((x, v), *others)), *rest = rows
        z = self._number(blind)
        square = z * z % self._p
        start = (x * square % self._p, v * (square * z % self._p) % self._p, z)
        return self._accumulate(start, [(0, others), *rest], self._constants)

    # --- tables

    @cached_property
    def _base_comb(self) -> Comb:
        return [self._negatives(upper) + upper for upper in self._base_uppers()]

    def _base_uppers(self) -> list[list[Entry]]:
        """Upper halves of the tables for the base point, shipped for the curve that everybody uses."""
        if self.name != "secp256r1":
            return self.make_uppers(self.base, self.comb_shape)
        from puretls.crypto.kernels.generated import p256_comb

        entries = recoding.shipped_entries(p256_comb.ENTRIES, self.size, 2, self._number)
        half = 1 << (self.comb_shape.teeth - 1)
        return [entries[i : i + half] for i in range(0, len(entries), half)]

    @cached_property
    def base_multiples(self) -> list[Entry]:
        return self._sparse_table(self.base, _SPARSE_BASE)

    def make_comb(self, point: Affine, form: recoding.Shape) -> Comb:
        """The tables of a comb for a point: the most significant columns first, an entry for each column of signs."""
        return [self._negatives(upper) + upper for upper in self.make_uppers(point, form)]

    def make_uppers(self, point: Affine, form: recoding.Shape) -> list[list[Entry]]:
        """The halves of those tables for columns that begin with plus; the others are their negatives."""
        x, v, z = self._number(point[0]), self._number(2 * point[1] % self.p), self._one
        chain = [(x, v, z)]
        for _ in range(form.teeth * form.tables - 1):
            chain.append(self._accumulate(chain[-1], [(form.rounds, ())], self._constants))
        doubled = self._all_affine(chain)
        teeth = [doubled[s :: form.tables] for s in reversed(range(form.tables))]
        return recoding.signed_sums(teeth, self._add_subtract)

    def _negatives(self, entries: Sequence[Entry]) -> list[Entry]:
        return [(x, self._p - v) for x, v in reversed(entries)]

    def _sparse_table(self, point: Affine, width: int) -> list[Entry]:
        multiples = self._odd_multiples(point, 1 << (width - 2))
        return multiples + self._negatives(multiples)

    def _odd_multiples(self, point: Affine, count: int) -> list[Entry]:
        return self._all_affine(self._odd_chain(point, count))

    def _odd_chain(self, point: Affine, count: int) -> list[Jacobian]:
        """1, 3, 5, ... times the point. Twice the point is affine on the isomorphic curve that its z leads to."""
        p, constants = self._p, self._constants
        x, v = self.entry(point)
        double_x, double_v, scale = self._accumulate((x, v, self._one), [(1, ())], constants)
        square = scale * scale % p
        current = (x * square % p, v * (square * scale % p) % p, self._one)
        step = [(0, ((double_x, double_v),))]
        chain = [current]
        for _ in range(count - 1):
            current = self._accumulate(current, step, constants)
            chain.append(current)
        return [(x, v, z * scale % p) for x, v, z in chain]

    def _inverse(self, value: Any) -> Any:
        return self._number(pow(int(value), -1, self.p))

    def _all_affine(self, points: Sequence[tuple[Any, Any, Any]]) -> list[Entry]:
        p = self._p
        entries: list[Entry] = []
        for (x, v, _), inverse in zip(points, recoding.batch_inverse([z for *_, z in points], p, self._inverse), strict=True):
            square = inverse * inverse % p
            entries.append((x * square % p, v * (square * inverse % p) % p))
        return entries

    def _add_subtract(self, pairs: list[tuple[Pair, Pair]]) -> list[tuple[Pair, Pair]]:
        """Affine sums and differences, of points (x, 2y): the slopes' doubles come from the doubled y."""
        p = self._p
        results = []
        inverses = recoding.batch_inverse([2 * (b[0] - a[0]) % p for a, b in pairs], p, self._inverse)
        for ((xa, va), (xb, vb)), inverse in zip(pairs, inverses, strict=True):
            both = []
            for other in (p - vb, vb):
                slope = (other - va) * inverse % p
                x = (slope * slope - xa - xb) % p
                both.append((x, (2 * slope * (xa - x) - va) % p))
            results.append((both[0], both[1]))
        return results

    # --- single points

    def _affine(self, point: tuple[Any, Any, Any]) -> Affine | None:
        """(x, y); None where z is zero. The z of a secret's sum carries its random blind, so inversion sees random numbers."""
        x, v, z = (int(coordinate) % self.p for coordinate in point)
        if not z:
            return None
        inverse = pow(z, -1, self.p)
        square = inverse * inverse % self.p
        y = v * square * inverse * ((self.p + 1) // 2) % self.p
        return x * square % self.p, y

    def _slow_sum(self, terms: Sequence[tuple[int, Affine]]) -> Affine | None:
        """A sum of products with every exception handled: for the few scalars where the fast loop meets equal points.

        For a secret that is a scalar a few steps from n, which nobody draws by chance.
        """
        total: Affine | None = None
        for k, point in terms:
            addend: Affine | None = point
            for bit in reversed(format(int(k), "b")):
                if bit == "1":
                    total = self._add(total, addend)
                addend = self._add(addend, addend)
        return total

    def _add(self, a: Affine | None, b: Affine | None) -> Affine | None:
        if a is None or b is None:
            return b if a is None else a
        if a[0] != b[0]:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        elif a[1] == b[1]:
            slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, self.p)
        else:
            return None
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p


@lru_cache(maxsize=8)
def curve(name: str, arithmetic: Arithmetic = PYTHON) -> Curve:
    """The curve "secp256r1", "secp384r1" or "secp521r1"."""
    return Curve(name, arithmetic)
