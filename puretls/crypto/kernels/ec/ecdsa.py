"""ECDSA (FIPS 186-5 6) and ECDH (SP 800-56A, as RFC 8422 5.10 uses it) on the curves of `weierstrass`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence

from puretls.crypto.groups import BadPublicValue, Group, KeyShare, RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.kernels.ec import combs, recoding, together
from puretls.crypto.kernels.ec.weierstrass import Affine, Curve, curve
from puretls.crypto.keys import EcPrivateKey, EcPublicKey
from puretls.crypto.secret import Secret, SecretNumber
from puretls.crypto.signatures import digest_size
from puretls.errors import UsageError


def random_scalar(order: int, random: RandomBytes) -> SecretNumber:
    """A number within 1..order-1, nearly uniform thanks to 64 bits more than needed (FIPS 186-5 A.2.1)."""
    return SecretNumber(int.from_bytes(random(order.bit_length() // 8 + 9), "big") % (order - 1) + 1)


# --- key exchange


class EcdhGroup(Group):
    """A `Group` on one of the curves."""

    def __init__(self, name: str, arithmetic: Arithmetic = PYTHON) -> None:
        self.name = name
        self._curve = curve(name, arithmetic)

    def generate(self, random: RandomBytes) -> KeyShare:
        scalar, point = _key_pair(self._curve, random)
        return KeyShare(scalar, point)

    def shared_secret(self, private: Secret, peer: bytes) -> Secret:
        on = self._curve
        point = on.decode(peer)
        blind = hashlib.shake_256(private + peer).digest(on.size + 8)  # unknown to who does not know `private`
        k = SecretNumber(int.from_bytes(private, "big") % on.n)
        shared = on.multiply(k, point, SecretNumber(int.from_bytes(blind, "big") % (on.p - 1) + 1))
        if shared is None:
            raise BadPublicValue(f"the {self.name} shared secret is the point at infinity")
        return Secret(shared[0].to_bytes(on.size, "big"))


def _key_pair(on: Curve, random: RandomBytes) -> tuple[Secret, bytes]:
    k = random_scalar(on.n, random)
    return Secret(k.to_bytes(on.size, "big")), public_point(on, k, random)


def public_point(on: Curve, k: SecretNumber, random: RandomBytes) -> bytes:
    """The base point multiplied by k, as bytes."""
    point = on.multiply_base(k, random_scalar(on.p, random))
    if point is None:
        raise UsageError("a private key is a number within 1..n-1")
    return on.encode(point)


def generate(name: str, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> EcPrivateKey:
    """A new key on the curve of that name."""
    scalar, point = _key_pair(curve(name, arithmetic), random)
    return EcPrivateKey(EcPublicKey(name, point), scalar)


# --- signatures as bytes


def encode_signature(r: int, s: int) -> bytes:
    """DER of Ecdsa-Sig-Value (RFC 3279 2.2.3)."""
    body = b"".join(b"\2" + bytes([len(number)]) + number for number in map(_signed_bytes, (r, s)))
    return b"\x30" + (bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])) + body


def _signed_bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def decode_signature(data: bytes) -> tuple[int, int] | None:
    """(r, s) of strict DER; None for anything else, also for numbers that are negative or longer than any curve's."""
    start = 3 if data[1:2] == b"\x81" else 2
    if len(data) < start + 6 or len(data) > 150:
        return None
    length = data[start + 1]
    middle = start + 2 + length
    r = int.from_bytes(data[start + 2 : middle], "big")
    s = int.from_bytes(data[middle + 2 :], "big")
    # DER has one encoding: what does not come out again was not DER
    return (r, s) if encode_signature(r, s) == data else None


# --- signatures


def digest_number(digest: bytes, order: int) -> int:
    """The leftmost bits of the digest, as many as the order has (FIPS 186-5 6.4.1)."""
    return int.from_bytes(digest, "big") >> max(0, 8 * len(digest) - order.bit_length())


def nonces(order: int, scalar: int, digest: bytes, hash_name: str, extra: bytes = b"") -> Iterator[int]:
    """The candidates for k of RFC 6979 3.2, with additional data (3.6) where `extra` is given."""
    size = (order.bit_length() + 7) // 8
    number = digest_number(digest, order) % order
    seed = scalar.to_bytes(size, "big") + number.to_bytes(size, "big") + extra
    width = digest_size(hash_name)
    key, value = bytes(width), b"\1" * width
    for step in (b"\0", b"\1"):
        key = hmac.digest(key, value + step + seed, hash_name)
        value = hmac.digest(key, value, hash_name)
    while True:
        drawn = b""
        while len(drawn) < size:
            value = hmac.digest(key, value, hash_name)
            drawn += value
        k = int.from_bytes(drawn[:size], "big") >> (8 * size - order.bit_length())
        if 0 < k < order:
            yield k
        key = hmac.digest(key, value + b"\0", hash_name)
        value = hmac.digest(key, value, hash_name)


