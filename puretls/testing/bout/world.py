"""The world of a run: configurations of both ends, the clock, the session, and the nonces that were used."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from puretls import danger
from puretls.config import ClientConfig, Credential, Limits, ServerConfig, Verifier
from puretls.crypto import provider as providers
from puretls.crypto.provider import Provider
from puretls.der import oids
from puretls.handshake.states import Role
from puretls.session import Session, TicketKeys
from puretls.suites import Suite
from puretls.testing.honest import NOW, suite_named
from puretls.testing.pki import Chain, Plan, defect_named, key, plan
from puretls.x509 import drafts
from puretls.x509.verifier import chain_verifier

SUITES: tuple[Suite, ...] = tuple(
    suite_named(f"TLS_ECDHE_ECDSA_WITH_{name}")
    for name in ("AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256", "AES_128_GCM_SHA256", "AES_128_CBC_SHA256")
)
"""What both ends can do, the favourite first; of a mapper that asks for certificates the last is, so that clients come by it, too."""
SERVER, CLIENT = Role.SERVER, Role.CLIENT
SEED = "bout "
"""What all that is random at the connection under test follows from, with its role."""
TICKET_KEY = b"k" * 48
LIFETIME = 24 * 3600
"""Seconds for which a session can be resumed."""
REPEATS = 60
"""How often a peer may repeat what leads nowhere: more often than the moves of a run do by themselves, except for a flood."""
LIMITS = Limits(hello_requests=REPEATS, warning_alerts=REPEATS, renegotiations=2**20, empty_records=REPEATS)


class _Watched:
    """An AEAD cipher of which is noted under which key and nonce it sealed."""

    def __init__(self, inner: Any, key: bytes, world: World) -> None:
        self._inner, self._key, self._world = inner, key, world

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        if (self._key, nonce) in self._world.sealed:
            self._world.repeated = True
        self._world.sealed.add((self._key, nonce))
        sealed: bytes = self._inner.seal(nonce, plaintext, aad)
        return sealed

    def seal_many(self, items: Any) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class World:
    """What the connections of a run share: clock, session, and the nonces that were used."""

    def __init__(self, role: Role, *, certificates: bool = False, tickets: bool = True, seed: bytes = b"") -> None:
        self.role: Role = role
        self.certificates: bool = certificates
        self.now = NOW
        """What the clocks of both ends show."""
        self.session: Session | None = None
        """What a connection that resumes offers."""
        self.shaken = NOW
        """When the handshake was that this session comes from."""
        self.sealed: set[tuple[bytes, bytes]] = set()
        self.repeated = False
        self.randoms: set[bytes] = set()
        """Those that completed handshakes had from the connections under test."""
        self.key_log: list[str] = []
        self.config: ClientConfig | ServerConfig = _config(
            role,
            self,
            watched=self._watching(),
            seed=SEED.encode() + role.value.encode() + seed,
            certificates=certificates,
            tickets=tickets,
        )
        self.mapping: ClientConfig | ServerConfig = _config(
            role.other, self, watched=_provider(), seed=b"mapper" + seed, certificates=certificates, tickets=tickets
        )
        if certificates and role is CLIENT:
            self.mapping = replace(self.mapping, suites=SUITES[::-1])

    def _watching(self) -> Provider:
        inner = _provider()
        return replace(inner, aead=lambda algorithm, key: _Watched(inner.aead(algorithm, key), bytes(key), self))


@cache
def _provider() -> Provider:
    return danger.no_secrecy_provider()


@cache
def chain_with(defect: str = "") -> Chain:
    """What an end shows: a leaf under two authorities, so that all of `DEFECTS` have a place; they are made as near to the leaf as can be.

    Raises `UsageError` for a name that is not among `pki.DEFECTS`.
    """
    return _shown(plan(2), defect)


@cache
def clients_chain(defect: str = "") -> Chain:
    """The same of a client, whose certificate is for clients."""
    usage = drafts.extended_key_usage(oids.CLIENT_AUTH)
    right = plan(2)
    return _shown(right.changed(right.leaf, lambda layer: layer.having(extended_key_usage=usage)), defect)


def _shown(right: Plan, defect: str) -> Chain:
    if not defect:
        return right.chain()
    row = defect_named(defect)
    return row.in_plan(right, row.places(right)[-1])


@cache
def _verifier() -> Verifier:
    return chain_verifier(chain_with().anchors, provider=providers.default())


def forget() -> None:
    """Forget what verifiers have seen: for tests that change the code of validation."""
    _verifier.cache_clear()


def _config(
    role: Role, world: World, *, watched: Provider, seed: bytes, certificates: bool, tickets: bool
) -> ClientConfig | ServerConfig:
    common: dict[str, Any] = {
        "provider": watched,
        "random": danger.fixed_random(seed),
        "clock": lambda: world.now,
        "suites": SUITES,
        "limits": LIMITS,
        "credentials": (Credential((clients_chain() if role is CLIENT else chain_with()).certificates, key("leaf")),),
        "renegotiation": True,
        "key_log": world.key_log.append,
    }
    if role is CLIENT:
        return ClientConfig(verifier=_verifier(), **common)
    keys = TicketKeys([TICKET_KEY], clock=lambda: world.now) if tickets else None
    asks: Any = "request" if certificates else "none"
    return ServerConfig(
        verifier=_verifier(),
        tickets=keys,
        session_cache=None,
        session_lifetime=LIFETIME,
        client_authentication=asks,
        **common,
    )
