"""3DES in CBC mode (FIPS 46-3, SP 800-67, SP 800-38A 6.2), by tables that secrets index: for old peers and old files.

A half of a block is kept as the 48 bits that its expansion E makes of it, between rounds and between the three passes: E only copies
bits, so that it can be part of the tables. A round then is four look-ups, each for two S-boxes with P and E behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce
from itertools import pairwise
from operator import xor

from puretls.crypto.cbc import Blocks, CbcAlgorithm
from puretls.crypto.lengths import check_blocks, check_length, check_message

BLOCK = 8
_INITIAL = [start - 8 * column for start in (57, 59, 61, 63, 56, 58, 60, 62) for column in range(8)]
"""IP: the place in the block, from 0, of each bit after it."""
_EXPANSION = [(4 * group + bit - 1) % 32 for group in range(8) for bit in range(6)]
_PERMUTATION = bytes.fromhex("0f0613141c0b1b10000e161904111e090107170d1f1a0208120c1d05150a0318")
_KEY_BITS = bytes.fromhex(
    "383028201810080039312921191109013a322a221a120a023b332b233e362e261e160e063d352d251d150d053c342c241c140c041b130b03"
)
"""PC-1: the 56 bits of a key that count."""
_ROUND_KEY_BITS = bytes.fromhex(
    "0d100a170004021b0e05140916120b0319070f061a130c0128331e242e361d27322c202f2b30263721342d2931231c1f"
)
"""PC-2: the 48 of them that a round takes."""
_ROTATIONS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_BOXES = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)
"""S1 to S8, four rows of sixteen hexadecimal digits each."""

RoundKeys = tuple[tuple[int, int], ...]
Tables = list[list[int]]


class TripleDesCbc:
    """A key of 24 bytes: three of DES, to encrypt, decrypt and encrypt with."""

    __slots__ = ("_algorithm", "_backwards", "_forwards")

    def __init__(self, algorithm: CbcAlgorithm, key: bytes) -> None:
        check_length(f"the key of {algorithm.name}", key, algorithm.key_length)
        self._algorithm = algorithm
        first, second, third = (_round_keys(key[i : i + 8]) for i in (0, 8, 16))
        self._forwards = _pairs(first), _pairs(second[::-1]), _pairs(third)
        self._backwards = _pairs(third[::-1]), _pairs(second), _pairs(first[::-1])

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        self._check(iv, data)
        x = int.from_bytes(iv)
        output = []
        for block in _split(data):
            x = _crypt(x ^ block, self._forwards)
            output.append(x.to_bytes(BLOCK))
        return b"".join(output)

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        self._check(iv, data)
        chain = pairwise(_split(iv + data))
        return b"".join([(_crypt(block, self._backwards) ^ before).to_bytes(BLOCK) for before, block in chain])

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.encrypt(*item) for item in items]

    def decrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.decrypt(*item) for item in items]

    def _check(self, iv: bytes, data: bytes) -> None:
        check_length(f"the IV of {self._algorithm.name}", iv, BLOCK)
        check_blocks(self._algorithm.name, data, BLOCK)
        check_message(self._algorithm.name, data)


def _split(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + BLOCK]) for i in range(0, len(data), BLOCK)]


def _round_keys(key: bytes) -> list[int]:
    """The keys of the sixteen rounds (FIPS 46-3, appendix 1); parity bits do not count."""
    bits = format(int.from_bytes(key), "064b")
    bits = "".join([bits[place] for place in _KEY_BITS])
    c, d = bits[:28], bits[28:]
    keys = []
    for by in _ROTATIONS:
        c, d = c[by:] + c[:by], d[by:] + d[:by]
        bits = c + d
        keys.append(int("".join([bits[place] for place in _ROUND_KEY_BITS]), 2))
    return keys


def _pairs(keys: list[int]) -> RoundKeys:
    return tuple(zip(keys[::2], keys[1::2], strict=True))


def _crypt(block: int, passes: tuple[RoundKeys, ...]) -> int:
    """A block through three passes. What FP and IP between them would do and undo is left out; the halves change places."""
    (i0, i1, i2, i3, i4, i5, i6, i7), (s0, s1, s2, s3), final = _tables()
    a, b, c, d, e, f, g, h = block.to_bytes(BLOCK)
    both = i0[a] ^ i1[b] ^ i2[c] ^ i3[d] ^ i4[e] ^ i5[f] ^ i6[g] ^ i7[h]
    left, right = both >> 48, both & 0xFFFFFFFFFFFF
    for keys in passes:
        for odd, even in keys:
            x = right ^ odd
            left ^= s0[x >> 36] ^ s1[x >> 24 & 4095] ^ s2[x >> 12 & 4095] ^ s3[x & 4095]
            x = left ^ even
            right ^= s0[x >> 36] ^ s1[x >> 24 & 4095] ^ s2[x >> 12 & 4095] ^ s3[x & 4095]
        left, right = right, left
    both = left << 48 | right
    return reduce(xor, [table[byte] for table, byte in zip(final, both.to_bytes(12), strict=True)])


@cache
def _tables() -> tuple[Tables, Tables, Tables]:
    """IP and E of each byte of a block; P and E of two S-boxes each; and what each byte of both halves means for the block after FP.

    0.8 MiB, made in some 5 ms with the first block of the process.
    """
    expanded = [sum([1 << 47 - i for i, place in enumerate(_EXPANSION) if place == bit]) for bit in range(32)]
    initial = [0] * 64
    final = [0] * 96
    for i, place in enumerate(_INITIAL):
        initial[place] = expanded[i % 32] << (0 if i >= 32 else 48)
        final[i // 4 * 6 + i % 4 + 1] = 1 << 63 - place  # the four bits in the middle of six are those that E began with
    after = [expanded[_PERMUTATION.index(bit)] for bit in range(32)]
    boxes = [
        [_spread(int(digits[_entry(x)], 16), after[4 * i : 4 * i + 4]) for x in range(64)] for i, digits in enumerate(_BOXES)
    ]
    pairs = [[a ^ b for a in boxes[i] for b in boxes[i + 1]] for i in range(0, 8, 2)]
    return _by_bytes(initial), pairs, _by_bytes(final)


def _entry(x: int) -> int:
    """Where the value for six bits stands: the outer two are the row, the inner four the column."""
    return (x >> 5) * 32 + (x & 1) * 16 + (x >> 1 & 15)


def _spread(nibble: int, images: Sequence[int]) -> int:
    return sum([image for bit, image in enumerate(images) if nibble >> 3 - bit & 1])


def _by_bytes(images: list[int]) -> Tables:
    """For each byte a table of what its bits, of which the first is the most significant, come to together."""
    tables = []
    for start in range(0, len(images), 8):
        table = [0]
        for image in reversed(images[start : start + 8]):
            table += [entry ^ image for entry in table]
        tables.append(table)
    return tables
