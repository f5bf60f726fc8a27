"""scrypt: the vectors of RFC 7914, with and without `_hashlib`, and parameters that ask for too much."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.errors import DecodeError
from puretls.x509.keys import scrypt

VECTORS = [
    (b"", b"", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                         "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
    (b"password", b"NaCl", 1024, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                                        "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
    (b"pleaseletmein", b"SodiumChloride", 16384, 8, 1, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                                                       "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
]  # fmt: skip


@pytest.mark.rfc("7914", "12")
@pytest.mark.parametrize("vector", [VECTORS[0], *(pytest.param(vector, marks=pytest.mark.full) for vector in VECTORS[1:])])
def test_the_published_vectors(vector):
    *arguments, expected = vector
    assert scrypt.scrypt_python(*arguments, 64).hex() == scrypt.scrypt(*arguments, 64).hex() == expected


@pytest.mark.skipif(not hasattr(hashlib, "scrypt"), reason="this Python has no hashlib.scrypt")
@given(st.binary(max_size=80), st.binary(max_size=80), st.sampled_from([2, 4, 8]), st.integers(1, 3), st.integers(1, 2), st.integers(1, 70))
def test_ours_and_hashlibs_agree(password, salt, cost, block_size, parallel, length):
    native = hashlib.scrypt(password, salt=salt, n=cost, r=block_size, p=parallel, dklen=length)
    assert scrypt.scrypt_python(password, salt, cost, block_size, parallel, length) == native


@pytest.mark.rfc("7914", "2")
@pytest.mark.parametrize("sizes", [(0, 8, 1), (1, 8, 1), (3, 8, 1), (1024, 0, 1), (1024, 8, 0), (2**20, 8, 1), (2, 2**20, 1), (2, 1, 2**20)], ids=str)
def test_parameters_that_are_none_or_ask_for_too_much_are_refused(sizes):
    with pytest.raises(DecodeError):
        scrypt.check_work(*sizes, "parameters")
