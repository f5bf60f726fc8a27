"""Primes: the test of Miller and Rabin with random bases, and random primes for RSA keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import gcd, prod

from puretls.crypto.groups import RandomBytes

ROUNDS = 32
"""Bases tried: a composite number passes with probability below 4^-32, whoever chose it (Damgard, Landrock, Pomerance, 1993)."""

_SIEVE_LIMIT = 1 << 14


@lru_cache(maxsize=1)
def _small_primes() -> tuple[int, ...]:
    sieve = bytearray([1]) * _SIEVE_LIMIT
    sieve[:2] = b"\0\0"
    for i in range(2, int(_SIEVE_LIMIT**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, _SIEVE_LIMIT, i)))
    return tuple(i for i, is_prime in enumerate(sieve) if is_prime)


@lru_cache(maxsize=1)
def _small_product() -> int:
    return prod(_small_primes())


def _survives(n: int, base: int) -> bool:
    """One round of Miller-Rabin: whether n looks prime to `base`."""
    odd = n - 1
    twos = (odd & -odd).bit_length() - 1
    x = pow(base, odd >> twos, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


def has_small_factor(n: int) -> bool:
    """Whether a prime below 2^14 divides n: what can be known of a large number for 0.1 ms."""
    return gcd(n, _small_product()) != 1


def is_prime(n: int, random: RandomBytes, rounds: int = ROUNDS) -> bool:
    """Whether n is prime; wrong with probability at most 4^-rounds, and then only by calling a composite prime."""
    if n < _SIEVE_LIMIT:
        return n in _small_primes()
    if has_small_factor(n):
        return False
    size = n.bit_length() // 8 + 8
    return all(_survives(n, 2 + int.from_bytes(random(size), "big") % (n - 3)) for _ in range(rounds))


def random_prime(bits: int, random: RandomBytes, accept: Callable[[int], bool]) -> int:
    """A prime of exactly `bits` bits with the two highest set, so that a product of two has twice as many bits.

    `accept` may refuse candidates before they are tested. Each candidate is drawn afresh, so that no prime is likelier than
    another for the gap before it.
    """
    size = (bits + 7) // 8
    while True:
        n = int.from_bytes(random(size), "big") & ((1 << bits) - 1) | 3 << (bits - 2) | 1
        if not has_small_factor(n) and accept(n) and _survives(n, 2) and is_prime(n, random):
            return n
