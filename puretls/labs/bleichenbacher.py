"""Lab 2: a server that tells whether RSA padding was right (Bleichenbacher 1998, ROBOT 2017)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from puretls import danger
from puretls.crypto.groups import RandomBytes
from puretls.crypto.kernels.modular.primes import random_prime
from puretls.crypto.keys import RsaPrivateKey
from puretls.errors import PeerError, Reason, UsageError
from puretls.inspect.knowledge import Knowledge
from puretls.labs.ends import octets
from puretls.labs.grading import Verdict
from puretls.labs.lab import Calls, Lab, Scene, Wrong
from puretls.labs.stage import Pair, Seeded, credential_of, provider, rsa_key, rsa_private, suite
from puretls.messages.handshake import HandshakeHeader
from puretls.messages.records import Record
from puretls.wire.schema import serialise

SUITE = "TLS_RSA_WITH_AES_128_GCM_SHA256"
PREMASTER = 48
MOST = 30_000
VERSION = 0x0303
HANDSHAKE = 22
CLIENT_KEY_EXCHANGE = 16


def _telling(key: RsaPrivateKey, c: int, random: RandomBytes) -> int:
    """The mistake: a block that does not begin as it should is an error by itself."""
    block = rsa_private(key, c, random)
    size = (key.public.n.bit_length() + 7) // 8
    if block.to_bytes(size)[:2] != b"\0\2":
        raise PeerError(Reason.DECODE, "bad padding", path="ClientKeyExchange")
    return block


class Peer:
    """A server with an RSA key, and a recorded conversation that somebody else had with it.

    `n` and `e` are the public key of its certificate, `encrypted` is the encrypted premaster secret of the recording, 64 bytes;
    `recording` is all of it, as an eavesdropper has it.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("bleichenbacher", seed)
        random = seeded.random("key")
        p, q = random_prime(253, random, _fits), random_prime(252, random, _fits)
        key = rsa_key(p, q)
        self.n, self.e = key.public.n, key.public.e
        self._calls = Calls(MOST)
        suites = (suite(SUITE),)
        server: dict[str, Any] = {
            "suites": suites,
            "credentials": (credential_of(key, seeded.random("certificate")),),
            "provider": replace(provider(), rsa_private=rsa_private if fixed else _telling),
        }
        client: dict[str, Any] = {"suites": suites, "verifier": danger.accept_any_chain}
        victim = Pair(seeded.client(**client), seeded.server(**server)).shake()
        victim.say("client", b"GET /account HTTP/1.1\r\nCookie: session=" + seeded.hex("cookie", 8).encode() + b"\r\n\r\n")
        self._premaster = _premaster(victim, key)
        self.recording = victim.seen
        self.encrypted = _encrypted(victim)
        attacker = Pair(seeded.client(1, **client), seeded.server(1, **server))
        attacker.client.start()
        attacker.server.receive(attacker.client.take())
        attacker.server.take()
        attacker.server.events()
        self._waiting = attacker.server

    def ask(self, encrypted: bytes) -> str:
        """Begin a handshake with the server, and send this as the encrypted premaster secret.

        Returns the name of the server's alert, or "" when it sends none and waits for what comes next.
        """
        if len(octets("encrypted", encrypted)) >= 2**16:
            raise UsageError(f"encrypted: 65,535 bytes are the most, not {len(encrypted):,}")
        self._calls()
        server = self._waiting.fork()
        server.receive(_client_key_exchange(encrypted))
        return next((told.detail for told in server.events() if told.kind == "alert sent"), "")


def _fits(prime: int) -> bool:
    return prime % 65537 != 1


def _client_key_exchange(encrypted: bytes) -> bytes:
    body = len(encrypted).to_bytes(2) + encrypted
    return Record(HANDSHAKE, VERSION, serialise(HandshakeHeader(CLIENT_KEY_EXCHANGE, len(body))) + body).to_bytes()


def _encrypted(pair: Pair) -> bytes:
    """The encrypted premaster secret that went over the wire."""
    seen: Any = next(seen for seen in pair.conversation.messages if seen.name == "ClientKeyExchange")
    return bytes(seen.message.encrypted_premaster_secret)


def _premaster(pair: Pair, key: RsaPrivateKey) -> bytes:
    block = rsa_private(key, int.from_bytes(_encrypted(pair)), bytes)
    return block.to_bytes(64)[-PREMASTER:]


# The attack


