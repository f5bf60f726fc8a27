"""Who sits between a client and its bank, and changes what they agree on: what FREAK and Logjam have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from puretls import schedule
from puretls.config import Credential
from puretls.connection import Connection
from puretls.crypto.keys import RsaPrivateKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES
from puretls.errors import DecodeError
from puretls.iana import CipherSuiteId, ContentType, ExtensionType, SignatureScheme
from puretls.inspect.conversation import Conversation
from puretls.labs.ends import End, Keys, octets
from puretls.labs.grading import Verdict
from puretls.labs.lab import Refused
from puretls.labs.stage import Seeded, credential_of, provider, records, rsa_key
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import Certificate, ClientHello, Finished, HandshakeMessage, ServerHello, ServerHelloDone
from puretls.messages.key_exchange import DigitallySigned
from puretls.messages.records import Record
from puretls.messages.registry import messages_in, parse_handshake, serialise_handshake
from puretls.suites import Suite
from puretls.wire.schema import Struct, serialise

VERSION = 0x0303
SIGNED_BY = SignatureScheme.RSA_PKCS1_SHA256
CHANGE_CIPHER_SPEC = b"\1"
_SECURE = RawExtension(ExtensionType.RENEGOTIATION_INFO, b"\0")
"""That the server knows RFC 5746: clients of today insist on it."""


@lru_cache(maxsize=1)
def bank() -> Credential:
    """The bank's certificate with an RSA key of 2,048 bits: the same in all labs. Where its primes are was looked up once."""
    p, q = (
        (int.from_bytes(hashlib.shake_256(b"the labs of puretls, " + name).digest(128)) | 3 << 1022 | 1) + more
        for name, more in ((b"p", 784), (b"q", 192))
    )
    return credential_of(rsa_key(p, q), Seeded("the bank", 0).random("certificate"))


class ExportServer:
    """The bank's server, as far as the attacks need it: its answer to a ClientHello.

    It knows one suite, and an export suite for those that may have no other. `exchange(export, signed)` makes its ServerKeyExchange, None
    for none; `signed(params)` signs parameters.
    """

    def __init__(
        self,
        seeded: Seeded,
        usual: CipherSuiteId,
        export: CipherSuiteId,
        exchange: Callable[[bool, Callable[[Struct], DigitallySigned]], HandshakeMessage | None],
    ) -> None:
        self._random = seeded.random("the server")
        self._suites = (usual, export)
        self._exchange = exchange

    def answer(self, hello: bytes) -> bytes:
        """Its messages from ServerHello to ServerHelloDone. Raises `Refused` where no suite fits, or for what is no ClientHello."""
        parsed = _hello(hello)
        suite = next((suite for suite in self._suites if suite in parsed.cipher_suites), None)
        if suite is None:
            raise Refused("the server knows none of these suites: handshake_failure")
        ours = self._random(32)

        def signed(params: Struct) -> DigitallySigned:
            key = bank().key
            assert isinstance(key, RsaPrivateKey)
            data = parsed.random + ours + serialise(params)
            return DigitallySigned(SIGNED_BY, provider().sign(SIGNATURE_SCHEMES[SIGNED_BY], key, data, self._random))

        messages = (
            ServerHello(VERSION, ours, b"", suite, 0, (_SECURE,)),
            Certificate(bank().chain),
            self._exchange(suite == self._suites[1], signed),
            ServerHelloDone(),
        )
        return b"".join(serialise_handshake(message) for message in messages if message is not None)


def _hello(raw: bytes) -> ClientHello:
    try:
        parsed = parse_handshake(raw, None)
    except DecodeError as error:
        raise Refused(f"the server cannot read this: {error}") from None
    if not isinstance(parsed, ClientHello):
        raise Refused(f"the server wants a ClientHello, not {type(parsed).__name__}")
    return parsed


