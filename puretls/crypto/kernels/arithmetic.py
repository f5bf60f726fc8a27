"""What the kernels compute with: Python's own integers, or numbers of gmpy2, which give the same results faster."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple


class Arithmetic(NamedTuple):
    """`number` makes an operand from an int; both powers are (base, exponent, modulus) -> int."""

    name: str
    number: Callable[[int], Any]
    power: Callable[[int, int, int], int]
    secret_power: Callable[[int, int, int], int]
    """For secret bases and exponents: odd modulus, exponent above zero."""
    divides: bool = False
    """Whether a division by the prime costs less than folding (shifts, masks) does."""

    def module(self, name: str) -> Any:
        """The generated module of a curve that suits these numbers."""
        suffix = "_divided" if self.divides and name != "p256" else ""  # P-256 is reduced by division always
        return import_module(f"puretls.crypto.kernels.generated.{name}{suffix}")


PYTHON = Arithmetic("Python integers", int, pow, pow)
