"""What the kernels compute with: Python's own integers, or numbers of gmpy2, which give the same results faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Arithmetic(NamedTuple):
    """`number` makes an operand from an int; both powers are (base, exponent, modulus) -> int."""

    name: str
    number: Callable[[int], Any]
    power: Callable[[int, int, int], int]
    secret_power: Callable[[int, int, int], int]
    """For secret bases and exponents: odd modulus, exponent above zero."""


PYTHON = Arithmetic("Python integers", int, pow, pow)
