"""3DES: the vector of FIPS 81 for one key, and its parts."""

import pytest

from puretls.crypto.cbc import TRIPLE_DES_CBC
from puretls.crypto.kernels import des

IV = bytes.fromhex("1234567890abcdef")
PLAIN = b"Now is the time for all "
SEALED = bytes.fromhex("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6")


def cipher(key):
    return des.TripleDesCbc(TRIPLE_DES_CBC, key)


def test_three_equal_keys_are_des_as_published():
    """FIPS 81, appendix C."""
    same = cipher(bytes.fromhex("0123456789abcdef") * 3)
    assert same.encrypt(IV, PLAIN) == SEALED
    assert same.decrypt(IV, SEALED) == PLAIN


def test_the_weak_keys_are_their_own_inverse():
    """FIPS 74 3.6: all sixteen round keys are one, so that encryption is decryption."""
    for key in ("0101010101010101", "fefefefefefefefe", "e0e0e0e0f1f1f1f1", "1f1f1f1f0e0e0e0e"):
        weak = cipher(bytes.fromhex(key) * 3)
        assert weak.encrypt(bytes(8), weak.encrypt(bytes(8), IV)) == IV


def test_parity_bits_of_a_key_do_not_count():
    key = bytes(range(24))
    assert cipher(key).encrypt(IV, PLAIN) == cipher(bytes(byte ^ 1 for byte in key)).encrypt(IV, PLAIN)


def test_the_complement_of_everything_is_the_complement():
    """DES(~key, ~block) = ~DES(key, block)."""
    key = bytes(range(50, 74))
    block, opposite = (
        cipher(key).encrypt(bytes(8), IV),
        cipher(bytes(b ^ 255 for b in key)).encrypt(bytes(8), bytes(b ^ 255 for b in IV)),
    )
    assert opposite == bytes(b ^ 255 for b in block)


@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_decryption_undoes_encryption(blocks):
    one = cipher(bytes(range(100, 124)))
    data = bytes(range(8 * blocks))
    assert one.decrypt(IV, one.encrypt(IV, data)) == data
