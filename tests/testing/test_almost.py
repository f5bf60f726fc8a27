"""What is almost right: edits by path, and what they shrink to; wires, configurations, whole conversations, DER."""

import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis import strategies as st

from puretls.errors import DecodeError, UsageError
from puretls.iana import ContentType
from puretls.inspect.edit import Edit
from puretls.inspect.player import replay
from puretls.messages import handshake as hs
from puretls.messages.registry import parse_handshake, serialise_handshake
from puretls.spans import check_tiling
from puretls.testing import der, honest
from puretls.testing import strategies as tls
from puretls.testing.flights import Flight
from puretls.testing.mutated import REPAIRS, Part, mutate
from puretls.testing.wire import Cut, Flip, Wire
from puretls.x509.certificates.certificate import Certificate, annotate
from tests.inspect.test_tapes import small
from tests.testing.test_strategies import drawn, failure_of

few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
searching = settings(max_examples=300, deadline=None, database=None)
HELLO = honest.messages(hs.ClientHello)[0]
CERTIFICATE = honest.credential().chain[0]


# Shrinking


@pytest.mark.full
def test_it_shrinks_to_no_edit():
    assert find(tls.almost(HELLO), lambda mutated: True, settings=settings(searching, max_examples=30)).edits == ()


def test_it_shrinks_to_one_bit_of_the_earliest_field():
    smallest = find(tls.almost(HELLO), lambda mutated: mutated.is_changed, settings=searching)
    assert smallest.edits == (Edit("client.ClientHello.msg_type", "flip", "hex:01", frozenset()),)


def test_it_shrinks_to_one_bit_of_the_field_that_matters():
    def differs(mutated):
        return mutated.data[4:6] != mutated.original[0].raw[4:6] and len(mutated.data) == len(mutated.original[0].raw)

    smallest = find(tls.almost(HELLO), differs, settings=searching)
    assert smallest.edits == (Edit("client.ClientHello.client_version", "flip", "hex:0001", frozenset()),)


def test_a_flight_shrinks_to_the_message_that_matters():
    flight = Flight("server", (honest.messages(hs.CertificateRequest)[0], hs.ServerHelloDone(), hs.HelloRequest()))
    smallest = find(tls.almost(flight), lambda mutated: len(mutated.parts) == 4 and not mutated.problems, settings=searching)
    assert [str(edit) for edit in smallest.edits] == ["duplicate server.CertificateRequest (repair: none)"]


# Edits


def test_every_operation_is_drawn_and_most_are_made():
    used, problems = Counter(), 0
    for mutated in drawn(tls.almost(tls.flights("server"), "lengths"), 120):
        used.update(edit.operation for edit in mutated.edits)
        problems += len(mutated.problems)
    assert set(used) == {"flip", "set", "lie", "truncate", "delete", "duplicate", "swap", "insert"}
    assert problems < used.total() / 4


@pytest.mark.parametrize("repair", REPAIRS)
def test_edits_carry_the_repair_that_was_asked_for(repair):
    edits = [edit for mutated in drawn(tls.almost(HELLO, repair), 30) for edit in mutated.edits]
    assert {edit.repair for edit in edits} == {REPAIRS[repair]}
    assert {edit.repair for mutated in drawn(tls.almost(HELLO, ["mac"]), 10) for edit in mutated.edits} == {frozenset(["mac"])}


@given(mutated=tls.almost(tls.client_hellos(), "lengths", most=1))
@few
def test_with_lengths_repaired_the_header_tells_the_size(mutated):
    assume(not any(edit.operation in {"lie", "flip"} or edit.path.endswith(("length", "msg_type")) for edit in mutated.edits))
    raw = mutated.data
    assert int.from_bytes(raw[1:4]) == len(raw) - 4


@given(mutated=tls.almost(tls.handshake_messages()))
@few
def test_what_is_almost_a_message_tiles_and_travels_in_records(mutated):
    for part in mutated.parts:
        assert check_tiling(part.spans(), len(part.raw)) == ""
    assert mutated.records()[:1] == b"\x16"
    assert mutate(HELLO, mutated.edits).edits == mutated.edits


def test_an_edit_whose_field_is_gone_is_told_and_changes_nothing():
    edits = [Edit("client.ClientHello.extensions[0]", "delete"), Edit("client.ClientHello.extensions[9]", "flip", "1"), Edit("client.Finished", "delete")]
    mutated = mutate(HELLO, edits)
    assert len(mutated.problems) == 2
    assert len(parse_handshake(mutated.data, None).extensions) == len(HELLO.extensions) - 1


