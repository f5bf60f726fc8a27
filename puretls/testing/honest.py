"""Honest ends: an authority, credentials, configurations and conversations in which nothing is wrong, the same in every process.

Keys are made of fixed seeds: whoever has puretls can make them, too. They protect nothing, and are for tests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any, TypeVar

from puretls import danger
from puretls.ca import DevelopmentCa, Issued
from puretls.config import ClientConfig, Config, Credential, ServerConfig, Verifier
from puretls.connection import Connection
from puretls.crypto import provider as providers
from puretls.crypto.provider import Provider
from puretls.errors import UsageError
from puretls.extensions import Alpn, Padding, RecordSizeLimit
from puretls.iana import CipherSuiteId, ContentType, ExtensionType
from puretls.inspect.peer import MemoryPeer
from puretls.intercept import Direction
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello, HandshakeMessage
from puretls.messages.registry import parse_handshake
from puretls.session import MemorySessionStore, TicketKeys
from puretls.suites import SUITES, Suite
from puretls.trace import Layer
from puretls.values import frozen
from puretls.x509.verifier import chain_verifier

M = TypeVar("M", bound=HandshakeMessage)
NAME = "server.test"
"""The name that servers have, and clients ask for."""
NOW = 1_790_000_000.0
"""The time of all clocks here, seconds since 1970."""
PSK_IDENTITY, PSK = b"somebody", b"\x17" * 32
STATUS = b"\x30\x03\x0a\x01\x00"
"""An OCSPResponse of status successful, with no response in it: enough for those who do not look."""


@cache
def no_security() -> Provider:
    """The provider that protects nothing, of which there is one here."""
    return danger.no_security_provider()


@cache
def authority() -> DevelopmentCa:
    """Root and intermediate on P-256."""
    return DevelopmentCa.create(danger.fixed_random(b"puretls.testing"), NOW)


@cache
def issued(kind: str = "secp256r1", name: str = NAME, usage: str = "both") -> Issued:
    """A leaf with its key; an RSA key takes a second or two, the others milliseconds."""
    above = authority()
    random = danger.fixed_random(f"puretls.testing {kind} {name} {usage}".encode())
    return DevelopmentCa.load(above.root, above.intermediate, random, NOW).issue([name], kind, usage=usage)


@cache
def credential(kind: str = "secp256r1", name: str = NAME, usage: str = "both") -> Credential:
    """The same for a configuration."""
    leaf = issued(kind, name, usage)
    return Credential(leaf.chain, leaf.key)


def verifier() -> Verifier:
    """Trusts `authority`, and nobody else."""
    return chain_verifier([authority().root.certificate], provider=providers.default())


# Configurations

_SEEDS = count()


def common(role: str, seed: bytes | None = None) -> dict[str, Any]:
    """What both configurations begin with: no security, and a clock that stands still.

    With a `seed` two configurations send the same bytes; without, each has entropy of its own.
    """
    return {
        "provider": no_security(),
        "verifier": danger.accept_any_chain,
        "random": danger.fixed_random(role.encode() + (str(next(_SEEDS)).encode() if seed is None else seed)),
        "clock": _now,
    }


def _now() -> float:
    return NOW


def client_config(*, seed: bytes | None = None, **fields: Any) -> ClientConfig:
    """A client that accepts any chain, on the provider that protects nothing, but for `fields`."""
    return ClientConfig(**common("client", seed) | fields)


def server_config(*, seed: bytes | None = None, **fields: Any) -> ServerConfig:
    """A server with one P-256 certificate that keeps no sessions, on the provider that protects nothing, but for `fields`."""
    usual = {"credentials": (credential(),), "tickets": None, "session_cache": None}
    return ServerConfig(**common("server", seed) | usual | fields)


def real(role: str, **fields: Any) -> dict[str, Any]:
    """Fields that make a configuration one with cryptography, whose client trusts `authority` alone."""
    trusting: dict[str, Any] = {"verifier": verifier()} if role == "client" else {}
    return {"provider": providers.default()} | trusting | fields


def config_of(role: str, *, seed: bytes | None = None, **fields: Any) -> Config:
    """`client_config` or `server_config`. Raises `UsageError` for a role that is neither."""
    if role not in _CONFIGS:
        raise UsageError(f"a role is client or server, not {role!r}")
    return _CONFIGS[role](seed=seed, **fields)


_CONFIGS: Mapping[str, Callable[..., Config]] = {"client": client_config, "server": server_config}


def suite_named(name: str) -> Suite:
    """A cipher suite. Raises `UsageError` for a name that none has."""
    found = next((suite for suite in SUITES if suite.name == name), None)
    if found is None:
        raise UsageError(f"no cipher suite is called {name!r}")
    return found


def client_psk(hint: bytes | None) -> tuple[bytes, bytes]:
    """What a client answers that has one pre-shared key."""
    return PSK_IDENTITY, PSK


def server_psk(identity: bytes) -> bytes | None:
    """What a server answers that knows one."""
    return PSK if identity == PSK_IDENTITY else None


# Conversations


def peer(config: Config, session: Any = None, name: str | None = NAME) -> MemoryPeer:
    """One end that has not begun."""
    if isinstance(config, ClientConfig):
        return MemoryPeer(Connection.client(config, name, session=session))
    assert isinstance(config, ServerConfig)
    return MemoryPeer(Connection.server(config))


@frozen
class Conversed:
    """What two ends said in turn, and the ends as they are now."""

    chunks: tuple[tuple[str, bytes], ...]
    client: MemoryPeer
    server: MemoryPeer

    def sent(self, side: str) -> bytes:
        """All bytes of one side."""
        return b"".join(data for sender, data in self.chunks if sender == side)

    @property
    def completed(self) -> bool:
        """Whether both ends are connected."""
        return self.client.connection.is_connected and self.server.connection.is_connected


def converse(client: MemoryPeer, server: MemoryPeer, *, begins: bool = True) -> Conversed:
    """Carry bytes until neither end has anything to say."""
    if begins:
        client.start()
    chunks: list[tuple[str, bytes]] = []
    moved = True
    while moved:
        moved = False
        for side, near, far in (("client", client, server), ("server", server, client)):
            if data := near.take():
                moved = True
                chunks.append((side, data))
                far.receive(data)
    return Conversed(tuple(chunks), client, server)


@frozen
class Kind:
    """Fields of client and server that make a conversation of a kind; `resumes` says by what, if it does."""

    name: str
    client: Mapping[str, Any]
    server: Mapping[str, Any]
    resumes: str = ""


def _kinds() -> Iterator[Kind]:
    for name in ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"):
        yield Kind(name, {"suites": (suite_named(name),)}, {})
    shared = {"suites": (suite_named("TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"), suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))}
    for suite in shared["suites"]:
        yield Kind(
            suite.name, {"suites": (suite,), "psk": client_psk}, {"suites": (suite,), "psk": server_psk, "credentials": ()}
        )
    anonymous = suite_named("TLS_DH_anon_WITH_AES_128_GCM_SHA256")
    allowed = {"suites": (anonymous,), "danger_suites": True}
    yield Kind("anonymous", allowed, allowed | {"credentials": ()})
    everything = {
        "client_authentication": "require",
        "credentials": (replace(credential(), ocsp_response=STATUS),),
        "tickets": TicketKeys([b"k" * 48], clock=_now),
        "renegotiation": True,
    }
    own = {"credentials": (credential(usage="client"),), "renegotiation": True}
    yield Kind("status, client authentication, ticket", own, everything)
    many = (Alpn("h2", "http/1.1"), RecordSizeLimit(2**14), Padding(512))
    yield Kind("many extensions", {"extensions": many}, {})
    yield Kind("resumed by ticket", {}, {"tickets": TicketKeys([b"k" * 48], clock=_now)}, "ticket")
    yield Kind("resumed by session id", {"tickets": False}, {"session_cache": MemorySessionStore(clock=_now)}, "id")


@cache
def kinds() -> tuple[Kind, ...]:
    """Kinds of conversations that between them use every message of the protocol."""
    return tuple(_kinds())


@cache
def conversations() -> Mapping[str, Conversed]:
    """One conversation of each of the `kinds`, handshake and a few words, on the provider that protects nothing."""
    return {kind.name: _conversation(kind) for kind in kinds()}


def _conversation(kind: Kind) -> Conversed:
    client, server = (
        client_config(seed=kind.name.encode(), **kind.client),
        server_config(seed=kind.name.encode(), **kind.server),
    )
    session = converse(peer(client), peer(server)).client.connection.session if kind.resumes else None
    ends = peer(client, session), peer(server)
    shaken = converse(*ends)
    ends[0].send(b"question")
    ends[1].send(b"answer")
    said = converse(*ends, begins=False)
    return Conversed((*shaken.chunks, *said.chunks), *ends)


def messages_of(conversed: Conversed) -> tuple[tuple[str, HandshakeMessage], ...]:
    """The handshake messages of a conversation in order, and who sent them."""
    sides = {Direction.OUTBOUND: "client", Direction.INBOUND: "server"}
    return tuple(
        (sides[entry.direction], parse_handshake(entry.raw, entry.key_exchange))
        for entry in conversed.client.connection.trace
        if entry.layer is Layer.MESSAGE and entry.content_type == ContentType.HANDSHAKE
    )


@cache
def _all_messages() -> tuple[HandshakeMessage, ...]:
    return tuple(dict.fromkeys(message for conversed in conversations().values() for _, message in messages_of(conversed)))


def messages(cls: type[M]) -> tuple[M, ...]:
    """All messages of a class in the `conversations`, each once; and the hello of a client that would rather speak TLS 1.3."""
    return tuple(message for message in (*_all_messages(), newer_hello()) if isinstance(message, cls))


@cache
def newer_hello() -> ClientHello:
    """What most clients of today send: TLS 1.3 with a share for X25519, TLS 1.2 if it must be, and ALPN (RFC 8446 4.1.2)."""
    newer = (
        RawExtension(ExtensionType.KEY_SHARE, bytes.fromhex("0024001d0020") + b"\x09" + bytes(31)),
        RawExtension(ExtensionType.PSK_KEY_EXCHANGE_MODES, b"\x01\x01"),
    )
    base = next(hello for hello in _all_messages() if isinstance(hello, ClientHello) and len(hello.cipher_suites) > 5)
    kept = [one for one in base.extensions or () if one.extension_type not in _REPLACED]
    versions = RawExtension(ExtensionType.SUPPORTED_VERSIONS, bytes.fromhex("0403040303"))
    alpn = RawExtension(ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\x00\x03\x02h2")
    suites = (CipherSuiteId.TLS_AES_128_GCM_SHA256, *base.cipher_suites)
    return replace(base, cipher_suites=suites, session_id=b"\x13" * 32, extensions=(versions, *kept, alpn, *newer))


_REPLACED = {ExtensionType.SUPPORTED_VERSIONS, ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION}
