"""RC2 (RFC 2268) in CBC mode, decryption alone: what PKCS#12 files made before 2021 hide their certificates with. Never written."""

from __future__ import annotations

import struct

BLOCK = 8
_PI = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32"
    "bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a"
    "961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e"
    "c5f3db47e5a59c770aa62068fe7fc1ad"
)
"""A permutation of the bytes from the digits of pi (RFC 2268 2)."""
_ROTATIONS = (1, 2, 3, 5)
_MIX, _MASH = "mix", "mash"
_ROUNDS = (*[_MIX] * 5, _MASH, *[_MIX] * 6, _MASH, *[_MIX] * 5)


def expand_key(key: bytes, effective_bits: int) -> tuple[int, ...]:
    """The 64 words of RFC 2268 2."""
    expanded = bytearray(key)
    for i in range(len(key), 128):
        expanded.append(_PI[(expanded[i - 1] + expanded[i - len(key)]) % 256])
    length = (effective_bits + 7) // 8
    expanded[128 - length] = _PI[expanded[128 - length] & (255 >> (8 * length - effective_bits))]
    for i in range(127 - length, -1, -1):
        expanded[i] = _PI[expanded[i + 1] ^ expanded[i + length]]
    return struct.unpack("<64H", expanded)


def _decrypt_block(words: tuple[int, ...], block: bytes) -> bytes:
    r = list(struct.unpack("<4H", block))
    j = 63
    for kind in reversed(_ROUNDS):
        for i in (3, 2, 1, 0):
            if kind == _MASH:
                r[i] = (r[i] - words[r[i - 1] & 63]) & 0xFFFF
                continue
            s = _ROTATIONS[i]
            rotated = (r[i] >> s | r[i] << (16 - s)) & 0xFFFF
            r[i] = (rotated - words[j] - (r[i - 1] & r[i - 2]) - (~r[i - 1] & r[i - 3])) & 0xFFFF
            j -= 1
    return struct.pack("<4H", *r)


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """`data` of whole blocks under a key whose effective bits are all of its bits."""
    words = expand_key(key, 8 * len(key))
    out = bytearray()
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        out += bytes(a ^ b for a, b in zip(_decrypt_block(words, block), iv, strict=True))
        iv = block
    return bytes(out)
