"""Padding and the length block of GHASH input (SP 800-38D 7.1)."""

from __future__ import annotations


def padding(length: int) -> bytes:
    """Zeros up to the next whole block."""
    return bytes(-length % 16)


def length_block(aad: int, ciphertext: int) -> int:
    """The last block of GHASH input, from lengths in bytes."""
    return aad << 67 | ciphertext << 3