def reference(peer: Any) -> bytes:
    """Bleichenbacher's: multiply the secret block by s, and learn from each s that gives right padding in which interval it lies."""
    n, e, size = peer.n, peer.e, len(peer.encrypted)
    c = int.from_bytes(peer.encrypted)
    b = 1 << 8 * (size - 2)  # a block that begins 00 02 is a number from 2b to 3b - 1

    def fits(s: int) -> bool:
        return bool(peer.ask((c * pow(s, e, n) % n).to_bytes(size)) == "")

    def first(numbers: Iterable[int]) -> int:
        return next(s for s in numbers if fits(s))

    s = first(range(-(-n // (3 * b)), n))
    intervals = _narrowed({(2 * b, 3 * b - 1)}, s, n, b)
    while intervals:
        low, high = min(intervals)
        if len(intervals) > 1:
            s = first(range(s + 1, n))
        elif low < high:
            s = first(_near(low, high, s, n, b))
        else:
            return low.to_bytes(size)[-PREMASTER:]
        intervals = _narrowed(intervals, s, n, b)
    return b""


def _near(low: int, high: int, s: int, n: int, b: int) -> Iterator[int]:
    """Candidates that halve the one interval that is left: those with low..high times s between 2b and 3b, r times n further up."""
    r = -(-2 * (high * s - 2 * b) // n)
    while True:
        yield from range(-(-(2 * b + r * n) // high), (3 * b - 1 + r * n) // low + 1)
        r += 1


def _narrowed(intervals: set[tuple[int, int]], s: int, n: int, b: int) -> set[tuple[int, int]]:
    """What is left of the intervals, when the block times s, modulo n, lies between 2b and 3b."""
    left = set()
    for low, high in intervals:
        for r in range(-(-(low * s - 3 * b + 1) // n), (high * s - 2 * b) // n + 1):
            one = max(low, -(-(2 * b + r * n) // s)), min(high, (3 * b - 1 + r * n) // s)
            if one[0] <= one[1]:
                left.add(one)
    return left


def check(peer: Peer, answer: Any) -> Verdict:
    """The answer is the premaster secret of the recording."""
    if answer == peer._premaster:
        return Verdict(True, (f"the premaster secret was found after {peer._calls.count:,} questions.",))
    return Verdict(False, ("the answer is the premaster secret of the recording, 48 bytes that begin 03 03.",))


def _replay(peer: Any) -> bytes:
    """Takes what was recorded for the secret itself."""
    encrypted: bytes = peer.encrypted
    return encrypted[-PREMASTER:] if peer.ask(encrypted) == "" else b""


def _halving(peer: Any) -> bytes:
    """Halves the interval at each answer, as if the server told which half the number is in."""
    size = len(peer.encrypted)
    c, low, high = int.from_bytes(peer.encrypted), 0, peer.n
    for bit in range(1, peer.n.bit_length()):
        middle = (low + high) // 2
        fits = peer.ask((c * pow(1 << bit, peer.e, peer.n) % peer.n).to_bytes(size)) == ""
        low, high = (low, middle) if fits else (middle, high)
    return bytes(high.to_bytes(size)[-PREMASTER:])


def _patient(peer: Any) -> bytes:
    """Looks for every multiplier one after the other, and never narrows the search by what it has learned."""
    size, c, b = len(peer.encrypted), int.from_bytes(peer.encrypted), 1 << 8 * (len(peer.encrypted) - 2)
    intervals, s = {(2 * b, 3 * b - 1)}, peer.n // (3 * b)
    for _ in range(400):
        s += 1
        if peer.ask((c * pow(s, peer.e, peer.n) % peer.n).to_bytes(size)) == "":
            intervals = _narrowed(intervals, s, peer.n, b)
    return bytes(min(intervals)[0].to_bytes(size)[-PREMASTER:])


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """The recording before and after, and what the server says."""
    yield Scene(
        "What was recorded",
        "A client sends its premaster secret under the server's RSA key. The eavesdropper sees 64 bytes of it, and records that are "
        "sealed:",
        conversation=peer.recording,
    )
    size, count = len(peer.encrypted), peer._calls.count
    yield Scene(
        "What the server tells",
        "The recorded block, and the block times 2, each sent in a handshake of the attacker's own:",
        lines=(
            f"as recorded: {peer.ask(peer.encrypted) or 'no alert, the server waits'}",
            f"times 2:     {peer.ask((int.from_bytes(peer.encrypted) * pow(2, peer.e, peer.n) % peer.n).to_bytes(size)) or 'no alert'}",
        ),
    )
    hello: Any = peer.recording.handshakes[0].client_hello
    opened = peer.recording.with_knowledge(Knowledge.of(premasters={hello.random: answer}))
    yield Scene(
        "What follows from the premaster secret",
        f"{count:,} questions later it is known, and with it all keys of the recording. The client had said:",
        lines=tuple(repr(line) for line in opened.data("client").splitlines(keepends=True)),
    )


LAB = Lab(
    number=2,
    name="bleichenbacher",
    title="RSA padding told apart (Bleichenbacher)",
    rfc=("5246 7.4.7.1",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("replay", _replay, "the recorded block is the secret under the server's key, not the secret"),
        Wrong("halving", _halving, "right padding says that a number lies between 2b and 3b modulo n, not in which half it lies"),
        Wrong("patient", _patient, "without the search near r times n one learns some bits only, however long one asks"),
    ),
    scenes=scenes,
)
