"""Keys from passwords: PBKDF2 (RFC 8018 5.2), the PKCS#12 derivation (RFC 7292 B), and OpenSSL's for traditional PEM.

`hashlib.pbkdf2_hmac` needs `_hashlib` from CPython 3.12 on, hence one of our own on `hmac`.
"""

from __future__ import annotations

import hashlib
import hmac

from puretls.crypto.secret import Secret
from puretls.errors import DecodeError

MAX_ITERATIONS = 1_000_000
"""More is refused: the count comes from the file, and a hostile one would hold the process for hours. OWASP asks for 600,000 (2023)."""


def check_iterations(iterations: int, path: str) -> int:
    """`iterations`, or `DecodeError` where it is not in 1..`MAX_ITERATIONS`."""
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise DecodeError(f"an iteration count of {iterations:#x} is outside 1..{MAX_ITERATIONS}", path=path, rfc="RFC 8018 5.2")
    return iterations


def rounds(hash_name: str, iterations: int, length: int) -> int:
    """What `pbkdf2` costs: iterations times the blocks of output."""
    return iterations * -(-length // hashlib.new(hash_name).digest_size)


def pkcs12_rounds(hash_name: str, iterations: int, *lengths: int) -> int:
    """What deriving these lengths by `pkcs12_kdf` costs in the same unit: it is in Python, and a round counts twice."""
    return 2 * sum(rounds(hash_name, iterations, length) for length in lengths)


def pbkdf2(hash_name: str, password: bytes, salt: bytes, iterations: int, length: int) -> Secret:
    """`length` bytes of PBKDF2-HMAC with the hash `hash_name` (a name for `hashlib.new`)."""
    native = getattr(hashlib, "pbkdf2_hmac", None)
    if native is not None and native.__module__ == "_hashlib":  # CPython 3.11 has one in Python too, which warns and is slower
        return Secret(native(hash_name, password, salt, iterations, length))
    return pbkdf2_python(hash_name, password, salt, iterations, length)


def pbkdf2_python(hash_name: str, password: bytes, salt: bytes, iterations: int, length: int) -> Secret:
    """The same in Python (RFC 8018 5.2, steps 2 to 4)."""
    keyed = hmac.new(password, None, hash_name)
    output = b""
    index = 1
    while len(output) < length:
        block = _mac(keyed, salt + index.to_bytes(4, "big"))
        total = int.from_bytes(block, "big")
        for _ in range(iterations - 1):
            block = _mac(keyed, block)
            total ^= int.from_bytes(block, "big")
        output += total.to_bytes(len(block), "big")
        index += 1
    return Secret(output[:length])


def _mac(keyed: hmac.HMAC, data: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(data)
    return mac.digest()


PKCS12_KEY, PKCS12_IV, PKCS12_MAC = 1, 2, 3
"""The purposes of RFC 7292 B.3."""


def pkcs12_kdf(hash_name: str, password: bytes, salt: bytes, iterations: int, length: int, purpose: int) -> Secret:
    """RFC 7292 B.2. `password` is the BMPString with its terminating zeros (see `bmp_password`)."""
    make = getattr(hashlib, hash_name)  # the constructor itself: `hashlib.new` would double the time of the loop below
    size, block = make().digest_size, make().block_size
    diversifier = bytes([purpose]) * block
    state = _repeat(salt, block) + _repeat(password, block)
    output = b""
    while len(output) < length:
        chunk = make(diversifier + state).digest()
        for _ in range(iterations - 1):
            chunk = make(chunk).digest()
        output += chunk
        addend = int.from_bytes((chunk * (block // size + 1))[:block], "big") + 1
        state = b"".join(
            ((int.from_bytes(state[at : at + block], "big") + addend) % (1 << 8 * block)).to_bytes(block, "big")
            for at in range(0, len(state), block)
        )
    return Secret(output[:length])


def _repeat(data: bytes, block: int) -> bytes:
    """`data` repeated to whole blocks, the last copy cut off; empty stays empty (RFC 7292 B.2, steps 2 and 3)."""
    if not data:
        return b""
    length = block * -(-len(data) // block)
    return (data * (length // len(data) + 1))[:length]


def bmp_password(password: str | None) -> Secret:
    """RFC 7292 B.1: the password as a BMPString with two zero bytes at its end (UTF-16 where a character needs it).

    No password at all, None, is no byte at all: writers differ on what an empty one is.
    """
    if password is None:
        return Secret(b"")
    return Secret(password.encode("utf-16-be", "surrogatepass") + b"\0\0")


def openssl_kdf(password: bytes, salt: bytes, length: int) -> Secret:
    """The derivation of traditional encrypted PEM (`EVP_BytesToKey` with MD5, one round): weak, for old files alone."""
    output = chunk = b""
    while len(output) < length:
        chunk = hashlib.md5(chunk + password + salt, usedforsecurity=False).digest()
        output += chunk
    return Secret(output[:length])
