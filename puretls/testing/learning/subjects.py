"""Who is learned: puretls's own server and client, and a server at an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from puretls import danger
from puretls.config import ClientConfig, Credential, Limits, ServerConfig
from puretls.connection import Connection
from puretls.crypto import provider as providers
from puretls.errors import UsageError
from puretls.handshake.context import ClientContext, ServerContext
from puretls.handshake.states import Role
from puretls.inspect.named import Source
from puretls.inspect.peer import MemoryPeer, Peer, SocketPeer
from puretls.session import Session, TicketKeys
from puretls.suites import DEFAULT_SUITES, Suite
from puretls.testing.learning.learner import LEARNERS, Effort, Learned, access, learned
from puretls.testing.learning.mapper import RESUMING, Mapper
from puretls.testing.learning.model import CLOSED, Difference, Model, Word, differences, names_from
from puretls.testing.learning.observed import NonDeterministic, Observed, Talk
from puretls.testing.learning.specification import ECHOES, OPTIONAL, RESUMES, flows, specification
from puretls.values import frozen

USUAL = {
    Role.SERVER: ("ClientHello", "EmptyCertificate", "ClientKeyExchange", "ChangeCipherSpec", "Finished", "ApplicationData",
                  "CloseNotify"),
    Role.CLIENT: ("ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone", "ChangeCipherSpec",
                  "Finished", "ApplicationData"),
}  # fmt: skip
"""What is said to a peer of each role unless told otherwise."""
FULL = {
    Role.SERVER: ("ClientHello", RESUMING, "Certificate", "EmptyCertificate", "ClientKeyExchange", "CertificateVerify",
                  "ChangeCipherSpec", "Finished", "ApplicationData", "HelloRequest", "NoRenegotiation", "CloseNotify"),
    Role.CLIENT: ("ServerHello", "Certificate", "CertificateStatus", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone",
                  "NewSessionTicket", "ChangeCipherSpec", "Finished", "ApplicationData", "HelloRequest", "CloseNotify"),
}  # fmt: skip
"""All symbols: twelve for each role."""
NAME = "server.test"
_SOURCE = Source("learning", 1_790_000_000.0)
_PATIENT = Limits(hello_requests=2**20, warning_alerts=2**20)
"""What a peer may repeat only so often would be a state for each time; the model is of what lies below these limits."""


@frozen
class Subject:
    """A peer to learn. `begin()` starts a conversation with it; `facts` are what its handshakes have (`specification`)."""

    name: str
    role: Role
    symbols: Sequence[str]
    begin: Callable[[], Talk] = field(repr=False)
    facts: frozenset[str]
    forks: bool = True
    effort: Effort = Effort()
    patience: float = 0.0
    """Seconds for which a peer at a socket is listened to; 0 where nobody has to wait."""

    @property
    def happy(self) -> tuple[Word, ...]:
        """Its handshakes, each with data after it."""
        spoken = [flow for flow in flows(self.role, self.facts) if set(flow) <= set(self.symbols)]
        return tuple((*flow, *(("ApplicationData",) if "ApplicationData" in self.symbols else ())) for flow in spoken)

    def listened_to(self, patience: float) -> Subject:
        """The same, with other patience."""
        return replace(self, patience=patience, begin=lambda: _patient(self.begin(), patience))

    @property
    def specification(self) -> Model:
        """What it should be."""
        return specification(self.role, self.symbols, self.facts)


def _patient(talk: Talk, patience: float) -> Talk:
    if isinstance(talk.peer, SocketPeer):
        talk.peer.patience = patience
    return talk


@frozen
class Lesson:
    """What was learned of a subject, beside its specification."""

    subject: Subject
    learned: Learned
    specification: Model = field(repr=False)
    differences: tuple[Difference, ...]

    @property
    def model(self) -> Model:
        """The learned model; its states have the specification's names where they are reached by what both agree on."""
        return replace(self.learned.model, names=names_from(self.learned.model, self.specification))

    @property
    def conforms(self) -> bool:
        """Whether the model is bisimilar to the specification."""
        return not self.differences


