"""Graders for tests, in a module of their own that a child process loads quickly."""

from puretls.labs import grading
from puretls.labs.grading import Verdict


def doubles(answer, number):
    """A grader for these tests."""
    double = grading.function(answer, "double", "double(number)")
    found = grading.call(double, number)
    return Verdict(found == 2 * number, (f"double({number}) gave {found!r}",))


def is_broken(answer):
    raise KeyError("a fault of the grader's own")


def notes(answer):
    """Tells what it does, then calls what may not come to an end."""
    grading.note("the first half")
    grading.call(answer["loop"])
