"""From a context to the configuration of a client or of a server: one function a role, and nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from puretls.config import ClientConfig, Limits, ServerConfig, Verifier
from puretls.danger import accept_any_chain
from puretls.extensions import Alpn
from puretls.messages.handshake import ClientHello
from puretls.ssl.constants import CERT_NONE, CERT_OPTIONAL
from puretls.ssl.errors import failure
from puretls.ssl.versions import NO_RENEGOTIATION, NO_TICKET, SERVER_PREFERENCE
from puretls.suites import Suite

if TYPE_CHECKING:
    from puretls.ssl.parts import Sessions
    from puretls.ssl.settings import Settings, Terms

RENEGOTIATIONS = 1000
"""How many a server may ask a client for. OpenSSL has no limit; some servers ask once an hour on connections that stay for weeks."""


@dataclass(frozen=True)
class Hooks:
    """What a connection wants to be asked or told."""

    verify: Verifier
    client_psk: Callable[[bytes | None], tuple[bytes, bytes] | None]
    server_psk: Callable[[bytes], bytes | None]
    config_for: Callable[[ClientHello], ServerConfig | None]
    interceptors: tuple[Any, ...] = ()


def client_config(context: Settings, terms: Terms, place: bytes, hooks: Hooks) -> ClientConfig:
    """A client of `context`; `place` stands for the server it connects to: its sessions are kept there."""
    parts, options = context._parts, terms.options
    return ClientConfig(
        **_shared(context, terms, hooks),
        psk=hooks.client_psk if context._callbacks.client_psk else None,
        tickets=not options & NO_TICKET,
        session_store=parts.sessions.kept_for(place),
        extensions=(Alpn(*parts.alpn),) if parts.alpn else (),
        renegotiation=not options & NO_RENEGOTIATION,
        limits=Limits(renegotiations=RENEGOTIATIONS, hello_requests=RENEGOTIATIONS // 8),  # eight times in 64 KiB
    )


def server_config(context: Settings, terms: Terms, sessions: Sessions, hooks: Hooks) -> ServerConfig:
    """A server of `context`, which gives certificates, trust, suites and protocols.

    Where a call-back for server names has changed the context, these follow; what the connection is held to (`terms`) and where its
    `sessions` are kept does not, as in OpenSSL.
    """
    parts, options = context._parts, terms.options
    modes = {CERT_NONE: "none", CERT_OPTIONAL: "request"}
    has_tickets = not options & NO_TICKET and terms.num_tickets
    return ServerConfig(
        **_shared(context, terms, hooks),
        client_authentication=modes.get(terms.verify_mode, "require"),
        session_cache=sessions.cache,
        tickets=sessions.ticket_keys if has_tickets else None,
        session_lifetime=7200,
        psk=hooks.server_psk if context._callbacks.server_psk else None,
        psk_hint=context._callbacks.psk_hint,
        refuse_unknown_identities=True,
        dh_parameters=parts.dh_parameters,
        prefer_client_order=not options & SERVER_PREFERENCE,
        extensions=(Alpn(*parts.alpn, required=False),) if parts.alpn else (),
        config_for=hooks.config_for,
    )


def _shared(context: Settings, terms: Terms, hooks: Hooks) -> dict[str, Any]:
    parts = context._parts
    if not terms.allow_tls_1_2:
        raise failure("NO_PROTOCOLS_AVAILABLE", "puretls speaks TLS 1.2, and this context forbids it")
    suites = _suites(context)
    return {
        "suites": suites,
        "groups": parts.groups,
        "credentials": parts.credentials.sent(parts.trust),
        "verifier": accept_any_chain if terms.verify_mode == CERT_NONE else hooks.verify,
        "key_log": parts.key_log.write if parts.key_log.path is not None else None,
        "interceptors": hooks.interceptors,
        "danger_suites": any(suite.danger for suite in suites),
        "trace_level": "off",
        "half_close": True,
    }


def _suites(context: Settings) -> tuple[Suite, ...]:
    suites = context._parts.ciphers.usable()
    has_psk = context._callbacks.client_psk or context._callbacks.server_psk
    if not has_psk:
        suites = tuple(suite for suite in suites if suite.auth.name != "PSK" and "PSK" not in suite.name)
    if not suites:
        raise failure("NO_CIPHERS_AVAILABLE")
    return suites
