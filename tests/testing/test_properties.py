"""Properties: each holds for puretls, and each is seen to fail on a fault that was planted for it."""

import logging
import os
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from puretls.errors import DecodeError, UsageError
from puretls.handshake import finished, table
from puretls.handshake.server import resumption
from puretls.handshake.states import ServerState
from puretls.inspect.bytemap import ByteMap
from puretls.inspect.edit import Edit
from puretls.inspect.peer import MemoryPeer, Told
from puretls.messages.handshake import ClientHello, ServerHello
from puretls.messages.records import ApplicationData
from puretls.messages.registry import parse_handshake, serialise_handshake
from puretls.session import MemorySessionStore, TicketKeys
from puretls.testing import adapters, honest, properties
from puretls.testing import strategies as tls
from puretls.testing.adapters import Factory
from puretls.testing.properties import PROPERTIES, Parser, Violated
from puretls.testing.properties.bounds import Flood
from puretls.testing.wire import Wire
from tests.support import breaks

SMALL = settings(max_examples=8, database=None, derandomize=True)
ENOUGH = settings(max_examples=150, database=None, derandomize=True, phases=[Phase.generate])
"""Enough to find a fault; what it shrinks to is of no interest here."""
OF_PARSERS = ("parsing_undoes_serialising", "only_own_errors_of_parser")
OF_ENDS = [name for name in PROPERTIES if name not in OF_PARSERS]


def keys():
    return TicketKeys([b"k" * 48], clock=lambda: honest.NOW)


def own(role, **fields):
    """Ends that keep sessions, too: else nothing would be resumed."""
    more = {"tickets": keys()} if role == "server" else {"session_store": MemorySessionStore(clock=lambda: honest.NOW)}
    return adapters.puretls(role, **more | fields)


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("name", OF_ENDS)
def test_it_holds_for_puretls(name, role):
    PROPERTIES[name](own(role), settings(SMALL, max_examples=2) if name == "bounded" else SMALL)


@pytest.mark.full
@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("name", [name for name in OF_ENDS if name != "bounded"])
def test_it_holds_for_puretls_many_times(name, role):
    PROPERTIES[name](own(role), settings(max_examples=80, database=None))


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.parametrize("stack", ["secure", "openssl"])
@pytest.mark.parametrize("name", [name for name in OF_ENDS if name not in {"determinism", "bounded"}])
def test_it_holds_for_other_stacks(name, stack):
    """Servers: what a client of OpenSSL lets pass, an unknown extension that nobody asked for, is told below."""
    factory = adapters.memory_bio("server") if stack == "openssl" else adapters.puretls("server", secure=True)
    PROPERTIES[name](factory, settings(max_examples=10, database=None))


def test_each_property_says_what_it_is_and_where_it_is_from():
    for name, row in PROPERTIES.items():
        assert row.name == name
        assert str(row) == f"{name}: {row.sentence} ({row.rfc})"
        assert row.rfc.startswith("RFC")


# Parsers


def hello_of(raw):
    return parse_handshake(raw, None)


def test_properties_of_parsers_hold_for_the_hello():
    parser = Parser("hello", hello_of, (DecodeError,), tls.almost(tls.client_hellos()), serialise_handshake, tls.client_hellos())
    for name in OF_PARSERS:
        PROPERTIES[name](parser, SMALL)


def careless(raw):
    hello = parse_handshake(raw, None)
    return {0: "none"}[hello.compression_methods[0]] if isinstance(hello, ClientHello) else None


def test_a_parser_with_a_key_error_is_found():
    parser = Parser("careless", careless, (DecodeError,), tls.almost(tls.client_hellos()))
    with pytest.raises(Violated, match=r"only_own_errors_of_parser does not hold for careless: KeyError"):
        properties.only_own_errors_of_parser(parser, ENOUGH)


def test_a_parser_that_does_not_undo_its_serialiser_is_found():
    forgetful = Parser("forgetful", lambda data: data.strip(b"\0"), serialise=bytes, values=st.binary(max_size=20))
    with pytest.raises(Violated, match="parsing_undoes_serialising does not hold"):
        properties.parsing_undoes_serialising(forgetful, ENOUGH)
    with pytest.raises(Violated, match="a serialiser is needed"):
        properties.parsing_undoes_serialising(Parser("none", bytes, values=st.binary()), SMALL)


# Faults in ends


def faulty(role, cls, **fields):
    """Ends of puretls with a fault in what is around them."""
    make = own(role, **fields)

    def made():
        peer = make()
        peer.__class__ = cls
        return peer

    return Factory(f"{cls.__name__}", role, made, secure=False, deterministic=True)


class Leaky(MemoryPeer):
    def receive(self, data):
        if len(data) > 60 and data[43] == 32:
            raise IndexError("a session id of 32 bytes")
        super().receive(data)


class CountsPieces(MemoryPeer):
    def receive(self, data):
        super().receive(data if len(data) != 1 else b"")


class Deaf(MemoryPeer):
    def events(self):
        return [told for told in super().events() if told.kind != "data"]


class Hopeful(MemoryPeer):
    """Takes any end for a good one."""

    def events(self):
        return [Told("closed", "by close_notify") if told.kind == "closed" else told for told in super().events()]


