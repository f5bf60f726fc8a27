"""`puretls serve --ask-later PATH`: a client is asked for its certificate once it has asked for that path, by a renegotiation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from puretls.cli.http import BadRequest
from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.net import TlsSocket


def ask(tls: TlsSocket, authentication: str) -> list[str]:
    """Who the client is, line by line, after a handshake that asked for it: "request" or "require".

    Only this one renegotiation is granted, and only a secure one (RFC 5746). Raises `BadRequest` where the client refuses it or shows
    no certificate, and `TlsError` where its certificate is not accepted.
    """
    before: ServerConfig = tls.connection.config  # type: ignore[assignment]
    tls.connection.change_config(replace(before, renegotiation=True, client_authentication=authentication))
    try:
        answered = tls.renegotiate()
    except UsageError:
        answered = False  # the client cannot renegotiate securely, or has closed
    finally:
        tls.connection.change_config(before)
    if not answered:
        raise BadRequest("403 Renegotiation Refused")
    if not tls.peer_certificates:
        raise BadRequest("403 No Client Certificate")
    return list(_facts(tls.peer_certificates[0]))


def _facts(leaf: bytes) -> list[str]:
    from puretls.text import printable
    from puretls.x509.certificates.certificate import Certificate
    from puretls.x509.reports.findings import display_name

    certificate = Certificate.parse(leaf)
    names = ", ".join(str(name) for name in certificate.subject_alt_names)
    facts = ("client", display_name(certificate)), ("names", names), ("fingerprint", certificate.fingerprint.hex())
    return [printable(f"{name:<13}{text}") for name, text in facts if text]
