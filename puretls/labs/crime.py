"""Lab 5: compression before encryption (CRIME, CVE-2012-4929)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from puretls import danger
from puretls.iana import ContentType
from puretls.labs.ends import text
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Pair, Seeded

DIGITS = 8
HEX = "0123456789abcdef"
MOST = 2000


class Peer:
    """A browser that sends what you make it send, over TLS that compresses first; you see how long its records are."""

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("crime", seed)
        self._cookie = _cookie(seeded)
        self._compresses = not fixed
        self._calls = Calls(MOST)
        self._pair = Pair(seeded.client(), seeded.server()).shake()
        self._sends = danger.parts(self._pair.client.connection).outbound.channel

    def request(self, path: str) -> int:
        """Make the browser send `GET /path HTTP/1.1` and its cookie; returns the bytes of the record that goes over the wire."""
        self._calls()
        return len(self._sends.fork().seal(ContentType.APPLICATION_DATA, self._content(path)).to_bytes())

    def _content(self, path: str) -> bytes:
        request = f"GET /{text('path', path)} HTTP/1.1\r\nHost: bank.example\r\nCookie: session={self._cookie}; lang=en\r\n\r\n".encode()
        return zlib.compress(request) if self._compresses else request


def _cookie(seeded: Seeded) -> str:
    """Digits that are all different: what repeats within the cookie would shorten records, too."""
    left, cookie = list(HEX), ""
    while len(cookie) < DIGITS:
        cookie += left.pop(seeded.number(f"digit {len(cookie)}", len(left)))
    return cookie


def reference(peer: Any) -> str:
    """A guess that is right makes the request repeat itself for one character more, and the record is shorter."""
    known = ""
    for _ in range(DIGITS):
        known += min(HEX, key=lambda digit: peer.request(f"session={known}{digit}"))
    return known


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the cookie."""
    if answer == peer._cookie:
        return Verdict(True, (f"the cookie was {answer}; {peer._calls.count:,} requests were measured.",))
    return Verdict(False, ("the answer is what follows session= in the cookie, eight hexadecimal digits as a str.",))


def _longest(peer: Any) -> str:
    """Takes the longest record for the right guess."""
    known = ""
    for _ in range(DIGITS):
        known += max(HEX, key=lambda digit: peer.request(f"session={known}{digit}"))
    return known


def _bare(peer: Any) -> str:
    """Sends the digit alone: DEFLATE repeats nothing that is shorter than three characters."""
    return "".join(min(HEX, key=peer.request) for _ in range(DIGITS))


def _one_by_one(peer: Any) -> str:
    """Guesses each digit without those before it."""
    return "".join(min(HEX, key=lambda digit: peer.request("session=" + "?" * place + digit)) for place in range(DIGITS))


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """The sixteen guesses of the first digit."""
    count = peer._calls.count
    yield Scene(
        "What goes over the wire",
        "With AES-GCM, a record has 29 bytes more than its content.",
        conversation=peer._pair.conversation,
    )
    content = peer._content("session=0")
    request = zlib.decompress(content)
    yield Scene(
        "What is compressed",
        "The path is the attacker's, the cookie is the secret, and DEFLATE writes what repeats as a length and a distance.",
        lines=(repr(request[:40]), repr(request[40:]), f"{len(request)} bytes, compressed {len(content)}"),
    )
    lengths = {digit: peer.request("session=" + digit) for digit in HEX}
    yield Scene(
        "The lengths of sixteen requests",
        lines=tuple(
            f"session={digit}: {length} bytes{'  <' * (length == min(lengths.values()))}" for digit, length in lengths.items()
        ),
    )
    yield Scene("The whole cookie", f"{count:,} requests were measured for {DIGITS} digits.")


LAB = Lab(
    number=5,
    name="compression",
    title="Compression that tells of secrets (CRIME)",
    rfc=("7525 3.3",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("longest", _longest, "a guess that is right repeats more, so it makes the record shorter, not longer"),
        Wrong("bare", _bare, "DEFLATE repeats strings of three characters and more: a digit alone repeats nothing"),
        Wrong("one by one", _one_by_one, "a digit repeats something only behind the digits that come before it in the cookie"),
    ),
    scenes=scenes,
)
