import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.backends import python_ecdsa
from puretls.crypto.kernels.ec import combs, eddsa
from puretls.crypto.kernels.ec.edwards import edwards
from puretls.crypto.keys import EdPrivateKey, EdPublicKey
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import UsageError
from tests.crypto.vectors import rows

ROWS = rows("rfc/rfc8032.json")
names = st.sampled_from(list(eddsa.SCHEMES))
KINDS = {"ed25519": SignatureKind.ED25519, "ed448": SignatureKind.ED448}


@pytest.mark.rfc("8032", "7")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["source"].split(",")[-1] + f" {len(row['message'])} bytes")
def test_published_signatures(row):
    public = EdPublicKey(row["curve"], row["public"])
    assert eddsa.public_point(row["curve"], row["seed"], os.urandom) == row["public"]
    assert eddsa.sign(EdPrivateKey(public, Secret(row["seed"])), row["message"], os.urandom) == row["signature"]
    assert eddsa.verify(public, row["message"], row["signature"])


@given(name=names, seed=st.binary(min_size=57, max_size=57), message=st.binary(max_size=200))
@settings(max_examples=8, deadline=None)
def test_signatures_are_those_of_the_reference(name, seed, message):
    seed = Secret(seed[: eddsa.SCHEMES[name].size])
    key = EdPrivateKey(EdPublicKey(name, eddsa.public_point(name, seed, os.urandom)), seed)
    signature = eddsa.sign(key, message, os.urandom)
    assert signature == python_ecdsa.sign(SignatureAlgorithm(KINDS[name]), key, message, os.urandom)
    assert eddsa.verify(key.public, message, signature)


@given(name=names, bit=st.integers(0, 8 * 114 - 1), data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_bit_of_a_signature_may_change(name, bit, data):
    row = data.draw(st.sampled_from([row for row in ROWS if row["curve"] == name]))
    signature = bytearray(row["signature"])
    bit %= 8 * len(signature)
    signature[bit // 8] ^= 1 << bit % 8
    assert not eddsa.verify(EdPublicKey(name, row["public"]), row["message"], bytes(signature))


@pytest.mark.parametrize("name", list(eddsa.SCHEMES))
def test_key_that_comes_again_gets_a_comb_and_the_same_verdicts(name):
    combs.clear()
    key = eddsa.generate(name, os.urandom)
    signature = eddsa.sign(key, b"message", os.urandom)
    verdicts = [(eddsa.verify(key.public, b"message", signature), eddsa.verify(key.public, b"other", signature)) for _ in range(3)]
    assert verdicts == [(True, False)] * 3


@pytest.mark.rfc("8032", "5.1.7")
@pytest.mark.parametrize("name", list(eddsa.SCHEMES))
def test_s_above_the_order_is_refused(name):
    key = eddsa.generate(name, os.urandom)
    size = eddsa.SCHEMES[name].size
    signature = eddsa.sign(key, b"", os.urandom)
    s = int.from_bytes(signature[size:], "little") + edwards(eddsa.SCHEMES[name].curve).n
    assert not eddsa.verify(key.public, b"", signature[:size] + s.to_bytes(size, "little"))
    assert not eddsa.verify(key.public, b"", signature + b"\0")
    assert not eddsa.verify(key.public, b"", signature[:-1])
    assert not eddsa.verify(key.public, b"", b"")


@pytest.mark.rfc("8032", "5.1.3")
@pytest.mark.parametrize("name", list(eddsa.SCHEMES))
def test_keys_that_are_no_points_verify_nothing(name):
    key = eddsa.generate(name, os.urandom)
    size = eddsa.SCHEMES[name].size
    signature = eddsa.sign(key, b"", os.urandom)
    p = edwards(eddsa.SCHEMES[name].curve).p
    for point in (b"", bytes(size - 1), (p + 1).to_bytes(size, "little"), b"\1" + bytes(size - 2) + b"\x80"):  # -0 and y above p
        assert not eddsa.verify(EdPublicKey(name, point), b"", signature)
    off_curve = [y for y in range(2, 40) if eddsa._decode(edwards(eddsa.SCHEMES[name].curve), eddsa.SCHEMES[name], y.to_bytes(size, "little")) is None]
    assert off_curve
    assert not eddsa.verify(EdPublicKey(name, off_curve[0].to_bytes(size, "little")), b"", signature)


@pytest.mark.parametrize("name", list(eddsa.SCHEMES))
def test_public_half_of_another_seed_does_not_sign(name):
    key, other = eddsa.generate(name, os.urandom), eddsa.generate(name, os.urandom)
    with pytest.raises(UsageError, match="not that of its seed"):
        eddsa.sign(replace(key, public=other.public), b"", os.urandom)


def test_seed_of_another_length_is_a_usage_error():
    with pytest.raises(UsageError, match="32 bytes, not 31"):
        eddsa.public_point("ed25519", bytes(31), os.urandom)
