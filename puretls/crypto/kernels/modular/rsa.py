"""RSA (RFC 8017): the blinded private operation, PKCS#1 v1.5 and PSS signatures, key generation.

The time of Python's `pow` depends on its operands. Blinding hides the message from it, not the exponent: see the manual on
side channels.
"""

from __future__ import annotations

import hashlib
import hmac
from math import gcd

from puretls.crypto.groups import RandomBytes
from puretls.crypto.kernels.arithmetic import PYTHON, Arithmetic
from puretls.crypto.keys import RsaPrivateKey, RsaPublicKey
from puretls.crypto.secret import SecretNumber
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind, digest_size
from puretls.errors import InternalError, UsageError

MIN_BITS, MAX_BITS = 1024, 16384
MAX_EXPONENT_BITS = 33
"""Bounds on the work that a stranger's key can cause; which keys are strong enough is the validator's policy."""

DIGEST_INFO_PREFIX = {
    "md5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha224": bytes.fromhex("302d300d06096086480165030402040500041c"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""DER of DigestInfo before the digest (RFC 8017 9.2, note 1)."""


def is_sane(key: RsaPublicKey) -> bool:
    """Whether the numbers can be an RSA key at all, checked before any arithmetic with them."""
    return (
        MIN_BITS <= key.n.bit_length() <= MAX_BITS
        and key.n & 1 == 1
        and key.e & 1 == 1
        and key.e >= 3
        and key.e.bit_length() <= MAX_EXPONENT_BITS
    )


# --- the private operation

_BLIND_LENGTH = 32


def blinding_pair(key: RsaPublicKey, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> tuple[SecretNumber, SecretNumber]:
    """(r^e, 1/r) mod n for a fresh r (Kocher, Timing Attacks, 1996, section 10): one draw of 32 bytes, and no state that could be shared.

    r is far below the primes of any key worth the name, so it has an inverse; and since it is short, that follows from one modulo r,
    which costs a twentieth of one modulo n: 1/r = (1 + n * (-1/n mod r)) / r.
    """
    n = key.n
    r = n
    while gcd(r, n) != 1:
        r = SecretNumber(int.from_bytes(random(_BLIND_LENGTH), "big") | 1 << 8 * _BLIND_LENGTH)
    inverse = (1 + n * pow(-n, -1, r)) // r
    return SecretNumber(arithmetic.secret_power(r, key.e, n)), SecretNumber(inverse)


def private_operation(key: RsaPrivateKey, c: int, random: RandomBytes, arithmetic: Arithmetic = PYTHON) -> int:
    """c^d mod n, by CRT, blinded, and checked: a fault in one half would give away a factor (Boneh, DeMillo, Lipton, 1997).

    Raises `UsageError` for c outside 0..n-1 and `InternalError` where the check fails, as it does too for a key whose numbers do
    not fit together.
    """
    if not 0 <= c < key.public.n:
        raise UsageError("the number for the RSA private operation is not within 0..n-1")
    m = _blinded_power(key, c, blinding_pair(key.public, random, arithmetic), arithmetic)
    if m is None:
        raise InternalError("the RSA private operation gave a wrong result (a fault, or a key whose numbers do not fit together)")
    return m


def _blinded_power(key: RsaPrivateKey, c: int, pair: tuple[int, int], arithmetic: Arithmetic) -> int | None:
    """None for a wrong result: it gives a factor away, so it stays here, where nothing is raised."""
    n, (blind, unblind) = key.public.n, pair
    blinded = c * blind % n
    m1 = arithmetic.secret_power(blinded % key.p, key.dp, key.p)
    m2 = arithmetic.secret_power(blinded % key.q, key.dq, key.q)
    m = m2 + (m1 - m2) * key.qinv % key.p * key.q
    return m * unblind % n if arithmetic.secret_power(m, key.public.e, n) == blinded else None


# --- signatures


def _digest(algorithm: SignatureAlgorithm, message: bytes) -> bytes:
    return hashlib.new(algorithm.hash, message).digest()


def pkcs1_encode(algorithm: SignatureAlgorithm, message: bytes, length: int) -> bytes | None:
    """EMSA-PKCS1-v1_5 (RFC 8017 9.2) in `length` bytes; None where they are too few for the hash, or the hash is none of those known."""
    prefix = DIGEST_INFO_PREFIX.get(algorithm.hash)
    if prefix is None:
        return None
    info = prefix + _digest(algorithm, message)
    return b"\0\1" + b"\xff" * (length - len(info) - 3) + b"\0" + info if length >= len(info) + 11 else None


def mgf1(hash_name: str, seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017 B.2.1)."""
    seeded = hashlib.new(hash_name, seed)
    mask = b""
    while len(mask) < length:
        block = seeded.copy()
        block.update((len(mask) // seeded.digest_size).to_bytes(4, "big"))
        mask += block.digest()
    return mask[:length]


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def pss_encode(algorithm: SignatureAlgorithm, message: bytes, salt: bytes, bits: int) -> bytes | None:
    """EMSA-PSS (RFC 8017 9.1.1) in `bits` bits; None where they are too few for hash and salt."""
    h = _pss_hash(algorithm, message, salt)
    length = (bits + 7) // 8 - len(h) - 1
    if length <= len(salt):
        return None
    return _pss_join(h, salt, mgf1(algorithm.mgf_hash, h, length), bits)


def _pss_hash(algorithm: SignatureAlgorithm, message: bytes, salt: bytes) -> bytes:
    """H of EMSA-PSS: over the hash of the message and the salt."""
    return _digest(algorithm, bytes(8) + _digest(algorithm, message) + salt)


def _pss_join(h: bytes, salt: bytes, mask: bytes, bits: int) -> bytes:
    """The encoded message of `bits` bits: padding and salt under the mask, H, and the byte 0xbc."""
    masked = _xor((b"\1" + salt).rjust(len(mask), b"\0"), mask)
    top = 0xFF >> (8 * (len(mask) + len(h) + 1) - bits)
    return bytes((masked[0] & top,)) + masked[1:] + h + b"\xbc"


def _pss_fits(algorithm: SignatureAlgorithm, message: bytes, encoded: bytes, bits: int) -> bool:
    """EMSA-PSS verification (RFC 8017 9.1.2): take the salt out, encode again under the same mask, compare everything.

    The salt must have exactly the algorithm's length (RFC 8446 4.2.3).
    """
    end = len(encoded) - digest_size(algorithm.hash) - 1
    if end <= algorithm.salt_length:
        return False
    mask = mgf1(algorithm.mgf_hash, encoded[end:-1], end)
    salt = _xor(encoded[:end], mask)[end - algorithm.salt_length :]
    expected = _pss_join(_pss_hash(algorithm, message, salt), salt, mask, bits)
    return hmac.compare_digest(expected, encoded)


def sign(
    algorithm: SignatureAlgorithm, key: RsaPrivateKey, message: bytes, random: RandomBytes, arithmetic: Arithmetic = PYTHON
) -> bytes:
    """RSASSA-PSS or RSASSA-PKCS1-v1_5 (RFC 8017 8.1.1, 8.2.1).

    Raises `UsageError` where the key is too short for hash and salt, or marked for PSS and asked for the other.
    """
    bits = key.public.n.bit_length()
    length = (bits + 7) // 8
    if algorithm.kind is SignatureKind.RSA_PSS:
        encoded = pss_encode(algorithm, message, random(algorithm.salt_length), bits - 1)
    elif key.public.pss_only:
        raise UsageError("an RSA key that is marked for PSS does not sign with PKCS#1 v1.5 (RFC 4055 1.2)")
    else:
        encoded = pkcs1_encode(algorithm, message, length)
    if encoded is None:
        raise UsageError(f"an RSA key of {bits} bits is too short for {algorithm.kind.value} with {algorithm.hash}")
    return private_operation(key, int.from_bytes(encoded, "big"), random, arithmetic).to_bytes(length, "big")


def verify(
    algorithm: SignatureAlgorithm, key: RsaPublicKey, message: bytes, signature: bytes, arithmetic: Arithmetic = PYTHON
) -> bool:
    """RSASSA-PSS or RSASSA-PKCS1-v1_5 (RFC 8017 8.1.2, 8.2.2); False for anything wrong.

    For PKCS#1 v1.5 the one right encoding is built and compared whole: nothing is parsed that a forger could shape
    (Bleichenbacher, 2006).
    """
    bits = key.n.bit_length()
    length = (bits + 7) // 8
    s = int.from_bytes(signature, "big")
    if not is_sane(key) or len(signature) != length or s >= key.n:
        return False
    m = arithmetic.power(s, key.e, key.n)
    if algorithm.kind is SignatureKind.RSA_PKCS1:
        expected = pkcs1_encode(algorithm, message, length)
        return not key.pss_only and expected is not None and hmac.compare_digest(m.to_bytes(length, "big"), expected)
    length = (bits + 6) // 8
    return m.bit_length() <= 8 * length and _pss_fits(algorithm, message, m.to_bytes(length, "big"), bits - 1)


# --- keys


def generate(bits: int, random: RandomBytes, e: int = 65537) -> RsaPrivateKey:
    """A new key of `bits` bits, as FIPS 186-5 A.1.3 asks: p and q far apart, d large.

    Raises `UsageError` for sizes outside 1024..16384 or not a multiple of 64.
    """
    from puretls.crypto.kernels.modular.primes import random_prime  # few processes make keys

    if not MIN_BITS <= bits <= MAX_BITS or bits % 64:
        raise UsageError(f"RSA keys have {MIN_BITS} to {MAX_BITS} bits, a multiple of 64, not {bits}")
    half = bits // 2
    while True:
        p, q = (random_prime(half, random, lambda x: gcd(x - 1, e) == 1) for _ in range(2))
        d = pow(e, -1, (p - 1) * (q - 1) // gcd(p - 1, q - 1)) if p != q else 0
        if abs(p - q) >> (half - 100) and d >> half:
            p, q = max(p, q), min(p, q)
            return RsaPrivateKey(RsaPublicKey(p * q, e), d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))


def generate_named(kind: str, random: RandomBytes) -> RsaPrivateKey:
    """`generate` by a name such as "rsa2048"; `UsageError` for any other name."""
    bits = kind.removeprefix("rsa")
    if bits == kind or not bits.isdecimal() or len(bits) > 5:
        raise UsageError(f"no kind of key is called {kind!r}")
    return generate(int(bits), random)
