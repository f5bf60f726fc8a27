"""Public keys computed from private ones: files may leave them out, and where they are present they are the writer's claim."""

from __future__ import annotations

import hashlib

from puretls.crypto.groups import BadPublicValue, RandomBytes
from puretls.crypto.keys import EcPrivateKey, EcPublicKey, EdPrivateKey, EdPublicKey
from puretls.crypto.secret import Secret, SecretNumber


def is_on_curve(curve: str, point: bytes) -> bool:
    """Whether an uncompressed point is one of the curve (SEC 1 3.2.2.1)."""
    from puretls.crypto.kernels.ec import weierstrass

    try:
        weierstrass.curve(curve).decode(point)
    except BadPublicValue:
        return False
    return True


def ec_private_key(curve: str, scalar: Secret) -> EcPrivateKey | None:
    """The key of a scalar as long as the order; None where it is not in 1..n-1 (SEC 1 3.2.1)."""
    from puretls.crypto.kernels.ec import ecdsa, weierstrass

    on = weierstrass.curve(curve)
    number = SecretNumber.from_bytes(scalar)
    if not 0 < number < on.n:
        return None
    return EcPrivateKey(EcPublicKey(curve, ecdsa.public_point(on, number, _blinding(scalar))), scalar)


def ed_private_key(curve: str, seed: Secret) -> EdPrivateKey:
    """The key of an Edwards seed of the right length."""
    from puretls.crypto.kernels.ec import eddsa

    return EdPrivateKey(EdPublicKey(curve, eddsa.public_point(curve, seed, _blinding(seed))), seed)


def _blinding(secret: Secret) -> RandomBytes:
    """What hides intermediate values: as secret as the key, and parsing stays a function of its input."""
    stream = iter(range(1 << 16))
    return lambda length: hashlib.shake_256(b"blinding" + next(stream).to_bytes(2) + secret).digest(length)
