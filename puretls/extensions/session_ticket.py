"""session_ticket (RFC 5077 section 3.2): a client shows, or asks for, a ticket."""

from __future__ import annotations

from typing import ClassVar

from puretls.extensions.base import Empty, Extension, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, rest, wire


@wire("5077 3.2")
class TicketBody(Struct):
    """The ticket itself, without a length of its own."""

    ticket: bytes = rest()


@extensible()
class SessionTicket(Extension):
    """The client's result says that a NewSessionTicket will come; the server's is the ticket it was shown (b"" for none)."""

    type: ClassVar[int] = ExtensionType.SESSION_TICKET
    rfc = "RFC 5077 3.2"
    client_body: ClassVar[StructClass] = TicketBody
    server_body: ClassVar[StructClass | None] = Empty

    def offer(self, view: View) -> TicketBody | None:
        return None if view.ticket is None else TicketBody(view.ticket)

    def accept(self, body: TicketBody, view: View) -> bytes:
        return body.ticket

    def answer(self, result: bytes, view: View) -> Empty | None:
        return Empty() if view.issues_ticket else None

    def confirm(self, body: Empty, view: View) -> bool:
        return True
