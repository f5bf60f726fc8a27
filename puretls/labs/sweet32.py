"""Lab 8: a cipher whose blocks are small (Sweet32, CVE-2016-2183)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from puretls.arguments import described
from puretls.crypto.cbc import Blocks, CbcAlgorithm
from puretls.errors import UsageError
from puretls.iana import ContentType
from puretls.labs.browser import Browser
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Seeded
from puretls.record.protection import MacThenEncrypt

TOY = CbcAlgorithm("TOY-24-CBC", 16, 3)
HALF = 12
"""Bits of half a block."""
ROUNDS = 6
DIGITS = 9
HEADER = 5
MOST = 4000
BEFORE = b"GET /accounts HTTP/1.1\r\nHost: bank.example\r\nCookie: session="
AFTER = b"; lang=en\r\n\r\n"


class ToyCbc:
    """CBC over a toy cipher: a Feistel network of 24 bits, whose rounds are tables made from the key."""

    def __init__(self, key: bytes) -> None:
        self._rounds = [_table(key, number) for number in range(ROUNDS)]

    def _block(self, block: int) -> int:
        left, right = block >> HALF, block & (1 << HALF) - 1
        for table in self._rounds:
            left, right = right, left ^ table[right]
        return left << HALF | right

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        size, last, done = TOY.block_length, int.from_bytes(iv), bytearray()
        for start in range(0, len(data), size):
            last = self._block(last ^ int.from_bytes(data[start : start + size]))
            done += last.to_bytes(size)
        return bytes(done)

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        raise NotImplementedError("nobody decrypts in this lab but the attacker, who does not need the key")

    def encrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.encrypt(*item) for item in items]

    def decrypt_many(self, items: Sequence[Blocks]) -> list[bytes]:
        return [self.decrypt(*item) for item in items]


def _table(key: bytes, number: int) -> list[int]:
    made = hashlib.shake_256(key + bytes((number,))).digest(2 << HALF)
    return [int.from_bytes(made[at : at + 2]) >> 16 - HALF for at in range(0, len(made), 2)]


class Peer:
    """A browser that a page of yours keeps sending one request over one connection; you see the line.

    `block` are the bytes of a block; `template` is the request with question marks in the place of the cookie.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("sweet32", seed)
        self._browser = Browser(seeded)
        self._cookie = seeded.hex("cookie", DIGITS)[:DIGITS]
        self._sends = self._browser.sends
        if not fixed:
            self._sends.protection = MacThenEncrypt(
                TOY, ToyCbc(seeded.random("key")(16)), "sha1", seeded.random("MAC key")(20), seeded.random("IVs")
            )
        self.block = 16 if fixed else TOY.block_length
        self.template = BEFORE + b"?" * DIGITS + AFTER
        self._calls = Calls(MOST)

    def listen(self, count: int) -> list[bytes]:
        """The next `count` records, each with one request: 5 bytes of header, an IV of one block, and the ciphertext.

        The browser sends 4,000 in all.
        """
        if type(count) is not int or count < 0:
            raise UsageError(f"count: a number of records is wanted, not {described(count)}")
        for _ in range(count):
            self._calls()
        content = (ContentType.APPLICATION_DATA, BEFORE + self._cookie.encode() + AFTER)
        return [record.to_bytes() for record in self._sends.seal_many([content] * count)]


def reference(peer: Any) -> str:
    """Two equal blocks of ciphertext had the same input. Where the input of one is known, so is that of the other."""
    size, template = peer.block, peer.template
    parts = [template[start : start + size] for start in range(0, len(template) - size + 1, size)]
    texts = [[record[start : start + size] for start in range(HEADER, len(record), size)] for record in peer.listen(MOST)]
    inputs = {
        text[number]: _xor(part, text[number - 1]) for text in texts for number, part in enumerate(parts, 1) if b"?" not in part
    }
    found = {
        number: _xor(inputs[text[number]], text[number - 1])
        for text in texts
        for number, part in enumerate(parts, 1)
        if b"?" in part and text[number] in inputs
    }
    return b"".join(found[number] for number in sorted(found)).decode("latin-1")


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a) ^ int.from_bytes(b)).to_bytes(len(a))


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the cookie."""
    if answer == peer._cookie:
        return Verdict(True, (f"the cookie was {answer}; {peer._calls.count:,} records were seen.",))
    return Verdict(False, ("the answer is what follows session= in the cookie, nine hexadecimal digits as a str.",))


def _few(peer: Any) -> str:
    """Listens to a hundred records."""
    return _limited(peer, 100, mixed=True)


def _unmixed(peer: Any) -> str:
    """Takes equal ciphertext for equal plaintext, and forgets what CBC mixes in."""
    return _limited(peer, 1000, mixed=False)


def _neighbours(peer: Any) -> str:
    """Looks for blocks that repeat within one record only."""
    return "".join(_limited(peer, 1, mixed=True) for _ in range(1000))[:DIGITS]


def _limited(peer: Any, count: int, *, mixed: bool) -> str:
    size, template = peer.block, peer.template
    inputs, found = {}, {}
    texts = [[record[start : start + size] for start in range(HEADER, len(record), size)] for record in peer.listen(count)]
    for known in (True, False):
        for text in texts:
            for number in range(1, len(template) // size + 1):
                part, before = template[(number - 1) * size : number * size], text[number - 1] if mixed else bytes(size)
                if known and b"?" not in part:
                    inputs[text[number]] = _xor(part, before)
                elif not known and b"?" in part and text[number] in inputs:
                    found[number] = _xor(inputs[text[number]], before)
    return b"".join(found[number] for number in sorted(found)).decode("latin-1")


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """How many blocks were seen, and one pair of equal ones."""
    size, count = peer.block, peer._calls.count
    blocks = count * (len(peer.template) // size)
    yield Scene(
        "The handshake",
        "After it, the lab puts its toy cipher in the place of AES.",
        conversation=peer._browser.pair.conversation,
    )
    yield Scene(
        "The birthday paradox",
        f"A block of {8 * size} bits has {2 ** (8 * size):,} values. {blocks:,} blocks were seen, so about {blocks**2 // 2 >> 8 * size:,} "
        "pairs of them are equal.",
        lines=(
            "bits of a block     blocks until two are likely to be equal",
            "24 (this lab)       5,000, which are 15 kB",
            "64 (3DES)           5,000,000,000, which are 40 GB",
            "128 (AES)           22,000,000,000,000,000,000",
        ),
    )
    start = len(BEFORE) // size
    yield Scene(
        "What an equal pair tells",
        "Equal ciphertext means equal input of the cipher: P1 xor C1 = P2 xor C2, where C is the ciphertext before. One of the two is a "
        "block of the request that is known; the other is a piece of the cookie:",
        lines=tuple(f"block {start + at + 1}: {answer[at * size : (at + 1) * size]!r}" for at in range(DIGITS // size)),
    )


LAB = Lab(
    number=8,
    name="small-blocks",
    title="Small blocks, and many of them (Sweet32)",
    rfc=("7525 4.1",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("few", _few, "a hundred records are two thousand blocks: too few for equal pairs with each piece of the cookie"),
        Wrong("unmixed", _unmixed, "equal is what goes into the cipher: the plaintext XOR the ciphertext before it"),
        Wrong("neighbours", _neighbours, "equal pairs must be looked for among all records, not within one"),
    ),
    scenes=scenes,
)
