"""Block ciphers in CBC mode and stream ciphers: descriptors and the contract of a keyed cipher.

Padding and MAC belong to `record.protection`; here are whole blocks only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from puretls.values import frozen


@frozen
class CbcAlgorithm:
    """One block cipher in CBC mode. Lengths in bytes; the explicit IV of a record is one block (RFC 5246 6.2.3.2)."""

    name: str
    key_length: int
    block_length: int


@frozen
class StreamAlgorithm:
    """One stream cipher, or none at all (`key_length` 0, RFC 5246 6.2.3.1)."""

    name: str
    key_length: int


AES_128_CBC = CbcAlgorithm("AES-128-CBC", 16, 16)
AES_192_CBC = CbcAlgorithm("AES-192-CBC", 24, 16)
"""No cipher suite has it, encrypted key files do."""
AES_256_CBC = CbcAlgorithm("AES-256-CBC", 32, 16)
TRIPLE_DES_CBC = CbcAlgorithm("3DES-EDE-CBC", 24, 8)
CBC_ALGORITHMS = (AES_128_CBC, AES_256_CBC, TRIPLE_DES_CBC)
RC4_128 = StreamAlgorithm("RC4-128", 16)
NULL_CIPHER = StreamAlgorithm("NULL", 0)
STREAM_ALGORITHMS = (RC4_128, NULL_CIPHER)

Blocks = tuple[bytes, bytes]
"""(IV of one block, data of whole blocks)"""


class Cbc(Protocol):
    """A keyed block cipher in CBC mode. Data that is not whole blocks, or an IV that is not one, raises `UsageError`."""

    def encrypt(self, iv: bytes, data: bytes) -> bytes: ...

    def decrypt(self, iv: bytes, data: bytes) -> bytes: ...

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        """Exactly `[encrypt(*item) for item in items]`, faster."""

    def decrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        """Exactly `[decrypt(*item) for item in items]`, faster."""


class Stream(Protocol):
    """A keyed stream cipher with state: each call goes on where the last one stopped. Encrypts and decrypts alike."""

    def apply(self, data: bytes) -> bytes: ...
