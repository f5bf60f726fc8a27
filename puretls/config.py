"""Configurations: frozen values, checked when they are made; `dataclasses.replace` makes variants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from puretls.crypto import provider as providers
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey
from puretls.crypto.provider import Provider
from puretls.crypto.signatures import SIGNATURE_SCHEMES, SignatureAlgorithm
from puretls.errors import DecodeError, UsageError
from puretls.events import Sentinel
from puretls.extensions import Extension, View, active
from puretls.extensions.signed_certificate_timestamp import SctList
from puretls.iana import NamedGroup, SignatureScheme
from puretls.messages.extension import RawExtension
from puretls.session import MemorySessionStore, SessionStore, TicketKeys
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, Suite
from puretls.values import frozen
from puretls.wire.schema import parse, serialise

if TYPE_CHECKING:
    from puretls.x509.certificate import Certificate
    from puretls.x509.report import Report
    from puretls.x509.verifier import ChainRequest

PENDING: Final = Sentinel("PENDING")
"""What a verifier returns to decide later: the connection pauses until `Connection.answer`."""

Verifier = Callable[["ChainRequest"], "Report | Sentinel"]

DEFAULT_GROUPS: tuple[NamedGroup, ...] = (
    NamedGroup.X25519,
    NamedGroup.SECP256R1,
    NamedGroup.SECP384R1,
    NamedGroup.SECP521R1,
    NamedGroup.X448,
    NamedGroup.FFDHE2048,
    NamedGroup.FFDHE3072,
    NamedGroup.FFDHE4096,
)
SUPPORTED_GROUPS = frozenset((*DEFAULT_GROUPS, NamedGroup.FFDHE6144, NamedGroup.FFDHE8192))
"""The largest fields are slow: used only where a configuration lists them."""
WEAK_SCHEMES = frozenset(
    (
        SignatureScheme.RSA_PKCS1_SHA1,
        SignatureScheme.ECDSA_SHA1,
        SignatureScheme.RSA_PKCS1_SHA224,
        SignatureScheme.ECDSA_SHA224,
    )
)
"""Offered and taken only where a configuration lists them."""
DEFAULT_SCHEMES: tuple[SignatureScheme, ...] = tuple(
    SignatureScheme(scheme) for scheme in SIGNATURE_SCHEMES if scheme not in WEAK_SCHEMES
)


@frozen
class Limits:
    """Bounds on what a peer may cost. All are counts or bytes, `handshake_time` seconds (kept by whoever does the I/O)."""

    handshake_message: int = 2**18
    """The longest ClientHello there can be has some 131,400 bytes."""
    certificates: int = 32
    empty_records: int = 32
    """In a row."""
    warning_alerts: int = 4
    """In a row."""
    hello_requests: int = 4
    """In a row, ignored or refused."""
    renegotiations: int = 3
    """A connection."""
    records_per_key: int = 23_726_566
    """2^24.5, the bound for AES-GCM (RFC 8446 5.5)."""
    bytes_per_key_64: int = 2**30
    """For ciphers with blocks of 64 bits, whose birthday bound is near."""
    buffered: int = 2**20
    """Bytes of input held while the application does not take events."""
    smallest_dh_prime: int = 2048
    """Bits."""
    largest_dh_prime: int = 8192
    handshake_time: float = 60.0


@dataclass(frozen=True)
class Credential:
    """A certificate chain (DER, leaf first) with the leaf's private key; `ocsp_response` and `sct_list` are stapled on request.

    Raises `UsageError` where the leaf or the list cannot be parsed, or the key is not the leaf's.
    """

    chain: tuple[bytes, ...]
    key: PrivateKey = field(repr=False)
    ocsp_response: bytes | None = field(default=None, repr=False)
    sct_list: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.chain:
            raise UsageError("a credential needs a certificate")
        try:
            public = self.public_key
        except DecodeError as error:
            raise UsageError(f"the certificate cannot be used: {error}") from None
        if public != self.key.public:
            raise UsageError("the private key does not belong to the certificate")
        try:
            if self.sct_list is not None:
                parse(SctList, self.sct_list)
        except DecodeError as error:
            raise UsageError(f"sct_list is no list of timestamps (RFC 6962 3.3): {error}") from None

    @cached_property
    def leaf(self) -> Certificate:
        """The first certificate, parsed."""
        from puretls.x509.certificate import Certificate

        return Certificate.parse(self.chain[0])

    @cached_property
    def public_key(self) -> PublicKey:
        """The leaf's key."""
        return self.leaf.public_key

    @cached_property
    def issuers(self) -> tuple[bytes, ...]:
        """Names (DER) of the issuers along the chain, which a server may ask for (RFC 5246 7.4.4)."""
        from puretls.x509.certificate import Certificate

        return tuple(Certificate.parse(der).issuer.raw for der in self.chain)

    def checkable_with(self, schemes: Sequence[int]) -> bool:
        """Whether all signatures of the chain are made with one of these schemes (RFC 5246 7.4.2)."""
        return all(any(SIGNATURE_SCHEMES.get(scheme) == made for scheme in schemes) for made in self._signatures)

    @cached_property
    def _signatures(self) -> tuple[SignatureAlgorithm | None, ...]:
        from puretls.x509.certificate import Certificate

        found: list[SignatureAlgorithm | None] = []
        for certificate in map(Certificate.parse, self.chain):
            if certificate.is_self_issued:
                continue  # nobody checks the signature of a root
            try:
                found.append(certificate.signature_algorithm)
            except DecodeError:
                found.append(None)
        return tuple(found)

    def serves(self, name: str) -> bool:
        """Whether the leaf is made for this host name, wildcards included."""
        from puretls.x509.hostname import covered, parse_reference

        try:
            return covered(parse_reference(name), self.leaf.subject_alt_names)
        except UsageError:
            return False


