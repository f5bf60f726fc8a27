"""What both roles do once the premaster secret is known: master secret, keys, ChangeCipherSpec, Finished, session."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache
from typing import Any

from puretls import schedule
from puretls.crypto.secret import Secret
from puretls.errors import PeerError, Reason
from puretls.events import CertificateReceived, HandshakeCompleted, ParametersNegotiated
from puretls.handshake.context import Context, Established, Negotiated, Peer, Secrets
from puretls.handshake.effects import (
    SEND_CHANGE_CIPHER_SPEC,
    ChangeReadKeys,
    ChangeWriteKeys,
    Effect,
    Emit,
    LogSecret,
    Send,
    Step,
    Update,
)
from puretls.handshake.states import Role, State
from puretls.messages.handshake import Finished
from puretls.messages.records import ChangeCipherSpec
from puretls.record.protect import protect
from puretls.record.protection import Protection
from puretls.session import Session


def derive_master(premaster: Secret) -> Callable[[Context], Context]:
    """Premaster to master secret; extended over the transcript up to ClientKeyExchange where agreed (RFC 7627 4)."""

    def change(context: Context) -> Context:
        prf, negotiated, hash_name = context.config.provider.prf, context.negotiated, context.suite.prf_hash
        if negotiated.extended_master_secret:
            master = schedule.extended_master_secret(prf, hash_name, premaster, context.handshake_hash())
        else:
            master = schedule.master_secret(prf, hash_name, premaster, negotiated.client_random, negotiated.server_random)
        # What led here is not needed any more: forget it.
        return derive_keys(context.evolve(secrets=Secrets(master=master)))

    return change


def derive_keys(context: Context) -> Context:
    """Master secret to key block (RFC 5246 6.3)."""
    suite, negotiated, master = context.suite, context.negotiated, context.secrets.master
    keys = schedule.key_block(context.config.provider.prf, suite, master, negotiated.client_random, negotiated.server_random)
    return context.evolve(secrets=context.secrets.evolve(keys=keys))


LOG_MASTER_SECRET = LogSecret("CLIENT_RANDOM", lambda context: (context.negotiated.client_random, context.secrets.master))

TELL_PARAMETERS = Emit(lambda context: ParametersNegotiated(context.negotiated))
TELL_CERTIFICATE = Emit(lambda context: CertificateReceived(context.peer.chain, context.peer.report))


def protection(context: Context, sender: Role) -> Protection:
    """The protection of what `sender` sends under the keys just derived."""
    keys = context.keys.client if sender is Role.CLIENT else context.keys.server
    return protect(context.suite, keys, context.config.provider, context.random, encrypt_then_mac=context.negotiated.encrypt_then_mac)


def expected_verify_data(context: Context, sender: Role) -> bytes:
    """What `sender`'s Finished must hold over the transcript as it stands (RFC 5246 7.4.9)."""
    label = schedule.CLIENT_FINISHED if sender is Role.CLIENT else schedule.SERVER_FINISHED
    prf = context.config.provider.prf
    return schedule.verify_data(prf, context.suite.prf_hash, context.secrets.master, label, context.handshake_hash())


def _keep_finished(role: Role) -> Callable[[Context, Any], Context]:
    field = "client_finished" if role is Role.CLIENT else "server_finished"
    return lambda context, message: context.evolve(**{field: message.verify_data})


@cache
def finish(role: Role) -> tuple[Effect, ...]:
    """ChangeCipherSpec, new write keys, Finished."""
    return (
        SEND_CHANGE_CIPHER_SPEC,
        ChangeWriteKeys(lambda context: protection(context, role)),
        Send(lambda context: Finished(expected_verify_data(context, role)), _keep_finished(role)),
    )


def on_change_cipher_spec(context: Context, message: ChangeCipherSpec, waiting: State, peer: Role) -> Step:
    """RFC 5246 7.1: the byte 1, then the peer's new keys."""
    if message.type != 1:
        raise PeerError(Reason.BAD_CHANGE_CIPHER_SPEC, f"type {message.type}", path="ChangeCipherSpec.type")
    return Step(context, waiting, (ChangeReadKeys(lambda context: protection(context, peer)),))


def check_finished(context: Context, message: Finished, peer: Role) -> Context:
    """RFC 5246 7.4.9: the peer saw the same handshake and knows the master secret."""
    if not hmac.compare_digest(message.verify_data, expected_verify_data(context, peer)):
        raise PeerError(Reason.BAD_FINISHED, path="Finished.verify_data")
    return _keep_finished(peer)(context, message)


def complete(session_of: Callable[[Context], Session | None]) -> tuple[Effect, ...]:
    """The handshake is over: keep what the next one on this connection needs, and tell the application."""

    def establish(context: Context) -> Context:
        count = context.established.count + 1 if context.established else 1
        established = Established(
            context.negotiated,
            context.peer,
            context.secrets.master,
            (context.client_finished, context.server_finished),
            count,
        )
        return context.evolve(
            session=session_of(context),
            transcript=b"",
            secrets=Secrets(master=context.secrets.master),
            established=established,
            renew_ticket=False,
        )

    return Update(establish), Emit(lambda context: HandshakeCompleted(context.negotiated, context.session))


def begin(context: Context) -> Context:
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
