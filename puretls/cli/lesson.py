"""`puretls lesson`: the lessons, read here with their programs running, and the files that answers begin with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from puretls.cli.output import STANDARD

if TYPE_CHECKING:
    from puretls.labs.lessons.lesson import Lesson
    from puretls.labs.lessons.reading import Piece

WIDTH = 80
"""Prose is easier to read in lines that are not longer, however wide the terminal is."""


def add_parser(subparsers: Any) -> None:
    """Declare the options."""
    from puretls.cli.ranges import NUMBER

    parser = subparsers.add_parser(
        "lesson", help="lessons on TLS 1.2, with exercises", description=f"{__doc__} Marked by: puretls grade"
    )
    parser.add_argument("number", nargs="?", type=NUMBER, metavar="N", help="read this one; without a number they are listed")
    parser.add_argument(
        "--exercise",
        metavar="FILE",
        help="write the file that an answer begins with, instead; - prints it; one that exists is not overwritten",
    )


def run(arguments: argparse.Namespace) -> int:
    """List, read, or write the file of the exercises."""
    from puretls.errors import UsageError
    from puretls.labs.lessons.lesson import lesson

    if arguments.number is not None and arguments.exercise is not None:
        return _begin(lesson(arguments.number), arguments.exercise)
    if arguments.exercise is not None:
        raise UsageError("which lesson's exercises? Say puretls lesson N --exercise FILE")
    return _list() if arguments.number is None else _read(lesson(arguments.number))


def _list() -> int:
    from puretls.cli.output import table, wrapped
    from puretls.labs.lessons.lesson import LESSONS

    rows = [(f"{one.number:>2}", one.title, ", ".join(each.name for each in one.exercises)) for one in LESSONS]
    table(("N", "lesson", "exercises"), rows)
    hint = "puretls lesson N reads one; puretls lesson N --exercise FILE writes the file that its exercises begin with."
    print("\n" + "\n".join(wrapped(hint)))
    return 0


def _begin(lesson: Lesson, path: str) -> int:
    if path == STANDARD:
        print(lesson.skeleton, end="")
        return 0
    with open(path, "x", encoding="utf-8") as file:
        file.write(lesson.skeleton)
    print(f"{path}: write your lines into it, then puretls grade lesson {lesson.number} {path}")
    return 0


def _read(lesson: Lesson) -> int:
    """Prints the page section by section; where a person reads, the next comes when asked for."""
    from puretls.labs.lessons.reading import played

    reader = sys.stdin.isatty() and sys.stdout.isatty()
    for section, parts in groupby(played(lesson.page), key=lambda piece: piece.section):
        if reader and section > 1 and not _goes_on():
            return 0
        for piece in parts:
            print("\n".join(_lines(piece)))
    return 0


def _lines(piece: Piece) -> Iterator[str]:
    """A piece and an empty line. What a program printed has a bar in front."""
    from puretls.cli import markdown, output
    from puretls.labs.lessons.reading import OUTPUT, PROSE

    look = output.palette()
    if piece.kind == PROSE:
        yield from markdown.lines(piece.text, min(output.columns(), WIDTH), look)
        return
    mark, role = ("  | ", "field") if piece.kind == OUTPUT else ("    ", "framing")
    for line in piece.text.splitlines():
        yield look.paint(role, f"{mark}{line}".rstrip())
    yield ""


def _goes_on() -> bool:
    """Whether the reader wants more."""
    try:
        answer = input("-- Enter: go on, q: stop -- ")
    except EOFError:
        answer = "q"
    print()
    return answer.strip().lower() not in {"q", "quit"}
