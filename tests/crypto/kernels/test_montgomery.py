import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.backends import python_ecdsa
from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.ec import montgomery
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from tests.crypto.vectors import rows

SIZES = {"x25519": 32, "x448": 56}
BASE = {"x25519": b"\x09" + bytes(31), "x448": b"\x05" + bytes(55)}
names = st.sampled_from(montgomery.NAMES)


@pytest.mark.rfc("7748", "5.2")
@pytest.mark.parametrize("row", [row for row in rows("rfc/rfc7748.json") if "u" in row], ids=lambda row: f"{row['group']} {row['source']}")
def test_published_results(row):
    assert montgomery.group(row["group"]).multiply(row["private"], row["u"]) == row["result"]


@pytest.mark.slow
@pytest.mark.rfc("7748", "5.2")
@pytest.mark.parametrize("row", [row for row in rows("rfc/rfc7748.json") if "iterations" in row], ids=lambda row: row["group"])
def test_published_iteration(row):
    group = montgomery.group(row["group"])
    k = u = BASE[row["group"]]
    for _ in range(row["iterations"]):
        k, u = group.multiply(k, u), k
    assert k == row["result"]


@given(name=names, seed=st.binary(min_size=1, max_size=8), u=st.binary(min_size=56, max_size=56))
@settings(max_examples=30, deadline=None)
def test_shared_secret_is_that_of_the_reference(name, seed, u):
    size = SIZES[name]
    private = Secret(hashlib.shake_256(seed).digest(size))
    assert results(montgomery.group(name), private, u[:size]) == results(python_ecdsa.group(name), private, u[:size])


def results(group, private, peer):
    try:
        return bytes(group.shared_secret(private, peer))
    except BadPublicValue:
        return None


@given(name=names, edge=st.sampled_from([b"\0", b"\xff", b"\x01\x00", b"\xaa", b"\x00\xff"]), tail=st.binary(max_size=32))
@settings(max_examples=30, deadline=None)
def test_public_value_is_the_ladder_on_the_base_point(name, edge, tail):
    size = SIZES[name]
    private = (tail + edge * size)[:size]
    group = montgomery.group(name)
    assert group.public_value(private, os.urandom) == group.multiply(private, BASE[name])


@pytest.mark.rfc("7748", "6")
@pytest.mark.parametrize("name", montgomery.NAMES)
@pytest.mark.parametrize("u", [0, 1, -1, "p", "p+1"])
def test_points_of_small_order_are_refused(name, u):
    p = {"x25519": 2**255 - 19, "x448": 2**448 - 2**224 - 1}[name]
    value = {"p": p, "p+1": p + 1}.get(u, u) if isinstance(u, str) else u % p
    with pytest.raises(BadPublicValue, match="all zero"):
        montgomery.group(name).shared_secret(Secret(os.urandom(SIZES[name])), value.to_bytes(SIZES[name], "little"))
    with pytest.raises(BadPublicValue, match="small order"):
        montgomery.group(name).answer(os.urandom, value.to_bytes(SIZES[name], "little"))


@pytest.mark.parametrize("name", montgomery.NAMES)
@pytest.mark.parametrize("change", [-1, 1])
def test_other_lengths_are_refused(name, change):
    group = montgomery.group(name)
    size = SIZES[name]
    with pytest.raises(BadPublicValue, match=f"{size + change} bytes, not {size}"):
        group.shared_secret(Secret(bytes(size)), bytes([9]) * (size + change))
    with pytest.raises(BadPublicValue, match="bytes"):
        group.answer(os.urandom, bytes([9]) * (size + change))
    with pytest.raises(UsageError, match=f"not {size + change}"):
        group.multiply(bytes(size + change), BASE[name])


def test_highest_bit_of_an_x25519_value_does_not_count():
    group = montgomery.group("x25519")
    private = os.urandom(32)
    assert group.multiply(private, bytes(31) + b"\x10") == group.multiply(private, bytes(31) + b"\x90")
