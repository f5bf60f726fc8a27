"""AES key expansion (FIPS 197 5.2): by table, and by the S-box circuit."""

from __future__ import annotations

from collections.abc import Callable

from puretls.crypto.kernels.generated.aes_sbox import sub

_LOW_BITS = 0x01010101
_ROUND_CONSTANTS = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)


def expand(key: bytes, *, table_free: bool = False) -> bytes:
    """The round keys in one string: 176 bytes for a key of 16 bytes, 240 for one of 32."""
    sub_word = _sub_word_by_circuit if table_free else _sub_word_by_table()
    length = len(key) // 4
    words = [int.from_bytes(key[i : i + 4]) for i in range(0, len(key), 4)]
    word = words[-1]
    for i in range(length, 4 * (length + 7)):
        if i % length == 0:
            word = sub_word((word << 8 | word >> 24) & 0xFFFFFFFF) ^ _ROUND_CONSTANTS[i // length - 1] << 24
        elif length == 8 and i % 8 == 4:
            word = sub_word(word)
        word ^= words[i - length]
        words.append(word)
    return b"".join([word.to_bytes(4) for word in words])


def _sub_word_by_table() -> Callable[[int], int]:
    from puretls.crypto.kernels.aes.tables import SBOX

    return lambda word: int.from_bytes(word.to_bytes(4).translate(SBOX))


def _sub_word_by_circuit(word: int) -> int:
    planes = sub(*(word >> bit & _LOW_BITS for bit in range(8)))
    return sum(plane << bit for bit, plane in enumerate(planes)) ^ 0x63636363
