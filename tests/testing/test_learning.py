"""Learning: puretls's two machines are those of the specification, planted edges stand out, and foreign peers are learned as they are."""

import json
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.cli import main
from puretls.errors import UsageError
from puretls.handshake import table
from puretls.handshake.context import ClientContext, ServerContext
from puretls.handshake.effects import Step
from puretls.handshake.states import ClientState as C
from puretls.handshake.states import Role
from puretls.handshake.states import ServerState as S
from puretls.messages.handshake import CertificateVerify, ClientHello, Finished, ServerHelloDone
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.testing.adapters.openssl import MemoryBioPeer
from puretls.testing.learning import (
    FULL,
    USUAL,
    Mapper,
    Model,
    NonDeterministic,
    differences,
    dot,
    learn,
    mermaid,
    self_client,
    self_server,
    server_at,
    server_in_memory,
    specification,
    text,
)
from puretls.testing.learning.model import explored
from puretls.testing.learning.specification import INPUTS, flows
from puretls.testing.learning.subjects import mapping_client, mapping_server
from tests.interop.peers import Pool, program
from tests.support.credentials import issued
from tests.support.openssl import server_context

pytest.importorskip("aalpy", reason="AALpy is not installed")
SELF = {Role.SERVER: self_server, Role.CLIENT: self_client}
ROLES = pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)


# puretls


@pytest.mark.rfc("5246", "7.3")
@ROLES
@pytest.mark.parametrize("symbols", [USUAL, pytest.param(FULL, marks=pytest.mark.full)], ids=["usual", "full"])
def test_the_learned_machine_is_that_of_the_specification(role, symbols):
    lesson = learn(SELF[role](symbols[role]))
    assert lesson.conforms, text(lesson)
    assert lesson.learned.model.steps == lesson.specification.steps  # minimal machines, so bisimilar ones are the same
    assert lesson.learned.learners == ("L*", "KV")
    assert "red" not in dot(lesson) + mermaid(lesson)


def test_the_full_alphabets_have_twelve_symbols():
    assert {len(FULL[role]) for role in Role} == {12}


@pytest.mark.rfc("5246", "7.3")
@pytest.mark.parametrize("facts", [(), ("CertificateRequest",), ("NewSessionTicket", "resumes"), ("CertificateStatus",)], ids=str)
def test_the_specification_follows_every_flow_to_its_end(facts):
    for role in Role:
        model = specification(role, FULL[role], facts)
        for flow in flows(role, frozenset(facts)):
            assert all(not answer.endswith("closed") for answer in model.answers(flow)), flow
            state = 0
            for symbol in flow:
                state = model.steps[state, symbol][1]
            assert model.name(state) == "CONNECTED"


@pytest.mark.rfc("5246", "7.2.2")
@ROLES
def test_whatever_the_table_does_not_have_is_unexpected(role):
    """Every edge of the specification that closes without close_notify is an empty cell of the table, or data before there are keys."""
    model = specification(role, FULL[role], ("echoes",))
    for (state, symbol), (answer, _) in model.steps.items():
        if "unexpected_message" in answer:
            at = (C if role is Role.CLIENT else S)[model.name(state).partition(" ")[0]]
            row = table.lookup(at, table.input_key(INPUTS[symbol]))
            assert row is None or (symbol == "ApplicationData" and at.name != "CONNECTED"), (at, symbol)


# Planted edges


def _skip(state):
    return lambda context, message: Step(context, state)


