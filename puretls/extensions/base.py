"""The contract of an extension: what it offers, accepts, answers and confirms. Its instance is its configuration.

Client: `offer` gives the body for the ClientHello, `confirm` turns the server's body into a result. Server: `accept` turns the
client's body into a result, `answer` gives the body for the ServerHello. `if_missing` gives the result where the other side said
nothing. A result is what `negotiated.result(ThatExtension)` returns; None means that it was not agreed on. The path of a `PeerError`
that they raise names a field of the body ("names[0]"), or the extension as a whole ("").

What follows from a result is the extension's own business, too: how long records may be (`record_limits`), what a session keeps of it
(`kept`), whether a session fits it (`may_resume`), and what a resumption makes of it (`resumed`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from puretls.errors import PeerError, Reason
from puretls.iana import HandshakeType
from puretls.messages.extension import BODIES
from puretls.messages.records import MAX_PLAINTEXT
from puretls.suites import Suite
from puretls.values import extensible, field
from puretls.wire.schema import Struct, wire

if TYPE_CHECKING:
    from puretls.session import Session

StructClass = type[Struct]


@wire("5246 7.4.1.4")
class Empty(Struct):
    """A body of no bytes."""


class RecordLimits(NamedTuple):
    """Bytes of plaintext that a record may carry: to the peer, and from it."""

    send: int = MAX_PLAINTEXT
    receive: int = MAX_PLAINTEXT


class View(NamedTuple):
    """What an extension may know of the handshake; fields that do not apply keep their defaults.

    `suites` are those offered, `suite` the one chosen. `ticket` is the ticket to offer (b"" asks for a first one, None for none at
    all). `verify_data` holds client's and server's last Finished in a renegotiation (RFC 5746 3.1). `offered` are the types of the
    extensions that the client sent. `is_own_name` tells whether a name is one of the server's certificate; None where there is none.
    """

    suites: tuple[Suite, ...] = ()
    groups: tuple[int, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    server_name: str | None = None
    ticket: bytes | None = None
    verify_data: tuple[bytes, bytes] | None = None
    offered: Collection[int] = ()
    is_own_name: Callable[[str], bool] | None = None
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


_HOOKS = frozenset(("kept", "may_resume", "record_limits", "resumed"))


@extensible()
class Extension:
    """One extension. `enabled=False` keeps it out of the handshake altogether."""

    type: ClassVar[int]
    rfc: ClassVar[str]
    client_body: ClassVar[StructClass] = Empty
    server_body: ClassVar[StructClass | None] = Empty
    """None: a server never answers this extension."""
    fixed_offer: ClassVar[bool] = False
    """True: `offer` depends on the configuration alone, so its body is made once and serves all connections."""
    of_connection: ClassVar[bool] = False
    """True: the result holds for the whole connection. A client leaves the extension out of a renegotiation, and the result stays."""
    limits_go_with_keys: ClassVar[bool] = False
    """True: the peer must keep to `record_limits` from its next keys on. False: from the ServerHello on, as we do in any case."""

    hooks: ClassVar[frozenset[str]] = frozenset()
    """Names of the hooks `kept`, `may_resume`, `record_limits` and `resumed` that the class overrides; the others are never called."""

    enabled: bool = field(default=True, kw_only=True)

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        cls.hooks = cls.hooks | _HOOKS & vars(cls).keys()
        if "type" in cls.__dict__:
            BODIES[HandshakeType.CLIENT_HELLO, cls.type] = cls.client_body
            if cls.server_body is not None:
                BODIES[HandshakeType.SERVER_HELLO, cls.type] = cls.server_body

    @property
    def needs_hello_length(self) -> bool:
        """Client: whether `offer` reads `view.hello_length`, which costs a serialisation."""
        return False

    def offer(self, view: View) -> Any:
        """Client: the body to send, or None to leave the extension out."""

    def accept(self, body: Any, view: View) -> Any:
        """Server: what the client's body means here; raises `PeerError` for a value it must not have."""

    def may_answer(self, result: Any, view: View) -> bool:
        """Server: whether `answer` is asked at all: only what the client sent is answered (RFC 5246 7.4.1.4)."""
        return self.type in view.offered

    def answer(self, result: Any, view: View) -> Any:
        """Server: the body to send back for an accepted result, or None."""

    def confirm(self, body: Any, view: View) -> Any:
        """Client: what the server's body means; raises `PeerError` for a value it must not have."""

    def if_missing(self, view: View) -> Any:
        """The result where the peer did not send the extension; may raise `PeerError` where it must have."""

    def record_limits(self, result: Any) -> RecordLimits | None:
        """The limits that follow from the result; None where the extension limits nothing."""

    @classmethod
    def kept(cls, result: Any) -> dict[str, Any]:
        """What a session keeps of the result: values by the names of fields of `Session`."""
        return {}

    @classmethod
    def may_resume(cls, session: Session, result: Any) -> bool:
        """Server: whether a session fits what the client says now (the result; None where nothing was agreed on)."""
        return True

    @classmethod
    def resumed(cls, session: Session, result: Any) -> Any:
        """Client: the result in a resumption, where it belongs to the session and not to the ServerHello."""
        return result

    def illegal(self, detail: str, field: str = "", reason: Reason = Reason.ILLEGAL_EXTENSION_VALUE) -> PeerError:
        """An error that names a field of the body, as its struct has it; "" stands for the extension as a whole."""
        return PeerError(reason, detail, path=field, rfc=self.rfc)


def limits_agreed(extensions: Iterable[Extension], results: Mapping[type[Extension], Any]) -> tuple[RecordLimits, RecordLimits]:
    """The smallest limits that were agreed on: first those in force since the ServerHello, then those that begin with the next keys."""
    at_once = with_keys = RecordLimits()
    for extension in extensions:
        result = results.get(type(extension))
        limits = None if result is None or "record_limits" not in extension.hooks else extension.record_limits(result)
        if limits is not None and extension.limits_go_with_keys:
            with_keys = RecordLimits(*map(min, with_keys, limits))
        elif limits is not None:
            at_once = RecordLimits(*map(min, at_once, limits))
    return at_once, with_keys
