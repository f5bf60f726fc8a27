"""Conversations that between them pass through every flow of the protocol (RFC 5246 7.3): for tables, byte maps and mutations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from puretls.messages.handshake import CertificateStatus
from puretls.session import MemorySessionStore, TicketKeys
from tests.support.breaks import drop
from tests.support.credentials import NOW, credential
from tests.support.pair import Pair, fields_for, pair, real, suite_named


def stapled(kind: str):
    return (replace(credential(kind), ocsp_response=b"\x30\x03\x0a\x01\x00"),)


def tickets():
    return TicketKeys([b"k" * 48], clock=lambda: NOW)


@dataclass(frozen=True)
class Conversation:
    """A named way to get a pair whose handshake is complete; `make` may be called again and again."""

    name: str
    make: Callable[..., Pair]


def _flow(
    suite: str, kind: str | None, *, provider, status: bool = False, request: bool = False, ticket: bool = False, **extra
) -> Callable[..., Pair]:
    """`extra` are fields of the server."""

    def make(**more) -> Pair:
        client, server = fields_for(suite_named(suite), kind)
        client |= {"provider": provider(), "credentials": (credential(usage="client"),), "tickets": ticket}
        server |= {"provider": provider(), "client_authentication": "require" if request else "none"}
        if status:
            server["credentials"] = stapled(kind or "secp256r1")
        if ticket:
            server["tickets"] = tickets()
        return pair(client | more.get("client", {}), server | extra | more.get("server", {}))

    return make


def flows(provider) -> list[Conversation]:
    """Full handshakes: key exchange message or none x stapled status x client authentication x ticket, and without certificates."""
    found = []
    suites = [("TLS_RSA_WITH_AES_128_GCM_SHA256", "rsa2048"), ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "secp256r1"),
              ("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "rsa2048")]  # fmt: skip
    for suite, kind in suites:
        for status in (False, True):
            for request in (False, True):
                for ticket in (False, True):
                    options = {"status": status, "request": request, "ticket": ticket}
                    name = " ".join([suite, *(key for key, value in options.items() if value)])
                    found.append(Conversation(name, _flow(suite, kind, provider=provider, **options)))
    for suite in ("TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
                  "TLS_DH_anon_WITH_AES_128_GCM_SHA256", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"):  # fmt: skip
        for ticket in (False, True):
            make = _flow(suite, None, status=False, request=False, ticket=ticket, provider=provider)
            found.append(Conversation(suite + (" ticket" if ticket else ""), make))
    hint = {"psk_hint": b"hint"}
    found.append(Conversation("PSK with a hint", _flow("TLS_PSK_WITH_AES_128_GCM_SHA256", None, provider=provider, **hint)))
    found += [
        Conversation(
            f"RSA_PSK with a hint, status: {status}",
            _flow("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "rsa2048", status=status, provider=provider, **hint),
        )
        for status in (False, True)
    ]
    # RFC 6066 8: a server that answered status_request need not send a status.
    for suite, kind in suites:
        for more in ({}, hint) if "PSK" in suite else ({},):
            silent = {"interceptors": (drop(CertificateStatus),)} | more
            found.append(
                Conversation(f"{suite} status not sent {more}", _flow(suite, kind, status=True, provider=provider, **silent))
            )
    request_only = _flow(
        suites[0][0], "rsa2048", status=True, request=True, provider=provider, interceptors=(drop(CertificateStatus),)
    )
    found.append(Conversation("RSA, status not sent, certificate requested", request_only))
    return found


def resumptions(provider, suite: str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", kind: str | None = None) -> list[Conversation]:
    """By session id, by ticket, and by a ticket that is renewed."""

    def by(way: str):
        def make(**more) -> Pair:
            client, server = fields_for(suite_named(suite), kind)
            client |= {"provider": provider()} | more.get("client", {})
            server |= {"provider": provider()} | more.get("server", {})
            first_server = server | (
                {"session_cache": MemorySessionStore(clock=lambda: NOW)} if way == "id" else {"tickets": tickets()}
            )
            honest = {"interceptors": ()}
            session = pair(client | honest, first_server | honest).handshake().client.connection.session
            if way == "renewed ticket":
                first_server["tickets"] = TicketKeys([b"n" * 48, b"k" * 48], clock=lambda: NOW)
            return pair(client, first_server, session=session)

        return make

    return [Conversation(f"{suite} resumed by {way}", by(way)) for way in ("id", "ticket", "renewed ticket")]


# Issue: RSA with CBC and GCM; DHE-RSA, ECDHE-RSA and ECDHE-ECDSA with CBC, GCM and ChaCha20; full and resumed; and client authentication

MAPPED = (
    "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
)  # fmt: skip


def mapped() -> list[Conversation]:
    """The 24 conversations of the byte map, with real cryptography."""
    found = []
    for suite in MAPPED:
        kind = "secp256r1" if "ECDSA" in suite else "rsa2048"
        found.append(Conversation(f"{suite} full", _flow(suite, kind, status=False, request=False, ticket=True, provider=real)))
        found.append(resumptions(real, suite, kind)[0])
    for suite, kind in (
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "rsa2048"),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "secp256r1"),
    ):
        found.append(
            Conversation(
                f"{suite} client authentication", _flow(suite, kind, status=True, request=True, ticket=True, provider=real)
            )
        )
    return found
