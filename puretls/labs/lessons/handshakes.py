"""The shop of the lessons: connections of two puretls ends in memory, each the same on every run and every machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from puretls.inspect.conversation import Conversation
from puretls.inspect.edit import Edit
from puretls.inspect.player import Replay, replay
from puretls.inspect.tape import Script, Step, Tape

NAME = "shop.test"
"""The name of the server, and what the client asks for."""
NOW = 1_790_000_000
"""The time of all clocks of the lessons: 2026-09-21, in seconds since 1970."""
SUITE = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
REQUEST, ANSWER = b"GET /tea HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\ntea"


def talk(request: bytes = REQUEST, answer: bytes = ANSWER) -> tuple[Step, ...]:
    """The steps of a whole connection: handshake, a request, its answer, and close_notify of both."""
    carry = Step("carry")
    return (
        Step("start"), carry, Step("send", "client", request), carry, Step("send", "server", answer), carry,
        Step("close", "client"), Step("close", "server"), carry,
    )  # fmt: skip


def tape(
    seed: str = "shop",
    *,
    suites: Iterable[str] = (SUITE,),
    client: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    steps: tuple[Step, ...] | None = None,
    connections: int = 1,
    edits: Iterable[Edit] = (),
) -> Tape:
    """What makes the connection happen: both configurations by name, the seed, the steps.

    `client` and `server` are fields of their configurations beside the usual ones; `connections` is how often the client comes, with
    what it remembers; `edits` change what is sent. The manual's page on tapes tells the names.
    """
    script = Script(talk() if steps is None else steps, NAME)
    return Tape(
        client={"verifier": "authority", "suites": list(suites)} | dict(client or {}),
        server={"credentials": [{"kind": "secp256r1", "names": [NAME]}]} | dict(server or {}),
        connections=(script,) * connections,
        seed=seed,
        clock=NOW,
        edits=tuple(edits),
    )


def play(seed: str = "shop", **fields: Any) -> Replay:
    """Play such a tape; `fields` are those of `tape`."""
    return replay(tape(seed, **fields))


def shop(seed: str = "shop", **fields: Any) -> Conversation:
    """One connection of the client with the shop, seen from outside by somebody who knows the secrets."""
    return play(seed, **fields).conversation()


@lru_cache(maxsize=32)
def seen(seed: str, suite: str = SUITE, *, mac_first: bool = False, resumed: bool = False) -> Conversation:
    """As `shop`, kept: graders look at few connections from many sides.

    `mac_first`: a CBC suite without encrypt_then_mac. `resumed`: the client's second visit, with the ticket of the first.
    """
    extensions = {"extensions": [{"name": "EncryptThenMac", "enabled": False}]} if mac_first else {}
    store = {"session_store": True} if resumed else {}
    return play(seed, suites=(suite,), client=extensions | store, connections=1 + resumed).conversation(1 + resumed)


def message(conversation: Conversation, path: str) -> bytes:
    """The bytes of a handshake message with its header of 4 bytes, by its path: "server.Certificate"."""
    return next(each.raw for each in conversation.messages if each.path == path)


def body(conversation: Conversation, path: str) -> bytes:
    """The bytes of a handshake message without its header."""
    return message(conversation, path)[4:]
