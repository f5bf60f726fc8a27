import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.arithmetic import PYTHON
from puretls.crypto.kernels.modular import ffdhe
from puretls.crypto.kernels.modular.fixed_base import Comb
from puretls.crypto.kernels.modular.primes import has_small_factor
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from tests.crypto.vectors import rows


@pytest.mark.rfc("7919", "A")
@pytest.mark.parametrize("row", rows("rfc/rfc7919.json"), ids=lambda row: row["group"])
def test_primes_are_the_published_ones(row):
    group = ffdhe.named(row["group"])
    assert (group.p, group.g) == (row["p"], row["g"])


@pytest.mark.parametrize("name", ["ffdhe2048", "ffdhe3072"])
def test_both_sides_agree(name):
    group = ffdhe.named(name)
    a, b = group.generate(os.urandom), group.generate(os.urandom)
    assert len(a.public) == group.length
    assert group.shared_secret(a.private, b.public) == group.shared_secret(b.private, a.public)
    assert int.from_bytes(a.public, "big") == pow(2, int.from_bytes(a.private, "big"), group.p)


@pytest.mark.rfc("7919", "5.2")
@pytest.mark.parametrize(("name", "bits"), list(ffdhe.EXPONENT_BITS.items()))
def test_exponents_are_short_and_of_one_length(name, bits):
    group = ffdhe.FiniteField(name, ffdhe.named_prime(name), 2, bits, ffdhe.PYTHON._replace(secret_power=lambda g, x, p: x))
    for entropy in (bytes, lambda n: b"\xff" * n, os.urandom):
        assert int.from_bytes(group.generate(entropy).private, "big").bit_length() == bits


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([(2, 2**127 - 1), (5, 2**89 - 1)]), st.integers(1, 90), st.data())
def test_a_comb_gives_powers(group, bits, data):
    g, p = group
    exponent = data.draw(st.integers(0, 2**bits - 1) | st.sampled_from([0, 1, 2**bits - 1]))
    assert Comb(g, p, bits).power(exponent) == pow(g, exponent, p)


@pytest.mark.parametrize("name", ["ffdhe2048", "ffdhe3072"])
def test_every_key_pair_of_a_group_is_a_power_of_its_generator(name):
    """The first ones by Python's `pow`, those that follow by the comb."""
    group = ffdhe.FiniteField(name, ffdhe.named_prime(name), 2, ffdhe.EXPONENT_BITS[name])
    for entropy in (os.urandom, bytes, lambda n: b"\xff" * n, os.urandom, bytes, lambda n: b"\xff" * n):
        share = group.generate(entropy)
        assert int.from_bytes(share.public, "big") == pow(2, int.from_bytes(share.private, "big"), group.p)
    assert group._comb is not None


@pytest.mark.parametrize("name", ["ffdhe2048", "ffdhe8192"])
def test_all_entries_of_a_comb_have_as_many_digits(name):
    """Python multiplies digit by digit, of 30 bits: 1 and the generator would be faster than other numbers."""
    comb = Comb(2, ffdhe.named_prime(name), 20)
    assert {-(-entry.bit_length() // 30) for entry in comb._left + comb._right} == {-(-comb._p.bit_length() // 30)}


@pytest.mark.rfc("7919", "5.1")
@pytest.mark.parametrize("value", [0, 1, -1, "p", "p+1", "2^2048"])
def test_values_outside_the_group_are_refused(value):
    group = ffdhe.named("ffdhe2048")
    number = {"p": group.p, "p+1": group.p + 1, "2^2048": 1 << 2048}.get(value, value) if isinstance(value, str) else value % group.p
    with pytest.raises(BadPublicValue, match=r"2\.\.p-2|257 bytes"):
        group.shared_secret(Secret(b"\7"), number.to_bytes(257 if number >> 2048 else 256, "big"))
    with pytest.raises(BadPublicValue):
        group.shared_secret(Secret(b"\7"), b"")


@pytest.mark.rfc("5246", "8.1.2")
def test_shared_secret_has_no_leading_zeros():
    group = ffdhe.named("ffdhe2048")
    assert group.shared_secret(Secret(b"\5"), b"\2") == b"\x20"


def test_short_public_value_is_a_number_like_another():
    group = ffdhe.named("ffdhe2048")
    assert group.shared_secret(Secret(b"\5"), bytes(255) + b"\2") == group.shared_secret(Secret(b"\5"), b"\2")


def test_subgroup_result_one_is_refused():
    group = ffdhe.FiniteField("dh5", 29, 2, 4)  # 16 has order 7
    with pytest.raises(BadPublicValue, match="subgroup"):
        group.shared_secret(Secret(b"\7"), b"\x10")


def test_named_parameters_give_the_named_group():
    assert ffdhe.unnamed(ffdhe.named_prime("ffdhe3072"), 2).name == "ffdhe3072"
    assert ffdhe.unnamed(ffdhe.named_prime("ffdhe3072"), 5).name == "dh3072"


@pytest.mark.parametrize(
    ("p", "g", "reason"),
    [
        ((1 << 1023) + 1, 2, "1024 bits, wanted are 2048 to 8192"),
        ((1 << 8192) + 1, 2, "8193 bits"),
        ((1 << 2047), 2, "small factor"),
        ((1 << 2047) + 1, 2, "small factor"),
        ((1 << 2047) + 1, 0, "generator"),
        ((1 << 2047) + 1, 1, "generator"),
        ((1 << 2047) + 1, 1 << 2047, "generator"),
        (0, 0, "0 bits"),
    ],
)
def test_parameters_that_cannot_be_right_are_refused(p, g, reason):
    with pytest.raises(BadPublicValue, match=reason):
        ffdhe.unnamed(p, g)


def test_smaller_primes_are_the_callers_choice():
    group = ffdhe.unnamed((1 << 1023) + 1155, 2, min_bits=1024)
    assert group.name == "dh1024"
    assert len(group.generate(os.urandom).private) == 40


@pytest.mark.rfc("3526", "8")
@pytest.mark.parametrize(("bits", "exponent"), [(1024, 320), (2048, 320), (2049, 420), (4096, 480), (6144, 540), (8191, 620), (8192, 620)])
def test_work_for_a_group_of_the_servers_own_is_bounded(bits, exponent):
    """One exponent length a size, none near that of the prime: the squarings of an exchange are as many as its bits."""
    counted = []

    arithmetic = PYTHON._replace(secret_power=lambda base, e, p: counted.append(e.bit_length()) or PYTHON.secret_power(base, e, p))
    p = next(p for p in range((1 << bits) - 1, 0, -2) if not has_small_factor(p))
    group = ffdhe.unnamed(p, 3, min_bits=1024, arithmetic=arithmetic)
    for _ in range(3):
        share = group.generate(os.urandom)
        group.shared_secret(share.private, share.public)
    assert counted == [exponent] * 6
    assert exponent >= ffdhe.EXPONENT_BITS.get(f"ffdhe{bits}", 0)


def test_other_names_are_usage_errors():
    with pytest.raises(UsageError, match="no group is called 'ffdhe1024'"):
        ffdhe.named("ffdhe1024")
