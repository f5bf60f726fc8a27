import ecdsa as library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.kernels.ec.edwards import edwards

LIBRARY = {"edwards25519": library.Ed25519, "edwards448": library.Ed448}
names = st.sampled_from(list(LIBRARY))


def affine(on, point):
    x, y, z = point
    inverse = pow(z, -1, on.p)
    return x * inverse % on.p, y * inverse % on.p


def theirs(name, k):
    if not k:
        return 0, 1
    point = LIBRARY[name].generator * k
    return int(point.x()), int(point.y())


@pytest.mark.parametrize("name", list(LIBRARY))
def test_parameters_are_those_of_the_reference(name):
    on, published = edwards(name), LIBRARY[name]
    assert (on.p, on.d, on.n) == (published.curve.p(), published.curve.d() % on.p, published.order)
    assert on.base == (published.generator.x(), published.generator.y())


@pytest.mark.parametrize("name", list(LIBRARY))
def test_scalars_of_every_shape(name):
    on = edwards(name)
    bits = on.n.bit_length()
    for k in [0, *range(1, 20), *range(on.n - 20, on.n), *(1 << i for i in range(1, bits, 29)), *((1 << i) - 1 for i in range(2, bits, 31))]:
        assert affine(on, on.multiply_base(k, 12345)) == theirs(name, k), k


@given(name=names, k=st.integers(0, 2**500), u1=st.integers(0, 2**500), u2=st.integers(0, 2**500), combed=st.booleans())
@settings(max_examples=20, deadline=None)
def test_sums_are_those_of_the_reference(name, k, u1, u2, combed):
    on = edwards(name)
    k, u1, u2 = k % on.n, u1 % on.n, u2 % on.n
    point = theirs(name, k)
    comb = on.make_comb(point, on.key_comb_shape) if combed and k else None
    assert affine(on, on.sum(u1, u2, point, comb)) == theirs(name, (u1 + k * u2) % on.n)


@given(name=names, k=st.integers(1, 2**250), blind=st.integers(1, 2**250))
@settings(max_examples=20, deadline=None)
def test_blind_changes_the_coordinates_not_the_point(name, k, blind):
    on = edwards(name)
    blinded, plain = on.multiply_base(k, blind), on.multiply_base(k, 1)
    assert affine(on, blinded) == affine(on, plain)
    assert blinded != plain or blind == 1


@pytest.mark.parametrize("name", list(LIBRARY))
@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 2**200, 2**200 + 1])
def test_keys_of_another_order_give_the_same_with_a_comb(name, k):
    """A key may have a part of small order, where k and k - n differ; the verdict must not change when the key comes again."""
    on = edwards(name)
    small = (0, on.p - 1)  # order 2
    x, y = theirs(name, 77)
    mixed = (on.p - x, on.p - y)  # (x, y) plus that
    for point in (small, mixed):
        comb = on.make_comb(point, on.key_comb_shape)
        assert affine(on, on.sum(9, k, point, comb)) == affine(on, on.sum(9, k, point))
