"""SSLSession: a session of a client, to be resumed on a later connection of the same context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.ssl.conversions import uncopied

if TYPE_CHECKING:
    from puretls.session import Session
    from puretls.ssl.settings import Settings


class SSLSession:
    """What `SSLSocket.session` gives, and takes. Two are equal where their ids are."""

    __module__ = "_ssl"
    __reduce_ex__ = uncopied
    __slots__ = ("_context", "_id", "_session")

    _context: Settings
    _session: Session
    _id: bytes

    def __new__(cls, *arguments: object) -> SSLSession:
        raise TypeError("cannot create '_ssl.SSLSession' instances")

    @classmethod
    def _of(cls, session: Session, context: Settings) -> SSLSession:
        self = object.__new__(cls)
        self._session, self._context = session, context
        self._id = session.session_id or _id_of_ticket(session.ticket)
        return self

    @property
    def id(self) -> bytes:
        """Session ID. Of a session with a ticket it is made of the ticket, as OpenSSL makes one (RFC 5077 3.4)."""
        return self._id

    @property
    def time(self) -> int:
        """Session creation time (seconds since epoch)."""
        return int(self._session.created)

    @property
    def timeout(self) -> int:
        """Session timeout (delta in seconds)."""
        return self._session.lifetime

    @property
    def ticket_lifetime_hint(self) -> int:
        """Ticket life time hint in seconds."""
        return self._session.lifetime if self._session.ticket else 0

    @property
    def has_ticket(self) -> bool:
        """Does the session contain a ticket?"""
        return bool(self._session.ticket)

    def __eq__(self, other: object) -> bool:
        return self._id == other._id if isinstance(other, SSLSession) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._id)


def _id_of_ticket(ticket: bytes) -> bytes:
    from hashlib import sha256

    return sha256(ticket).digest()
