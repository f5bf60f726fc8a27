"""`puretls replay`, `puretls edit`, and seeds: errors in one line, files that are not overwritten, the same bytes each time."""

import json
import re
import stat

import pytest

from puretls.cli import demo
from puretls.errors import DangerWarning
from puretls.inspect.player import replay
from puretls.inspect.tape import Tape
from tests.cli.command import in_process, puretls, serving
from tests.inspect.test_tapes import FOLDER, SUMS, TAPES

ECDHE = FOLDER / TAPES[4]
ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL to compare with")


def edit(*arguments):
    return in_process("edit", ECDHE, *arguments)


def test_replay_tells_what_was_sent_and_the_hash_that_is_published():
    told = in_process("replay", ECDHE)
    assert (told.returncode, told.stderr) == (0, "")
    assert "client -> ClientHello, 154 bytes" in told.stdout
    assert "outcome: completed: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in told.stdout
    assert SUMS[TAPES[4]] in told.stdout


def test_edit_shows_both_runs_to_their_outcomes():
    told = edit("--set", "client.ClientHello.cipher_suites[0]=0x0000")
    assert (told.returncode, told.stderr) == (0, "")
    assert "c030 became 0000" in told.stdout
    assert "outcome: completed" in told.stdout
    assert "Alert handshake_failure" in told.stdout


def test_several_edits_are_made_in_their_order():
    told = edit("--duplicate", "client.ClientHello.cipher_suites[0]", "--set", "client.ClientHello.cipher_suites[1]=0x1301", "--delete",
                "client.ClientHello.cipher_suites[0]")  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "handshake_failure" in told.stdout
    assert [line.split()[0] for line in told.stdout.splitlines()[:3]] == ["duplicate", "set", "delete"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "nothing to edit"),
        (("--set", "client.ClientHello.random"), "needs a value"),
        (("--flip", "ClientHello.random"), "does not say who sends it"),
        (("--flip", "client"), "is no path"),
        (("--flip", "client.ClientHello.random", "--repair", "macs"), "no repair is called 'macs'"),
        (("--flip", "client.ClientHello.random", "--connection", "2"), "--connection 2: the tape has 1 connection, numbered from 1"),
        (("--flip", "client.ClientHello.random", "--connection", "0"), "is not a number that counts from 1"),
        (("--flip", "client.ClientHello.random", "--without-secrets"), "goes with --out"),
        (("--flip", "client.ClientHello.random", "--danger-seed", "x"), "is not a seed from 0"),
        (("--flip", "client.ClientHello.random", "--against", "localhost:x"), "is not HOST:PORT"),
        (("--flip", "client.ClientHello.randon"), "not applied: .*there is no ClientHello.randon"),
        (("--flip", "client.Alert#2.level"), "not applied: .*the client sent Alert once"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(arguments, complaint):
    told = edit(*arguments)
    assert told.returncode == 2
    assert re.search(complaint, told.stderr), told.stderr
    assert told.stderr.count("\n") == 1
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"puretls_tape": 9}', b"[" * 100_000])
def test_a_file_that_is_no_tape_is_one_line_and_status_2(content, tmp_path):
    (tmp_path / "some").write_bytes(content)
    for command in ("replay", "edit"):
        told = in_process(command, tmp_path / "some", *(["--flip", "client.ClientHello.random"] if command == "edit" else []))
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr.startswith("puretls: ")
        assert told.stderr.count("\n") == 1


def test_nothing_is_overwritten_without_force(tmp_path):
    path = tmp_path / "edited.tape"
    path.write_text("precious")
    refused = edit("--flip", "client.ClientHello.random", "--out", path)
    assert (refused.returncode, path.read_text()) == (2, "precious")
    assert "--force overwrites it" in refused.stderr
    assert refused.stdout == ""
    told = edit("--flip", "client.ClientHello.random", "--out", path, "--force")
    assert told.returncode == 0
    assert "may hold private keys" in told.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [edit.path for edit in Tape.load(path).edits] == ["client.ClientHello.random"]


def test_without_secrets_the_file_holds_none(tmp_path):
    path = tmp_path / "bare.tape"
    told = in_process("replay", ECDHE, "--out", path, "--without-secrets")
    assert (told.returncode, told.stderr) == (0, "")
    assert "PRIVATE KEY" not in path.read_text()
    assert in_process("replay", path).returncode == 0


