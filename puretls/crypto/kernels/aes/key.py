"""AES key expansion (FIPS 197 5.2): by table, and by the S-box circuit."""

from __future__ import annotations

from collections.abc import Callable

from puretls.crypto.kernels.generated.aes_sbox import sub

_LOW_BITS = 0x01010101
_WORD = 0xFFFFFFFF
_EACH_WORD = {size: int.from_bytes(b"\0\0\0\1" * (size // 4)) for size in (16, 24)}
_ROUNDS = {16: 10, 24: 8, 32: 7}
_ROUND_CONSTANTS = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)


def expand(key: bytes, *, table_free: bool = False) -> bytes:
    """The round keys in one string: 176 bytes for a key of 16 bytes, 208 for one of 24, 240 for one of 32.

    The words between two substitutions come in one step, as running sums.
    """
    sub_word = _sub_word_by_circuit if table_free else _sub_word_by_table()
    size = 24 if len(key) == 24 else 16  # a longer key is two groups of words, each of which begins with a substitution
    groups = [int.from_bytes(key[i : i + size]) for i in range(0, len(key), size)]
    schedule = [key]
    word = groups[-1] & _WORD
    for constant in _ROUND_CONSTANTS[: _ROUNDS[len(key)]]:
        word = sub_word((word << 8 | word >> 24) & _WORD) ^ constant << 24
        for i, before in enumerate(groups):
            if i:
                word = sub_word(word)
            group = before ^ before >> 32
            group ^= group >> 64
            group ^= group >> 128  # each word plus all words in front of it
            group ^= word * _EACH_WORD[size]
            word = group & _WORD
            groups[i] = group
            schedule.append(group.to_bytes(size))
    return b"".join(schedule)[: 4 * len(key) + 112]


def _sub_word_by_table() -> Callable[[int], int]:
    from puretls.crypto.kernels.aes.tables import SBOX

    return lambda word: int.from_bytes(word.to_bytes(4).translate(SBOX))


def _sub_word_by_circuit(word: int) -> int:
    planes = sub(*(word >> bit & _LOW_BITS for bit in range(8)))
    return sum(plane << bit for bit, plane in enumerate(planes)) ^ 0x63636363
