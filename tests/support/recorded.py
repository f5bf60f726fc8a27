"""Conversations to inspect: the 24 reference ones with the order of their bytes and a key log, and OpenSSL talking to itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

import pytest

from puretls.inspect import Chunk, Conversation, Knowledge, Stream
from tests.support import reference
from tests.support.credentials import issued
from tests.support.pair import Pair, client_config, fields_for, real, server_config, suite_named
from tests.support.reference import REFERENCE, play

UP, DOWN = b"from the client " * 100, b"from the server " * 200


def streams(turns) -> tuple[Stream, Stream]:
    """Two streams of (side, bytes), in the order in which they were sent."""
    chunks = {"client": [], "server": []}
    for order, (side, data) in enumerate(turns):
        if data:
            before = chunks[side][-1] if chunks[side] else None
            chunks[side].append(Chunk(before.offset + len(before.data) if before else 0, data, order * 10**6, order))
    return Stream(tuple(chunks["client"]), end="fin"), Stream(tuple(chunks["server"]), end="fin")


class Recording(Pair):
    """A pair of which is noted who sent what, in order."""

    made: list = []  # noqa: RUF012

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.turns = []
        self.made.append(self)
        for side, end in (("client", self.client), ("server", self.server)):
            end.take = self.noting(side, end.take)

    def noting(self, side, take):
        def taking():
            out = take()
            if out:
                self.turns.append((side, out))
            return out

        return taking


@lru_cache
def recorded(name: str) -> tuple[tuple, str]:
    """Per connection of the reference row of this name who sent what; and the key log of them all."""
    row = next(row for row in REFERENCE if row.name == name)
    lines = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reference, "Pair", Recording)
        patched.setattr(Recording, "made", [])
        play(row, change=lambda client, server: (replace(client, key_log=lines.append), server))
        return tuple(tuple(joined.turns) for joined in Recording.made), "\n".join(lines)


def conversations(name: str, **options) -> list[Conversation]:
    """The conversations of a reference row, with their secrets."""
    turns, log = recorded(name)
    return [Conversation(*streams(sent), Knowledge.of(log), name=name, provider=real(), **options) for sent in turns]


def recorded_pair(suite_name: str, *, kind: str | None = None, client=None, server=None, talks: int = 1) -> tuple[list, str]:
    """A handshake with this suite and real cryptography, `talks` exchanges of data, and a close: who sent what, and the key log."""
    near, far = fields_for(suite_named(suite_name), kind)
    lines: list[str] = []
    common = {"provider": real()}
    joined = Recording(
        client_config(**near | common | {"key_log": lines.append} | (client or {})),
        server_config(**far | common | (server or {})),
    )
    Recording.made.pop()
    joined.handshake()
    assert joined.connected, joined.story()
    for count in range(talks):
        joined.exchange(b"up %d " % count * 20, b"down %d " % count * 200)
    joined.client.connection.close()
    joined.run()
    return joined.turns, "\n".join(lines)


def watched(joined: Pair) -> Pair:
    """The pair, of which is noted from here on who sends what, in `turns`."""
    joined.turns = []
    for side, end in (("client", joined.client), ("server", joined.server)):
        end.take = Recording.noting(joined, side, end.take)
    return joined


@lru_cache
def every_reference() -> tuple[Conversation, ...]:
    """All conversations of the 24 rows."""
    return tuple(conversation for row in REFERENCE for conversation in conversations(row.name))


def openssl_turns(folder, cipher: str, kind: str = "rsa2048", version=None) -> tuple[list, str]:
    """A handshake, data both ways and a close between two OpenSSLs, turn by turn; and their key log."""
    ssl = pytest.importorskip("ssl")
    leaf = issued(kind)
    (folder / "chain.pem").write_text(leaf.chain_pem)
    (folder / "key.pem").write_text(leaf.key_pem)
    contexts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for context in contexts:
        context.set_ciphers(cipher)
        context.minimum_version = context.maximum_version = version or ssl.TLSVersion.TLSv1_2
    contexts[0].check_hostname, contexts[0].verify_mode = False, ssl.CERT_NONE
    contexts[0].keylog_filename = str(folder / "keys.log")
    contexts[1].load_cert_chain(folder / "chain.pem", folder / "key.pem")
    into, out = ({side: ssl.MemoryBIO() for side in ("client", "server")} for _ in range(2))
    ends = {
        side: context.wrap_bio(into[side], out[side], server_side=side == "server")
        for side, context in zip(("client", "server"), contexts, strict=True)
    }
    turns = []

    def attempt(side, call) -> None:
        with suppress(ssl.SSLWantReadError):
            call()
        turns.append((side, out[side].read()))
        into["server" if side == "client" else "client"].write(turns[-1][1])

    for side in ("client", "server") * 3:
        attempt(side, ends[side].do_handshake)
    attempt("client", lambda: ends["client"].write(UP))
    attempt("server", lambda: ends["server"].write(DOWN))
    attempt("client", lambda: ends["client"].read(2**14))
    attempt("client", ends["client"].unwrap)
    return turns, (folder / "keys.log").read_text()
