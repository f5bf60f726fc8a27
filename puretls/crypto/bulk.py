"""Bulk ciphers of the default provider: which code computes which algorithm.

The kernels load with the first key that needs them. RC4 stays with tlslite-ng: it exists for old peers, not for speed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Protocol

from puretls.crypto.aead import (
    AES_128_CCM,
    AES_128_CCM_8,
    AES_128_GCM,
    AES_256_CCM,
    AES_256_CCM_8,
    AES_256_GCM,
    CHACHA20_POLY1305,
    Aead,
    AeadAlgorithm,
)
from puretls.crypto.backends import tlslite_ng
from puretls.crypto.cbc import AES_128_CBC, AES_192_CBC, AES_256_CBC, TRIPLE_DES_CBC, Cbc, CbcAlgorithm, Stream, StreamAlgorithm
from puretls.errors import UsageError

READ_AHEAD = 1 << 20
"""Default budget of prepared keystream, bytes a key."""


def kernel_aead(
    algorithm: AeadAlgorithm, key: bytes, *, table_free: bool = False, read_ahead: int = READ_AHEAD, arrays: bool | None = False
) -> Aead:
    """A keyed AEAD.

    `table_free` restricts it to code without secret-indexed tables; `read_ahead` bounds the keystream that `prefetch` keeps,
    bytes (0: none). `arrays` takes numpy for long records of ChaCha20-Poly1305; None: where the program has imported it already.
    Raises `UsageError` for a key of another length, and where numpy is asked for and missing.
    """
    if algorithm is CHACHA20_POLY1305 and (arrays or (arrays is None and "numpy" in sys.modules)):
        from puretls.crypto.backends.arrays import ArrayChaCha20Poly1305

        return ArrayChaCha20Poly1305(algorithm, key, table_free=table_free, read_ahead=read_ahead)
    kernel = _KERNELS.get(algorithm)
    if kernel is None:
        raise UsageError(f"there is no kernel for {algorithm.name}")
    return kernel()(algorithm, key, table_free=table_free, read_ahead=read_ahead)


def kernel_cbc(algorithm: CbcAlgorithm, key: bytes, *, table_free: bool = False) -> Cbc:
    """A keyed block cipher in CBC mode; `table_free` as in `kernel_aead`, for AES. Raises `UsageError` for a key of another length."""
    if algorithm is TRIPLE_DES_CBC:
        from puretls.crypto.kernels.des import TripleDesCbc

        return TripleDesCbc(algorithm, key)
    if algorithm not in (AES_128_CBC, AES_192_CBC, AES_256_CBC):
        raise UsageError(f"there is no kernel for {algorithm.name}")
    from puretls.crypto.kernels.modes.cbc import AesCbc

    return AesCbc(algorithm, key, table_free=table_free)


def kernel_stream(algorithm: StreamAlgorithm, key: bytes) -> Stream:
    """A keyed stream cipher. Raises `UsageError` for a key of another length."""
    return tlslite_ng.stream(algorithm, key)


class _AeadKernel(Protocol):
    def __call__(self, algorithm: AeadAlgorithm, key: bytes, *, table_free: bool, read_ahead: int) -> Aead: ...


@cache
def _gcm() -> _AeadKernel:
    from puretls.crypto.kernels.modes.gcm import AesGcm

    return AesGcm


@cache
def _ccm() -> _AeadKernel:
    from puretls.crypto.kernels.modes.ccm import AesCcm

    return AesCcm


@cache
def _chacha20_poly1305() -> _AeadKernel:
    from puretls.crypto.kernels.chacha.chacha20_poly1305 import ChaCha20Poly1305

    return ChaCha20Poly1305


_KERNELS: dict[AeadAlgorithm, Callable[[], _AeadKernel]] = {
    AES_128_GCM: _gcm,
    AES_256_GCM: _gcm,
    AES_128_CCM: _ccm,
    AES_256_CCM: _ccm,
    AES_128_CCM_8: _ccm,
    AES_256_CCM_8: _ccm,
    CHACHA20_POLY1305: _chacha20_poly1305,
}
