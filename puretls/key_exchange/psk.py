"""The pre-shared key: a hint of the server's, an identity of the client's, and a key that both sides have (RFC 4279 2 to 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puretls.crypto.secret import Secret, leaving_no_frames
from puretls.errors import PeerError, Reason, UsageError, calling
from puretls.key_exchange.base import Groups, Lack, Part, Sends

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.handshake.context import C, ClientContext, Context, ServerContext

_LONGEST = 2**16 - 1
"""Bytes of a pre-shared key, and of an identity (RFC 4279 2)."""
_NOBODYS_KEY_LENGTH = 32


class PreSharedKey(Part):
    """A ServerKeyExchange comes only where there is a hint (RFC 4279 2), unless another part needs one anyway."""

    server_sends = Sends.MAY
    is_psk = True

    def lack(self, config: ServerConfig, theirs: Groups) -> Lack | None:
        return Lack.PSK if config.psk is None else None

    def has_news(self, context: ServerContext) -> bool:
        return context.config.psk_hint is not None

    def add_server_fields(self, context: ServerContext, fields: dict[str, Any]) -> None:
        fields["psk_identity_hint"] = context.config.psk_hint or b""

    def learn(self, context: ClientContext, message: Any) -> ClientContext:
        return context.evolve(peer=context.peer.evolve(psk_hint=message.psk_identity_hint))

    def respond(self, context: ClientContext) -> tuple[ClientContext, bytes]:
        return _choose(context), b""

    def add_client_fields(self, context: ClientContext, fields: dict[str, Any]) -> None:
        fields["psk_identity"] = context.negotiated.psk_identity or b""

    def receive(self, context: ServerContext, message: Any) -> tuple[ServerContext, bytes]:
        return _find(context, message.psk_identity), b""

    def combine(self, context: Context, premaster: bytes) -> bytes:
        """RFC 4279 2: what the other parts gave, or else as many zeros as the key has bytes; then the key; each with its length."""
        key = context.secrets.psk
        other = premaster or bytes(len(key))
        return len(other).to_bytes(2, "big") + other + len(key).to_bytes(2, "big") + key


@leaving_no_frames
def _choose(context: ClientContext) -> ClientContext:
    callback = context.config.psk
    with calling("psk", callback):
        chosen = callback(context.peer.psk_hint) if callback else None
    if chosen is None:
        raise PeerError(Reason.NO_PSK)
    if not isinstance(chosen, tuple | list) or len(chosen) != 2:
        raise UsageError(f"psk must give (identity, key) or None, not {type(chosen).__name__}")
    identity, key = chosen
    if not isinstance(identity, bytes) or len(identity) > _LONGEST:
        raise UsageError("psk must give an identity of at most 65,535 bytes (RFC 4279 2)")
    return _with_key(context, identity, key)


@leaving_no_frames
def _find(context: ServerContext, identity: bytes) -> ServerContext:
    """The key of an identity, and a random key for an unknown identity (RFC 4279 2).

    With the random key the handshake fails at Finished, as it does with a wrong key, so a client cannot find out which identities
    exist. The random key is drawn for a known identity, too: otherwise the time would tell.
    """
    callback = context.config.psk
    nobodys = Secret(context.random(_NOBODYS_KEY_LENGTH))
    with calling("psk", callback):
        key = callback(identity) if callback else None
    if key is None and context.config.refuse_unknown_identities:
        raise PeerError(Reason.UNKNOWN_PSK_IDENTITY, path="ClientKeyExchange.psk_identity")
    return _with_key(context, identity, nobodys if key is None else key)


def _with_key(context: C, identity: bytes, key: object) -> C:
    """Keeps the key, in both roles. An empty key is refused here, because it would leave no secret at all (RFC 4279 5.3 and 7.1)."""
    if not isinstance(key, bytes) or not 1 <= len(key) <= _LONGEST:
        raise UsageError("psk must give a key of 1 to 65,535 bytes (RFC 4279 2 and 5.3)")
    return context.evolve(
        _negotiated=context.negotiated.evolve(psk_identity=identity),
        secrets=context.secrets.evolve(psk=Secret(key)),
    )
