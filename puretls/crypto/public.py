"""Dispatch of public-key operations: which kernel computes what, for the provider's fields of the same names.

Kernels are imported by the first operation that needs them: a connection uses two or three of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from puretls.crypto.groups import Group, RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.keys import EcPrivateKey, EcPublicKey, EdPrivateKey, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.signatures import HASHES, SignatureAlgorithm, SignatureKind
from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.crypto.kernels.ec.ecdsa import Signed as EcSigned
    from puretls.crypto.provider import Numbers, Signed

_WEIERSTRASS = ("secp256r1", "secp384r1", "secp521r1")
_MONTGOMERY = ("x25519", "x448")
_EDDSA = {"ed25519": SignatureKind.ED25519, "ed448": SignatureKind.ED448}
_RSA = (SignatureKind.RSA_PKCS1, SignatureKind.RSA_PSS)


def arithmetic_of(numbers: Numbers) -> Arithmetic:
    """Raises `UsageError` where what is asked for is not there."""
    if numbers == "gmpy2":
        from puretls.crypto.backends.gmp import GMP

        return GMP
    if numbers == "libgmp":
        from puretls.crypto.backends.libgmp import LIBGMP

        return LIBGMP
    return PYTHON


def group(name: str, *, numbers: Numbers = "python") -> Group:
    """The group of that IANA name; `UsageError` for a name that is not here."""
    arithmetic = arithmetic_of(numbers)
    if name in _MONTGOMERY:
        from puretls.crypto.kernels.ec import montgomery

        return montgomery.group(name, arithmetic)
    if name in _WEIERSTRASS:
        from puretls.crypto.kernels.ec import ecdsa

        return ecdsa.EcdhGroup(name, arithmetic)
    from puretls.crypto.kernels.modular import ffdhe

    return ffdhe.named(name, arithmetic)


def finite_field(p: int, g: int, *, min_bits: int = 2048, numbers: Numbers = "python") -> Group:
    """The group of p and g as a server names them; `BadPublicValue` where they are not fit (see `ffdhe.unnamed`)."""
    from puretls.crypto.kernels.modular import ffdhe

    return ffdhe.unnamed(p, g, min_bits=min_bits, arithmetic=arithmetic_of(numbers))


def sign(
    algorithm: SignatureAlgorithm, key: PrivateKey, message: bytes, random: RandomBytes, *, numbers: Numbers = "python"
) -> bytes:
    """A signature. Raises `UsageError` where the key is of another kind or too short."""
    arithmetic = arithmetic_of(numbers)
    if not _knows_hashes(algorithm):
        raise UsageError(f"signatures use one of {', '.join(sorted(HASHES))}, not {algorithm.hash}")
    if isinstance(key, RsaPrivateKey) and algorithm.kind in _RSA:
        from puretls.crypto.kernels.modular import rsa

        return rsa.sign(algorithm, key, message, random, arithmetic)
    if isinstance(key, EcPrivateKey) and algorithm.kind is SignatureKind.ECDSA:
        from puretls.crypto.kernels.ec import ecdsa

        return ecdsa.sign(key, algorithm.hash, message, random, arithmetic=arithmetic)
    if isinstance(key, EdPrivateKey) and algorithm.kind is _EDDSA.get(key.public.curve):
        from puretls.crypto.kernels.ec import eddsa

        return eddsa.sign(key, message, random, arithmetic)
    raise UsageError(f"a key of type {type(key).__name__} does not sign with {algorithm.kind.value}")


def _knows_hashes(algorithm: SignatureAlgorithm) -> bool:
    return all(name in HASHES or not name for name in (algorithm.hash, algorithm.mgf_hash))


def verify(
    algorithm: SignatureAlgorithm, key: PublicKey, message: bytes, signature: bytes, *, numbers: Numbers = "python"
) -> bool:
    """Whether the signature is right; False for anything wrong, also for a key of another kind."""
    arithmetic = arithmetic_of(numbers)
    if not _knows_hashes(algorithm):
        return False
    if isinstance(key, RsaPublicKey):
        from puretls.crypto.kernels.modular import rsa

        return algorithm.kind in _RSA and rsa.verify(algorithm, key, message, signature, arithmetic)
    if isinstance(key, EcPublicKey):
        from puretls.crypto.kernels.ec import ecdsa

        return algorithm.kind is SignatureKind.ECDSA and ecdsa.verify(key, algorithm.hash, message, signature, arithmetic)
    from puretls.crypto.kernels.ec import eddsa

    return algorithm.kind is _EDDSA.get(key.curve) and eddsa.verify(key, message, signature, arithmetic)


def verify_together(signatures: Sequence[Signed], random: RandomBytes, *, numbers: Numbers = "python") -> list[bool]:
    """`BatchVerify.together`: ECDSA signatures of one curve, two or three at a time."""
    by_curve: dict[str, list[tuple[int, EcSigned]]] = {}
    for i, (algorithm, key, message, signature) in enumerate(signatures):
        if isinstance(key, EcPublicKey) and algorithm.kind is SignatureKind.ECDSA and _knows_hashes(algorithm):
            by_curve.setdefault(key.curve, []).append((i, (key, algorithm.hash, message, signature)))
    right = [False] * len(signatures)
    for found in by_curve.values():
        for part in (found[i : i + 3] for i in range(0, len(found), 3)):
            if len(part) > 1:
                from puretls.crypto.kernels.ec import ecdsa

                verdict = ecdsa.verify_together([signed for _, signed in part], random, arithmetic_of(numbers))
                for i, _ in part:
                    right[i] = verdict
    return right


def rsa_private(key: RsaPrivateKey, c: int, random: RandomBytes, *, numbers: Numbers = "python") -> int:
    """c^d mod n, blinded and checked against faults."""
    from puretls.crypto.kernels.modular import rsa

    return rsa.private_operation(key, c, random, arithmetic_of(numbers))


def generate(kind: str, random: RandomBytes, *, numbers: Numbers = "python") -> PrivateKey:
    """A new key: "rsa" and its bits ("rsa2048"), "secp256r1", "secp384r1", "secp521r1", "ed25519" or "ed448"."""
    arithmetic = arithmetic_of(numbers)
    if kind in _WEIERSTRASS:
        from puretls.crypto.kernels.ec import ecdsa

        return ecdsa.generate(kind, random, arithmetic)
    if kind in _EDDSA:
        from puretls.crypto.kernels.ec import eddsa

        return eddsa.generate(kind, random, arithmetic)
    from puretls.crypto.kernels.modular import rsa

    return rsa.generate_named(kind, random)
