"""The questions of the manual: every command there is run as it is written, and prints what stands below it."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.cli.command import ENVIRONMENT

LEFT_OUT = "[...]"
PROGRAMS = {"puretls": [sys.executable, "-m", "puretls"], "python": [sys.executable]}


def steps(page):
    """The blocks of a page in order: ("python", text), or ("console", [(command, lines of output)])."""
    for language, text in re.findall(r"```(python|console)\n(.*?)```", page, re.DOTALL):
        if language == "python":
            yield language, text
        else:
            parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
            assert parts[0] == ""
            yield language, list(zip(parts[1::2], (part.splitlines() for part in parts[2::2]), strict=True))


def printed(command, folder):
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [*PROGRAMS[program], *arguments],
        cwd=folder,
        env=ENVIRONMENT | {"COLUMNS": "80", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
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
    names = {"__name__": "questions"}
    count = 0
    for language, step in steps(questions):
        if language == "python":
            exec(compile(step, "inspect.md", "exec"), names)
            continue
        for command, expected in step:
            check(printed(command, tmp_path), expected)
            count += 1
    assert count > 10
