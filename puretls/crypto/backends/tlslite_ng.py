"""The bulk ciphers of tlslite-ng behind our contracts: the reference that kernels are tested against, and RC4 and 3DES.

tlslite-ng takes some 100 ms to import, so it is loaded by the first key that needs it, not by this module.
Not here: public-key operations.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any

from puretls.crypto import aead as _aead
from puretls.crypto import cbc as _cbc
from puretls.crypto.aead import Aead, AeadAlgorithm, Sealing
from puretls.crypto.backends.tlslite_modules import tlslite_module
from puretls.crypto.cbc import NULL_CIPHER, Blocks, Cbc, CbcAlgorithm, Stream, StreamAlgorithm
from puretls.crypto.lengths import check_blocks, check_length
from puretls.errors import UsageError


def aead(algorithm: AeadAlgorithm, key: bytes) -> Aead:
    """A keyed AEAD computed by tlslite-ng. Raises `UsageError` for a key of another length."""
    new = _AEAD_MAKERS.get(algorithm)
    if new is None:
        raise UsageError(f"tlslite-ng has no {algorithm.name}")
    check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
    return _LibraryAead(algorithm, new(bytearray(key), algorithm.tag_length))


def cbc(algorithm: CbcAlgorithm, key: bytes) -> Cbc:
    """A keyed block cipher in CBC mode computed by tlslite-ng. Raises `UsageError` for a key of another length."""
    new = _CBC_MAKERS.get(algorithm)
    if new is None:
        raise UsageError(f"tlslite-ng has no {algorithm.name}")
    check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
    return _LibraryCbc(algorithm, new, bytearray(key))


def stream(algorithm: StreamAlgorithm, key: bytes) -> Stream:
    """RC4 computed by tlslite-ng, or the NULL cipher. Raises `UsageError` for a key of another length."""
    if algorithm not in _cbc.STREAM_ALGORITHMS:
        raise UsageError(f"tlslite-ng has no {algorithm.name}")
    check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
    if algorithm == NULL_CIPHER:
        return NullStream()
    return _LibraryStream(_rc4(bytearray(key)))


class NullStream:
    """The cipher that changes nothing (RFC 5246 6.2.3.1)."""

    __slots__ = ()

    def apply(self, data: bytes) -> bytes:
        return data


class _LibraryAead:
    __slots__ = ("_algorithm", "_cipher")

    def __init__(self, algorithm: AeadAlgorithm, cipher: Any) -> None:
        self._algorithm = algorithm
        self._cipher = cipher

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        return bytes(self._cipher.seal(bytearray(nonce), bytearray(plaintext), bytearray(aad)))

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        if len(ciphertext) < self._algorithm.tag_length:
            return None
        plaintext = self._cipher.open(bytearray(nonce), bytearray(ciphertext), bytearray(aad))
        return None if plaintext is None else bytes(plaintext)

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        return [self.open(*item) for item in items]

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Nothing: the library makes its keystream a block at a time."""


class _LibraryCcm:
    """CCM opened by sealing twice: the library's own `open` compares tags with `!=`, which stops at the first difference."""

    __slots__ = ("_cipher", "_tag_length")

    def __init__(self, cipher: Any, tag_length: int) -> None:
        self._cipher = cipher
        self._tag_length = tag_length

    def seal(self, nonce: bytearray, plaintext: bytearray, aad: bytearray) -> bytearray:
        sealed: bytearray = self._cipher.seal(nonce, plaintext, aad)
        return sealed

    def open(self, nonce: bytearray, ciphertext: bytearray, aad: bytearray) -> bytearray | None:
        body = ciphertext[: len(ciphertext) - self._tag_length]
        plaintext = self.seal(nonce, body, aad)[: len(body)]
        return plaintext if hmac.compare_digest(self.seal(nonce, plaintext, aad), ciphertext) else None


class _LibraryCbc:
    """One library object per call: those objects chain from call to call, TLS 1.1 and later do not (RFC 5246 6.2.3.2)."""

    __slots__ = ("_algorithm", "_key", "_new")

    def __init__(self, algorithm: CbcAlgorithm, new: Callable[[bytearray, bytearray], Any], key: bytearray) -> None:
        self._algorithm = algorithm
        self._new = new
        self._key = key

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        return bytes(self._cipher(iv, data).encrypt(bytearray(data)))

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        return bytes(self._cipher(iv, data).decrypt(bytearray(data)))

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.encrypt(*item) for item in items]

    def decrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.decrypt(*item) for item in items]

    def _cipher(self, iv: bytes, data: bytes) -> Any:
        check_length(f"the IV of {self._algorithm.name}", iv, self._algorithm.block_length)
        check_blocks(self._algorithm.name, data, self._algorithm.block_length)
        return self._new(self._key, bytearray(iv))


class _LibraryStream:
    __slots__ = ("_cipher",)

    def __init__(self, cipher: Any) -> None:
        self._cipher = cipher

    def apply(self, data: bytes) -> bytes:
        return bytes(self._cipher.encrypt(bytearray(data)))


def _gcm(key: bytearray, _tag_length: int) -> Any:
    return tlslite_module("python_aesgcm").new(key)


def _ccm(key: bytearray, tag_length: int) -> Any:
    return _LibraryCcm(tlslite_module("python_aesccm").new(key, tag_length), tag_length)


def _chacha20_poly1305(key: bytearray, _tag_length: int) -> Any:
    return tlslite_module("python_chacha20_poly1305").new(key)


def _aes(key: bytearray, iv: bytearray) -> Any:
    return tlslite_module("python_aes").new(key, 2, iv)


def _triple_des(key: bytearray, iv: bytearray) -> Any:
    return tlslite_module("python_tripledes").new(key, iv)


def _rc4(key: bytearray) -> Any:
    return tlslite_module("python_rc4").new(key)


_AEAD_MAKERS: dict[AeadAlgorithm, Callable[[bytearray, int], Any]] = {
    _aead.AES_128_GCM: _gcm,
    _aead.AES_256_GCM: _gcm,
    _aead.AES_128_CCM: _ccm,
    _aead.AES_256_CCM: _ccm,
    _aead.AES_128_CCM_8: _ccm,
    _aead.AES_256_CCM_8: _ccm,
    _aead.CHACHA20_POLY1305: _chacha20_poly1305,
}
_CBC_MAKERS: dict[CbcAlgorithm, Callable[[bytearray, bytearray], Any]] = {
    _cbc.AES_128_CBC: _aes,
    _cbc.AES_192_CBC: _aes,
    _cbc.AES_256_CBC: _aes,
    _cbc.TRIPLE_DES_CBC: _triple_des,
}
