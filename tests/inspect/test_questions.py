"""The questions of the manual: every command there is run as it is written, and prints what stands below it."""

import re
import shlex
import subprocess
import sys

import pytest

from puretls.inspect import Tape, replay, write_capture
from puretls.keylog import CLIENT_RANDOM, key_log_line
from tests.cli.command import ENVIRONMENT, in_process
from tests.inspect.test_tapes import FOLDER, TAPES

LEFT_OUT = "[...]"


def steps(page):
    """The blocks of a page in order: ("python", text), or ("console", [(command, lines of output)])."""
    for language, text in re.findall(r"```(python|console)\n(.*?)```", page, re.DOTALL):
        if language == "python":
            yield language, text
        else:
            parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
            assert parts[0] == ""
            yield language, list(zip(parts[1::2], (part.splitlines() for part in parts[2::2]), strict=True))


def printed(command):
    """What a command prints: puretls in this process, as in 80 columns, and another in one of its own."""
    program, *arguments = shlex.split(command)
    if program == "puretls":
        done = in_process(*arguments)
    else:
        assert program == "python"
        done = subprocess.run(
            [sys.executable, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
        )
    return [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]


def check(lines, expected):
    """Fails unless `lines` are `expected`, in which "[...]" stands for any number of lines."""
    pieces = "\n".join(["", *expected, ""]).split(f"\n{LEFT_OUT}\n")
    text = "\n".join(["", *lines, ""])
    assert text.startswith(pieces[0]), f"{expected}\n\nis not how this begins:\n{text}"
    assert len(pieces) > 1 or text == pieces[0]
    assert text.endswith(pieces[-1]), f"{expected}\n\nis not how this ends:\n{text}"
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        assert position >= 0, f"{piece}\n\nis not in, or not there in:\n{text}"
        position += len(piece)


@pytest.mark.parametrize(
    ("expected", "fits"),
    [
        (["a", "b", "c"], True),
        (["a", "[...]"], True),
        (["[...]", "b", "[...]"], True),
        (["[...]", "c"], True),
        (["a", "[...]", "c"], True),
        (["a", "b"], False),
        (["b", "[...]"], False),
        (["[...]", "b"], False),
        (["[...]", "b", "[...]", "a", "[...]"], False),
    ],
)
def test_output_that_is_shortened_is_compared_around_the_marks(expected, fits):
    if fits:
        check(["a", "b", "c"], expected)
    else:
        with pytest.raises(AssertionError):
            check(["a", "b", "c"], expected)


def test_questions_are_answered_by_what_stands_below_them(root, tmp_path, monkeypatch):
    questions = (root / "puretls" / "manual" / "inspect.md").read_text("utf-8").partition("\n## Questions\n")[2]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    names = {"__name__": "questions"}
    count = 0
    for language, step in steps(questions):
        if language == "python":
            exec(compile(step, "inspect.md", "exec"), names)
            continue
        for command, expected in step:
            check(printed(command), expected)
            count += 1
    assert count > 10


def commands(page):
    """The commands of the shell blocks of a page, but for those that need the network or another program."""
    for block in re.findall(r"```(?:sh|shell)\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["puretls"] and not any("example.org" in word or "HOST" in word for word in words):
                yield words[1 : next((at for at, word in enumerate(words) if word in {">", "|"}), None)]


def test_commands_of_the_pages_work_as_they_are_written(root, tmp_path, monkeypatch):
    pytest.importorskip("dpkt", reason="captures need the extra capture")
    monkeypatch.chdir(tmp_path)
    conversations = [replay(Tape.load(FOLDER / TAPES[number])).conversations[0] for number in (3, 4, 5)]
    write_capture("dump.pcapng", *conversations, without_secrets=True)
    handshakes = [handshake for conversation in conversations for handshake in conversation.handshakes]
    lines = [key_log_line(CLIENT_RANDOM, one.client_random, one.found.master) for one in handshakes]
    (tmp_path / "keys.log").write_text("\n".join(lines))
    count = 0
    for page in sorted((root / "puretls" / "manual").glob("inspect*.md")):
        for command in commands(page.read_text("utf-8")):
            told = in_process(*command)
            assert told.returncode == 0, (page.name, command, told.stderr)
            assert told.stdout or told.stderr
            count += 1
    assert count > 25