def sign(
    key: EcPrivateKey,
    hash_name: str,
    message: bytes,
    random: RandomBytes,
    *,
    hedged: bool = True,
    arithmetic: Arithmetic = PYTHON,
) -> bytes:
    """A DER signature. The nonce is that of RFC 6979, with fresh randomness mixed in where `hedged`.

    Without the randomness a fault in one of two signatures of one message would give the key away; without RFC 6979 a bad random
    source would. The signature is not verified again: that costs four times the signing. Products and inversion are blinded.
    """
    on = curve(key.public.curve, arithmetic)
    if not 0 < SecretNumber.from_bytes(key.scalar, "big") < on.n:
        raise UsageError("a private key is a number within 1..n-1")
    digest = hashlib.new(hash_name, message).digest()
    extra = Secret(random(32) if hedged else b"")
    blinds = random_scalar(on.p, random), random_scalar(on.n, random)
    return encode_signature(*_sign_digest(on, key.scalar, digest, hash_name, extra, blinds))


def _sign_digest(
    on: Curve, scalar: Secret, digest: bytes, hash_name: str, extra: Secret, blinds: tuple[SecretNumber, SecretNumber]
) -> tuple[int, int]:
    """(r, s) by the first nonce that gives numbers other than zero."""
    n, (point_blind, blind) = on.n, blinds
    d, e = int.from_bytes(scalar, "big"), digest_number(digest, n)
    for k in nonces(n, d, digest, hash_name, extra):
        point = on.multiply_base(k, point_blind)
        r = point[0] % n if point else 0
        s = (blind * e + r * (blind * d % n)) * pow(k * blind % n, -1, n) % n
        if r and s:
            return r, s
    raise AssertionError  # pragma: no cover - `nonces` never ends


def verify(key: EcPublicKey, hash_name: str, message: bytes, signature: bytes, arithmetic: Arithmetic = PYTHON) -> bool:
    """Whether a DER signature is right; False for anything wrong, also with the key."""
    on = curve(key.curve, arithmetic)
    found = _numbers(on, key, signature)
    if found is None:
        return False
    point, r, s = found
    inverse = pow(s, -1, on.n)
    e = _message_number(on, hash_name, message)
    comb = combs.comb_for((arithmetic.name, key), lambda: on.make_comb(point, on.key_comb_shape))
    return on.sum_has_x(r, e * inverse % on.n, r * inverse % on.n, point, comb)


def _numbers(on: Curve, key: EcPublicKey, signature: bytes) -> tuple[Affine, int, int] | None:
    """The point of the key, r and s; None where any of them cannot be."""
    numbers = decode_signature(signature)
    if numbers is None or not all(0 < number < on.n for number in numbers):
        return None
    try:
        return on.decode(key.point), *numbers
    except BadPublicValue:
        return None


def _message_number(on: Curve, hash_name: str, message: bytes) -> int:
    return digest_number(hashlib.new(hash_name, message).digest(), on.n)


Signed = tuple[EcPublicKey, str, bytes, bytes]
"""(key, hash, message, signature)"""


def verify_together(signed: Sequence[Signed], random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> bool:
    """Whether two or three signatures over one curve are right, in two thirds of the time that `verify` takes for each.

    False says nothing: it is for `verify` to tell what is wrong, and to be faster for keys that come again and have a comb.
    """
    names = {key.curve for key, *_ in signed}
    keys = [(arithmetic.name, key) for key, *_ in signed]
    if len(names) != 1 or not 2 <= len(signed) <= together.MOST or any(map(combs.has_or_gets, keys)):
        return False
    on = curve(names.pop(), arithmetic)
    found = [_numbers(on, key, signature) for key, _, _, signature in signed]
    numbers = [triple for triple in found if triple is not None]
    if len(numbers) < len(found):
        return False
    inverses = recoding.batch_inverse([s for *_, s in numbers], on.n, lambda value: pow(value, -1, on.n))
    equations = [
        together.Equation(r, _message_number(on, hash_name, message) * inverse % on.n, r * inverse % on.n, point)
        for (point, r, _), (_, hash_name, message, _), inverse in zip(numbers, signed, inverses, strict=True)
    ]
    if not together.hold_together(on, equations, random):
        return False
    for key in keys:
        combs.count(key)
    return True
