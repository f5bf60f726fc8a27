"""What a further handshake on the same connection begins with, and must not give up (RFC 5746, RFC 7366 3.1, RFC 7627 5.4)."""

from __future__ import annotations

from puretls.errors import PeerError, Reason
from puretls.handshake.context import C, Context, Negotiated, Peer, Secrets


def begin(context: C) -> C:
    """A context for a new handshake on this connection: nothing but what was established is kept."""
    return context.evolve(transcript=b"", _offer=None, _negotiated=None, peer=Peer(), secrets=Secrets(), credential=None)


def check_encrypt_then_mac(before: Negotiated, now: Negotiated, hello: str) -> None:
    """RFC 7366 3.1: what was once better protected is not renegotiated to be worse; `hello` names the peer's message."""
    if before.encrypt_then_mac and now.suite.is_cbc and not now.encrypt_then_mac:
        raise PeerError(Reason.ETM_DROPPED, now.suite.name, path=f"{hello}.extensions.length")


def check_same_peer(context: Context, chain: tuple[bytes, ...]) -> None:
    """RFC 7627 1: without extended master secrets a certificate that changes in a renegotiation may be somebody else's."""
    before = context.established
    if before is None or before.peer.chain[:1] == chain[:1] or not before.peer.chain:
        return
    if not (before.negotiated.extended_master_secret and context.negotiated.extended_master_secret):
        raise PeerError(Reason.IDENTITY_CHANGED, path="Certificate.certificate_list[0]")
