"""X25519 and X448 (RFC 7748): the ladder for shared secrets, the comb of the related Edwards curve for public values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from puretls.crypto.groups import BadPublicValue, Group, KeyShare, RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.ec.edwards import edwards
from puretls.crypto.secret import Secret, SecretNumber
from puretls.errors import UsageError


def _u_25519(x: int, y: int, z: int, p: int) -> tuple[int, int]:
    """The quotient u = (1 + y) / (1 - y) (RFC 7748 4.1)."""
    return z + y, (z - y) % p


def _u_448(x: int, y: int, z: int, p: int) -> tuple[int, int]:
    """The quotient u = y^2 / x^2 (RFC 7748 4.2)."""
    return y * y % p, x * x % p


class Parameters(NamedTuple):
    """What tells the two apart; see RFC 7748 5 for the bits of a scalar."""

    module: str
    size: int
    bits: int
    cofactor_bits: int
    edwards: str
    quotient: Callable[[int, int, int, int], tuple[int, int]]


_PARAMETERS = {
    "x25519": Parameters("curve25519", 32, 255, 3, "edwards25519", _u_25519),
    "x448": Parameters("curve448", 56, 448, 2, "edwards448", _u_448),
}
NAMES = tuple(_PARAMETERS)
_AS_NUMBERS = bytes.maketrans(b"01", b"\0\1")


class MontgomeryGroup(Group):
    """The `Group` "x25519" or "x448"."""

    def __init__(self, name: str, arithmetic: Arithmetic = PYTHON) -> None:
        self.name = name
        self._parameters = parameters = _PARAMETERS[name]
        generated = arithmetic.module(parameters.module)
        self._p: int = generated.P
        self._ladder: Callable[..., tuple[Any, Any]] = generated.ladder
        self._constants = tuple(map(arithmetic.number, generated.CONSTANTS))
        self._arithmetic = arithmetic

    def generate(self, random: RandomBytes) -> KeyShare:
        private = Secret(random(self._parameters.size))
        return KeyShare(private, self.public_value(private, random))

    def public_value(self, private: Secret, random: RandomBytes) -> bytes:
        """The u coordinate of a private key: the base point multiplied on the Edwards curve, blinded."""
        above, below = self._base_point_times(private, self._blind(random))
        return self._bytes(above * pow(below, -1, self._p))

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        above, below = self._peer_times(private, peer)
        return Secret(self._bytes(above * pow(below, -1, self._p)))

    def answer(self, random: RandomBytes, peer: bytes) -> tuple[KeyShare, Secret]:
        private, blind = Secret(random(self._parameters.size)), self._blind(random)
        peers, ours = self._peer_times(private, peer), self._base_point_times(private, blind)
        inverse = pow(ours[1] * peers[1], -1, self._p)  # of both denominators at once
        share = KeyShare(private, self._bytes(ours[0] * (inverse * peers[1] % self._p)))
        return share, Secret(self._bytes(peers[0] * (inverse * ours[1] % self._p)))

    def multiply(self, private: bytes, u: bytes) -> bytes:
        """The function X25519 or X448 of RFC 7748 5: all-zero results included."""
        above, below = self._times(private, u)
        return self._bytes(above * pow(below, -1, self._p) if below else 0)  # a point of small order, whatever the scalar

    def _blind(self, random: RandomBytes) -> SecretNumber:
        return SecretNumber(int.from_bytes(random(self._parameters.size + 8), "big") % (self._p - 1) + 1)

    def _base_point_times(self, private: Secret, blind: SecretNumber) -> tuple[int, int]:
        """Numerator and denominator of the public value."""
        p, parameters = self._p, self._parameters
        on = edwards(parameters.edwards, self._arithmetic)
        return parameters.quotient(*on.multiply_base(self._scalar(private), blind), p)

    def _peer_times(self, private: Secret, peer: bytes) -> tuple[int, int]:
        """Numerator and denominator of a shared secret, both other than zero."""
        size = self._parameters.size
        if len(peer) != size:
            raise BadPublicValue(f"the {self.name} public value has {len(peer)} bytes, not {size}")
        above, below = self._times(private, peer)
        if not (above and below):
            raise BadPublicValue(f"the {self.name} shared secret is all zero, so the public value is a point of small order")
        return above, below

    def _times(self, private: bytes, u: bytes) -> tuple[int, int]:
        """Numerator and denominator of the scalar multiplication: both carry a random factor, so that inversion sees random numbers."""
        p, parameters = self._p, self._parameters
        number = self._arithmetic.number
        k = self._scalar(private)
        blind = hashlib.shake_256(private + u).digest(parameters.size + 8)  # unknown to who does not know `private`
        z = int.from_bytes(blind, "big") % (p - 1) + 1
        swaps = format(k ^ (k >> 1), f"0{parameters.bits}b").encode().translate(_AS_NUMBERS)  # the last bit is 0: none remains
        point = (int.from_bytes(u, "little") & ((1 << parameters.bits) - 1)) % p
        above, below = self._ladder(number(point), number(z), swaps, self._constants)
        return int(above) % p, int(below) % p

    def _bytes(self, number: int) -> bytes:
        return (number % self._p).to_bytes(self._parameters.size, "little")

    def _scalar(self, private: bytes) -> int:
        """The number that a private key stands for (decodeScalar of RFC 7748 5)."""
        parameters = self._parameters
        if len(private) != parameters.size:
            raise UsageError(f"a private key for {self.name} has {parameters.size} bytes, not {len(private)}")
        top = parameters.bits - 1
        return int.from_bytes(private, "little") & (1 << top) - (1 << parameters.cofactor_bits) | 1 << top


@lru_cache(maxsize=8)
def group(name: str, arithmetic: Arithmetic = PYTHON) -> MontgomeryGroup:
    """The group "x25519" or "x448"."""
    return MontgomeryGroup(name, arithmetic)
