"""Configurations: frozen values, checked when they are made; `dataclasses.replace` makes variants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from puretls.arguments import (
    FLAG,
    FUNCTION,
    PASSWORD,
    PATH,
    Kind,
    check_fields,
    described,
    instance,
    methods,
    octets,
    one_of,
    optional,
    several,
    whole,
)
from puretls.crypto import provider as providers
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import PrivateKey, PublicKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import leaving_no_frames
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
    from puretls.x509.certificates.certificate import Certificate
    from puretls.x509.reports.report import Report
    from puretls.x509.verifier import ChainRequest

PENDING: Final = Sentinel("PENDING")
"""What a verifier returns to decide later: the connection pauses until `Connection.answer`."""

_Path = str | os.PathLike[str]

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


TAPS = ("flight", "message", "handshake", "plaintext", "ciphertext")
"""What an interceptor has a method for each."""


@frozen
class Limits:
    """Bounds on what a peer may cost. All are counts or bytes, `handshake_time` seconds (kept by whoever does the I/O).

    Attributes:
        handshake_message: Bytes of a message. The longest ClientHello there can be has some 131,400.
        certificates: Certificates in a chain.
        empty_records: Records without content in a row.
        warning_alerts: Warnings in a row.
        hello_requests: HelloRequests in a row, ignored or refused; eight times as many among 64 KiB of application data.
        renegotiations: Handshakes of one connection after the first.
        records_per_key: Records under one key: 2^24.5, the bound for AES-GCM (RFC 8446 5.5).
        bytes_per_key_64: Bytes under one key of a cipher with blocks of 64 bits, whose birthday bound is near.
        buffered: Bytes of input held while the application does not take events.
        smallest_dh_prime: Bits of a finite-field group's prime, at least.
        largest_dh_prime: Bits of such a prime, at most.
        handshake_time: Seconds for a whole handshake.
    """

    handshake_message: int = 2**18
    certificates: int = 32
    empty_records: int = 32
    warning_alerts: int = 4
    hello_requests: int = 4
    renegotiations: int = 3
    records_per_key: int = 23_726_566
    bytes_per_key_64: int = 2**30
    buffered: int = 2**20
    smallest_dh_prime: int = 2048
    largest_dh_prime: int = 8192
    handshake_time: float = 60.0

    def __post_init__(self) -> None:
        check_fields(self, _LIMITS)
        if self.smallest_dh_prime > self.largest_dh_prime:
            raise UsageError("Limits.smallest_dh_prime is not above largest_dh_prime")


def _count(low: int, what: str = "a number") -> Kind:
    return whole(low, 2**64 - 1, f"{what}, at least {low}")


_LIMITS: dict[str, Kind] = {
    "handshake_message": _count(1, "a number of bytes"),
    "certificates": _count(1),
    "empty_records": _count(0),
    "warning_alerts": _count(0),
    "hello_requests": _count(0),
    "renegotiations": _count(0),
    "records_per_key": _count(1),
    "bytes_per_key_64": _count(1, "a number of bytes"),
    "buffered": _count(1, "a number of bytes"),
    "smallest_dh_prime": _count(1, "a number of bits"),
    "largest_dh_prime": _count(1, "a number of bits"),
    "handshake_time": Kind("a number of seconds above 0, and no more than a year", lambda value: _is_number(value) and 0 < value <= 3e7),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_DEFAULT_LIMITS = Limits()
E = TypeVar("E", bound=Extension)


@dataclass(frozen=True)
class Credential:
    """A certificate chain with the leaf's private key. Raises `UsageError` where one cannot be parsed, or the key is not the leaf's.

    `from_files` and `from_pem` make one of PEM.

    Attributes:
        chain: Certificates in DER, leaf first.
        key: The leaf's private key, as `x509.keys.parse_private_key` gives it.
        ocsp_response: An OCSP response in DER, stapled on request (RFC 6066 8).
        sct_list: A SignedCertificateTimestampList, sent on request (RFC 6962 3.3).
    """

    chain: tuple[bytes, ...]
    key: PrivateKey = field(repr=False)
    ocsp_response: bytes | None = field(default=None, repr=False)
    sct_list: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_fields(self, _CREDENTIAL)
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

    @classmethod
    @leaving_no_frames
    def from_pem(cls, chain: str | bytes, key: str | bytes | None = None, password: str | bytes | None = None) -> Self:
        """From certificates in PEM, leaf first, and a private key in PEM or DER; without `key` it is beside the certificates.

        `password` opens an encrypted key. Raises `UsageError` for what cannot be read, or does not belong together.
        """
        from puretls.x509.keys import parse_private_key
        from puretls.x509.pem import load_certificates

        for given in (chain, key):
            if not isinstance(given, str | bytes | None):
                raise UsageError(f"PEM is text or bytes, not {described(given)}")
        PASSWORD.taken(password, "password")
        try:
            certificates = load_certificates(chain)
            return cls(certificates, parse_private_key(chain if key is None else key, password))
        except DecodeError as error:
            raise UsageError(f"no credential can be made of this: {error}") from None

    @classmethod
    @leaving_no_frames
    def from_files(cls, chain: _Path, key: _Path | None = None, password: str | bytes | None = None) -> Self:
        """As `from_pem`, from files: the one call here that reads any. Raises `OSError` besides, and `UsageError` with their names."""
        from pathlib import Path

        PATH.taken(chain, "chain")
        certificates = Path(chain).read_bytes()
        private = None if key is None else Path(PATH.taken(key, "key")).read_bytes()
        try:
            return cls.from_pem(certificates, private, password)
        except UsageError as error:
            raise UsageError(f"{chain}{'' if key is None else f', {key}'}: {error}") from None

    @cached_property
    def leaf(self) -> Certificate:
        """The first certificate, parsed."""
        from puretls.x509.certificates.certificate import Certificate

        return Certificate.read(self.chain[0])

    @cached_property
    def public_key(self) -> PublicKey:
        """The leaf's key."""
        return self.leaf.public_key

    @cached_property
    def issuers(self) -> tuple[bytes, ...]:
        """Names (DER) of the issuers along the chain, which a server may ask for (RFC 5246 7.4.4)."""
        from puretls.x509.certificates.certificate import Certificate

        return tuple(Certificate.read(der).issuer.raw for der in self.chain)

    def checkable_with(self, schemes: Sequence[int]) -> bool:
        """Whether all signatures of the chain are made with one of these schemes (RFC 5246 7.4.2)."""
        return all(any(SIGNATURE_SCHEMES.get(scheme) == made for scheme in schemes) for made in self._signatures)

    @cached_property
    def _signatures(self) -> tuple[SignatureAlgorithm | None, ...]:
        from puretls.x509.certificates.certificate import Certificate

        found: list[SignatureAlgorithm | None] = []
        for certificate in map(Certificate.read, self.chain):
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


