"""The key ledger: every value is computed from those before it, agrees with the connection, and a script of its own says so too."""

import random
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.aead import AES_256_GCM
from puretls.errors import UsageError
from puretls.inspect import Conversation, Knowledge, Recordings, Tape, replay
from puretls.inspect.ledger.aes import aes_256_gcm_open
from puretls.inspect.ledger.nodes import GIVEN, MISSING
from puretls.session import MemorySessionStore, TicketKeys
from tests.inspect.test_tapes import FOLDER
from tests.support.credentials import credential, issued
from tests.support.pair import PSK, pair, real
from tests.support.recorded import conversations, every_reference, openssl_turns, recorded, recorded_pair, streams
from tests.support.reference import REFERENCE

NAMES = [row.name for row in REFERENCE]
QUICK = ("ECDHE, RSA, GCM", "RSA, CBC, MAC first", "client certificate again in a renegotiation")


def run(text, folder, *command):
    (folder / "ledger").write_text(text)
    return subprocess.run([*command, folder / "ledger"], capture_output=True, text=True, timeout=60, check=False)


def python(text, folder):
    return run(text, folder, sys.executable, "-I", "-S")


def values(output):
    return dict(re.findall(r"^(\S+) = ([0-9a-f]*)$", output, re.MULTILINE))


def all_nodes(conversation):
    """Those of the handshakes, and those of every record."""
    return [
        *conversation.ledger,
        *(node for seen in conversation.records for node in conversation.ledger.record(seen.side, seen.number)),
    ]


@pytest.mark.rfc("5246", "6.3")
@pytest.mark.rfc("7627", "4")
@pytest.mark.parametrize("name", NAMES)
def test_keys_and_verify_data_are_those_of_the_connection(name):
    for conversation in conversations(name):
        ledger = conversation.ledger
        for handshake in conversation.handshakes:
            suffix = f"#{handshake.number + 1}" if handshake.number else ""
            keys = handshake.keys
            for kind, attribute in (("MAC_key", "mac_key"), ("key", "key"), ("IV", "iv")):
                for side in ("client", "server"):
                    node = f"{side}_write_{kind}{suffix}"
                    wanted = getattr(getattr(keys, side), attribute) if keys else b""
                    assert (ledger[node].value if node in ledger else b"") == wanted
        finished = [seen for seen in conversation.messages if seen.name == "Finished"]
        assert [ledger[f"{seen.path}.verify_data"].value for seen in finished] == [seen.message.verify_data for seen in finished]


