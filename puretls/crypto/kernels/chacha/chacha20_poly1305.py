"""ChaCha20-Poly1305 (RFC 8439 2.8, RFC 7905): one record, and many at once. The same code whether or not tables are allowed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from struct import pack
from typing import ClassVar

from puretls.crypto.aead import AeadAlgorithm, Sealing
from puretls.crypto.kernels.chacha import poly1305
from puretls.crypto.kernels.chacha.chacha20 import ChaCha20
from puretls.crypto.kernels.prefetch import Prefetched
from puretls.crypto.lengths import check_length, check_message

TAG = 16
_CHUNKED_FROM = 2048
"""Bytes from which encryption and tag share their integers."""


class ChaCha20Poly1305:
    """A ChaCha20-Poly1305 key."""

    __slots__ = ("_algorithm", "_cipher", "_prefetched")
    _stream: ClassVar[type[ChaCha20]] = ChaCha20

    def __init__(self, algorithm: AeadAlgorithm, key: bytes, *, table_free: bool, read_ahead: int) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        self._cipher = self._stream(key)
        self._prefetched = Prefetched(read_ahead)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        self._check(nonce, plaintext)
        return self._seal(self._keystream(nonce, len(plaintext)), plaintext, aad)

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        self._check(nonce, ciphertext)
        if len(ciphertext) < TAG:
            return None
        return self._open(self._keystream(nonce, len(ciphertext) - TAG), ciphertext, aad)

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        for nonce, plaintext, _ in items:
            self._check(nonce, plaintext)
        streams = self._keystreams([(nonce, len(plaintext)) for nonce, plaintext, _ in items])
        return [self._seal(stream, plaintext, aad) for stream, (_, plaintext, aad) in zip(streams, items, strict=True)]

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        for nonce, ciphertext, _ in items:
            self._check(nonce, ciphertext)
        streams = self._keystreams([(nonce, len(ciphertext) - TAG) for nonce, ciphertext, _ in items])
        return [
            self._open(stream, ciphertext, aad) if len(ciphertext) >= TAG else None
            for stream, (_, ciphertext, aad) in zip(streams, items, strict=True)
        ]

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Keep keystream for these nonces, up to the budget, in one batch."""
        blocks = _blocks(length)
        self._prefetched.fill(nonces, 64 * blocks, lambda new: self._cipher.keystreams(new, 0, blocks))

    def _check(self, nonce: bytes, message: bytes) -> None:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        check_message(self._algorithm.name, message)

    def _seal(self, stream: bytes, plaintext: bytes, aad: bytes) -> bytes:
        ciphertext, tag = self._crypt(stream, plaintext, aad, sealing=True)
        return ciphertext + tag

    def _open(self, stream: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        plaintext, tag = self._crypt(stream, ciphertext[:-TAG], aad, sealing=False)
        return plaintext if hmac.compare_digest(tag, ciphertext[-TAG:]) else None

    def _crypt(self, stream: bytes, body: bytes, aad: bytes, *, sealing: bool) -> tuple[bytes, bytes]:
        """The body under the keystream, and the tag. Of a long body the tag is made of the integers that are xored."""
        length = len(body)
        if length < _CHUNKED_FROM:
            output = _xor(body, stream)
            return output, poly1305.tag(stream[:32], message(aad, output if sealing else body))
        size = poly1305.chunk_size(length)
        whole = length // size * size
        hashed, pieces = [], []
        for i in range(0, whole, size):
            read = int.from_bytes(body[i : i + size], "little")
            written = read ^ int.from_bytes(stream[64 + i : 64 + i + size], "little")
            hashed.append(written if sealing else read)
            pieces.append(written.to_bytes(size, "little"))
        pieces.append(_xor(body[whole:], stream[whole:]))
        output = b"".join(pieces)
        rest = (output if sealing else body)[whole:] + _end(aad, body)
        return output, poly1305.tag_of_parts(stream[:32], aad + bytes(-len(aad) % 16), hashed, size, rest)

    def _keystream(self, nonce: bytes, length: int) -> bytes:
        """Block 0, which holds the Poly1305 key, and the keystream (RFC 8439 2.6)."""
        blocks = _blocks(length)
        return self._prefetched.take(nonce, 64 * blocks) or self._cipher.keystreams((nonce,), 0, blocks)[0]

    def _keystreams(self, messages: list[tuple[bytes, int]]) -> list[bytes]:
        """`_keystream` of each (nonce, length), equally many blocks in one pass."""
        streams = [self._prefetched.take(nonce, 64 * _blocks(length)) for nonce, length in messages]
        groups: dict[int, list[int]] = {}
        for i, (_, length) in enumerate(messages):
            if streams[i] is None:
                groups.setdefault(_blocks(length), []).append(i)
        for blocks, indices in groups.items():
            made = self._cipher.keystreams([messages[i][0] for i in indices], 0, blocks)
            for i, stream in zip(indices, made, strict=True):
                streams[i] = stream
        return [stream for stream in streams if stream is not None]


def _blocks(length: int) -> int:
    """Blocks of 64 bytes for a message of `length` bytes and the Poly1305 key."""
    return -(-max(length, 0) // 64) + 1


def message(aad: bytes, body: bytes) -> bytes:
    """What Poly1305 is computed of (RFC 8439 2.8)."""
    return b"".join((aad, bytes(-len(aad) % 16), body, _end(aad, body)))


def _end(aad: bytes, body: bytes) -> bytes:
    """What follows the body: zeros to a whole block, and the lengths."""
    return bytes(-len(body) % 16) + pack("<2Q", len(aad), len(body))


def _xor(body: bytes, stream: bytes) -> bytes:
    """The body under the keystream after block 0."""
    length = len(body)
    return (int.from_bytes(body) ^ int.from_bytes(stream[64 : 64 + length])).to_bytes(length)