_CREDENTIAL: dict[str, Kind] = {
    "chain": several(instance(bytes, "the DER of a certificate, in bytes"), "a tuple of certificates, each the bytes of its DER"),
    "key": instance(PrivateKey, "a private key, as `x509.keys.parse_private_key` makes them"),
    "ocsp_response": optional(instance(bytes, "bytes in DER")),
    "sct_list": optional(instance(bytes, "the bytes of a list")),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """What both roles share.

    Attributes:
        provider: What computes everything cryptographic.
        suites: Cipher suites, the favourite first; `algorithm_names.suites` makes them from names.
        groups: Groups for the key exchange, the favourite first (RFC 8422 5.1.1, RFC 7919).
        signature_schemes: What is taken from the peer and, unless `signing_schemes` says otherwise, signed with; the favourite first.
        signing_schemes: What is signed with; None: as `signature_schemes`.
        extensions: Extensions that differ from their defaults, such as Alpn("h2"); `enabled=False` takes one out.
        credentials: Certificate chains with their keys, to choose from.
        verifier: Decides about the peer's chain: called with a `ChainRequest`, gives a `Report`, or PENDING to decide later. None refuses
            every chain: there is nothing to trust. `roots.system_verifier()` trusts the system's roots.
        random: The only source of randomness: random(n) gives n bytes. With the same seed, clock and order of calls a connection sends
            the same bytes.
        clock: The only source of time: seconds since 1970.
        limits: What a peer may cost.
        key_log: Called with lines for Wireshark, whose `repr` shows nothing; in debugging hands only.
        interceptors: See `Interceptor`; the first is the nearest to the application.
        trace_level: "off", "handshake" (application data by size only) or "full".
        trace_limit: Bytes of trace kept; the oldest go first.
        max_send_fragment: Bytes of plaintext in a record of ours, where the peer asks for no less (RFC 5246 6.2.1).
        renegotiation: Whether a secure renegotiation asked for by the peer is granted (RFC 5746).
        require_secure_renegotiation: Refuses peers that do not know RFC 5746 at all.
        danger_suites: Allows suites marked dangerous in `suites`: 3DES, RC4, NULL, anonymous.
    """

    provider: Provider = field(default_factory=providers.default)
    suites: tuple[Suite, ...] = DEFAULT_SUITES
    groups: tuple[int, ...] = DEFAULT_GROUPS
    signature_schemes: tuple[int, ...] = DEFAULT_SCHEMES
    signing_schemes: tuple[int, ...] | None = None
    extensions: tuple[Extension, ...] = ()
    credentials: tuple[Credential, ...] = ()
    verifier: Verifier | None = None
    random: RandomBytes = os.urandom
    clock: Callable[[], float] = time.time
    limits: Limits = _DEFAULT_LIMITS
    key_log: Callable[[str], None] | None = None
    interceptors: tuple[Any, ...] = ()
    trace_level: str = "handshake"
    trace_limit: int = 2**20
    max_send_fragment: int = 2**14
    renegotiation: bool = False
    require_secure_renegotiation: bool = False
    danger_suites: bool = False

    def __init_subclass__(cls, **keywords: object) -> None:
        """Add the shared fields to the docstring, since `help` shows that of the class alone."""
        super().__init_subclass__(**keywords)
        shared = cleandoc(Config.__doc__ or "").partition("Attributes:\n")[2]
        if cls.__doc__ and "Attributes:" in cls.__doc__:
            cls.__doc__ = f"{cleandoc(cls.__doc__)}\n\nOf both roles:\n{shared}"

    def __post_init__(self) -> None:
        check_fields(self, _CONFIG, Config)
        self._check_suites()
        for group in self.groups:
            if group not in SUPPORTED_GROUPS:
                raise UsageError(
                    f"group {group!r} is not supported; choose among {', '.join(g.name for g in sorted(SUPPORTED_GROUPS))}"
                )
        for scheme in (*self.signature_schemes, *(self.signing_schemes or ())):
            if scheme not in SIGNATURE_SCHEMES:
                raise UsageError(f"signature scheme {scheme!r} is not supported")
        _ = self.active_extensions

    def _check_suites(self) -> None:
        if not self.suites:
            raise UsageError("at least one cipher suite is needed")
        dangerous = [suite.name for suite in self.suites if suite.danger]
        if dangerous and not self.danger_suites:
            raise UsageError(f"{dangerous[0]} protects nothing worth the name; danger_suites=True allows it for teaching")
        if not self.groups and any(suite.is_elliptic for suite in self.suites):
            raise UsageError("groups is empty, and suites with ECDHE need one: leave it out for the usual ones, or drop these suites")
        if not self.signature_schemes and any(suite.is_signed for suite in self.suites):
            raise UsageError("signature_schemes is empty, and suites with signed keys need one: leave it out for the usual ones")

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

    def extension(self, cls: type[E]) -> E | None:
        """The active extension of exactly this class."""
        return next((extension for extension in self.active_extensions if isinstance(extension, cls) and type(extension) is cls), None)


_CONFIG: dict[str, Kind] = {
    "provider": instance(Provider, "a Provider, as `crypto.provider.default()` makes one"),
    "suites": several(instance(Suite, "a Suite, such as `algorithm_names.suites` makes"), "a tuple of Suites (see algorithm_names.suites)"),
    "groups": several(instance(int, "a NamedGroup"), "a tuple of NamedGroups (algorithm_names.groups makes them from names)"),
    "signature_schemes": several(instance(int, "a SignatureScheme"), "a tuple of SignatureSchemes (of algorithm_names.signature_schemes)"),
    "signing_schemes": optional(several(instance(int, "a SignatureScheme"), "a tuple of SignatureSchemes")),
    "extensions": several(instance(Extension, "an Extension, such as Alpn(\"h2\")"), "a tuple of Extensions"),
    "credentials": several(instance(Credential, "a Credential"), "a tuple of Credentials"),
    "verifier": optional(Kind("a verifier, such as `roots.system_verifier()`", callable)),
    "random": FUNCTION,
    "clock": FUNCTION,
    "limits": instance(Limits, "a Limits"),
    "key_log": optional(FUNCTION),
    "interceptors": several(methods(*TAPS, of="an object of a subclass of Interceptor"), "a tuple of Interceptors"),
    "trace_level": one_of("off", "handshake", "full"),
    "trace_limit": _count(0, "a number of bytes"),
    "max_send_fragment": whole(1, 2**14, "a number of bytes, 1 to 16384"),
    "renegotiation": FLAG,
    "require_secure_renegotiation": FLAG,
    "danger_suites": FLAG,
}
_STORE = methods("get", "put", "discard", of="a store of sessions, such as MemorySessionStore()")

Psk = tuple[bytes, bytes]
"""(identity, key)"""


@dataclass(frozen=True, kw_only=True)
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
        _add_psk_suites(self, self.psk is not None)
        super().__post_init__()


_CLIENT: dict[str, Kind] = {
    "psk": optional(FUNCTION),
    "tickets": FLAG,
    "session_store": optional(_STORE),
    "fallback_scsv": FLAG,
    "client_certificate": optional(FUNCTION),
}


@dataclass(frozen=True, kw_only=True)
class ServerConfig(Config):
    """A server.

    Attributes:
        client_authentication: "none", "request" or "require".
        certificate_authorities: Names (DER) to ask for (RFC 5246 7.4.4).
        session_cache: Serves resumption by id; None switches it off. Configurations may share it and `tickets`, whatever they trust:
            `verifier` is asked again about the client's certificates in a session, and where it says no a full handshake follows.
        tickets: Keys for resumption by ticket (RFC 5077); None switches it off.
        session_lifetime: Seconds for which a session can be resumed.
        psk: psk(identity) gives the key (1 to 65,535 bytes) of an identity, or None.
        psk_hint: Sent to clients (RFC 4279 2).
        refuse_unknown_identities: Answer unknown_psk_identity where `psk` gives None, which tells who is known, instead of what a wrong
            key gets (RFC 4279 2).
        dh_parameters: (p, g), in place of the named groups for clients that name none (RFC 7919 4).
        prefer_client_order: The client's order of suites decides, not that of `suites`.
        equal_suites: Groups of equal preference: among the suites of one group, which stand together in `suites`, the client's order
            decides.
        refuse_unknown_names: Answer unrecognized_name to a server name that no credential serves (RFC 6066 3), instead of taking the
            first one.
    """

    client_authentication: str = "none"
    certificate_authorities: tuple[bytes, ...] = ()
    session_cache: SessionStore | None = field(default_factory=MemorySessionStore)
    tickets: TicketKeys | None = field(default_factory=TicketKeys)
    session_lifetime: int = 24 * 3600
    psk: Callable[[bytes], bytes | None] | None = field(default=None, repr=False)
    psk_hint: bytes | None = None
    refuse_unknown_identities: bool = False
    dh_parameters: tuple[int, int] | None = None
    prefer_client_order: bool = False
    equal_suites: tuple[tuple[Suite, ...], ...] = ()
    refuse_unknown_names: bool = False

    def __post_init__(self) -> None:
        check_fields(self, _SERVER, ServerConfig)
        _add_psk_suites(self, self.psk is not None)
        super().__post_init__()
        _ = self.suite_ranks
        needs_certificate = all(suite.has_certificate for suite in self.suites)
        if needs_certificate and not self.credentials:
            raise UsageError("a server needs a credential (`Credential.from_files` reads one) or a pre-shared key")
        if self.tickets is not None:
            self.tickets.prepare(self)

    @cached_property
    def suite_ranks(self) -> dict[int, int]:
        """Suites by their numbers: the lower, the better. Raises `UsageError` for a group that does not stand together in `suites`."""
        ranks = {int(suite.id): place for place, suite in enumerate(self.suites)}
        for group in self.equal_suites:
            places = sorted({ranks.get(int(suite.id), -1) for suite in group})
            if not places or places[0] < 0 or places != list(range(places[0], places[0] + len(set(group)))):
                names = ", ".join(suite.name for suite in group) or "nothing"
                raise UsageError(f"suites of equal preference stand together in suites, each in one group: not so {names}")
            ranks |= dict.fromkeys((int(suite.id) for suite in group), places[0])
        return ranks


_SUITES = Kind("a tuple of Suites", lambda value: isinstance(value, tuple) and all(isinstance(one, Suite) for one in value))
_SERVER: dict[str, Kind] = {
    "client_authentication": one_of("none", "request", "require"),
    "certificate_authorities": several(octets(1, 2**16 - 1), "a tuple of names, each the bytes of its DER"),
    "session_cache": optional(_STORE),
    "tickets": optional(methods("seal", "open", of="the keys for tickets, TicketKeys()")),
    "session_lifetime": whole(0, 2**32 - 1, "a number of seconds"),
    "psk": optional(FUNCTION),
    "psk_hint": optional(octets(0, 2**16 - 1)),
    "dh_parameters": Kind("the numbers p and g, or None", lambda value: value is None or _are_dh_parameters(value)),
    "prefer_client_order": FLAG,
    "refuse_unknown_identities": FLAG,
    "equal_suites": several(_SUITES, "a tuple of groups of suites (algorithm_names.equal_suites makes them)"),
    "refuse_unknown_names": FLAG,
}


def _are_dh_parameters(value: object) -> bool:
    """RFC 5246 7.4.3: what can be a group at all; how good it is, the provider says."""
    if not (isinstance(value, tuple) and len(value) == 2 and all(type(number) is int for number in value)):
        return False
    p, g = value
    return bool(1 < g < p - 1 and p % 2 == 1)


def _add_psk_suites(config: ClientConfig | ServerConfig, has_psk: bool) -> None:
    """A pre-shared key brings its suites along where the default ones were left in place."""
    if has_psk and config.suites is DEFAULT_SUITES:
        object.__setattr__(config, "suites", DEFAULT_PSK_SUITES + DEFAULT_SUITES)
