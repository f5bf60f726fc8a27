"""Lesson 9: handshakes that were cut short, and tickets."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise
from puretls.labs.lessons.tools import gcm_seal


def _record(kind: int, fragment: bytes) -> bytes:
    return bytes([kind]) + b"\x03\x03" + len(fragment).to_bytes(2, "big") + fragment


def _message(kind: int, size: int) -> bytes:
    return bytes([kind]) + size.to_bytes(3, "big") + bytes(size)


def _streams(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = "in a resumed handshake the server sends neither Certificate (11) nor ServerHelloDone (14) in the clear"
    for resumed in (False, True):
        yield Case((seen(seed, resumed=resumed).server.data,), resumed, hint)
    change = _record(20, b"\1")
    sealed = _record(22, random.randbytes(40))
    hello, ticket, certificate, done = _message(2, 70), _message(4, 180), _message(11, 900), _message(14, 0)
    shapes: tuple[tuple[tuple[bytes, ...], bool], ...] = (
        ((hello,), True),
        ((hello, ticket), True),
        ((hello + ticket,), True),
        ((hello, certificate, done), False),
        ((hello + certificate + done,), False),
        ((hello, certificate[:50], certificate[50:] + done), False),
        ((hello, done), False),
    )
    for fragments, resumed in shapes:
        stream = b"".join(_record(22, fragment) for fragment in fragments)
        stream += change + sealed if resumed else b""
        hint = "one record may hold several messages: look at the types of messages in front of the first ChangeCipherSpec"
        yield Case((stream,), resumed, hint)


def _key_and_state(random: Random) -> tuple[bytes, bytes, bytes]:
    return random.randbytes(48), random.randbytes(12), random.randbytes(random.randrange(60, 120))


def _ticket(key: bytes, nonce: bytes, state: bytes) -> bytes:
    return key[:16] + nonce + gcm_seal(key[16:], nonce, state, key[:16])


def _seals(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = "name of the key (16 bytes), nonce (12), then the sealed state; the key of AES is the last 32 bytes, the name is additional data"
    for _ in range(3):
        key, nonce, state = _key_and_state(random)
        yield Case((key, nonce, state), _ticket(key, nonce, state), hint)
    ledger = seen("shop").ledger
    ticket, state = (bytes(ledger[f"server.NewSessionTicket.ticket{part}"].value or b"") for part in ("", ".state"))
    key = next(bytes(node.value or b"") for node in ledger if node.name.startswith("ticket_key") and len(node.value or b"") == 48)
    yield Case((key, ticket[16:28], state), ticket, f"this is the ticket of the lesson; {hint}")


def _opens(seed: str) -> Iterator[Case]:
    random = Random(seed)
    keys = [random.randbytes(48) for _ in range(3)]
    hint = "look for the key whose first 16 bytes are those of the ticket, and open with its other 32; an older key is as good"
    for key in keys:
        state = random.randbytes(80)
        yield Case((_ticket(key, random.randbytes(12), state), keys), state, hint)
    _, nonce, state = _key_and_state(random)
    yield Case((_ticket(random.randbytes(48), nonce, state), keys), None, "no key has this name: the handshake is done in full")
    bent = bytearray(_ticket(keys[0], nonce, state))
    bent[random.randrange(28, len(bent))] ^= 1
    yield Case((bytes(bent), keys), None, "a bit of this ticket was changed, so it is not authentic")
    stolen = keys[0][:16] + _ticket(random.randbytes(48), nonce, state)[16:]
    yield Case((stolen, keys), None, "it has a name that is known, but was sealed with another key")
    for size in (0, 15, 20, 30):
        yield Case(
            (keys[0][: min(size, 16)] + bytes(max(0, size - 16)), keys),
            None,
            "a client may send any bytes as a ticket: these are too few",
        )


EXERCISES = (
    Exercise("is_resumed", _streams),
    Exercise("seal_ticket", _seals),
    Exercise("open_ticket", _opens),
)