class Between:
    """You, between a client that wants to tell its bank a secret, and the bank's server.

    `hello` is the client's ClientHello, a handshake message with its header of four bytes. You pass on what you like, and change it as
    you like.
    """

    def __init__(self, seeded: Seeded, client: Connection, server: ExportServer, suite: Suite) -> None:
        self._server, self._suite = server, suite
        self._request = b"POST /transfer HTTP/1.1\r\n\r\npassword=" + seeded.hex("password", 8).encode()
        self._client = End("the client", client, self._speak)
        self.hello = _content(self._client.take(1)[0])
        self._transcript = self.hello
        self._finished = b""
        """The record of the client's Finished, sealed."""

    def _speak(self, connection: Connection, data: bytes) -> None:
        if not data:
            connection.send(self._request)

    def forward(self, hello: bytes) -> bytes:
        """Send the server a ClientHello; returns its messages up to ServerHelloDone, one after the other.

        The server can be asked as often as you like. Raises `Refused` where it does not know any of the suites.
        """
        return self._server.answer(octets("hello", hello))

    def deliver(self, flight: bytes) -> bytes:
        """Send the client messages in the server's name, once; returns its ClientKeyExchange. Raises `Refused` when it gives up instead."""
        self._client.give(Record(ContentType.HANDSHAKE, VERSION, octets("flight", flight)).to_bytes())
        sent = self._client.take()
        if len(sent) != 3:
            raise Refused(f"the client does not go on{self._client.ending}")
        exchange, self._finished = _content(sent[0]), sent[2]
        self._transcript += flight + exchange
        return exchange

    def finish(self, premaster: bytes) -> bytes:
        """Complete the handshake in the server's name, with this premaster secret; returns what the client says then.

        Raises `Refused` where the secret is wrong, or the client does not wait for that.
        """
        if not self._finished:
            raise Refused("the client has not sent its Finished: deliver the server's messages first")
        hellos = [parse_handshake(message, None) for message in messages_in(self._transcript)[:2]]
        randoms = tuple(bytes(hello.random) for hello in hellos if isinstance(hello, ClientHello | ServerHello))
        prf, hash_name = provider().prf, self._suite.prf_hash
        master = schedule.master_secret(prf, hash_name, premaster, *randoms)
        keys = Keys(self._suite, master, *randoms)
        theirs = keys.client.open(self._finished)
        if theirs is None:
            raise Refused("the client's Finished does not open: this is not the premaster secret")
        digest = hashlib.new(hash_name, self._transcript + theirs).digest()
        ours = serialise_handshake(Finished(schedule.verify_data(prf, hash_name, master, schedule.SERVER_FINISHED, digest)))
        change = Record(ContentType.CHANGE_CIPHER_SPEC, VERSION, CHANGE_CIPHER_SPEC).to_bytes()
        self._client.give(change, keys.server.seal(ContentType.HANDSHAKE, ours))
        return b"".join(keys.client.open(sent) or b"" for sent in self._client.take())

    # For who looks on

    @property
    def request(self) -> bytes:
        """The secret."""
        return self._request

    def conversation(self) -> Conversation:
        """What the client has seen."""
        return self._client.conversation()


def check(peer: Between, answer: Any) -> Verdict:
    """The answer is what the client says to its bank."""
    if answer == peer.request:
        return Verdict(True, (f"the client said {peer.request[-25:].decode()}.",))
    return Verdict(False, ("the answer is what the client says when the handshake is complete, as bytes.",))


def _content(record: bytes) -> bytes:
    return records(record)[0].fragment


# Small pieces of attacks


def suites_at(hello: bytes) -> int:
    """Where the list of suites begins in a ClientHello, and the suite in a ServerHello less its two bytes of length."""
    return 39 + hello[38]


def with_suite(hello: bytes, suite: CipherSuiteId) -> bytes:
    """A ClientHello whose first suite is another."""
    at = suites_at(hello) + 2
    return hello[:at] + int(suite).to_bytes(2) + hello[at + 2 :]


def with_chosen(flight: bytes, suite: CipherSuiteId) -> bytes:
    """A server's flight whose ServerHello names another suite."""
    at = suites_at(flight)
    return flight[:at] + int(suite).to_bytes(2) + flight[at + 2 :]


def vectors_of(flight: bytes) -> list[int]:
    """The numbers in the ServerKeyExchange, each behind its length of two bytes; what is read last belongs to the signature."""
    body = next(message[4:] for message in messages_in(flight) if message[0] == 12)
    numbers = []
    while len(body) > 2:
        size = int.from_bytes(body[:2])
        numbers.append(int.from_bytes(body[2 : 2 + size]))
        body = body[2 + size :]
    return numbers
