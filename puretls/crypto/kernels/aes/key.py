"""AES key expansion (FIPS 197 5.2): by table, and by the S-box circuit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from puretls.crypto.kernels.generated.aes_sbox import sub

_LOW_BITS = 0x01010101
_WORD = 0xFFFFFFFF
_ROUND_CONSTANTS = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)


def _each_word(word: int, size: int) -> int:
    return int.from_bytes(word.to_bytes(4) * (size // 4))


_LAST, _LAST_TURNED = bytes((3, 2, 1, 0)), bytes((2, 1, 0, 3))
"""Translated by a group of words in little-endian order: its last word, and RotWord of it."""
_TURNED = {size: [(_LAST_TURNED * (size // 4), _each_word(x << 24, size)) for x in _ROUND_CONSTANTS] for size in (16, 24)}
_STEPS = {
    16: _TURNED[16],
    24: _TURNED[24][:8],
    32: [step for turned in _TURNED[16][:7] for step in (turned, (_LAST * 4, 0))][:-1],
}
"""By the length of the key, for each group: the places of the word to be substituted, and the round constant, once for each word."""


def expand(key: bytes, *, table_free: bool = False) -> bytes:
    """The round keys in one string: 176 bytes for a key of 16 bytes, 208 for one of 24, 240 for one of 32.

    The words between two substitutions are a group, and come in one step as running sums.
    """
    substituted = _by_circuit if table_free else _by_table()
    size = 24 if len(key) == 24 else 16  # a longer key is two groups
    groups = [int.from_bytes(key[i : i + size]) for i in range(0, len(key), size)]
    last = groups[-1]
    for before, (places, constant) in zip(groups, _STEPS[len(key)], strict=False):  # the list grows meanwhile
        sums = before ^ before >> 32
        sums ^= sums >> 64
        if size > 16:
            sums ^= sums >> 128
        last = sums ^ substituted(last, places) ^ constant
        groups.append(last)
    return b"".join([group.to_bytes(size) for group in groups])[: 4 * len(key) + 112]


@cache
def _by_table() -> Callable[[int, bytes], int]:
    """SubWord of the word of a group that lies in these places, once for each of its words."""
    from puretls.crypto.kernels.aes.tables import SBOX

    return lambda group, places: int.from_bytes(places.translate(group.to_bytes(256, "little")).translate(SBOX))


def _by_circuit(group: int, places: bytes) -> int:
    """The same without a table."""
    word = int.from_bytes(places[:4].translate((group & _WORD).to_bytes(256, "little")))
    planes = sub(*(word >> bit & _LOW_BITS for bit in range(8)))
    return _each_word(sum(plane << bit for bit, plane in enumerate(planes)) ^ 0x63636363, len(places))
