"""AES over a few to some hundred blocks at once, one byte a lane: rows of bytes in one integer.

A state of n blocks is 16 n bytes in the order row, column, block, read as a big-endian integer. SubBytes is `bytes.translate` or,
without tables, the S-box circuit on every eighth bit; ShiftRows joins slices; MixColumns rotates the whole integer by rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from puretls.crypto.kernels.generated.aes_sbox import inverse_sub, sub

ROW_ORDER = tuple(4 * column + row for row in range(4) for column in range(4))
"""Place in the block of each byte of a state of one block."""
IN_A_TABLE = 16
"""Blocks of a state that fits a translation table of 256 bytes."""
FEW = 7
"""Blocks of a state that fits one together with three of its rows, as far as that is faster."""


@lru_cache(maxsize=16)
def _places(n: int, count: int) -> bytes:
    """Places in blocks of `count` bytes in row order, each n times: translated by the blocks it makes states of n times each block."""
    return b"".join([bytes((block + place,)) * n for block in range(0, count, 16) for place in ROW_ORDER])


@lru_cache(maxsize=64)
def _counters(n: int, start: int) -> int:
    """A state that is zero but for the counters start, start + 1, ... in the last three bytes of the blocks."""
    counters = b"".join([(start + i).to_bytes(3) for i in range(n)])
    zeros = bytes(3 * n)
    return int.from_bytes(bytes(4 * n) + b"".join([zeros + counters[byte::3] for byte in range(3)]))


@lru_cache(maxsize=64)
def _ones(n: int) -> int:
    """The low bit of every byte of a state of n blocks."""
    return int.from_bytes(b"\x01" * (16 * n))


def round_keys(schedule: bytes, n: int) -> tuple[int, ...]:
    """Round keys of an expanded key for states of n blocks."""
    wide = _places(n, len(schedule)).translate(schedule.ljust(256, b"\0"))
    return tuple([int.from_bytes(wide[i : i + 16 * n]) for i in range(0, len(wide), 16 * n)])


def counter_state(prefix: bytes, start: int, n: int) -> int:
    """The state of n counter blocks: 13 bytes of prefix and the counters start, start + 1, ... in three bytes."""
    return int.from_bytes(_places(n, 16).translate(prefix.ljust(256, b"\0"))) ^ _counters(n, start)


@lru_cache(maxsize=16)
def _orders(n: int) -> tuple[bytes, bytes]:
    """For n <= 16: the place in the blocks of each byte of a state, and in the state of each byte of the blocks."""
    to_rows = bytes([16 * block + place for place in ROW_ORDER for block in range(n)])
    return to_rows, bytes([to_rows.index(i) for i in range(16 * n)])


def to_state(blocks: bytes) -> int:
    """The state of blocks laid end to end."""
    if len(blocks) <= 256:
        return int.from_bytes(_orders(len(blocks) // 16)[0].translate(blocks.ljust(256, b"\0")))
    return int.from_bytes(b"".join([blocks[place::16] for place in ROW_ORDER]))


def interleave(messages: Sequence[bytes]) -> list[int]:
    """One state for each block position of equally long messages: block i of all of them side by side."""
    n = len(messages)
    states = bytearray(len(messages[0]) * n)
    for i, place in enumerate(ROW_ORDER):
        for k, message in enumerate(messages):
            states[i * n + k :: 16 * n] = message[place::16]
    return [int.from_bytes(states[i : i + 16 * n]) for i in range(0, len(states), 16 * n)]


def separate(states: Sequence[int], n: int) -> list[bytes]:
    """The messages of `interleave`."""
    joined = b"".join([state.to_bytes(16 * n) for state in states])
    messages = [bytearray(16 * len(states)) for _ in range(n)]
    for i, place in enumerate(ROW_ORDER):
        for k, message in enumerate(messages):
            message[place::16] = joined[i * n + k :: 16 * n]
    return [bytes(message) for message in messages]


def from_state(state: int, n: int) -> bytes:
    """The blocks of a state laid end to end."""
    rows = state.to_bytes(16 * n)
    if n <= 16:
        return _orders(n)[1].translate(rows.ljust(256, b"\0"))
    blocks = bytearray(16 * n)
    for i, place in enumerate(ROW_ORDER):
        blocks[place::16] = rows[i * n : i * n + n]
    return bytes(blocks)


@lru_cache(maxsize=16)
def _shifted_places(n: int) -> bytes:
    """ShiftRows for n <= 16: where each byte of a state comes from, counted from the end.

    Translated by a state as `to_bytes(256, "little")` gives it, it is the bytes of the state after ShiftRows.
    """
    shifted = _shift_rows(int.from_bytes(range(16 * n)), n).to_bytes(16 * n)
    return bytes([16 * n - 1 - place for place in shifted])


@cache
def _sboxes() -> tuple[bytes, bytes]:
    """The S-box and its double, for what may use tables; what may not does not load them."""
    from puretls.crypto.kernels.aes.tables import DOUBLE_SBOX, SBOX

    return SBOX, DOUBLE_SBOX


def encrypt(state: int, keys: Sequence[int], n: int) -> int:
    """FIPS 197 5.1 with translation tables, which secrets index. `keys` from `round_keys` for the same n.

    Written out, because calls would be felt: ShiftRows as in `_shift_rows`, MixColumns as in `_Rotation`.
    """
    if n <= FEW:
        return _encrypt_few(state, keys, n)
    if n <= IN_A_TABLE:
        return _encrypt_in_a_table(state, keys, n)
    sbox, double_sbox = _sboxes()
    n16 = 16 * n
    n4, n5, n8, n10, n12, n15 = 4 * n, 5 * n, 8 * n, 10 * n, 12 * n, 15 * n
    left, right, mask = 32 * n, 96 * n, (1 << 128 * n) - 1
    first, *middle, last = keys
    state ^= first
    for key in middle:
        s = state.to_bytes(n16)
        s = b"".join((s[:n4], s[n5:n8], s[n4:n5], s[n10:n12], s[n8:n10], s[n15:], s[n12:n15]))
        t = int.from_bytes(s.translate(sbox))
        d = int.from_bytes(s.translate(double_sbox))
        u = t ^ (t << left & mask | t >> right)
        u = t ^ d ^ (u << left & mask | u >> right)
        state = d ^ key ^ (u << left & mask | u >> right)
    s = state.to_bytes(n16)
    s = b"".join((s[:n4], s[n5:n8], s[n4:n5], s[n10:n12], s[n8:n10], s[n15:], s[n12:n15]))
    return int.from_bytes(s.translate(sbox)) ^ last


def _encrypt_few(state: int, keys: Sequence[int], n: int) -> int:
    """`_encrypt_in_a_table` with three rows more, so that shifts rotate: rows 0 to 3 and 0 to 2.

    Three, two, one and no rows to the right, the lowest four are those from row 0, 1, 2 and 3 on. What lies above is never looked at.
    """
    sbox, double_sbox = _sboxes()
    places = _shifted_places(n)
    shift, row = (places + places[: 12 * n]).translate, 32 * n
    first, *middle, last = keys
    number = int.from_bytes
    state ^= first
    for key in middle:
        s = shift(state.to_bytes(256, "little"))
        t = number(s.translate(sbox))
        d = number(s.translate(double_sbox))
        state = t ^ (t ^ (t ^ d ^ d >> row) >> row) >> row ^ key
    return number(places.translate(state.to_bytes(256, "little")).translate(sbox)) ^ last


def _encrypt_in_a_table(state: int, keys: Sequence[int], n: int) -> int:
    """`encrypt` where a state fits a translation table: ShiftRows is its places translated by it."""
    sbox, double_sbox = _sboxes()
    shift = _shifted_places(n).translate
    left, right, mask = 32 * n, 96 * n, (1 << 128 * n) - 1
    first, *middle, last = keys
    number = int.from_bytes
    state ^= first
    for key in middle:
        s = shift(state.to_bytes(256, "little"))
        t = number(s.translate(sbox))
        d = number(s.translate(double_sbox))
        u = t ^ (t << left & mask | t >> right)
        u = t ^ d ^ (u << left & mask | u >> right)
        state = d ^ key ^ (u << left & mask | u >> right)
    return number(shift(state.to_bytes(256, "little")).translate(sbox)) ^ last


def encrypt_table_free(state: int, keys: Sequence[int], n: int) -> int:
    """FIPS 197 5.1 with the S-box circuit."""
    ones = _ones(n)
    rotate = _Rotation(n)
    *first, last = keys
    constant = 0
    for key in first[:-1]:
        t = _shift_rows(_sub_bytes(state ^ key ^ constant, ones), n)
        constant = 0x63 * ones  # MixColumns and ShiftRows keep it, so that one xor before the next S-box does for all bytes
        state = rotate.mix_columns(t, ones)
    return _shift_rows(_sub_bytes(state ^ first[-1] ^ constant, ones), n) ^ last ^ constant


def round_without_key(block: bytes, keep: bytes) -> bytes:
    """SubBytes but for its constant, ShiftRows and MixColumns of one block, by circuit; `keep` masks bytes after SubBytes."""
    ones = _ones(1)
    state = _sub_bytes(to_state(block), ones) & to_state(keep)
    return from_state(_Rotation(1).mix_columns(_shift_rows(state, 1), ones), 1)


def decrypt(state: int, keys: Sequence[int], n: int) -> int:
    """FIPS 197 5.3.5 with translation tables, which secrets index. `keys` from `round_keys` of `inverse_schedule`."""
    from puretls.crypto.kernels.aes.tables import inverse_tables

    plain, by14, by11, by13, by9 = inverse_tables()
    n16 = 16 * n
    left, right, mask = 32 * n, 96 * n, (1 << 128 * n) - 1
    first, *middle, last = keys[::-1]
    state ^= first
    for key in middle:
        s = _inverse_shift_rows(state.to_bytes(n16), n)
        u = int.from_bytes(s.translate(by9))
        u = int.from_bytes(s.translate(by13)) ^ (u << left & mask | u >> right)
        u = int.from_bytes(s.translate(by11)) ^ (u << left & mask | u >> right)
        state = int.from_bytes(s.translate(by14)) ^ key ^ (u << left & mask | u >> right)
    return int.from_bytes(_inverse_shift_rows(state.to_bytes(n16), n).translate(plain)) ^ last


def decrypt_table_free(state: int, keys: Sequence[int], n: int) -> int:
    """FIPS 197 5.3.5 with the inverse S-box circuit. `keys` from `round_keys` of `inverse_schedule`."""
    ones = _ones(n)
    rotate = _Rotation(n)
    constant = 0x63 * ones
    first, *middle, last = keys[::-1]
    state ^= first ^ constant
    for key in middle:
        s = int.from_bytes(_inverse_shift_rows(state.to_bytes(16 * n), n))
        state = rotate.inverse_mix_columns(_inverse_sub_bytes(s, ones), ones) ^ key ^ constant
    return _inverse_sub_bytes(int.from_bytes(_inverse_shift_rows(state.to_bytes(16 * n), n)), ones) ^ last


def inverse_schedule(schedule: bytes) -> bytes:
    """The round keys of the equivalent inverse cipher (FIPS 197 5.3.5): InvMixColumns of all but the first and the last."""
    middle = schedule[16:-16]
    n = len(middle) // 16
    mixed = _Rotation(n).inverse_mix_columns(to_state(middle), _ones(n))
    return schedule[:16] + from_state(mixed, n) + schedule[-16:]


def _shift_rows(state: int, n: int) -> int:
    """FIPS 197 5.1.2."""
    s = state.to_bytes(16 * n)
    n4, n5, n8, n10, n12, n15 = 4 * n, 5 * n, 8 * n, 10 * n, 12 * n, 15 * n
    return int.from_bytes(b"".join((s[:n4], s[n5:n8], s[n4:n5], s[n10:n12], s[n8:n10], s[n15:], s[n12:n15])))


def _inverse_shift_rows(s: bytes, n: int) -> bytes:
    """FIPS 197 5.3.1."""
    n4, n7, n8, n10, n12, n13 = 4 * n, 7 * n, 8 * n, 10 * n, 12 * n, 13 * n
    return b"".join((s[:n4], s[n7:n8], s[n4:n7], s[n10:n12], s[n8:n10], s[n13:], s[n12:n13]))


def _sub_bytes(state: int, ones: int) -> int:
    """SubBytes but for the constant 0x63."""
    planes = sub(
        state & ones, state >> 1 & ones, state >> 2 & ones, state >> 3 & ones,
        state >> 4 & ones, state >> 5 & ones, state >> 6 & ones, state >> 7 & ones,
    )  # fmt: skip
    return _join(planes)


def _inverse_sub_bytes(state: int, ones: int) -> int:
    """InvSubBytes of a state that has the constant 0x63 added."""
    planes = inverse_sub(
        state & ones, state >> 1 & ones, state >> 2 & ones, state >> 3 & ones,
        state >> 4 & ones, state >> 5 & ones, state >> 6 & ones, state >> 7 & ones,
    )  # fmt: skip
    return _join(planes)


def _join(planes: tuple[int, ...]) -> int:
    p0, p1, p2, p3, p4, p5, p6, p7 = planes
    return p0 | p1 << 1 | (p2 | p3 << 1) << 2 | (p4 | p5 << 1 | (p6 | p7 << 1) << 2) << 4


class _Rotation:
    """MixColumns on states of n blocks, as rotations of the integer by whole rows."""

    __slots__ = ("left", "mask", "right")

    def __init__(self, n: int) -> None:
        self.left, self.right, self.mask = 32 * n, 96 * n, (1 << 128 * n) - 1

    def __call__(self, x: int) -> int:
        return x << self.left & self.mask | x >> self.right

    def mix_columns(self, t: int, ones: int) -> int:
        """FIPS 197 5.1.3."""
        d = _double(t, ones)
        return d ^ self(t ^ d ^ self(t ^ self(t)))

    def inverse_mix_columns(self, t: int, ones: int) -> int:
        """FIPS 197 5.3.3: MixColumns of a + 4 (a + the row two below)."""
        return self.mix_columns(t ^ _double(_double(t ^ self(self(t)), ones), ones), ones)


def _double(t: int, ones: int) -> int:
    """Every byte times 2 in GF(2^8)."""
    high = t >> 7 & ones
    return (t ^ high << 7) << 1 ^ high * 0x1B
