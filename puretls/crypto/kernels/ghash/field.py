"""GF(2^128) as GHASH writes it (SP 800-38D 6.3), and products without tables.

An element is an integer of 128 bits whose most significant bit is the coefficient of x^0, as `int.from_bytes` reads a block.

A product without carries is an integer product with room: spread to one bit a byte, the 128 sums of the schoolbook product stay
below 256, and their parities are the coefficients.
"""

from __future__ import annotations

_BITS_128 = int.from_bytes(b"\x01" * 128)
_BITS_255 = int.from_bytes(b"\x01" * 255)
_ASCII_ZEROS = int.from_bytes(b"0" * 255)
_LOW = (1 << 127) - 1
POLYNOMIAL = 0xE1 << 120
"""1 + x + x^2 + x^7, what x^128 is."""


def times_x(element: int) -> int:
    """The element times x, without a branch on it."""
    return element >> 1 ^ -(element & 1) & POLYNOMIAL


def spread(element: int) -> int:
    """One bit a byte, for `multiply_spread`."""
    return int.from_bytes(format(element, "0128b").encode()) & _BITS_128


def multiply_spread(a: int, b: int) -> int:
    """The product of two spread elements, as an element."""
    product = int((a * b & _BITS_255 | _ASCII_ZEROS).to_bytes(255), 2)
    # Coefficients 128 to 254 fold back times 1 + x + x^2 + x^7, those that then still stick out once more.
    high = (product & _LOW) << 8
    high ^= high >> 1 ^ high >> 2 ^ high >> 7
    rest = (high & 0x7F) << 121
    return product >> 127 ^ high >> 7 ^ rest ^ rest >> 1 ^ rest >> 2 ^ rest >> 7


def multiply(a: int, b: int) -> int:
    """The product of two elements."""
    return multiply_spread(spread(a), spread(b))


def update_spread(spread_h: int, y: int, data: bytes) -> int:
    """GHASH of whole blocks after the state `y`, with no preparation but `spread(h)`."""
    for i in range(0, len(data), 16):
        y = multiply_spread(spread(y ^ int.from_bytes(data[i : i + 16])), spread_h)
    return y
