"""What both roles configure, checked when it is made; `dataclasses.replace` makes variants."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from puretls.arguments import FLAG, FUNCTION, Kind, check_fields, instance, methods, one_of, optional, several, whole
from puretls.config.credential import Credential
from puretls.config.limits import Limits, count
from puretls.crypto import provider as providers
from puretls.crypto.groups import RandomBytes
from puretls.crypto.provider import Provider
from puretls.crypto.signatures import SIGNATURE_SCHEMES
from puretls.errors import UsageError
from puretls.events import Sentinel
from puretls.extensions import Extension, View, active
from puretls.iana import NamedGroup, SignatureScheme, known
from puretls.key_exchange.share import FINITE_FIELD
from puretls.messages.extension import RawExtension
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, Suite
from puretls.values import extensible, field
from puretls.watch import Watcher
from puretls.wire.schema import serialise

if TYPE_CHECKING:
    from puretls.danger import AcceptedUnverified
    from puretls.x509.reports.report import Report
    from puretls.x509.verifier import ChainRequest


PENDING: Final = Sentinel("PENDING")
"""What a verifier returns to decide later: the connection pauses until `Connection.answer`."""

Verifier = Callable[["ChainRequest"], "Report | AcceptedUnverified | Sentinel"]

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

STORE = methods("get", "put", "discard", of="a store of sessions, such as MemorySessionStore()")
"""What is checked of a store; what it does is up to the application."""
_DEFAULT_LIMITS = Limits()
E = TypeVar("E", bound=Extension)


@extensible(kw_only=True)
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
        watcher: Called with the role of each connection that is made; gives a `Watcher`, which is told of its bytes and secrets, or None.
        interceptors: See `Interceptor`; the first is the nearest to the application.
        trace_level: "off", "handshake" (application data by size only) or "full".
        trace_limit: Bytes of trace kept; the oldest go first.
        max_send_fragment: Bytes of plaintext in a record of ours, where the peer asks for no less (RFC 5246 6.2.1).
        renegotiation: Whether a secure renegotiation asked for by the peer is granted (RFC 5746).
        require_secure_renegotiation: Refuses peers that do not know RFC 5746 at all.
        half_close: Goes on sending after the peer's close_notify until `Connection.close`, as OpenSSL does and RFC 8446 6.1 has it. By
            default the answer is our own close_notify, at once (RFC 5246 7.2.1).
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
    watcher: Callable[[Any], Watcher | None] | None = None
    interceptors: tuple[Any, ...] = ()
    trace_level: str = "handshake"
    trace_limit: int = 2**20
    max_send_fragment: int = 2**14
    renegotiation: bool = False
    require_secure_renegotiation: bool = False
    half_close: bool = False
    danger_suites: bool = False

    def __init_subclass__(cls, **keywords: object) -> None:
        """Add the shared fields to the docstring, since `help` shows that of the class alone."""
        super().__init_subclass__(**keywords)
        before, _, shared = (Config.__doc__ or "").partition("Attributes:\n")
        if cls.__doc__ and "Attributes:" in cls.__doc__:
            indent = before.rpartition("\n")[2]
            cls.__doc__ = f"{cls.__doc__.rstrip()}\n\n{indent}Of both roles:\n{shared}"

    def __post_init__(self) -> None:
        check_fields(self, _CONFIG, Config)
        self._check_suites()
        for group in self.groups:
            if group not in SUPPORTED_GROUPS:
                raise UsageError(
                    f"group {_told(NamedGroup, group)} is not supported; choose among {', '.join(g.name for g in sorted(SUPPORTED_GROUPS))}"
                )
        for scheme in (*self.signature_schemes, *(self.signing_schemes or ())):
            if scheme not in SIGNATURE_SCHEMES:
                raise UsageError(f"signature scheme {_told(SignatureScheme, scheme)} is not supported")
        _ = self.active_extensions

    def _check_suites(self) -> None:
        if not self.suites:
            raise UsageError("at least one cipher suite is needed")
        dangerous = [suite.name for suite in self.suites if suite.danger]
        if dangerous and not self.danger_suites:
            raise UsageError(f"{dangerous[0]} protects nothing worth the name; danger_suites=True allows it for teaching")
        if not self.groups and any(suite.is_elliptic for suite in self.suites):
            raise UsageError(
                "groups is empty, and suites with ECDHE need one: leave it out for the usual ones, or drop these suites"
            )
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
    def offered_suites(self) -> tuple[Suite, ...]:
        """What a client offers: where `groups` has no curve, the suites that need none, unless there are no others.

        A hello that names no curve leaves the choice to the server (RFC 8422 4), and whatever it chose would be refused.
        """
        if any(group not in FINITE_FIELD for group in self.groups):
            return self.suites
        return tuple(suite for suite in self.suites if not suite.is_elliptic) or self.suites

    @cached_property
    def fixed_offers(self) -> dict[type[Extension], RawExtension | None]:
        """What extensions offer whatever the connection; None for those that offer nothing."""
        view = View(suites=self.offered_suites, groups=self.groups, signature_schemes=self.signature_schemes)
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
        return next(
            (extension for extension in self.active_extensions if isinstance(extension, cls) and type(extension) is cls), None
        )


_CONFIG: dict[str, Kind] = {
    "provider": instance(Provider, "a Provider, as `crypto.provider.default()` makes one"),
    "suites": several(
        instance(Suite, "a Suite, such as `algorithm_names.suites` makes"), "a tuple of Suites (see algorithm_names.suites)"
    ),
    "groups": several(instance(int, "a NamedGroup"), "a tuple of NamedGroups (algorithm_names.groups makes them from names)"),
    "signature_schemes": several(
        instance(int, "a SignatureScheme"), "a tuple of SignatureSchemes (of algorithm_names.signature_schemes)"
    ),
    "signing_schemes": optional(several(instance(int, "a SignatureScheme"), "a tuple of SignatureSchemes")),
    "extensions": several(instance(Extension, 'an Extension, such as Alpn("h2")'), "a tuple of Extensions"),
    "credentials": several(instance(Credential, "a Credential"), "a tuple of Credentials"),
    "verifier": optional(Kind("a verifier, such as `roots.system_verifier()`", callable)),
    "random": FUNCTION,
    "clock": FUNCTION,
    "limits": instance(Limits, "a Limits"),
    "key_log": optional(FUNCTION),
    "watcher": optional(FUNCTION),
    "interceptors": several(methods(*TAPS, of="an object of a subclass of Interceptor"), "a tuple of Interceptors"),
    "trace_level": one_of("off", "handshake", "full"),
    "trace_limit": count(0, "a number of bytes"),
    "max_send_fragment": whole(1, 2**14, "a number of bytes, 1 to 16384"),
    "renegotiation": FLAG,
    "require_secure_renegotiation": FLAG,
    "half_close": FLAG,
    "danger_suites": FLAG,
}


def _told(registry: type[IntEnum], value: int) -> str:
    """The name of a value; the number of one that has none."""
    found = known(registry, value)
    return found.name if isinstance(found, registry) else f"0x{value:04x}"


def add_psk_suites(config: Config, has_psk: bool) -> None:
    """A pre-shared key brings its suites along where the default ones were left in place."""
    if has_psk and config.suites is DEFAULT_SUITES:
        object.__setattr__(config, "suites", DEFAULT_PSK_SUITES + DEFAULT_SUITES)
