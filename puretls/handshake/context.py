"""What a handshake knows: a frozen record, replaced at each step, grouped by the phase that creates it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from puretls.arguments import described
from puretls.config import ClientConfig, Config, Credential, ServerConfig
from puretls.crypto.groups import Group, KeyShare, RandomBytes
from puretls.crypto.keys import PublicKey
from puretls.crypto.secret import Secret
from puretls.errors import InternalError, UsageError, raise_of_callback
from puretls.extensions import (
    Alpn,
    EncryptThenMac,
    ExtendedMasterSecret,
    Extension,
    RecordLimits,
    ServerName,
    View,
)
from puretls.handshake.states import ClientState, Role, ServerState
from puretls.iana import NamedGroup, ProtocolVersion
from puretls.key_exchange import KeyExchange
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import CertificateRequest, ClientHello
from puretls.schedule import KeyBlock
from puretls.session import Session, TicketKeys
from puretls.suites import Suite
from puretls.values import extensible, field, frozen

if TYPE_CHECKING:
    from puretls.x509.reports.report import Report


C = TypeVar("C", bound="Context")
F = TypeVar("F", bound=Config)


class Evolving:
    """A frozen record from which the next step makes the next record."""

    def evolve(self, **changes: Any) -> Self:
        """As `dataclasses.replace`, several times faster: a handshake takes dozens of these steps."""
        before = self.__dict__
        fields = before | changes
        if len(fields) != len(before):
            raise InternalError(f"{type(self).__name__} has no such fields: {fields.keys() - before.keys()}")
        twin: Self = object.__new__(type(self))
        object.__setattr__(twin, "__dict__", fields)
        return twin


@frozen
class Offer:
    """The ClientHello as it was sent or received, and the suites of it that are known here."""

    hello: ClientHello
    suites: tuple[Suite, ...]
    extensions: Mapping[int, RawExtension]


@extensible()
class Negotiated(Evolving):
    """What the peers agreed on. `results` holds what each extension made of it; `result(ThatExtension)` reads one."""

    suite: Suite
    client_random: bytes = field(repr=False)
    server_random: bytes = field(repr=False)
    session_id: bytes = field(repr=False)
    resumed: bool
    secure_renegotiation: bool
    results: Mapping[type[Extension], Any] = field(repr=False)
    limits: RecordLimits = field(default=RecordLimits(), repr=False)
    """Of records, in force since the ServerHello (RFC 6066 4)."""
    key_limits: RecordLimits = field(default=RecordLimits(), repr=False)
    """Of records, in force with the keys of this handshake (RFC 8449 4)."""
    group: NamedGroup | int | None = None
    """The key exchange group; None for RSA and PSK, and for a finite field that has no name. Resumed: that of the session."""
    group_name: str = ""
    signature_scheme: int | None = None
    """How the server signed its parameters."""
    client_signature_scheme: int | None = None
    """How the client proved its certificate."""
    psk_identity: bytes | None = None
    version: ProtocolVersion = ProtocolVersion.TLS_1_2

    def result(self, extension: type[Extension]) -> Any:
        """What was agreed on through this extension; None where it was not."""
        return self.results.get(extension)

    @property
    def alpn(self) -> str | None:
        """The application protocol (RFC 7301)."""
        agreed: str | None = self.result(Alpn)
        return agreed

    @property
    def server_name(self) -> str | None:
        """The name asked for and used (RFC 6066 3)."""
        asked: str | None = self.result(ServerName)
        return asked

    @property
    def extended_master_secret(self) -> bool:
        """RFC 7627."""
        return bool(self.result(ExtendedMasterSecret))

    @property
    def encrypt_then_mac(self) -> bool:
        """RFC 7366; meaningful for CBC suites only."""
        return bool(self.result(EncryptThenMac)) and self.suite.is_cbc

    @property
    def send_limit(self) -> int:
        """Bytes of plaintext that a record to the peer may carry (RFC 8449 4, RFC 6066 4)."""
        return min(self.limits.send, self.key_limits.send)


@extensible()
class Peer(Evolving):
    """What the peer showed of itself. `share` is its public value in `group`."""

    chain: tuple[bytes, ...] = ()
    public_key: PublicKey | None = None
    ocsp_response: bytes | None = None
    report: Report | None = None
    request: CertificateRequest | None = None
    group: Group | None = field(default=None, repr=False)
    share: bytes = b""
    psk_hint: bytes | None = None


@extensible()
class Secrets(Evolving):
    """What must not be told. `master` and `keys` come with ClientKeyExchange, or with the session that is resumed."""

    share: KeyShare | None = field(default=None, repr=False)
    premaster: Secret = field(default=Secret(b""), repr=False)
    client_version: int = 0
    psk: Secret = field(default=Secret(b""), repr=False)
    master: Secret = field(default=Secret(b""), repr=False)
    keys: KeyBlock | None = field(default=None, repr=False)


@frozen
class Established:
    """The last handshake that completed on this connection. `verify_data` is the client's and the server's (RFC 5746 3.1)."""

    negotiated: Negotiated
    peer: Peer
    master: Secret = field(repr=False)
    verify_data: tuple[bytes, bytes]
    count: int


@extensible()
class Context(Evolving):
    """Everything a handler of either role may know. Reading a phase that is not reached yet is a defect of puretls: `InternalError`."""

    config: Config
    session: Session | None = None
    """The session that a client offers, then the one in force on either side."""
    transcript: bytes = b""
    _offer: Offer | None = None
    _negotiated: Negotiated | None = None
    peer: Peer = Peer()
    secrets: Secrets = Secrets()
    credential: Credential | None = None
    """Our own, once chosen."""
    client_finished: bytes = b""
    server_finished: bytes = b""
    established: Established | None = None
    role: ClassVar[Role]
    states: ClassVar[type[ClientState] | type[ServerState]]
    config_class: ClassVar[type[Config]]

    def configured(self, config: Config) -> Self:
        """With another configuration of the same role. Raises `UsageError` for what is none."""
        return self.evolve(config=_of_role(config, self.config_class))

    @property
    def random(self) -> RandomBytes:
        """The configuration's source of entropy; what it does wrong, it answers for by name."""
        return partial(_draw, self.config.random)

    @property
    def clock(self) -> Callable[[], float]:
        """The configuration's clock, likewise."""
        return partial(_tell, self.config.clock)

    @property
    def offer(self) -> Offer:
        if self._offer is None:
            raise _too_early("offer")
        return self._offer

    @property
    def negotiated(self) -> Negotiated:
        if self._negotiated is None:
            raise _too_early("negotiated")
        return self._negotiated

    @property
    def agreed(self) -> Negotiated | None:
        """What this handshake has agreed on so far; None before the ServerHello."""
        return self._negotiated

    @property
    def in_force(self) -> Negotiated | None:
        """What bounds records now: in a renegotiation, until its ServerHello, what was agreed on before."""
        return self._negotiated or (self.established.negotiated if self.established else None)

    @property
    def key_exchange(self) -> KeyExchange | None:
        """The key exchange agreed on, by which messages are read; None before the ServerHello."""
        return self._negotiated.suite.kx if self._negotiated else None

    @property
    def peer_key(self) -> PublicKey:
        """The key of the peer's certificate."""
        if self.peer.public_key is None:
            raise _too_early("peer_key")
        return self.peer.public_key

    @property
    def keys(self) -> KeyBlock:
        if self.secrets.keys is None:
            raise _too_early("keys")
        return self.secrets.keys

    @property
    def suite(self) -> Suite:
        if self._negotiated is None:
            raise _too_early("suite")
        return self._negotiated.suite

    @property
    def verify_data(self) -> tuple[bytes, bytes] | None:
        """Both Finished of the handshake before, in a renegotiation."""
        return self.established.verify_data if self.established else None

    def handshake_hash(self) -> bytes:
        """Hash of the handshake messages so far (RFC 5246 7.4.9)."""
        return hashlib.new(self.suite.prf_hash, self.transcript).digest()

    def result_without(self, extension: Extension, view: View) -> Any:
        """The result of an extension that the peer did not send: what holds for the connection, holds on."""
        if extension.of_connection and self.established is not None:
            return self.established.negotiated.result(type(extension))
        return extension.if_missing(view)

    def view(self, **more: Any) -> View:
        """What extensions may know."""
        return View(
            groups=self.config.groups,
            signature_schemes=self.config.signature_schemes,
            verify_data=self.verify_data,
            **more,
        )


