"""AES-CCM (SP 800-38C, RFC 3610, RFC 6655) with nonces of 12 bytes and tags of 16 or 8.

The counter mode half is as fast as in GCM; the CBC-MAC half is a chain, so a single record goes at the speed of one block at a
time.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from puretls.crypto.aead import AeadAlgorithm, Sealing
from puretls.crypto.kernels.aes.cipher import Aes
from puretls.crypto.kernels.prefetch import Prefetched
from puretls.crypto.lengths import check_length, check_message
from puretls.errors import UsageError

_COUNTER_BYTES = 3
"""L of RFC 3610, which a nonce of 12 bytes leaves."""
_ZERO_IV = bytes(16)


class AesCcm:
    """An AES-CCM key."""

    __slots__ = ("_aes", "_algorithm", "_prefetched")

    def __init__(self, algorithm: AeadAlgorithm, key: bytes, *, table_free: bool, read_ahead: int) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        self._aes = Aes(key, table_free=table_free)
        self._prefetched = Prefetched(read_ahead)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        self._check(nonce, plaintext, aad)
        stream = self._keystream(nonce, len(plaintext))
        return _xor(plaintext, stream) + self._tag(stream, nonce, plaintext, aad)

    def open(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes | None:
        self._check(nonce, ciphertext, aad)
        length = len(ciphertext) - self._algorithm.tag_length
        if length < 0:
            return None
        stream = self._keystream(nonce, length)
        plaintext = _xor(ciphertext[:length], stream)
        return plaintext if hmac.compare_digest(self._tag(stream, nonce, plaintext, aad), ciphertext[length:]) else None

    def seal_many(self, items: Sequence[Sealing]) -> list[bytes]:
        for item in items:
            self._check(*item)
        streams = self._keystreams([(nonce, len(plaintext)) for nonce, plaintext, _ in items])
        sealed = [_xor(plaintext, stream) for stream, (_, plaintext, _) in zip(streams, items, strict=True)]
        tags = self._tags(streams, items)
        return [ciphertext + tag for ciphertext, tag in zip(sealed, tags, strict=True)]

    def open_many(self, items: Sequence[Sealing]) -> list[bytes | None]:
        length = self._algorithm.tag_length
        for item in items:
            self._check(*item)
        bodies = [(nonce, ciphertext[: max(0, len(ciphertext) - length)], aad) for nonce, ciphertext, aad in items]
        streams = self._keystreams([(nonce, len(body)) for nonce, body, _ in bodies])
        plain = [(nonce, _xor(body, stream), aad) for stream, (nonce, body, aad) in zip(streams, bodies, strict=True)]
        tags = self._tags(streams, plain)
        return [
            plaintext if hmac.compare_digest(ciphertext[len(plaintext) :], tag) else None
            for tag, (_, plaintext, _), (_, ciphertext, _) in zip(tags, plain, items, strict=True)
        ]

    def prefetch(self, nonces: Sequence[bytes], length: int) -> None:
        """Keep keystream for these nonces, up to the budget, in one batch."""
        blocks = _blocks(length)
        self._prefetched.fill(nonces, 16 * blocks, lambda new: self._aes.keystreams([_prefix(nonce) for nonce in new], 0, blocks))

    def _check(self, nonce: bytes, message: bytes, aad: bytes) -> None:
        check_length(f"the nonce of {self._algorithm.name}", nonce, self._algorithm.nonce_length)
        check_message(self._algorithm.name, message)
        if len(aad) >= 0xFF00:
            raise UsageError(f"{self._algorithm.name} takes less than 65280 bytes of additional data here, not {len(aad)}")

    def _keystream(self, nonce: bytes, length: int) -> bytes:
        """The mask of the tag, S_0, then the keystream (RFC 3610 2.3)."""
        blocks = _blocks(length)
        return self._prefetched.take(nonce, 16 * blocks) or self._aes.keystream(_prefix(nonce), 0, blocks)

    def _tag(self, stream: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        length = self._algorithm.tag_length
        chain = self._aes.chain((_ZERO_IV,), (_mac_input(length, nonce, plaintext, aad),))[0]
        return _masked(chain, stream)[:length]

    def _keystreams(self, messages: list[tuple[bytes, int]]) -> list[bytes]:
        """`_keystream` of each (nonce, length), equally many blocks in one pass."""
        streams = [self._prefetched.take(nonce, 16 * _blocks(length)) for nonce, length in messages]
        groups: dict[int, list[int]] = {}
        for i, (_, length) in enumerate(messages):
            if streams[i] is None:
                groups.setdefault(_blocks(length), []).append(i)
        for blocks, indices in groups.items():
            made = self._aes.keystreams([_prefix(messages[i][0]) for i in indices], 0, blocks)
            for i, stream in zip(indices, made, strict=True):
                streams[i] = stream
        return [stream for stream in streams if stream is not None]

    def _tags(self, streams: list[bytes], items: Sequence[Sealing]) -> list[bytes]:
        """The tags of (nonce, plaintext, additional data), equally long chains side by side (RFC 3610 2.2)."""
        length = self._algorithm.tag_length
        inputs = [_mac_input(length, *item) for item in items]
        groups: dict[int, list[int]] = {}
        for i, data in enumerate(inputs):
            groups.setdefault(len(data), []).append(i)
        tags = [b""] * len(items)
        for indices in groups.values():
            chains = self._aes.chain([_ZERO_IV] * len(indices), [inputs[i] for i in indices])
            for i, output in zip(indices, chains, strict=True):
                tags[i] = _masked(output, streams[i])[:length]
        return tags


def _blocks(length: int) -> int:
    """Blocks of keystream for a message and its tag."""
    return -(-length // 16) + 1


def _prefix(nonce: bytes) -> bytes:
    """Flags and nonce of the counter blocks (RFC 3610 2.3)."""
    return bytes((_COUNTER_BYTES - 1,)) + nonce


def _mac_input(tag_length: int, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """B_0, the additional data with its length, the plaintext; padded (RFC 3610 2.2)."""
    flags = 64 * bool(aad) + 8 * ((tag_length - 2) // 2) + _COUNTER_BYTES - 1
    head = bytes((flags,)) + nonce + len(plaintext).to_bytes(_COUNTER_BYTES)
    data = len(aad).to_bytes(2) + aad if aad else b""
    return b"".join((head, data, bytes(-len(data) % 16), plaintext, bytes(-len(plaintext) % 16)))


def _masked(chain: bytes, stream: bytes) -> bytes:
    """The last block of a chain under S_0."""
    return (int.from_bytes(chain[-16:]) ^ int.from_bytes(stream[:16])).to_bytes(16)


def _xor(body: bytes, stream: bytes) -> bytes:
    length = len(body)
    return (int.from_bytes(body) ^ int.from_bytes(stream[16 : 16 + length])).to_bytes(length)
