"""A bout: a connection under test, a mapper as its peer, and a judge who knows what was said and so what may come of it.

The judge asks the connection for its state only to find what its table expects next. What is legal, when a handshake is complete and what
must end a connection he knows from RFC 5246 7.3 (`specification.flows`) and from what each move means. A `Violation` says which rule broke
and shows the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from puretls import danger
from puretls.config import ClientConfig, Credential, Limits, ServerConfig, Verifier
from puretls.connection import Connection
from puretls.crypto import provider as providers
from puretls.crypto.provider import Provider
from puretls.errors import InternalError
from puretls.handshake.context import ClientContext, ServerContext
from puretls.handshake.states import LocalInput, Role
from puretls.handshake.table import TABLES, input_key
from puretls.iana import CipherSuiteId, CompressionMethod, ExtensionType, ProtocolVersion
from puretls.inspect.peer import MemoryPeer, Told
from puretls.inspect.tape import Step
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import Certificate, ClientHello, Finished, ServerHello
from puretls.record.framing import HEADER_LENGTH
from puretls.session import Session, TicketKeys
from puretls.suites import Suite
from puretls.testing.honest import NAME, NOW, suite_named
from puretls.testing.learning.mapper import RESUMING, Mapper
from puretls.testing.learning.specification import INPUTS, RESUMES, flows
from puretls.testing.pki import Chain, defect_named, key, plan
from puretls.values import frozen
from puretls.x509.verifier import chain_verifier

SUITES: tuple[Suite, ...] = tuple(
    suite_named(f"TLS_ECDHE_ECDSA_WITH_{name}")
    for name in ("AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256", "AES_128_GCM_SHA256")
)
"""What both ends can do, the favourite first."""
SERVER, CLIENT = Role.SERVER, Role.CLIENT
SEED = "bout "
"""What all that is random at the connection under test follows from, with its role."""
TICKET_KEY = b"k" * 48
DEFECTS = (
    "path length",
    "name not permitted",
    "expired",
    "not yet valid",
    "wrong name",
    "root not trusted",
    "not a CA",
    "wrong EKU",
    "bad signature",
)
"""What may be wrong with the chain of the mapper's server: names of `pki.DEFECTS`."""
_LIMITS = Limits(hello_requests=2**20, warning_alerts=2**20, renegotiations=2**20, empty_records=2**20)
"""Counters are not what a bout is about; they are reached by repetition alone."""


class Violation(AssertionError):
    """The connection did what it must not do, or failed to do what it must: the rule, and the conversation that shows it."""

    def __init__(self, rule: str, detail: str, moves: list[str]) -> None:
        story = "".join(f"\n    {move}" for move in moves)
        super().__init__(f"{rule}: {detail}{story}")
        self.rule, self.detail, self.moves = rule, detail, tuple(moves)


# Variants: one message said in another way


@frozen
class Variant:
    """`change(message, context)`; what must come of it: "go on", "end" at once, or "never complete"."""

    name: str
    change: Callable[[Any, Any], Any]
    outcome: str = "end"
    applies: Callable[[Bout], bool] = lambda bout: True


def _extensions(message: Any, without: int, *more: RawExtension) -> Any:
    kept = tuple(one for one in message.extensions or () if one.extension_type != without)
    return replace(message, extensions=(*kept, *more) or None)


_EMS, _RENEGOTIATION_INFO = ExtensionType.EXTENDED_MASTER_SECRET, ExtensionType.RENEGOTIATION_INFO
_FORGED = RawExtension(_RENEGOTIATION_INFO, b"\x0c" + bytes(12))


def _without_ems(message: Any, context: Any) -> Any:
    return _extensions(message, _EMS)


def _flipped(field: str) -> Callable[[Any, Any], Any]:
    def change(message: Any, context: Any) -> Any:
        data = getattr(message, field)
        return replace(message, **{field: data[:-1] + bytes((data[-1] ^ 1,))})

    return change


def _badly_signed(message: Any, context: Any) -> Any:
    return replace(message, signed=_flipped("signature")(message.signed, context))


def _defective(defect: str) -> Variant:
    def change(message: Certificate, context: Any) -> Certificate:
        return Certificate(chain_with(defect).certificates)

    return Variant(defect, change, "refused")


