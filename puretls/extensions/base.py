"""The contract of an extension: what it offers, accepts, answers and confirms. Its instance is its configuration.

Client: `offer` gives the body for the ClientHello, `confirm` turns the server's body into a result. Server: `accept` turns the
client's body into a result, `answer` gives the body for the ServerHello. `if_missing` gives the result where the other side said
nothing. A result is what `negotiated.result(ThatExtension)` returns; None means that it was not agreed on. The path of a `PeerError`
that they raise names a field of the body ("names[0]"), or the extension as a whole ("").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from puretls.errors import PeerError, Reason
from puretls.iana import HandshakeType
from puretls.messages.extension import BODIES
from puretls.suites import Suite
from puretls.wire.schema import Struct, wire

StructClass = type[Struct]


@wire("5246 7.4.1.4")
class Empty(Struct):
    """A body of no bytes."""


class View(NamedTuple):
    """What an extension may know of the handshake; fields that do not apply keep their defaults.

    `suites` are those offered, `suite` the one chosen. `ticket` is the ticket to offer (b"" asks for a first one, None for none at
    all). `verify_data` holds client's and server's last Finished in a renegotiation (RFC 5746 3.1).
    """

    suites: tuple[Suite, ...] = ()
    groups: tuple[int, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    server_name: str | None = None
    ticket: bytes | None = None
    verify_data: tuple[bytes, bytes] | None = None
    suite: Suite | None = None
    resumed: bool = False
    results: Mapping[type[Extension], Any] = MappingProxyType({})
    issues_ticket: bool = False
    ocsp_response: bytes | None = None
    sct_list: bytes | None = None
    hello_length: int = 0

    def result(self, extension: type[Extension]) -> Any:
        """The result of an extension that stands earlier in the wire order."""
        return self.results.get(extension)

    @property
    def elliptic(self) -> bool:
        """Whether any of the suites agrees on an elliptic curve."""
        return any(suite.is_elliptic for suite in self.suites)


@dataclass(frozen=True)
class Extension:
    """One extension. `enabled=False` keeps it out of the handshake altogether."""

    type: ClassVar[int]
    rfc: ClassVar[str]
    client_body: ClassVar[StructClass] = Empty
    server_body: ClassVar[StructClass | None] = Empty
    """None: a server never answers this extension."""
    fixed_offer: ClassVar[bool] = False
    """True: what `offer` says follows from the configuration alone, and is made once for all connections."""
    of_connection: ClassVar[bool] = False
    """True: agreed on once for the whole connection. A client leaves it out of a renegotiation, and the result stays."""

    enabled: bool = field(default=True, kw_only=True)

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if "type" in cls.__dict__:
            BODIES[HandshakeType.CLIENT_HELLO, cls.type] = cls.client_body
            if cls.server_body is not None:
                BODIES[HandshakeType.SERVER_HELLO, cls.type] = cls.server_body

    def offer(self, view: View) -> Any:
        """Client: the body to send, or None to leave the extension out."""

    def accept(self, body: Any, view: View) -> Any:
        """Server: what the client's body means here; raises `PeerError` for a value it must not have."""

    def answer(self, result: Any, view: View) -> Any:
        """Server: the body to send back for an accepted result, or None. Called only if the client sent the extension."""

    def confirm(self, body: Any, view: View) -> Any:
        """Client: what the server's body means; raises `PeerError` for a value it must not have."""

    def if_missing(self, view: View) -> Any:
        """The result where the peer did not send the extension; may raise `PeerError` where it must have."""

    def illegal(self, detail: str, field: str = "", reason: Reason = Reason.ILLEGAL_EXTENSION_VALUE) -> PeerError:
        """An error that names a field of the body, as its struct has it; "" stands for the extension as a whole."""
        return PeerError(reason, detail, path=field, rfc=self.rfc)
