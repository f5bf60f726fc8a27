"""Two or three ECDSA signatures over one curve checked in one equation (Naccache, M'Raihi, Vaudenay and Raphaeli, 1994).

A signature holds when u1 G + u2 Q is a point R with x coordinate r. The sum of all these points, the second and third times random
multipliers z, is then the sum of the R times z, on one run of doublings. r does not tell the sign of R: whether S = R1 +- z2 R2 +- z3 R3
shows in x coordinates alone, those of S + R1 and S - R1 against those of z2 R2 + z3 R3 and z2 R2 - z3 R3. Signatures of which one is
wrong pass with a probability of 2^-61 for whoever does not know the multipliers.
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
    points = [on.lift(equation.r) for equation in equations]
    known = [point for point in points if point is not None]
    if len(known) < len(points) or any(equation.r + on.n < on.p for equation in equations):
        return False  # no point has this x coordinate, or those of two points are r
    multipliers = [1, *(int.from_bytes(random(_MULTIPLIER_BYTES), "big") | 1 for _ in equations[1:])]
    wanted = [(equation.point, _KEY) for equation in equations] + [(point, _POINT) for point in known[1:]]
    tables = on.sparse_tables(wanted)
    total = sum(z * equation.u1 for z, equation in zip(multipliers, equations, strict=True)) % on.n
    terms = [(z * equation.u2 % on.n, _KEY, table) for z, equation, table in zip(multipliers, equations, tables, strict=False)]
    left = on.sum_of([(total, _BASE, on.base_multiples), *terms])
    right = [on.sum_of([(z, _POINT, table)]) for z, table in zip(multipliers[1:], tables[len(terms) :], strict=True)]
    if not all(point[2] % on.p for point in (left, *right)):
        return False  # equal points have met on the way, which the loops do not add
    others = [right[0]] if len(right) == 1 else on.plus_minus(right[0], on.affine_entry(right[1]))
    return any(_same_x(a, b, on.p) for a in on.plus_minus(left, on.entry(known[0])) for b in others)


def _same_x(a: Jacobian, b: Jacobian, p: int) -> bool:
    """Whether two points have one x coordinate; no point at infinity has any."""
    squares = a[2] * a[2] % p, b[2] * b[2] % p
    return all(squares) and (a[0] * squares[1] - b[0] * squares[0]) % p == 0
