"""AEAD algorithms of TLS 1.2 and the contract of a keyed cipher.

Owns what the record layer must know of an AEAD (lengths, nonce form); not the arithmetic, which a provider supplies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from puretls.values import frozen


@frozen
class AeadAlgorithm:
    """One AEAD. Lengths in bytes.

    `fixed_iv_length` bytes of the nonce come from the key block; `record_iv_length` bytes travel in each record (RFC 5288 3).
    Where nothing travels (RFC 7905 2) the nonce is the fixed IV xor the sequence number.
    """

    name: str
    key_length: int
    fixed_iv_length: int
    record_iv_length: int
    tag_length: int
    rfc: str

    @property
    def nonce_length(self) -> int:
        return self.fixed_iv_length + self.record_iv_length


AES_128_GCM = AeadAlgorithm("AES-128-GCM", 16, 4, 8, 16, "RFC 5288 3")
AES_256_GCM = AeadAlgorithm("AES-256-GCM", 32, 4, 8, 16, "RFC 5288 3")
AES_128_CCM = AeadAlgorithm("AES-128-CCM", 16, 4, 8, 16, "RFC 6655 3")
AES_256_CCM = AeadAlgorithm("AES-256-CCM", 32, 4, 8, 16, "RFC 6655 3")
AES_128_CCM_8 = AeadAlgorithm("AES-128-CCM-8", 16, 4, 8, 8, "RFC 6655 4")
AES_256_CCM_8 = AeadAlgorithm("AES-256-CCM-8", 32, 4, 8, 8, "RFC 6655 4")
CHACHA20_POLY1305 = AeadAlgorithm("ChaCha20-Poly1305", 32, 12, 0, 16, "RFC 7905 2")

AEAD_ALGORITHMS = (AES_128_GCM, AES_256_GCM, AES_128_CCM, AES_256_CCM, AES_128_CCM_8, AES_256_CCM_8, CHACHA20_POLY1305)

Sealing = tuple[bytes, bytes, bytes]
"""(nonce, plaintext or ciphertext with tag, additional data)"""


class Aead(Protocol):
    """A keyed AEAD. Calls with a nonce of another length than the algorithm's raise `UsageError`."""

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext followed by the tag."""

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        """The plaintext, or None when the tag does not fit (or the input is shorter than a tag)."""

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        """Exactly `[seal(*item) for item in items]`, faster."""

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        """Exactly `[open(*item) for item in items]`, faster."""

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Prepare keystream for messages of up to `length` bytes under these nonces; a hint, never an obligation.

        The cipher keeps what it prepared within its own memory budget and forgets each nonce once it was used.
        """
