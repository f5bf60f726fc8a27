"""Lesson 2: a ClientHello taken apart, its extensions, the name of the server in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from puretls.labs.lessons.handshakes import body, seen
from puretls.labs.lessons.lesson import Case, Exercise

_VERSION = 0x0303


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _vector(data: bytes, size: int) -> bytes:
    """`data` behind its length in `size` bytes."""
    return len(data).to_bytes(size, "big") + data


def _block(extensions: Iterable[tuple[int, bytes]]) -> bytes:
    return _vector(b"".join(_two(kind) + _vector(data, 2) for kind, data in extensions), 2)


def _drawn(random: Random) -> tuple[bytes, bytes, list[int], bytes]:
    """Random, session id, suites and compression methods of a hello."""
    suites = random.sample(range(0xC000, 0xC0FF), random.randrange(1, 9))
    return random.randbytes(32), random.randbytes(random.choice((0, 8, 32))), suites, random.choice((b"\0", b"\1\0"))


def _fixed(client_random: bytes, session_id: bytes, suites: Iterable[int], compression: bytes) -> bytes:
    """A ClientHello without extensions."""
    offered = b"".join(map(_two, suites))
    return _two(_VERSION) + client_random + _vector(session_id, 1) + _vector(offered, 2) + _vector(compression, 1)


def _extensions(random: Random) -> list[tuple[int, bytes]]:
    kinds = random.sample((0, 5, 10, 11, 13, 16, 22, 23, 35, 0xFF01), random.randrange(1, 5))
    return [(kind, random.randbytes(random.choice((0, 0, 3, 20)))) for kind in kinds]


def _hellos(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "the order is version (2 bytes), random (32), session_id, cipher_suites, compression_methods; the length in front of the "
        "first and the last of these has 1 byte, that in front of cipher_suites has 2, and counts bytes, not suites"
    )
    for number in range(10):
        drawn = _drawn(random)
        behind = _block(_extensions(random)) if number % 2 else b""
        yield Case((_fixed(*drawn) + behind,), (_VERSION, *drawn), hint)
    real = seen("shop").messages[0].message
    expected = (_VERSION, real.random, real.session_id, list(map(int, real.cipher_suites)), bytes(real.compression_methods))  # type: ignore[union-attr]
    yield Case((body(seen("shop"), "client.ClientHello"),), expected, hint)


def _blocks(seed: str) -> Iterator[Case]:
    random = Random(seed)
    for _ in range(8):
        extensions = _extensions(random)
        hint = "walk over the fields in front first: session_id, cipher_suites and compression_methods have no fixed length"
        yield Case((_fixed(*_drawn(random)) + _block(extensions),), extensions, hint)
    hint = "a hello may end behind compression_methods: then it has no extensions at all, and no length of them either"
    yield Case((_fixed(*_drawn(random)),), [], hint)
    yield Case((_fixed(*_drawn(random)) + _block([]),), [], "the block is there, and its length is zero")


def _names(seed: str) -> Iterator[Case]:
    random = Random(seed)
    host = f"{random.choice(('tea', 'www', 'mail'))}{random.randrange(100)}.shop.test"
    entry = b"\0" + _vector(host.encode(), 2)
    hint = "server_name_list has a length of 2 bytes; each entry has a type of 1 byte (0: host_name), a length of 2 bytes, a name"
    yield Case((_vector(entry, 2),), host, hint)
    other = b"\7" + _vector(random.randbytes(9), 2)
    yield Case((_vector(other + entry, 2),), host, "entries of other types may come first: step over them by their length")
    yield Case((_vector(other, 2),), None, "there is an entry here, and it is no host_name")
    yield Case(
        (b"",), None, "the extension may be empty: a server that took the name into account answers so (RFC 6066 section 3)"
    )


EXERCISES = (
    Exercise("parse_client_hello", _hellos),
    Exercise("parse_extensions", _blocks),
    Exercise("host_name", _names),
)
