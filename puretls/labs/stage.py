"""What labs are played on: two ends in memory under one authority, everything random from a seed, a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from puretls.ca import DevelopmentCa
from puretls.config import ClientConfig, Credential, ServerConfig
from puretls.connection import Connection
from puretls.crypto import provider as providers
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PrivateKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.provider import Provider
from puretls.inspect.conversation import Conversation
from puretls.inspect.named import Source
from puretls.inspect.peer import MemoryPeer
from puretls.inspect.recorder import record
from puretls.messages.records import HEADER, Record
from puretls.suites import SUITES, Suite
from puretls.x509.verifier import chain_verifier

CLOCK = 1_790_000_000.0
"""Seconds since 1970, in September 2026: the time in every lab."""
NAME = "bank.example"
SHORTEST = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

_LABS = Source("the labs of puretls", CLOCK)
"""Where keys come from that are nobody's secret to find: the same for all labs and seeds, since they take time to make."""


@lru_cache(maxsize=1)
def provider() -> Provider:
    """The library's own kernels, so that the same seed gives the same bytes everywhere."""
    return providers.default(accelerated=False)


@lru_cache(maxsize=1)
def authority() -> Any:
    """Whom the clients of the labs trust: a `DevelopmentCa`."""
    return _LABS.authority()


@lru_cache(maxsize=32)
def credential(kind: str = "secp256r1", name: str = NAME, usage: str = "server") -> Credential:
    """A certificate of the authority's, with its key."""
    return _LABS.issue(kind, (name,), usage)


def credential_of(key: PrivateKey, random: RandomBytes) -> Credential:
    """A certificate of the authority's for a key of the lab's own."""
    ca = authority()
    made = DevelopmentCa.load(ca.root, ca.intermediate, random, CLOCK, replace(provider(), generate=lambda kind, random: key))
    leaf = made.issue((NAME,), "rsa2048")
    return Credential(leaf.chain, leaf.key)


def rsa_key(p: int, q: int, e: int = 65537) -> RsaPrivateKey:
    """The key with these primes, however small: the library makes none that short."""
    d = pow(e, -1, (p - 1) * (q - 1))
    return RsaPrivateKey(RsaPublicKey(p * q, e), d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))


def rsa_private(key: RsaPrivateKey, c: int, random: RandomBytes) -> int:
    """c^d mod n by CRT, without the blinding that the library has: that wants longer keys, and here nobody measures time."""
    m1, m2 = pow(c, key.dp, key.p), pow(c, key.dq, key.q)
    return m2 + (m1 - m2) * key.qinv % key.p * key.q


@lru_cache(maxsize=1)
def verifier() -> Any:
    """Accepts what the authority has signed."""
    return chain_verifier([authority().root.certificate], provider=provider())


def suite(name: str) -> Suite:
    """The suite of this name."""
    return next(each for each in SUITES if each.name == name)


class Seeded:
    """What follows from the seed of a peer."""

    def __init__(self, lab: str, seed: int) -> None:
        self._source = Source(f"{lab} {seed} ", CLOCK)

    def random(self, purpose: str) -> RandomBytes:
        """A stream of bytes for one purpose."""
        return self._source.random(purpose)

    def hex(self, purpose: str, length: int) -> str:
        """So many bytes as hexadecimal digits: for cookies and the like."""
        return self.random(purpose)(length).hex()

    def number(self, purpose: str, below: int) -> int:
        """A number from 0 to `below` - 1."""
        return int.from_bytes(self.random(purpose)(16)) % below

    def client(self, number: int = 0, name: str = NAME, **fields: Any) -> Connection:
        """A client that trusts the authority. `number` tells apart the connections of one peer."""
        return Connection.client(ClientConfig(**self._fields(f"client {number}") | {"verifier": verifier()} | fields), name)

    def server(self, number: int = 0, **fields: Any) -> Connection:
        """A server with a P-256 certificate, without tickets and sessions, unless told otherwise."""
        defaults = {"credentials": (credential(),), "tickets": None, "session_cache": None}
        return Connection.server(ServerConfig(**self._fields(f"server {number}") | defaults | fields))

    def _fields(self, purpose: str) -> dict[str, Any]:
        return {
            "provider": provider(),
            "suites": (suite(SHORTEST),),
            "random": self.random(purpose),
            "clock": self._source.time,
        }


def records(data: bytes) -> list[Record]:
    """The records of some bytes of the wire, of whatever type."""
    found, start = [], 0
    while start < len(data):
        type_, version, length = HEADER.unpack_from(data, start)
        end = start + HEADER.size + length
        found.append(Record(type_, version, data[start + HEADER.size : end]))
        start = end
    return found


class Pair:
    """Two ends joined in memory, and a recording of what they say."""

    def __init__(self, client: Connection, server: Connection) -> None:
        self._recorder = record(client, clock=lambda: int(CLOCK * 10**9))
        self.client, self.server = MemoryPeer(client), MemoryPeer(server)

    def carry(self) -> None:
        """Carry bytes both ways until neither end has anything to say."""
        while (to_server := self.client.take()) or (to_client := self.server.take()):
            if to_server:
                self.server.receive(to_server)
            else:
                self.client.receive(to_client)

    def shake(self) -> Pair:
        """The handshake. Raises what ended it."""
        self.client.start()
        self.carry()
        for end in (self.client, self.server):
            if end.error is not None:
                raise end.error
        return self

    def ends(self, side: str) -> tuple[MemoryPeer, MemoryPeer]:
        """Who sends when `side` does, and who receives."""
        return (self.client, self.server) if side == "client" else (self.server, self.client)

    def past(self, side: str) -> bytes:
        """Take what `side` sends, and do not deliver it: for what the other end of the library would not understand."""
        data = self.ends(side)[0].take()
        if side == "server":
            self._recorder.received(data)  # the client has sent its own through the recorder
        return data

    def say(self, side: str, data: bytes) -> bytes:
        """The application at `side` sends `data`; returns what arrives at the other."""
        sender, receiver = self.ends(side)
        receiver.events()
        sender.send(data)
        self.carry()
        return b"".join(told.data for told in receiver.events())

    @property
    def conversation(self) -> Conversation:
        """What went over the wire, with the secrets of both ends: for whoever looks on, not for attackers."""
        return self._recorder.conversation()

    @property
    def seen(self) -> Conversation:
        """What an eavesdropper sees: the same bytes, without any secret."""
        known = self._recorder.conversation()
        return Conversation(known.client, known.server, name=known.name, began=known.began)