@dataclass(frozen=True, kw_only=True)
class Config:
    """What both roles share.

    `random` and `clock` (seconds since 1970) are the only sources of either, ticket keys and their first draw included: with the same
    seed, clock and order of calls a connection sends the same bytes. `key_log` is called with NSS lines, whose `repr` shows nothing; it
    belongs in debugging hands only. A `verifier` of None refuses every chain: there is nothing to trust.
    """

    provider: Provider = field(default_factory=providers.default)
    suites: tuple[Suite, ...] = DEFAULT_SUITES
    groups: tuple[int, ...] = DEFAULT_GROUPS
    signature_schemes: tuple[int, ...] = DEFAULT_SCHEMES
    """What is taken from the peer and, unless `signing_schemes` says otherwise, signed with; the favourite first."""
    signing_schemes: tuple[int, ...] | None = None
    extensions: tuple[Extension, ...] = ()
    credentials: tuple[Credential, ...] = ()
    verifier: Verifier | None = None
    random: RandomBytes = os.urandom
    clock: Callable[[], float] = time.time
    limits: Limits = field(default_factory=Limits)
    key_log: Callable[[str], None] | None = None
    interceptors: tuple[Any, ...] = ()
    trace_level: str = "handshake"
    """"off", "handshake" (application data by size only) or "full"."""
    trace_limit: int = 2**20
    """Bytes of trace kept; the oldest go first."""
    max_send_fragment: int = 2**14
    """Bytes of plaintext in a record of ours, where the peer asks for no less (RFC 5246 6.2.1)."""
    renegotiation: bool = False
    """Whether a secure renegotiation asked for by the peer is granted (RFC 5746)."""
    require_secure_renegotiation: bool = False
    """Refuses peers that do not know RFC 5746 at all."""
    danger_suites: bool = False
    """Allows suites marked dangerous in `suites`: 3DES, RC4, NULL, anonymous."""

    def __post_init__(self) -> None:
        self._check_suites()
        for group in self.groups:
            if group not in SUPPORTED_GROUPS:
                raise UsageError(
                    f"group {group!r} is not supported; choose among {', '.join(g.name for g in sorted(SUPPORTED_GROUPS))}"
                )
        for scheme in (*self.signature_schemes, *(self.signing_schemes or ())):
            if scheme not in SIGNATURE_SCHEMES:
                raise UsageError(f"signature scheme {scheme!r} is not supported")
        if not 1 <= self.max_send_fragment <= 2**14:
            raise UsageError("max_send_fragment is between 1 and 16384 bytes")
        if self.trace_level not in {"off", "handshake", "full"}:
            raise UsageError('trace_level is "off", "handshake" or "full"')
        if self.trace_limit < 0:
            raise UsageError("trace_limit is a number of bytes")
        _ = self.active_extensions

    def _check_suites(self) -> None:
        if not self.suites:
            raise UsageError("at least one cipher suite is needed")
        dangerous = [suite.name for suite in self.suites if suite.danger]
        if dangerous and not self.danger_suites:
            raise UsageError(f"{dangerous[0]} protects nothing worth the name; danger_suites=True allows it for teaching")

    @cached_property
    def active_extensions(self) -> tuple[Extension, ...]:
        """All extensions in wire order, defaults filled in."""
        return active(self.extensions)

    @property
    def signs_with(self) -> tuple[int, ...]:
        """The schemes for signatures of our own."""
        return self.signature_schemes if self.signing_schemes is None else self.signing_schemes

    @cached_property
    def fixed_offers(self) -> dict[type[Extension], RawExtension | None]:
        """What extensions offer whatever the connection; None for those that offer nothing."""
        view = View(suites=self.suites, groups=self.groups, signature_schemes=self.signature_schemes)
        offers: dict[type[Extension], RawExtension | None] = {}
        for extension in self.active_extensions:
            if extension.fixed_offer:
                body = extension.offer(view)
                offers[type(extension)] = None if body is None else RawExtension(extension.type, serialise(body))
        return offers

    @cached_property
    def suites_by_id(self) -> dict[int, Suite]:
        """The suites by their numbers."""
        return {int(suite.id): suite for suite in self.suites}

    def extension(self, cls: type[Extension]) -> Extension | None:
        """The active extension of this class."""
        return next((extension for extension in self.active_extensions if type(extension) is cls), None)


