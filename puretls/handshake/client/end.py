"""The end of a client's handshake: ticket, ChangeCipherSpec, Finished, and the session that comes of it (RFC 5077 3.3)."""

from __future__ import annotations

from puretls.events import TicketReceived
from puretls.handshake.context import ClientContext
from puretls.handshake.effects import Emit, KeepSession, Step
from puretls.handshake.finished import check_finished, complete, send_finished
from puretls.handshake.keys import on_change_cipher_spec
from puretls.handshake.sessions import new_session
from puretls.handshake.states import ClientState, Role
from puretls.messages.handshake import Finished, NewSessionTicket
from puretls.messages.records import ChangeCipherSpec
from puretls.session import MAX_LIFETIME, Session

S = ClientState
_LIFETIME = 24 * 3600
"""Seconds for which a session is kept that is resumed by its id: no server says how long it keeps one (RFC 5246 F.1.4)."""


def on_new_session_ticket(context: ClientContext, message: NewSessionTicket) -> Step:
    """RFC 5077 3.3; an empty ticket says that the server has changed its mind.

    A renewed ticket does not make the verdict on the server's chain any newer: its session is as old as the one resumed.
    """
    if not message.ticket:
        return Step(context, S.WAIT_CCS)
    now, resumed = context.clock(), context.session
    created = now if resumed is None else min(now, resumed.created)
    lifetime = min(int(now - created) + (message.ticket_lifetime_hint or MAX_LIFETIME), MAX_LIFETIME)
    session = new_session(context, created, ticket=message.ticket, lifetime=lifetime, server_name=context.server_name)
    return Step(context.evolve(session=session), S.WAIT_CCS, (Emit(lambda context: TicketReceived(session)),))


def on_server_change_cipher_spec(context: ClientContext, message: ChangeCipherSpec) -> Step:
    """RFC 5246 7.1."""
    return on_change_cipher_spec(context, message, S.WAIT_FINISHED, Role.SERVER)


def on_finished(context: ClientContext, message: Finished) -> Step:
    """RFC 5246 7.4.9; in a resumption the client's own Finished follows."""
    context = check_finished(context, message, Role.SERVER)
    answer = send_finished(Role.CLIENT) if context.negotiated.resumed else ()
    return Step(context, S.CONNECTED, answer + _COMPLETE)


def _session(context: ClientContext) -> Session | None:
    """The session to resume next time: the ticket's, the one resumed, or a new one by the server's id."""
    if context.session is not None:
        return context.session
    if not context.negotiated.session_id:
        return None
    session_id = context.negotiated.session_id
    return new_session(context, session_id=session_id, lifetime=_LIFETIME, server_name=context.server_name)


_COMPLETE = *complete(_session), KeepSession(lambda context: (context.server_name or "").encode())
