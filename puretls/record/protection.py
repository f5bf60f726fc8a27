"""Protection of records: none, MAC and stream, MAC and CBC in either order, AEAD (RFC 5246 6.2.3, RFC 7366, RFC 7905).

A protection is one direction under one key. `seal` and `open` take the sequence number as an argument and keep no count of their
own. `open` gives None for whatever cannot be authenticated, without telling why: padding and MAC share one path.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from puretls.crypto.aead import Aead, AeadAlgorithm
from puretls.crypto.cbc import Cbc, CbcAlgorithm, Stream
from puretls.crypto.signatures import digest_size
from puretls.record.framing import VERSION

Content = tuple[int, bytes]
"""(content type, plaintext or protected fragment)"""


class Layout(NamedTuple):
    """How a protected fragment is made up: a head and a tail of fixed length, and what is between them."""

    body: str
    head: str = ""
    head_length: int = 0
    tail: str = ""
    tail_length: int = 0

    def parts(self, length: int) -> tuple[tuple[str, int], ...]:
        """Names and lengths in a fragment of `length` bytes, for the byte map; of one too short, what there is."""
        head = min(length, self.head_length)
        tail = min(length - head, self.tail_length)
        sizes = (self.head, head), (self.body, length - head - tail), (self.tail, tail)
        return tuple(part for part in sizes if part[1])


class Protection(Protocol):
    """One direction under one key."""

    layout: Layout

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes: ...

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None: ...

    def seal_many(self, sequence: int, items: Sequence[Content]) -> list[bytes]:
        """Exactly what `seal` gives one by one, from `sequence` on."""

    def open_many(self, sequence: int, items: Sequence[Content]) -> list[bytes | None]:
        """Exactly what `open` gives one by one, from `sequence` on."""


_MAC_HEADER_LENGTH = 13


def mac_header(sequence: int, type_: int, length: int) -> bytes:
    """What is authenticated in front of the data (RFC 5246 6.2.3.1, 6.2.3.3)."""
    return (sequence << 40 | type_ << 32 | VERSION << 16 | length).to_bytes(_MAC_HEADER_LENGTH, "big")


class OneByOne:
    """For protections that are no faster over many records than over one."""

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        raise NotImplementedError

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        raise NotImplementedError

    def seal_many(self, sequence: int, items: Sequence[Content]) -> list[bytes]:
        return [self.seal(sequence + index, *item) for index, item in enumerate(items)]

    def open_many(self, sequence: int, items: Sequence[Content]) -> list[bytes | None]:
        return [self.open(sequence + index, *item) for index, item in enumerate(items)]


class Plain(OneByOne):
    """No protection: the state every connection begins in (RFC 5246 6.1)."""

    layout: Layout = Layout("fragment")

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        return data

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        return fragment


class AeadProtection:
    """GCM, CCM and ChaCha20-Poly1305 (RFC 5246 6.2.3.3, RFC 5288 3, RFC 7905 2).

    Where the nonce travels it is our sequence number: unique under the key, and the receiver may see it anyway.
    """

    def __init__(self, algorithm: AeadAlgorithm, aead: Aead, fixed_iv: bytes) -> None:
        self._algorithm = algorithm
        self._aead = aead
        self._iv = fixed_iv
        self._iv_number = int.from_bytes(fixed_iv, "big")
        self._explicit = algorithm.record_iv_length
        self._tag = algorithm.tag_length
        self.layout: Layout = Layout("ciphertext", "nonce_explicit", self._explicit, "tag", self._tag)
        self._ahead = ReadAhead(aead)

    def _nonce(self, sequence: int) -> bytes:
        if self._explicit:
            return self._iv + sequence.to_bytes(self._explicit, "big")
        return (self._iv_number ^ sequence).to_bytes(self._algorithm.nonce_length, "big")

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        nonce = self._nonce(sequence)
        self._ahead.used(sequence, len(data), self._nonce)
        sealed = self._aead.seal(nonce, data, mac_header(sequence, type_, len(data)))
        return nonce[len(self._iv) :] + sealed if self._explicit else sealed

    def seal_many(self, sequence: int, items: Sequence[Content]) -> list[bytes]:
        nonces = [self._nonce(sequence + index) for index in range(len(items))]
        sealed = self._aead.seal_many(
            [
                (nonce, data, mac_header(sequence + index, type_, len(data)))
                for index, (nonce, (type_, data)) in enumerate(zip(nonces, items, strict=True))
            ]
        )
        if not self._explicit:
            return sealed
        return [nonce[len(self._iv) :] + fragment for nonce, fragment in zip(nonces, sealed, strict=True)]

    def _opening(self, sequence: int, type_: int, fragment: bytes) -> tuple[bytes, bytes, bytes]:
        """Nonce, ciphertext and additional data; a fragment too short for a tag yields a ciphertext that cannot open."""
        explicit = self._explicit
        nonce = self._iv + fragment[:explicit] if explicit else self._nonce(sequence)
        length = max(0, len(fragment) - explicit - self._tag)
        return nonce, fragment[explicit:], mac_header(sequence, type_, length)

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        if len(fragment) < self._explicit + self._tag:
            return None
        item = self._opening(sequence, type_, fragment)
        self._ahead.seen(sequence, len(fragment), item[0], self._nonce)
        return self._aead.open(*item)

    def open_many(self, sequence: int, items: Sequence[Content]) -> list[bytes | None]:
        if any(len(fragment) < self._explicit + self._tag for _, fragment in items):
            return [self.open(sequence + index, *item) for index, item in enumerate(items)]
        return self._aead.open_many([self._opening(sequence + index, *item) for index, item in enumerate(items)])


class ReadAhead:
    """Asks the cipher to prepare keystream once bulk traffic is seen and the next nonces can be told.

    `RUN` records of at least `BULK` bytes in a row are bulk; then `BATCH` records are prepared whenever the last batch is used up. How
    much the cipher really prepares is bounded by its own memory budget.
    """

    BULK, RUN, BATCH = 2**13, 4, 32

    def __init__(self, aead: Aead) -> None:
        self._aead = aead
        self._run = 0
        self._until = 0

    def used(self, sequence: int, length: int, nonce_of: Callable[[int], bytes]) -> None:
        """A record of `length` bytes is about to be sealed under the nonce of `sequence`."""
        self._run = self._run + 1 if length >= self.BULK else 0
        if self._run >= self.RUN and sequence >= self._until:
            self._until = sequence + self.BATCH
            self._aead.prefetch([nonce_of(sequence + index) for index in range(self.BATCH)], length)

    def seen(self, sequence: int, length: int, nonce: bytes, nonce_of: Callable[[int], bytes]) -> None:
        """A record is about to be opened; only a peer that counts as we do can be read ahead of (RFC 5288 3 leaves it free)."""
        if nonce == nonce_of(sequence):
            self.used(sequence, length, nonce_of)
        else:
            self._run = 0


class StreamProtection(OneByOne):
    """MAC, then a stream cipher or none (RFC 5246 6.2.3.1). For teaching only: RC4 is broken and NULL is nothing."""

    layout: Layout = Layout("ciphertext")

    def __init__(self, cipher: Stream, mac_hash: str, mac_key: bytes) -> None:
        self._cipher = cipher
        self._hash = mac_hash
        self._mac_key = mac_key
        self._mac_length = digest_size(mac_hash)

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        mac = hmac.digest(self._mac_key, mac_header(sequence, type_, len(data)) + data, self._hash)
        return self._cipher.apply(data + mac)

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        if len(fragment) < self._mac_length:
            return None
        plain = self._cipher.apply(fragment)
        data, mac = plain[: -self._mac_length], plain[-self._mac_length :]
        expected = hmac.digest(self._mac_key, mac_header(sequence, type_, len(data)) + data, self._hash)
        return data if hmac.compare_digest(mac, expected) else None


class _CbcBase:
    """What both orders of MAC and CBC share: the explicit IV and the padding (RFC 5246 6.2.3.2)."""

    mac_outside = False
    """Whether the MAC stands behind the ciphertext, in the clear."""

    def __init__(
        self, algorithm: CbcAlgorithm, cipher: Cbc, mac_hash: str, mac_key: bytes, random: Callable[[int], bytes]
    ) -> None:
        self._block = algorithm.block_length
        self._cipher = cipher
        self._hash = mac_hash
        self._mac_key = mac_key
        self._mac_length = digest_size(mac_hash)
        self._random = random
        self.layout: Layout = Layout("ciphertext", "iv", self._block, "mac", self._mac_length if self.mac_outside else 0)

    def _mac(self, sequence: int, type_: int, data: bytes) -> bytes:
        return hmac.digest(self._mac_key, mac_header(sequence, type_, len(data)) + data, self._hash)

    def _pad(self, data: bytes) -> bytes:
        count = self._block - len(data) % self._block
        return data + bytes((count - 1,)) * count

    def _padding(self, plain: bytes, room: int) -> tuple[int, bool]:
        """Bytes of padding, count included, and whether they are right; wrong padding counts as one byte (RFC 5246 6.2.3.2)."""
        count = plain[-1] + 1
        fits = count <= room
        count = count if fits else 1
        right = hmac.compare_digest(plain[-count:], bytes((count - 1,)) * count)
        return (count, True) if fits and right else (1, False)

    def _encrypt_many(self, inner: Sequence[bytes]) -> list[bytes]:
        ivs = [self._random(self._block) for _ in inner]
        blocks = [(iv, self._pad(data)) for iv, data in zip(ivs, inner, strict=True)]
        return [iv + text for iv, text in zip(ivs, self._cipher.encrypt_many(blocks), strict=True)]

    def _decrypt(self, fragment: bytes) -> bytes:
        return self._cipher.decrypt(fragment[: self._block], fragment[self._block :])


class MacThenEncrypt(_CbcBase):
    """MAC, padding, CBC (RFC 5246 6.2.3.2).

    Lucky 13: after bad padding a MAC is computed all the same over what one byte of padding would leave, and blocks are hashed
    beside it until the compressions are as many as the longest possible data would take. This evens out operations, not nanoseconds.
    """

    def __init__(
        self, algorithm: CbcAlgorithm, cipher: Cbc, mac_hash: str, mac_key: bytes, random: Callable[[int], bytes]
    ) -> None:
        super().__init__(algorithm, cipher, mac_hash, mac_key, random)
        self._hash_block = hashlib.new(mac_hash).block_size
        self._hashed_beside = _MAC_HEADER_LENGTH + 1 + self._hash_block // 8
        """Bytes hashed along with the data: the header, and what the hash pads with (a byte 80 and the length, FIPS 180-4 5.1)."""

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        return self._encrypt_many([data + self._mac(sequence, type_, data)])[0]

    def seal_many(self, sequence: int, items: Sequence[Content]) -> list[bytes]:
        return self._encrypt_many([data + self._mac(sequence + index, type_, data) for index, (type_, data) in enumerate(items)])

    def _well_formed(self, fragment: bytes) -> bool:
        length = len(fragment) - self._block
        return length >= self._mac_length + 1 and length % self._block == 0

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        if not self._well_formed(fragment):
            return None
        return self._check(sequence, type_, self._decrypt(fragment))

    def open_many(self, sequence: int, items: Sequence[Content]) -> list[bytes | None]:
        if not all(self._well_formed(fragment) for _, fragment in items):
            return [self.open(sequence + index, *item) for index, item in enumerate(items)]
        plains = self._cipher.decrypt_many([(fragment[: self._block], fragment[self._block :]) for _, fragment in items])
        return [self._check(sequence + index, items[index][0], plain) for index, plain in enumerate(plains)]

    def _check(self, sequence: int, type_: int, plain: bytes) -> bytes | None:
        longest = len(plain) - self._mac_length - 1
        padding, right = self._padding(plain, len(plain) - self._mac_length)
        end = len(plain) - padding - self._mac_length
        data = plain[:end]
        expected = self._mac(sequence, type_, data)
        self._even_out(end, longest)
        authentic = hmac.compare_digest(plain[end : end + self._mac_length], expected)
        return data if authentic & right else None

    def _even_out(self, length: int, longest: int) -> None:
        """Compress as many blocks more as the MAC of `longest` bytes would have; one call, also for none."""
        blocks = self._compressions(longest) - self._compressions(length)
        hashlib.new(self._hash, bytes(blocks * self._hash_block))

    def _compressions(self, length: int) -> int:
        """Blocks of the inner hash of an HMAC over so much data, padding included, without that of the key."""
        return -(-(length + self._hashed_beside) // self._hash_block)


class EncryptThenMac(_CbcBase):
    """Padding, CBC, MAC over the ciphertext (RFC 7366 3)."""

    mac_outside = True

    def seal(self, sequence: int, type_: int, data: bytes) -> bytes:
        return self.seal_many(sequence, [(type_, data)])[0]

    def seal_many(self, sequence: int, items: Sequence[Content]) -> list[bytes]:
        texts = self._encrypt_many([data for _, data in items])
        return [text + self._mac(sequence + index, items[index][0], text) for index, text in enumerate(texts)]

    def open(self, sequence: int, type_: int, fragment: bytes) -> bytes | None:
        text, mac = fragment[: -self._mac_length], fragment[-self._mac_length :]
        if not self._authentic(sequence, type_, text, mac):
            return None
        return self._unpad(self._decrypt(text))

    def open_many(self, sequence: int, items: Sequence[Content]) -> list[bytes | None]:
        texts = [(fragment[: -self._mac_length], fragment[-self._mac_length :]) for _, fragment in items]
        good = [self._authentic(sequence + index, items[index][0], *text) for index, text in enumerate(texts)]
        blocks = [(text[: self._block], text[self._block :]) for (text, _), right in zip(texts, good, strict=True) if right]
        plains = iter(self._cipher.decrypt_many(blocks))
        return [self._unpad(next(plains)) if right else None for right in good]

    def _authentic(self, sequence: int, type_: int, text: bytes, mac: bytes) -> bool:
        if len(text) < 2 * self._block or len(text) % self._block:
            return False
        return hmac.compare_digest(mac, self._mac(sequence, type_, text))

    def _unpad(self, plain: bytes) -> bytes | None:
        padding, right = self._padding(plain, len(plain))
        return plain[:-padding] if right else None
