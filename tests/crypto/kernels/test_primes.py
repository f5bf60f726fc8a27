import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.crypto.kernels.modular import primes


@given(st.integers(0, 20000))
def test_small_numbers_by_trial_division(n):
    assert primes.is_prime(n, os.urandom) is (n > 1 and all(n % i for i in range(2, int(n**0.5) + 1)))


@pytest.mark.parametrize("n", [2**127 - 1, 2**255 - 19, 2**448 - 2**224 - 1, 2**521 - 1])
def test_known_primes(n):
    assert primes.is_prime(n, os.urandom)


@pytest.mark.parametrize("n", [-7, 0, 1, 561, 2**128 + 1, (2**61 - 1) * (2**89 - 1), 3825123056546413051, 318665857834031151167461, 3317044064679887385961981])
def test_composites_that_deceive_fixed_bases(n):
    """Carmichael numbers and strong pseudoprimes to the first bases."""
    assert not primes.is_prime(n, os.urandom)


@pytest.mark.parametrize("bits", [64, 512])
def test_random_primes_have_their_two_highest_bits(bits):
    n = primes.random_prime(bits, os.urandom, lambda candidate: candidate % 5 != 1)
    assert n >> (bits - 2) == 3
    assert n % 5 != 1
    assert primes.is_prime(n, os.urandom)
