"""The PRF of TLS 1.2 (RFC 5246 section 5)."""

from __future__ import annotations

import hmac


def p_hash(hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """P_hash(secret, seed), `length` bytes of it. `hash_name` is a name for `hashlib.new`."""
    out = b""
    a = seed
    while len(out) < length:
        a = hmac.digest(secret, a, hash_name)
        out += hmac.digest(secret, a + seed, hash_name)
    return out[:length]


def prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """PRF(secret, label, seed) = P_hash(secret, label + seed)."""
    return p_hash(hash_name, secret, label + seed, length)
