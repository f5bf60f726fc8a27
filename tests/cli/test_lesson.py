"""`puretls lesson` and `puretls grade`: what they print, in 80 and 120 columns, and how they end."""

import csv
import io
import os
import pty
import subprocess
import sys

import pytest

from puretls.labs.lessons.lesson import LESSONS
from tests.cli.command import ENVIRONMENT, ROOT, in_process

ANSWERS = ROOT / "tests" / "labs" / "answers"
RIGHT = (ANSWERS / "lesson_01.py").read_text()


WHOLE = "\n--whole shows values at full length, as Python that can be pasted\n"


@pytest.fixture
def written(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


# Reading


def test_lessons_are_listed():
    result = in_process("lesson")
    assert (result.returncode, result.stderr) == (0, "")
    for one in LESSONS:
        assert f"{one.number:>2}  {one.title}" in result.stdout


@pytest.mark.parametrize(
    ("one", "width"),
    [*((one, 80) for one in LESSONS), (LESSONS[0], 120)],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_lesson_is_read_with_its_programs_running(one, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    result = in_process("lesson", one.number)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{one.number}. {one.title}\n\nAfter this lesson you can ")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\n  | " in result.stdout
    assert "\x1b" not in result.stdout


def in_a_terminal(*arguments, typed, **environment):
    """What the command writes to a terminal in which somebody types."""
    near, far = pty.openpty()
    command = [sys.executable, "-m", "puretls", *arguments]
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=ENVIRONMENT | environment, close_fds=True)
    os.close(far)
    os.write(near, typed.encode())
    shown = b""
    while True:
        try:
            data = os.read(near, 65536)
        except OSError:  # how Linux tells that the other end has gone
            break
        if not data:
            break
        shown += data
    os.close(near)
    return process.wait(timeout=30), shown.decode().replace("\r\n", "\n")


def test_in_a_terminal_it_comes_section_by_section():
    status, shown = in_a_terminal("lesson", "1", typed="\nq\n", COLUMNS="80", NO_COLOR="1", TERM="xterm")
    assert status == 0
    assert shown.count("-- Enter: go on, q: stop --") == 2
    assert "The header of a record" not in shown.split("-- Enter")[0]
    assert "\x1b[" not in shown
    status, shown = in_a_terminal("lesson", "1", typed="q\n", COLUMNS="80", TERM="xterm")
    assert "\x1b[1m1. Bytes and records" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lesson", "99"], "there is no lesson 99: they count from 1 to"),
        (["lesson", "0"], "is not a number that counts from 1"),
        (["lesson", "one"], "is not a number that counts from 1"),
        (["lesson", "--exercise", "x.py"], "which lesson's exercises? Say puretls lesson N --exercise FILE"),
        (["lesson", "1", "--exercise", "/nonexistent/x.py"], "/nonexistent/x.py: No such file or directory"),
        (["grade", "lesson", "1", "/nonexistent.py"], "/nonexistent.py: No such file or directory"),
        (["grade", "lesson", "99", __file__], "there is no lesson 99"),
        (["grade", "lesson", "1"], "the following arguments are required: FILE"),
        (["grade", "lesson", "1", os.sep], "Is a directory"),
        (["grade", "--csv", "/nonexistent"], "/nonexistent: no such folder"),
        (
            ["grade", "--csv", "/", "lesson", "1", "x.py"],
            "say what to mark: puretls grade lesson N FILE, or puretls grade --csv FOLDER",
        ),
        (["grade", "--seconds", "5"], "say what to mark: puretls grade lesson N FILE, or puretls grade --csv FOLDER"),
        (["grade", "lesson", "1", "x.py", "--seconds", "nan"], "is not a number of seconds from"),
    ],
)
def test_misuse_is_one_line_and_status_2(arguments, words):
    result = in_process(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


# Marks


def test_from_the_skeleton_to_the_mark(tmp_path):
    file = tmp_path / "records.py"
    assert (
        in_process("lesson", 1, "--exercise", file).stdout
        == f"{file}: write your lines into it, then puretls grade lesson 1 {file}\n"
    )
    assert in_process("lesson", 1, "--exercise", file).stderr == f"puretls: {file}: File exists\n"
    result = in_process("grade", "lesson", 1, file)
    assert (result.returncode, result.stdout.splitlines()[:2]) == (
        1,
        ["0 of 3 exercises passed", "record_header: not written yet"],
    )
    file.write_text(RIGHT)
    result = in_process("grade", "lesson", 1, file)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "3 of 3 exercises passed"


def test_a_wrong_answer_is_told_in_80_columns(written, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    file = written("wrong.py", RIGHT.replace("return data[0], ", "return data[1], ") + "\nprint('so \\x1b[31mfar')\n")
    result = in_process("grade", "lesson", 1, file)
    assert result.returncode == 1
    told = result.stdout.splitlines()
    at = told.index("record_header: failed in case 1")
    assert [line[:11] for line in told[at + 1 : at + 6]] == [
        "  call     ",
        "  expected ",
        "  got      ",
        "  so       ",
        "  hint     ",
    ]
    assert max(map(len, told)) <= 80
    assert "\x1b" not in result.stdout
    assert WHOLE in result.stdout
    assert "printed by the file:\n  so \\x1b[31mfar" in result.stdout


def test_whole_values_can_be_pasted(written):
    file = written("wrong.py", RIGHT.replace("return data[0], ", "return data[1], "))
    told = in_process("grade", "lesson", 1, file, "--whole").stdout.splitlines()
    call, expected = (
        next(line for line in told if line.startswith(f"  {label}")).removeprefix(f"  {label}")
        for label in ("call     ", "expected ")
    )
    namespace = {}
    exec(RIGHT, namespace)
    assert eval(call, namespace) == eval(expected)


def test_an_exercise_that_raises_is_told_with_its_line(written):
    file = written("raises.py", RIGHT.replace("    return data[0],", "    data.x\n    return data[0],"))
    result = in_process("grade", "lesson", 1, file)
    assert "  raised   raises.py, line 5: AttributeError: 'bytes' object has no attribute 'x'" in result.stdout
    assert "split_records: passed" in result.stdout


def test_an_exercise_that_never_ends_is_stopped(written):
    file = written("slow.py", RIGHT.replace("    return data[0],", "    __import__('time').sleep(60)\n    return data[0],"))
    result = in_process("grade", "lesson", 1, file, "--seconds", "0.7")
    assert (result.returncode, result.stdout) == (1, "slow.py does not come to an end: stopped after 0.7 seconds\n")


@pytest.mark.slow
def test_a_class_is_a_table_whatever_is_in_the_files(written, tmp_path):
    written("ann/records.py", RIGHT)
    written("bob/records.py", RIGHT.replace("return data[0], ", "return data[1], "))
    written("cy.py", "# puretls lesson 1\nimport time\ntime.sleep(60)\n")
    written(".venv/dee.py", "# puretls lesson 1\n")
    written("eve.py", "# puretls lesson 1\nimport os\nos._exit(0)\n")
    written("fay.py", "print('hello')\n")
    written("=gus().py", LESSONS[1].skeleton)
    (tmp_path / "hal.py").write_bytes(b"# puretls lesson 1\n\xff\0")
    (tmp_path / "notes.txt").write_text("no answer")
    result = in_process("grade", "--csv", tmp_path, "--seconds", "5")
    assert (result.returncode, result.stderr) == (1, "")
    head, *rows = csv.reader(io.StringIO(result.stdout))
    assert head == ["file", "lesson", "passed", "summary", "details"]
    told = {row[0]: row[1:4] for row in rows}
    assert told == {
        "'=gus().py": ["2", "no", "0 of 3 exercises passed"],
        "ann/records.py": ["1", "yes", "3 of 3 exercises passed"],
        "bob/records.py": ["1", "no", "2 of 3 exercises passed"],
        "cy.py": ["1", "no", "cy.py does not come to an end: stopped after 5 seconds"],
        "eve.py": ["1", "no", "eve.py ended the process before it was judged (status 0)"],
        "fay.py": ["", "no", 'no line "# puretls lesson N" says which lesson it is for'],
        "hal.py": ["1", "no", told["hal.py"][2]],
    }
    assert told["hal.py"][2].startswith("hal.py")
    assert len(result.stdout.splitlines()) == len(rows) + 1


def test_a_class_that_passed_has_status_0(written, tmp_path):
    (tmp_path / "notepad.py").write_text(RIGHT, "utf-8-sig")
    written("ann.py", RIGHT)
    assert in_process("grade", "--csv", tmp_path).returncode == 0


def test_folder_without_answers_is_told(tmp_path):
    result = in_process("grade", "--csv", tmp_path)
    assert (result.returncode, result.stderr) == (2, f"puretls: {tmp_path}: there is no .py file in it\n")
