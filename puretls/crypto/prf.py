"""The PRF of TLS 1.2 (RFC 5246 section 5)."""

from __future__ import annotations

import hashlib

_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))


def p_hash(hash_name: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """P_hash(secret, seed), `length` bytes of it. `hash_name` is a name for `hashlib.new`.

    HMAC (RFC 2104 2) is written out: both hashes of the padded key are made once, and `hmac.digest` would make them each time.
    """
    inner = hashlib.new(hash_name)
    key = secret if len(secret) <= inner.block_size else hashlib.new(hash_name, secret).digest()
    key = key.ljust(inner.block_size, b"\0")
    inner.update(key.translate(_INNER))
    outer = hashlib.new(hash_name, key.translate(_OUTER))

    def mac(data: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(data)
        second.update(first.digest())
        return second.digest()

    out = b""
    a = seed
    while len(out) < length:
        a = mac(a)
        out += mac(a + seed)
    return out[:length]


def prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """PRF(secret, label, seed) = P_hash(secret, label + seed)."""
    return p_hash(hash_name, secret, label + seed, length)
