"""AES one block at a time, by sixteen tables of 256 entries: for chains, where one block waits for the last.

The table indices are secret bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack

from puretls.crypto.kernels.aes.tables import SBOX, block_tables


def round_keys(schedule: bytes) -> tuple[int, ...]:
    """The expanded key as one integer a round."""
    return tuple([int.from_bytes(schedule[i : i + 16]) for i in range(0, len(schedule), 16)])


def chain(keys: Sequence[int], previous: int, data: bytes) -> bytes:
    """CBC encryption of whole blocks after the block `previous` (SP 800-38A 6.2)."""
    first, *middle, last = keys
    t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, ta, tb, tc, td, te, tf = block_tables()
    halves = iter(unpack(f">{len(data) // 8}Q", data))
    output = []
    x = previous
    for high, low in zip(halves, halves, strict=True):
        x ^= (high << 64 | low) ^ first
        for key in middle:
            a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = x.to_bytes(16)  # noqa: E741
            x = t0[a] ^ t1[b] ^ t2[c] ^ t3[d] ^ t4[e] ^ t5[f] ^ t6[g] ^ t7[h] ^ key
            x ^= t8[i] ^ t9[j] ^ ta[k] ^ tb[l] ^ tc[m] ^ td[n] ^ te[o] ^ tf[p]
        # ShiftRows takes byte 5 i mod 16 to place i (FIPS 197 5.1.2).
        x = int.from_bytes((x.to_bytes(16).translate(SBOX) * 5)[::5]) ^ last
        output.append(x.to_bytes(16))
    return b"".join(output)
