"""Lesson 11: what an alert says, how a connection ended, and headers that must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls.errors import PeerError
from puretls.iana import AlertDescription, AlertLevel
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.messages.records import MAX_PLAINTEXT
from puretls.record.framing import MAX_EXPANSION, Framer

_FIRST = b"\x16\x03\x03\x00\x00"
_VERSION = 0x0303
Event = tuple[str, bytes]
_CLOSE = bytes([AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY])
_WARNING = bytes([AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION])
_FATAL = bytes([AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE])


def _alerts(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "the first byte is the level, 1 warning or 2 fatal; the second the description; an alert has these two bytes and no more"
    )
    for description in random.sample(list(AlertDescription), 8):
        level = random.choice((1, 2))
        yield Case((bytes([level, description]),), (level == 2, int(description)), hint)
    for fragment in (b"", b"\2", b"\2\x28\0", b"\0\x28", b"\3\x28", b"\xff\0"):
        yield Case(
            (fragment,), None, "this is no alert: the length must be 2 and the level 1 or 2, and whatever else comes is refused"
        )


def _endings(seed: str) -> Iterator[Case]:
    random = Random(seed)
    data: Event = ("data", b"tea")
    end: Event = ("end", b"")
    hint = (
        "the first thing that ends it decides: close_notify (description 0) ends it well, every fatal alert ends it badly, the end of "
        "TCP without either is a truncation; other warnings and data end nothing"
    )
    shapes: tuple[tuple[tuple[Event, ...], str], ...] = (
        ((data, ("alert", _CLOSE), end), "closed"),
        ((data, end), "truncated"),
        ((("alert", _FATAL), end), "failed"),
        ((data, ("alert", _WARNING), data), "open"),
        ((), "open"),
        ((("alert", _WARNING), end), "truncated"),
        ((("alert", _WARNING), ("alert", _CLOSE)), "closed"),
        ((("alert", _CLOSE), ("alert", _FATAL), end), "closed"),
        ((data, data, ("alert", _FATAL), ("alert", _CLOSE)), "failed"),
        ((("alert", bytes([2, 0])), end), "closed"),
    )
    for events, ending in random.sample(shapes, len(shapes)):
        more = [data] * random.randrange(3)
        yield Case(([*more, *events],), ending, hint)


def _refusals(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "in this order: a type other than 20 to 23 gets unexpected_message (10), another version protocol_version (70), too great a "
        "length record_overflow (22): more than 2^14, or 2^14 + 2048 where the record is encrypted; else None"
    )
    fixed = (
        (23, 0x0303, 2**14, False),
        (23, 0x0303, 2**14 + 1, False),
        (23, 0x0303, 2**14 + 2048, True),
        (22, 0x0303, 2**14 + 2049, True),
    )
    drawn = []
    for _ in range(12):
        kind = random.choice((20, 21, 22, 23, 0, 24, 128))
        # an alert of a peer that would rather speak an older version is read by puretls all the same
        version = 0x0303 if kind == 21 else random.choice((0x0303, 0x0303, 0x0302, 0x0304, 0x0403))
        drawn.append((kind, version, random.choice((0, 5, 2**14 + 100, 2**15)), random.random() < 0.5))
    for kind, version, length, protected in (*fixed, *drawn):
        header = bytes([kind]) + version.to_bytes(2, "big") + length.to_bytes(2, "big")
        yield Case((header, protected), _refusal(header, protected), hint)


def _refusal(header: bytes, protected: bool) -> int | None:
    """What the framing of puretls says of a header that is not the first one."""
    framer = Framer()
    framer.feed(_FIRST)
    framer.next()
    framer.feed(header)
    try:
        framer.next(limit=MAX_PLAINTEXT + MAX_EXPANSION * protected, version=_VERSION)
    except PeerError as error:
        return int(error.alert)
    return None


EXERCISES = (
    Exercise("read_alert", _alerts),
    Exercise("ending", _endings),
    Exercise("refusal", _refusals),
)