@pytest.mark.parametrize("edit", ["delete", "duplicate", "swap", "insert"])
def test_whole_messages_are_moved(edit):
    flight = Flight("server", (honest.messages(hs.ServerHello)[0], hs.ServerHelloDone(), hs.HelloRequest()))
    made = mutate(flight, [Edit("server.ServerHelloDone", edit, "hex:00000000" if edit == "insert" else "")])
    names = [part.raw[0] for part in made.parts]
    assert names == {"delete": [2, 0], "duplicate": [2, 14, 14, 0], "swap": [2, 0, 14], "insert": [2, 0, 14, 0]}[edit]
    assert mutate(flight, [Edit("server.ServerHello", "swap", "server.HelloRequest")]).data[:1] == b"\0"
    assert mutate(flight, [Edit("server.HelloRequest", "swap")]).problems


def test_what_has_no_fields_is_refused_in_one_line():
    with pytest.raises(UsageError, match="almost takes messages, records, flights and tapes, not int"):
        drawn(tls.almost(5), 1)
    with pytest.raises(UsageError, match="no repair is called"):
        tls.almost(HELLO, "everything")


def test_a_failing_example_prints_its_edits_and_its_bytes():
    text = failure_of(tls.almost(HELLO), lambda mutated: mutated.is_changed)
    assert re.search(r"mutated|value=bytes\.fromhex\('00", text)
    assert "# flip client.ClientHello.msg_type=hex:01 (repair: none)" in text
    assert "# 0 " in text


# Tapes


def test_a_tape_gets_edits_in_all_that_both_sides_send_and_they_are_made():
    tape = small()
    made, sides, outcomes = 0, set(), Counter()
    for mutated in drawn(tls.almost(tape, "transcript", most=1), 25):
        played = replay(mutated)
        sides |= {edit.place.side for edit in mutated.edits}
        made += sum(not outcome.problem for outcome in played.outcomes)
        outcomes[played.connections[0].outcome.partition(":")[0]] += len(mutated.edits)
    assert sides == {"client", "server"}
    assert made > 12
    assert len(outcomes) > 2


# Wires


@given(wire=tls.wires(faithful=True))
@few
def test_a_faithful_wire_changes_nothing_that_is_told(wire):
    client, server = honest.peer(honest.client_config(seed=b"w")), honest.peer(honest.server_config(seed=b"w"))
    client.start()
    carried = wire.carry(client, server)
    assert carried.is_faithful
    assert client.connection.is_connected
    assert server.connection.is_connected


def test_all_that_a_network_does_is_drawn():
    found = drawn(tls.wires(), 100)
    assert any(wire.pieces for wire in found)
    assert any(0 in wire.pieces for wire in found)
    assert any(wire.flips for wire in found)
    assert {cut.ends for wire in found for cut in wire.cuts} == {True, False}


@pytest.mark.full
def test_wires_shrink_to_the_one_that_does_nothing_and_to_the_earliest_bit():
    assert find(tls.wires(), lambda wire: True, settings=searching) == Wire()
    assert find(tls.wires(), lambda wire: wire.flips, settings=searching) == Wire(flips=(Flip("client", 0, 0),))
    assert find(tls.wires(), lambda wire: wire.cuts, settings=searching) == Wire(cuts=(Cut("client", 0),))


class Recorder:
    """Sends what it is given, piece by piece, and keeps what comes."""

    def __init__(self, *sends):
        self.sends, self.came, self.ended = list(sends), [], False

    def take(self):
        return self.sends.pop(0) if self.sends else b""

    def receive(self, data):
        self.came.append(data)

    def eof(self):
        self.ended = True


@pytest.mark.parametrize(("wire", "came", "ended"), [
    (Wire(), [b"abcd", b"ef"], False),
    (Wire((1, 2)), [b"a", b"bc", b"d", b"ef"], False),
    (Wire((0, 100)), [b"abcdef"], False),
    (Wire(flips=(Flip("client", 5, 1),)), [b"abcd", b"ed"], False),
    (Wire(cuts=(Cut("client", 3),)), [b"abc"], True),
    (Wire(cuts=(Cut("client", 3, ends=False),)), [b"abc"], False),
    (Wire(cuts=(Cut("client", 0),)), [], True),
    (Wire(cuts=(Cut("client", 50),)), [b"abcd", b"ef"], False),
], ids=str)  # fmt: skip
def test_what_a_wire_does_to_bytes(wire, came, ended):
    client, server = Recorder(b"abcd", b"ef"), Recorder()
    carried = wire.carry(client, server)
    assert (server.came, server.ended) == (came, ended)
    assert carried.sent["client"] == b"abcdef"
    assert carried.arrived["client"] == b"".join(came)
    assert carried.is_faithful == (b"".join(came) == b"abcdef")
    assert str(wire)


def test_a_wire_that_lets_nothing_through_is_refused():
    with pytest.raises(UsageError, match="not all of them are 0"):
        Wire((0, 0))


# Configurations and conversations


@given(client=tls.configurations("client"), server=tls.configurations("server"))
@few
def test_any_two_configurations_finish_or_end_in_one_alert(client, server):
    ends = honest.peer(client), honest.peer(server)
    conversed = honest.converse(*ends)
    if not conversed.completed:
        told = [one for end in ends for one in end.events()]
        assert sum(one.kind == "alert sent" for one in told) == 1
        assert all(end.error for end in ends)


