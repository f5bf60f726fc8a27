"""Constants of AES: the S-box as a translation table, and multiples for MixColumns.

Indexed by secrets where they are used: `table_free` ciphers keep away from this module.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import xor

SBOX = bytes.fromhex(
    "637c777bf26b6fc53001672bfed7ab76ca82c97dfa5947f0add4a2af9ca472c0b7fd9326363ff7cc34a5e5f171d8311504c723c31896059a071280e2eb27b275"
    "09832c1a1b6e5aa0523bd6b329e32f8453d100ed20fcb15b6acbbe394a4c58cfd0efaafb434d338545f9027f503c9fa851a3408f929d38f5bcb6da2110fff3d2"
    "cd0c13ec5f974417c4a77e3d645d197360814fdc222a908846eeb814de5e0bdbe0323a0a4906245cc2d3ac629195e479e7c8376d8dd54ea96c56f4ea657aae08"
    "ba78252e1ca6b4c6e8dd741f4bbd8b8a703eb5664803f60e613557b986c11d9ee1f8981169d98e949b1e87e9ce5528df8ca1890dbfe6426841992d0fb054bb16"
)
"""FIPS 197 5.1.1, for `bytes.translate`."""
DOUBLE = bytes(range(0, 256, 2)) + bytes([x ^ 0x1B for x in range(0, 256, 2)])
"""Every byte times 2 in GF(2^8) (FIPS 197 4.2.1)."""
DOUBLE_SBOX = SBOX.translate(DOUBLE)


def _sum(*tables: bytes) -> bytes:
    return reduce(xor, map(int.from_bytes, tables)).to_bytes(256)


@cache
def inverse_tables() -> tuple[bytes, ...]:
    """The inverse S-box, and the same times 14, 11, 13 and 9 (FIPS 197 5.3)."""
    inverse = bytes(sorted(range(256), key=SBOX.__getitem__))
    by2, by4 = DOUBLE, DOUBLE.translate(DOUBLE)
    by1, by8 = bytes(range(256)), by4.translate(DOUBLE)
    multiples = [_sum(by8, by4, by2), _sum(by8, by2, by1), _sum(by8, by4, by1), _sum(by8, by1)]
    return inverse, *(inverse.translate(table) for table in multiples)