def _is_first(bout: Bout) -> bool:
    return not bout.completed


def _is_again(bout: Bout) -> bool:
    return bool(bout.completed)


def _is_resumed(bout: Bout) -> bool:
    """Whether the mapper's server resumes."""
    return bool(bout.mapper.context.negotiated.resumed)


def _session_has_ems(bout: Bout) -> bool:
    return bout.world.session is not None and bout.world.session.extended_master_secret


def _fields(**fields: Any) -> Callable[[Any, Any], Any]:
    return lambda message, context: replace(message, **fields)


def _last_suite(hello: ClientHello, context: Any) -> ClientHello:
    return replace(hello, cipher_suites=hello.cipher_suites[-1:])


def _other_suites(hello: ClientHello, context: ClientContext) -> ClientHello:
    assert context.session is not None
    return replace(hello, cipher_suites=tuple(suite.id for suite in SUITES if suite.id != context.session.suite))


def _other_suite(hello: ServerHello, context: Any) -> ServerHello:
    return replace(hello, cipher_suite=next(suite.id for suite in SUITES if suite.id != hello.cipher_suite))


def _other_renegotiation_info(hello: Any, context: Any) -> Any:
    return _extensions(hello, _RENEGOTIATION_INFO, _FORGED)


def _without_renegotiation_info(hello: Any, context: Any) -> Any:
    return _extensions(hello, _RENEGOTIATION_INFO)


def _strange_extension(hello: Any, context: Any) -> Any:
    return _extensions(hello, 0x7777, RawExtension(0x7777, b""))


def _strange_group(message: Any, context: Any) -> Any:
    return replace(message, params=replace(message.params, named_curve=0x0001))


def _cut_short(message: Finished, context: Any) -> Finished:
    return Finished(message.verify_data[:-1])


_VARIANTS: Mapping[str, tuple[Variant, ...]] = {
    "ClientHello": (
        Variant("without extended_master_secret", _without_ems, "go on", _is_first),
        Variant("with the last suite alone", _last_suite, "go on"),
        Variant("with suites that nobody has", _fields(cipher_suites=(CipherSuiteId.TLS_NULL_WITH_NULL_NULL,))),
        Variant("of TLS 1.1", _fields(client_version=ProtocolVersion.TLS_1_1)),
        Variant("without the null compression", _fields(compression_methods=(CompressionMethod(1),))),
        Variant("with another renegotiation_info", _other_renegotiation_info),
        Variant("without renegotiation_info", _without_renegotiation_info, "end", _is_again),
    ),
    RESUMING: (
        Variant("without extended_master_secret", _without_ems, "end", _session_has_ems),
        Variant("with another suite alone", _other_suites, "go on"),
    ),
    "ServerHello": (
        Variant("with a suite not offered", _fields(cipher_suite=CipherSuiteId.TLS_RSA_WITH_AES_128_CBC_SHA)),
        Variant("with a compression not offered", _fields(compression_method=CompressionMethod(1))),
        Variant("of TLS 1.1", _fields(server_version=ProtocolVersion.TLS_1_1)),
        Variant("with an extension not offered", _strange_extension),
        Variant("with another renegotiation_info", _other_renegotiation_info),
        Variant("of a session, without extended_master_secret", _without_ems, "end", _is_resumed),
        Variant("of a session, with another suite", _other_suite, "end", _is_resumed),
    ),
    "Certificate": tuple(_defective(defect) for defect in DEFECTS),
    "ServerKeyExchange": (Variant("signed wrongly", _badly_signed), Variant("of a group not offered", _strange_group)),
    "CertificateVerify": (Variant("signed wrongly", _flipped("signature")),),
    "ChangeCipherSpec": (Variant("of type 2", _fields(type=2)),),
    "Finished": (
        Variant("over another handshake", _flipped("verify_data")),
        Variant("of zeros", _fields(verify_data=bytes(12))),
        Variant("cut short", _cut_short),
    ),
}
RAW: Mapping[str, tuple[int, bytes]] = {
    "a record of type 24": (24, b"\1\0\1x"),
    "an empty handshake record": (22, b""),
    "an empty alert": (21, b""),
    "an alert of level 3": (21, b"\3\0"),
    "half an alert": (21, b"\1"),
    "two alerts in one": (21, b"\1\x64\1\x64"),
    "ChangeCipherSpec of two bytes": (20, b"\1\1"),
    "a handshake message of type 99": (22, b"\x63\0\0\0"),
    "a handshake message of 16 MiB": (22, b"\1\xff\xff\xff"),
    "more than 2^14 bytes": (23, bytes(2**14 + 1)),
}
"""Content that ends every connection, whatever it waits for (RFC 5246 6.2.1, 7.1, 7.2)."""


