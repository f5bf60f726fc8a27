"""Counter mode for many records at once on 128 bit planes, and the way of records into planes and out.

Records are equally long and 8 k in number, r of them; lane n * r + k belongs to block n of record k.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from puretls.crypto.kernels.aes.planes import (
    Block,
    add,
    byte_key_planes,
    byte_rounds,
    double,
    shift_and_mix,
    swap_masks,
    transpose,
    xor,
)
from puretls.crypto.kernels.generated.aes_sbox import Planes, sub

_ZERO: Planes = (0,) * 8

# glibc gives memory back as soon as 128 KiB at the end of its heap are free, and each batch would get its megabytes page by page anew.
# Once a block is let go that was mapped by itself, twice its size may be free (mallopt(3), M_MMAP_THRESHOLD).
bytes(4 << 20)


def keystream_planes(schedule: bytes, prefixes: Sequence[bytes], start: int, blocks: int) -> Block:
    """Keystream of the counters start + 1 to start + blocks and, in the top r lanes, of the counter `start`.

    Each prefix is the 13 bytes of the counter block before the counter, which stays below 2^16. The planes carry garbage above
    their lanes.
    """
    records = len(prefixes)
    lanes = records * (blocks + 1)
    keys = byte_key_planes(schedule, lanes)
    return byte_rounds(_two_rounds(schedule, keys, prefixes, _counter_planes(records, start, blocks), lanes), keys[3:])


def _two_rounds(schedule: bytes, keys: Sequence[Block], prefixes: Sequence[bytes], counters: Block, lanes: int) -> Block:
    """The counter blocks after two rounds.

    What is the same in all blocks of a record is computed in r lanes: the first round but for bytes 14 and 15, and of the second
    SubBytes of columns 2 and 3, which those two bytes have not reached (see `counter.first_round`).
    """
    records = len(prefixes)
    few = byte_key_planes(schedule[:32], records)
    same = add(blocks_to_planes([prefix + bytes(3) for prefix in prefixes]), few[0])
    same = shift_and_mix([sub(*planes) for planes in same[:14]] + [_ZERO] * 2, few[1])
    a, b = (sub(*planes) for planes in add(counters, keys[0][14:]))
    a2, b2 = double(a), double(b)
    differing = b, b, xor(b, b2), b2, a, xor(a, a2), a2, a
    substituted = [sub(*xor(_spread(planes, records, lanes), by)) for planes, by in zip(same[:8], differing, strict=True)]
    return shift_and_mix(substituted + [_spread(sub(*planes), records, lanes) for planes in same[8:]], keys[2])


def _spread(planes: Planes, records: int, lanes: int) -> Planes:
    """The lowest r lanes in all lanes."""
    lowest = (1 << records) - 1
    return tuple([_repeated(plane & lowest, records, lanes) for plane in planes])


def _repeated(x: int, width: int, total: int) -> int:
    """The bits of x again and again, each time `width` places higher, `total` places in all: a multiple of `width`."""
    if width == total:
        return x
    half = (total // width + 1) // 2 * width
    x = _repeated(x, width, half)
    return x | x << total - half


@lru_cache(maxsize=8)
def _counter_planes(records: int, start: int, blocks: int) -> Block:
    """The planes of bytes 14 and 15."""
    counters = b"".join([i.to_bytes(2) for i in (*range(start + 1, start + blocks + 1), start)])
    size = records // 8
    ones = b"\xff" * size, bytes(size)
    return [
        tuple([int.from_bytes(b"".join([ones[not byte >> b & 1] for byte in counters[p::2]]), "little") for b in range(8)])
        for p in range(2)
    ]


def to_planes(records: Sequence[bytes]) -> Block:
    """The 16 x 8 planes of records of whole blocks."""
    r = len(records)
    size = len(records[0]) // 16 * r // 8
    masks = swap_masks(size)
    block: Block = []
    lanes = bytearray(size)
    for p in range(16):
        x = []
        for j in range(8):
            for k in range(r // 8):
                lanes[k :: r // 8] = records[8 * k + j][p::16]
            x.append(int.from_bytes(lanes, "little"))
        block.append(transpose(x, masks))
    return block


def from_planes(block: Block, r: int, blocks: int) -> list[bytes]:
    """The records of 16 x 8 planes; what lies above the lanes is dropped."""
    size = blocks * r // 8
    masks = swap_masks(size)
    records = [bytearray(16 * blocks) for _ in range(r)]
    for p, planes in enumerate(block):
        for j, x in enumerate(transpose(planes, masks)):
            lanes = x.to_bytes(max(size, (x.bit_length() + 7) // 8), "little")[:size]
            for k in range(r // 8):
                records[8 * k + j][p::16] = lanes[k :: r // 8]
    return [bytes(record) for record in records]


def blocks_to_planes(blocks: Sequence[bytes]) -> Block:
    """`to_planes` of records of one block."""
    joined = b"".join(blocks)
    masks = swap_masks(len(blocks) // 8)
    return [transpose([int.from_bytes(joined[16 * j + p :: 128], "little") for j in range(8)], masks) for p in range(16)]


def blocks_from_planes(block: Block, r: int) -> list[bytes]:
    """`from_planes` for records of one block."""
    joined = bytearray(16 * r)
    masks, lanes = swap_masks(r // 8), (1 << r) - 1
    for p, planes in enumerate(block):
        for j, x in enumerate(transpose(planes, masks)):
            joined[16 * j + p :: 128] = (x & lanes).to_bytes(r // 8, "little")
    return [bytes(joined[i : i + 16]) for i in range(0, 16 * r, 16)]
