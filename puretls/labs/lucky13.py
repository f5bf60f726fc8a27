"""Lab 3: a server whose answer comes sooner when the padding is right (Lucky Thirteen, CVE-2013-0169)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from puretls.labs.browser import BLOCK, DIGITS, Browser
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Seeded
from puretls.record.protection import MacThenEncrypt

HEADER = 5
BEFORE = len("POST /")
BETWEEN = len(" HTTP/1.1\r\nCookie: pin=")
JITTER = 4
MOST = 10_000


class Timed(MacThenEncrypt):
    """The library's own protection with a clock: a tick for each block that the hash of the MAC compresses, and for those beside it."""

    ticks = 0

    def _mac(self, sequence: int, type_: int, data: bytes) -> bytes:
        self.ticks += self._compressions(len(data))
        return super()._mac(sequence, type_, data)

    def _even_out(self, length: int, longest: int) -> None:
        self.ticks += self._compressions(longest) - self._compressions(length)
        super()._even_out(length, longest)


class Uneven(Timed):
    """Hashes what there is, and nothing beside it: the mistake."""

    def _even_out(self, length: int, longest: int) -> None:
        pass


class Peer:
    """A browser that sends what you make it send, and the server, with a clock that shows how long its answer takes."""

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("lucky13", seed)
        self._browser = Browser(seeded)
        self._browser.replace(Timed if fixed else Uneven)
        self._jitter = seeded.random("jitter")
        self._calls = Calls(MOST)

    def request(self, path: str) -> bytes:
        """Make the browser send `POST /path HTTP/1.1` and its cookie; returns the record, as it travels."""
        return self._browser.request(path)

    def deliver(self, record: bytes) -> int:
        """Pass a record on to the server. It answers with the alert bad_record_mac; returns after how many ticks.

        A tick is what the hash takes for a block of 64 bytes. The network adds 0 to 3 ticks, other ones each time.
        """
        self._calls()
        protection = self._browser.protection
        before = protection.ticks
        self._browser.open(record)
        ticks: int = protection.ticks - before
        return ticks + self._jitter(1)[0] % JITTER


def reference(peer: Any) -> str:
    """For each digit: make the two last bytes of a record 01 01 by guessing it; then the hash has a block less to do."""
    pin = ""
    for known in range(DIGITS):
        path = "a" * (-(BEFORE + BETWEEN + known + 1) % BLOCK)
        index = (BEFORE + len(path) + BETWEEN + known + 1) // BLOCK
        before = (pin or "=")[-1]
        pin += min("0123456789", key=lambda digit: _soonest(peer, path, index, before + digit))
    return pin


def _soonest(peer: Any, path: str, index: int, guess: str) -> int:
    """Ticks of the fastest of forty answers, when the block is to end in these two characters."""
    times: list[int] = []
    for _ in range(40):
        record = peer.request(path)
        blocks = [record[start : start + BLOCK] for start in range(HEADER, len(record), BLOCK)]
        change = bytes(BLOCK - 2) + bytes(ord(character) ^ 1 for character in guess)
        turned = bytes(a ^ b for a, b in zip(blocks[index - 1], change, strict=True))
        body = bytes(3 * BLOCK) + turned + blocks[index]  # an IV, two blocks that do not matter, the two that do
        times.append(peer.deliver(record[:3] + len(body).to_bytes(2) + body))
    return min(times)


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the PIN."""
    if answer == peer._browser.pin:
        return Verdict(True, (f"the PIN was {answer}; {peer._calls.count:,} answers were timed.",))
    return Verdict(False, ("the answer is the PIN in the cookie, four digits as a str.",))


def _once(peer: Any) -> str:
    """Times each guess once."""
    return _guessed(peer, 1, BLOCK * 3, "\1\1")


def _one_byte(peer: Any) -> str:
    """Makes the last byte 00, padding of one byte, which takes as long as wrong padding does."""
    return _guessed(peer, 40, BLOCK * 3, "\0")


def _long(peer: Any) -> str:
    """Sends a block more, where 42 and 43 bytes of data are 58 and 59, and the hash has as many blocks for both."""
    return _guessed(peer, 40, BLOCK * 4, "\1\1")


def _guessed(peer: Any, times: int, room: int, padding: str) -> str:
    pin = ""
    for known in range(DIGITS):
        path = "a" * (-(BEFORE + BETWEEN + known + 1) % BLOCK)
        index = (BEFORE + len(path) + BETWEEN + known + 1) // BLOCK
        start = HEADER + BLOCK * (index - 1)
        soonest = {}
        for digit in "0123456789":
            guess = ((pin or "=")[-1] + digit)[-len(padding) :]
            change = bytes(ord(a) ^ ord(b) for a, b in zip(guess, padding, strict=True)).rjust(BLOCK, b"\0")
            found = []
            for _ in range(times):
                record = peer.request(path)
                turned = bytes(a ^ b for a, b in zip(record[start : start + BLOCK], change, strict=True))
                body = bytes(room) + turned + record[start + BLOCK : start + 2 * BLOCK]
                found.append(peer.deliver(record[:3] + len(body).to_bytes(2) + body))
            soonest[digit] = min(found)
        pin += min(soonest, key=lambda digit: soonest[digit])
    return pin


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """The times of the ten guesses for the first digit."""
    count = peer._calls.count
    path = "a" * (-(BEFORE + BETWEEN + 1) % BLOCK)
    index = (BEFORE + len(path) + BETWEEN + 1) // BLOCK
    yield Scene(
        "What goes over the wire", "CBC without encrypt_then_mac, as TLS had it before 2014:", conversation=peer._browser.shown()
    )
    yield Scene(
        "What the hash has to do",
        "A record of four blocks holds 64 bytes: data, MAC, padding. In front of the data 13 bytes are hashed (hence the name), behind it "
        "at least 9.",
        lines=(
            "padding      data      hashed            blocks of 64 bytes",
            "01 01        42 bytes  13 + 42 + 9 = 64  1",
            "wrong or 00  43 bytes  13 + 43 + 9 = 65  2",
        ),
    )
    yield Scene(
        "The fastest of forty answers, for each guess of the first digit",
        lines=tuple(f"{digit}: {'#' * (ticks := _soonest(peer, path, index, '=' + digit))} {ticks}" for digit in "0123456789"),
    )
    yield Scene("The whole PIN", f"{count:,} answers were timed for {DIGITS} digits.")


LAB = Lab(
    number=3,
    name="lucky-thirteen",
    title="Padding told by time (Lucky Thirteen)",
    rfc=("5246 6.2.3.2", "7366 3"),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("once", _once, "one time says little: the network adds up to three ticks, and the difference is one"),
        Wrong("one byte", _one_byte, "padding of one byte leaves 43 bytes, as wrong padding does: the hash has the same to do"),
        Wrong("long", _long, "with a block more there is no edge of 64 bytes between one and two bytes of padding"),
    ),
    scenes=scenes,
)
