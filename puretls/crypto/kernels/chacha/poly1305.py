"""Poly1305 (RFC 8439 2.5): one block a step for short messages, eight for longer, sixteen for long ones."""

from __future__ import annotations

from puretls.crypto.kernels.generated.poly1305_steps import P, by_8, by_16

_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_SIMPLE_MOST, _EIGHT_MOST = 384, 4096
"""Bytes up to which more powers do not pay."""


def tag(key: bytes, data: bytes) -> bytes:
    """The tag of 16 bytes; `key` 32 bytes, for one message only."""
    r = int.from_bytes(key[:16], "little") & _CLAMP
    a = done = 0
    if len(data) > _SIMPLE_MOST:
        step, by = (128, by_8) if len(data) <= _EIGHT_MOST else (256, by_16)
        done = len(data) // step * step
        a = by(r, data[:done])
    whole = len(data) & ~15
    for i in range(done, whole, 16):
        a = (a + int.from_bytes(data[i : i + 16], "little") + (1 << 128)) * r % P
    if len(data) > whole:
        a = (a + int.from_bytes(data[whole:] + b"\x01", "little")) * r % P
    return (a + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")
