"""The contract of a key exchange: its messages, and the parts from which they and the premaster secret are made.

A handshake calls the same five methods whatever the key exchange. Server: `prepare`, `make_server_message`, `receive`. Client:
`learn`, `respond`, `make_client_message`. Each asks the parts one after the other, and each part fills in the fields that are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from puretls.crypto.groups import BadPublicValue
from puretls.crypto.secret import Secret
from puretls.errors import PeerError, Reason
from puretls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange
from puretls.values import extensible

if TYPE_CHECKING:
    from puretls.config import ServerConfig
    from puretls.handshake.context import C, ClientContext, Context, ServerContext

T = TypeVar("T")
Groups = Sequence[int] | None
"""The groups that a client lists, None where it sends no list."""


class Sends(IntEnum):
    """Whether the server sends a ServerKeyExchange."""

    NEVER = 0
    MAY = 1
    MUST = 2


class Lack(Enum):
    """What a suite that both sides have may lack, in the order of the checks: the reason if every suite lacks it, and a text."""

    def __init__(self, reason: Reason, text: str) -> None:
        self.reason = reason
        self.text = text

    PSK = Reason.NO_SHARED_SUITE, "no pre-shared key is configured"
    DH_GROUP = Reason.NO_SHARED_DH_GROUP, "no finite-field group in common"
    CURVE = Reason.NO_SHARED_SUITE, "no elliptic curve in common"
    CERTIFICATE = Reason.NO_SHARED_SUITE, "no certificate with a key of the kind that is needed"
    KEY_USAGE = Reason.NO_SHARED_SUITE, "the certificate's key usage does not allow the key exchange"
    CERTIFICATE_CURVE = Reason.NO_SHARED_SUITE, "the certificate's curve is not among the client's"
    SCHEME = Reason.NO_SHARED_SCHEME, "no signature algorithm in common"


class Part:
    """One part of a key exchange. Each method does nothing unless a part overrides it.

    `fields` are those of the message to be made; a part adds its own. What `respond` and `receive` give beside the context is the
    part's share of the premaster secret, b"" if it has none.
    """

    server_sends: ClassVar[Sends] = Sends.NEVER
    """Whether this part needs a ServerKeyExchange. A key exchange of several parts follows the part that needs it most."""
    is_elliptic: ClassVar[bool] = False
    is_finite_field: ClassVar[bool] = False
    is_psk: ClassVar[bool] = False
    is_signed: bool = False

    def lack(self, config: ServerConfig, theirs: Groups) -> Lack | None:
        """Server: what is missing for this part, if anything. `theirs` are the client's groups."""
        return None

    def prepare(self, context: ServerContext, theirs: Groups) -> ServerContext:
        """Server, before its first flight: fill `peer.group` and `secrets`."""
        return context

    def has_news(self, context: ServerContext) -> bool:
        """Server: whether this part has something to say in a ServerKeyExchange."""
        return self.server_sends is Sends.MUST

    def add_server_fields(self, context: ServerContext, fields: dict[str, Any]) -> None:
        """Server: fields of the ServerKeyExchange."""

    def learn(self, context: ClientContext, message: Any) -> ClientContext:
        """Client: check and keep what the ServerKeyExchange says."""
        return context

    def respond(self, context: ClientContext) -> tuple[ClientContext, bytes]:
        """Client: fill `secrets`."""
        return context, b""

    def add_client_fields(self, context: ClientContext, fields: dict[str, Any]) -> None:
        """Client: fields of the ClientKeyExchange, from what `respond` left in the context."""

    def receive(self, context: ServerContext, message: Any) -> tuple[ServerContext, bytes]:
        """Server: check and keep what the ClientKeyExchange says."""
        return context, b""

    def combine(self, context: Context, premaster: bytes) -> bytes:
        """The premaster secret, once all parts have given theirs."""
        return premaster


