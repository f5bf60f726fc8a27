"""What answers of later lessons may use, so that none has to write AES: the PRF of lesson 6, AES-GCM and AES-CBC.

All are functions from bytes to bytes. Ciphers take keys of 16 or 32 bytes and nonces of 12.
"""

from __future__ import annotations

from puretls.crypto import prf as _prf
from puretls.crypto.aead import AES_128_GCM, AES_256_GCM, Aead
from puretls.crypto.cbc import AES_128_CBC, AES_256_CBC
from puretls.crypto.provider import default
from puretls.errors import UsageError


def prf(secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """`length` bytes of the PRF with SHA-256 (RFC 5246 5)."""
    return _prf.prf("sha256", secret, label, seed, length)


def gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-GCM: the ciphertext with the tag of 16 bytes behind it (NIST SP 800-38D)."""
    return bytes(_gcm(key, nonce).seal(nonce, plaintext, aad))


def gcm_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    """The plaintext of what `gcm_seal` made; None where key, nonce, ciphertext, tag or aad is another."""
    opened = _gcm(key, nonce).open(nonce, sealed, aad) if len(sealed) >= 16 else None
    return None if opened is None else bytes(opened)


def _gcm(key: bytes, nonce: bytes) -> Aead:
    if len(nonce) != 12:
        raise UsageError(f"a nonce of AES-GCM has 12 bytes here, not {len(nonce)}")
    _check_key(key)
    return default().aead(AES_128_GCM if len(key) == 16 else AES_256_GCM, key)


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """AES-CBC decrypted, with all that is inside: no padding is taken off (NIST SP 800-38A 6.2)."""
    _check_key(key)
    if len(iv) != 16 or len(ciphertext) % 16:
        raise UsageError(f"CBC takes an IV of 16 bytes and whole blocks of 16, not {len(iv)} and {len(ciphertext)} bytes")
    return bytes(default().cbc(AES_128_CBC if len(key) == 16 else AES_256_CBC, key).decrypt(iv, ciphertext))


def _check_key(key: bytes) -> None:
    if len(key) not in {16, 32}:
        raise UsageError(f"a key has 16 or 32 bytes here, not {len(key)}")
