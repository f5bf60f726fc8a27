"""gmpy2 behind the kernels: the same code on numbers that multiply faster, and a modular power made for secrets."""

from __future__ import annotations

from puretls.crypto.backends import optional_package
from puretls.crypto.kernels.arithmetic import Arithmetic

gmpy2 = optional_package("gmpy2")


def power(base: int, exponent: int, modulus: int) -> int:
    """base^exponent mod modulus, for public numbers."""
    return int(gmpy2.powmod(base, exponent, modulus))


def secret_power(base: int, exponent: int, modulus: int) -> int:
    """The same with GMP's `mpz_powm_sec`, whose time and memory accesses depend on the sizes alone."""
    return int(gmpy2.powmod_sec(base, exponent, modulus))


GMP = Arithmetic(f"gmpy2 {gmpy2.version()}", gmpy2.mpz, power, secret_power, divides=True)
