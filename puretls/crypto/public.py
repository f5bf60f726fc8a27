"""Dispatch of public-key operations: which kernel computes what, for the provider's fields of the same names."""

from __future__ import annotations

from puretls.crypto.backends import python_ecdsa
from puretls.crypto.groups import Group, RandomBytes
from puretls.crypto.kernels import ffdhe, rsa
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.keys import PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind

_RSA = (SignatureKind.RSA_PKCS1, SignatureKind.RSA_PSS)


def _arithmetic(accelerated: bool) -> Arithmetic:
    if accelerated:
        from puretls.crypto.backends.gmp import GMP

        return GMP
    return PYTHON


def group(name: str, *, accelerated: bool = False) -> Group:
    """The group of that IANA name; `UsageError` for a name that is not here."""
    if name in ffdhe.EXPONENT_BITS:
        return ffdhe.named(name, _arithmetic(accelerated))
    return python_ecdsa.group(name)


def finite_field(p: int, g: int, *, min_bits: int = 2048, accelerated: bool = False) -> Group:
    """The group of p and g as a server names them; `BadPublicValue` where they are not fit (see `ffdhe.unnamed`)."""
    return ffdhe.unnamed(p, g, min_bits=min_bits, arithmetic=_arithmetic(accelerated))


def sign(
    algorithm: SignatureAlgorithm, key: PrivateKey, message: bytes, random: RandomBytes, *, accelerated: bool = False
) -> bytes:
    """A signature. Raises `UsageError` where the key is of another kind or too short."""
    if isinstance(key, RsaPrivateKey) and algorithm.kind in _RSA:
        return rsa.sign(algorithm, key, message, random, _arithmetic(accelerated))
    return python_ecdsa.sign(algorithm, key, message, random)


def verify(algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes, *, accelerated: bool = False) -> bool:
    """Whether the signature is right; False for anything wrong, also for a key of another kind."""
    if isinstance(key, RsaPublicKey) and algorithm.kind in _RSA:
        return rsa.verify(algorithm, key, message, signature, _arithmetic(accelerated))
    return python_ecdsa.verify(algorithm, key, message, signature)


def rsa_private(key: RsaPrivateKey, c: int, random: RandomBytes, *, accelerated: bool = False) -> int:
    """c^d mod n, blinded and checked against faults."""
    return rsa.private_operation(key, c, random, _arithmetic(accelerated))


def generate(kind: str, random: RandomBytes, *, accelerated: bool = False) -> PrivateKey:
    """A new key: "rsa" with its bits ("rsa2048"), "secp256r1", "secp384r1", "secp521r1", "ed25519" or "ed448"."""
    return python_ecdsa.generate(kind, random)
