"""AES one block at a time, with translation tables: for chains, where one block waits for the last.

Between rounds a state has eight bytes a column, of which the last four count, from row 3 to row 0: MixColumns reads each column twice
in a row, so that a rotation of all columns is a shift. What shifts leave in the first four bytes is never looked at.

The indices of the tables are secret bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from puretls.crypto.kernels.aes.tables import DOUBLE_SBOX, SBOX

_SHIFTED = [4 * ((column + row) % 4) + row for column in range(4) for row in range(4)]
"""ShiftRows (FIPS 197 5.1.2): the place in the block of each byte of the block after it."""


def _twice(places: list[int]) -> list[int]:
    return [place for column in range(0, 16, 4) for place in places[column : column + 4][::-1] * 2]


def _from_the_end(places: list[int], length: int) -> bytes:
    """Translated by an integer of `length` bytes as `to_bytes(256, "little")` gives it, the bytes in these places."""
    return bytes([length - 1 - place for place in places])


_SPREAD = [8 * (place // 4) + 7 - place % 4 for place in _SHIFTED]
_SECOND_ROUND = _from_the_end(_twice(_SHIFTED), 16)
_MIDDLE_ROUNDS = _from_the_end(_twice(_SPREAD), 32)
_BETWEEN_ROUNDS = bytes(_twice(list(range(16))))
_LAST_ROUND = _from_the_end(_SPREAD, 32)


class BlockKeys(NamedTuple):
    """Round keys as integers: the first and the last are one block, those in between have eight bytes a column."""

    first: int
    middle: tuple[int, ...]
    last: int


def round_keys(schedule: bytes) -> BlockKeys:
    """The round keys of an expanded key."""
    first, *middle, last = [schedule[i : i + 16] for i in range(0, len(schedule), 16)]
    wide = [_BETWEEN_ROUNDS.translate(key.ljust(256, b"\0")) for key in middle]
    return BlockKeys(int.from_bytes(first), tuple([int.from_bytes(key) for key in wide]), int.from_bytes(last))


def chain(keys: BlockKeys, previous: int, data: bytes) -> bytes:
    """CBC encryption of whole blocks after the block `previous` (SP 800-38A 6.2)."""
    first, middle, last = keys
    second_round, middle_rounds, last_round = _SECOND_ROUND.translate, _MIDDLE_ROUNDS.translate, _LAST_ROUND.translate
    number = int.from_bytes
    output = []
    x = previous
    for i in range(0, len(data), 16):
        x ^= number(data[i : i + 16]) ^ first
        shift = second_round
        for key in middle:
            s = shift(x.to_bytes(256, "little"))
            t = number(s.translate(SBOX))
            d = number(s.translate(DOUBLE_SBOX))
            x = d ^ ((t >> 8 ^ t) >> 8 ^ t ^ d) >> 8 ^ key
            shift = middle_rounds
        x = number(last_round(x.to_bytes(256, "little")).translate(SBOX)) ^ last
        output.append(x.to_bytes(16))
    return b"".join(output)
