"""Twenty-four conversations that are the same byte for byte each time: a table, and how a row is played.

Every row has configurations of its own with seeded entropy and a standing clock, real cryptography and a verifier that trusts the test CA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from puretls import danger
from puretls.config import ClientConfig, ServerConfig
from puretls.extensions import Alpn, EncryptThenMac, MaxFragmentLength, RecordSizeLimit
from puretls.session import MemorySessionStore
from puretls.x509.verifier import chain_verifier
from tests.support.credentials import NOW, authority, credential
from tests.support.pair import Pair, fields_for, real, suite_named

MAC_FIRST = {"extensions": (EncryptThenMac(enabled=False),)}
ONE_SCT = bytes.fromhex("0031002f00") + bytes(32) + (1_780_000_000_000).to_bytes(8, "big") + bytes.fromhex("00000403") + b"\0\0"


@dataclass(frozen=True)
class Reference:
    """`client` and `server` are fields beyond those of suite and kind of key; `steps` are played in order on one configuration each."""

    name: str
    suite: str
    kind: str | None = None
    client: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = lambda: {}
    server: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = lambda: {}
    steps: tuple[str, ...] = ("handshake", "data", "close")


def _stapled():
    return {
        "credentials": (replace(credential("secp256r1"), ocsp_response=b"\x30\x03\x0a\x01\x03", sct_list=ONE_SCT),),
        "extensions": (Alpn("h2"),),
    }


def _shows(kind):
    return lambda: {"credentials": (credential(kind, usage="client"),)}


def _stored():
    return {"session_store": MemorySessionStore()}


AGAIN = ("handshake", "data", "close", "handshake", "data", "close")
ASKS = {"client_authentication": "require"}
REFERENCE = (
    Reference("RSA, GCM", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    Reference("RSA, CBC, MAC first", "TLS_RSA_WITH_AES_128_CBC_SHA", client=MAC_FIRST),
    Reference("RSA, CBC, encrypt_then_mac", "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    Reference("RSA, CCM", "TLS_RSA_WITH_AES_128_CCM"),
    Reference("ECDHE, RSA, GCM", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    Reference("ECDHE, RSA, ChaCha20", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    Reference("ECDHE, RSA, CBC, encrypt_then_mac", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    Reference("ECDHE on P-256, ECDSA on P-384, GCM", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp384r1", {"groups": (23, 24)}),
    Reference("ECDHE, ECDSA, CCM_8", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    Reference("ECDHE, Ed25519, ChaCha20", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ed25519"),
    Reference("ECDHE, ECDSA, CBC, MAC first", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", client=MAC_FIRST),
    Reference("DHE, RSA, GCM", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    Reference("DHE, RSA, CBC, MAC first", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", client=MAC_FIRST),
    Reference("DHE, RSA marked for PSS, ChaCha20", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "rsa_pss"),
    Reference("PSK, GCM", "TLS_PSK_WITH_AES_128_GCM_SHA256", server={"psk_hint": b"hint"}),
    Reference("ECDHE_PSK, ChaCha20", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
    Reference("DHE_PSK, CCM", "TLS_DHE_PSK_WITH_AES_128_CCM"),
    Reference("RSA_PSK, CBC", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256"),
    Reference("resumed by id", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", client=_stored, server={"tickets": None}, steps=AGAIN),
    Reference("resumed by ticket", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", client=_stored, server={"session_cache": None}, steps=AGAIN),
    Reference("client certificate, then refused data", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", None, _shows("secp384r1"), ASKS,
              ("handshake", "data", "abort")),
    Reference("client certificate again in a renegotiation", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None,
              lambda: _shows("rsa2048")() | {"renegotiation": True}, ASKS | {"renegotiation": True},
              ("handshake", "data", "renegotiate", "data", "close")),
    Reference("ALPN, stapled status, SCTs, short records", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", None,
              {"extensions": (Alpn("h2", "http/1.1"), RecordSizeLimit(512))}, _stapled),
    Reference("max_fragment_length, no name for it", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", None,
              {"extensions": (MaxFragmentLength(1024),)}, {"refuse_unknown_names": True}, ("handshake", "data", "close", "stranger")),
)  # fmt: skip
assert len(REFERENCE) == 24


@lru_cache
def _verifier():
    return chain_verifier([authority().root.certificate], provider=real())


def configurations(row: Reference, seed: bytes = b"") -> tuple[ClientConfig, ServerConfig]:
    """Fresh ones; `seed` makes others of the same kind."""
    client, server = fields_for(suite_named(row.suite), row.kind)
    common = {"provider": real(), "clock": lambda: NOW, "verifier": _verifier()}
    for fields, more, role in ((client, row.client, b"client"), (server, row.server, b"server")):
        fields.update(common, random=danger.fixed_random(seed + row.name.encode() + role), **more() if callable(more) else more)
    return ClientConfig(**client), ServerConfig(**server)


def play(
    row: Reference, seed: bytes = b"", change: Callable[[Any, Any], tuple[Any, Any]] = lambda *both: both
) -> list[tuple[bytes, bytes]]:
    """What client and server sent on each connection. `change` may replace the two configurations."""
    client, server = change(*configurations(row, seed))
    sent, joined = [], None
    for step in row.steps:
        if step in {"handshake", "stranger"}:
            joined = Pair(client, server, name="server.test" if step == "handshake" else "stranger.test").handshake()
            assert step == "stranger" or joined.client.connection.negotiated.resumed == bool(sent), joined.story()
        else:
            _STEPS[step](joined)
        if step in {"close", "abort", "stranger"}:
            joined.run()
            sent.append((bytes(joined.client.sent), bytes(joined.server.sent)))
            assert (step == "close") == (joined.client.error is joined.server.error is None), joined.story()
    return sent


def _renegotiate(joined: Pair) -> None:
    joined.server.connection.renegotiate()
    joined.run()
    assert joined.client.completed == joined.server.completed == 2


_STEPS: Mapping[str, Callable[[Pair], Any]] = {
    "data": lambda joined: joined.exchange(b"from the client " * 100, b"from the server " * 200),
    "renegotiate": _renegotiate,
    "close": lambda joined: joined.client.connection.close(),
    "abort": lambda joined: joined.client.connection.abort(),
}
