"""Ed25519 and Ed448 (RFC 8032)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from puretls.crypto.groups import RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.ec import combs
from puretls.crypto.kernels.ec.edwards import Affine, Edwards, edwards
from puretls.crypto.keys import EdPrivateKey, EdPublicKey
from puretls.crypto.secret import Secret, SecretNumber
from puretls.errors import UsageError


class Scheme(NamedTuple):
    """What tells the two apart. Sizes in bytes; `cofactor_bits` are cleared in the secret scalar, `top_bit` is set."""

    curve: str
    size: int
    hash: Callable[[bytes], bytes]
    cofactor_bits: int
    top_bit: int


SCHEMES = {
    "ed25519": Scheme("edwards25519", 32, lambda data: hashlib.sha512(data).digest(), 3, 254),
    "ed448": Scheme("edwards448", 57, lambda data: hashlib.shake_256(b"SigEd448\0\0" + data).digest(114), 2, 447),
}


def _encode(on: Edwards, scheme: Scheme, point: tuple[int, int, int]) -> bytes:
    """The encoding of a projective point (RFC 8032 5.1.2, 5.2.2)."""
    x, y, z = point
    inverse = pow(z, -1, on.p)
    x, y = x * inverse % on.p, y * inverse % on.p
    return (y | (x & 1) << (8 * scheme.size - 1)).to_bytes(scheme.size, "little")


def _decode(on: Edwards, scheme: Scheme, data: bytes) -> Affine | None:
    """The point of an encoding (RFC 8032 5.1.3, 5.2.3); None where there is none."""
    if len(data) != scheme.size:
        return None
    y = int.from_bytes(data, "little")
    sign = y >> (8 * scheme.size - 1)
    y &= (1 << (8 * scheme.size - 1)) - 1
    if y >= on.p:
        return None
    x = _root_of_quotient(on, (1 - y * y) % on.p, (on.a - on.d * y * y) % on.p)  # x^2 = (1 - y^2) / (a - d y^2)
    if x is None or (x == 0 and sign):
        return None
    return (on.p - x if x & 1 != sign else x), y


def _root_of_quotient(on: Edwards, u: int, v: int) -> int | None:
    """A square root of u/v with one power and no inversion (RFC 8032 5.1.3, 5.2.3); None where there is none."""
    p = on.p
    if p % 4 == 3:
        root = pow(u, 3, p) * v * pow(pow(u, 5, p) * pow(v, 3, p), (p - 3) // 4, p) % p
    else:
        cube = v * v * v % p
        root = u * cube * pow(u * cube * cube * v, (p - 5) // 8, p) % p
    square = v * root * root % p
    if square == u:
        return root
    return root * on.root_of_minus_one % p if p % 4 == 1 and square == p - u else None


def _expand(scheme: Scheme, seed: bytes) -> tuple[int, bytes]:
    """The secret scalar and the prefix (RFC 8032 5.1.5, 5.2.5)."""
    expanded = scheme.hash(seed) if scheme.size == 32 else hashlib.shake_256(seed).digest(114)
    scalar = int.from_bytes(expanded[: scheme.size], "little")
    scalar &= (1 << scheme.top_bit) - (1 << scheme.cofactor_bits)
    return scalar | 1 << scheme.top_bit, expanded[scheme.size :]


def _blind(on: Edwards, random: RandomBytes) -> SecretNumber:
    return SecretNumber(int.from_bytes(random((on.p.bit_length() + 7) // 8 + 8), "big") % (on.p - 1) + 1)


def public_point(name: str, seed: Secret, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> bytes:
    """The public key of a seed (RFC 8032 5.1.5); `UsageError` for a seed of another length."""
    scheme = SCHEMES[name]
    if len(seed) != scheme.size:
        raise UsageError(f"a private key for {name} has {scheme.size} bytes, not {len(seed)}")
    on = edwards(scheme.curve, arithmetic)
    blind = _blind(on, random)  # before the scalar is there
    return _encode(on, scheme, on.multiply_base(_expand(scheme, seed)[0], blind))


def generate(name: str, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> EdPrivateKey:
    """A new key, "ed25519" or "ed448"."""
    seed = Secret(random(SCHEMES[name].size))
    return EdPrivateKey(EdPublicKey(name, public_point(name, seed, random, arithmetic)), seed)


def sign(key: EdPrivateKey, message: bytes, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> bytes:
    """The signature of RFC 8032 5.1.6, 5.2.6; `random` only blinds.

    The public key is that of `key`: one that is not the seed's would give the secret scalar away when the same message is signed
    with the right one, so it is checked first (Chalkias, 2022), which costs as much as the signature.
    """
    scheme = SCHEMES[key.public.curve]
    on = edwards(scheme.curve, arithmetic)
    if not hmac.compare_digest(public_point(key.public.curve, key.seed, random, arithmetic), key.public.point):
        raise UsageError("the Ed25519 or Ed448 key's public half is not that of its seed")
    blind = _blind(on, random)
    scalar, prefix = _expand(scheme, key.seed)
    r = int.from_bytes(scheme.hash(prefix + message), "little") % on.n
    point = _encode(on, scheme, on.multiply_base(r, blind))
    k = int.from_bytes(scheme.hash(point + key.public.point + message), "little") % on.n
    return point + ((r + k * scalar) % on.n).to_bytes(scheme.size, "little")


def verify(key: EdPublicKey, message: bytes, signature: bytes, arithmetic: Arithmetic = PYTHON) -> bool:
    """Whether a signature is right, without the cofactor (RFC 8032 5.1.7, 5.2.7); False for anything wrong, also with the key."""
    scheme = SCHEMES[key.curve]
    size = scheme.size
    on = edwards(scheme.curve, arithmetic)
    s = int.from_bytes(signature[size:], "little")
    point = _decode(on, scheme, key.point)
    if len(signature) != 2 * size or s >= on.n or point is None:
        return False
    k = int.from_bytes(scheme.hash(signature[:size] + key.point + message), "little") % on.n
    minus = ((on.p - point[0]) % on.p, point[1])
    comb = combs.comb_for((arithmetic.name, key), lambda: on.make_comb(minus, on.key_comb_shape))
    return _encode(on, scheme, on.sum(s, k, minus, comb)) == signature[:size]