@extensible()
class ClientContext(Context):
    """What a client's handlers know besides."""

    role = Role.CLIENT
    states: ClassVar[type[ClientState] | type[ServerState]] = ClientState
    config_class: ClassVar[type[Config]] = ClientConfig
    config: ClientConfig
    server_name: str | None = None
    """The host name, or the address with its zone, that the connection is made for; sessions are kept by it."""
    sni: str | None = None
    """The name to send; None for an address (RFC 6066 3)."""

    @classmethod
    def begin(cls, config: ClientConfig, server_name: str | None, session: Session | None) -> Self:
        """What a client knows at first. Raises `UsageError` for a configuration, a name or a session that is none."""
        _of_role(config, ClientConfig)
        if not isinstance(session, Session | None):
            raise UsageError(f"a session to resume is a Session, not {described(session)}")
        if server_name is None:
            return cls(config, session)
        if not isinstance(server_name, str):
            raise UsageError(f"a server name is a host name or an address, or None, not {described(server_name)}")
        from puretls.x509.hostname import parse_reference

        reference = parse_reference(server_name)
        return cls(config, session, server_name=reference.host, sni=reference.sni)

    @property
    def verified_name(self) -> str | None:
        """The host name or address that the certificate must be for; the zone of an address stands in none (RFC 4007 11)."""
        return self.server_name and self.server_name.partition("%")[0]


