import os

import ecdsa as library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.kernels.ec.weierstrass import NAMES, curve

LIBRARY = {"secp256r1": library.NIST256p, "secp384r1": library.NIST384p, "secp521r1": library.NIST521p}
names = st.sampled_from(NAMES)


def theirs(name, k):
    point = LIBRARY[name].generator * k
    return None if point == library.ellipticcurve.INFINITY else (int(point.x()), int(point.y()))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_of_the_reference(name):
    on, published = curve(name), LIBRARY[name]
    assert (on.p, on.n, on.base) == (published.curve.p(), published.order, (published.generator.x(), published.generator.y()))
    assert on.b == published.curve.b() % on.p


def edges(n):
    """Scalars near 0, n and the powers of two, where the loops may meet equal points."""
    bits = n.bit_length()
    return [*range(1, 34), *range(n - 66, n), *(1 << i for i in range(1, bits, 37)), *((1 << i) - 1 for i in range(2, bits, 41)), (n - 1) // 2, (n + 1) // 2]


@pytest.mark.parametrize("name", NAMES)
def test_scalars_of_every_shape(name):
    on = curve(name)
    blind = int.from_bytes(os.urandom(32), "big") | 1
    for k in edges(on.n):
        expected = theirs(name, k)
        assert on.multiply_base(k, blind) == expected, k
        assert on.multiply(k, on.base, blind) == expected, k


@given(name=names, k=st.integers(1, 2**600), m=st.integers(1, 2**600), blind=st.integers(1, 2**200))
@settings(max_examples=20, deadline=None)
def test_multiplication_is_that_of_the_reference(name, k, m, blind):
    on = curve(name)
    k, m = k % on.n or 1, m % on.n or 1
    point = theirs(name, k)
    assert on.multiply_base(k, blind) == point
    assert on.multiply(m, point, blind) == theirs(name, k * m % on.n)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("combed", [False, True])
@pytest.mark.parametrize(
    ("k", "u1", "u2"), [(1, 1, 1), (1, 0, 5), (1, 3, 2), (2, 2, 1), (1, 4, -4), (7, -7, 1), (1, -1, -1), (3, 1, 0), (5, 5, 1), (1, 1, -1)]
)
def test_sums_that_meet_equal_opposite_or_no_points(name, combed, k, u1, u2):
    """Points that the fast loop must not add to themselves (it then answers by the slow sum)."""
    on = curve(name)
    point = theirs(name, k)
    comb = on.make_comb(point, on.key_comb_shape) if combed else None
    total = theirs(name, (u1 + k * u2) % on.n)
    r = total[0] % on.n if total else 0
    assert on.sum_has_x(r, u1 % on.n, u2 % on.n, point, comb) is (total is not None)
    assert not on.sum_has_x((r + 1) % on.n, u1 % on.n, u2 % on.n, point, comb)


@pytest.mark.parametrize("name", NAMES)
def test_x_coordinate_above_the_order_is_found(name):
    """r is the x coordinate modulo n: (r + n) must be tried where it is below p."""
    on = curve(name)
    if on.p < on.n:
        pytest.skip("p is below n")
    found = next(((x, k) for k in range(1, 3) for x in [theirs(name, k)[0]] if x >= on.n), None)
    x, k = found or (theirs(name, 1)[0], 1)
    assert on.sum_has_x(x % on.n, k, 0, on.base)


@given(name=names, k=st.integers(1, 2**200))
@settings(max_examples=20, deadline=None)
def test_points_as_bytes_go_both_ways(name, k):
    on = curve(name)
    point = on.multiply_base(k, 1)
    assert on.decode(on.encode(point)) == point
