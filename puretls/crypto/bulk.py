"""Bulk ciphers of the default provider: which code computes which algorithm.

The kernels load with the first key that needs them. RC4 and 3DES stay with tlslite-ng: they exist for old peers, not for speed.
"""

from __future__ import annotations

from puretls.crypto.aead import AES_128_GCM, AES_256_GCM, Aead, AeadAlgorithm
from puretls.crypto.backends import tlslite_ng
from puretls.crypto.cbc import Cbc, CbcAlgorithm, Stream, StreamAlgorithm

READ_AHEAD = 1 << 20
"""Default budget of prepared keystream, bytes a key."""


def kernel_aead(algorithm: AeadAlgorithm, key: bytes, *, table_free: bool = False, read_ahead: int = READ_AHEAD) -> Aead:
    """A keyed AEAD.

    `table_free` restricts it to code without secret-indexed tables; `read_ahead` bounds the keystream that `prefetch` keeps,
    bytes (0: none). Raises `UsageError` for a key of another length.
    """
    if algorithm in (AES_128_GCM, AES_256_GCM):
        from puretls.crypto.kernels.gcm import AesGcm

        return AesGcm(algorithm, key, table_free=table_free, read_ahead=read_ahead)
    return tlslite_ng.aead(algorithm, key)


def kernel_cbc(algorithm: CbcAlgorithm, key: bytes, *, table_free: bool = False) -> Cbc:
    """A keyed block cipher in CBC mode; `table_free` as in `kernel_aead`. Raises `UsageError` for a key of another length."""
    return tlslite_ng.cbc(algorithm, key)


def kernel_stream(algorithm: StreamAlgorithm, key: bytes) -> Stream:
    """A keyed stream cipher. Raises `UsageError` for a key of another length."""
    return tlslite_ng.stream(algorithm, key)