Psk = tuple[bytes, bytes]
"""(identity, key)"""


@dataclass(frozen=True, kw_only=True)
class ClientConfig(Config):
    """A client. `psk(hint)` gives identity and key for a server's hint (None: it gave none), or None to give up.

    `tickets` asks for session tickets; `session_store` keeps sessions by server name so that the next connection resumes. Configurations
    may share a store, whatever they trust: `verifier` is asked about a session's chain before it is offered, and again when the server
    resumes it.
    `client_certificate(request)` chooses among `credentials` when a server asks (default: the first that fits).
    """

    psk: Callable[[bytes | None], Psk | None] | None = field(default=None, repr=False)
    tickets: bool = True
    session_store: SessionStore | None = None
    fallback_scsv: bool = False
    """Says that a newer version was tried and failed (RFC 7507)."""
    client_certificate: Callable[[Any], Credential | None] | None = None

    def __post_init__(self) -> None:
        _add_psk_suites(self, self.psk is not None)
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class ServerConfig(Config):
    """A server.

    `client_authentication` is "none", "request" or "require"; `certificate_authorities` are names (DER) to ask for.
    `session_cache` serves resumption by id, `tickets` by ticket; None switches either off. `session_lifetime` in seconds. Configurations
    may share both, whatever they trust: `verifier` is asked again about the client's certificates in a session, and where it says no
    a full handshake follows.
    `psk(identity)` gives the key of an identity or None; `psk_hint` is sent to clients. `dh_parameters` (p, g) replace the named
    groups for clients that name none (RFC 7919 4).
    """

    client_authentication: str = "none"
    certificate_authorities: tuple[bytes, ...] = ()
    session_cache: SessionStore | None = field(default_factory=MemorySessionStore)
    tickets: TicketKeys | None = field(default_factory=TicketKeys)
    session_lifetime: int = 24 * 3600
    psk: Callable[[bytes], bytes | None] | None = field(default=None, repr=False)
    psk_hint: bytes | None = None
    dh_parameters: tuple[int, int] | None = None
    prefer_client_order: bool = False
    refuse_unknown_names: bool = False
    """Answer unrecognized_name to a server name that no credential serves (RFC 6066 3), instead of taking the first one."""

    def __post_init__(self) -> None:
        _add_psk_suites(self, self.psk is not None)
        super().__post_init__()
        if self.client_authentication not in {"none", "request", "require"}:
            raise UsageError('client_authentication is "none", "request" or "require"')
        needs_certificate = all(suite.has_certificate for suite in self.suites)
        if needs_certificate and not self.credentials:
            raise UsageError("a server needs a credential (or a pre-shared key)")
        if self.tickets is not None:
            self.tickets.prepare(self)


def _add_psk_suites(config: ClientConfig | ServerConfig, has_psk: bool) -> None:
    """A pre-shared key brings its suites along where the default ones were left in place."""
    if has_psk and config.suites is DEFAULT_SUITES:
        object.__setattr__(config, "suites", DEFAULT_PSK_SUITES + DEFAULT_SUITES)
