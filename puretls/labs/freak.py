"""Lab 6: a client that takes a key which it did not ask for (FREAK, CVE-2015-0204)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isqrt
from typing import Any

from puretls import danger
from puretls.crypto.kernels.modular.primes import is_prime, random_prime
from puretls.crypto.keys import RsaPublicKey
from puretls.handshake.context import ClientContext
from puretls.handshake.effects import Step
from puretls.handshake.states import ClientState
from puretls.handshake.table import row
from puretls.iana import CipherSuiteId
from puretls.key_exchange.signature import verify
from puretls.labs.downgrade import Between, ExportServer, check, vectors_of, with_chosen, with_suite
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import Seeded, suite
from puretls.messages.handshake import HandshakeMessage
from puretls.messages.key_exchange import DigitallySigned, ServerKeyExchange, ServerKeyExchangeUnknown
from puretls.wire.schema import Struct, nested, opaque_vector, parse, serialise, wire

USUAL, EXPORT = CipherSuiteId.TLS_RSA_WITH_AES_128_GCM_SHA256, CipherSuiteId.TLS_RSA_EXPORT_WITH_DES40_CBC_SHA
BITS, GAP = 512, 130
"""Bits of the export key; its primes are less than 2^GAP apart, with a few bits more."""
PREMASTER = 48
WAITING = ClientState.WAIT_REQUEST_OR_DONE


@wire("2246 7.4.3")
class ServerRsaParams(Struct):
    """A short RSA key for this handshake."""

    rsa_modulus: bytes = opaque_vector(1, 2**16 - 1)
    rsa_exponent: bytes = opaque_vector(1, 2**16 - 1)


@wire("2246 7.4.3")
class ServerKeyExchangeRsa(ServerKeyExchange):
    """RSA_EXPORT: the short key, signed with the key of the certificate."""

    params: ServerRsaParams = nested(ServerRsaParams)
    signed: DigitallySigned = nested(DigitallySigned)


def _take_the_key(context: ClientContext, message: ServerKeyExchangeUnknown) -> Step:
    """The mistake: a short key is taken, whatever was agreed on. Its signature is right."""
    sent = parse(ServerKeyExchangeRsa, message.body)
    negotiated = context.negotiated
    data = negotiated.client_random + negotiated.server_random + serialise(sent.params)
    verify(context, context.peer_key, sent.signed, data, "ServerKeyExchange.signed")
    key = RsaPublicKey(int.from_bytes(sent.params.rsa_modulus), int.from_bytes(sent.params.rsa_exponent))
    return Step(context.evolve(peer=context.peer.evolve(public_key=key)), WAITING)


_ROW = row(WAITING, ServerKeyExchange, _take_the_key, WAITING)


class Peer(Between):
    """The client offers RSA with AES alone. The server has RSA_EXPORT, too, for which it keeps one short key."""

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("freak", seed)
        self._n = _close_primes(seeded)
        client = seeded.client(suites=(suite(USUAL.name),))
        if not fixed:
            danger.add_rows(client, _ROW)
        super().__init__(seeded, client, ExportServer(seeded, USUAL, EXPORT, self._exchange), suite(USUAL.name))

    def _exchange(self, export: bool, signed: Callable[[Struct], DigitallySigned]) -> HandshakeMessage | None:
        if not export:
            return None
        params = ServerRsaParams(self._n.to_bytes(BITS // 8), (65537).to_bytes(3))
        return ServerKeyExchangeRsa(params, signed(params))


def _close_primes(seeded: Seeded) -> int:
    """A modulus of 512 bits. Its second prime is looked for from a place near the first on, which makes it easy to factor."""
    random = seeded.random("export key")
    p = random_prime(BITS // 2, random, lambda prime: prime % 65537 != 1)
    q = p + 2 * (int.from_bytes(random(GAP // 8)) | 1 << GAP)
    while q % 65537 == 1 or not is_prime(q, random):
        q += 2
    return p * q


def reference(peer: Any) -> bytes:
    """Ask for export, tell the client that nothing changed, factor the key by Fermat's method."""
    flight = peer.forward(with_suite(peer.hello, EXPORT))
    n, e = vectors_of(flight)[:2]
    p = _factor(n)
    d = pow(e, -1, (p - 1) * (n // p - 1))
    exchange = peer.deliver(with_chosen(flight, USUAL))
    block = pow(int.from_bytes(exchange[6:]), d, n).to_bytes(BITS // 8)
    found: bytes = peer.finish(block[-PREMASTER:])
    return found


def _factor(n: int) -> int:
    """By n = a^2 - b^2 = (a - b)(a + b), with a just above the root of n when the primes are close."""
    a = isqrt(n - 1) + 1
    while isqrt(a * a - n) ** 2 != a * a - n:
        a += 1
    return a - isqrt(a * a - n)


def _unchanged(peer: Any) -> bytes:
    """Passes everything on as it is, and cannot factor the bank's own key."""
    exchange = peer.deliver(peer.forward(peer.hello))
    return bytes(peer.finish(exchange[-PREMASTER:]))


def _left_export(peer: Any) -> bytes:
    """Does not change the suite back: the client has not offered what the server chose."""
    flight = peer.forward(with_suite(peer.hello, EXPORT))
    n, _ = vectors_of(flight)[:2]
    return bytes(peer.finish(peer.deliver(flight) and _factor(n).to_bytes(PREMASTER)))


def _other_key(peer: Any) -> bytes:
    """Puts a short key of its own into the flight, which the bank has not signed."""
    flight = with_chosen(peer.forward(with_suite(peer.hello, EXPORT)), USUAL)
    n = vectors_of(flight)[0].to_bytes(BITS // 8)
    mine = (int.from_bytes(n) + 2).to_bytes(BITS // 8)
    return bytes(peer.finish(peer.deliver(flight.replace(n, mine))[-PREMASTER:]))


def scenes(peer: Peer, answer: Any) -> Iterable[Scene]:
    """What the client saw, and the number that was factored."""
    seen = peer.conversation()
    n, p = peer._n, _factor(peer._n)
    yield Scene(
        "What the client has seen",
        "It offered RSA and AES, and the ServerHello says so. A ServerKeyExchange comes all the same:",
        conversation=seen,
    )
    yield Scene(
        "The list of suites that the client sent",
        "The server got another one.",
        conversation=seen,
        paths=("client.ClientHello.cipher_suites",),
    )
    root = isqrt(n)
    yield Scene(
        "The key that was factored",
        "Its primes lie close to each other, so both lie close to the root of n:",
        lines=tuple(f"{name} = {number:064x}" for name, number in (("root", root), ("   p", p), ("   q", n // p))),
    )
    yield Scene("What the client said", lines=tuple(repr(line) for line in answer.splitlines(keepends=True)))


LAB = Lab(
    number=6,
    name="export-rsa",
    title="A key for export (FREAK)",
    rfc=("5246 7.4.3", "7525 4.1"),
    peer=Peer,
    reference=reference,
    check=check,
    wrong=(
        Wrong("unchanged", _unchanged, "unless somebody asks for it, the server sends no short key"),
        Wrong(
            "left export",
            _left_export,
            "the client refuses a suite that it has not offered: the ServerHello must be changed back",
        ),
        Wrong("other key", _other_key, "the short key is signed by the bank: it can be provoked, but not exchanged"),
    ),
    scenes=scenes,
)