@pytest.mark.rfc("5246", "6.2.3.1")
@pytest.mark.rfc("7366", "3")
def test_values_that_travel_are_what_stands_at_their_place_in_the_byte_map():
    """MACs that were decrypted along as well: they are computed from key, header and content alone."""
    seen = 0
    for conversation in every_reference():
        for node in all_nodes(conversation):
            if node.path and node.value is not None:
                leaves = conversation.byte_map.find(node.path)
                view = "plaintext" if any(leaf.view == "plaintext" for leaf in leaves) else "wire"
                there = b"".join(conversation.byte_map.bytes_of(leaf) for leaf in leaves if leaf.view == view)
                assert there.endswith(node.value), node
                assert len(there) - len(node.value) <= 3, node  # the length in front of a vector
                seen += node.path.endswith(".mac")
    assert seen > 20


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES])
def test_the_script_prints_every_value_again(name, tmp_path):
    for conversation in conversations(name):
        done = python(conversation.ledger.script(records=1000), tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert values(done.stdout) == {node.name: node.value.hex() for node in all_nodes(conversation) if node.value is not None}
        assert "values are right" in done.stdout


FAULTS = 20


@pytest.mark.parametrize("seed", range(FAULTS))
def test_the_script_points_at_the_first_value_that_is_wrong(seed, tmp_path):
    """A bit of a value that was given, a label, a bound of a cut or an expected value: the first line that it concerns is named."""
    rng = random.Random(seed)
    conversation = rng.choice(every_reference()[:20])
    lines = conversation.ledger.script().split("\n")
    statements = [index for index, line in enumerate(lines) if line.startswith(("given(", "made("))]
    index = rng.choice(statements)
    line, name = lines[index], re.match(r'\w+\("([^"]+)"', lines[index])[1]
    spot = rng.choice(list(re.finditer(r'(?<=")[0-9a-f]{8,}(?="(, "[0-9a-f]{16}")?\)$)', line)))
    digit = rng.randrange(spot.start(), spot.end())
    lines[index] = f"{line[:digit]}{int(line[digit], 16) ^ 1:x}{line[digit + 1 :]}"
    done = python("\n".join(lines), tmp_path)
    assert done.returncode == 1
    assert f"the first wrong value is {name};" in done.stdout
    assert f"{name} = " in done.stdout


def test_a_wrong_formula_is_pointed_at_and_what_follows_is_wrong_too(tmp_path):
    script = conversations("ECDHE, RSA, GCM")[0].ledger.script()
    done = python(script.replace('"key expansion"', '"key expansions"'), tmp_path)
    assert done.returncode == 1
    assert "the first wrong value is key_block;" in done.stdout
    assert done.stdout.count("WRONG") > 5


@pytest.mark.skipif(shutil.which("bash") is None or shutil.which("openssl") is None, reason="bash or openssl is not installed")
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES])
def test_openssl_computes_the_same(name, tmp_path):
    for conversation in conversations(name):
        done = run(conversation.ledger.shell(), tmp_path, "bash")
        assert done.returncode == 0, done.stdout + done.stderr
        computed = {node.name: node.value.hex() for node in conversation.ledger if node.formula not in {GIVEN, MISSING}}
        assert values(done.stdout) == computed


def test_openssl_names_the_first_wrong_value(tmp_path):
    if shutil.which("bash") is None or shutil.which("openssl") is None:
        pytest.skip("bash or openssl is not installed")
    script = conversations("ECDHE, RSA, GCM")[0].ledger.shell().replace('"key expansion"', '"key expansions"')
    done = run(script, tmp_path, "bash")
    assert done.returncode == 1
    assert "the first wrong value is key_block" in done.stdout


