"""The session of a handshake, and tickets that hold sessions (RFC 5077 3.3)."""

from __future__ import annotations

from puretls.errors import raise_of_callback
from puretls.handshake.context import ServerContext
from puretls.handshake.effects import Send
from puretls.handshake.sessions import new_session
from puretls.messages.handshake import UINT16_MAX, NewSessionTicket
from puretls.session import Session, TicketKeys


def session_of(context: ServerContext) -> Session:
    """The session of the handshake just done."""
    return new_session(context, session_id=context.negotiated.session_id, lifetime=context.config.session_lifetime)


def send_ticket(keys: TicketKeys, session: Session | None = None) -> Send:
    """A ticket for `session`; None: for that of the handshake just done."""
    return Send(
        lambda context: _make_ticket(context, keys, session_of(context) if session is None else session), makes=NewSessionTicket
    )


def _make_ticket(context: ServerContext, keys: TicketKeys, session: Session) -> NewSessionTicket:
    """RFC 5077 3.3: the hint says what is left of the session's lifetime. Empty where a long client chain does not fit."""
    left = max(1, int(session.created + session.lifetime - context.clock()))
    try:
        ticket = keys.seal(session, context)
    except Exception as error:
        raise_of_callback("tickets.seal", keys.seal, error)
    return NewSessionTicket(left, ticket) if len(ticket) <= UINT16_MAX else NewSessionTicket(0, b"")
