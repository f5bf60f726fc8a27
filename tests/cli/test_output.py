"""What the command writes: in any encoding, and with the right status where it cannot be written."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from puretls.ca import DevelopmentCa
from puretls.x509.pem import load_certificates
from tests.cli.command import ENVIRONMENT, ROOT, in_process, puretls, serving

FULL = Path("/dev/full")
FOREIGN = "Zürich Ω ☃ 株式会社 \U0001f40d"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A CA whose names no 8-bit encoding can say, and a certificate for localhost."""
    folder = tmp_path_factory.mktemp("foreign")
    authority = DevelopmentCa.create(os.urandom, time.time(), organization=FOREIGN)
    issued = authority.issue(["localhost"])
    for name, text in (("ca", authority.root_pem), ("cert", issued.chain_pem), ("key", issued.key_pem)):
        (folder / name).write_text(text)
    leaf = load_certificates(issued.chain_pem.encode())[0]
    (folder / "ocsp").write_bytes(authority.ocsp_response(leaf, "revoked"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
def test_output_works_in_every_encoding(foreign, encoding):
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for arguments, status in (
        (("x509", "show", foreign / "cert"), 0),
        (("x509", "show", "--bytes", foreign / "cert"), 0),
        (("x509", "verify", foreign / "cert", "--ca", foreign / "ca", "--host", "localhost"), 0),
        (("x509", "verify", foreign / "cert", "--ca", foreign / "ca", "--host", "localhost", "--explain"), 0),
        (("x509", "verify", foreign / "cert", "--ca", foreign / "ca", "--ocsp", foreign / "ocsp"), 1),
        (("list", "groups"), 0),
        (("connect", "☃..☃"), 2),
        (("connect", b"\xff\xfe:1"), 2),
    ):
        command = [sys.executable, "-m", "puretls", *arguments]
        done = subprocess.run(command, capture_output=True, env=ENVIRONMENT | environment, check=False, timeout=60)
        assert done.returncode == status, (arguments, done.stderr)
        assert b"Traceback" not in done.stderr
        done.stdout.decode(encoding)
        if encoding == "ascii" and "show" in arguments:
            assert rb"Z\xfcrich \u03a9 \u2603" in done.stdout


def test_connection_and_log_work_in_every_encoding(foreign, tmp_path):
    environment = {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
    with serving(tmp_path, "--cert", foreign / "cert", "--key", foreign / "key", env=environment) as server:
        arguments = ("connect", f"localhost:{server.port}", "--ca", foreign / "ca", "--trace")
        result = puretls(*arguments, stdin="GET /é☃ HTTP/1.0\r\n\r\n".encode(), env=environment)
        assert result.returncode == 0, result.stderr
        assert r"\u2603" in result.stderr
        assert b"200 OK" in result.stdout
        server.wait_for("GET /.* 200")


def redirected(redirection, *arguments, stdin="</dev/null"):
    """The command with its output sent to a full disk."""
    line = " ".join([sys.executable, "-m", "puretls", *map(str, arguments), stdin, redirection])
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False, timeout=60
    )


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
class TestFullDisk:
    """What fails on this machine is status 2, and nobody else's fault."""

    @pytest.mark.parametrize(
        "arguments",
        [
            "--help",
            "--version",
            "ca --help",
            "list suites",
            "demo",
            "x509 rules",
            "x509 show {0}/cert",
            "x509 verify {0}/cert --ca {0}/ca",
        ],
    )
    def test_standard_output(self, foreign, arguments):
        done = redirected(">/dev/full", *arguments.format(foreign).split())
        assert (done.returncode, done.stderr) == (2, "puretls: No space left on device\n")

    @pytest.mark.parametrize("arguments", ["nosuch", "", "connect x:y", "x509 show /no/such/file"])
    def test_standard_error(self, arguments):
        assert redirected("2>/dev/full", *arguments.split()).returncode == 2

    def test_connection(self, foreign, tmp_path):
        with serving(tmp_path, "--echo", "--cert", foreign / "cert", "--key", foreign / "key") as server:
            arguments = ("connect", f"localhost:{server.port}", "--ca", foreign / "ca", "--linger", "0.3")
            done = redirected(">/dev/full", *arguments, stdin="<README.md")
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1] == "puretls: standard output: No space left on device"
            assert redirected("2>/dev/full", *arguments).returncode == 2
            assert redirected("2>/dev/full", *arguments, "--trace").returncode == 2
            done = redirected("", *arguments, "--keylog", "/dev/full")
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr == "puretls: /dev/full: no regular file: secrets are not written there\n"
            server.wait_for("(?s)(echoed|failed).*(echoed|failed)")

    def test_standard_input(self, foreign, tmp_path):
        """What is open for writing alone cannot be read."""
        with serving(tmp_path, "--echo", "--cert", foreign / "cert", "--key", foreign / "key") as server:
            arguments = ("connect", f"localhost:{server.port}", "--ca", foreign / "ca", "--linger", "0.3")
            done = redirected("", *arguments, stdin="0>/dev/null")
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1] == "puretls: standard input: Bad file descriptor"


