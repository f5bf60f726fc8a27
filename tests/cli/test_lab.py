"""`puretls lab`: what it shows at the widths that people have, and what it says when something is wrong."""

import pytest

from puretls.labs import lab
from tests.cli.command import in_process

LABS = sorted(lab.MODULES)


def test_list_names_every_lab_and_fits_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = in_process("lab", "list").stdout
    assert max(map(len, out.splitlines())) <= 80
    assert [line.split()[0] for line in out.splitlines()[1:]] == [str(number) for number in LABS]


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("number", LABS)
def test_show_fits_the_terminal(monkeypatch, number, columns):
    monkeypatch.setenv("COLUMNS", columns)
    shown = in_process("lab", "show", number)
    assert shown.returncode == 0, shown.stderr
    assert f"Lab {number}: " in shown.stdout
    assert "](" not in shown.stdout
    assert all(line == line.rstrip() for line in shown.stdout.splitlines())
    assert max(map(len, shown.stdout.splitlines())) <= 80


SLOW = (2, 3, 4, 8, 9)
"""Labs whose attacks ask thousands of questions, of which tests/labs plays three seeds."""


@pytest.mark.parametrize("columns", ["80", pytest.param("120", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=pytest.mark.slow) if number in SLOW else number for number in LABS]
)
def test_run_shows_the_attack_and_the_twin(monkeypatch, number, columns):
    monkeypatch.setenv("COLUMNS", columns)
    shown = in_process("lab", "run", number)
    assert shown.returncode == 0, shown.stderr
    assert "Against the weak peer: " in shown.stdout
    assert "Against its fixed twin: it finds nothing out" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= int(columns)


def test_grade_judges_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from puretls.labs.length_over_read import reference as attack\n")
    graded = in_process("lab", "grade", 1, path, "--seeds", 2)
    assert graded.returncode == 0
    assert graded.stdout.startswith("lab 1: passed: won against the weak peer for 2 of 2 seeds")
    path.write_text("def attack(peer):\n    print('hm')\n    return peer.nothing\n")
    graded = in_process("lab", "grade", 1, path)
    assert graded.returncode == 1
    assert graded.stdout.splitlines()[:2] == ["It printed:", "  hm"]
    assert "lab 1: not passed: mine.py, line 3: AttributeError" in graded.stdout


ERRORS = {
    "no such lab": (("lab", "show", "99"), "no lab 99"),
    "no number": (("lab", "show", "one"), "'one' is not"),
    "no file": (("lab", "grade", "1", "/nowhere/mine.py"), "/nowhere/mine.py: No such file or directory"),
    "no action": (("lab", "break"), "invalid choice"),
    "no seed": (("lab", "run", "1", "--seed", "-1"), "not a seed"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_is_one_line_and_status_2(name):
    arguments, text = ERRORS[name]
    done = in_process(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
