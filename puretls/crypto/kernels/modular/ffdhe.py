"""Finite-field Diffie-Hellman: the groups of RFC 7919 by name, and groups that a server names itself (RFC 5246 7.4.3)."""

from __future__ import annotations

from functools import lru_cache

from puretls.crypto.groups import BadPublicValue, Group, KeyShare, RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.modular.fixed_base import Comb
from puretls.crypto.kernels.modular.primes import has_small_factor
from puretls.crypto.secret import Secret, SecretNumber
from puretls.errors import UsageError

_E_DIGITS = 8192
_COMB_USE = 3
"""The key pair of a named group with which it gets its comb."""
EXPONENT_BITS = {"ffdhe2048": 225, "ffdhe3072": 275, "ffdhe4096": 325, "ffdhe6144": 375, "ffdhe8192": 400}
"""Twice the strength of each group, rounded up (RFC 7919 5.2 and appendix A)."""
UNNAMED_EXPONENT_BITS = {2048: 320, 3072: 420, 4096: 480, 6144: 540, 8192: 620}
"""For primes of at most so many bits: the larger of the two estimates of RFC 3526 8.

An exponent as long as p would let a server have seconds of work for one message. What a smooth part of p - 1 gives away of an exponent
(van Oorschot and Wiener, 1996) is what these are longer by than those of safe primes.
"""
_OFFSETS = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}


@lru_cache(maxsize=1)
def _euler() -> int:
    """floor(e * 2^8192), as RFC 7919 builds its primes from the digits of e."""
    guard = 64
    term = total = 1 << (_E_DIGITS + guard)
    divisor = 0
    while term:
        divisor += 1
        term //= divisor
        total += term
    return total >> guard


@lru_cache(maxsize=8)
def named_prime(name: str) -> int:
    """The prime of a group of RFC 7919: p = 2^b - 2^(b-64) + (floor(2^(b-130) * e) + X) * 2^64 - 1."""
    bits = int(name.removeprefix("ffdhe"))
    digits = _euler() >> (_E_DIGITS - bits + 130)
    return (1 << bits) - (1 << (bits - 64)) + ((digits + _OFFSETS[bits]) << 64) - 1


class FiniteField(Group):
    """A `Group` of prime p and generator g with private exponents of `exponent_bits` bits.

    Short exponents are safe where p is a safe prime, which the named groups are; for groups of a server's own they are longer.
    """

    def __init__(self, name: str, p: int, g: int, exponent_bits: int, arithmetic: Arithmetic = PYTHON) -> None:
        self.name = name
        self.p = p
        self.g = g
        self.length: int = (p.bit_length() + 7) // 8
        self._bits = exponent_bits
        self._power = arithmetic.secret_power
        self._generated = 0
        self._comb: Comb | None = None

    def generate(self, random: RandomBytes) -> KeyShare:
        bits = self._bits
        length = (bits + 7) // 8
        # all exponents have one length
        x = SecretNumber(int.from_bytes(random(length), "big") & ((1 << bits) - 1) | 1 << (bits - 1))
        return KeyShare(Secret(x.to_bytes(length, "big")), self._public(x).to_bytes(self.length, "big"))

    def _public(self, x: SecretNumber) -> int:
        """g^x; by a comb where key pairs come again and the power is Python's, which knows no better way for secrets."""
        if self._comb is None:
            self._generated += 1
            if self._power is not pow or self._generated < _COMB_USE:
                return self._power(self.g, x, self.p)
            self._comb = Comb(self.g, self.p, self._bits)
        return self._comb.power(x)

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        y = int.from_bytes(peer, "big")
        if len(peer) > self.length:
            raise BadPublicValue(f"the Diffie-Hellman public value has {len(peer)} bytes, p has {self.length}")
        if not 1 < y < self.p - 1:
            raise BadPublicValue("the Diffie-Hellman public value is not within 2..p-2")
        z = SecretNumber(self._power(y, SecretNumber.from_bytes(private, "big"), self.p))
        if z == 1:
            raise BadPublicValue("the Diffie-Hellman public value lies in a subgroup that gives away the shared secret")
        return Secret(z.to_bytes((z.bit_length() + 7) // 8, "big"))


def named(name: str, arithmetic: Arithmetic = PYTHON) -> FiniteField:
    """One of the groups "ffdhe2048" ... "ffdhe8192"; `UsageError` for another name."""
    if name not in EXPONENT_BITS:
        raise UsageError(f"no group is called {name!r}")
    return _named(name, arithmetic)


@lru_cache(maxsize=16)
def _named(name: str, arithmetic: Arithmetic) -> FiniteField:
    return FiniteField(name, named_prime(name), 2, EXPONENT_BITS[name], arithmetic)


def _unnamed_exponent_bits(bits: int) -> int:
    wanted = next((exponent for size, exponent in UNNAMED_EXPONENT_BITS.items() if bits <= size), max(UNNAMED_EXPONENT_BITS.values()))
    return min(wanted, bits - 1)


def unnamed(p: int, g: int, *, min_bits: int = 2048, max_bits: int = 8192, arithmetic: Arithmetic = PYTHON) -> FiniteField:
    """The group of p and g as a server names them. A named group's parameters give that group.

    Raises `BadPublicValue` where p has a small factor or is outside `min_bits`..`max_bits`, or g outside 2..p-2. That p is prime is
    not proved: a test costs ten times the exchange, and a server that lies about its own group harms itself.
    """
    bits = p.bit_length()
    if not min_bits <= bits <= max_bits:
        raise BadPublicValue(f"the Diffie-Hellman prime has {bits} bits, wanted are {min_bits} to {max_bits}")
    if not 1 < g < p - 1:
        raise BadPublicValue("the Diffie-Hellman generator is not within 2..p-2")
    name = f"ffdhe{bits}"
    if g == 2 and name in EXPONENT_BITS and p == named_prime(name):
        return named(name, arithmetic)
    if has_small_factor(p):
        raise BadPublicValue("the Diffie-Hellman modulus has a small factor, so it is no prime")
    return FiniteField(f"dh{bits}", p, g, _unnamed_exponent_bits(bits), arithmetic)