def learn(subject: Subject, learners: Sequence[str] = LEARNERS) -> Lesson:
    """Infer the machine of a subject. Raises as `learned`.

    Whoever is listened to with too little patience seems to answer at random. So all is forgotten then, and learned with twice as much.
    """
    for _ in range(_PATIENCES if subject.patience else 0):
        try:
            return _learn(subject, learners)
        except NonDeterministic:
            subject = subject.listened_to(2 * subject.patience)
    return _learn(subject, learners)


_PATIENCES = 4


def _learn(subject: Subject, learners: Sequence[str]) -> Lesson:
    observed = Observed(subject.begin, forks=subject.forks)
    found = learned(observed, subject.symbols, subject.happy, learners, subject.effort)
    if subject.patience:
        _confirm(observed, found.model, 3 * subject.patience)
    wanted = subject.specification
    return Lesson(subject, found, wanted, differences(found.model, wanted))


def _confirm(observed: Observed, model: Model, patience: float) -> None:
    """Each edge that does not close the connection, once more and with more patience."""
    for state, word in access(model).items():
        for symbol in model.symbols:
            if not model.steps[state, symbol][0].endswith(CLOSED):
                observed.confirm((*word, symbol), patience)


# Configurations


def _suites() -> tuple[Suite, ...]:
    return tuple(suite for suite in DEFAULT_SUITES if suite.kx.is_elliptic)


def _credential(kind: str = "secp256r1") -> Credential:
    return _SOURCE.issue(kind, (NAME,), "both")


def _common(purpose: str) -> dict[str, object]:
    return {
        "random": _SOURCE.random(purpose),
        "clock": _SOURCE.time,
        "verifier": danger.accept_any_chain,
        "credentials": (_credential(),),
        "limits": _PATIENT,
        "trace_limit": 0,
    }


def _mapping(purpose: str) -> dict[str, object]:
    """What a mapper is configured with: signatures of the peer are not what is learned, and cost most."""
    provider = replace(providers.default(), verify=lambda *arguments: True)
    return _common(f"mapper {purpose}") | {"provider": provider, "suites": _suites()}


def mapping_client(**more: object) -> ClientConfig:
    """What the mapper's client offers."""
    return ClientConfig(**_mapping("client") | more)  # type: ignore[arg-type]


def mapping_server(**more: object) -> ServerConfig:
    """What the mapper's server agrees to; without tickets and stapling unless told otherwise."""
    return ServerConfig(**_mapping("server") | {"tickets": None, "session_cache": None} | more)  # type: ignore[arg-type]


# puretls


def self_server(symbols: Sequence[str] = USUAL[Role.SERVER], **more: object) -> Subject:
    """Puretls's server, which asks for a certificate and takes none for an answer; with tickets where a session is to be offered."""
    resumes = RESUMING in symbols
    tickets = TicketKeys([b"k" * 48], clock=_SOURCE.time) if resumes else None
    fields = _common("server") | {"client_authentication": "request", "tickets": tickets, "session_cache": None} | more
    config = ServerConfig(**fields)  # type: ignore[arg-type]
    return server_in_memory(
        "puretls's server", lambda: MemoryPeer(Connection.server(config)), symbols, resumes=resumes, forks=True
    )


def self_client(symbols: Sequence[str] = USUAL[Role.CLIENT], **more: object) -> Subject:
    """Puretls's client with a certificate; it agrees to tickets and stapling where the symbols have them."""
    facts = {name for name in ("NewSessionTicket", "CertificateStatus") if name in symbols}
    config = ClientConfig(**_common("client") | more)  # type: ignore[arg-type]
    credential = replace(_credential(), ocsp_response=b"\x30\x03\x0a\x01\x00" if "CertificateStatus" in facts else None)
    tickets = TicketKeys([b"k" * 48], clock=_SOURCE.time) if "NewSessionTicket" in facts else None
    server = mapping_server(credentials=(credential,), tickets=tickets)

    def begin() -> Talk:
        peer = MemoryPeer(Connection.client(config, NAME))
        peer.start()
        return Talk(Mapper(ServerContext.begin(server)), peer, sends_first=True)

    return Subject("puretls's client", Role.CLIENT, tuple(symbols), begin, frozenset((*facts, ECHOES)))


