"""GHASH of a whole message as 128 parities: no table is indexed, no block waits for the last.

The hash y is linear in the message bits, and so are f(x^j y) for j = 0..127, where f takes the coefficient of x^127; those determine
y. With s_t = f(x^t h^k), bit i of the block with k blocks from it to the end counts in f(x^j y) where s_(i+j) is one, so that each is
the parity of `message & mask_j`: of a mask that holds s_j to s_(j+127) of every block.

Bit i + j of a mask depends on the sum alone, which spares work (Toeplitz matrix-vector products; Fan and Hasan, IEEE Transactions on
Computers 56(2), 2007). With blocks and results in two halves, and the masks in three parts s, t, u of half the size,

    s a + t b = t (a + b) + (s + t) a        t a + u b = t (a + b) + (t + u) b

takes three products instead of four. Twice in a row it takes nine, of sums of the words of four bytes, instead of sixteen.

Messages line up at their last block, so one set of masks does for all lengths; they are made when a message first reaches into them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import lru_cache

CHUNK = 513
"""Blocks whose words share an integer."""
MAX_BLOCKS = 2 * CHUNK
"""Blocks for which there are masks: a full record with its additional data and lengths."""
STEPS = (18, CHUNK, MAX_BLOCKS)
"""Blocks for which masks are made together, from the end of the message."""

_PARTS = ((3,), (2, 3), (3, 4), (1, 3), (0, 1, 2, 3), (1, 2, 3, 4), (3, 5), (2, 3, 4, 5), (3, 4, 5, 6))
"""For each of the nine products the parts of the masks that are added: part p begins with s_(32 p). The words are those of `_sums`."""
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ASCII_BITS = bytes(range(48, 50)).ljust(256, b"\0")
_BLOCK = (1 << 128) - 1

Nine = tuple[int, int, int, int, int, int, int, int, int]
_NOTHING: Nine = (0, 0, 0, 0, 0, 0, 0, 0, 0)


class ParityMasks:
    """The masks of one hash key, growing step by step. `times_h` multiplies an element by h."""

    __slots__ = ("_blocks", "_power", "_rows", "_times_h")

    def __init__(self, h: int, times_h: Callable[[int], int]) -> None:
        self._power = h
        self._times_h = times_h
        self._blocks = 0
        self._rows: list[list[int]] = [[0] * 18 for _ in range(32)]

    def hash(self, y: int, data: bytes) -> int:
        """GHASH of whole blocks after the state `y`."""
        while data:
            part, data = data[: 16 * MAX_BLOCKS], data[16 * MAX_BLOCKS :]
            if y:
                part = (int.from_bytes(part[:16]) ^ y).to_bytes(16) + part[16:]
            y = self._hash(part)
        return y

    def _hash(self, data: bytes) -> int:
        while 16 * self._blocks < len(data):
            self._grow()
        words = _words(data)
        near = _sums(*[int.from_bytes(word[-4 * CHUNK :]) for word in words])
        far = _sums(*[int.from_bytes(word[: -4 * CHUNK]) for word in words]) if len(data) > 16 * CHUNK else _NOTHING
        value = int(bytes(_parities(self._rows, near, far)[::-1]).translate(_ASCII_BITS), 2)
        return (value ^ value << 121 ^ value << 126 ^ value << 127) & _BLOCK

    def _grow(self) -> None:
        made = self._blocks
        wanted = next(step for step in STEPS if step > made)
        powers = []
        power = self._power
        for _ in range(wanted - made):
            powers.append(power.to_bytes(16))
            power = self._times_h(power)
        self._power = power
        chunk, before = divmod(made, CHUNK)
        for place, masks in enumerate(_masks(b"".join(reversed(powers))), 9 * chunk):
            for row, mask in zip(self._rows, masks, strict=True):
                row[place] |= mask << 32 * before
        self._blocks = wanted


def _words(data: bytes) -> list[bytes]:
    """The first words of all blocks, the second, the third, the fourth."""
    words = array("I", data)
    return [words[place::4].tobytes() for place in range(4)]


def _sums(a: int, b: int, c: int, d: int) -> Nine:
    """What the nine products multiply, from the words of blocks."""
    ac, bd = a ^ c, b ^ d
    return ac ^ bd, ac, bd, a ^ b, a, b, c ^ d, c, d


def _parities(rows: list[list[int]], near: Nine, far: Nine) -> list[int]:
    """f(x^j y) for j = 0..127. A row has the masks for j, j + 32, j + 64 and j + 96, of the last blocks and of those before."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = near
    b0, b1, b2, b3, b4, b5, b6, b7, b8 = far
    first, second, third, fourth = [], [], [], []
    for m0, m1, m2, m3, m4, m5, m6, m7, m8, n0, n1, n2, n3, n4, n5, n6, n7, n8 in rows:
        both = b0 & n0 ^ a0 & m0
        low, high = both ^ b1 & n1 ^ a1 & m1, both ^ b2 & n2 ^ a2 & m2
        both = b3 & n3 ^ a3 & m3
        first.append((low ^ both ^ b4 & n4 ^ a4 & m4).bit_count() & 1)
        second.append((high ^ both ^ b5 & n5 ^ a5 & m5).bit_count() & 1)
        both = b6 & n6 ^ a6 & m6
        third.append((low ^ both ^ b7 & n7 ^ a7 & m7).bit_count() & 1)
        fourth.append((high ^ both ^ b8 & n8 ^ a8 & m8).bit_count() & 1)
    return first + second + third + fourth


