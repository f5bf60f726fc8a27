"""Lessons: pages whose programs print what the page says, and exercises whose graders pass right answers and fail wrong ones."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from puretls.errors import UsageError
from puretls.iana import ContentType
from puretls.labs import grading
from puretls.labs.lessons import marking
from puretls.labs.lessons.lesson import LESSONS, lesson, lesson_of
from puretls.labs.lessons.reading import CODE, page_of, pieces, played
from tests.cli.command import ENVIRONMENT
from tests.labs.answers.wrong import WRONG

ANSWERS = Path(__file__).parent / "answers"
NAMED = pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.name)


def answer(one):
    return (ANSWERS / f"lesson_{one.number:02}.py").read_text()


def exercises():
    return [(one, exercise) for one in LESSONS for exercise in one.exercises]


# Pages


@NAMED
def test_programs_of_a_page_print_what_it_says(one):
    page = page_of(played(one.page, f"{one.name}.md"))
    assert page == one.page, "python tools/lessons.py writes what the programs print into the pages"
    assert sum(piece.kind == CODE for piece in pieces(one.page)) >= 3


@NAMED
def test_page_has_a_form_that_readers_know(one):
    page = one.page
    assert page.startswith(f"# {one.number}. {one.title}\n\nAfter this lesson you can ")
    assert "\n## Questions\n" in page
    assert page.count("\n## Answers\n\n1. ") == 1
    assert f"puretls lesson {one.number} --exercise" in page
    assert f"puretls grade lesson {one.number} " in page
    assert 600 <= len(page.split()) <= 1200
    assert 2 <= len(one.exercises) <= 3


@NAMED
def test_exercises_are_those_of_the_page(one):
    written = "".join(piece.text for piece in pieces(one.page) if piece.kind == "python exercise")
    assert re.findall(r"^def (\w+)\(", written, re.M) == [exercise.name for exercise in one.exercises]


@NAMED
def test_lines_of_programs_and_of_what_they_print_fit_80_columns(one):
    code = [line for piece in pieces(one.page) if piece.kind for line in piece.text.splitlines()]
    assert max(map(len, code)) <= 76


def test_pieces_make_the_page_again():
    text = "# 1. T\n\nA\nb\n\n## S\n\n```python\nprint(1)\n```\n\n```text output\n2\n```\n\nend\n"
    assert page_of(pieces(text)) == text
    assert page_of(played(text)) == text.replace("2", "1")


def test_index_lists_every_lesson(root):
    index = (root / "puretls" / "manual" / "lessons" / "index.md").read_text()
    for one in LESSONS:
        assert f"| {one.number} | [{one.title}]({one.number:02}-{one.name}.md) |" in index


def test_lessons_run_with_nothing_but_the_library(root):
    """Not even with OpenSSL: `ssl` and `hashlib`'s part of it are blocked, and so are all extras."""
    program = """
import sys
for name in ("_ssl", "ssl", "_hashlib", "hypothesis", "rich", "dpkt", "cryptography", "gmpy2", "numpy"):
    sys.modules[name] = None
from puretls.labs.lessons.lesson import LESSONS
from puretls.labs.lessons.reading import page_of, played
for one in LESSONS:
    assert page_of(played(one.page)) == one.page, one.name
print(len(LESSONS))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.stderr) == (f"{len(LESSONS)}\n", "")


# Exercises


@NAMED
def test_right_answers_pass(one):
    verdict = grading.here(ANSWERS / f"lesson_{one.number:02}.py", marking.grade, one.number)
    assert verdict.passed, "\n".join(verdict.lines)
    assert verdict.lines[0] == f"{len(one.exercises)} of {len(one.exercises)} exercises passed"


@NAMED
def test_no_exercise_needs_more_than_thirty_lines(one):
    functions = [node for node in ast.parse(answer(one)).body if isinstance(node, ast.FunctionDef)]
    assert max(node.end_lineno - node.lineno + 1 for node in functions) <= 30


@pytest.mark.full
@NAMED
def test_right_answers_pass_in_a_child(one):
    assert grading.in_child(ANSWERS / f"lesson_{one.number:02}.py", marking.grade, one.number).passed


@pytest.mark.full
@NAMED
def test_right_answers_pass_whatever_the_seed(one):
    seeds = [f"seed {number}" for number in range(12)]
    verdict = grading.here(ANSWERS / f"lesson_{one.number:02}.py", marking.grade, one.number, False, seeds)
    assert verdict.passed, "\n".join(verdict.lines)


def test_every_exercise_has_three_wrong_answers():
    assert {(one.number, exercise.name): len(WRONG[one.number][exercise.name]) for one, exercise in exercises()} == {
        (one.number, exercise.name): 3 for one, exercise in exercises()
    }


@pytest.mark.parametrize(("one", "exercise"), exercises(), ids=lambda each: each.name)
def test_wrong_answers_fail_and_are_told_what_was_expected(one, exercise, tmp_path):
    for number, (right, wrong) in enumerate(WRONG[one.number][exercise.name]):
        source = answer(one)
        assert right in source, right
        file = tmp_path / f"wrong{number}.py"
        file.write_text(changed(source, exercise.name, right, wrong))
        lines = grading.here(file, marking.grade, one.number).lines
        said = "\n".join(lines)
        assert f"{exercise.name}: failed in case " in said, f"{wrong}: {said}"
        assert "  expected " in said
        assert "  got      " in said or "  raised   " in said
        assert "  hint     " in said
        assert max(map(len, lines)) < 500


def changed(source, name, right, wrong):
    """The source with a change inside the function of this name, and nowhere else."""
    start = source.index(f"def {name}(")
    end = source.find("\ndef ", start)
    end = len(source) if end < 0 else end
    assert right in source[start:end], f"{name} has no {right!r}"
    return source[:start] + source[start:end].replace(right, wrong, 1) + source[end:]


@pytest.mark.parametrize(("one", "exercise"), exercises(), ids=lambda each: each.name)
def test_cases_are_the_same_in_every_run_and_other_ones_for_another_seed(one, exercise):
    first, again, other = (list(exercise.cases(seed)) for seed in ("first", "first", "other"))
    assert first == again
    assert first != other
    assert 4 <= len(first) <= 60


@NAMED
def test_skeleton_is_python_that_knows_its_lesson_and_passes_nothing(one, tmp_path):
    file = tmp_path / "skeleton.py"
    file.write_text(one.skeleton)
    verdict = grading.here(file, marking.grade, one.number)
    assert verdict.lines == (
        f"0 of {len(one.exercises)} exercises passed",
        *(f"{exercise.name}: not written yet" for exercise in one.exercises),
    )
    assert lesson_of(one.skeleton) is one


@pytest.mark.parametrize("text", ["", "# puretls lesson", "# puretls lesson 0", "# puretls lesson 999", "# puretls lesson x"])
def test_file_that_names_no_lesson_is_of_none(text):
    assert lesson_of(text) is None


@pytest.mark.parametrize("number", [0, -1, 13, 999])
def test_lesson_that_there_is_not(number):
    with pytest.raises(UsageError, match=rf"there is no lesson {number}: they count from 1 to {len(LESSONS)}"):
        lesson(number)


def test_an_answer_may_print_and_change_what_it_gets(tmp_path):
    source = answer(LESSONS[0]).replace("    records = []\n", "    print('seen', len(stream))\n    records = []\n")
    source = source.replace(
        "def join_messages(fragments):\n",
        "def join_messages(fragments):\n    fragments = [fragments.pop(0) for _ in list(fragments)]\n",
    )
    file = tmp_path / "prints.py"
    file.write_text(source)
    verdict = grading.here(file, marking.grade, 1)
    assert verdict.passed
    assert verdict.printed.startswith("seen ")


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (b"\1\2\3", b"\1\2\4", "the first byte that differs is number 2, counted from 0"),
        (b"\1\2\3", b"\1\2", "the lengths differ: 3 bytes expected, 2 came"),
        (b"\1", None, "None comes also from a function that ends without return"),
        ((1, b"\2"), (1, b"\3"), "item 1, counted from 0, differs: expected 02 (1 byte), got 03 (1 byte)"),
        ([1, 2], [1], "2 items expected, 1 came"),
        (b"a", "a", "this should be a bytes, and is a str"),
        (True, 1, "this should be a bool, and is an int"),
        (1, [10**5000], "got      [<int>]"),
        (1, type("", (), {})(), "this should be an int, and is a"),
    ],
)
def test_difference_is_told(expected, got, words):
    case = marking.Case((), expected, "a hint")
    assert any(words in line for line in marking._case(lambda: got, case, marking.shown))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (b"a", bytearray(b"a")),
        ((1, 2), [1, 2]),
        ([(1, b"a")], [[1, memoryview(b"a")]]),
        ({1: (2,)}, {1: [2]}),
        (22, ContentType.HANDSHAKE),
        (None, None),
    ],
)
def test_forms_of_one_value_are_as_good(expected, got):
    assert marking._case(lambda: got, marking.Case((), expected, ""), marking.shown) == ()


class Anything:
    """Equal to all there is, as it says itself."""

    def __eq__(self, other):
        return True

    __hash__ = None


class AnyNumber(int):
    __eq__ = Anything.__eq__
    __hash__ = int.__hash__


class AnyText(str):
    __eq__ = Anything.__eq__
    __hash__ = str.__hash__


@pytest.mark.parametrize("forged", [Anything(), AnyNumber(), AnyText()], ids=["object", "int", "str"])
@pytest.mark.parametrize("shape", [lambda value: value, lambda value: (value, b"a"), lambda value: [value]], ids=["bare", "tuple", "list"])
@pytest.mark.parametrize("expected", [7, "x", None, b"a", True], ids=repr)
def test_what_says_that_it_is_equal_to_all_is_equal_to_nothing(shape, expected, forged):
    assert marking._case(lambda: shape(forged), marking.Case((), shape(expected), "a hint"), marking.shown) != ()


@pytest.mark.parametrize(("one", "exercise"), exercises(), ids=lambda each: each.name)
def test_values_of_every_case_can_be_pasted(one, exercise):
    for case in exercise.cases("first"):
        assert eval(marking.literal(case.arguments)) == case.arguments
        assert eval(marking.literal(case.expected)) == case.expected


def test_importing_puretls_loads_no_lesson(root):
    program = (
        "import sys, puretls, puretls.cli; puretls.cli.parser(); print([n for n in sys.modules if n.startswith('puretls.labs')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[]\n"
