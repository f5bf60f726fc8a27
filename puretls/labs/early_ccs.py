"""Lab 11: ChangeCipherSpec taken before there is a master secret (CVE-2014-0224).

The weak ends have more rows in their tables: a ChangeCipherSpec is legal as soon as the ServerHello was, and puts keys in force that follow
from the master secret of that moment, which is empty. As in OpenSSL of those years, keys that were made once are not made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from puretls import danger
from puretls.connection import Connection
from puretls.handshake import client, server
from puretls.handshake.context import Context
from puretls.handshake.effects import ChangeReadKeys, ChangeWriteKeys, Effect, Step, Update
from puretls.handshake.keys import derive_keys, protection
from puretls.handshake.states import ClientState, Role, ServerState, State, Verdict
from puretls.handshake.table import Handler, Row, row
from puretls.labs.ends import End, Keys, as_text, endings, relay
from puretls.labs.grading import Verdict as Judgement
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import SHORTEST, Seeded, suite
from puretls.messages.key_exchange import ClientKeyExchange
from puretls.messages.records import ChangeCipherSpec

C, S = ClientState, ServerState
HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20
CCS = bytes.fromhex("14 0303 0001 01")
"""A ChangeCipherSpec in the clear, with the header of its record."""


# The weakness


def _takes_it_early(state: State, sender: Role) -> Row:
    """ChangeCipherSpec in a state that has no row for it: keys of whatever the master secret is by now."""

    def early(context: Context, message: ChangeCipherSpec) -> Step:
        return Step(derive_keys(context), state, (ChangeReadKeys(lambda context: protection(context, sender)),))

    return row(state, ChangeCipherSpec, early, state)


def _keeps_early_keys(handler: Handler) -> Handler:
    """The handler that derives the master secret; keys that are there already stay."""

    def handle(context: Context, message: Any) -> Step:
        early = context.secrets.keys
        step = handler(context, message)
        if early is None:
            return step
        keep = Update(lambda context: context.evolve(secrets=context.secrets.evolve(keys=early)))
        return Step(step.context, step.next_state, tuple(_before_new_keys(step.flight, keep)))

    return handle


def _before_new_keys(flight: Iterable[Effect], effect: Effect) -> Iterable[Effect]:
    waiting = True
    for each in flight:
        if waiting and isinstance(each, ChangeWriteKeys):
            yield effect
            waiting = False
        yield each
    if waiting:
        yield effect


_CLIENT_ROWS = (
    *(_takes_it_early(state, Role.SERVER) for state in (C.WAIT_CERTIFICATE, C.WAIT_KEY_EXCHANGE, C.WAIT_REQUEST_OR_DONE)),
    row(C.WAIT_VERDICT, Verdict, _keeps_early_keys(client.on_verdict), C.WAIT_CCS),
)
_SERVER_ROWS = (
    _takes_it_early(S.WAIT_CLIENT_KEY_EXCHANGE, Role.CLIENT),
    row(S.WAIT_CLIENT_KEY_EXCHANGE, ClientKeyExchange, _keeps_early_keys(server.on_client_key_exchange), S.WAIT_CCS),
)


# The peer


class Peer:
    """A client and a server, and you between them.

    `client` and `server` have `take()`, which gives the records that they send, and `give(*records)`. The client begins. Once connected
    it asks for its account, and shows a cookie. `keys` makes the keys of any master secret, for both directions.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("early ChangeCipherSpec", seed)
        self._cookie = seeded.hex("cookie", 16)
        client, server = seeded.client(tickets=False), seeded.server()
        if not fixed:
            danger.add_rows(client, *_CLIENT_ROWS)
            danger.add_rows(server, *_SERVER_ROWS)
        self.client = End("the client", client, self._ask)
        self.server = End("the server", server, self._answer)

    def _ask(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.send(f"GET /account HTTP/1.1\r\nCookie: session={self._cookie}\r\n\r\n".encode())

    def _answer(self, connection: Connection, data: bytes) -> None:
        if data:
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nBalance: 1,024.00\n")

    def keys(self, master: bytes, client_random: bytes, server_random: bytes) -> Keys:
        """The keys that follow from a master secret and both randoms (RFC 5246 6.3).

        `.client` is for what the client sends, `.server` for the server: `seal(content_type, data)` gives a record, `open(record)` its
        content, or None. Each counts records from 0; `sequence` may be set.
        """
        return Keys(suite(SHORTEST), master, client_random, server_random)


def check(peer: Peer, answer: object) -> Judgement:
    """The cookie, as text or bytes."""
    if as_text(answer) == peer._cookie:
        return Judgement(True, ("you read the cookie out of an encrypted connection.",))
    ends = endings((peer.client, peer.server))
    return Judgement(False, ("the answer is the session cookie that the client shows, as text.", *ends))


# The reference attack


def attack(peer: Peer) -> str:
    """Both ends get a ChangeCipherSpec too early; from then on their messages are sealed by keys that anybody can compute."""
    early = bytes.fromhex("14 0303 0001 01")
    (client_hello,) = peer.client.take(1)
    peer.server.give(client_hello)
    server_hello, *rest = peer.server.take(4)
    keys = peer.keys(b"", client_hello[11:43], server_hello[11:43])

    # The client opens by the weak keys from here on, and the server still writes in the clear.
    peer.client.give(server_hello, early, *(keys.server.seal(22, record[5:]) for record in rest))
    key_exchange, change, finished = peer.client.take(3)

    # The other way round it is the same. The Finished is sealed by the weak keys already.
    peer.server.give(early, keys.client.seal(22, key_exchange[5:]), keys.client.seal(20, change[5:]), finished)
    change, finished = peer.server.take(2)
    peer.client.give(keys.server.seal(20, change[5:]), finished)

    (request,) = peer.client.take(1)
    keys.client.sequence = 1  # a new count began at the second ChangeCipherSpec; 0 was the Finished
    text = (keys.client.open(request) or b"").decode()
    return text.partition("session=")[2].partition("\r\n")[0]


# Wrong answers


def _only_the_server(peer: Peer) -> str:
    (client_hello,) = peer.client.take(1)
    peer.server.give(client_hello)
    flight = peer.server.take()
    keys = peer.keys(b"", client_hello[11:43], flight[0][11:43])
    peer.client.give(*flight)
    key_exchange, change, finished = peer.client.take(3)
    peer.server.give(
        CCS, keys.client.seal(HANDSHAKE, key_exchange[5:]), keys.client.seal(CHANGE_CIPHER_SPEC, change[5:]), finished
    )
    return _cookie_in(peer, keys)


def _before_the_hello(peer: Peer) -> str:
    (client_hello,) = peer.client.take(1)
    peer.client.give(CCS)
    peer.server.give(CCS, client_hello)
    relay(peer.client, peer.server)
    return ""


def _second_one_in_the_clear(peer: Peer) -> str:
    (client_hello,) = peer.client.take(1)
    peer.server.give(client_hello)
    server_hello, *rest = peer.server.take()
    keys = peer.keys(b"", client_hello[11:43], server_hello[11:43])
    peer.client.give(server_hello, CCS, *(keys.server.seal(HANDSHAKE, record[5:]) for record in rest))
    key_exchange, change, finished = peer.client.take(3)
    peer.server.give(CCS, keys.client.seal(HANDSHAKE, key_exchange[5:]), change, finished)
    return _cookie_in(peer, keys)


def _cookie_in(peer: Peer, keys: Keys) -> str:
    peer.client.give(*peer.server.take())
    keys.client.sequence = 1
    opened = [keys.client.open(record) or b"" for record in peer.client.take()]
    return b"".join(opened).decode().partition("session=")[2].partition("\r\n")[0]


def scenes(peer: Peer, answer: object) -> Iterable[Scene]:
    """What both ends saw."""
    yield Scene(
        "What the client saw",
        "ChangeCipherSpec comes right after the ServerHello. The keys that it puts in force follow from an empty master secret.",
        conversation=peer.client.conversation(),
    )
    yield Scene(
        "What the server saw",
        "Here it comes before the ClientKeyExchange. Both Finished are right: both ends saw the same handshake messages.",
        conversation=peer.server.conversation(),
    )
    yield Scene("What the attacker has", lines=(f"the cookie {answer}",))


LAB = Lab(
    number=11,
    name="early-ccs",
    title="Early ChangeCipherSpec",
    rfc=("5246 7.1", "5246 8.1"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong(
            "only the server is attacked",
            _only_the_server,
            "the client then has good keys, and its Finished does not open under those that the server has",
        ),
        Wrong(
            "ChangeCipherSpec before the hello",
            _before_the_hello,
            "no suite is agreed on yet, and even the weak ends refuse it there",
        ),
        Wrong(
            "the second ChangeCipherSpec stays in the clear",
            _second_one_in_the_clear,
            "the server opens every record by the weak keys since the first one",
        ),
    ),
    scenes=scenes,
)
