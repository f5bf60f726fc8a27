"""Poly1305 (RFC 8439 2.5): eight blocks a step, with the powers of r made for the message."""

from __future__ import annotations

from struct import iter_unpack

_P = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_STEP_BYTES = 128
_SIMPLE_MOST = 384
"""Bytes up to which the powers do not pay."""


def tag(key: bytes, data: bytes) -> bytes:
    """The tag of 16 bytes; `key` 32 bytes, for one message only."""
    r = int.from_bytes(key[:16], "little") & _CLAMP
    steps = len(data) // _STEP_BYTES * _STEP_BYTES if len(data) > _SIMPLE_MOST else 0
    a = _by_eight(r, data[:steps]) if steps else 0
    whole = len(data) & ~15
    for i in range(steps, whole, 16):
        a = (a + int.from_bytes(data[i : i + 16], "little") + (1 << 128)) * r % _P
    if len(data) > whole:
        a = (a + int.from_bytes(data[whole:] + b"\x01", "little")) * r % _P
    return (a + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")


def _by_eight(r: int, data: bytes) -> int:
    """The polynomial of messages of 8 k blocks. A block m = l + 2^64 h + 2^128 gives l r^i + h (2^64 r^i mod p) + 2^128 r^i."""
    powers = [r]
    for _ in range(7):
        powers.append(powers[-1] * r % _P)
    r8, r7, r6, r5, r4, r3, r2, r1 = reversed(powers)
    s8, s7, s6, s5, s4, s3, s2, s1 = [(power << 64) % _P for power in reversed(powers)]
    ones = (sum(powers) << 128) % _P
    a = 0
    for l8, h8, l7, h7, l6, h6, l5, h5, l4, h4, l3, h3, l2, h2, l1, h1 in iter_unpack("<16Q", data):
        a = a * r8 + l8 * r8 + h8 * s8 + l7 * r7 + h7 * s7 + l6 * r6 + h6 * s6 + l5 * r5 + h5 * s5
        a = (a + l4 * r4 + h4 * s4 + l3 * r3 + h3 * s3 + l2 * r2 + h2 * s2 + l1 * r1 + h1 * s1 + ones) % _P
    return a