def _masks(powers: bytes) -> list[list[int]]:
    """For each of the nine products 32 masks, from the powers of h that belong to the blocks."""
    n = len(powers) // 16
    all_but_last, last = (int.from_bytes(bits.to_bytes(4) * n) for bits in (0xFFFFFFFE, 1))
    parts = [int.from_bytes(word) for word in _sequence(powers)]
    products = []
    for numbers in _PARTS:
        mask = following = 0
        for number in numbers:
            mask ^= parts[number]
            following ^= parts[number + 1]
        masks = [mask]
        for j in range(31, 0, -1):
            mask = mask << 1 & all_but_last | following >> j & last
            masks.append(mask)
        products.append(masks)
    return products


def _sequence(powers: bytes) -> list[bytes]:
    """s_0 to s_255 of each power, in eight words."""
    n = len(powers) // 16
    # f(x^t w) is coefficient 127 - t of w, and what x^128 = 1 + x + x^2 + x^7 brings round.
    s = _reverse_blocks(powers)
    s ^= _over_the_edge(s, n)
    following = s ^ s << 1 & _left(1, n) ^ s << 2 & _left(2, n) ^ s << 7 & _left(7, n)
    following ^= _over_the_edge(following, n)
    return [word for bits in (s, following) for word in _words(bits.to_bytes(16 * n))]


def _over_the_edge(s: int, n: int) -> int:
    """The first bits of each block, 121, 126 and 127 places further on."""
    return s >> 121 & _right(121, n) ^ s >> 126 & _right(126, n) ^ s >> 127 & _right(127, n)


@lru_cache(maxsize=16)
def _left(places: int, n: int) -> int:
    """All bits of n blocks that are still there after a shift to the left by so many places."""
    return int.from_bytes((_BLOCK >> places << places).to_bytes(16) * n)


@lru_cache(maxsize=16)
def _right(places: int, n: int) -> int:
    """The same for a shift to the right."""
    return int.from_bytes((_BLOCK >> places).to_bytes(16) * n)


def _reverse_blocks(blocks: bytes) -> int:
    """The bits of each block backwards."""
    flipped = blocks.translate(_REVERSED_BITS)
    backwards = bytearray(len(blocks))
    for i in range(16):
        backwards[i::16] = flipped[15 - i :: 16]
    return int.from_bytes(backwards)
