"""`puretls demo` shows two handshakes and explains one message whole."""

import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.command import ENVIRONMENT, ROOT, in_process, puretls


@pytest.fixture(scope="module")
def shown():
    result = puretls("demo")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.decode()


def test_full_handshake_comes_before_the_resumed_one(shown):
    full, resumed = re.split(r"\n1\. |\n3\. ", shown)[1:3]
    assert "Certificate" in full
    assert "NewSessionTicket" in full
    assert "ClientKeyExchange" in full
    ladder = resumed.split("\n4. ")[0]
    assert "ServerHello" in ladder
    assert "Certificate" not in ladder
    assert "ClientKeyExchange" not in ladder


def test_every_message_has_a_size_and_two_states(shown):
    rungs = [line for line in shown.splitlines() if "▶" in line or "◀" in line]
    assert len(rungs) > 20
    for line in rungs:
        assert re.fullmatch(r"[A-Z_]+ +\W+ \S.*? \W* \S.*? \W+ +[A-Z_]+", line), line


def test_negotiated_parameters_and_labels_are_shown(shown):
    for words in (
        "x25519",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        '"key expansion"',
        '"client finished"',
        "CLIENT_RANDOM",
        "verified",
    ):
        assert words in shown


def test_no_secret_is_shown(shown):
    assert not re.search(r"[0-9a-f]{60}", shown)


@pytest.mark.parametrize(
    "message",
    [
        "ClientHello",
        "serverhello",
        "Certificate",
        "ServerKeyExchange",
        "ClientKeyExchange",
        "NewSessionTicket",
        "Finished",
        "Alert",
    ],
)
def test_explained_bytes_are_all_of_the_message(message):
    result = in_process("demo", "--explain", message)
    assert result.returncode == 0, result.stderr
    table = result.stdout.split("\n4. ")[1].split("How to go on")[0]
    position = 0
    for first, last, data in re.findall(r"^(\d+)(?:-(\d+))? +((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: |$)", table, re.M):
        assert int(first) == position
        position = int(last or first) + 1
        assert len(data.split()) == position - int(first)
    size = re.search(rf"{message}[^\n]*? (\d+) \S*▶|◀\S* (\d+) [^\n]*{message}", result.stdout, re.I)
    assert position == int(size.group(1) or size.group(2))


def test_unknown_message_is_answered_with_those_there_are():
    result = in_process("demo", "--explain", "Nonsense")
    assert result.returncode == 2
    assert "ClientHello, ServerHello" in result.stderr


def test_demo_needs_no_openssl_and_no_unicode():
    command = [sys.executable, str(ROOT / "tools" / "no_openssl.py"), "puretls", "demo"]
    environment = ENVIRONMENT | {"PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert b"ServerHello" in done.stdout


def bytes_of(shown):
    """How many bytes the table has."""
    return len(" ".join(re.findall(r"^\d[-\d]* +((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: |$)", shown.split("\n4. ")[1], re.M)).split())


def words(text):
    """Everything that is said, whatever the lines: without bytes, arrows, brackets and what differs from run to run."""
    return {word.strip("[](),:") for word in text.split() if len(word) > 2 and not re.search(r"[─═▶◀<>=]|\d", word)}


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140])
@pytest.mark.parametrize("message", ["ServerHello", "Certificate", "ClientHello"])
def test_lines_fit_and_no_word_is_broken(monkeypatch, width, message):
    monkeypatch.delenv("COLUMNS", raising=False)
    free = in_process("demo", "--explain", message).stdout
    monkeypatch.setenv("COLUMNS", str(width))
    fitted = in_process("demo", "--explain", message).stdout
    manual = fitted.splitlines()[-2]
    assert manual.startswith("The manual: ")
    for line in fitted.splitlines():
        assert len(line) <= width or line == manual
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in fitted
    assert words(free.split("\n4. ")[0]) <= words(fitted)
    size = re.search(rf"{message}[^\n]*? (\d+) \S*▶|◀\S* (\d+) [^\n]*{message}", fitted)
    assert bytes_of(fitted) == int(size.group(1) or size.group(2))


def test_terminal_is_asked_for_its_width():
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "COLUMNS"} | {"TERM": "dumb"}
    process = subprocess.Popen([sys.executable, "-m", "puretls", "demo"], stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux tells the end of a terminal so
        while data := os.read(ours, 65536):
            shown += data
    os.close(ours)
    assert process.wait(30) == 0
    lines = shown.decode().replace("\r", "").splitlines()
    assert len(lines) > 60
    assert all(len(line) <= 80 or line.startswith("The manual: ") for line in lines)


def test_manual_is_where_it_is_said_to_be(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = in_process("demo").stdout.splitlines()[-2].removeprefix("The manual: ")
    assert "tutorial.md" in Path(said).read_text()
