"""Marks of answers: what was tried, what was expected, what came, and a hint, in plain words; never the whole solution."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from puretls.labs.grading import Answer, Failed, Verdict, as_literal, call, function
from puretls.labs.lessons.lesson import Case, Exercise, lesson
from puretls.text import counted, printable
from puretls.values import frozen

MOST = 40
"""Characters of a value that are shown, about."""
SHOWN = 3
"""Items of a list that are shown."""
Show = Callable[[Any], str]
"""How values are shown."""
SEEDS = ("first", "second")
"""What the cases follow from, unless told otherwise."""


def grade(answer: Answer, number: int, whole: bool = False, seeds: Sequence[str] = SEEDS) -> Verdict:
    """The grader of a lesson, for `grading.in_child` and `grading.here`: every exercise on the cases of every seed.

    The first line of the verdict counts the exercises that passed; each other line tells of one of them, with what came below it.
    `whole` shows values at full length, as Python that can be pasted.
    """
    exercises = lesson(number).exercises
    marks = [_exercise(exercise, answer, literal if whole else shown, seeds) for exercise in exercises]
    passed = sum(mark.passed for mark in marks)
    lines = [f"{passed} of {counted(len(exercises), 'exercise')} passed"]
    for mark in marks:
        lines += [mark.line, *(f"  {fault}" for fault in mark.faults)]
    return Verdict(passed == len(exercises), tuple(lines))


@frozen
class _Mark:
    """What became of one exercise, in a line; and what went wrong in the first case that failed."""

    passed: bool
    line: str
    faults: tuple[str, ...] = ()


class _NotWritten(Exception):
    """The function is as it was in the file that the lesson wrote."""


def _exercise(exercise: Exercise, answer: Answer, show: Show, seeds: Sequence[str]) -> _Mark:
    count = 0
    try:
        tried = function(answer, exercise.name)
        for case in chain.from_iterable(_cases(exercise, seed) for seed in seeds):
            count += 1
            if faults := _case(tried, case, show):
                return _Mark(
                    False, f"{exercise.name}: failed in case {count}", (f"call     {_called(exercise.name, case, show)}", *faults)
                )
    except _NotWritten:
        return _Mark(False, f"{exercise.name}: not written yet")
    except Failed as error:
        return _Mark(False, f"{exercise.name}: missing", (f"because  {error}",))
    return _Mark(True, f"{exercise.name}: passed, {counted(count, 'case')}")


@lru_cache(maxsize=256)
def _cases(exercise: Exercise, seed: str) -> tuple[Case, ...]:
    """Kept: who marks one answer marks the next, and real handshakes are behind some cases."""
    return tuple(exercise.cases(seed))


def _case(tried: Any, case: Case, show: Show) -> tuple[str, ...]:
    """What is to be said of a case; nothing where it went well."""
    expected, hint = f"expected {show(case.expected)}", f"hint     {case.hint}"
    try:
        got = call(tried, *copy.deepcopy(case.arguments))
        if call(_same, got, case.expected):
            return ()
    except Failed as error:
        if isinstance(error.__cause__, NotImplementedError):
            raise _NotWritten from None
        return (expected, f"raised   {error}", hint)
    return (expected, f"got      {show(got)}", *(f"so       {each}" for each in _difference(case.expected, got)), hint)


def _same(got: Any, expected: Any) -> bool:
    return bool(_plain(got) == _plain(expected))


def _plain(value: Any) -> Any:
    """A value as it is compared: a list is as good as a tuple, a bytearray as bytes; True is not 1.

    A class of the learner's own is equal to nothing, whatever it says itself; an IntEnum is the number that it stands for.
    """
    match value:
        case bool():
            return bool, value
        case int():
            return int.__index__(value)
        case str():
            return str.__str__(value)
        case None:
            return None
        case bytes() | bytearray() | memoryview():
            return bytes(value)
        case list() | tuple():
            return tuple(map(_plain, value))
        case dict():
            return {_plain(key): _plain(each) for key, each in value.items()}
        case _:
            return object()


def _difference(expected: Any, got: Any) -> tuple[str, ...]:
    """What is not seen at a glance."""
    if got is None:
        return ("None comes also from a function that ends without return",)
    if isinstance(expected, bytes) and isinstance(got, bytes | bytearray):
        if len(expected) != len(got):
            return (f"the lengths differ: {counted(len(expected), 'byte')} expected, {len(got)} came",)
        at = next(place for place, (one, other) in enumerate(zip(expected, got, strict=True)) if one != other)
        return (f"the first byte that differs is number {at}, counted from 0",)
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        if len(expected) != len(got):
            return (f"{counted(len(expected), 'item')} expected, {len(got)} came",)
        pairs = enumerate(zip(expected, got, strict=True))
        at, (one, other) = next((at, pair) for at, pair in pairs if not _same(pair[1], pair[0]))
        return (f"item {at}, counted from 0, differs: expected {shown(one)}, got {shown(other)}", *_difference(one, other))
    if type(expected) is not type(got) and expected is not None:
        return (f"this should be {_kind(expected)}, and is {_kind(got)}",)
    return ()


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def _called(name: str, case: Case, show: Show) -> str:
    return f"{name}({', '.join(map(show, case.arguments))})"


def literal(value: Any) -> str:
    """A value as Python that makes it again."""
    match value:
        case bytes():
            return f'bytes.fromhex("{value.hex()}")' if value else 'b""'
        case tuple():
            return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case None | bool() | int() | str():
            return as_literal(value)
        case _:
            return shown(value)


def shown(value: Any) -> str:
    """A value in a line: bytes as hexadecimal with their number, the middle of what is long left out."""
    match value:
        case bytes() | bytearray() | memoryview():
            return f"{_short(bytes(value).hex()) or 'empty'} ({counted(len(value), 'byte')})"
        case tuple():
            return f"({_listed([shown(each) for each in value[:SHOWN]], len(value))})"
        case list():
            return f"[{_listed([shown(each) for each in value[:SHOWN]], len(value))}]"
        case dict():
            items = list(value.items())[:SHOWN]
            return "{" + _listed([f"{shown(key)}: {shown(each)}" for key, each in items], len(value)) + "}"
        case None | bool() | int() | str():
            return _short(printable(as_literal(value)))
        case _:
            return _kind(value)


def _listed(items: list[str], count: int) -> str:
    return ", ".join(items + ([f"and {count - len(items)} more"] if count > len(items) else []))


def _short(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST // 2]}...{text[-MOST // 4 :]}"
