"""The client's flight as a server takes it, Finished of both, and what follows (RFC 5246 7.4.6 to 7.4.9)."""

from __future__ import annotations

from puretls.errors import PeerError, Reason
from puretls.events import RenegotiationRefused
from puretls.handshake.authenticate import client_question, parse_leaf, usage_allows, usage_path
from puretls.handshake.context import ServerContext
from puretls.handshake.effects import TELL_CERTIFICATE, Ask, Emit, KeepSession, Send, Step, Update
from puretls.handshake.finished import check_finished, complete, send_finished
from puretls.handshake.keys import LOG_MASTER_SECRET, derive_master, on_change_cipher_spec
from puretls.handshake.renegotiation import check_same_peer
from puretls.handshake.server.tickets import send_ticket, session_of
from puretls.handshake.states import Refused, Renegotiate, Role, ServerState, Verdict
from puretls.key_exchange.signature import verify
from puretls.messages.handshake import Certificate, CertificateVerify, Finished, HelloRequest
from puretls.messages.key_exchange import ClientKeyExchange, DigitallySigned
from puretls.messages.records import ChangeCipherSpec

S = ServerState


def on_client_certificate(context: ServerContext, message: Certificate) -> Step:
    """RFC 5246 7.4.6."""
    chain = message.certificate_list
    if not chain:
        if context.config.client_authentication == "require":
            raise PeerError(Reason.CLIENT_CERTIFICATE_REQUIRED, path="Certificate.certificate_list.length")
        return Step(context, S.WAIT_CLIENT_KEY_EXCHANGE)
    if len(chain) > context.config.limits.certificates:
        raise PeerError(Reason.CHAIN_TOO_LONG, f"{len(chain)} certificates", path="Certificate.certificate_list.length")
    check_same_peer(context, chain)
    leaf, key = parse_leaf(chain)
    if not usage_allows(leaf, signing=True):
        raise PeerError(Reason.WRONG_KEY_USAGE, "client certificate", path=usage_path(leaf))
    context = context.evolve(peer=context.peer.evolve(chain=chain, public_key=key))
    return Step(context, S.WAIT_CLIENT_VERDICT, (Ask(client_question),))


def on_client_verdict(context: ServerContext, message: Verdict) -> Step:
    """The chain was accepted; the client has yet to prove that the key is its own."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    return Step(context, S.WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY, (TELL_CERTIFICATE,))


def on_client_key_exchange(context: ServerContext, message: ClientKeyExchange) -> Step:
    """RFC 5246 7.4.7, from a client without a certificate."""
    return _exchange_keys(context, message, S.WAIT_CCS)


def on_client_key_exchange_then_verify(context: ServerContext, message: ClientKeyExchange) -> Step:
    """RFC 5246 7.4.7, from a client that must prove its certificate."""
    return _exchange_keys(context, message, S.WAIT_CERTIFICATE_VERIFY)


def _exchange_keys(context: ServerContext, message: ClientKeyExchange, waiting: ServerState) -> Step:
    context, premaster = context.suite.kx.receive(context, message)
    return Step(context, waiting, (Update(derive_master(premaster)), LOG_MASTER_SECRET))


def on_certificate_verify(context: ServerContext, message: CertificateVerify) -> Step:
    """RFC 5246 7.4.8."""
    verify(context, context.peer_key, DigitallySigned(message.algorithm, message.signature), context.transcript, "CertificateVerify")
    negotiated = context.negotiated.evolve(client_signature_scheme=message.algorithm)
    return Step(context.evolve(_negotiated=negotiated), S.WAIT_CCS)


def on_client_change_cipher_spec(context: ServerContext, message: ChangeCipherSpec) -> Step:
    """RFC 5246 7.1."""
    return on_change_cipher_spec(context, message, S.WAIT_FINISHED, Role.CLIENT)


def on_client_finished(context: ServerContext, message: Finished) -> Step:
    """RFC 5246 7.4.9; in a full handshake ticket and Finished answer it."""
    context = check_finished(context, message, Role.CLIENT)
    if context.negotiated.resumed:
        return Step(context, S.CONNECTED, _COMPLETE_RESUMED)
    if context.ticket_keys is not None:
        return Step(context, S.CONNECTED, (send_ticket(context.ticket_keys), *send_finished(Role.SERVER), *_COMPLETE))
    keep = _KEEP_SESSION if context.negotiated.session_id else ()
    return Step(context, S.CONNECTED, (*send_finished(Role.SERVER), *_COMPLETE, *keep))


_COMPLETE, _COMPLETE_RESUMED = complete(session_of), complete(lambda context: context.session)
_KEEP_SESSION = (KeepSession(lambda context: context.negotiated.session_id),)


# Once connected


def on_renegotiate(context: ServerContext, message: Renegotiate) -> Step:
    """RFC 5246 7.4.1.1: ask the client for a new handshake; it may decline."""
    return Step(context, S.CONNECTED, (Send(lambda context: HelloRequest(), makes=HelloRequest),))


def on_refused(context: ServerContext, message: Refused) -> Step:
    """The client answered no_renegotiation to our HelloRequest (RFC 5246 7.2.2)."""
    return Step(context, S.CONNECTED, (Emit(lambda context: RenegotiationRefused(by_peer=True)),))
