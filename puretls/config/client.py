"""The configuration of a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from puretls.arguments import FLAG, FUNCTION, Kind, check_fields, optional
from puretls.config.common import STORE, Config, add_psk_suites
from puretls.config.credential import Credential
from puretls.session import SessionStore
from puretls.values import extensible, field

Psk = tuple[bytes, bytes]
"""(identity, key)"""


@extensible(kw_only=True)
class ClientConfig(Config):
    """A client.

    Attributes:
        psk: psk(hint) gives identity (at most 65,535 bytes) and key (1 to 65,535 bytes) for a server's hint (None: it gave none), or
            None to give up.
        tickets: Asks for session tickets (RFC 5077).
        session_store: Keeps sessions by server name so that the next connection resumes. Configurations may share one, whatever they
            trust: `verifier` is asked about a session's chain before it is offered, and again when the server resumes it.
        fallback_scsv: Says that a newer version was tried and failed (RFC 7507).
        client_certificate: client_certificate(request) chooses among `credentials` when a server asks; None: the first that fits.
    """

    psk: Callable[[bytes | None], Psk | None] | None = field(default=None, repr=False)
    tickets: bool = True
    session_store: SessionStore | None = None
    fallback_scsv: bool = False
    client_certificate: Callable[[Any], Credential | None] | None = None

    def __post_init__(self) -> None:
        check_fields(self, _CLIENT, ClientConfig)
        add_psk_suites(self, self.psk is not None)
        super().__post_init__()


_CLIENT: dict[str, Kind] = {
    "psk": optional(FUNCTION),
    "tickets": FLAG,
    "session_store": optional(STORE),
    "fallback_scsv": FLAG,
    "client_certificate": optional(FUNCTION),
}