@pytest.mark.rfc("5246", "8.1.1")
@pytest.mark.parametrize("name", ["RSA, GCM", "RSA, CBC, MAC first"])
def test_an_rsa_key_gives_the_premaster_secret_and_all_that_follows(name, tmp_path):
    turns, _ = recorded(name)
    knowledge = Knowledge.of(rsa_keys=[credential("rsa2048").key])
    conversation = Conversation(*streams(turns[0]), knowledge, provider=real())
    ledger = conversation.ledger
    assert ledger["pre_master_secret"].formula == "rsa_premaster"
    assert ledger["master_secret"].value == conversation.handshakes[0].found.master
    assert [node.name for node in ledger if node.value is None] == []
    done = python(ledger.script(), tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.rfc("4279", "2")
def test_a_pre_shared_key_gives_the_premaster_secret(tmp_path):
    turns, _ = recorded("PSK, GCM")
    bare = Conversation(*streams(turns[0]), provider=real())
    exchange = next(seen for seen in bare.messages if seen.name == "ClientKeyExchange")
    conversation = bare.with_knowledge(Knowledge.of(psks={exchange.message.psk_identity: PSK}))
    ledger = conversation.ledger
    assert ledger["master_secret"].formula in {"master_secret", "extended_master_secret"}
    assert ledger["master_secret"].value == conversation.handshakes[0].found.master
    for runs in (python(ledger.script(), tmp_path), run(ledger.shell(), tmp_path, "bash")):
        assert runs.returncode == 0, runs.stdout


# Tickets


def by_ticket():
    """A full handshake, and one that resumes by the ticket of the first."""
    return replay(Tape.load(FOLDER / "20-resumed-by-ticket.json")).conversations


@pytest.mark.rfc("5077", "4")
def test_a_ticket_is_opened_by_the_key_that_sealed_it_and_holds_the_master_secret(tmp_path):
    first, second = by_ticket()
    given, shown = "server.NewSessionTicket.ticket", "client.ClientHello.extensions[5].session_ticket.ticket"
    for conversation, ticket in ((first, given), (second, shown)):
        ledger = conversation.ledger
        assert ledger[f"{ticket}.state.master_secret"].value == conversation.handshakes[0].found.master
        assert {"created", "lifetime"} <= {node.name.rpartition(".")[2] for node in ledger}
        parts = [ledger[f"{ticket}.{part}"].value for part in ("key_name", "nonce", "sealed")]
        assert b"".join(parts) == ledger[ticket].value
        assert all(ledger[f"{ticket}.state{field}"].secret for field in ("", ".master_secret"))
        computed = {node.name: node.value.hex() for node in ledger if node.formula not in {GIVEN, MISSING}}
        done = run(ledger.shell(), tmp_path, "bash")
        assert (done.returncode, values(done.stdout)) == (0, computed), done.stderr
        script = ledger.script()
        assert computed.items() <= values(python(script, tmp_path).stdout).items()
        line = next(line for line in script.split("\n") if line.startswith(f'made("{ticket}.state",'))
        done = python(script.replace(line, line.replace("sealed", "nonce")), tmp_path)
        assert f"the first wrong value is {ticket}.state;" in done.stdout
    assert first.ledger[given].value == second.ledger[shown].value


@pytest.mark.rfc("5077", "3.4")
def test_the_master_secret_of_a_resumption_comes_from_the_ticket():
    _, second = by_ticket()
    made = [node.name for node in second.ledger.made_of("client_write_key")]
    assert "client.ClientHello.extensions[5].session_ticket.ticket.state" in made
    assert "client.ClientHello" in made
    (key,) = second.knowledge.ticket_keys
    alone = Conversation(second.client, second.server, Knowledge(ticket_keys=(key,)))
    assert [handshake.found.source for handshake in alone.handshakes] == ["the client's ticket, by the key that sealed it"]
    assert alone.data("client") == second.data("client") != b""
    assert alone.ledger["master_secret"].value == second.ledger["master_secret"].value
    unknown = Conversation(second.client, second.server, Knowledge.of([]), provider=real()).ledger
    assert unknown["master_secret"].value is None


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("secrets", [True, False])
def test_who_records_a_server_knows_the_keys_of_its_tickets(side, secrets):
    keys, store = TicketKeys(), MemorySessionStore()
    recordings = Recordings(secrets=secrets)
    watched = {side: {"watcher": recordings}}
    fields = {"tickets": True, "session_store": store} | watched.get("client", {})
    for _ in range(2):
        joined = pair(fields, {"tickets": keys} | watched.get("server", {})).handshake()
        joined.exchange(b"up", b"down")
    known = [one.knowledge.ticket_keys for one in recordings.conversations()]
    assert known == [keys.export() if secrets and side == "server" else ()] * 2
    if known[1]:
        ledger = recordings.conversations()[1].ledger
        assert any(node.name.endswith("session_ticket.ticket.state.master_secret") for node in ledger)


@settings(max_examples=8)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=12, max_size=12), st.binary(max_size=70), st.binary(max_size=40))
def test_the_readable_aes_gcm_is_that_of_the_provider(key, nonce, data, additional):
    sealed = real().aead(AES_256_GCM, key).seal(nonce, data, additional)
    assert aes_256_gcm_open(key, nonce, sealed, additional) == data
    wrong = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    assert aes_256_gcm_open(key, nonce, wrong, additional) == b""


