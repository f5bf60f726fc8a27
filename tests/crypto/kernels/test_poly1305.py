"""Poly1305: RFC 8439 A.3, and the steps of eight and sixteen blocks against one block at a time."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from puretls.crypto.kernels.chacha import poly1305

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors/rfc/rfc8439_poly1305.json").read_text())
P = 2**130 - 5


def by_definition(key, data):
    """RFC 8439 2.5.1."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    a = 0
    for i in range(0, len(data), 16):
        a = (a + int.from_bytes(data[i : i + 16] + b"\x01", "little")) * r % P
    return ((a + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


@pytest.mark.rfc("8439", "2.5")
@pytest.mark.parametrize(("simple_most", "eight_most"), [(0, 10**6), (0, 0), (10**6, 10**6)])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_tag_as_published(vector, simple_most, eight_most, monkeypatch):
    monkeypatch.setattr(poly1305, "_SIMPLE_MOST", simple_most)
    monkeypatch.setattr(poly1305, "_EIGHT_MOST", eight_most)
    assert poly1305.tag(bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"])).hex() == vector["tag"]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 1200) | st.integers(3900, 4600), st.binary(min_size=1, max_size=9))
@example(b"\xff" * 32, 1024, b"\xff")
@example(b"\xff" * 32, 384, b"\xff")
@example(b"\xff" * 32, 385, b"\xff")
@example(b"\xff" * 32, 4096, b"\xff")
@example(b"\xff" * 32, 4097, b"\xff")
@example(b"\xff" * 32, 16384 + 32, b"\xff")
def test_tag_is_that_of_the_definition(key, length, seed):
    data = (seed * length)[:length]
    assert poly1305.tag(key, data) == by_definition(key, data)
