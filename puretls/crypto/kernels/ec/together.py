"""Two or three ECDSA signatures over one curve checked in one equation (Naccache, M'Raihi, Vaudenay and Raphaeli, 1994).

A signature holds when u1 G + u2 Q is a point R with x coordinate r. The sum of all these points, the second and third times random
multipliers z, is then the sum of the R times z, on one run of doublings. r does not tell the sign of R: one of the sums S +- z2 R2 +- z3 R3
must have r1 as its x coordinate, for which R1 itself need not be known. Signatures of which one is wrong pass with a probability of
2^-61 for whoever does not know the multipliers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from puretls.crypto.groups import RandomBytes
from puretls.crypto.kernels.ec.weierstrass import Affine, Curve, Jacobian

MOST = 3
_MULTIPLIER_BYTES = 8
_BASE, _KEY, _POINT = 8, 5, 4
"""Windows of the base point, which has a table already, of keys, and of points with short multipliers."""


class Equation(NamedTuple):
    """Whether the x coordinate of u1 * base + u2 * point is r modulo n; all public, none zero."""

    r: int
    u1: int
    u2: int
    point: Affine


def hold_together(on: Curve, equations: Sequence[Equation], random: RandomBytes) -> bool:
    """Whether all of two or three equations hold. False also where that cannot be told: then they are to be checked one by one."""
    points = [on.lift(equation.r) for equation in equations[1:]]
    known = [point for point in points if point is not None]
    if len(known) < len(points) or any(equation.r + on.n < on.p for equation in equations):
        return False  # no point has this x coordinate, or those of two points are r
    multipliers = [1, *(int.from_bytes(random(_MULTIPLIER_BYTES), "big") | 1 for _ in equations[1:])]
    wanted = [(equation.point, _KEY) for equation in equations] + [(point, _POINT) for point in known]
    tables = on.sparse_tables(wanted)
    total = sum(z * equation.u1 for z, equation in zip(multipliers, equations, strict=True)) % on.n
    terms = [(z * equation.u2 % on.n, _KEY, table) for z, equation, table in zip(multipliers, equations, tables, strict=False)]
    left = on.sum_of([(total, _BASE, on.base_multiples), *terms])
    right = [on.sum_of([(z, _POINT, table)]) for z, table in zip(multipliers[1:], tables[len(terms) :], strict=True)]
    if _any_infinite(on, [left, *right]):
        return False  # equal points have met on the way, which the loops do not add
    others = right if len(right) == 1 else on.plus_minus(right[0], *on.affine_entries(right[1:]))
    if _any_infinite(on, others):
        return False
    sums = [point for other in on.affine_entries(others) for point in on.plus_minus(left, other)]
    return any(_has_x(point, equations[0].r, on.p) for point in sums)


def _any_infinite(on: Curve, points: Sequence[Jacobian]) -> bool:
    return not all(point[2] % on.p for point in points)


def _has_x(point: Jacobian, x: int, p: int) -> bool:
    """Whether this is the x coordinate of a point; the point at infinity has none."""
    square = point[2] * point[2] % p
    return bool(square) and (point[0] - x * square) % p == 0
