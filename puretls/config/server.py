"""The configuration of a server."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from puretls.arguments import FLAG, FUNCTION, Kind, check_fields, methods, octets, one_of, optional, several, whole
from puretls.config.common import STORE, Config, add_psk_suites
from puretls.errors import UsageError
from puretls.session import MemorySessionStore, SessionStore, TicketKeys
from puretls.suites import Suite
from puretls.values import extensible, field

if TYPE_CHECKING:
    from puretls.messages.handshake import ClientHello


@extensible(kw_only=True)
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
        config_for: config_for(hello), called with each first ClientHello, gives another configuration for this connection, such as one for
            the name that was asked for (`extensions.server_name.asked_name`), or None to stay with this one. It refuses by raising
            `Aborted` with an alert.
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
    config_for: Callable[[ClientHello], ServerConfig | None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_fields(self, _SERVER, ServerConfig)
        add_psk_suites(self, self.psk is not None)
        super().__post_init__()
        _ = self.suite_ranks
        needs_certificate = all(suite.has_certificate for suite in self.suites)
        if needs_certificate and not self.credentials and self.config_for is None:
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
    "session_cache": optional(STORE),
    "tickets": optional(methods("seal", "open", of="the keys for tickets, TicketKeys()")),
    "session_lifetime": whole(0, 2**32 - 1, "a number of seconds"),
    "psk": optional(FUNCTION),
    "psk_hint": optional(octets(0, 2**16 - 1)),
    "dh_parameters": Kind("the numbers p and g, or None", lambda value: value is None or _are_dh_parameters(value)),
    "prefer_client_order": FLAG,
    "refuse_unknown_identities": FLAG,
    "equal_suites": several(_SUITES, "a tuple of groups of suites (algorithm_names.equal_suites makes them)"),
    "refuse_unknown_names": FLAG,
    "config_for": optional(FUNCTION),
}


def _are_dh_parameters(value: object) -> bool:
    """RFC 5246 7.4.3: what can be a group at all; how good it is, the provider says."""
    if not (isinstance(value, tuple) and len(value) == 2 and all(type(number) is int for number in value)):
        return False
    p, g = value
    return bool(1 < g < p - 1 and p % 2 == 1)