@extensible()
class ServerContext(Context):
    """What a server's handlers know besides."""

    role = Role.SERVER
    states: ClassVar[type[ClientState] | type[ServerState]] = ServerState
    config_class: ClassVar[type[Config]] = ServerConfig
    config: ServerConfig
    ticket_keys: TicketKeys | None = None
    """What seals the ticket that this handshake issues; None where it issues none."""

    @classmethod
    def begin(cls, config: ServerConfig) -> Self:
        """What a server knows at first. Raises `UsageError` for what is no configuration of a server."""
        return cls(_of_role(config, ServerConfig))


LATEST = 2**48
"""A clock that gives so many seconds since 1970 is refused: a time and a lifetime together must fit a session's fields."""


def _draw(random: RandomBytes, count: int) -> bytes:
    try:
        drawn = random(count)
    except Exception as error:
        raise_of_callback("random", random, error)
    if not isinstance(drawn, bytes) or len(drawn) != count:
        raise UsageError(f"random must give as many bytes as it is asked for: {count}")
    return drawn


def _tell(clock: Callable[[], float]) -> float:
    try:
        told = clock()
    except Exception as error:
        raise_of_callback("clock", clock, error)
    if not isinstance(told, int | float) or not 0 <= told < LATEST:
        raise UsageError(f"clock must give seconds since 1970, not {described(told)}")
    return told


def _of_role(config: object, wanted: type[F]) -> F:
    if not isinstance(config, wanted):
        another = ", which is of another role" if isinstance(config, Config) else ""
        raise UsageError(f"a {wanted.__name__} is wanted here, not {described(config)}{another}")
    return config


def _too_early(name: str) -> InternalError:
    return InternalError(f"{name} is read before it is known")