@extensible(eq=False)
class KeyExchange:
    """How both sides compute the same premaster secret. How the server authenticates itself is another matter.

    `openssl_name` is what OpenSSL's lists say after "Kx="; `openssl_prefix` is what OpenSSL's names of suites begin with, in front of the
    kind of the signing key where the exchange is signed.
    """

    name: str
    parts: tuple[Part, ...]
    server_message: type[ServerKeyExchange]
    client_message: type[ClientKeyExchange]
    openssl_name: str
    openssl_prefix: str

    def __deepcopy__(self, memo: object) -> KeyExchange:
        return self

    def __repr__(self) -> str:
        return f"<KeyExchange {self.name}>"

    @cached_property
    def server_sends(self) -> Sends:
        """Whether the server sends a ServerKeyExchange."""
        return max(part.server_sends for part in self.parts)

    @cached_property
    def is_elliptic(self) -> bool:
        """Whether an elliptic curve group is agreed on (RFC 8422 4)."""
        return any(part.is_elliptic for part in self.parts)

    @cached_property
    def is_finite_field(self) -> bool:
        """Whether a finite-field group is agreed on (RFC 7919 4)."""
        return any(part.is_finite_field for part in self.parts)

    @cached_property
    def is_ephemeral(self) -> bool:
        """Whether the keys of the connection outlive nothing (forward secrecy)."""
        return self.is_elliptic or self.is_finite_field

    @cached_property
    def is_psk(self) -> bool:
        """Whether a key that both sides had before takes part (RFC 4279)."""
        return any(part.is_psk for part in self.parts)

    @cached_property
    def is_signed(self) -> bool:
        """Whether the server signs its key exchange parameters."""
        return any(part.is_signed for part in self.parts)

    # Server

    def lack(self, config: ServerConfig, theirs: Groups) -> Lack | None:
        """What a server lacks for it: a group among `theirs`, a key."""
        return next((lack for part in self.parts if (lack := part.lack(config, theirs)) is not None), None)

    def prepare(self, context: ServerContext, theirs: Groups) -> ServerContext:
        """Before the first flight: the group, and a share in it."""
        for part in self.parts:
            context = part.prepare(context, theirs)
        return context

    def has_server_message(self, context: ServerContext) -> bool:
        """Whether this server sends a ServerKeyExchange."""
        return any(part.has_news(context) for part in self.parts)

    def make_server_message(self, context: ServerContext) -> ServerKeyExchange:
        """RFC 5246 7.4.3."""
        fields: dict[str, Any] = {}
        for part in self.parts:
            part.add_server_fields(context, fields)
        return self.server_message(**fields)

    def receive(self, context: ServerContext, message: ClientKeyExchange) -> tuple[ServerContext, Secret]:
        """The premaster secret from what the client sent."""
        return self._gather(context, lambda part, context: part.receive(context, message))

    # Client

    def learn(self, context: ClientContext, message: ServerKeyExchange) -> ClientContext:
        """Check and keep what the server sent; its signature is verified here."""
        for part in self.parts:
            context = part.learn(context, message)
        return context

    def respond(self, context: ClientContext) -> tuple[ClientContext, Secret]:
        """Make a share, choose a key, and compute the premaster secret. Reads `peer`, fills `secrets`."""
        return self._gather(context, lambda part, context: part.respond(context))

    def make_client_message(self, context: ClientContext) -> ClientKeyExchange:
        """RFC 5246 7.4.7, from what `respond` left in `secrets`."""
        fields: dict[str, Any] = {}
        for part in self.parts:
            part.add_client_fields(context, fields)
        return self.client_message(**fields)

    def _gather(self, context: C, ask: Callable[[Part, C], tuple[C, bytes]]) -> tuple[C, Secret]:
        premaster = b""
        for part in self.parts:
            context, given = ask(part, context)
            premaster = Secret(premaster + given)
        for part in self.parts:
            premaster = part.combine(context, premaster)
        return context, Secret(premaster)


def agree(compute: Callable[[], T], path: str) -> T:
    """The shared secret of our private key and the peer's public value. Raises `PeerError`, with this `path`, for a bad value."""
    try:
        return compute()
    except BadPublicValue as error:
        raise PeerError(Reason.BAD_PUBLIC_VALUE, str(error), path=path) from None
