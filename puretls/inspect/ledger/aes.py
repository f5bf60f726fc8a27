"""AES-256-GCM, with which a ticket is opened: the standard library has no cipher. Written to be read, not to be fast."""

import hmac


def double(a: int) -> int:
    """Twice a byte, in the field of 256 elements (FIPS 197 4.2.1)."""
    return (a << 1) ^ (0x11B if a & 0x80 else 0)


def times(a: int, b: int) -> int:
    """The product of two bytes there."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = double(a), b >> 1
    return product


def substitute(byte: int) -> int:
    """The S-box (FIPS 197 5.1.1): the inverse, which is the 254th power, and an affine map of it."""
    inverse, power = 1, byte
    for _ in range(7):
        power = times(power, power)
        inverse = times(inverse, power)
    doubled = inverse * 0x101
    return 0x63 ^ inverse ^ (doubled >> 7 ^ doubled >> 6 ^ doubled >> 5 ^ doubled >> 4) & 0xFF


S_BOX = bytes(substitute(byte) for byte in range(256))


def round_keys(key: bytes) -> list[bytes]:
    """The 15 round keys of a key of 32 bytes (FIPS 197 5.2)."""
    words, constant = [key[start : start + 4] for start in range(0, 32, 4)], 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(S_BOX[byte] for byte in word[1:] + word[:1])
            word, constant = bytes((word[0] ^ constant,)) + word[1:], double(constant)
        elif len(words) % 8 == 4:
            word = bytes(S_BOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word, strict=True)))
    return [b"".join(words[start : start + 4]) for start in range(0, 60, 4)]


def encrypt_block(keys: list[bytes], block: bytes) -> bytes:
    """One block of 16 bytes (FIPS 197 5.1)."""
    state = bytes(a ^ b for a, b in zip(block, keys[0], strict=True))
    for key in keys[1:]:
        rows = [S_BOX[state[5 * place % 16]] for place in range(16)]  # SubBytes and ShiftRows
        if key is not keys[-1]:
            mixed = []
            for start in range(0, 16, 4):
                column = rows[start : start + 4]
                whole = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[row] ^ whole ^ double(column[row] ^ column[(row + 1) % 4]) for row in range(4)]
            rows = mixed
        state = bytes(a ^ b for a, b in zip(rows, key, strict=True))
    return state


def ghash(h: int, data: bytes) -> int:
    """The hash of GCM (NIST SP 800-38D 6.3 and 6.4) of whole blocks; the leftmost bit stands for 1."""
    hashed = 0
    for start in range(0, len(data), 16):
        a, b, product = hashed ^ int.from_bytes(data[start : start + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            product ^= b if a >> bit & 1 else 0
            b = b >> 1 ^ (0xE1 << 120 if b & 1 else 0)
        hashed = product
    return hashed


def aes_256_gcm_open(key: bytes, nonce: bytes, sealed: bytes, additional: bytes) -> bytes:
    """What was sealed (NIST SP 800-38D 7.2); nothing where the tag, its last 16 bytes, does not fit."""
    keys, data, tag = round_keys(key), sealed[:-16], sealed[-16:]
    padded = b"".join(part + bytes(-len(part) % 16) for part in (additional, data))
    lengths = (8 * len(additional)).to_bytes(8, "big") + (8 * len(data)).to_bytes(8, "big")
    hashed = ghash(int.from_bytes(encrypt_block(keys, bytes(16)), "big"), padded + lengths)
    mask = int.from_bytes(encrypt_block(keys, nonce + (1).to_bytes(4, "big")), "big")
    if not hmac.compare_digest((hashed ^ mask).to_bytes(16, "big"), tag):
        return b""
    stream = b"".join(encrypt_block(keys, nonce + count.to_bytes(4, "big")) for count in range(2, 2 + -(-len(data) // 16)))
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