@pytest.mark.full
def test_a_configuration_is_printed_by_what_is_not_usual_in_it():
    text = failure_of(tls.configurations("client"), lambda config: config.max_send_fragment == 1)
    assert "value=ClientConfig(\n        max_send_fragment=1,)" in text


@pytest.mark.rfc("5246", "7.2")
def test_an_alert_is_in_one_record_however_small_records_are():
    client = honest.peer(honest.client_config(max_send_fragment=1, groups=(29,)))
    server = honest.peer(honest.server_config(max_send_fragment=1, groups=(24,)))
    told = honest.converse(client, server).client.events()
    assert str(told[0]) == "alert received: handshake_failure"


@pytest.mark.full
def test_configurations_differ_in_every_field_and_shrink_to_the_usual_one():
    for role in ("client", "server"):
        found = drawn(tls.configurations(role), 150)
        for name in ("suites", "groups", "signature_schemes", "extensions", "credentials", "max_send_fragment"):
            assert len({getattr(config, name) for config in found}) > 1, name
    smallest = find(tls.configurations("server"), lambda config: config.client_authentication != "none", settings=searching)
    usual = honest.server_config(seed=b"drawn")
    assert (smallest.suites, smallest.extensions, smallest.client_authentication) == (usual.suites, usual.extensions, "request")
    with pytest.raises(UsageError, match="client or server"):
        tls.configurations("proxy")


@given(data=st.data(), role=st.sampled_from(["client", "server"]))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_transcripts_are_whole_conversations(data, role):
    conversed = data.draw(tls.transcripts(role, honest.config_of(role, seed=b"mine")))
    assert conversed.sent("client")[0] == conversed.sent("server")[0] == ContentType.HANDSHAKE
    assert all(end.connection.is_closed for end in (conversed.client, conversed.server))
    with pytest.raises(UsageError, match="transcripts are of"):
        data.draw(tls.transcripts("client", honest.server_config()))


# DER


@given(data=der.values())
@few
def test_der_values_are_der_and_tile(data):
    spans = der.annotate(data)
    assert check_tiling(spans, len(data)) == ""
    assert not any(span.fault for span in spans)


@given(data=st.binary(max_size=80))
@few
def test_any_bytes_tile_as_der(data):
    assert check_tiling(der.annotate(data), len(data)) == ""


def test_der_paths_count_what_nothing_is_known_of():
    paths = {span.path for span in der.annotate(CERTIFICATE)}
    assert {"Der.tag", "Der.item[0].length", "Der.item[0][1]", "Der.item[2]"} <= paths


@pytest.mark.parametrize("explain", [None, annotate], ids=["counted", "named"])
def test_almost_der_reaches_every_part_and_shrinks_to_one_bit(explain):
    found = drawn(der.almost(CERTIFICATE, annotate=explain), 40)
    assert sum(mutated.is_changed for mutated in found) > 15
    refused = 0
    for mutated in found:
        try:
            Certificate.parse(mutated.data)
        except DecodeError:
            refused += 1
    assert 3 < refused < len(found)
    smallest = find(der.almost(CERTIFICATE, "none", annotate=explain), lambda mutated: mutated.is_changed, settings=searching)
    name = "Certificate" if explain else "Der"
    assert [str(edit) for edit in smallest.edits] == [f"flip client.{name}.tag=hex:01 (repair: none)"]


@pytest.mark.rfc("5280", "4.1.2.5")
def test_a_field_of_a_certificate_is_edited_by_its_name_with_all_lengths():
    part = Part("Certificate", CERTIFICATE, annotate=annotate)
    made = mutate(part, [Edit("client.Certificate.tbs_certificate.validity.not_after", "truncate", "6", REPAIRS["lengths"])])
    outer = der.annotate(made.data)
    assert outer[1].value == len(made.data) - outer[1].end == len(CERTIFICATE) - outer[1].end - 7
    found = {edit.path for mutated in drawn(der.almost(CERTIFICATE, annotate=annotate), 100) for edit in mutated.edits}
    assert any(path.startswith("client.Certificate.tbs_certificate.validity") for path in found)


@pytest.mark.full
def test_lengths_are_drawn_in_forms_that_der_forbids():
    forms = {bytes.fromhex(edit.value[4:])[:1] for mutated in drawn(der.almost(CERTIFICATE, "none"), 400) for edit in mutated.edits
             if edit.path.endswith(".length") and edit.operation == "set"}  # fmt: skip
    assert {b"\x80", b"\x84", b"\x88"} <= forms


def test_der_of_a_strategy_is_edited_too():
    assert any(mutated.is_changed for mutated in drawn(der.almost(der.values()), 30))
    assert serialise_handshake(HELLO)
