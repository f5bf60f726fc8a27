"""Resumption as a server grants it: by session id or by ticket (RFC 5246 7.3 figure 2, RFC 5077)."""

from __future__ import annotations

import hmac

from puretls.errors import PeerError, Reason, calling, raise_of_callback
from puretls.extensions import ExtendedMasterSecret, SessionTicket, concerned
from puretls.handshake.authenticate import client_question
from puretls.handshake.context import Peer, Secrets, ServerContext
from puretls.handshake.effects import Ask, Step, Update
from puretls.handshake.finished import send_finished
from puretls.handshake.keys import LOG_MASTER_SECRET, derive_keys
from puretls.handshake.server.choice import Results
from puretls.handshake.server.flight import SEND_HELLO, STARTED, agreement, negotiate
from puretls.handshake.server.tickets import send_ticket
from puretls.handshake.sessions import resumed
from puretls.handshake.states import Rejection, Role, ServerState, Verdict
from puretls.session import Session, TicketKeys

S = ServerState


def find_session(context: ServerContext, results: Results) -> tuple[Session | None, TicketKeys | None]:
    """The session that the client shows, if it may be resumed, and the keys for a new ticket where its ticket should be renewed."""
    config, hello = context.config, context.offer.hello
    session, renew = None, False
    ticket = results.get(SessionTicket)
    if ticket and config.tickets is not None:
        try:
            session, renew = config.tickets.open(ticket, context)
        except Exception as error:
            raise_of_callback("tickets.open", config.tickets.open, error)
    elif hello.session_id and config.session_cache is not None:
        with calling("session_cache.get", config.session_cache.get):
            session = config.session_cache.get(hello.session_id)
        if session is not None and session.suite not in hello.cipher_suites:
            raise PeerError(Reason.SESSION_SUITE_NOT_OFFERED, path="ClientHello.cipher_suites")
    if session is None or not _may_resume(context, results, session):
        return None, None
    half_over = context.clock() - session.created > session.lifetime / 2
    return session, config.tickets if ticket and (renew or half_over) else None


def _may_resume(context: ServerContext, results: Results, session: Session) -> bool:
    """Whether what the client offers now is what the session was made for; else a full handshake follows."""
    config = context.config
    if session.extended_master_secret and not results.get(ExtendedMasterSecret):
        raise PeerError(Reason.EMS_MISMATCH, path="ClientHello.extensions.length")  # RFC 7627 5.3: the server MUST abort
    return (
        _may_resume_again(context, session)
        and session.is_fresh(context.clock())
        and session.suite in config.suites_by_id
        and session.suite in context.offer.hello.cipher_suites
        and session.extended_master_secret == bool(results.get(ExtendedMasterSecret))
        and all(extension.may_resume(session, results.get(extension)) for extension in concerned(results, "may_resume"))
        and not (config.client_authentication == "require" and not session.peer_chain)
        and not (config.client_authentication == "none" and session.peer_chain)
    )


def _may_resume_again(context: ServerContext, session: Session) -> bool:
    """In a renegotiation: fresh keys under the session that the connection has (RFC 5246 7.4.1.2), and under no other.

    A client that is to be asked for a certificate now has to shake hands in full.
    """
    before = context.established
    if before is None:
        return True
    asks = context.config.client_authentication != "none"
    return hmac.compare_digest(session.master_secret, before.master) and not (asks and not session.peer_chain)


def resume(context: ServerContext, results: Results, session: Session, ticket_keys: TicketKeys | None) -> Step:
    """RFC 5246 7.3 figure 2, as far as it goes before the verifier has judged the session's chain again."""
    suite = context.config.suites_by_id[session.suite]
    negotiated = agreement(context, results, suite, session_id=context.offer.hello.session_id, resumed=True)
    context = context.evolve(
        _negotiated=resumed(negotiated, session),
        session=session,
        ticket_keys=ticket_keys,
        peer=Peer(chain=session.peer_chain),
        secrets=context.secrets.evolve(master=session.master_secret),
    )
    return Step(context, S.WAIT_RESUMPTION_VERDICT, (Ask(client_question),))


def on_resumption_verdict(context: ServerContext, message: Verdict) -> Step:
    """The client's chain was accepted once more, or there is none: the abbreviated handshake."""
    context = context.evolve(peer=context.peer.evolve(report=message.report))
    ticket = () if context.ticket_keys is None or context.session is None else (send_ticket(context.ticket_keys, context.session),)
    flight = (SEND_HELLO, *STARTED, Update(derive_keys), LOG_MASTER_SECRET, *ticket, *send_finished(Role.SERVER))
    return Step(context, S.WAIT_CCS, flight)


def on_resumption_rejected(context: ServerContext, message: Rejection) -> Step:
    """The client's chain is not accepted any more: it may show another in a full handshake."""
    results = dict(context.negotiated.results)
    return negotiate(context.evolve(_negotiated=None, peer=Peer(), secrets=Secrets()), results)
