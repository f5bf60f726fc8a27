"""ChaCha20: RFC 8439 A.2, and rows against lanes across the thresholds."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.kernels.chacha import chacha20

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/rfc/rfc8439_chacha20.json").read_text())


def stream(key, nonce, counter, length):
    return chacha20.ChaCha20(key).keystreams((nonce,), counter, -(-length // 64))[0][:length]


@pytest.mark.rfc("8439", "2.4.2")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
@pytest.mark.parametrize("rows_most", [0, 1000])
def test_encryption_as_published(vector, rows_most, monkeypatch):
    monkeypatch.setattr(chacha20, "ROWS_MOST", rows_most)
    plaintext = bytes.fromhex(vector["plaintext"])
    output = stream(bytes.fromhex(vector["key"]), bytes.fromhex(vector["nonce"]), vector["counter"], len(plaintext))
    assert bytes(a ^ b for a, b in zip(output, plaintext, strict=True)).hex() == vector["ciphertext"]


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=12, max_size=12), st.integers(1, 2 * chacha20.ROWS_MOST + 3))
def test_stream_is_the_same_however_it_is_cut(key, nonce, blocks):
    whole = chacha20.ChaCha20(key).keystreams((nonce,), 0, blocks)[0]
    assert whole == b"".join(chacha20.ChaCha20(key).keystreams((nonce,), i, 1)[0] for i in range(blocks))


@pytest.mark.parametrize("blocks", [1, chacha20.ROWS_MOST, 257])
@pytest.mark.parametrize("records", [1, 2, 9, 20])
def test_streams_of_many_nonces_are_those_of_each(blocks, records):
    key = bytes(range(32))
    nonces = [bytes((i,)) * 12 for i in range(records)]
    expected = [chacha20.ChaCha20(key).keystreams((nonce,), 0, blocks)[0] for nonce in nonces]
    assert chacha20.ChaCha20(key).keystreams(nonces, 0, blocks) == expected


def test_words_of_all_ones_do_not_leave_their_lanes():
    """The greatest sums: every key and nonce bit set."""
    key, nonce = b"\xff" * 32, b"\xff" * 12
    long = chacha20.ChaCha20(key).keystreams((nonce,), 0, 100)[0]
    assert long[64 * 50 : 64 * 51] == chacha20.ChaCha20(key).keystreams((nonce,), 50, 1)[0]
