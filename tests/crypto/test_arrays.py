"""ChaCha20-Poly1305 on arrays of numpy: Wycheproof's files, and the same bytes as the kernels at every length."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from puretls.crypto.aead import CHACHA20_POLY1305
from puretls.crypto.bulk import kernel_aead
from puretls.crypto.kernels.chacha import poly1305
from tests.crypto import test_bulk_wycheproof as wycheproof
from tests.crypto.test_bulk import items_of, sealed_items, some_bytes

pytest.importorskip("numpy", reason="numpy is not installed")
from puretls.crypto.backends import arrays

KEYS = st.binary(min_size=32, max_size=32)
STEP = 16 * arrays._STEP


@pytest.fixture
def always(monkeypatch):
    """Arrays for messages of any length."""
    monkeypatch.setattr(arrays, "RECORD_FROM", 0)
    monkeypatch.setattr(arrays, "_STREAM_FROM", 0)


def pair(key, **more):
    return kernel_aead(CHACHA20_POLY1305, key, arrays=True, **more), kernel_aead(CHACHA20_POLY1305, key, **more)


@pytest.mark.usefixtures("always")
def test_every_vector_comes_out_right(shared):
    tests = [test for group in wycheproof.groups(shared, "chacha20_poly1305") if group["ivSize"] == 96 for test in group["tests"]]
    ciphers = [kernel_aead(CHACHA20_POLY1305, bytes.fromhex(test["key"]), arrays=True) for test in tests]
    assert [wycheproof.right(cipher, test) for cipher, test in zip(ciphers, tests, strict=True)] == [True] * 224


@settings(max_examples=60, deadline=None)
@given(KEYS, st.integers(0, 5000) | st.sampled_from([arrays.RECORD_FROM + d for d in (-1, 0, 1)] + [16384, 16383, 70000]), st.sampled_from([0, 13, 16, 17]))
def test_records_are_those_of_the_kernel(key, length, aad_length):
    ours, kernel = pair(key)
    nonce, plaintext, aad = some_bytes(12), some_bytes(length), some_bytes(aad_length)
    sealed = kernel.seal(nonce, plaintext, aad)
    assert ours.seal(nonce, plaintext, aad) == sealed
    assert ours.open(nonce, sealed, aad) == plaintext
    assert ours.open(nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), aad) is None


@given(KEYS, st.integers(0, 3 * STEP), st.binary(min_size=1, max_size=9))
@example(b"\xff" * 32, 17 * STEP + 5, b"\xff")
@example(b"\xff" * 32, STEP, b"\xff")
@example(b"\xff" * 32, STEP - 1, b"\xff")
def test_tags_are_those_of_the_kernel(key, length, seed):
    data = (seed * length)[:length]
    assert arrays.tag(key, data) == poly1305.tag(key, data)


@pytest.mark.usefixtures("always")
def test_the_matrix_is_exact_for_the_largest_numbers():
    """The key with every bit of r that clamping leaves, or r whose powers come near p; a message of ones."""
    for r in (b"\xff" * 16, (2**124 - 1).to_bytes(16, "little"), b"\x01" + bytes(15), bytes(16)):
        for byte in (b"\xff", b"\0"):
            key, data = r + b"\xff" * 16, byte * (16 * STEP)
            assert arrays.tag(key, data) == poly1305.tag(key, data)


@pytest.mark.parametrize("read_ahead", [0, 1 << 20])
def test_many_are_one_by_one(read_ahead):
    ours, kernel = pair(some_bytes(32), read_ahead=read_ahead)
    items = items_of(CHACHA20_POLY1305, [0, 9000, 9000, 5, *[6000] * 30, 16384, *[40] * 90])
    ours.prefetch([nonce for nonce, *_ in items[4:20]], 6000)
    sealed = kernel.seal_many(items)
    assert ours.seal_many(items) == sealed
    records = sealed_items(items, sealed)
    assert ours.open_many(records) == [plaintext for _, plaintext, _ in items]
    records[2] = (records[2][0], records[2][1][:-1] + b"x", records[2][2])
    assert ours.open_many(records) == kernel.open_many(records)
