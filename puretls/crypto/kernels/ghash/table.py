"""GHASH by sixteen tables of 256 products each (SP 800-38D 6.4), indexed by the bytes of the state.

The indices are secret only as far as the hash state is: ciphertext mixed with powers of the hash key.
"""

from __future__ import annotations

from struct import unpack

from puretls.crypto.kernels.ghash.field import times_x

Tables = tuple[list[int], ...]


def tables(h: int) -> Tables:
    """Products of h with every byte in each of the sixteen places; 208 KiB."""
    places = []
    for _ in range(16):
        products = []
        for _ in range(8):
            products.append(h)
            h = times_x(h)
        table = [0]
        for product in reversed(products):
            table += [entry ^ product for entry in table]
        places.append(table)
    return tuple(places)


def update(places: Tables, y: int, data: bytes) -> int:
    """GHASH of whole blocks after the state `y`."""
    t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, ta, tb, tc, td, te, tf = places
    halves = iter(unpack(f">{len(data) // 8}Q", data))
    for high, low in zip(halves, halves, strict=True):
        a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = (y ^ (high << 64 | low)).to_bytes(16)  # noqa: E741
        y = t0[a] ^ t1[b] ^ t2[c] ^ t3[d] ^ t4[e] ^ t5[f] ^ t6[g] ^ t7[h]
        y ^= t8[i] ^ t9[j] ^ ta[k] ^ tb[l] ^ tc[m] ^ td[n] ^ te[o] ^ tf[p]
    return y
