"""Strategies: what they draw is what the field lists allow, at the edges too, and shrinks to the least that fails."""

import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from puretls import iana
from puretls.errors import DecodeError, UsageError
from puretls.handshake.states import Role
from puretls.iana import ExtensionType, HandshakeType
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.extension import BODIES, RawExtension
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.messages.registry import parse_handshake, serialise_handshake
from puretls.record.framing import Framer
from puretls.testing import honest
from puretls.testing import strategies as tls
from puretls.testing.flights import BEGINS, follows, is_over
from puretls.wire import codec as codecs
from puretls.wire.schema import Struct, opaque_vector, parse, serialise, u16, vector, wire

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
searching = settings(max_examples=600, deadline=None, database=None)
MESSAGES = {
    "client_hellos": hs.ClientHello, "server_hellos": hs.ServerHello, "certificate_messages": hs.Certificate,
    "certificate_statuses": hs.CertificateStatus, "server_key_exchanges": kx.ServerKeyExchange,
    "certificate_requests": hs.CertificateRequest, "server_hello_dones": hs.ServerHelloDone,
    "client_key_exchanges": kx.ClientKeyExchange, "certificate_verifies": hs.CertificateVerify, "finished_messages": hs.Finished,
    "new_session_tickets": hs.NewSessionTicket, "hello_requests": hs.HelloRequest, "change_cipher_specs": ChangeCipherSpec,
    "alerts": Alert, "application_data": ApplicationData,
}  # fmt: skip