def test_a_demo_with_a_seed_is_the_same_each_time_and_so_is_its_tape(tmp_path):
    one, other = (in_process("demo", "--danger-seed", "7", "--tape", tmp_path / name) for name in ("one", "other"))
    assert one.returncode == other.returncode == 0
    assert one.stdout == other.stdout
    assert "DangerWarning: --danger-seed" in one.stderr
    assert (tmp_path / "one").read_text() == (tmp_path / "other").read_text()
    assert json.loads((tmp_path / "one").read_text())["seed"] == "7"
    assert in_process("demo", "--tape", tmp_path / "one").returncode == 2


def test_the_tape_of_a_demo_replays_to_what_went_over_the_socket():
    """Records as both ends traced them over loopback, against those of the replay in memory."""
    played = demo.tape("7", demo.STANDING_CLOCK)
    client, server = played.configurations(trace_level="full")
    made = replay(played)
    for number in range(2):
        talk = demo.converse(client, server)
        for end, side in ((talk.client, "client"), (talk.server, "server")):
            sent = b"".join(entry.raw for entry in end.trace.records() if entry.direction.value == "outbound")
            assert sent == made.connections[number].sent(side)


def test_each_demo_without_a_seed_is_another(tmp_path):
    for name in ("one", "other"):
        assert in_process("demo", "--tape", tmp_path / name).returncode == 0
    assert Tape.load(tmp_path / "one").seed != Tape.load(tmp_path / "other").seed


@pytest.mark.parametrize("command", ["connect", "serve", "demo", "replay", "edit"])
def test_help_says_what_a_seed_does(command):
    assert "keys that anybody can compute" in re.sub(r"\s+", " ", in_process(command, "--help").stdout)


def test_a_seed_without_a_reader_of_warnings_is_still_told():
    from puretls.cli import parser, tapes

    arguments = parser().parse_args(["demo", "--danger-seed", "1"])
    with pytest.warns(DangerWarning, match="knows every key"):
        assert tapes.seed_of(arguments) == "1"


@pytest.mark.slow
@pytest.mark.interop
def test_edits_run_against_a_live_openssl(tmp_path):
    """RFC 5246 7.4.1.3: OpenSSL, too, refuses a hello without a suite in common."""
    from tests.support.credentials import authority, issued
    from tests.support.openssl import answering, server_context

    path, ca = tmp_path / "demo.tape", tmp_path / "ca.pem"
    ca.write_text(authority().root_pem)
    assert in_process("demo", "--tape", path).returncode == 0
    with answering(server_context(issued(), tmp_path)) as (port, problems):
        live = ("--against", f"127.0.0.1:{port}", "--patience", "1", "--servername", "server.test")
        trusting = ("--ca", ca, "--danger-seed", "1")  # the demonstration's clock goes with the real one, the test's certificates do not
        told = in_process("edit", path, "--set", "client.ClientHello.cipher_suites=0x1301", *live, "--danger-no-verify")
        refused = in_process("edit", path, "--flip", "server.ServerHello.random", *live, "--danger-no-verify")
        nobody = in_process("replay", path, *live)
        replayed = in_process("replay", FOLDER / TAPES[7], *live, *trusting)
    assert (nobody.returncode, replayed.returncode) == (1, 0), (nobody.stdout, replayed.stdout)
    assert "client failed: bad_certificate" in nobody.stdout  # an authority of the same name, with another key
    assert told.returncode == 0, told.stderr
    assert "outcome: completed" in told.stdout
    assert "handshake_failure" in told.stdout
    assert problems
    assert refused.returncode == 2
    assert "the server is not ours" in refused.stderr


def test_connect_and_serve_send_the_same_hellos_for_the_same_seed(tmp_path):
    from tests.support.credentials import authority, issued

    for name, content in (("chain.pem", issued(name="localhost").chain_pem), ("key.pem", issued(name="localhost").key_pem), ("ca.pem", authority().root_pem)):
        (tmp_path / name).write_text(content)
    randoms = []
    for _ in range(2):
        with serving(tmp_path, "--cert", tmp_path / "chain.pem", "--key", tmp_path / "key.pem", "--echo", "--danger-seed", "5") as server:
            log = tmp_path / "keys"
            told = puretls("connect", f"localhost:{server.port}", "--ca", tmp_path / "ca.pem", "--danger-seed", "6", "--keylog", log, "--linger", "0.1",
                           stdin=b"hello")  # fmt: skip
            assert told.returncode == 0, told.stderr
            assert "DangerWarning: --danger-seed" in told.stderr
            server.wait_for("DangerWarning: --danger-seed")
        randoms.append(log.read_text())
        log.unlink()
    assert randoms[0] == randoms[1]
