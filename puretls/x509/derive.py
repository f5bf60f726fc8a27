"""Public keys computed from private ones, with nothing but the contracts of a provider.

Key files may leave the public key out (Ed25519 always does), and where it is present it is the writer's claim.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from puretls.crypto.keys import EcPrivateKey, EcPublicKey, EdPrivateKey, PrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind


class Curve(NamedTuple):
    """y^2 = x^3 - 3x + b over GF(p), with a base point of prime order n (SEC 2 2.4, 2.5, 2.6). `length` of p in bytes."""

    length: int
    p: int
    b: int
    n: int
    base: bytes


def _curve(p: int, b: str, n: str, x: str, y: str) -> Curve:
    return Curve((p.bit_length() + 7) // 8, p, int(b, 16), int(n, 16), b"\4" + bytes.fromhex(x + y))


WEIERSTRASS = {
    "secp256r1": _curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
    "secp384r1": _curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"),
    "secp521r1": _curve(
        2**521 - 1,
        "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
        "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650"),
}  # fmt: skip


def is_on_curve(curve: str, point: bytes) -> bool:
    """Whether an uncompressed point has coordinates below p that satisfy the equation (SEC 1 3.2.2.1)."""
    length, p, b, _, _ = WEIERSTRASS[curve]
    x, y = int.from_bytes(point[1 : 1 + length]), int.from_bytes(point[1 + length :])
    return x < p and y < p and (y * y - x * x * x + 3 * x - b) % p == 0


def private_from_secret(curve: str, secret: Secret, provider: Provider, claimed: bytes | None = None) -> PrivateKey | None:
    """The key of a scalar (as long as the order) or an Edwards seed.

    None for a scalar outside 1..n-1, or where `claimed`, the uncompressed point a file states, is not that of the scalar.
    """
    if curve not in WEIERSTRASS:
        key = provider.generate(curve, lambda length: secret)
        return key if isinstance(key, EdPrivateKey) else None
    domain = WEIERSTRASS[curve]
    if not 0 < int.from_bytes(secret) < domain.n:
        return None
    candidates = (claimed,) if claimed is not None else _points(domain, provider.group(curve).shared_secret(secret, domain.base))
    keys = (EcPrivateKey(EcPublicKey(curve, point), secret) for point in candidates if is_on_curve(curve, point))
    return next((key for key in keys if _signs_for(key, provider)), None)


def _points(domain: Curve, shared: bytes) -> tuple[bytes, bytes]:
    """Both points with this x: `shared` is the x coordinate of scalar times base (p = 3 mod 4 for all three curves)."""
    x = int.from_bytes(shared)
    y = pow(x**3 - 3 * x + domain.b, (domain.p + 1) // 4, domain.p)
    start = b"\4" + shared
    return start + y.to_bytes(domain.length), start + (domain.p - y).to_bytes(domain.length)


def _signs_for(key: EcPrivateKey, provider: Provider) -> bool:
    """Whether a signature by the scalar verifies with the point. It never leaves here: its nonce may come from the key."""
    algorithm = SignatureAlgorithm(SignatureKind.ECDSA, "sha256")
    message = b"puretls: does this public key belong to this private key?"
    stream = iter(range(1 << 16))

    def nonce(length: int) -> bytes:
        return hashlib.shake_256(b"".join((key.scalar, message, next(stream).to_bytes(2)))).digest(length)

    return provider.verify(algorithm, key.public, message, provider.sign(algorithm, key, message, nonce))
