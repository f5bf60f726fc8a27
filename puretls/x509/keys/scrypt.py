"""scrypt (RFC 7914), behind which `openssl pkcs8 -scrypt` puts keys. `hashlib.scrypt` needs OpenSSL, hence one of our own.

Salsa20/8 works on whole rows: each of the four is one integer with a word in every 64 bits, so that sums do not run into each other.
The words lie by diagonals from the beginning to the end, as in implementations for vector units: what goes in and out of the mixing is
only added and xored.
"""

from __future__ import annotations

import hashlib
import struct

from puretls.crypto.secret import Secret
from puretls.errors import DecodeError
from puretls.x509.keys.pbkdf import pbkdf2

MAX_WORK = 2**20
"""The largest N r p. OpenSSL writes 2^17, which takes a dozen seconds here; the parameters come from the file."""

_LANES = struct.Struct("<16Q")
_WORDS = struct.Struct("<16I")
_DIAGONALS = (0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11)
_BACK = tuple(_DIAGONALS.index(word) for word in range(16))
_ROW = (1 << 256) - 1
_LOW = sum(0xFFFFFFFF << 64 * lane for lane in range(4))
_ALL_LOW = sum(0xFFFFFFFF << 64 * lane for lane in range(16))


def check_work(cost: int, block_size: int, parallel: int, path: str) -> None:
    """Raises `DecodeError` for parameters that RFC 7914 2 does not allow, or that are more work than `MAX_WORK`."""
    if cost < 2 or cost & (cost - 1) or block_size < 1 or parallel < 1:
        raise DecodeError("scrypt parameters that are none", path=path, rfc="RFC 7914 2")
    if cost * block_size * parallel > MAX_WORK:
        raise DecodeError(f"scrypt parameters that ask for more than {MAX_WORK} blocks of work", path=path, rfc="RFC 7914 2")


def rounds(cost: int, block_size: int, parallel: int) -> int:
    """What it costs in the unit of `pbkdf.rounds`."""
    return 8 * cost * block_size * parallel


def scrypt(password: bytes, salt: bytes, cost: int, block_size: int, parallel: int, length: int) -> Secret:
    """`length` bytes. `cost`, `block_size` and `parallel` are N, r and p of RFC 7914 2; memory is some 400 N r bytes."""
    native = getattr(hashlib, "scrypt", None)
    if native is not None:
        memory = 256 * block_size * (cost + parallel + 2)
        return Secret(native(password, salt=salt, n=cost, r=block_size, p=parallel, maxmem=memory, dklen=length))
    return scrypt_python(password, salt, cost, block_size, parallel, length)


def scrypt_python(password: bytes, salt: bytes, cost: int, block_size: int, parallel: int, length: int) -> Secret:
    """The same in Python (RFC 7914 6)."""
    size = 128 * block_size
    blocks = pbkdf2("sha256", password, salt, 1, parallel * size)
    mixed = b"".join(_mixed(blocks[at : at + size], cost) for at in range(0, len(blocks), size))
    return pbkdf2("sha256", password, mixed, 1, length)


def _mixed(block: bytes, cost: int) -> bytes:
    """ScryptROMix (RFC 7914 5)."""
    state = [_packed(block[at : at + 64]) for at in range(0, len(block), 64)]
    seen = []
    for _ in range(cost):
        seen.append(state)
        state = _block_mix(state)
    for _ in range(cost):
        chosen = seen[state[-1] & (cost - 1)]
        state = _block_mix([one ^ other for one, other in zip(state, chosen, strict=True)])
    return b"".join(map(_unpacked, state))


def _packed(chunk: bytes) -> int:
    words = _WORDS.unpack(chunk)
    return int.from_bytes(_LANES.pack(*(words[at] for at in _DIAGONALS)), "little")


def _unpacked(state: int) -> bytes:
    words = _LANES.unpack(state.to_bytes(128, "little"))
    return _WORDS.pack(*(words[at] for at in _BACK))


def _block_mix(state: list[int]) -> list[int]:
    """ScryptBlockMix (RFC 7914 4)."""
    last, mixed = state[-1], []
    for chunk in state:
        last = _salsa20_8(last ^ chunk)
        mixed.append(last)
    return mixed[::2] + mixed[1::2]


def _salsa20_8(state: int) -> int:
    """Salsa20/8 (RFC 7914 3): four double rounds, each on columns and then, with three rows turned, on rows."""
    low, row = _LOW, _ROW
    a, b, c, d = state & row, state >> 256 & row, state >> 512 & row, state >> 768
    for _ in range(4):
        t = a + d & low
        b ^= (t << 7 | t >> 25) & low
        t = b + a & low
        c ^= (t << 9 | t >> 23) & low
        t = c + b & low
        d ^= (t << 13 | t >> 19) & low
        t = d + c & low
        a ^= (t << 18 | t >> 14) & low
        b, c, d = (b << 64 | b >> 192) & row, (c << 128 | c >> 128) & row, (d << 192 | d >> 64) & row
        t = a + b & low
        d ^= (t << 7 | t >> 25) & low
        t = d + a & low
        c ^= (t << 9 | t >> 23) & low
        t = c + d & low
        b ^= (t << 13 | t >> 19) & low
        t = b + c & low
        a ^= (t << 18 | t >> 14) & low
        b, c, d = (b << 192 | b >> 64) & row, (c << 128 | c >> 128) & row, (d << 64 | d >> 192) & row
    return state + (a | b << 256 | c << 512 | d << 768) & _ALL_LOW
