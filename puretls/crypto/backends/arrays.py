"""ChaCha20-Poly1305 (RFC 8439) of long records on arrays of numpy. No tables; short records are computed as ever.

Poly1305 is a product of matrices: limbs of 16 bits of the message with limbs of powers of r, as floating-point numbers. It is exact, since
each product is below 2^32, and no more than 512 of them are added to one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from puretls.crypto.backends import optional_package
from puretls.crypto.kernels.chacha import poly1305
from puretls.crypto.kernels.chacha.chacha20 import ChaCha20
from puretls.crypto.kernels.chacha.chacha20_poly1305 import ChaCha20Poly1305, message

np = optional_package("numpy")

RECORD_FROM = 5000
"""Bytes of a message from which xor and tag go by arrays."""
_STREAM_FROM = 94
"""Blocks of keystream in one pass from which they go by arrays."""
_STREAM_MOST = 4112
"""Blocks in one pass; temporaries leave the cache above."""
_STEP = 64
"""Blocks of Poly1305 in a row of the matrix."""


class ArrayChaCha20(ChaCha20):
    """ChaCha20 of which long runs are four rows of four words, each an array with an entry for every block."""

    __slots__ = ()

    def keystreams(self, nonces: Sequence[bytes], counter: int, blocks: int) -> list[bytes]:
        """As `ChaCha20.keystreams`."""
        if blocks * len(nonces) < _STREAM_FROM:
            return super().keystreams(nonces, counter, blocks)
        per_pass = max(1, _STREAM_MOST // blocks)
        parts = [nonces[i : i + per_pass] for i in range(0, len(nonces), per_pass)]
        return [stream for part in parts for stream in self._by_arrays(part, counter, blocks)]

    def _by_arrays(self, nonces: Sequence[bytes], counter: int, blocks: int) -> list[bytes]:
        n = blocks * len(nonces)
        start = np.empty((16, n), "<u4")
        start[:12] = np.frombuffer(self._unchanged, "<u4")[:, None]
        start[12] = np.tile(np.arange(counter, counter + blocks, dtype="<u4"), len(nonces))
        start[13:] = np.repeat(np.frombuffer(b"".join(nonces), "<u4").reshape(-1, 3).T, blocks, 1)
        words = start.copy()
        _twenty_rounds(words.reshape(4, 4, n))
        words += start
        output = words.T.tobytes()
        size = 64 * blocks
        return [output[i : i + size] for i in range(0, len(output), size)]


class ArrayChaCha20Poly1305(ChaCha20Poly1305):
    """A ChaCha20-Poly1305 key that takes to arrays where they are faster."""

    __slots__ = ()
    _stream = ArrayChaCha20

    def _crypt(self, stream: bytes, body: bytes, aad: bytes, *, sealing: bool) -> tuple[bytes, bytes]:
        if len(body) < RECORD_FROM:
            return super()._crypt(stream, body, aad, sealing=sealing)
        output = (np.frombuffer(body, np.uint8) ^ np.frombuffer(stream, np.uint8, len(body), 64)).tobytes()
        return output, tag(stream[:32], message(aad, output if sealing else body))


def _twenty_rounds(state: Any) -> None:
    """In place, on rows a, b, c, d of four words: diagonals become columns, and go back, while words are written (RFC 8439 2.3)."""
    a, b, c, d = state
    t, u = np.empty_like(a), np.empty_like(a)
    add, xor, left, right = np.add, np.bitwise_xor, np.left_shift, np.right_shift
    join = np.bitwise_or
    by7, by8, by12, by16, by20, by24, by25 = (np.array(bits, "<u4") for bits in (7, 8, 12, 16, 20, 24, 25))
    for turn in range(20):
        add(a, b, a)
        xor(d, a, d)
        join(left(d, by16, t), right(d, by16, u), d)
        add(c, d, c)
        xor(b, c, b)
        join(left(b, by12, t), right(b, by20, u), b)
        add(a, b, a)
        xor(d, a, d)
        join(left(d, by8, t), right(d, by24, u), u)
        add(c, u, t)
        xor(b, t, b)
        c[:2], c[2:] = t[2:], t[:2]
        b_by, d_by = (1, 3) if turn % 2 == 0 else (3, 1)
        d[: 4 - d_by], d[4 - d_by :] = u[d_by:], u[:d_by]
        left(b, by7, t)
        right(b, by25, u)
        join(t[b_by:], u[b_by:], b[: 4 - b_by])
        join(t[:b_by], u[:b_by], b[4 - b_by :])


def tag(key: bytes, data: bytes) -> bytes:
    """As `poly1305.tag`."""
    r = poly1305.clamped(key)
    done = len(data) // (16 * _STEP) * (16 * _STEP)
    return poly1305.finished(key, r, _by_matrix(r, data[:done]), data[done:])


def _by_matrix(r: int, data: bytes) -> int:
    """The value after rows of blocks."""
    p = poly1305.P
    powers = [r]
    for _ in range(_STEP - 1):
        powers.append(powers[-1] * r % p)
    ones = poly1305.HIGH_BIT * sum(powers) % p
    limbs = np.frombuffer(b"".join([power.to_bytes(18, "little") for power in reversed(powers)]), "<u2").reshape(_STEP, 9)
    matrix = np.zeros((_STEP, 8, 17))
    for limb in range(8):
        matrix[:, limb, limb : limb + 9] = limbs
    rows = np.frombuffer(data, "<u2").reshape(-1, 8 * _STEP).astype(np.float64)
    sums = np.zeros((len(rows), 20))
    sums[:, :17] = rows @ matrix.reshape(8 * _STEP, 17)
    # Sum k counts 2^(16 k): every fourth of them is a word of 64 bits of one integer, which leaves four to be added
    words = sums.astype("<u8").reshape(-1, 5, 4).transpose(0, 2, 1).tobytes()
    value = 0
    for i in range(0, len(words), 160):
        total = sum([int.from_bytes(words[i + 40 * j : i + 40 * j + 40], "little") << 16 * j for j in range(4)])
        value = (value * powers[-1] + total + ones) % p
    return value
