"""Lab 7: a Diffie-Hellman group that is too small (Logjam, CVE-2015-4000)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isqrt
from typing import Any

from puretls.config import Limits
from puretls.iana import CipherSuiteId
from puretls.labs.downgrade import Between, ExportServer, check, vectors_of, with_chosen, with_suite
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import Seeded, provider, suite
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.key_exchange import DigitallySigned, ServerDhParams, ServerKeyExchangeDhe
from puretls.wire.schema import Struct

USUAL, EXPORT = CipherSuiteId.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, CipherSuiteId.TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA
P, G = 0xFFFFFFF77, 2
"""The export group: p has 36 bits, and (p - 1) / 2 is prime."""


class Peer(Between):
    """The client offers DHE with AES alone. The server has DHE_EXPORT, too, with a small group."""

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("logjam", seed)
        self._random = seeded.random("the server's exponent")
        limits = Limits() if fixed else Limits(smallest_dh_prime=2)
        client = seeded.client(suites=(suite(USUAL.name),), limits=limits)
        super().__init__(seeded, client, ExportServer(seeded, USUAL, EXPORT, self._exchange), suite(USUAL.name))

    def _exchange(self, export: bool, signed: Callable[[Struct], DigitallySigned]) -> HandshakeMessage:
        ours: Any = provider().finite_field(P, G, min_bits=2) if export else provider().group("ffdhe2048")
        params = ServerDhParams(_bytes(ours.p), _bytes(ours.g), ours.generate(self._random).public)
        return ServerKeyExchangeDhe(params, signed(params))


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def reference(peer: Any) -> bytes:
    """Ask for export, tell the client that nothing changed, and find the client's exponent."""
    flight = peer.forward(with_suite(peer.hello, EXPORT))
    p, g, server = vectors_of(flight)[:3]
    exchange = peer.deliver(with_chosen(flight, USUAL))
    secret = pow(server, _logarithm(int.from_bytes(exchange[6:]), g, p), p)
    found: bytes = peer.finish(_bytes(secret))
    return found


def _logarithm(y: int, g: int, p: int) -> int:
    """The x with g^x = y: baby steps g^0, g^1, ..., giant steps y / g^m, y / g^2m, ... until the two meet (Shanks)."""
    m, baby, number = isqrt(p) + 1, {}, 1
    for exponent in range(m):
        baby[number] = exponent
        number = number * g % p
    giant = pow(g, -m, p)
    for count in range(m):
        if y in baby:
            return count * m + baby[y]
        y = y * giant % p
    raise ValueError("y is no power of g")


def _unchanged(peer: Any) -> bytes:
    """Passes everything on as it is, and takes a public value for the secret."""
    exchange = peer.deliver(peer.forward(peer.hello))
    return bytes(peer.finish(exchange[6:]))


def _product(peer: Any) -> bytes:
    """Multiplies the public values: that is g^(x + y), not g^(xy)."""
    flight = peer.forward(with_suite(peer.hello, EXPORT))
    p, _, server = vectors_of(flight)[:3]
    client = int.from_bytes(peer.deliver(with_chosen(flight, USUAL))[6:])
    return bytes(peer.finish(_bytes(client * server % p)))


def _padded(peer: Any) -> bytes:
    """Finds the secret, and writes it with eight bytes: leading zeros are not part of it (RFC 5246 8.1.2)."""
    flight = peer.forward(with_suite(peer.hello, EXPORT))
    p, g, server = vectors_of(flight)[:3]
    exchange = peer.deliver(with_chosen(flight, USUAL))
    return bytes(peer.finish(pow(server, _logarithm(int.from_bytes(exchange[6:]), g, p), p).to_bytes(8)))


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """What the client saw, and the group in it."""
    seen = peer.conversation()
    yield Scene("What the client has seen", "It looks like any handshake with DHE and AES:", conversation=seen)
    yield Scene(
        "The group that the bank has signed",
        "The suite is not under the signature.",
        conversation=seen,
        paths=("server.ServerKeyExchange.params",),
    )
    yield Scene(
        "Its discrete logarithm",
        f"p has {P.bit_length()} bits: {isqrt(P):,} baby steps and as many giant steps at most. The baby steps depend on p and g alone: "
        "they can be made before, once for all who use this group.",
    )
    yield Scene("What the client said", lines=tuple(repr(line) for line in answer.splitlines(keepends=True)))


LAB = Lab(
    number=7,
    name="small-group",
    title="A group that is too small (Logjam)",
    rfc=("7525 4.3",),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("unchanged", _unchanged, "unless somebody asks for export, the server takes a group of 2,048 bits"),
        Wrong("product", _product, "the product of both public values is g^(x + y), and the secret is g^(xy)"),
        Wrong("padded", _padded, "the premaster secret is written without leading zeros (RFC 5246 8.1.2)"),
    ),
    scenes=scenes,
)
