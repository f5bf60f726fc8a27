"""Configurations, the wires between two ends, and whole conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from puretls.config import DEFAULT_GROUPS, DEFAULT_SCHEMES, ClientConfig, Config, ServerConfig
from puretls.errors import UsageError
from puretls.extensions import (
    Alpn,
    EncryptThenMac,
    ExtendedMasterSecret,
    Extension,
    MaxFragmentLength,
    Padding,
    RecordSizeLimit,
    SessionTicket,
    SignedCertificateTimestamp,
)
from puretls.inspect.streams import other
from puretls.session import MemorySessionStore, TicketKeys
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES
from puretls.testing import honest
from puretls.testing.strategies.fields import either
from puretls.testing.wire import SIDES, Cut, Flip, Wire

Strategy = st.SearchStrategy
KINDS = ("secp256r1", "ed25519", "secp384r1", "ed448", "secp521r1")
"""Kinds of keys of servers: those that are made in milliseconds. A server with an RSA key is made by `kinds=("rsa2048",)`."""
LONGEST = 4096
"""Bytes of a stream within which bits are flipped and streams end; an honest handshake has some two thousand of each side."""


# Configurations


def configurations(role: str, *, kinds: tuple[str, ...] = KINDS, secure: bool = False) -> Strategy[Config]:
    """Configurations of a "client" or a "server", of which any two finish a handshake, or end in one alert.

    Drawn are suites, groups, schemes, extensions, credentials, tickets, client authentication; they shrink to the usual configuration.
    On the provider that protects nothing, unless `secure`; `kinds` are the keys that a server may have. Raises `UsageError` for a role
    that is none.
    """
    honest.config_of(role)
    fields = _client_fields() if role == "client" else _server_fields(kinds)
    return _configured(role, fields, honest.real(role) if secure else {})


@st.composite
def _configured(draw: Any, role: str, fields: Mapping[str, Strategy[Any]], more: dict[str, Any]) -> Config:
    """Some fields are others than usual, of two that are the same the later one."""
    names = tuple(fields)
    chosen = draw(st.lists(_field(names, tuple(fields.values())), max_size=len(names)))
    drawn = {name: value for pair in chosen for name, value in pair}
    return honest.config_of(role, seed=b"drawn", **more | drawn)


@st.composite
def _field(draw: Any, names: tuple[str, ...], values: tuple[Strategy[Any], ...]) -> tuple[tuple[str, Any], ...]:
    """A field that is another than usual, with what has to go with it."""
    number = draw(st.integers(0, len(names) - 1))
    value = draw(values[number])
    return value if isinstance(value, _Together) else ((names[number], value),)


class _Together(tuple[tuple[str, Any], ...]):
    """Fields that are set together."""

    __slots__ = ()


def _some(values: Any, most: int) -> Strategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


@cache
def _extensions() -> Strategy[tuple[Extension, ...]]:
    rows: tuple[tuple[Extension, ...], ...] = (
        (ExtendedMasterSecret(enabled=False), ExtendedMasterSecret(required=True)),
        (EncryptThenMac(enabled=False),),
        (Alpn("h2"), Alpn("http/1.1", "h2"), Alpn("dot")),
        (MaxFragmentLength(512), MaxFragmentLength(4096)),
        (RecordSizeLimit(64), RecordSizeLimit(2**14)),
        (SessionTicket(enabled=False),),
        (SignedCertificateTimestamp(enabled=False),),
        (Padding(512),),
    )
    one_of_each = st.sampled_from([extension for row in rows for extension in row])
    return st.lists(one_of_each, max_size=4, unique_by=type).map(tuple)


def _common() -> dict[str, Strategy[Any]]:
    suites = either(_some(DEFAULT_SUITES, 6), _some(DEFAULT_PSK_SUITES + DEFAULT_SUITES, 12), _some(SUITES, 20))
    return {
        "suites": suites.map(lambda chosen: _Together((("suites", chosen), ("danger_suites", True)))),
        "groups": _some(DEFAULT_GROUPS, 4),
        "signature_schemes": _some(DEFAULT_SCHEMES, 6),
        "extensions": _extensions(),
        "renegotiation": st.just(True),
        "max_send_fragment": st.sampled_from((1, 2, 100, 512, 2**14 - 1)),
    }


def _client_fields() -> dict[str, Strategy[Any]]:
    own = st.sampled_from(KINDS).map(lambda kind: (honest.credential(kind, usage="client"),))
    return _common() | {"tickets": st.just(False), "credentials": own, "psk": st.just(honest.client_psk)}


def _server_fields(kinds: tuple[str, ...]) -> dict[str, Strategy[Any]]:
    credentials = _some(kinds, 3).map(lambda chosen: tuple(map(honest.credential, chosen)))
    stapled = credentials.map(lambda found: tuple(replace(one, ocsp_response=honest.STATUS) for one in found))
    return _common() | {
        "credentials": either(credentials, stapled),
        "client_authentication": st.sampled_from(("request", "require")),
        "prefer_client_order": st.just(True),
        "tickets": st.builds(lambda: TicketKeys([b"k" * 48], clock=lambda: honest.NOW)),
        "session_cache": st.builds(lambda: MemorySessionStore(clock=lambda: honest.NOW)),
        "psk": st.just(honest.server_psk),
    }


# Wires


def wires(*, faithful: bool = False, longest: int = LONGEST) -> Strategy[Wire]:
    """Networks that split bytes, join them and hold them back; they shrink to one that does nothing, then to the earliest byte.

    Unless `faithful`, bits are flipped, and streams end or are cut off, within the first `longest` bytes of each side.
    """
    sizes = st.lists(st.sampled_from((1, 0, 2, 3, 4, 5, 6, 16, 255, 1000)) | st.integers(1, 2**14), max_size=4)
    pieces = sizes.map(lambda found: (*found, 1) if found and not any(found) else tuple(found))
    if faithful:
        return st.builds(Wire, pieces)
    sides, offsets = st.sampled_from(SIDES), st.integers(0, longest - 1)
    flips = st.lists(st.builds(Flip, sides, offsets, st.integers(0, 7)), max_size=2).map(tuple)
    cuts = st.lists(st.builds(Cut, sides, offsets, st.booleans().map(lambda held: not held)), max_size=1).map(tuple)
    return st.builds(Wire, pieces, flips, cuts)


# Conversations


@st.composite
def transcripts(draw: Any, role: str = "client", config: Config | None = None) -> honest.Conversed:
    """Honest conversations that came to their end: handshake, words of both sides, close_notify; byte by byte with who sent what.

    `role` is the side whose configuration is `config` (None: drawn); that of the other side is drawn so that the two agree.
    Raises `UsageError` for a role that is none, and for a configuration of the other one.
    """
    kinds = {"client": ClientConfig, "server": ServerConfig}
    if role not in kinds or not isinstance(config, kinds[role] | None):
        raise UsageError(f"transcripts are of a client with a ClientConfig or a server with a ServerConfig, not {role!r}")
    given = draw(configurations(role)) if config is None else config
    far = other(role)
    secure = given.provider is not honest.no_security()
    ends = {role: given, far: draw(configurations(far, secure=secure))}
    client, server = honest.peer(ends["client"]), honest.peer(ends["server"])
    chunks = honest.converse(client, server).chunks
    assume(client.connection.is_connected and server.connection.is_connected)
    for peer, words in ((client, draw(_words())), (server, draw(_words()))):
        peer.send(words)
    chunks += honest.converse(client, server, begins=False).chunks
    for peer in (client, server):
        peer.close()
        chunks += honest.converse(client, server, begins=False).chunks
    return honest.Conversed(chunks, client, server)


@cache
def _words() -> Strategy[bytes]:
    return st.binary(max_size=40) | st.sampled_from((0, 1, 2**14, 2**14 + 1)).map(bytes)
