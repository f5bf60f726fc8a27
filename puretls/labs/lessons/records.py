"""Lesson 1: headers of records, streams of records, messages that lie across them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise

_VERSION = b"\x03\x03"


def _record(kind: int, fragment: bytes) -> bytes:
    return bytes([kind]) + _VERSION + len(fragment).to_bytes(2, "big") + fragment


def _headers(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = "type is 1 byte, version 2, length 2; numbers of several bytes are big-endian"
    for record in seen("shop").records[:3]:
        yield Case((record.raw,), (record.content_type, record.version, len(record.raw) - 5), hint)
    for _ in range(8):
        kind, version, length = random.choice((20, 21, 22, 23)), random.choice((0x0301, 0x0302, 0x0303)), random.randrange(2**14)
        data = bytes([kind]) + version.to_bytes(2, "big") + length.to_bytes(2, "big") + random.randbytes(3)
        yield Case((data,), (kind, version, length), "the header alone tells the length: the fragment may not all be there yet")


def _streams(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for _ in range(6):
        records = [(random.choice((21, 22, 23)), random.randbytes(random.randrange(40))) for _ in range(random.randrange(1, 5))]
        whole = b"".join(_record(*record) for record in records)
        yield Case((whole,), (records, b""), "a record ends 5 + length bytes after it begins, and the next begins there")
        last = _record(22, random.randbytes(20))
        rest = last[: random.randrange(1, len(last))]
        hint = "of the last record only a part has come, perhaps not even its header: give back what is left as rest"
        yield Case((whole + rest,), (records, rest), hint)
    yield Case((b"",), ([], b""), "an empty stream has no records, and nothing is left")
    client = seen("shop").client.data
    real = [(record.raw[0], record.raw[5:]) for record in seen("shop").records if record.side == "client"]
    yield Case((client,), (real, b""), "this is what the client of the lesson sent")


def _fragments(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "put all fragments together first: neither a message nor its header has to end where a record ends; the header of a "
        "message has 4 bytes, of which 3 are the length"
    )
    for count, most in ((1, 10**6), (3, 10**6), (3, 40), (3, 3), (4, 1), (5, 5), (3, 300)):
        messages = [(random.choice((2, 11, 12, 14)), random.randbytes(random.choice((0, 5, 50, 300)))) for _ in range(count)]
        stream = b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in messages)
        yield Case((list(_cut(random, stream, most)),), messages, hint)


def _cut(random: Random, stream: bytes, most: int) -> Iterator[bytes]:
    """The stream in pieces of at most so many bytes; in one where there is no such bound."""
    while stream:
        size = random.randrange(1, most + 1) if most < len(stream) else len(stream)
        yield stream[:size]
        stream = stream[size:]


EXERCISES = (
    Exercise("record_header", _headers),
    Exercise("split_records", _streams),
    Exercise("join_messages", _fragments),
)
