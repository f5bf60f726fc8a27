"""Counter mode for many records at once on 128 bit planes, and the way of records into planes and out.

Records are equally long and 8 k in number, r of them; lane n * r + k belongs to block n of record k.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from puretls.crypto.kernels.aes.planes import Block, byte_key_planes, encrypt_bytes, swap_masks, transpose


def keystream_planes(schedule: bytes, prefixes: Sequence[bytes], start: int, blocks: int) -> Block:
    """Keystream of the counters start + 1 to start + blocks and, in the top r lanes, of the counter `start`.

    Each prefix is the 13 bytes of the counter block before the counter. The planes carry garbage above their lanes.
    """
    records = len(prefixes)
    counters = _counter_planes(records, start, blocks)
    planes = [_spread_over_blocks(bytes([prefix[p] for prefix in prefixes]), blocks + 1) for p in range(13)]
    return encrypt_bytes([*planes, *counters], byte_key_planes(schedule, records * (blocks + 1)))


def _spread_over_blocks(column: bytes, blocks: int) -> tuple[int, ...]:
    """The planes of one byte of the counter block, which is the same in all blocks of a record."""
    size = len(column) // 8
    masks = swap_masks(size)
    planes = transpose([int.from_bytes(column[j::8], "little") for j in range(8)], masks)
    return tuple([int.from_bytes(plane.to_bytes(size, "little") * blocks, "little") for plane in planes])


@lru_cache(maxsize=8)
def _counter_planes(records: int, start: int, blocks: int) -> Block:
    counters = b"".join([i.to_bytes(3) for i in (*range(start + 1, start + blocks + 1), start)])
    size = records // 8
    ones = b"\xff" * size, bytes(size)
    return [
        tuple([int.from_bytes(b"".join([ones[not byte >> b & 1] for byte in counters[p::3]]), "little") for b in range(8)])
        for p in range(3)
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
