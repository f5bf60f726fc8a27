"""GHASH of a whole message as 128 parities: no table is indexed, no block waits for the last.

The hash is linear in the message bits, so bit j of it is the parity of `message & mask_j`, where mask_j holds coefficient j of
x^i h^(blocks to the end) in the place of bit i of each block. Messages line up at their last block, so one set of masks does for
all lengths. Masks are kept in chunks that fit the processor's first cache, and made when a message first reaches into them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

CHUNKS = (18, 144, 144, 144, 144, 144, 144, 144)
"""Blocks a chunk, from the end of the message; all together a full record with its additional data and lengths."""
MAX_BLOCKS = sum(CHUNKS)

_STARTS = tuple([sum(CHUNKS[:i]) for i in range(len(CHUNKS))])
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ASCII_BITS = bytes(range(48, 50)).ljust(256, b"\0")


class ParityMasks:
    """The masks of one hash key, growing chunk by chunk. `times_h` multiplies an element by h."""

    __slots__ = ("_chunks", "_power", "_times_h")

    def __init__(self, h: int, times_h: Callable[[int], int]) -> None:
        self._power = h
        self._times_h = times_h
        self._chunks: list[list[int]] = []

    def hash(self, y: int, data: bytes) -> int:
        """GHASH of whole blocks after the state `y`."""
        while data:
            part, data = data[: 16 * MAX_BLOCKS], data[16 * MAX_BLOCKS :]
            blocks = len(part) // 16
            if y:
                part = (int.from_bytes(part[:16]) ^ y).to_bytes(16) + part[16:]
            chunks = [
                int.from_bytes(part[max(0, len(part) - 16 * (start + size)) : len(part) - 16 * start])
                for start, size in zip(_STARTS, CHUNKS, strict=True)
                if start < blocks
            ]
            y = self.hash_chunks(chunks)
        return y

    def hash_chunks(self, chunks: list[int]) -> int:
        """GHASH of a message in chunks of `CHUNKS` blocks from its end; the last one, its beginning, may be shorter."""
        while len(self._chunks) < len(chunks):
            self._grow()
        return _PARITIES[len(chunks) - 1](self._chunks, chunks)

    def _grow(self) -> None:
        powers = []
        power = self._power
        for _ in range(CHUNKS[len(self._chunks)]):
            powers.append(power.to_bytes(16))
            power = self._times_h(power)
        self._power = power
        self._chunks.append(_masks(b"".join(reversed(powers))))


def _masks(powers: bytes) -> list[int]:
    """The 128 masks of one chunk: bit i of block n of mask j is coefficient j of x^i times power n."""
    first, inner = _bit_masks(len(powers) // 16)
    w = int.from_bytes(powers)
    # Coefficient 127 of x^i w for all i: the bits of w backwards, then what x^128 = 1 + x + x^2 + x^7 brings round.
    last = _reverse_blocks(powers)
    last ^= last >> 121 & inner[121] ^ last >> 126 & inner[126] ^ last >> 127 & inner[127]
    # Each further mask is the one before it, moved on by one power of x; coefficient 127 feeds coefficients 0, 1, 2 and 7.
    feedback = last >> 1 & inner[1]
    mask = feedback | w & first
    masks = [mask]
    for j in range(1, 128):
        mask = mask >> 1 & inner[1] | w << j & first
        if j in {1, 2, 7}:
            mask ^= feedback
        masks.append(mask)
    return masks


def _reverse_blocks(blocks: bytes) -> int:
    """The bits of each block backwards."""
    flipped = blocks.translate(_REVERSED_BITS)
    backwards = bytearray(len(blocks))
    for i in range(16):
        backwards[i::16] = flipped[15 - i :: 16]
    return int.from_bytes(backwards)


@cache
def _bit_masks(blocks: int) -> tuple[int, dict[int, int]]:
    """Bit 0 of every block; and all bits but the first k."""
    first = int.from_bytes((b"\x80" + bytes(15)) * blocks)
    return first, {k: int.from_bytes(((1 << 128 - k) - 1).to_bytes(16) * blocks) for k in (1, 121, 126, 127)}


def _bits(parities: list[int]) -> int:
    return int(bytes(parities).translate(_ASCII_BITS), 2)


# One function a number of chunks: masks of all chunks, then the chunks of the message from its end.


def _parity_1(masks: list[list[int]], d: list[int]) -> int:
    (a,) = d
    return _bits([(a & m).bit_count() & 1 for m in masks[0]])


def _parity_2(masks: list[list[int]], d: list[int]) -> int:
    a, b = d
    return _bits([(a & m ^ b & n).bit_count() & 1 for m, n in zip(*masks[:2], strict=True)])


def _parity_3(masks: list[list[int]], d: list[int]) -> int:
    a, b, c = d
    return _bits([(a & m ^ b & n ^ c & o).bit_count() & 1 for m, n, o in zip(*masks[:3], strict=True)])


def _parity_4(masks: list[list[int]], d: list[int]) -> int:
    a, b, c, e = d
    return _bits([(a & m ^ b & n ^ c & o ^ e & p).bit_count() & 1 for m, n, o, p in zip(*masks[:4], strict=True)])


def _parity_5(masks: list[list[int]], d: list[int]) -> int:
    a, b, c, e, f = d
    return _bits([(a & m ^ b & n ^ c & o ^ e & p ^ f & q).bit_count() & 1 for m, n, o, p, q in zip(*masks[:5], strict=True)])


def _parity_6(masks: list[list[int]], d: list[int]) -> int:
    a, b, c, e, f, g = d
    rows = zip(*masks[:6], strict=True)
    return _bits([(a & m ^ b & n ^ c & o ^ e & p ^ f & q ^ g & r).bit_count() & 1 for m, n, o, p, q, r in rows])


def _parity_7(masks: list[list[int]], d: list[int]) -> int:
    a, b, c, e, f, g, h = d
    rows = zip(*masks[:7], strict=True)
    return _bits([(a & m ^ b & n ^ c & o ^ e & p ^ f & q ^ g & r ^ h & s).bit_count() & 1 for m, n, o, p, q, r, s in rows])


def _parity_8(masks: list[list[int]], d: list[int]) -> int:
    a, b, c, e, f, g, h, i = d
    rows = zip(*masks, strict=True)
    return _bits(
        [(a & m ^ b & n ^ c & o ^ e & p ^ f & q ^ g & r ^ h & s ^ i & t).bit_count() & 1 for m, n, o, p, q, r, s, t in rows]
    )


_PARITIES = (_parity_1, _parity_2, _parity_3, _parity_4, _parity_5, _parity_6, _parity_7, _parity_8)
