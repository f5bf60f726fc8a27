"""ChaCha20-Poly1305 (RFC 8439 2.8, RFC 7905): one record, and many at once. The same code whether or not tables are allowed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from struct import pack

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

    def __init__(self, algorithm: AeadAlgorithm, key: bytes, *, table_free: bool, read_ahead: int) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        self._cipher = ChaCha20(key)
        self._prefetched = Prefetched(read_ahead)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        self._check(nonce, plaintext)
        return _seal(self._keystream(nonce, len(plaintext)), plaintext, aad)

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        self._check(nonce, ciphertext)
        if len(ciphertext) < TAG:
            return None
        return _open(self._keystream(nonce, len(ciphertext) - TAG), ciphertext, aad)

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        for nonce, plaintext, _ in items:
            self._check(nonce, plaintext)
        streams = self._keystreams([(nonce, len(plaintext)) for nonce, plaintext, _ in items])
        return [_seal(stream, plaintext, aad) for stream, (_, plaintext, aad) in zip(streams, items, strict=True)]

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        for nonce, ciphertext, _ in items:
            self._check(nonce, ciphertext)
        streams = self._keystreams([(nonce, len(ciphertext) - TAG) for nonce, ciphertext, _ in items])
        return [
            _open(stream, ciphertext, aad) if len(ciphertext) >= TAG else None
            for stream, (_, ciphertext, aad) in zip(streams, items, strict=True)
        ]

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Keep keystream for these nonces, up to the budget, in one batch."""
        blocks = _blocks(length)
        self._prefetched.fill(nonces, 64 * blocks, lambda new: self._cipher.keystreams(new, 0, blocks))

    def _check(self, nonce: bytes, message: bytes) -> None:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        check_message(self._algorithm.name, message)

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


def _seal(stream: bytes, plaintext: bytes, aad: bytes) -> bytes:
    if len(plaintext) < _CHUNKED_FROM:
        ciphertext = _xor(plaintext, stream)
        return ciphertext + _tag(stream, ciphertext, aad)
    size = poly1305.chunk_size(len(plaintext))
    ciphertext, chunks = _crypt(plaintext, stream, size, sealing=True)
    return ciphertext + _tag_of_chunks(stream, chunks, size, ciphertext, aad)


def _open(stream: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
    body = ciphertext[:-TAG]
    if len(body) < _CHUNKED_FROM:
        return _xor(body, stream) if hmac.compare_digest(_tag(stream, body, aad), ciphertext[-TAG:]) else None
    size = poly1305.chunk_size(len(body))
    plaintext, chunks = _crypt(body, stream, size, sealing=False)
    return plaintext if hmac.compare_digest(_tag_of_chunks(stream, chunks, size, body, aad), ciphertext[-TAG:]) else None


def _crypt(body: bytes, stream: bytes, size: int, *, sealing: bool) -> tuple[bytes, list[int]]:
    """The body under the keystream; and the ciphertext's whole chunks of `size` bytes, which are the integers of that xor."""
    chunks, output = [], []
    whole = len(body) // size * size
    for i in range(0, whole, size):
        read = int.from_bytes(body[i : i + size], "little")
        written = read ^ int.from_bytes(stream[64 + i : 64 + i + size], "little")
        chunks.append(written if sealing else read)
        output.append(written.to_bytes(size, "little"))
    output.append(_xor(body[whole:], stream[whole:]))
    return b"".join(output), chunks


def _tag_of_chunks(stream: bytes, chunks: list[int], size: int, body: bytes, aad: bytes) -> bytes:
    rest = body[len(chunks) * size :] + _end(aad, body)
    return poly1305.tag_of_parts(stream[:32], aad + bytes(-len(aad) % 16), chunks, size, rest)


def _tag(stream: bytes, body: bytes, aad: bytes) -> bytes:
    return poly1305.tag(stream[:32], b"".join((aad, bytes(-len(aad) % 16), body, _end(aad, body))))


def _end(aad: bytes, body: bytes) -> bytes:
    """What follows the body: zeros to a whole block, and the lengths (RFC 8439 2.8)."""
    return bytes(-len(body) % 16) + pack("<2Q", len(aad), len(body))


def _xor(body: bytes, stream: bytes) -> bytes:
    """The body under the keystream after block 0."""
    length = len(body)
    return (int.from_bytes(body) ^ int.from_bytes(stream[64 : 64 + length])).to_bytes(length)