PLANTED = {
    "a second ClientHello": (S.WAIT_CLIENT_KEY_EXCHANGE, ClientHello, _skip(S.WAIT_CLIENT_KEY_EXCHANGE)),
    "early ChangeCipherSpec": (S.WAIT_CLIENT_KEY_EXCHANGE, ChangeCipherSpec, _skip(S.WAIT_CLIENT_KEY_EXCHANGE)),
    "Finished without ChangeCipherSpec": (S.WAIT_CCS, Finished, table.lookup(S.WAIT_FINISHED, table.input_key(Finished)).handler),
    "data before Finished": (S.WAIT_FINISHED, ApplicationData, table.lookup(S.CONNECTED, ApplicationData).handler),
    "CertificateVerify from nobody": (S.WAIT_CCS, CertificateVerify, _skip(S.WAIT_CCS)),
    "ServerKeyExchange skipped": (C.WAIT_KEY_EXCHANGE, ServerHelloDone, _skip(C.WAIT_KEY_EXCHANGE)),
    "ChangeCipherSpec twice": (C.WAIT_FINISHED, ChangeCipherSpec, _skip(C.WAIT_FINISHED)),
    "ServerHelloDone after the handshake": (C.CONNECTED, ServerHelloDone, _skip(C.CONNECTED)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_edge_shows_up_red(monkeypatch, name):
    state, input_, handler = PLANTED[name]
    role = Role.CLIENT if isinstance(state, C) else Role.SERVER
    symbols = (*USUAL[role], "CertificateVerify") if input_ is CertificateVerify else USUAL[role]
    subject = SELF[role](symbols)
    wanted = subject.specification  # of the table as it should be
    before = {key: row.state for key, row in table.INDEX.items()}
    monkeypatch.setitem(
        table.INDEX, (state, table.input_key(input_)), table.row(state, input_, handler, *(C if role is Role.CLIENT else S))
    )
    assert len(table.INDEX) == len(before) + 1
    lesson = learn(subject)
    found = differences(lesson.learned.model, wanted)
    assert [difference.symbol for difference in found[:1]] == [_symbol(input_)], found
    assert found[0].word[:-1] in {
        flow[: len(found[0].word) - 1] for flow in flows(role, subject.facts)
    }  # nothing shorter leads there
    lesson = replace(lesson, specification=wanted, differences=found)
    assert dot(lesson).count("color=red, fontcolor=red") == len(found)
    assert "linkStyle" in mermaid(lesson)
    assert f"{found[0].symbol} -> {found[0].got}\n" in re.sub(" +", " ", text(lesson))


def _symbol(input_):
    return next(symbol for symbol, cls in INPUTS.items() if cls is input_)


# The mapper


def _mappers():
    client = Mapper(ClientContext.begin(mapping_client(), "server.test", None))
    server = Mapper(ServerContext.begin(mapping_server()))
    assert server.hear(client.say("ClientHello")) == ["ClientHello"]
    return client, server


SAID = {"EmptyCertificate": "Certificate", "CloseNotify": "Alert(close_notify)", "NoRenegotiation": "Alert(no_renegotiation)"}


@pytest.mark.rfc("5246", "7.3")
def test_two_mappers_shake_hands_and_hear_what_the_other_says():
    client, server = _mappers()
    for side, symbols in (
        (server, ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone")),
        (client, ("ClientKeyExchange", "ChangeCipherSpec", "Finished")),
        (server, ("ChangeCipherSpec", "Finished", "ApplicationData")),
        (client, ("ApplicationData", "CloseNotify")),
    ):
        other = client if side is server else server
        for symbol in symbols:
            assert other.hear(side.say(symbol)) == [SAID.get(symbol, symbol)]
    assert client.context.established.verify_data == server.context.established.verify_data
    assert client.context.secrets.master == server.context.secrets.master


@given(words=st.lists(st.tuples(st.sampled_from(list(Role)), st.integers(0, 20)), max_size=12))
@settings(max_examples=30, deadline=None)
def test_a_mapper_says_anything_at_any_time_and_names_what_it_hears(words):
    client, server = _mappers()
    keyed = False
    for role, number in words:
        speaker, hearer = (client, server) if role is Role.CLIENT else (server, client)
        symbol = list(speaker.symbols)[number % len(speaker.symbols)]
        heard = hearer.hear(speaker.say(symbol))
        keyed = keyed or "ChangeCipherSpec" in symbol
        assert len(heard) == 1
        assert keyed or heard[0].partition("(")[0] == SAID.get(symbol, symbol).partition("(")[0]


def test_a_mapper_knows_its_symbols():
    client, _ = _mappers()
    with pytest.raises(UsageError, match="no symbol is called 'ClientHelo'"):
        client.say("ClientHelo")


# Models


def _machine(random, size, symbols, outputs):
    steps = {(state, symbol): (random.choice(outputs), random.randrange(size)) for state in range(size) for symbol in symbols}
    return explored(0, symbols, lambda state, symbol: steps[state, symbol], None)


@given(random=st.randoms(use_true_random=False), size=st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_a_difference_is_the_shortest_word_on_which_two_machines_differ(random, size):
    symbols = ("a", "b", "c")
    one, two = (_machine(random, size, symbols, "xy") for _ in range(2))
    assert differences(one, one) == ()
    found = differences(one, two)
    assert bool(found) == (one.steps != two.steps)
    for difference in found:
        assert one.answers(difference.word) == difference.answers
        assert two.answers(difference.word)[-1] == difference.wanted != difference.got
        assert one.answers(difference.word[:-1]) == two.answers(difference.word[:-1])


def test_states_that_behave_alike_are_one():
    model = explored(0, ("a",), lambda state, symbol: ("x", min(state + 1, 5)), None)
    assert model == Model(("a",), {(0, "a"): ("x", 0)})


# Other peers


class _Moody(MemoryBioPeer):
    """Every third of them ends a handshake in silence."""

    count = 0

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        type(self).count += 1
        self.silent = self.count % 3 == 0

    def take(self):
        out = super().take()
        return b"" if self.silent else out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("learning")
    leaf = issued("secp256r1")
    (made / "chain.pem").write_text(leaf.chain_pem)
    (made / "key.pem").write_text(leaf.key_pem)
    return made


@pytest.mark.interop
def test_openssl_in_memory_is_learned(folder):
    context = server_context(issued("secp256r1"), folder)
    lesson = learn(server_in_memory("OpenSSL", lambda: MemoryBioPeer(context, server_side=True)))
    assert lesson.model.size == 6
    assert {difference.symbol for difference in lesson.differences} == {"CloseNotify"}  # its application does not answer one
    assert lesson.model.answers(lesson.subject.happy[0])[-2:] == ("ChangeCipherSpec Finished", "ApplicationData")


def test_a_peer_that_answers_at_random_is_told(folder):
    context = server_context(issued("secp256r1"), folder)
    _Moody.count = 0
    with pytest.raises((NonDeterministic, UsageError)):
        learn(server_in_memory("moody", lambda: _Moody(context, server_side=True)))


def _openssl(pool, folder):
    return pool.openssl("-cert", folder / "chain.pem", "-key", folder / "key.pem", mode="")


def _gnutls(pool, folder):
    files = ("--x509certfile", folder / "chain.pem", "--x509keyfile", folder / "key.pem", "--disable-client-cert")
    return pool.gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2", *files)


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize(("name", "start"), [("openssl", _openssl), ("gnutls-serv", _gnutls)], ids=["openssl", "gnutls-serv"])
def test_a_server_on_loopback_is_learned(folder, name, start):
    if program(name) is None:
        pytest.skip(f"{name} is not installed")
    pool = Pool()
    try:
        symbols = ("ClientHello", "ClientKeyExchange", "ChangeCipherSpec", "Finished", "ApplicationData")
        lesson = learn(server_at("127.0.0.1", start(pool, folder).port, symbols, name="server.test"))
    finally:
        pool.close()
    full = next(flow for flow in flows(Role.SERVER, lesson.subject.facts) if flow[0] == "ClientHello")
    assert lesson.model.answers(full)[-1].endswith("ChangeCipherSpec Finished")
    for symbol in symbols[1:]:  # nothing goes on that does not begin with a hello
        assert lesson.model.steps[0, symbol][0].endswith("closed")


# The command


def test_the_command_learns_and_draws(tmp_path, capsys):
    assert main(["learn", "self-server", "--dot", str(tmp_path / "a.dot"), "--mermaid", str(tmp_path / "a.mmd")]) == 0
    out = capsys.readouterr().out
    assert "puretls's server: 7 states, 7 symbols" in out
    assert "it is the machine of the specification" in out
    assert (tmp_path / "a.dot").read_text().startswith('digraph "puretls')
    assert "flowchart TD" in (tmp_path / "a.mmd").read_text()


def _nobody():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _no_tls(listener):
    while True:
        try:
            sock = listener.accept()[0]
        except OSError:
            return
        with sock:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_errors_of_the_command_are_one_line(capsys):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_no_tls, args=(listener,), daemon=True).start()
    try:
        cases = {
            ("learn", "self-server", "--symbols", "ClientHelo"): "no symbol is called 'ClientHelo'",
            ("learn", "127.0.0.1:x"): "is not HOST:PORT",
            ("learn", f"127.0.0.1:{_nobody()}"): "refused",
            ("learn", f"127.0.0.1:{listener.getsockname()[1]}"): "no handshake could be completed",
            ("learn", "self-server", "--patience", "0"): "--patience",
            ("learn", "self-server", "--dot", "/no/such/folder/x.dot"): "/no/such/folder/x.dot: No such file or directory",
            ("learn", "self-server", "--mermaid", "/"): "/: Is a directory",
        }
        for command, wanted in cases.items():
            assert main(list(command)) == 2, command
            complaint = capsys.readouterr().err
            assert wanted in complaint
            assert complaint.count("\n") == 1
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_without_aalpy_the_command_says_what_to_install():
    code = "import sys, json; sys.modules['aalpy'] = None; from puretls.cli import main; print(json.dumps(main(['learn', 'self-client'])))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout) == 2
    assert "pip install 'puretls[research]'" in done.stderr
    assert done.stderr.count("\n") == 1
