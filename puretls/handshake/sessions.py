"""Sessions, for both roles: made of a handshake, and taken up by a later one."""

from __future__ import annotations

from typing import Any

from puretls.handshake.context import Context, Negotiated
from puretls.session import Session


def new_session(context: Context, created: float | None = None, **more: Any) -> Session:
    """A session of the handshake just done; `created` is now, unless it goes on from an older one.

    `more` are fields that only one role has; they count more than what an extension keeps.
    """
    negotiated = context.negotiated
    for extension, result in negotiated.results.items():
        if result is not None and "kept" in extension.hooks:
            more = extension.kept(result) | more
    return Session(
        suite=negotiated.suite.id,
        master_secret=context.secrets.master,
        created=context.clock() if created is None else created,
        extended_master_secret=negotiated.extended_master_secret,
        psk_identity=negotiated.psk_identity or b"",
        peer_chain=context.peer.chain,
        group=negotiated.group,
        signature_scheme=negotiated.signature_scheme,
        client_signature_scheme=negotiated.client_signature_scheme,
        ocsp_response=context.peer.ocsp_response,
        **more,
    )


def resumed(negotiated: Negotiated, session: Session) -> Negotiated:
    """What was agreed on, with what a resumption takes from its session instead of agreeing on it anew."""
    return negotiated.evolve(
        psk_identity=session.psk_identity or None,
        group=session.group,
        signature_scheme=session.signature_scheme,
        client_signature_scheme=session.client_signature_scheme,
    )