# Servers


def server_in_memory(
    name: str,
    make: Callable[[], Peer],
    symbols: Sequence[str] = USUAL[Role.SERVER],
    *,
    resumes: bool = False,
    forks: bool = False,
) -> Subject:
    """A server that `make()` gives a new connection to. Its handshakes are looked at first, for what they have."""
    return _server(name, make, symbols, resumes=resumes, forks=forks, effort=Effort())


def server_at(
    host: str, port: int, symbols: Sequence[str] = USUAL[Role.SERVER], *, name: str | None = None, patience: float = 0.1
) -> Subject:
    """The server at an address; each conversation is a new connection. It is silent when it has said nothing for `patience` seconds.

    Raises `OSError`, and `UsageError` for a server with which no handshake can be completed.
    """
    return _server(
        f"{host}:{port}",
        lambda: SocketPeer.connect(host, port, patience=patience),
        symbols,
        resumes=RESUMING in symbols,
        forks=False,
        effort=Effort(inserted=1, more_states=0),
        server_name=name,
        patience=patience,
    )


def _server(
    name: str,
    make: Callable[[], Peer],
    symbols: Sequence[str],
    *,
    resumes: bool,
    forks: bool,
    effort: Effort,
    server_name: str | None = None,
    patience: float = 0.0,
) -> Subject:
    config = mapping_client(tickets=resumes)
    session = _session(make, config, server_name) if resumes else None

    def begin() -> Talk:
        return Talk(Mapper(ClientContext.begin(config, server_name, None), session), make())

    facts = _facts(lambda: _patient(begin(), _AT_FIRST), resumes=session is not None)
    return Subject(name, Role.SERVER, tuple(symbols), begin, facts, forks, effort, patience)


_AT_FIRST = 1.0
"""Seconds of patience with which the facts are found."""


def _session(make: Callable[[], Peer], config: ClientConfig, name: str | None) -> Session:
    """Of an honest handshake."""
    peer, client = make(), MemoryPeer(Connection.client(config, name))
    if isinstance(peer, SocketPeer):
        peer.patience = Talk.LONG
    client.start()
    while client.connection.is_handshaking and client.error is None:
        peer.receive(client.take())
        answer = peer.take()
        if not answer:
            break
        client.receive(answer)
    session = client.connection.session
    if isinstance(peer, SocketPeer):
        peer.close()
    if session is None:
        raise UsageError(f"{RESUMING} needs a session, and an honest handshake with this server led to none")
    return session


def _facts(begin: Callable[[], Talk], *, resumes: bool) -> frozenset[str]:
    """What the honest handshakes of a server have. Raises `UsageError` where there is none."""
    said = _heard(begin, ("ClientHello",))
    asked = ("EmptyCertificate",) if "CertificateRequest" in said else ()
    full = ("ClientHello", *asked, "ClientKeyExchange", "ChangeCipherSpec", "Finished", "ApplicationData")
    said = _heard(begin, full)
    if "Finished" not in said:
        raise UsageError(f"no handshake could be completed: the server says {' '.join(said) or 'nothing'}")
    facts = OPTIONAL.intersection(said) | ({ECHOES} if "ApplicationData" in said else set())
    if resumes and "Certificate" not in _heard(begin, (RESUMING,)):
        facts |= {RESUMES}
    return frozenset(facts)


def _heard(begin: Callable[[], Talk], word: Word) -> tuple[str, ...]:
    talk = begin()
    try:
        return tuple(name for symbol in word for name in re.findall(r"[\w()]+(?: \w+\))?", talk.step(symbol)))
    finally:
        talk.close()
