"""Lesson 7: the transcript, and what Finished says of it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from puretls import schedule
from puretls.crypto.prf import prf
from puretls.iana import ContentType
from puretls.inspect.conversation import Conversation
from puretls.labs.lessons.handshakes import seen
from puretls.labs.lessons.lesson import Case, Exercise

_LABELS = {"client": schedule.CLIENT_FINISHED, "server": schedule.SERVER_FINISHED}
_HELLO_REQUEST = bytes(4)


def _flow(conversation: Conversation) -> list[tuple[int, bytes]]:
    """Type and bytes of all messages of the handshake, both sides in order."""
    wanted = {ContentType.HANDSHAKE, ContentType.CHANGE_CIPHER_SPEC}
    return [(int(one.content_type), one.raw) for one in conversation.messages if one.content_type in wanted]


def _transcripts(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = "handshake messages only, type 22, each with its header of 4 bytes, in order; ChangeCipherSpec is no handshake message"
    for conversation in (seen(seed), seen(seed, resumed=True)):
        flow = _flow(conversation)
        for count in (2, len(flow)):
            yield Case((flow[:count],), b"".join(raw for kind, raw in flow[:count] if kind == ContentType.HANDSHAKE), hint)
        asked = [(22, _HELLO_REQUEST), *flow, (21, b"\1\x5a")]
        random.shuffle(asked)
        expected = b"".join(raw for kind, raw in asked if kind == ContentType.HANDSHAKE and raw != _HELLO_REQUEST)
        hint = "an alert is no handshake message; a HelloRequest (type 0) is one, but it never counts (RFC 5246 section 7.4.1.1)"
        yield Case((asked,), expected, hint)


def _finished(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        'PRF(master, "client finished" or "server finished", SHA-256 of all messages in front of this Finished), 12 bytes (RFC 5246 '
        "section 7.4.9)"
    )
    for side in ("client", "server") * 3:
        master, messages = (
            random.randbytes(48),
            [random.randbytes(random.randrange(4, 90)) for _ in range(random.randrange(2, 8))],
        )
        yield Case((master, side, messages), _verify_data(master, side, messages), hint)
    for side in ("client", "server"):
        ledger = seen("shop").ledger
        node = ledger[f"{side}.Finished.verify_data"]
        before = [ledger[name].value or b"" for name in ledger[f"{side}_handshake_hash"].inputs]
        hint = f"this is the {side}'s Finished of the lesson; {hint}"
        yield Case((bytes(ledger["master_secret"].value or b""), side, before), bytes(node.value or b""), hint)


def _verify_data(master: bytes, side: str, messages: list[bytes]) -> bytes:
    import hashlib

    return bytes(schedule.verify_data(prf, "sha256", master, _LABELS[side], hashlib.sha256(b"".join(messages)).digest()))


def _checks(seed: str) -> Iterator[Case]:
    random = Random(seed)
    hint = (
        "go through the messages in order and keep what came before: at a Finished (type 0x14) compute verify_data from the messages "
        "in front of it; then it is itself one of those in front of the next"
    )
    for conversation in (seen(seed), seen(seed, resumed=True)):
        master = bytes(conversation.ledger["master_secret"].value or b"")
        said = [(one.side, one.raw) for one in conversation.messages if one.content_type == ContentType.HANDSHAKE]
        places = [None, *(at for at, (_, raw) in enumerate(said) if raw[0] == 0x14), 0, 1, random.randrange(len(said) - 1)]
        for place in places:
            changed = list(said)
            if place is not None:
                side, raw = said[place]
                at = random.randrange(4, len(raw)) if len(raw) > 4 else 0
                changed[place] = side, raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
            yield Case((master, changed), _wrong(master, changed), hint)


def _wrong(master: bytes, said: list[tuple[str, bytes]]) -> list[str]:
    before: list[bytes] = []
    wrong = []
    for side, raw in said:
        if raw[0] == 0x14 and raw[4:] != _verify_data(master, side, before):
            wrong.append(side)
        before.append(raw)
    return wrong


EXERCISES = (
    Exercise("transcript", _transcripts),
    Exercise("verify_data", _finished),
    Exercise("wrong_finished", _checks),
)
