"""The system's GMP computes what Python's `pow` does, whatever it is asked."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from puretls.errors import UsageError

try:
    from puretls.crypto.backends.libgmp import secret_power
except UsageError as missing:
    pytest.skip(str(missing), allow_module_level=True)

numbers = st.integers(0, 2**520) | st.integers(0, 300)


@settings(max_examples=25, deadline=None)
@given(numbers, numbers, st.integers(1, 2**520) | st.integers(1, 300))
@example(0, 0, 1)
@example(0, 5, 1)
@example(5, 0, 7)
@example(7, 3, 7)
@example(2**64, 2**64, 2**64)
@example(2**64, 2**64 + 1, 2**64 - 1)
def test_powers_are_those_of_python(base, exponent, modulus):
    assert secret_power(base, exponent, modulus) == pow(base, exponent, modulus)
