"""Lab 4: a server that does not look at the padding (POODLE against TLS, CVE-2014-8730)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from puretls.labs.browser import BLOCK, DIGITS, MAC, Browser
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Seeded
from puretls.record.protection import MacThenEncrypt

HEADER = 5
BEFORE = len("POST /")
BETWEEN = len(" HTTP/1.1\r\nCookie: pin=")
AFTER = len("\r\n\r\n")
MOST = 4500


class Unchecked(MacThenEncrypt):
    """Reads the length of the padding from its last byte, and does not look at the others: the mistake."""

    def _padding(self, plain: bytes, room: int) -> tuple[int, bool]:
        count = plain[-1] + 1
        return (count, True) if count <= room else (1, False)


class Peer:
    """A browser that sends what you make it send, and the server; you sit between them."""

    def __init__(self, seed: int, fixed: bool) -> None:
        self._browser = Browser(Seeded("padding oracle", seed))
        if not fixed:
            self._browser.replace(Unchecked)
        self._calls = Calls(MOST)

    def request(self, path: str, body: bytes = b"") -> bytes:
        """Make the browser send `POST /path HTTP/1.1`, its cookie and `body`; returns the record, as it travels."""
        return self._browser.request(path, body)

    def deliver(self, record: bytes) -> bool:
        """Pass a record on to the server; whether it takes it. Otherwise it answers with the alert bad_record_mac, and that is all."""
        self._calls()
        return self._browser.open(record) is not None


def reference(peer: Any) -> str:
    """For each digit: put it at the end of a block, put that block in the place of the padding, until the server takes it."""
    pin = ""
    for known in range(DIGITS):
        path = "a" * (-(BEFORE + BETWEEN + known + 1) % BLOCK)
        end = BEFORE + len(path) + BETWEEN + known + 1  # of the digit, which is the last byte of its block
        body = bytes(-(end - known - 1 + DIGITS + AFTER + MAC) % BLOCK)  # so that the padding is a whole block
        pin += _digit(peer, path, body, end // BLOCK)
    return pin


def _digit(peer: Any, path: str, body: bytes, index: int) -> str:
    """The last byte of block `index` of the plaintext; block 0 of the record is the IV."""
    while True:
        record = peer.request(path, body)
        blocks = [record[start : start + BLOCK] for start in range(HEADER, len(record), BLOCK)]
        if peer.deliver(record[:-BLOCK] + blocks[index]):
            return chr(BLOCK - 1 ^ blocks[-2][-1] ^ blocks[index - 1][-1])


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the PIN."""
    if answer == peer._browser.pin:
        return Verdict(True, (f"the PIN was {answer}; the server was asked {peer._calls.count:,} times.",))
    return Verdict(False, ("the answer is the PIN in the cookie, four digits as a str.",))


def _unaligned(peer: Any) -> str:
    """Does not make the padding a whole block."""
    return "".join(_tries(peer, "a" * (-(BEFORE + BETWEEN + known + 1) % BLOCK), b"", known) for known in range(DIGITS))


def _misread(peer: Any) -> str:
    """Forgets that CBC mixes each block with the ciphertext before it."""
    pin = ""
    for known in range(DIGITS):
        path = "a" * (-(BEFORE + BETWEEN + known + 1) % BLOCK)
        end = BEFORE + len(path) + BETWEEN + known + 1
        body = bytes(-(end - known - 1 + DIGITS + AFTER + MAC) % BLOCK)
        while not peer.deliver((record := peer.request(path, body))[:-BLOCK] + _block(record, end // BLOCK)):
            pass
        pin += chr(BLOCK - 1 ^ record[-BLOCK - 1])
    return pin


def _same_record(peer: Any) -> str:
    """Delivers one and the same record again and again, where the same answer comes each time."""
    record = peer.request("a" * (-(BEFORE + BETWEEN + 1) % BLOCK))
    return "".join("0" if peer.deliver(record[:-BLOCK] + _block(record, 2)) else "1" for _ in range(DIGITS))


def _tries(peer: Any, path: str, body: bytes, known: int) -> str:
    index = (BEFORE + len(path) + BETWEEN + known + 1) // BLOCK
    for _ in range(300):
        record = peer.request(path, body)
        if peer.deliver(record[:-BLOCK] + _block(record, index)):
            return chr(BLOCK - 1 ^ _block(record, -2)[-1] ^ _block(record, index - 1)[-1])
    return "0"


def _block(record: bytes, index: int) -> bytes:
    blocks: Sequence[bytes] = [record[start : start + BLOCK] for start in range(HEADER, len(record), BLOCK)]
    return blocks[index]


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """A request as it is, and with its last block replaced."""
    count = peer._calls.count
    path = "a" * (-(BEFORE + BETWEEN + 1) % BLOCK)
    end = BEFORE + len(path) + BETWEEN + 1
    body = bytes(-(end - 1 + DIGITS + AFTER + MAC) % BLOCK)
    content = peer._browser.content(path, body)
    yield Scene(
        "What goes over the wire", "CBC without encrypt_then_mac, as TLS had it before 2014:", conversation=peer._browser.shown()
    )
    yield Scene(
        "A request in blocks of 16 bytes",
        "The path is as long as it must be for the first digit to end a block; the body, for the padding to be a whole block of 0f.",
        lines=(*(f"{number}: {content[at : at + BLOCK]!r}" for number, at in enumerate(range(0, len(content), BLOCK), 1)),
               "   ... then the MAC, 20 bytes, and the padding, 16 bytes"),
    )  # fmt: skip
    yield Scene(
        "The last block is replaced by a copy of the block that ends in the digit",
        "The server decrypts the copy, and mixes it with the ciphertext before it. It looks at the last byte only. When that is 0f, the "
        "padding has 16 bytes, the MAC before it is whole, and the record is taken: one time in 256, as each request has another IV.",
        lines=(f"{count:,} records were delivered for {DIGITS} digits, {count // DIGITS:,} for each.",),
    )


LAB = Lab(
    number=4,
    name="padding-oracle",
    title="Padding that nobody checks (POODLE)",
    rfc=("5246 6.2.3.2",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong(
            "unaligned",
            _unaligned,
            "when the padding is not a whole block, its place holds a part of the MAC, and the copy breaks it",
        ),
        Wrong(
            "misread", _misread, "what the digit was mixed with in the request is missing: the ciphertext before its own block"
        ),
        Wrong(
            "same record", _same_record, "the same record gets the same answer: a new request has a new IV, and another chance"
        ),
    ),
    scenes=scenes,
)
