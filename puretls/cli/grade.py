"""`puretls grade`: marks of answers to the exercises of lessons, of one file or of a whole class."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.errors import PuretlsError, UsageError

if TYPE_CHECKING:
    from puretls.labs.grading import Verdict

SECONDS = 20.0
COLUMNS = ("file", "lesson", "passed", "summary", "details")
LABEL = 11
"""Columns of what stands before the text of a line about a case, such as "  expected "."""
BEGINNING = 2**12
"""Bytes of a file in which the lesson's number is looked for."""
MOST = 1000
"""Characters of a cell."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    from puretls.cli.ranges import NUMBER
    from puretls.cli.ranges import SECONDS as RANGE

    parser = subparsers.add_parser(
        "grade",
        help="mark the exercises of lessons",
        description=f"{__doc__} Exit status 0: everything passed. 1: something did not. The answers run as programs of yours, "
        "in a process of their own with limits of time and memory: it is no sandbox.",
    )
    parser.add_argument(
        "--csv", metavar="FOLDER", help="mark every .py file in and below FOLDER and print a table, one row a file; the first line "
        "of a file says which lesson it is for, as puretls lesson N --exercise FILE writes it",
    )  # fmt: skip
    seconds = {"type": RANGE, "metavar": "SECONDS", "help": f"stop a file after so long ({SECONDS:g})"}
    parser.add_argument("--seconds", default=SECONDS, **seconds)
    kinds = parser.add_subparsers(title="what to mark", metavar="KIND", dest="kind")
    one = kinds.add_parser("lesson", help="mark one file", description="Mark one file of answers.")
    one.add_argument("number", type=NUMBER, metavar="N", help="the lesson's number")
    one.add_argument("file", metavar="FILE", help="the answers")
    one.add_argument(
        "--whole", action="store_true", help="show the values of a case at full length, as Python that can be pasted"
    )
    one.add_argument("--seconds", default=argparse.SUPPRESS, **seconds)


def run(arguments: argparse.Namespace) -> int:
    """Mark one file or all of a folder."""
    if (arguments.csv is None) == (arguments.kind is None):
        raise UsageError("say what to mark: puretls grade lesson N FILE, or puretls grade --csv FOLDER")
    return _one(arguments) if arguments.csv is None else _class(Path(arguments.csv), arguments.seconds)


def _verdict(file: Path, number: int, seconds: float, *, whole: bool = False) -> Verdict:
    from puretls.labs.grading import in_child
    from puretls.labs.lessons.marking import grade

    return in_child(file, grade, number, whole, seconds=seconds)


def _one(arguments: argparse.Namespace) -> int:
    from puretls.cli.output import wrapped
    from puretls.labs.lessons.lesson import lesson
    from puretls.text import printable

    verdict = _verdict(Path(arguments.file), lesson(arguments.number).number, arguments.seconds, whole=arguments.whole)
    for line in verdict.lines:
        label = LABEL if line.startswith(" ") else 0
        print(printable(line) if arguments.whole else "\n".join(wrapped(printable(line[label:]), line[:label])))
    if not arguments.whole and any(line.startswith("  call") for line in verdict.lines):
        print("\n--whole shows values at full length, as Python that can be pasted")
    if verdict.printed:
        print("\nprinted by the file:")
        print("\n".join(f"  {printable(line)}" for line in verdict.printed.splitlines()))
    return 0 if verdict.passed else 1


# A class


def _class(folder: Path, seconds: float) -> int:
    files = sorted(file for file in folder.rglob("*.py") if file.is_file() and not _hidden(file.relative_to(folder)))
    if not files:
        raise UsageError(f"{folder}: there is no .py file in it" if folder.is_dir() else f"{folder}: no such folder")
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    everything = True
    for file in files:
        number, passed, lines = _row(file, seconds)
        everything &= passed
        summary, *details = lines or ("",)
        row = (
            file.relative_to(folder).as_posix(),
            number,
            "yes" if passed else "no",
            summary,
            "; ".join(" ".join(each.split()) for each in details),
        )
        table.writerow(_cells(row))
        sys.stdout.flush()
    return 0 if everything else 1


def _hidden(file: Path) -> bool:
    """Whether it belongs to a program, such as a virtual environment in `.venv`, and not to the class."""
    return any(part.startswith(".") for part in file.parts)


def _row(file: Path, seconds: float) -> tuple[str, bool, tuple[str, ...]]:
    """The lesson's number, whether all passed, and what is to be said. Whatever is wrong with the file is told there."""
    from puretls.labs.lessons.lesson import MARK, lesson_of

    try:
        with file.open("rb") as answers:
            lesson = lesson_of(answers.read(BEGINNING).decode("utf-8-sig", "replace"))
        if lesson is None:
            return "", False, (f'no line "{MARK} N" says which lesson it is for',)
        verdict = _verdict(file, lesson.number, seconds)
    except (OSError, PuretlsError) as error:
        return "", False, (f"it could not be marked: {error}",)
    return str(lesson.number), verdict.passed, verdict.lines


def _cells(row: tuple[str, ...]) -> Iterator[str]:
    """Cells that a spreadsheet takes for text: what begins like a formula gets an apostrophe."""
    from puretls.text import printable

    for cell in row:
        text = printable(cell)[:MOST]
        yield f"'{text}" if text[:1] in set("=+-@") and text else text
