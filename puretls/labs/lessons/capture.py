"""Lesson 12: TCP put together, secrets from a key log, and the byte that somebody changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from puretls.labs.lessons.handshakes import message, seen
from puretls.labs.lessons.lesson import Case, Exercise

_WRAP = 2**32
Segment = tuple[int, bytes]


def _segments(seed: str) -> Iterator[Case]:
    random = Random(seed)
    stream = seen("shop").client.data[:200]
    hint = (
        "the place of a segment in the stream is its sequence number minus the first one, modulo 2^32; take only what lies behind the "
        "bytes that you have already, and stop at the first byte that is missing"
    )
    for shape in ("in order", "out of order", "twice", "overlapping", "wrapped", "missing", "nothing"):
        first = _WRAP - 60 if shape == "wrapped" else random.randrange(_WRAP - 1000)
        cuts = [0, *sorted(random.sample(range(1, len(stream)), 5)), len(stream)]
        pairs = list(pairwise(cuts))
        expected = stream
        if shape == "missing":
            gone = random.randrange(1, len(pairs))
            expected = stream[: pairs[gone][0]]
            del pairs[gone]
        if shape == "overlapping":
            pairs = [(max(0, start - random.randrange(30)), end) for start, end in pairs]
        if shape == "twice":
            pairs += random.sample(pairs, 3)
        if shape == "nothing":
            pairs, expected = pairs[1:], b""
        if shape != "in order":
            random.shuffle(pairs)
        made = [((first + start) % _WRAP, stream[start:end]) for start, end in pairs]
        yield Case((first, made), expected, f"{hint} (these segments are {shape})" if shape != "nothing" else hint)


def _logs(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "a line is three words: CLIENT_RANDOM, the client's random in hexadecimal (64 digits), the master secret (96 digits); skip "
        "comments, other labels, and what is no such line; upper case digits are as good"
    )
    secrets = {random.randbytes(32): random.randbytes(48) for _ in range(5)}
    lines = [f"CLIENT_RANDOM {one.hex()} {master.hex()}" for one, master in secrets.items()]
    wanted = list(secrets)[2]
    lines += ["# a comment", "", f"CLIENT_HANDSHAKE_TRAFFIC_SECRET {wanted.hex()} {random.randbytes(48).hex()}", "CLIENT_RANDOM"]
    lines += [
        f"# CLIENT_RANDOM {wanted.hex()} {random.randbytes(48).hex()}",
        f"CLIENT_RANDOM {wanted.hex()[:-2]} {bytes(48).hex()}",
    ]
    random.shuffle(lines)
    text = "\n".join(lines) + "\n"
    for client_random in (wanted, *random.sample(sorted(secrets), 2)):
        yield Case((text, client_random), secrets[client_random], hint)
    yield Case((text, random.randbytes(32)), None, "there is no line for this connection: None")
    yield Case((text.upper().replace("\n", "\r\n"), wanted), secrets[wanted], f"lines may end as in Windows; {hint}")
    yield Case(("", wanted), None, "an empty key log knows nothing")


def _changes(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "join the fragments of both streams, find the first byte that differs, then walk over the messages by their lengths until you "
        "are in the one that holds it"
    )
    messages = [
        message(seen("shop"), f"server.{name}") for name in ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone")
    ]
    whole = b"".join(messages)
    for most in (10**6, 10**6, 700, 700, 100, 7):
        at = random.randrange(4, len(messages[0])) if most > 700 else random.randrange(len(whole) - 4)
        start = 0
        inside = next(one for one in messages if (start := start + len(one)) > at)
        while at - (start - len(inside)) < 4:  # a changed header would tell another type or length
            at += 1
        bent = bytearray(whole)
        bent[at] ^= random.randrange(1, 256)
        yield Case((_records(whole, most), _records(bytes(bent), most)), (inside[0], at - (start - len(inside))), hint)
    same = _records(whole, 700)
    yield Case((same, same), None, "nothing was changed: None")


def _records(stream: bytes, most: int) -> bytes:
    """A stream of handshake messages in records of so many bytes at most."""
    most = min(most, 2**14)
    pieces = (stream[at : at + most] for at in range(0, len(stream), most))
    return b"".join(b"\x16\x03\x03" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


EXERCISES = (
    Exercise("tcp_stream", _segments),
    Exercise("master_secret_of", _logs),
    Exercise("changed_byte", _changes),
)