# The world of a run


class _Watched:
    """An AEAD cipher of which is noted under which key and nonce it sealed."""

    def __init__(self, inner: Any, key: bytes, world: World) -> None:
        self._inner, self._key, self._world = inner, key, world

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        if (self._key, nonce) in self._world.sealed:
            self._world.repeated = True
        self._world.sealed.add((self._key, nonce))
        sealed: bytes = self._inner.seal(nonce, plaintext, aad)
        return sealed

    def seal_many(self, items: Any) -> list[bytes]:
        return [self.seal(*item) for item in items]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class World:
    """What the connections of a run share: clock, session, and the nonces that were used."""

    def __init__(self, role: Role, *, certificates: bool = False, tickets: bool = True, seed: bytes = b"") -> None:
        self.role, self.now, self.session = role, NOW, None
        self.sealed: set[tuple[bytes, bytes]] = set()
        self.repeated = False
        self.key_log: list[str] = []
        self.config = _config(
            role,
            self,
            watched=self._watching(),
            seed=SEED.encode() + role.value.encode() + seed,
            certificates=certificates,
            tickets=tickets,
        )
        self.mapping = _config(
            role.other, self, watched=_provider(), seed=b"mapper" + seed, certificates=certificates, tickets=tickets
        )

    session: Session | None

    def _watching(self) -> Provider:
        inner = _provider()
        return replace(inner, aead=lambda algorithm, key: _Watched(inner.aead(algorithm, key), bytes(key), self))


@cache
def _provider() -> Provider:
    return danger.no_secrecy_provider()


@cache
def chain_with(defect: str = "") -> Chain:
    """What an end shows: a leaf under two authorities, so that all of `DEFECTS` have a place; they are made as near to the leaf as can be.

    Raises `UsageError` for a name that is not among `pki.DEFECTS`.
    """
    right = plan(2)
    if not defect:
        return right.chain()
    row = defect_named(defect)
    return row.in_plan(right, row.places(right)[-1])


@cache
def _verifier() -> Verifier:
    return chain_verifier(chain_with().anchors, provider=providers.default())


def forget() -> None:
    """Forget what verifiers have seen: for tests that change the code of validation."""
    _verifier.cache_clear()


def _config(
    role: Role, world: World, *, watched: Provider, seed: bytes, certificates: bool, tickets: bool
) -> ClientConfig | ServerConfig:
    common: dict[str, Any] = {
        "provider": watched,
        "random": danger.fixed_random(seed),
        "clock": lambda: world.now,
        "suites": SUITES,
        "limits": _LIMITS,
        "credentials": (Credential(chain_with().certificates, key("leaf")),),
        "renegotiation": True,
        "key_log": world.key_log.append,
    }
    if role is CLIENT:
        return ClientConfig(verifier=_verifier(), **common)
    keys = TicketKeys([TICKET_KEY], clock=lambda: world.now) if tickets else None
    asks: Any = "request" if certificates else "none"
    anyone: Any = danger.accept_any_chain
    return ServerConfig(verifier=anyone, tickets=keys, session_cache=None, client_authentication=asks, **common)


# The bout