class Chatty(MemoryPeer):
    def __repr__(self):
        return f"<a peer that heard {b''.join(told.data for told in self._told)!r}>"

    def events(self):
        return list(self._told)


class Hoarder(MemoryPeer):
    kept = ()

    def receive(self, data):
        self.kept = (*self.kept, bytearray(data * 8))


class Slow(MemoryPeer):
    def receive(self, data):
        for _ in range(30 * len(data)):
            self.events()


def no_check(monkeypatch):
    monkeypatch.setattr(finished, "hmac", SimpleNamespace(compare_digest=lambda one, other: True))


def early_data(monkeypatch):
    waiting = ServerState.WAIT_FINISHED
    row = table.row(waiting, ApplicationData, table._deliver_in(waiting), waiting)
    monkeypatch.setitem(table.INDEX, (waiting, ApplicationData), row)


def any_session(monkeypatch):
    monkeypatch.setattr(resumption, "_may_resume", lambda context, results, session: True)


def lost_leaf(monkeypatch):
    whole = ByteMap.leaves
    monkeypatch.setattr(ByteMap, "leaves", lambda self, side, view="wire": whole(self, side, view)[:3] + whole(self, side, view)[4:])


FAULTS = {
    "only_own_errors": lambda patch: faulty("server", Leaky),
    "chunking_is_invisible": lambda patch: faulty("server", CountsPieces),
    "honest_peers_finish": lambda patch: faulty("client", Deaf),
    "determinism": lambda patch: Factory("drawing", "server", own("server", random=os.urandom), secure=False, deterministic=True),
    "byte_map_tiles": lambda patch: lost_leaf(patch) or own("server"),
    "no_completion_without_finished": lambda patch: no_check(patch) or own("server"),
    "matching_conversations": lambda patch: no_check(patch) or own("server"),
    "tampering_never_completes": lambda patch: no_check(patch) or own("client"),
    "no_data_before_finished_nor_after_close": lambda patch: early_data(patch) or own("server"),
    "truncation_is_reported": lambda patch: faulty("client", Hopeful),
    "nonces_never_repeat": lambda patch: own("server", random=lambda size: b"r" * size),
    "secrets_are_never_shown": lambda patch: own("server", key_log=logging.getLogger("careless").info),
    "negotiation_is_sound": lambda patch: own("server", interceptors=(breaks.fields(ServerHello, cipher_suite=0x1301),)),
    "resumption_keeps_parameters": lambda patch: any_session(patch) or own("server"),
    "bounded": lambda patch: faulty("server", Hoarder),
}


@pytest.mark.parametrize("name", OF_ENDS)
def test_it_fails_on_a_planted_fault(name, monkeypatch):
    factory = FAULTS[name](monkeypatch)
    with pytest.raises(Violated, match=f"{name} does not hold for "):
        PROPERTIES[name](factory, ENOUGH)


def test_a_repr_that_shows_what_was_said_is_found():
    with pytest.raises(Violated, match="secrets_are_never_shown does not hold for Chatty"):
        properties.secrets_are_never_shown(faulty("server", Chatty), ENOUGH)


@pytest.mark.full
def test_work_out_of_proportion_is_found():
    with pytest.raises(Violated, match=r"bounded does not hold for Slow server: empty records: .* calls for"):
        properties.bounded.check(faulty("server", Slow), Flood("empty records", begun=False))


def test_determinism_is_asked_of_deterministic_ends_alone():
    with pytest.raises(UsageError, match="draws entropy that nobody can fix"):
        properties.determinism.check(adapters.puretls("server", random=os.urandom), Wire())


# Other stacks


@pytest.mark.interop
@pytest.mark.rfc("5246", "7.4.1.4")
def test_clients_that_take_an_extension_that_nobody_asked_for_are_found():
    """OpenSSL's and tlslite-ng's do, where its type is unknown to them: the RFC says unsupported_extension."""
    edit = Edit("server.ServerHello.extensions[0]", "insert", "hex:fff00000")
    for factory in (adapters.memory_bio("client"), adapters.tlslite("client")):
        with pytest.raises(Violated, match=r"negotiation_is_sound does not hold .*extensions\[0\]=hex:fff00000"):
            properties.negotiation_is_sound.check(factory, edit)


LEAKS = {("TypeError", "argument of type 'NoneType' is not iterable"), ("IndexError", "tuple index out of range")}
"""What leaves tlslite-ng 0.8.2: of a hello for TLS 1.3 with ALPN where the server has none, and of an empty list of server names."""


@pytest.mark.full
@pytest.mark.interop
@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("number", [1])
def test_the_two_leaks_of_tlslite_are_found_within_2000_examples(number):
    newest = pytest.importorskip("tlslite.api").HandshakeSettings()
    subject, found, tried = adapters.tlslite("server", settings=newest), set(), [0]

    @seed(number)
    @settings(max_examples=2000, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(properties.only_own_errors.cases(subject))
    def search(case):
        if found >= LEAKS:
            return
        tried[0] += 1
        try:
            properties.only_own_errors.check(subject, case)
        except Violated as violated:
            found.add((type(violated.__cause__).__name__, str(violated.__cause__)))

    search()
    assert found >= LEAKS, f"{found} in {tried[0]} examples"
