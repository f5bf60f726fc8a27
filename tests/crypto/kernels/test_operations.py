"""Operations with secret scalars are the same for scalars of every shape: counted, not timed.

The kernels run on numbers that log each operation they take part in. What the interpreter executes for two secrets then differs in
nothing but which table entries are read and which way the ladder's swap goes, both of which the manual names.
"""

import hashlib
from collections import Counter

import pytest

from puretls.crypto.kernels.arithmetic import Arithmetic
from puretls.crypto.kernels.ec import edwards, montgomery, weierstrass

LOG = Counter()


def _logged(name):
    operation = getattr(int, name)

    def method(self, other=None, *rest):
        LOG[name] += 1
        result = operation(self, other, *rest)
        return result if result is NotImplemented else Number(result)

    return method


class Number(int):
    """An int that logs the arithmetic done with it."""


for _name in ("add", "sub", "mul", "mod", "and", "or", "xor", "lshift", "rshift"):
    for _side in ("__{}__", "__r{}__"):
        setattr(Number, _side.format(_name), _logged(_side.format(_name)))

COUNTING = Arithmetic("counting", Number, pow, pow)


def counted(function, *arguments):
    LOG.clear()
    function(*arguments)
    return Counter(LOG)


def shapes(bits):
    """Short, long, sparse, dense and alternating scalars."""
    full = (1 << bits) - 1
    return [1, 2, 3, 1 << (bits // 2), 1 << (bits - 2), full >> 1, full >> (bits // 2), full // 3, full // 5, full // 3 * 2, *(_random(bits, i) for i in range(6))]


def _random(bits, seed):
    return int.from_bytes(hashlib.shake_256(bytes([seed])).digest(bits // 8), "big")


@pytest.mark.parametrize("name", weierstrass.NAMES)
def test_base_multiplication_on_weierstrass_curves(name):
    on = weierstrass.curve(name, COUNTING)
    on.multiply_base(5, 7)  # makes the comb
    counts = [counted(on.multiply_base, k % on.n, 12345) for k in shapes(on.n.bit_length())]
    assert counts[0].total() > 500
    assert all(count == counts[0] for count in counts)


@pytest.mark.parametrize("name", weierstrass.NAMES)
def test_multiplication_on_weierstrass_curves(name):
    on = weierstrass.curve(name, COUNTING)
    counts = [counted(on.multiply, k % on.n, on.base, 12345) for k in shapes(on.n.bit_length())]
    assert counts[0].total() > 3000
    assert all(count == counts[0] for count in counts)


@pytest.mark.parametrize("name", ["edwards25519", "edwards448"])
def test_base_multiplication_on_edwards_curves(name):
    on = edwards.edwards(name, COUNTING)
    on.multiply_base(5, 7)
    counts = [counted(on.multiply_base, k % on.n, 12345) for k in shapes(on.n.bit_length())]
    assert counts[0].total() > 500
    assert all(count == counts[0] for count in counts)


@pytest.mark.parametrize("name", montgomery.NAMES)
def test_ladder(name):
    group = montgomery.group(name, COUNTING)
    size = {"x25519": 32, "x448": 56}[name]
    peer = hashlib.shake_256(b"peer").digest(size)
    counts = [counted(group.multiply, k.to_bytes(size, "little"), peer) for k in shapes(8 * size)]
    assert counts[0].total() > 5000
    assert all(count == counts[0] for count in counts)


def test_the_count_would_notice():
    """The sum for public numbers is not regular, and the log shows it."""
    on = weierstrass.curve("secp256r1", COUNTING)
    on.sum_has_x(1, 3, 5, on.base)
    counts = {counted(on.sum_has_x, 1, 3, k, on.base).total() for k in (1 << 200, (1 << 201) // 3)}
    assert len(counts) == 2
