import itertools

from hypothesis import given
from hypothesis import strategies as st

from puretls.crypto.kernels.ec import recoding

ORDER = 2**127 - 1
scalars = st.integers(0, ORDER - 1)
tables = st.sampled_from([(4, 1), (4, 2), (5, 3), (6, 2), (8, 4)])


def run(rows):
    """The generated loops on integers, where a point is its own multiple of the base point."""
    total = 0
    for doublings, points in rows:
        total <<= doublings
        total += sum(point[0] for point in points)
    return total


def integer_comb(form):
    comb = []
    for s in reversed(range(form.tables)):
        weights = [2 ** (i * form.columns + s * form.rounds) for i in reversed(range(form.teeth))]
        comb.append([(sum(w if index >> (form.teeth - 1 - i) & 1 else -w for i, w in enumerate(weights)),) for index in range(1 << form.teeth)])
    return comb


@given(scalars, tables)
def test_comb_sums_to_the_scalar(k, sizes):
    form = recoding.shape(127, *sizes)
    rows = recoding.comb_rows(recoding.signs(k, ORDER, form.teeth * form.columns), integer_comb(form), form)
    assert run(rows) % ORDER == k
    assert [(doublings, len(points)) for doublings, points in rows] == [(int(i > 0), form.tables) for i in range(form.rounds)]


@given(scalars, scalars)
def test_joined_combs_sum_to_both(k, m):
    long, short = recoding.shape(127, 8, 2), recoding.shape(127, 8, 4)
    rows = recoding.joined_rows(
        recoding.comb_rows(recoding.signs(k, ORDER, long.teeth * long.columns), integer_comb(long), long),
        recoding.comb_rows(recoding.signs(m, ORDER, short.teeth * short.columns), integer_comb(short), short),
    )
    assert run(rows) % ORDER == (k + m) % ORDER


@given(scalars, st.integers(3, 6))
def test_windows_sum_to_the_scalar(k, width):
    length = -(-127 // width) * width
    table = [(2 * i + 1 - (1 << width),) for i in range(1 << width)]
    rows = recoding.window_rows(recoding.signs(k, ORDER, length), table, width)
    assert run(rows) % ORDER == k
    assert {doublings for doublings, _ in rows[1:]} == {width}


@given(st.lists(st.tuples(st.integers(0, 2**130), st.integers(2, 8), st.integers(1, 1000)), max_size=3))
def test_sparse_rows_sum_to_the_terms(terms):
    def table(width, point):
        odd = [(i * point,) for i in range(1, 1 << (width - 1), 2)]
        return odd + [(-multiple[0],) for multiple in reversed(odd)]

    assert run(recoding.sparse_rows([(k, width, table(width, point)) for k, width, point in terms])) == sum(k * point for k, _, point in terms)


@given(st.integers(0, 2**300), st.integers(2, 8))
def test_sparse_digits_are_odd_small_and_apart(k, width):
    digits = list(recoding.sparse_digits(k, width))
    assert sum(digit << position for position, digit in digits) == k
    assert all(digit & 1 and abs(digit) < 1 << (width - 1) for _, digit in digits)
    assert all(b - a >= width for (a, _), (b, _) in itertools.pairwise(digits))


@given(st.lists(st.integers(1, ORDER - 1), min_size=1, max_size=8))
def test_batch_inverse(values):
    inverses = recoding.batch_inverse(values, ORDER, lambda x: pow(x, -1, ORDER))
    assert all(a * b % ORDER == 1 for a, b in zip(values, inverses, strict=True))
