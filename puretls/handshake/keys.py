"""From the premaster secret to the protection of records, for both roles (RFC 5246 8.1 and 6.3)."""

from __future__ import annotations

from collections.abc import Callable

from puretls import schedule
from puretls.crypto.secret import Secret
from puretls.errors import PeerError, Reason
from puretls.handshake.context import C, Context, Secrets
from puretls.handshake.effects import ChangeReadKeys, LogSecret, Step
from puretls.handshake.states import Role, State
from puretls.messages.records import ChangeCipherSpec
from puretls.record.protect import protect
from puretls.record.protection import Protection


def derive_master(premaster: Secret) -> Callable[[C], C]:
    """Premaster to master secret; extended over the transcript up to ClientKeyExchange where agreed (RFC 7627 4)."""

    def change(context: C) -> C:
        prf, negotiated, hash_name = context.config.provider.prf, context.negotiated, context.suite.prf_hash
        if negotiated.extended_master_secret:
            master = schedule.extended_master_secret(prf, hash_name, premaster, context.handshake_hash())
        else:
            master = schedule.master_secret(prf, hash_name, premaster, negotiated.client_random, negotiated.server_random)
        # What led here is not needed any more: forget it.
        return derive_keys(context.evolve(secrets=Secrets(master=master)))

    return change


def derive_keys(context: C) -> C:
    """Master secret to key block (RFC 5246 6.3)."""
    suite, negotiated, master = context.suite, context.negotiated, context.secrets.master
    keys = schedule.key_block(context.config.provider.prf, suite, master, negotiated.client_random, negotiated.server_random)
    return context.evolve(secrets=context.secrets.evolve(keys=keys))


LOG_MASTER_SECRET = LogSecret("CLIENT_RANDOM", lambda context: (context.negotiated.client_random, context.secrets.master))


def protection(context: Context, sender: Role) -> Protection:
    """The protection of what `sender` sends under the keys just derived."""
    keys = context.keys.client if sender is Role.CLIENT else context.keys.server
    return protect(context.suite, keys, context.config.provider, context.random, encrypt_then_mac=context.negotiated.encrypt_then_mac)


def on_change_cipher_spec(context: Context, message: ChangeCipherSpec, waiting: State, peer: Role) -> Step:
    """RFC 5246 7.1: the byte 1, then the peer's new keys."""
    if message.type != 1:
        raise PeerError(Reason.BAD_CHANGE_CIPHER_SPEC, f"type {message.type}", path="ChangeCipherSpec.type")
    return Step(context, waiting, (ChangeReadKeys(lambda context: protection(context, peer)),))
