"""Campaigns against somebody else's end: what is found is a tape that plays it again, a capture and a test; what cannot be tested is one line."""

import os
import pickle
import runpy
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Verbosity, settings

from puretls.cli import main
from puretls.errors import UsageError
from puretls.inspect import Tape, replay
from puretls.inspect.captures import read_capture
from puretls.inspect.edit import Edit
from puretls.testing import adapters, foreign, honest, targets
from puretls.testing.adapters import AdapterError, Factory
from puretls.testing.foreign import ALIVE, Trial, batch, fitting
from puretls.testing.properties import PROPERTIES, Violated
from puretls.testing.properties.conversations import Input
from puretls.testing.properties.playing import Meeting, meetings
from puretls.testing.wire import Cut, Flip, Wire
from tests.interop.peers import free_port

FEW = settings(max_examples=5, database=None, deadline=None, suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet)
STRANGE = Edit("server.ServerHello.extensions[0]", "insert", "hex:fff00000", frozenset(("lengths", "mac", "transcript")))


# What is found


def test_what_openssl_s_client_lets_pass_is_found_and_written_down(tmp_path):
    """An extension that nobody asked for (RFC 5246 7.4.1.4)."""
    factory = adapters.memory_bio("client")
    trial = Trial(factory, PROPERTIES["negotiation_is_sound"])
    violated = trial.run(settings(FEW, max_examples=60, derandomize=True), 0)
    assert violated is not None
    find = pickle.loads(pickle.dumps(trial.find("openssl-client", violated)))
    assert find.rule.startswith("negotiation_is_sound: only what was offered")
    path = find.keep(tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == {f"openssl-client-negotiation-is-sound{suffix}" for suffix in (".tape", ".py", ".pcapng")}
    assert os.stat(path).st_mode & 0o077 == 0
    tests = [value for name, value in runpy.run_path(str(path.with_suffix(".py"))).items() if name.startswith("test_")]
    with pytest.raises(Violated, match="negotiation_is_sound does not hold for OpenSSL"):
        tests[0]()
    (capture,) = read_capture(path.with_suffix(".pcapng")).conversations()
    assert [message.name for message in capture.messages][-1] == "Finished"
    assert replay(Tape.load(path)).connections[0].outcome.startswith("completed")


@pytest.mark.parametrize("make", [adapters.memory_bio, adapters.tlslite, adapters.puretls], ids=["openssl", "tlslite-ng", "puretls"])
@pytest.mark.parametrize("role", ["server", "client"])
def test_the_tape_of_a_meeting_has_our_bytes_and_theirs(make, role):
    edits = (STRANGE,) if role == "client" else (Edit("client.ClientHello.cipher_suites[0]", "delete"),)
    for wire in (Wire(), Wire((7, 300)), Wire(flips=(Flip(role, 40),)), Wire(cuts=(Cut(role, 300),))):
        with meetings() as met:
            meeting = Meeting(make(role), edits=edits, wire=wire).converse()
        assert met == [meeting]
        played = replay(Tape.loads(foreign.tape_of(meeting).dumps())).connections[0]
        assert played.sent(meeting.our_side) == meeting.carried.sent[meeting.our_side]
        assert played.sent(role) == meeting.carried.arrived[role]
        assert [str(told) for side, told in played.told if side == meeting.our_side] == [str(told) for told in meeting.ours_told]


def test_the_tape_of_bytes_has_them():
    tape = foreign.tape_of_bytes(adapters.puretls("server"), b"\x16\x03\x01", "why")
    assert replay(Tape.loads(tape.dumps())).connections[0].sent("client") == b"\x16\x03\x01"


CASES = (
    Input(b"\x16\x03"), Input(edits=(STRANGE,)), Wire((1, 0), (Flip("client", 3, 2),), (Cut("server", 5, ends=False),)), ("another suite", None),
    {"suites": (honest.suite_named("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),), "extensions": ()}, [1, True, None, frozenset()],
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[type(case).__name__ for case in CASES])
def test_a_test_to_paste_makes_the_case_again(case, monkeypatch, tmp_path):
    seen = []
    row = replace(PROPERTIES["only_own_errors"], check=lambda factory, case: seen.append((factory.role, case)))
    monkeypatch.setitem(PROPERTIES, row.name, row)
    path = tmp_path / "pasted.py"
    path.write_text(foreign.test_of("openssl-server", row, case, "a note\nof two lines"))
    runpy.run_path(str(path))["test_only_own_errors"]()
    assert seen == [("server", case)]


# Peers at sockets


@pytest.fixture
def program():
    """A server of puretls in a thread, one connection at a time; it stops listening after so many."""
    over, threads = threading.Event(), []

    def serve(connections):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)

        def run():
            served = 0
            with listener:
                while served < connections and not over.is_set():
                    with suppress(TimeoutError), listener.accept()[0] as sock:
                        served += 1
                        _converse(sock, adapters.puretls("server", secure=True)())

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return listener.getsockname()[1]

    yield serve
    over.set()
    for thread in threads:
        thread.join(10)


def _converse(sock, peer):
    sock.settimeout(10)
    try:
        while data := sock.recv(2**14):
            peer.receive(data)
            sock.sendall(peer.take())
            if any(told.kind in {"closed", "failed"} for told in peer.events()):
                return
    except OSError:
        pass


def test_a_server_at_an_address_is_tried_and_nothing_is_found_in_it(program):
    port = program(10**6)
    with targets.target(f"127.0.0.1:{port}", patience=0.02) as factory:
        names = fitting(factory)
        targets.check(factory)
    assert "no_completion_without_finished" in names
    assert "truncation_is_reported" not in names
    for seed in (names.index("no_completion_without_finished"), names.index("only_own_errors")):
        assert batch(f"127.0.0.1:{port}", FEW, seed, patience=0.02) == []


def test_a_server_that_is_gone_is_a_find_with_what_came_before(program):
    port = program(3)  # the probe's, and two conversations
    (find,) = batch(f"127.0.0.1:{port}", settings(FEW, max_examples=20), list(PROPERTIES).index("no_completion_without_finished") - 4, patience=0.02)
    assert find.rule == ALIVE
    assert "nobody answers" in find.text


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("program", ["openssl_s_server", "gnutls_serv"])
def test_programs_of_others_are_fuzzed(program, tmp_path, capsys):
    """GnuTLS takes a ChangeCipherSpec of any value, which RFC 5246 7.1 has as 1."""
    try:
        with getattr(adapters, program)() as factory:
            with factory() as peer:
                host, port = peer.address
            status = main(["fuzz", f"{host}:{port}", "--batches", "1", "--finds", str(tmp_path)])
            finds = batch(f"{host}:{port}", settings(FEW, max_examples=20, derandomize=True), fitting(factory).index("no_completion_without_finished"))
    except AdapterError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise
    assert "1 batches, some 20 examples, 0 rules broken" in capsys.readouterr().out
    assert status == 0
    assert [find.text for find in finds if "client.ChangeCipherSpec.type=2" not in find.text] == []
    assert len(finds) == (program == "gnutls_serv")


@pytest.mark.interop
@pytest.mark.skipif(sys.platform != "linux", reason="openssl s_client is started")
def test_a_client_program_is_tried():
    command = "openssl s_client -connect 127.0.0.1:{port} -CAfile {ca} -no_check_time -verify_return_error -tls1_2 -quiet"
    try:
        with targets.target(command, patience=0.1) as factory:
            targets.check(factory)
            assert factory.role == "client"
            unchecked = Meeting(factory, edits=(Edit("server.Finished.verify_data", "flip", "1", frozenset(("lengths", "mac"))),)).shake_hands()
            assert not unchecked.completed
            unchecked.tested.close()
    except AdapterError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


# Errors


def test_what_cannot_be_fuzzed_is_one_line(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cases = {
            f"127.0.0.1:{free_port()}": "nobody answers at 127.0.0.1:",
            f"127.0.0.1:{silent.getsockname()[1]}": "does not answer within 1 s, or speaks no TLS",
            "connections": "'connections' is no target: connection, server, client, openssl-server",
            "no-such-program {port}": "no-such-program is not installed",
            "'{port}": "is no command",
            "puretls.testing:nothing": "no factory is called puretls.testing:nothing",
            "puretls.testing.targets:target": "is no puretls.testing.adapters.Factory",
            "false {port}": "false did not connect (status 1)",
        }
        for target, wanted in cases.items():
            assert main(["fuzz", target, "--batches", "1", "--finds", str(tmp_path)]) == 2, target
            complaint = capsys.readouterr().err
            assert wanted in complaint
            assert complaint.count("\n") == 1
    with pytest.raises(UsageError, match="client or server"):
        Factory("x", "observer", object)