class Bout:
    """One connection of a world. Moves are `say`, `write`, `close`, `renegotiate`, `end_of_file`; each is judged at once."""

    def __init__(self, world: World, *, resume: bool = False, moves: list[str] | None = None) -> None:
        self.world = world
        self.moves: list[str] = [] if moves is None else moves
        """What happened, for people."""
        self.received: list[bytes] = []
        """What the connection received, in the order of its arrival."""
        self.chunks: list[tuple[str, bytes]] = []
        """Who said what."""
        self.steps: list[Step] = []
        """What happened, as a tape has it."""
        self.said: list[str] = []
        """Symbols of the handshake under way."""
        self.completed = 0
        self.size = 0
        """Bytes in which what is said arrives at a time; 0: as it is."""
        self._tainted = ""
        self._refused = ""
        self._data_sent = self._data_got = b""
        self._written = self._last_sealed = b""
        self._closed_by_mapper = self._closing = self._over = False
        self._ems = True
        session = world.session if resume else None
        self.moves.append(f"a {world.role.value}{' that resumes' if session is not None and world.role is CLIENT else ''}")
        if world.role is SERVER:
            self.peer = MemoryPeer(Connection.server(world.config))  # type: ignore[arg-type]
            self.mapper = Mapper(ClientContext.begin(world.mapping, NAME, None), session)  # type: ignore[arg-type]
        else:
            self.peer = MemoryPeer(Connection.client(world.config, NAME, session))  # type: ignore[arg-type]
            self.mapper = Mapper(ServerContext.begin(world.mapping))  # type: ignore[arg-type]
            self.steps.append(Step("start"))
            self.peer.start()
        self._after()

    @property
    def role(self) -> Role:
        """Of the connection under test."""
        return self.world.role

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._over

    @property
    def handshaking(self) -> bool:
        """Whether a handshake is under way."""
        return bool(self.said) or not self.completed or self._hello_is_out

    # What can be said

    def expected(self) -> list[str]:
        """The symbols that the table has a row for in this state, those that lead on first."""
        state = self.peer.connection.state
        keys = {input_key(row.input) for row in TABLES[self.role] if row.state is state and not issubclass(row.input, LocalInput)}
        return [symbol for symbol in self._symbols() if input_key(INPUTS[symbol]) in keys] if keys else []

    def _symbols(self) -> list[str]:
        """Those of the tables: alerts are none. A hello that resumes comes first, where there is a session."""
        names = [name for name in self.mapper.symbols if name in INPUTS]
        order = {"HelloRequest": 2, "ApplicationData": 0 if self.completed else 2, RESUMING: -1}
        return sorted(names, key=lambda name: order.get(name, 1))

    # What is said next

    def next(self) -> str | None:
        """What an honest peer says next; where it may say several things, the first. None where it has nothing more to say."""
        if not self.handshaking:
            return "ApplicationData" if "ApplicationData" in self.expected() else None
        ahead = self._ahead()
        return next((symbol for symbol in self.expected() if symbol == ahead[0]), None) if ahead else None

    def _ahead(self) -> tuple[str, ...]:
        """What is left of the shortest handshake that what was said is the beginning of; one that resumes where that can be."""
        hello = RESUMING if RESUMING in self.mapper.symbols else "ClientHello"
        begun = hello if self.role is SERVER and not self.said else None
        left = [flow[len(self.said) :] for flow in self._flows() if begun is None or flow[0] == begun]
        return min((rest for rest in left if rest), key=len, default=())

    def deviations(self) -> list[str]:
        """What an honest peer does not say next: first, and three times as often as all others, what comes later or came before.

        On a connection that is established, what begins another handshake is among the first.
        """
        ahead = self._ahead()
        begin = "HelloRequest" if self.role is CLIENT else ahead[0]
        near = [*([] if self.handshaking else [begin] * 3), *ahead[1:4], *self.said[-1:], "ApplicationData"]
        others = self.options()
        return near * (1 + 3 * len(others) // len(near)) + others

    def options(self) -> list[str]:
        """Everything that can be said now."""
        return list(self.mapper.symbols)

    def variants(self, symbol: str) -> list[Variant]:
        """The other ways to say it."""
        return [
            variant
            for variant in _VARIANTS.get(symbol, ())
            if variant.applies(self) and not (variant.outcome == "refused" and self.role is SERVER)
        ]

    def _flows(self) -> list[tuple[str, ...]]:
        """The handshakes that what was said is the beginning of."""
        count = len(self.said)
        return [flow for flow in self._possible() if flow[:count] == tuple(self.said)]

    def _possible(self) -> tuple[tuple[str, ...], ...]:
        facts, context = set(), self.mapper.context
        negotiated = context.agreed
        if self.role is SERVER:
            facts |= {"CertificateRequest"} if self.world.config.client_authentication != "none" else set()  # type: ignore[union-attr]
            resumed = negotiated is not None and negotiated.resumed
            return flows(SERVER, frozenset(facts | ({RESUMES} if resumed or not self.said else set())))
        facts |= {"NewSessionTicket"} if getattr(context, "ticket_keys", None) is not None else set()
        if negotiated is not None and negotiated.resumed:
            ticket = ("NewSessionTicket",) if "NewSessionTicket" in facts else ()
            return (("ServerHello", *ticket, "ChangeCipherSpec", "Finished"),)
        return flows(CLIENT, frozenset(facts))

    # Moves

    def say(self, symbol: str, variant: Variant | None = None, flip: int | None = None) -> None:
        """Say a symbol: as it is, in another way, or with a bit of its bytes flipped on the way (counted behind the record's header)."""
        self._note(f"{symbol}{f' {variant.name}' if variant else ''}{f', bit {flip} flipped' if flip is not None else ''}")
        legal, protected = self._legality(symbol), self._protected
        if self._goes_on_with(symbol):
            self.said.append(symbol)
        change = variant.change if variant else None
        if symbol == "ClientHello" and self.completed and not self._ems:
            change = _without_ems  # RFC 7627 5.4: what a connection had not, it does not get
        data = self.mapper.say(symbol, change)
        self._last_sealed = data if protected else b""
        if flip is not None:
            data = _flip(data, flip)
        elif symbol == "ApplicationData" and self.completed:
            self._data_sent += b"a line\n"
        self._meant(symbol, variant, flip)
        self._arrive(data)
        self._judge(symbol, legal, variant, flip, protected=protected)

    def inject(self, name: str) -> None:
        """A record that breaks a rule by itself (`RAW`), sealed as it should be."""
        self._note(name)
        type_, content = RAW[name]
        self._arrive(self.mapper.seal(type_, content))
        self._after()
        self._demand(
            self._over or self._tainted,
            "a record that breaks a rule ends the connection (RFC 5246 6.2.1)",
            f"it goes on after {name}",
        )

    def replay(self) -> None:
        """The last bytes that were said under keys, once more."""
        if self._last_sealed:
            self._note("the last record again")
            self._arrive(self._last_sealed)
            self._after()
            self._demand(self._over, "a record that comes twice ends the connection (RFC 5246 F.2)", "it goes on")

    @property
    def _protected(self) -> bool:
        return self.mapper.protects

    def _legality(self, symbol: str) -> str:
        """Next: the handshake goes on with it; aside: it may come, and is no part of one; may: either way is right; no; close."""
        if symbol == "CloseNotify":
            return "close"
        if symbol == "NoRenegotiation":
            return "aside"
        if symbol == "HelloRequest":
            return "aside" if self.role is CLIENT else "no"
        if symbol == "ApplicationData":
            return "no" if not self.completed else "may" if self.handshaking or self._closing else "aside"
        if not self._goes_on_with(symbol):
            return "no"
        return "may" if self._closing else "next"

    def _goes_on_with(self, symbol: str) -> bool:
        """Whether it is next in a handshake, or begins one where that may be."""
        if not self.said and self.completed and self.role is CLIENT and not self._hello_is_out:
            return False
        if not self.said and self.role is SERVER:
            return symbol in {"ClientHello", RESUMING}
        return any(len(flow) > len(self.said) and flow[len(self.said)] == symbol for flow in self._flows())

    @property
    def _hello_is_out(self) -> bool:
        """Whether a client has begun a handshake again."""
        return self.peer.connection.state.name == "WAIT_SERVER_HELLO_AGAIN"

    def _meant(self, symbol: str, variant: Variant | None, flip: int | None) -> None:
        """What follows from it for what may come."""
        if symbol == "CloseNotify" and flip is None:
            self._closed_by_mapper = True
        if symbol in {"ClientHello", RESUMING} and not self.completed:
            self._ems = variant is None or variant.change is not _without_ems
        if variant is not None and variant.outcome == "never complete":
            self._tainted = self._tainted or f"{symbol} {variant.name}"
        if variant is not None and variant.outcome == "refused":
            self._refused = variant.name
        if flip is not None and not self._protected and symbol not in {"CloseNotify", "NoRenegotiation"}:
            self._tainted = self._tainted or f"{symbol} was changed on the way"

    def write(self, data: bytes = b"from the application") -> None:
        """The application sends."""
        self._note("the application sends")
        self.steps.append(Step("send", self.role.value, data))
        self.peer.send(data)
        if self.completed and not self._closing and not self._over:
            self._written += data
        self._after()

    def close(self) -> None:
        """The application closes."""
        self._note("the application closes")
        self._closing = self._closing or not self._over
        self.steps.append(Step("close", self.role.value))
        self.peer.close()
        self._after()

    def renegotiate(self) -> None:
        """The application asks for a new handshake."""
        self._note("the application renegotiates")
        self.steps.append(Step("renegotiate", self.role.value))
        self.peer.renegotiate()
        self._after()

    def end_of_file(self) -> None:
        """The transport ends."""
        self._note("end of file")
        self.steps.append(Step("end", self.role.other.value))
        self.peer.eof()
        self._after()
        self._demand(self._over, "an end of the stream ends the connection", "it goes on")

    def tick(self, seconds: int) -> None:
        """Time passes."""
        self._note(f"{seconds} seconds pass")
        self.world.now += seconds

    # What came of it

    def _arrive(self, data: bytes) -> None:
        for start in range(0, len(data), self.size or len(data) or 1):
            piece = data[start : start + (self.size or len(data))]
            self.received.append(piece)
            self.chunks.append((self.role.other.value, piece))
            self.steps.append(Step("inject", self.role.other.value, piece))
            self.peer.receive(piece)

    def _judge(self, symbol: str, legal: str, variant: Variant | None, flip: int | None, *, protected: bool) -> None:
        outcome = variant.outcome if variant else "go on"
        self._after()
        if flip is not None:
            if protected:
                self._demand(
                    self._over, "a record that was changed under keys ends the connection (RFC 5246 7.2.2)", "it goes on"
                )
            return
        if self._tainted:
            return
        if legal == "no":
            self._demand(self._over, "what may not come ends the connection (RFC 5246 7.4)", f"it goes on after {symbol}")
        elif legal == "close":
            self._demand(self._over, "close_notify ends the connection (RFC 5246 7.2.1)", "it goes on")
        elif outcome == "end":
            self._demand(
                self._over,
                "what breaks a rule ends the connection",
                f"it goes on after {symbol} {variant.name if variant else ''}",
            )
        elif self._refused and symbol == "ServerHelloDone":
            self._demand(self._over, "a chain with a defect is refused (RFC 5280 6)", f"it goes on: {self._refused}")
        elif legal in {"next", "aside"} and not self._closing:
            self._demand(not self._over, "an honest peer is understood", f"it ended at {symbol}: {self.peer.error or 'closed'}")
            if legal == "next" and tuple(self.said) in self._possible():
                self._demand(False, "a handshake that is complete is told", "the connection does not say so")

    def _after(self) -> None:
        """Hear what the connection says, and judge what it tells."""
        told = self.peer.events()
        out = self.peer.take()
        told += self.peer.events()
        self.chunks += [(self.role.value, out)] if out else []
        was_over = self._over
        self._over = self._over or any(one.kind in {"closed", "failed"} for one in told)
        self._demand(not (was_over and out), "nothing is sent after the end (RFC 5246 7.2.1)", f"{len(out)} bytes")
        heard = self.mapper.hear(out)
        if heard:
            self.moves[-1] += f"  ->  {' '.join(heard)}"
        self._heard(heard)
        for one in told:
            self._told(one)
        self._always()

    def _heard(self, heard: list[str]) -> None:
        broken = [name for name in heard if re.match(r"\(|\w+\((?!fatal|[a-z_]+\)$)|(?!Alert)\w+\(", name)]
        self._demand(self._tainted or not broken, "what a connection says can be read and is right", " ".join(broken))
        self._demand(
            self._written.startswith(self.mapper.received) or bool(self._tainted),
            "what is written arrives, in order",
            "it does not",
        )
        if "ServerHello" in heard:
            self._best_suite()
        if "NewSessionTicket" in heard and self.role is SERVER:
            self._remember(self.mapper.context.session)

    def _remember(self, session: Session | None) -> None:
        if session is not None and not self._tainted:
            self.world.session = session

    def _told(self, told: Told) -> None:
        if told.kind == "handshake":
            self._complete()
        elif told.kind == "data":
            self._data_got += told.data
            self._demand(bool(self.completed), "no data before Finished (RFC 5246 7.4.9)", repr(told.data))
            self._demand(self._data_sent.startswith(self._data_got), "data arrives as it was sent", repr(told.data))
        elif told.kind == "closed":
            clean = told.detail == "by close_notify"
            self._demand(
                clean == self._closed_by_mapper, "an end without close_notify is told as what it is (RFC 5246 7.2.1)", told.detail
            )

    def _complete(self) -> None:
        said, context = tuple(self.said), self.peer.connection
        spoiled = self._tainted or self._refused
        self._demand(not spoiled, "no completion after what must not be completed", spoiled)
        self._demand(said in self._possible(), "no completion without all messages, in order (RFC 5246 7.3)", ", ".join(said))
        self._agreement(context)
        self.completed += 1
        self.said.clear()
        if self.role is CLIENT:
            self._remember(context.session)

    def _agreement(self, connection: Connection) -> None:
        ours, theirs = connection.negotiated, self.mapper.context.agreed
        assert ours is not None
        if theirs is None:
            self._demand(False, "both ends agree", "the peer has agreed on nothing")
            return
        for name in (
            "suite",
            "client_random",
            "server_random",
            "resumed",
            "extended_master_secret",
            "secure_renegotiation",
            "version",
        ):
            self._demand(getattr(ours, name) == getattr(theirs, name), "both ends agree", name)
        secret = danger.parts(connection).progress.context.secrets.master
        self._demand(bytes(secret) == bytes(self.mapper.context.secrets.master), "both ends agree", "master secret")
        session = self.world.session
        if ours.resumed and session is not None:
            self._demand(
                session.suite == ours.suite.id, "a session is resumed with its suite (RFC 5246 7.4.1.2)", ours.suite.name
            )
            same = session.extended_master_secret == ours.extended_master_secret
            self._demand(
                same, "a session is resumed with its kind of master secret (RFC 7627 5.3)", str(ours.extended_master_secret)
            )

    def _best_suite(self) -> None:
        """Of a server that has just chosen."""
        agreed = self.mapper.context.agreed
        offered = self.mapper.context.offer.hello.cipher_suites
        best = next(suite for suite in SUITES if suite.id in offered)
        right = agreed is not None and agreed.suite.id in offered and (agreed.resumed or agreed.suite is best)
        self._demand(right or self._tainted, "the best suite that both have is chosen", agreed.suite.name if agreed else "none")

    def _always(self) -> None:
        error, connection = self.peer.error, self.peer.connection
        self._demand(not isinstance(error, InternalError), "no internal error", str(error))
        self._demand(not self.world.repeated, "no nonce is used twice under a key (RFC 5288 3)", "one was")
        self._demand(connection.bytes_buffered <= _LIMITS.buffered, "what waits is bounded", str(connection.bytes_buffered))
        master = bytes(danger.parts(connection).progress.context.secrets.master)
        if master and error is not None:
            self._demand(master.hex() not in f"{error}{error!r}{connection!r}", "no secret is told", "the master secret is")

    def _note(self, move: str) -> None:
        self.moves.append(move)

    def _demand(self, holds: object, rule: str, detail: str) -> None:
        if not holds:
            raise Violation(rule, detail, self.moves)


def _flip(data: bytes, bit: int) -> bytes:
    """One bit of what a record carries flipped; the bit is taken modulo their number."""
    body = data[HEADER_LENGTH:]
    place = bit % (8 * len(body))
    changed = bytearray(data)
    changed[HEADER_LENGTH + place // 8] ^= 0x80 >> place % 8
    return bytes(changed)
