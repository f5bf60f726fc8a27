"""A learned machine for people: DOT, Mermaid and text, with what differs from the specification in red."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from puretls.inspect.render.diagrams import Arrow, machine_dot, machine_mermaid
from puretls.testing.learning.model import Difference
from puretls.testing.learning.subjects import Lesson
from puretls.text import counted


def dot(lesson: Lesson) -> str:
    """A digraph of Graphviz."""
    return machine_dot(lesson.subject.name, arrows(lesson))


def mermaid(lesson: Lesson) -> str:
    """A flowchart of Mermaid."""
    return machine_mermaid(lesson.subject.name, arrows(lesson))


def arrows(lesson: Lesson) -> list[Arrow]:
    """The edges: those that differ each by itself, of the others one for all symbols that lead the same way with the same answer."""
    model, red = lesson.model, {(one.state, one.symbol): one for one in lesson.differences}
    together: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    drawn: list[tuple[int, int, Arrow]] = []
    for (state, symbol), (answer, after) in model.steps.items():
        if model.is_over(state):
            continue
        if (state, symbol) in red:
            label = f"{symbol} / {answer}\n(specification: {red[state, symbol].wanted})"
            drawn.append((state, 0, Arrow(model.name(state), model.name(after), label, stands_out=True)))
        else:
            together[state, after, answer].append(symbol)
    for (state, after, answer), symbols in together.items():
        label = f"{_some(symbols, len(model.symbols))} / {answer}"
        drawn.append((state, len(symbols), Arrow(model.name(state), model.name(after), label)))
    return [arrow for *_, arrow in sorted(drawn, key=lambda one: one[:2])]


def _some(symbols: Sequence[str], count: int) -> str:
    """The symbols of an edge; where they are most of all, how many."""
    return ", ".join(symbols) if len(symbols) <= max(2, count // 3) else f"{len(symbols)} others"


def text(lesson: Lesson) -> str:
    """What was learned, in words: the size of the model, the effort, and each difference with the shortest conversation that shows it."""
    subject, learned = lesson.subject, lesson.learned
    lines = [
        f"{subject.name}: {counted(lesson.model.size, 'state')}, {counted(len(subject.symbols), 'symbol')}",
        f"learned by {' and '.join(learned.learners)} in {counted(learned.conversations, 'conversation')}"
        f" ({counted(learned.symbols, 'symbol')} said)",
    ]
    if lesson.conforms:
        return "\n".join((*lines, "it is the machine of the specification")) + "\n"
    lines.append(f"{counted(len(lesson.differences), 'difference')} to the specification:")
    for number, difference in enumerate(lesson.differences, 1):
        lines += ["", f"{number}. in {lesson.model.name(difference.state)}", *_witness(difference)]
    return "\n".join(lines) + "\n"


def _witness(difference: Difference) -> list[str]:
    width = max(map(len, (*difference.word, "specification")))
    lines = [f"   {symbol.ljust(width)}  -> {answer}" for symbol, answer in zip(difference.word, difference.answers, strict=True)]
    return [*lines, f"   {'specification'.ljust(width)}  -> {difference.wanted}"]
