"""What a lesson is: a number, a name, a page of the manual, and exercises with their cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from puretls.errors import UsageError
from puretls.values import frozen

NAMES = (
    "records",
    "hello",
    "suites",
    "certificates",
    "key-exchange",
    "key-schedule",
    "finished",
    "record-layer",
    "resumption",
    "client-authentication",
    "alerts",
    "capture",
)
"""Names of the lessons in order; the first is lesson 1. Each is a page of the manual and a module beside this one."""
MARK = "# puretls lesson"
"""How an answer file says which lesson it is for: this, and the number."""


@frozen
class Case:
    """One thing that is tried: the arguments, what must come, and what to think about where something else comes."""

    arguments: tuple[Any, ...]
    expected: Any
    hint: str


@frozen
class Exercise:
    """A function that the learner writes. `cases` makes the cases of a seed, easy ones first; the same seed makes the same cases.

    Its task is the docstring of the function of that name on the lesson's page.
    """

    name: str
    cases: Callable[[str], Iterator[Case]]


@frozen
class Lesson:
    """One lesson; its number counts from 1."""

    number: int
    name: str

    @property
    def page(self) -> str:
        """The Markdown text. Its name in the manual is `lessons/NN-name.md`. Raises `UsageError` where it was not installed."""
        return _page(f"{self.number:02}-{self.name}.md")

    @property
    def title(self) -> str:
        """The first heading without its number."""
        return self.page.partition("\n")[0].removeprefix(f"# {self.number}. ")

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """In the order of the page."""
        module = import_module(f"puretls.labs.lessons.{self.name.replace('-', '_')}")
        found: tuple[Exercise, ...] = module.EXERCISES
        return found

    @property
    def skeleton(self) -> str:
        """The file that an answer begins with: every exercise as a function with its task, and nothing in it."""
        functions = re.findall(r"^```python exercise\n(.*?)^```", self.page, re.S | re.M)
        head = f'{MARK} {self.number}\n"""{self.title}. To be marked: puretls grade lesson {self.number} FILE"""\n'
        return "\n\n".join([head, *(f"{function.rstrip()}\n    raise NotImplementedError\n" for function in functions)])


LESSONS = tuple(Lesson(number, name) for number, name in enumerate(NAMES, 1))


def lesson(number: int) -> Lesson:
    """The lesson of this number. Raises `UsageError` for one that there is not."""
    if not 1 <= number <= len(LESSONS):
        raise UsageError(f"there is no lesson {number}: they count from 1 to {len(LESSONS)}, and puretls lesson lists them")
    return LESSONS[number - 1]


def lesson_of(source: str) -> Lesson | None:
    """The lesson that an answer file says it is for; None where it says none."""
    found = re.search(rf"^{MARK} (\d{{1,3}})\s*$", source, re.M)
    return LESSONS[int(found[1]) - 1] if found and 1 <= int(found[1]) <= len(LESSONS) else None


@cache
def _page(name: str) -> str:
    try:
        return files("puretls").joinpath("manual", "lessons", name).read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"the page {name} of the manual was not installed: pip install puretls has it") from None
