"""Lesson 8: records under AES-GCM, and under AES-CBC with a MAC."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from random import Random

from puretls.inspect.conversation import Conversation
from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.labs.lessons.tools import cbc_decrypt, gcm_seal

_CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"


def _header(sequence: int, kind: int, length: int) -> bytes:
    """What is authenticated of a record beside its content (RFC 5246 6.2.3.1, 6.2.3.3)."""
    return sequence.to_bytes(8, "big") + bytes([kind]) + b"\x03\x03" + length.to_bytes(2, "big")


def _sealed(random: Random, content: bytes) -> tuple[bytes, bytes, int, bytes]:
    """Key, fixed IV, sequence number, and a record of TLS that holds the content."""
    key, iv, sequence, kind = random.randbytes(16), random.randbytes(4), random.randrange(2**20), random.choice((22, 23))
    explicit = random.randbytes(8)
    fragment = explicit + gcm_seal(key, iv + explicit, content, _header(sequence, kind, len(content)))
    return key, iv, sequence, bytes([kind]) + b"\x03\x03" + len(fragment).to_bytes(2, "big") + fragment


def _real(side: str) -> Iterator[tuple[bytes, bytes, int, bytes, bytes]]:
    """The same of what a side of the lesson's connection sent, and the content."""
    connection = seen("shop")
    key, iv = (bytes(connection.ledger[f"{side}_write_{name}"].value or b"") for name in ("key", "IV"))
    for record in connection.records:
        if record.side == side and record.epoch:
            yield key, iv, record.sequence or 0, record.raw, record.plaintext or b""


def _parts(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "nonce: the 4 bytes of the IV and the first 8 of the fragment; additional data: sequence number in 8 bytes, type, version, "
        "and the length of the content in 2, which is the fragment's without 8 bytes of nonce and 16 of tag"
    )
    for size in (0, 1, 16, 100, 300):
        content = random.randbytes(size)
        _, iv, sequence, record = _sealed(random, content)
        yield Case((iv, sequence, record), (iv + record[5:13], _header(sequence, record[0], size), record[13:]), hint)


def _opened(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = "take nonce, additional data and the rest from gcm_parts, and give them to gcm_open"
    for key, iv, sequence, record, content in _real(random.choice(("client", "server"))):
        yield Case((key, iv, sequence, record), content, f"this is a record of the lesson; {hint}")
    for change in range(5):
        key, iv, sequence, record = _sealed(random, b"tea")
        at = (0, 5, 13, len(record) - 1, None)[change]
        if at is None:
            hint = "with another sequence number it must not open: so nobody can leave out, repeat or swap records"
            yield Case((key, iv, sequence + 1, record), None, hint)
        else:
            bent = bytearray(record)
            bent[at] ^= 1
            yield Case((key, iv, sequence, bytes(bent)), None, "one bit of this record was changed: None is what must come")


def _mac(key: bytes, sequence: int, kind: int, content: bytes) -> bytes:
    return hmac.digest(key, _header(sequence, kind, len(content)) + content, "sha1")


def _padded(data: bytes, blocks: int = 0) -> bytes:
    """With padding to whole blocks of 16, and so many blocks more."""
    count = 15 - len(data) % 16 + 16 * blocks
    return data + bytes([count]) * (count + 1)


def _checked(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "the last byte says how many bytes of padding stand in front of it, all of that value; in front of them are 20 bytes of MAC: "
        "HMAC-SHA1 over sequence number, type, version, length of the content, content"
    )
    for key, sequence, kind, plain, content in _decrypted(seen("shop", _CBC, mac_first=True)):
        yield Case((plain, key, sequence, kind), content, f"this was decrypted from a record of a connection; {hint}")
    for size, blocks in ((0, 0), (11, 0), (12, 0), (50, 3), (200, 14)):
        key, sequence, kind, content = (
            random.randbytes(20),
            random.randrange(2**30),
            random.choice((21, 22, 23)),
            random.randbytes(size),
        )
        yield Case((_padded(content + _mac(key, sequence, kind, content), blocks), key, sequence, kind), content, hint)
    yield from _refused(random)


def _decrypted(connection: Conversation) -> Iterator[tuple[bytes, int, int, bytes, bytes]]:
    key, mac_key = (bytes(connection.ledger[f"client_write_{name}"].value or b"") for name in ("key", "MAC_key"))
    for record in connection.records:
        if record.side == "client" and record.epoch:
            fragment = record.raw[5:]
            plain = cbc_decrypt(key, fragment[:16], fragment[16:])
            yield mac_key, record.sequence or 0, record.content_type, plain, record.plaintext or b""


def _refused(random: Random) -> Iterator[Case]:
    """What must not be accepted: a wrong MAC, wrong padding, padding that leaves no room for a MAC."""
    key, sequence, kind = random.randbytes(20), 7, 23
    whole = b"tea" + _mac(key, sequence, kind, b"tea")
    bent = whole[:-1] + bytes([whole[-1] ^ 1])
    yield Case((_padded(bent), key, sequence, kind), None, "this MAC is wrong")
    yield Case((_padded(whole), key, sequence + 1, kind), None, "the sequence number is part of what the MAC covers")
    padded = bytearray(_padded(whole, 1))
    padded[len(whole) + 2] ^= 1
    hint = "every byte of padding must have the right value: what SSL 3.0 left open here was used by POODLE in 2014"
    yield Case((bytes(padded), key, sequence, kind), None, hint)
    hint = "the last byte may lie: where there is no room for padding and MAC, the answer is None and not an error"
    yield Case((bytes(31) + b"\xff", key, sequence, kind), None, hint)
    yield Case((b"\x0f" * 16, key, sequence, kind), None, hint)


EXERCISES = (
    Exercise("gcm_parts", _parts),
    Exercise("open_gcm", _opened),
    Exercise("open_cbc", _checked),
)
