"""Tapes: the same bytes in every process and on every Python; the file; what a tape can name; passing one on without its secrets."""

import dataclasses
import json
import os
import re
import shlex
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.cli import options, parser
from puretls.config import ClientConfig, ServerConfig
from puretls.errors import UsageError
from puretls.extensions import Alpn
from puretls.inspect.edit import OPERATIONS, REPAIRS
from puretls.inspect.named import ANYBODY, Source, configuration, described_side, read_bytes, write_bytes
from puretls.inspect.player import flights, replay
from puretls.inspect.tape import STEPS, Script, Step, Tape
from puretls.session import TicketKeys
from tests.cli.command import in_process
from tests.support.credentials import NOW, issued
from tests.support.interpreters import interpreter
from tests.support.reference import REFERENCE, play
from tools import reference_tapes

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "tapes"
SUMS = dict(reversed(line.split("  ")) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
TAPES = sorted(SUMS)
CONVERSATION = (Step("start"), Step("carry"), Step("send", "client", b"question"), Step("send", "server", b"answer"), Step("carry"),
                Step("close", "client"), Step("carry"))  # fmt: skip


def small(client=None, server=None, steps=CONVERSATION, **more):
    """A tape whose cryptography costs nothing."""
    cheap = {"provider": "danger: no security", "verifier": ANYBODY}
    credentials = {"credentials": [{"kind": "secp256r1", "names": ["server.test"]}]}
    tape = {
        "client": cheap | (client or {}),
        "server": cheap | credentials | (server or {}),
        "clock": NOW,
        "connections": (Script(steps, "server.test"),),
    }
    return Tape(**tape | more)


# The reference conversations


@pytest.mark.parametrize("number", range(24), ids=lambda number: TAPES[number].removesuffix(".json"))
def test_a_reference_tape_replays_to_the_bytes_of_its_conversation_and_to_its_hash(number):
    """The conversation is played by another driver than the tape; both must send the same bytes."""
    made = replay(Tape.load(FOLDER / TAPES[number]))
    assert [(one.sent("client"), one.sent("server")) for one in made.connections] == play(REFERENCE[number])
    assert made.sha256 == SUMS[TAPES[number]]


def test_the_tapes_are_what_their_tool_writes():
    tape = reference_tapes.tape(REFERENCE[20])
    assert (FOLDER / TAPES[20]).read_text() == tape.dumps()
    assert [reference_tapes.file_name(number, row) for number, row in enumerate(REFERENCE, 1)] == TAPES
    assert all("tools/reference_tapes.py" in json.loads((FOLDER / name).read_text())["note"] for name in TAPES)


HASHES = """
import sys
from pathlib import Path
from puretls.inspect.player import replay
from puretls.inspect.tape import Tape
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    print(replay(Tape.load(path)).sha256, path.name, sep="  ")
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_all_hashes_are_equal_in_another_process_on_every_python(version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    root = FOLDER.parents[1]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run([python, "-c", HASHES, str(FOLDER)], capture_output=True, text=True, check=False, env=environment)
    assert told.returncode == 0, told.stderr
    assert dict(reversed(line.split("  ")) for line in told.stdout.splitlines()) == SUMS


def test_another_seed_makes_other_bytes_of_the_same_shape():
    one, other = replay(small(seed="one")), replay(small(seed="other"))
    assert one.sha256 != other.sha256
    assert replay(small(seed="one")).sha256 == one.sha256
    assert [[m.name for m in run.conversation().messages] for run in (one, other)] == [
        [m.name for m in one.conversation().messages]
    ] * 2


def test_a_replay_is_decoded_whole_with_its_own_key_log():
    made = replay(Tape.load(FOLDER / TAPES[19]))
    for number, data in ((1, b"from the client " * 100), (2, b"from the client " * 100)):
        seen = made.conversation(number)
        assert seen.data("client") == data
        assert seen.client.data == made.connection(number).sent("client")
        assert [handshake.found.source for handshake in seen.handshakes] == ["the tape"]
    for number in (0, 3):
        with pytest.raises(UsageError, match="2 connections, numbered from 1"):
            made.conversation(number)


# Schedules


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=5).map(tuple))
def test_however_the_bytes_are_cut_both_sides_send_the_same(sizes):
    """RFC 5246 6.2.1: TLS knows a stream, not its segments."""
    steps = tuple(dataclasses.replace(step, sizes=sizes) if step.do == "carry" else step for step in CONVERSATION)
    whole, cut = replay(small()).connections[0], replay(small(steps=steps)).connections[0]
    assert [cut.sent(side) for side in ("client", "server")] == [whole.sent(side) for side in ("client", "server")]
    assert cut.outcome == whole.outcome
    assert "completed" in cut.outcome


def test_deliveries_hold_back_what_is_not_due():
    steps = (Step("start"), Step("deliver", "client", count=10), Step("carry"))
    assert replay(small(steps=steps[:2])).connections[0].sent("server") == b""
    assert "completed" in replay(small(steps=steps)).connections[0].outcome


def test_a_stream_that_ends_early_is_told():
    steps = (Step("start"), Step("carry"), Step("end", "client"), Step("carry"))
    played = replay(small(steps=steps)).connections[0]
    assert ("server", "closed: without close_notify") in [(side, str(told)) for side, told in played.told]
    assert played.ends == ("client",)


def test_a_call_that_is_not_possible_is_told_and_changes_nothing():
    played = replay(small(steps=(Step("send", "client", b"early"), *CONVERSATION))).connections[0]
    assert played.told[0][1].kind == "not possible"
    assert "completed" in played.outcome


# The file


def any_step():
    return st.builds(
        lambda do, side, data, count, sizes: Step(do, "" if do in {"start", "carry", "tick"} else side, data, count, tuple(sizes)),
        st.sampled_from(sorted(STEPS)), st.sampled_from(["client", "server"]), st.binary(max_size=40), st.integers(0, 9), st.lists(st.integers(1, 99), max_size=3),
    )  # fmt: skip


@given(st.lists(any_step(), max_size=6).map(tuple), st.text(max_size=20), st.floats(0, 2e9))
def test_a_tape_is_what_its_file_says(steps, seed, clock):
    tape = small(steps=steps, seed=seed, clock=clock)
    if clock > 1e6:  # certificates have no dates before 1950, and the tape's own is made for the clock
        assert Tape.loads(tape.dumps()) == tape
        assert tape.dumps().isascii()


@given(st.binary(max_size=60), st.integers(1, 5))
def test_bytes_are_written_so_that_they_can_be_read(data, times):
    assert read_bytes(json.loads(json.dumps(write_bytes(data * times))), "data") == data * times


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=50) | json_values.map(json.dumps))
def test_what_is_no_tape_is_refused_in_a_sentence(text):
    with pytest.raises(UsageError):
        Tape.loads(text)


PLACES = [("seed",), ("clock",), ("client",), ("client", "suites"), ("client", "verifier"), ("client", "extensions"), ("client", "psk"),
          ("server", "credentials"), ("server", "tickets"), ("server", "credentials", 0), ("server", "limits"), ("server", "session_cache"),
          ("server", "dh_parameters"), ("server", "certificate_authorities"), ("connections",), ("connections", 0), ("connections", 0, "steps"),
          ("connections", 0, "steps", 2), ("connections", 0, "steps", 2, "do"), ("connections", 0, "steps", 2, "data"), ("connections", 0, "server_name"), ("edits",), ("name",)]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_a_tape_with_one_value_changed_is_read_or_refused_and_nothing_else(place, value):
    content = small(client={"suites": []}).to_json()
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with suppress(UsageError):
        Tape.from_json(content)


@pytest.mark.parametrize("clock", ["1e400", "-1e400", "NaN", "-1", "1e300", "253402300800"])
def test_a_time_that_no_clock_can_show_is_refused(clock):
    with pytest.raises(UsageError, match="clock is seconds since 1970"):
        Tape.loads(small().dumps().replace(str(NOW), clock))


def test_an_end_has_so_many_credentials_and_not_more():
    one = {"kind": "secp256r1", "names": ["a.example"]}
    with pytest.raises(UsageError, match=r"server\.credentials: 16 are the most, not 17"):
        small(server={"credentials": [one] * 17}).configurations()
    assert small(server={"credentials": [one] * 16}).configurations()


def test_credentials_are_issued_once_however_many_there_are():
    def keys():
        sides = ([{"kind": "secp256r1", "names": [f"{side}{number}.example"]} for number in range(16)] for side in ("c", "s"))
        client, server = ({"credentials": issued} for issued in sides)
        return [one.key for end in small(client=client, server=server).configurations() for one in end.credentials]

    for one, other in zip(keys(), keys(), strict=True):
        assert one is other


def test_a_seed_is_text_that_can_be_written():
    with pytest.raises(UsageError, match="half of a surrogate pair"):
        Tape.from_json(small().to_json() | {"seed": "\ud800"})



def test_a_tape_of_another_version_says_so():
    content = small().to_json() | {"puretls_tape": 2}
    with pytest.raises(UsageError, match="version 2: this puretls reads version 1"):
        Tape.from_json(content)


def test_a_tape_is_kept_for_its_owner_and_overwrites_nothing(tmp_path):
    path = tmp_path / "some.tape"
    small().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        small(seed="other").save(path)
    assert Tape.load(path) == small()
    small(seed="other").save(path, overwrite=True)
    assert Tape.load(path).seed == "other"
    (tmp_path / "no.tape").write_text("{}")
    with pytest.raises(UsageError, match=r"no\.tape: no tape"):
        Tape.load(tmp_path / "no.tape")


# Secrets


def test_a_tape_shows_none_of_its_secrets():
    tape = small(
        client={"psk": {"identity": {"text": "me"}, "key": {"text": "a key nobody knows"}}},
        seed="the seed",
        steps=(Step("send", "client", b"private words"),),
    )
    for shown in (repr(tape), repr(replay(tape)), repr(replay(tape).connections), repr(tape.connections)):
        assert not any(secret in shown for secret in ("nobody knows", "the seed", "private words"))


@pytest.mark.parametrize("number", [0, 9, 14, 19, 21])
def test_without_secrets_a_tape_replays_to_the_same_messages_in_other_bytes(number):
    tape = Tape.load(FOLDER / TAPES[number])
    bare = tape.without_secrets()
    text = bare.dumps()
    assert "PRIVATE KEY" not in text
    assert tape.seed not in text.replace(tape.name, "")
    assert "from the client" not in text
    before, after = replay(tape), replay(Tape.loads(text))
    assert before.sha256 != after.sha256
    for one, other in zip(before.conversations, after.conversations, strict=True):
        assert [m.name for m in one.messages] == [m.name for m in other.messages]


# What has a name


def arguments(command, *given):
    return parser().parse_args([command, *({"connect": ["localhost"], "serve": ["--port", "0"]}[command]), *map(str, given)])


def same(one, other):
    """All fields that a name stands for, compared; what is made anew for each configuration is compared by its kind."""
    for field in dataclasses.fields(one):
        if field.name in {"random", "clock", "key_log", "verifier", "psk"}:
            continue
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name in {"tickets", "session_cache", "session_store", "provider"}:
            a, b = type(a), type(b)
        assert a == b, field.name


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("--ciphers", "ECDHE+AESGCM:AES128-SHA", "--groups", "P-256,x25519", "--sigalgs", "ed25519,RSA+SHA256"),
        ("--alpn", "h2,http/1.1", "--max-fragment", "512", "--renegotiation", "--no-tickets"),
        ("--record-size-limit", "1000", "--danger-suites", "--ciphers", "ALL"),
        ("--psk", "0011", "--psk-identity", "me"),
        ("--cert", "{chain}", "--key", "{key}"),
    ],
    ids=lambda given: " ".join(given)[:30] or "plain",
)
def test_what_the_options_of_connect_say_has_a_name(given, tmp_path):
    config = options.client_config(arguments("connect", "--danger-no-verify", *_files(given, tmp_path)))
    psk = {"psk": {"identity": {"text": "me"}, "key": {"hex": "0011"}}} if config.psk else {}
    side = json.loads(json.dumps(described_side(config, verifier=ANYBODY, **psk)))
    made = configuration(ClientConfig, side, Source("", NOW))
    same(config, made)
    assert (config.psk is None) == (made.psk is None)
    assert config.psk is None or config.psk(None) == made.psk(None)
    assert made.verifier is danger.accept_any_chain


@pytest.mark.parametrize(
    "given",
    [
        ("--ocsp", "{ocsp}", "--refuse-unknown-names"),
        ("--client-ca", "{ca}", "--require-client-cert", "--no-tickets"),
        ("--ciphers", "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:AES128-SHA"),
        ("--psk", "0011", "--psk-identity", "me", "--psk-hint", "a hint"),
    ],
    ids=lambda given: given[0],
)
def test_what_the_options_of_serve_say_has_a_name(given, tmp_path):
    config = options.server_configurations(arguments("serve", *_files(("--cert", "{chain}", "--key", "{key}", *given), tmp_path)))()
    psk = {"psk": {"identity": {"text": "me"}, "key": {"hex": "0011"}}} if config.psk else {}
    side = json.loads(
        json.dumps(described_side(config, **({"verifier": [issued().chain_pem]} if config.verifier else {}), **psk))
    )
    made = configuration(ServerConfig, side, Source("", NOW))
    same(config, made)
    assert config.psk is None or [made.psk(who) for who in (b"me", b"you")] == [b"\0\x11", None]


def _files(given, folder):
    from tests.support.credentials import authority

    leaf = issued()
    contents = {"chain": leaf.chain_pem.encode(), "key": leaf.key_pem.encode(), "ca": authority().root_pem.encode(),
                "ocsp": authority().ocsp_response(leaf.certificate)}  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(one).format(**{name: folder / name for name in contents}) for one in given]


@pytest.mark.parametrize(
    ("cls", "fields", "complaint"),
    [
        (ClientConfig, {"verifier": lambda request: None}, "verifier.*give its name"),
        (ClientConfig, {"extensions": (Alpn("a", select=lambda offered: None),)}, r"Alpn\.select is a function"),
        (ClientConfig, {"client_certificate": lambda request: None}, "client_certificate has no name"),
        (ServerConfig, {"psk": lambda identity: None}, "psk.*give its name"),
        (ServerConfig, {"psk": lambda identity: None, "tickets": TicketKeys([bytes(48)])}, "tickets.*give its name"),
    ],
)
def test_what_only_a_program_can_say_is_refused_with_its_name(cls, fields, complaint):
    said = {"psk": {"identity": {"text": "a"}, "key": {"text": "b"}}} if "tickets" in fields else {}
    with pytest.raises(UsageError, match=complaint):
        described_side(cls(**fields), **said)


@pytest.mark.parametrize(
    ("side", "complaint"),
    [
        ({"suits": []}, "no field is called 'suits'"),
        ({"suites": ["TLS_NONE"]}, r"client\.suites: no cipher suite is called 'TLS_NONE'"),
        ({"groups": ["p-1"]}, r"client\.groups"),
        ({"verifier": "everyone"}, r"client\.verifier: a verifier is"),
        ({"extensions": [{"name": "Nonsense"}]}, r"client\.extensions"),
        ({"extensions": [{"name": "RecordSizeLimit", "limit": 1}]}, "between 64 and 16384"),
        ({"credentials": [{"kind": "rsa1"}]}, r"client\.credentials"),
        ({"renegotiation": "yes"}, r"client\.renegotiation"),
        ({"limits": {"patience": 1}}, r"client\.limits"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_field(side, complaint):
    with pytest.raises(UsageError, match=complaint):
        configuration(ClientConfig, side, Source("", NOW))


def test_flights_join_what_one_side_sends_in_a_row():
    assert flights([("client", b"a"), ("client", b"b"), ("server", b"c")]) == [("client", b"ab"), ("server", b"c")]


# The manual


def manual():
    return (FOLDER.parents[1] / "puretls" / "manual" / "inspect-tapes.md").read_text()


def test_the_commands_of_the_manual_do_what_it_says(tmp_path, monkeypatch):
    """All of them, one after the other; each ends well."""
    monkeypatch.chdir(tmp_path)
    block = re.search(r"```sh\n(.*?)```", manual(), re.S)[1]
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert len(commands) > 5
    for command in commands:
        given = command[1 : command.index(">")] if ">" in command else command[1:]
        told = in_process(*given)
        assert told.returncode == 0, (command, told.stderr)
    assert "PRIVATE KEY" not in (tmp_path / "lie-for-others.tape").read_text()


def test_the_program_of_the_manual_runs(capsys):
    [source] = re.findall(r"```python\n(.*?)```", manual(), re.S)
    exec(compile(source, "inspect-tapes.md", "exec"), {"__name__": "manual"})
    printed = capsys.readouterr().out
    assert printed.startswith("completed: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    assert "client.ClientHello\nserver.ServerHello\n" in printed


def test_the_manual_names_every_operation_repair_and_step():
    text = manual()
    assert [name for name in (*OPERATIONS, *REPAIRS, *STEPS) if f"`{name}`" not in text] == []