# Files that options name


WRITERS = {
    "demo": ("--tape",),
    "replay TAPE": ("--out",),
    "edit TAPE --flip client.ClientHello.random": ("--out",),
    "inspect TAPE --connection 1": ("--html", "--json", "--keys", "--ledger"),
    "flip --bits 1": ("--html",),
    "learn self-server": ("--dot", "--mermaid"),
}
"""Commands, and their options that name a file to write."""


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    path = tmp_path_factory.mktemp("tape") / "demo.json"
    assert in_process("demo", "--tape", path).returncode == 0
    return path


@pytest.mark.parametrize(("command", "option"), [(command, option) for command, options in WRITERS.items() for option in options])
def test_no_file_is_overwritten_unasked_and_none_is_named_in_vain(command, option, tape, tmp_path):
    arguments = [str(tape) if word == "TAPE" else word for word in command.split()]
    (tmp_path / "there").write_text("of mine")
    for name, wanted in {"there": "--force overwrites it", "none/here": "No such file", "": "No such file"}.items():
        told = in_process(*arguments, option, tmp_path / name if name else "")
        assert told.returncode == 2, told
        assert wanted in told.stderr
        assert told.stderr.count("\n") == 1
        assert told.stdout == ""  # said before any work was done
    told = in_process(*arguments, option, tmp_path, "--force")
    assert (told.returncode, told.stdout) == (2, "")
    assert "Is a directory" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "of mine"


def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(tmp_path, monkeypatch):
    """As root may write everywhere, the system's answer is given here."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for command in ("demo --tape", "flip --bits 1 --html", "learn self-server --dot"):
        told = in_process(*command.split(), tmp_path / "new")
        assert (told.returncode, told.stdout) == (2, "")
        assert told.stderr == f"puretls: {tmp_path / 'new'}: Permission denied\n"


@pytest.mark.parametrize("command", [command for command in WRITERS if not command.startswith("inspect")])
def test_a_dash_is_no_name_of_a_file_by_mistake(command, tape, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [str(tape) if word == "TAPE" else word for word in command.split()]
    told = in_process(*arguments, WRITERS[command][0], "-")
    assert (told.returncode, told.stdout) == (2, "")
    assert "./-" in told.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [command for command, options in WRITERS.items() if len(options) > 1])
def test_two_outputs_are_two_files(command, tape, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [str(tape) if word == "TAPE" else word for word in command.split()]
    one, other = WRITERS[command][:2]
    told = in_process(*arguments, one, "x", other, tmp_path / "." / "x")
    assert (told.returncode, told.stdout) == (2, "")
    assert "named twice" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_not_written(tape):
    before = tape.read_bytes()
    for option in ("--html", "--keys"):
        assert "named twice" in in_process("inspect", tape, "--connection", 1, option, tape, "--force").stderr
    assert tape.read_bytes() == before
    told = in_process("inspect", tape, "--connection", 1, "--keys", "-", "--html", "-")
    assert (told.returncode, told.stdout) == (2, "")
