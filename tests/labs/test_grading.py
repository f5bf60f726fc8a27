"""Answer files of learners: judged in this process and in a child, whatever they do."""

import os
import signal
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from puretls.errors import InternalError, UsageError
from puretls.labs import grading
from puretls.labs.grading import Failed, Verdict
from tests.labs.graders import doubles, is_broken, notes


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "answer.py"
        path.write_text(dedent(text))
        return path

    return write


RIGHT = "def double(number):\n    return number * 2\n"
FAULTS = {
    "wrong": ("def double(number):\n    return number\n", "double(21) gave 21"),
    "raises": ("def double(number):\n    x = 1\n    return x / 0\n", "answer.py, line 3: ZeroDivisionError: division by zero"),
    "raises at once": ("x = 1\nraise ValueError('two\\nlines')\n", "answer.py, line 2: ValueError: two"),
    "no Python": ("def double(:\n", "answer.py, line 1: SyntaxError: invalid syntax"),
    "nothing": ("", "the file defines no function double(number)"),
    "no function": ("double = 2\n", "the file defines no function double(number)"),
    "exits": ("import sys\nsys.exit(0)\n", "answer.py, line 2: SystemExit: 0"),
    "never returns": (
        "def double(number):\n    return double(number)\n",
        "answer.py, line 2: RecursionError: maximum recursion depth exceeded",
    ),
    "not text": ("\0", "answer.py"),
    "raises what is no Exception": (
        "class Mine(BaseException): pass\ndef double(number):\n    raise Mine('so')\n",
        "answer.py, line 3: Mine: so",
    ),
    "raises what has no text": (
        "class Mine(Exception):\n    def __str__(self):\n        raise ValueError\ndef double(number):\n    raise Mine\n",
        "answer.py, line 5: Mine",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_answer_is_a_line_that_tells_where(written, name):
    text, line = FAULTS[name]
    verdict = grading.here(written(text), doubles, 21)
    assert not verdict.passed
    assert verdict.lines[0].startswith(line)


def test_a_right_answer_passes_and_what_it_printed_is_kept(written):
    path = written("def double(number):\n    print('so far', number)\n    return number * 2\n")
    assert grading.here(path, doubles, 21) == Verdict(True, ("double(21) gave 42",), "so far 21\n")
    assert grading.in_child(path, doubles, 21) == Verdict(True, ("double(21) gave 42",), "so far 21\n")


def test_dataclasses_and_modules_beside_the_file_can_be_used(written, tmp_path):
    (tmp_path / "beside_it.py").write_text("FACTOR = 2\n")
    path = written("""
        from __future__ import annotations
        from dataclasses import dataclass
        import random
        from beside_it import FACTOR

        @dataclass
        class Doubled:
            number: int

        def double(number):
            return Doubled(number * FACTOR).number if random.random() < 1 else None
        """)
    (tmp_path / "random.py").write_text("raise ImportError('stands in for the module of the standard library')\n")
    assert grading.in_child(path, doubles, 21).passed


BAD_ENDS = {
    "never ends": ("def double(number):\n    while True: pass\n", "answer.py does not come to an end: stopped after 0.5 seconds"),
    "prints much": ("while True: print('x' * 10_000)\n", "answer.py prints more than 1 MB: stopped"),
    "ends the process": ("import os\nos._exit(3)\n", "answer.py ended the process before it was judged (status 3)"),
    "closes its output and sleeps": (
        "import os, time\nos.close(1); os.close(2)\ntime.sleep(60)\n",
        "answer.py does not come to an end: stopped after 0.5 seconds",
    ),
}


@pytest.mark.parametrize("name", BAD_ENDS)
def test_a_child_that_ends_badly_is_a_verdict(written, name):
    text, line = BAD_ENDS[name]
    seconds = 0.5 if "0.5" in line else 30
    verdict = grading.in_child(written(text), doubles, 21, seconds=seconds)
    assert (verdict.passed, verdict.lines) == (False, (line,))
    assert len(verdict.printed) <= grading.KEPT


def test_where_an_answer_does_not_come_to_an_end_is_told(written):
    verdict = grading.in_child(written("def loop():\n    while True: pass\n"), notes, seconds=0.8)
    assert verdict.lines == ("answer.py does not come to an end (the first half): stopped after 0.8 seconds",)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process reliably")
def test_memory_of_the_child_is_bounded(written):
    verdict = grading.in_child(written("x = bytearray(2**31)\n"), doubles, 21, megabytes=512)
    assert verdict.lines == ("answer.py, line 1: MemoryError",)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes have no groups here")
def test_what_the_answer_started_does_not_hold_up_its_verdict(written):
    path = written("""
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)"])

        def double(number):
            return number * 2
        """)
    assert grading.in_child(path, doubles, 21, seconds=900).passed


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes have no groups here")
def test_what_the_answer_started_is_ended_with_it(written, tmp_path):
    path = written(f"""
        import subprocess, sys
        started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open({str(tmp_path / "pid")!r}, "w").write(str(started.pid))
        while True: pass
        """)
    verdict = grading.in_child(path, doubles, 21, seconds=1)
    assert not verdict.passed
    pid = int((tmp_path / "pid").read_text())
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_what_has_left_the_group_does_not_hold_up_the_verdict(written, tmp_path):
    path = written(f"""
        import os, time
        left = os.fork()
        if left == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        while os.getpgid(left) != left: time.sleep(0.01)
        open({str(tmp_path / "pid")!r}, "w").write(str(left))

        def double(number):
            return number * 2
        """)
    assert grading.in_child(path, doubles, 21).passed
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # it is there to be ended: nobody waited for it


def test_an_answer_that_closes_its_output_is_judged(written):
    assert grading.in_child(written(RIGHT + "import sys\nsys.stdout.close()\n"), doubles, 21).passed


def test_a_fault_of_the_grader_is_not_blamed_on_the_answer(written):
    with pytest.raises(InternalError, match="KeyError"):
        grading.in_child(written(RIGHT), is_broken)
    with pytest.raises(KeyError):
        grading.here(written(RIGHT), is_broken)


@pytest.mark.parametrize("judge", [grading.here, grading.in_child])
def test_a_file_that_is_not_there_is_a_usage_error(tmp_path, judge):
    with pytest.raises(UsageError, match=r"nowhere\.py: No such file or directory"):
        judge(tmp_path / "nowhere.py", doubles, 21)


def test_failures_of_what_is_called_pass_once():
    def refuses():
        raise Failed("said by somebody else")

    with pytest.raises(Failed, match=r"^said by somebody else$"):
        grading.call(refuses)
