"""Poly1305: RFC 8439 A.3, and chunks of many blocks against one block at a time."""

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
@pytest.mark.parametrize("size", [0, 48, 96])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_tag_as_published(vector, size, monkeypatch):
    """The vectors are short: chunks of so many bytes (0: none) from the first byte on."""
    monkeypatch.setattr(poly1305, "chunk_size", lambda length: size)
    assert poly1305.tag(bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"])).hex() == vector["tag"]


CHANGES = (poly1305._BY_BLOCKS_MOST, poly1305._BY_6_MOST, poly1305._BY_18_MOST)
"""Lengths at which the chunks grow."""


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2000) | st.sampled_from([most + d for most in CHANGES for d in (-1, 0, 1, 2, 15, 17)]),
    st.binary(min_size=1, max_size=9),
)
@example(b"\xff" * 32, 1024, b"\xff")
@example(b"\xff" * 32, 384, b"\xff")
@example(b"\xff" * 32, 385, b"\xff")
@example(b"\xff" * 32, 4097, b"\xff")
@example(b"\xff" * 32, 16384 + 32, b"\xff")
@example(b"\xff" * 32, 70000, b"\xff")
def test_tag_is_that_of_the_definition(key, length, seed):
    data = (seed * length)[:length]
    assert poly1305.tag(key, data) == by_definition(key, data)


@given(
    st.binary(min_size=32, max_size=32), st.integers(0, 3), st.integers(0, 9), st.integers(0, 40), st.sampled_from([48, 144, 528])
)
def test_a_message_in_parts_has_the_tag_of_the_whole(key, heads, count, end, size):
    head, body, rest = b"\xff" * (16 * heads), bytes(range(1, 241)) * (count * size // 240 + 1), b"\xaa" * end
    body = body[: count * size]
    chunks = [int.from_bytes(body[i : i + size], "little") for i in range(0, len(body), size)]
    assert poly1305.tag_of_parts(key, head, chunks, size, rest) == by_definition(key, head + body + rest)


def test_chunks_are_whole_lanes_of_three_blocks():
    assert {poly1305.chunk_size(length) % 48 for length in range(20000)} == {0}