def drawn(strategy, count=300):
    """So many examples, the same in every run."""
    found = []

    @settings(max_examples=count, database=None, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found


@pytest.mark.parametrize("name", MESSAGES)
@given(data=st.data())
@few
def test_messages_parse_again_to_what_was_drawn(name, data):
    message = data.draw(getattr(tls, name)())
    assert isinstance(message, MESSAGES[name])
    assert parse(type(message), serialise(message)) == message


def other_fields(message, base):
    return [name for name, _ in type(message).wire_fields if getattr(message, name) != getattr(base, name)]


def test_every_message_of_the_handshake_has_a_strategy():
    strategies = tuple(MESSAGES.values())
    wanted = {*hs.BY_TYPE.values(), kx.ServerKeyExchange, kx.ClientKeyExchange}
    assert {cls.__name__ for cls in wanted} <= {cls.__name__ for cls in strategies}
    with pytest.raises(UsageError, match="no message"):
        tls.messages(Struct)


@pytest.mark.full
def test_every_form_of_a_key_exchange_message_is_drawn():
    for base, strategy in ((kx.ServerKeyExchange, tls.server_key_exchanges()), (kx.ClientKeyExchange, tls.client_key_exchanges())):
        assert {type(one) for one in drawn(strategy)} == set(base.__subclasses__())


def test_honest_messages_are_among_the_examples_and_so_are_others():
    bases = honest.messages(hs.ClientHello)
    changed = Counter(min(len(other_fields(hello, base)) for base in bases) for hello in drawn(tls.client_hellos(), 120))
    assert set(changed) == {0, 1, 2}
    assert changed[1] > changed[2]


@pytest.mark.full
@pytest.mark.parametrize("message", [HandshakeType.CLIENT_HELLO, "server_hello"])
def test_extensions_have_bodies_of_their_types_and_others(message):
    found = drawn(tls.extensions(message), 250)
    where = HandshakeType.CLIENT_HELLO if message == HandshakeType.CLIENT_HELLO else HandshakeType.SERVER_HELLO
    known = {number for hello, number in BODIES if hello is where}
    assert {one.extension_type for one in found} > known
    reads = Counter()
    for one in found:
        body = BODIES.get((where, one.extension_type))
        if body is not None:
            try:
                parse(body, one.extension_data)
                reads["well"] += 1
            except DecodeError:
                reads["ill"] += 1
    assert reads["well"] > 5 * reads["ill"]


def test_extensions_of_no_hello_are_refused():
    with pytest.raises(UsageError, match="client_hello or server_hello"):
        tls.extensions("certificate")


def test_an_empty_server_name_list_and_alpn_are_drawn():
    """What careless servers fall over (RFC 6066 3, RFC 7301 3.1)."""
    found = drawn(tls.extensions(), 250)
    assert any(one.extension_type == ExtensionType.SERVER_NAME and len(one.extension_data) < 3 for one in found)
    assert any(one.extension_type == ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION for one in found)


# Edges


@wire("5246 4.6")
class Edged(Struct):
    number: int = u16()
    name: bytes = opaque_vector(1, 255)
    numbers: tuple[int, ...] = vector(codecs.Uint(2), 4, 254)


@pytest.mark.full
@pytest.mark.rfc("5246", "4.3")
def test_values_stand_at_the_edges_of_what_is_legal():
    values = drawn(tls.strategy_for(Edged), 400)
    assert {0, 1, 255, 256, 65535} <= {value.number for value in values}
    assert {1, 2, 127, 128, 254, 255} <= {len(value.name) for value in values}
    assert min(len(value.numbers) for value in values) == 2


@pytest.mark.full
def test_records_stand_at_the_edges_of_what_is_legal():
    """RFC 5246 6.2.1: 2^14 bytes of plaintext, and 2^14 + 2048 of ciphertext."""
    found = drawn(tls.records(), 600)
    assert {2**14, 2**14 + 1, 2**14 + 2048} <= {len(record.fragment) for record in found}
    assert {record.version for record in found} > {0x0303, 0x0301, 0x0300}
    assert any(record.type not in range(20, 24) for record in found)


class Odd:
    def read(self, data, pos, end, sink=None, path=""):
        return data[pos], pos + 1

    def write(self, value, out):
        out.append(value)


def test_a_codec_of_ones_own_is_refused_until_it_is_registered():
    with pytest.raises(UsageError, match=r"no strategy is known for Odd: puretls\.testing\.strategies\.register gives it one"):
        tls.strategy_for(Odd())
    tls.register(Odd)(lambda codec: st.integers(0, 255))
    assert set(drawn(tls.strategy_for(Odd()), 50)) <= set(range(256))


# Shrinking


def test_a_hello_shrinks_to_an_honest_one():
    smallest = find(tls.client_hellos(), lambda hello: True, settings=searching)
    assert smallest == honest.messages(hs.ClientHello)[0]


def test_a_hello_shrinks_to_the_one_field_that_matters():
    smallest = find(tls.client_hellos(), lambda hello: len(hello.session_id) == 31, settings=searching)
    assert other_fields(smallest, honest.messages(hs.ClientHello)[0]) == ["session_id"]
    assert smallest.session_id == bytes(31)


# Flights


@pytest.mark.parametrize("role", ["client", "server"])
@given(data=st.data())
@few
def test_flights_follow_the_handshake_table(role, data):
    """RFC 5246 7.3: replayed on the table of whoever receives, from one of the states in which a flight begins."""
    flight = data.draw(tls.flights(role))
    receiver = Role.SERVER if role == "client" else Role.CLIENT
    states = set(BEGINS[receiver])
    for message in flight.messages:
        nexts = [(kind, after) for state in states for kind, after in follows(receiver, state) if isinstance(message, kind)]
        assert nexts
        states = {after for _, after in nexts}
    assert any(is_over(receiver, kind, after) for kind, after in nexts)


@pytest.mark.full
def test_all_kinds_of_server_flights_are_drawn():
    names = {tuple(type(message).__name__ for message in flight.messages) for flight in drawn(tls.flights("server"), 300)}
    firsts = {one[0] for one in names}
    assert firsts == {"ServerHello", "NewSessionTicket", "ChangeCipherSpec"}
    assert ("ServerHello", "ChangeCipherSpec", "Finished") in names
    assert any("CertificateRequest" in one and "CertificateStatus" in one for one in names)


@given(flight=tls.flights("server"), size=st.integers(1, 400))
@few
def test_a_flight_is_cut_into_records_that_carry_it(flight, size):
    framer = Framer()
    framer.feed(flight.to_bytes(size=size))
    carried = b""
    while (record := framer.next(limit=2**14, version=None)) is not None:
        assert len(record.fragment) <= size
        carried += record.fragment if record.type == 22 else b""
    assert carried == b"".join(serialise_handshake(one) for one in flight.messages if isinstance(one, hs.HandshakeMessage))


def test_a_role_that_is_none_is_refused():
    with pytest.raises(UsageError, match="client or server"):
        tls.flights("observer")


def test_messages_that_tls_12_does_not_have_are_among_all():
    unknown = [one for one in drawn(tls.handshake_messages(), 100) if isinstance(one, hs.Unknown)]
    assert unknown
    assert all(isinstance(parse_handshake(serialise_handshake(one), None), hs.Unknown) for one in unknown)


# What a failing example looks like


def failure_of(strategy, condition):
    @settings(max_examples=500, database=None, deadline=None, report_multiple_bugs=False)
    @given(strategy)
    def fails(value):
        assert not condition(value)

    with pytest.raises(AssertionError) as caught:
        fails()
    return "\n".join(caught.value.__notes__)


def test_a_failing_example_is_printed_with_the_map_of_its_bytes():
    text = failure_of(tls.alerts(), lambda alert: True)
    assert "value=Alert(" in text
    assert re.search(r"# 0  01 +Alert\.level = warning", text)
    assert re.search(r"# 1  00 +Alert\.description = close_notify", text)
    hello = failure_of(tls.client_hellos(), lambda hello: True)
    assert re.search(r"# 0 +01 +ClientHello\.msg_type = client_hello", hello)
    assert "ClientHello.extensions[0].extension_type = " in hello
    call = re.search(r"value=(ClientHello\(.*?\n    \))", hello, re.S)[1]
    assert eval(call, vars(iana) | {"ClientHello": hs.ClientHello, "RawExtension": RawExtension}) == honest.messages(hs.ClientHello)[0]


def test_a_value_that_cannot_be_serialised_is_printed_all_the_same():
    broken = st.just(Alert(-1, 0))
    assert "not serialised" in failure_of(broken, lambda alert: True)


# Without hypothesis


def test_without_hypothesis_one_line_says_what_to_install():
    program = """
import sys
sys.modules["hypothesis"] = None
from puretls.errors import UsageError
import puretls.testing.adapters, puretls.testing.honest
try:
    import puretls.testing.strategies
except UsageError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "hypothesis is not installed: pip install 'puretls[testing]'\n"


def test_nothing_is_found_where_nothing_is():
    with pytest.raises(NoSuchExample):
        find(tls.alerts(), lambda alert: isinstance(alert, Record), settings=settings(max_examples=20, database=None))
