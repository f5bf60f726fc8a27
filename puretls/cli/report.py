"""What a connection agreed on, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puretls.connection import Connection

WIDTH = 13


def negotiated_lines(connection: Connection) -> list[str]:
    """One line a fact, its name first."""
    return [f"{name:<{WIDTH}}{text}" for name, text in _facts(connection) if text]


def one_line(connection: Connection) -> str:
    """The same for a log."""
    agreed = connection.negotiated
    assert agreed is not None
    parts = [agreed.suite.name, agreed.group_name, scheme_name(agreed.signature_scheme), agreed.alpn or ""]
    parts.append("resumed" if agreed.resumed else "full")
    if connection.peer_report is not None:
        parts.append(f"({connection.peer_report})")
    return " ".join(part for part in parts if part)


def scheme_name(scheme: int | None) -> str:
    """The registered name of a signature scheme, its number where it has none, nothing for None."""
    if scheme is None:
        return ""
    name: str = getattr(scheme, "name", f"{scheme:04x}")
    return name.lower()


def _facts(connection: Connection) -> Iterator[tuple[str, str]]:
    agreed = connection.negotiated
    assert agreed is not None
    yield "version", "TLS 1.2"
    yield "suite", f"{agreed.suite.name} ({agreed.suite.openssl_name})"
    yield "handshake", "abbreviated, session resumed" if agreed.resumed else "full"
    yield "group", agreed.group_name
    yield "signature", scheme_name(agreed.signature_scheme)
    yield "protocol", agreed.alpn or ""
    yield "server name", agreed.server_name or ""
    yield "PSK identity", (agreed.psk_identity or b"").decode("utf-8", "backslashreplace")
    yield "agreed", ", ".join(name for name in _AGREEMENTS if getattr(agreed, name))
    yield "records", f"at most {agreed.send_limit} bytes to the peer" if agreed.send_limit < 2**14 else ""
    yield "certificate", str(connection.peer_report or "")


_AGREEMENTS = ("extended_master_secret", "encrypt_then_mac", "secure_renegotiation")
