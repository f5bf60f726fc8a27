"""The labs: each reference attack wins against the weak peer and never against its twin, each wrong one fails; their texts, their place."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import puretls.labs
from puretls.errors import UsageError
from puretls.labs import grading, lab, local

LABS = sorted(lab.MODULES)
QUICK = (1, 6)
"""Labs that stand for the others where each costs a process."""


@pytest.mark.parametrize("number", LABS)
def test_reference_attack_wins_against_the_weak_peer_alone(number):
    found = lab.load(number)
    assert lab.attempt(found, found.reference, 1, fixed=False).passed
    assert not lab.wins_against_the_twin(found, found.reference, 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", LABS)
def test_reference_attack_wins_for_twenty_of_twenty_seeds(number):
    assert lab.grade({"attack": lab.load(number).reference}, number, 20).passed


ANSWERS = sorted((Path(__file__).parent / "answers").glob("lab_*.py"))


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_lab_is_solved_by_thirty_lines_without_the_library(path):
    source = path.read_text()
    assert len([line for line in source.splitlines() if line.strip()]) <= 30
    assert "puretls" not in source


@pytest.mark.slow
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_answer_that_follows_the_text_passes(path):
    verdict = grading.in_child(path, lab.grade, int(path.stem.removeprefix("lab_")), 1)
    assert verdict.passed, verdict.lines


WRONG = [(number, wrong.name) for number in LABS for wrong in lab.load(number).wrong]


@pytest.mark.parametrize(("number", "name"), WRONG, ids=[f"{number}-{name}" for number, name in WRONG])
def test_wrong_attack_is_told_so(number, name):
    wrong = next(each for each in lab.load(number).wrong if each.name == name)
    verdict = grading.judged(lab.grade, {"attack": wrong.attack}, number, 1)
    assert not verdict.passed
    assert all(verdict.lines)


@pytest.mark.parametrize("number", LABS)
def test_lab_is_whole(number):
    found = lab.load(number)
    assert found.number == number
    assert len(found.wrong) >= 3
    assert all(each.why for each in found.wrong)
    assert all(re.fullmatch(r"\d+ [0-9A-Z][0-9.]*", section) for section in found.rfc)


@pytest.mark.parametrize("number", LABS)
def test_answers_of_any_kind_are_judged(number):
    found = lab.load(number)
    peer = found.peer(1, False)
    for answer in (None, 0, -1, 2**4000, "", "text", b"", b"bytes", [], {}, object(), (), ("a", "b"), [None], float("nan")):
        verdict = found.check(peer, answer)
        assert not verdict.passed
        assert verdict.lines


@pytest.mark.parametrize("number", LABS)
def test_text_of_a_lab_says_what_it_must(root, number):
    found = lab.load(number)
    text = lab.page(found)
    flat = re.sub(r"\s+(> )?", " ", text)
    assert text.startswith(f"# Lab {number}: ")
    for heading in ("## What went wrong", "## The task", "## Hints", "## What puretls does", "## What was scaled down"):
        assert heading in text
    for section in found.rfc:
        number_of, _, place = section.partition(" ")
        assert re.search(rf"RFC {number_of} (section )?{re.escape(place)}", flat), section
    assert "](../attacks.md" in text
    assert f"puretls lab grade {number} FILE" in text
    assert f"labs/{found.text}" in (root / "puretls" / "manual" / "attacks.md").read_text()
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    assert 300 <= len(prose.split()) <= 700


@pytest.mark.parametrize("number", LABS)
def test_the_beginning_that_a_text_offers_runs_and_does_not_pass(number):
    source = re.findall(r"```python\n(.*?)```", lab.page(lab.load(number)), re.S)[0]
    answer = {}
    exec(compile(source, "beginning.py", "exec"), answer)
    verdict = lab.grade(answer, number, 1)
    assert not verdict.passed
    assert "weak peer: not yet" in verdict.lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("number", LABS)
def test_the_same_seed_makes_the_same_peer(number):
    found = lab.load(number)
    said = [found.check(peer, found.reference(peer)).lines for peer in (found.peer(7, False), found.peer(7, False))]
    assert said[0] == said[1]


def test_who_reads_secrets_from_the_peer_wins_against_both_and_does_not_pass():
    verdict = lab.grade({"attack": lambda peer: peer._cookie}, 1, 3)
    assert not verdict.passed
    assert "fixed twin: it wins there, too" in verdict.lines[0]


class Anything:
    """Is equal to everything, or to nothing with an error."""

    def __eq__(self, other):
        raise ZeroDivisionError

    __hash__ = object.__hash__


def test_an_answer_of_a_class_of_its_own_does_not_pass():
    verdict = grading.judged(lab.grade, {"attack": lambda peer: Anything()}, 1, 1)
    assert verdict.lines == ("attack(peer) returned an object of its class Anything, not a plain value",)


def test_what_was_returned_is_told_when_it_is_wrong():
    verdict = lab.grade({"attack": lambda peer: b"\x00" * 1000}, 1, 1)
    assert verdict.lines[:2] == ("seed 1, weak peer: not yet.", r"attack(peer) returned b'\x00\x00\x0...0\x00\x00\x00'.")


@pytest.mark.parametrize("answer", [10**5000, [10**5000], (), float("nan")], ids=["int", "list", "empty", "nan"])
def test_what_python_cannot_write_out_is_judged(answer):
    verdict = lab.grade({"attack": lambda peer: answer}, 1, 1)
    assert verdict.lines[0] == "seed 1, weak peer: not yet."


def test_a_lab_that_there_is_not_is_a_usage_error():
    with pytest.raises(UsageError, match="no lab 99: there are 1 to"):
        lab.load(99)


def test_a_peer_answers_no_more_when_it_was_asked_too_often():
    calls = lab.Calls(2)
    calls()
    calls()
    with pytest.raises(lab.OutOfCalls, match="2 times"):
        calls()


# Where labs are loaded from, and where they listen


def _loaded(root, statement):
    script = f"import sys\n{statement}\nprint(sorted(name for name in sys.modules if name.startswith('puretls.labs')))"
    return subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True, timeout=60).stdout


TOPS = "puretls.cli, puretls.inspect, puretls.inspect.render.page, puretls.ssl, puretls.net.blocking, puretls.qt, puretls.testing.plugin"


def test_neither_facades_nor_the_command_load_the_labs_before_they_are_asked_for(root):
    assert _loaded(root, f"import {TOPS}\nfrom puretls.cli import parser\nparser()").strip() == "[]"


@pytest.mark.slow
def test_no_module_of_the_library_loads_the_labs(root):
    names = [name for _, name, _ in pkgutil.walk_packages(importlib.import_module("puretls").__path__, "puretls.")]
    elsewhere = (
        "puretls.labs",
        "puretls.__main__",
        "puretls.net.pyodide",
        "puretls.net.js",
        "puretls.qt.pyside",
        "puretls.crypto.backends",
    )
    wanted = [name for name in names if not name.startswith(elsewhere)]
    assert len(wanted) > 200
    each = "    try:\n        importlib.import_module(name)\n    except ImportError:\n        pass\n"
    assert _loaded(root, f"import importlib\nfor name in {wanted!r}:\n{each}").strip() == "[]"


@pytest.mark.parametrize(
    "number", [number if number in QUICK else pytest.param(number, marks=pytest.mark.slow) for number in LABS]
)
def test_lab_needs_nothing_but_the_library(root, number):
    """`_ssl` is blocked, too."""
    blocked = ("ssl", "_ssl", "_hashlib", "hypothesis", "rich", "tlslite", "ecdsa", "gmpy2", "numpy")
    grading = f"assert lab.grade({{'attack': lab.load({number}).reference}}, {number}, 1).passed"
    statement = f"for name in {blocked!r}: sys.modules[name] = None\nfrom puretls.labs import lab\n{grading}"
    assert "puretls.labs.lab" in _loaded(root, statement)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_weak_code_may_listen_on_loopback(host):
    try:
        listener = local.listen(host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with listener:
        assert listener.getsockname()[0] == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "localhost",
        "127.0.0.2",
        "127.1",
        "::ffff:127.0.0.1",
        "0:0:0:0:0:0:0:1",
        "192.0.2.1",
        " 127.0.0.1",
        b"::1",
        None,
    ],
)
def test_weak_code_listens_nowhere_else(host):
    with pytest.raises(local.NotLocal, match=r"127\.0\.0\.1 or ::1 alone"):
        local.listen(host)


def test_an_address_that_claims_to_be_equal_to_all_is_none():
    class Every(str):
        def __eq__(self, other):
            return True

        def __hash__(self):
            return hash("127.0.0.1")

    with pytest.raises(local.NotLocal, match="not on Every"):
        local.listen(Every("0.0.0.0"))
    with pytest.raises(local.NotLocal, match=r"not on '0\.0\.0\.0'"):
        local.listen("0.0.0.0")


def test_labs_are_imported_by_the_command_alone(root):
    """The import-linter's contracts of this are in pyproject.toml; that they are there is checked here."""
    text = (root / "pyproject.toml").read_text()
    assert 'protected_modules = ["puretls.labs"]' in text
    assert puretls.labs.__doc__