def test_without_secrets_the_ledger_says_what_is_missing():
    turns, _ = recorded("ECDHE, RSA, GCM")
    ledger = Conversation(*streams(turns[0]), provider=real()).ledger
    assert ledger["master_secret"].value is None
    assert "give a key log" in ledger["master_secret"].meaning
    assert ledger["client_write_key"].meaning == "key_block is not known"
    assert ledger["server.ServerKeyExchange.signed_digest"].value is not None


def test_secrets_show_in_no_repr():
    ledger = conversations("ECDHE, RSA, GCM")[0].ledger
    shown = repr(ledger) + repr(ledger.nodes) + repr([node.value for node in ledger if node.secret])
    for node in ledger:
        if node.secret and node.value:
            assert node.value.hex() not in shown
            assert bytes(node.value) not in shown.encode("latin-1", "replace")
            assert "Secret(" in repr(node.value)


def test_a_nonce_is_secret_where_the_iv_is_in_it_and_so_is_content():
    for name, secret in (("ECDHE, RSA, GCM", "nonce"), ("ECDHE, RSA, ChaCha20", "nonce"), ("RSA, CBC, MAC first", "content")):
        conversation = conversations(name)[0]
        nodes = conversation.ledger.record("client", conversation.records[-2].number if conversation.records[-2].side == "client" else 3)
        assert [node.name.rpartition(".")[2] for node in nodes if node.secret] == [secret]


def test_a_byte_leads_to_its_values_and_its_keys():
    conversation = conversations("ECDHE, RSA, GCM")[0]
    ledger, byte_map = conversation.ledger, conversation.byte_map
    assert [node.name for node in ledger.of(byte_map.find("client.ClientHello.random")[0])] == ["client.ClientHello", "client_random"]
    finished = byte_map.find("client.Finished.verify_data")[0]
    names = [node.name for node in ledger.of(finished)]
    assert {"client.Finished.verify_data", "client_write_key", "client_write_IV"} <= set(names)
    assert "server_write_key" not in names
    again = conversations("client certificate again in a renegotiation")[0]
    for path, key in (("client.ClientHello#2.random", "client_write_key"), ("client.Finished#2.verify_data", "client_write_key#2")):
        names = [node.name for node in again.ledger.of(again.byte_map.find(path)[0]) if node.name.startswith("client_write_key")]
        assert names == [key]


def test_what_a_value_is_made_of():
    ledger = conversations("ECDHE, RSA, GCM")[0].ledger
    names = [node.name for node in ledger.made_of("client_write_key")]
    assert names[-1] == "client_write_key"
    assert {"client_random", "server_random", "master_secret", "key_block"} <= set(names)
    assert "server_write_key" not in names
    with pytest.raises(UsageError, match="no value 'client_key'"):
        ledger["client_key"]
    with pytest.raises(UsageError, match=r"no client\.record\[99\]"):
        ledger.record("client", 99)


def test_records_that_are_left_out_are_told():
    script = conversations("ALPN, stapled status, SCTs, short records")[0].ledger.script(records=2)
    assert re.search(r"^# \d+ more records of the server are left out\.$", script, re.MULTILINE)


@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"])
def test_the_ledger_of_openssl_talking_to_itself_is_right(cipher, tmp_path):
    turns, log = openssl_turns(tmp_path, cipher)
    conversation = Conversation(*streams(turns), Knowledge.of(log, rsa_keys=[issued("rsa2048").key]), provider=real())
    done = python(conversation.ledger.script(), tmp_path)
    assert done.returncode == 0, done.stdout
    for seen in conversation.messages:
        if seen.name == "Finished":
            assert values(done.stdout)[f"{seen.path}.verify_data"] == seen.message.verify_data.hex()


@pytest.mark.parametrize("suite", ["TLS_RSA_WITH_NULL_SHA256", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"])
def test_weak_suites_have_a_ledger_too(suite, tmp_path):
    turns, log = recorded_pair(suite)
    conversation = Conversation(*streams(turns), Knowledge.of(log), provider=real())
    assert conversation.handshakes[0].keys
    assert python(conversation.ledger.script(), tmp_path).returncode == 0
