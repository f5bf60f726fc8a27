"""AES-GCM (SP 800-38D, RFC 5288) with nonces of 12 bytes and tags of 16: one record, and many at once."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import cast

from puretls.crypto.aead import AeadAlgorithm, Sealing
from puretls.crypto.kernels import thresholds
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.ghash.ghash import Ghash
from puretls.crypto.kernels.modes.gcm_lengths import length_block, padding
from puretls.crypto.kernels.prefetch import Prefetched
from puretls.crypto.lengths import check_length, check_message

TAG = 16
_FIRST_BLOCKS = 16
"""A first record shorter than this shares its pass with the hash key."""


class AesGcm:
    """An AES-GCM key."""

    __slots__ = ("_aes", "_algorithm", "_hash", "_prefetched")

    def __init__(self, algorithm: AeadAlgorithm, key: bytes, *, table_free: bool, read_ahead: int) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        self._aes = Aes(key, table_free=table_free)
        self._hash: Ghash | None = None
        self._prefetched = Prefetched(read_ahead)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        self._check(nonce, plaintext)
        return b"".join(self._seal(self._keystream(nonce, len(plaintext)), plaintext, aad))

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        self._check(nonce, ciphertext)
        if len(ciphertext) < TAG:
            return None
        return self._open(self._keystream(nonce, len(ciphertext) - TAG), ciphertext, aad)

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        for nonce, plaintext, _ in items:
            self._check(nonce, plaintext)
        results: list[bytes] = [b""] * len(items)
        for indices in self._groups([(nonce, len(plaintext)) for nonce, plaintext, _ in items]):
            group = [items[i] for i in indices]
            for i, sealed in zip(indices, self._seal_group(group), strict=True):
                results[i] = sealed
        return results

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        for nonce, ciphertext, _ in items:
            self._check(nonce, ciphertext)
        results: list[bytes | None] = [None] * len(items)
        for indices in self._groups([(nonce, len(ciphertext) - TAG) for nonce, ciphertext, _ in items]):
            group = [items[i] for i in indices]
            for i, opened in zip(indices, self._open_group(group), strict=True):
                results[i] = opened
        return results

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Keep keystream for these nonces, up to the budget, in one batch."""
        blocks = _blocks(length) + 1
        self._prefetched.fill(nonces, 16 * blocks, lambda new: self._aes.keystreams([nonce + b"\0" for nonce in new], 1, blocks))

    def _check(self, nonce: bytes, message: bytes) -> None:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        check_message(self._algorithm.name, message)

    @property
    def _ghash(self) -> Ghash:
        if self._hash is None:
            self._start(self._aes.encrypt_blocks(bytes(16)))
        return cast("Ghash", self._hash)

    def _start(self, h: bytes) -> None:
        self._hash = Ghash(int.from_bytes(h), table_free=self._aes.table_free)

    def _keystream(self, nonce: bytes, length: int) -> bytes:
        """The mask of the tag, then the keystream. A first short record shares its pass through AES with the hash key."""
        blocks = _blocks(length) + 1
        stream = self._prefetched.take(nonce, 16 * blocks)
        if stream is not None:
            return stream
        if self._hash is not None or blocks >= _FIRST_BLOCKS:
            return self._aes.keystream(nonce + b"\0", 1, blocks)
        stream = self._aes.encrypt_blocks(bytes(16) + b"".join([nonce + i.to_bytes(4) for i in range(1, blocks + 1)]))
        self._start(stream[:16])
        return stream[16:]

    def _groups(self, messages: list[tuple[bytes, int]]) -> list[list[int]]:
        """Indices of messages to be handled together, from (nonce, length): equally long, nothing prefetched. Negative: none."""
        groups: dict[int, list[int]] = {}
        single = []
        for i, (nonce, length) in enumerate(messages):
            if nonce in self._prefetched:
                single.append([i])
            elif length >= 0:
                groups.setdefault(length, []).append(i)
        most = thresholds.BATCH_MOST
        return single + [indices[i : i + most] for indices in groups.values() for i in range(0, len(indices), most)]

    def _seal_group(self, items: list[Sealing]) -> list[bytes]:
        if self._is_batch(len(items), len(items[0][1])):
            from puretls.crypto.kernels.modes.gcm_batch import crypt

            return [body + tag for body, tag in crypt(self._aes.schedule, self._ghash, items, sealing=True)]
        streams = self._keystreams([nonce for nonce, _, _ in items], len(items[0][1]))
        return [b"".join(self._seal(stream, plaintext, aad)) for stream, (_, plaintext, aad) in zip(streams, items, strict=True)]

    def _open_group(self, items: list[Sealing]) -> list[bytes | None]:
        length = len(items[0][1]) - TAG
        if self._is_batch(len(items), length):
            from puretls.crypto.kernels.modes.gcm_batch import crypt

            bodies = [(nonce, ciphertext[:length], aad) for nonce, ciphertext, aad in items]
            opened = crypt(self._aes.schedule, self._ghash, bodies, sealing=False)
            return [
                body if hmac.compare_digest(tag, ciphertext[length:]) else None
                for (body, tag), (_, ciphertext, _) in zip(opened, items, strict=True)
            ]
        streams = self._keystreams([nonce for nonce, _, _ in items], length)
        return [self._open(stream, ciphertext, aad) for stream, (_, ciphertext, aad) in zip(streams, items, strict=True)]

    def _is_batch(self, records: int, length: int) -> bool:
        blocks = _blocks(length)
        is_enough = records >= thresholds.BATCH_RECORDS and records * blocks >= thresholds.BATCH_BLOCKS
        return is_enough and blocks <= thresholds.BATCH_RECORD_MOST

    def _keystreams(self, nonces: list[bytes], length: int) -> list[bytes]:
        if len(nonces) == 1:
            return [self._keystream(nonces[0], length)]
        return self._aes.keystreams([nonce + b"\0" for nonce in nonces], 1, _blocks(length) + 1)

    def _seal(self, stream: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        ciphertext = _xor(plaintext, stream)
        return ciphertext, self._tag(stream, ciphertext, aad)

    def _open(self, stream: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        body = ciphertext[:-TAG]
        if not hmac.compare_digest(self._tag(stream, body, aad), ciphertext[-TAG:]):
            return None
        return _xor(body, stream)

    def _tag(self, stream: bytes, body: bytes, aad: bytes) -> bytes:
        """The hash under the first block of the keystream."""
        lengths = length_block(len(aad), len(body)).to_bytes(16)
        data = b"".join((aad, padding(len(aad)), body, padding(len(body)), lengths))
        return (self._ghash.hash(0, data) ^ int.from_bytes(stream[:16])).to_bytes(16)


def _blocks(length: int) -> int:
    return -(-length // 16)


def _xor(body: bytes, stream: bytes) -> bytes:
    """The body under the keystream that follows the mask of the tag."""
    length = len(body)
    return (int.from_bytes(body) ^ int.from_bytes(stream[16 : 16 + length])).to_bytes(length)
