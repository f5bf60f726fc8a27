"""A Mealy machine as a value, and what tells two of them apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from puretls.values import frozen

CLOSED = "closed"
"""What a symbol comes to where the connection is over; and the last word of an answer after which it is."""
SILENCE = "-"
"""The answer that nothing is said."""

Word = tuple[str, ...]


@frozen
class Model:
    """States are numbered in the order in which the symbols reach them; 0 is the first. `steps[state, symbol]` is (answer, next state)."""

    symbols: Word
    steps: Mapping[tuple[int, str], tuple[str, int]]
    names: Sequence[str] = ()
    """Of the states, where they have any."""

    @property
    def size(self) -> int:
        """How many states there are."""
        return 1 + max(state for state, _ in self.steps)

    def answers(self, word: Word) -> Word:
        """What is answered to each symbol of a word."""
        state, made = 0, []
        for symbol in word:
            answer, state = self.steps[state, symbol]
            made.append(answer)
        return tuple(made)

    def name(self, state: int) -> str:
        """What a state is called."""
        return self.names[state] if self.names else f"q{state}"

    def is_over(self, state: int) -> bool:
        """Whether nothing is answered in this state whatever is said."""
        return all(self.steps[state, symbol] == (CLOSED, state) for symbol in self.symbols)


def explored(
    start: Any, symbols: Sequence[str], step: Callable[[Any, str], tuple[str, Any]], name: Callable[[Any], str] | None
) -> Model:
    """The model of whatever `step(state, symbol)` says, from `start` on: states breadth first. Two that behave alike are one."""
    numbers, steps, waiting = {start: 0}, {}, deque((start,))
    while waiting:
        state = waiting.popleft()
        for symbol in symbols:
            answer, after = step(state, symbol)
            if after not in numbers:
                numbers[after] = len(numbers)
                waiting.append(after)
            steps[numbers[state], symbol] = answer, numbers[after]
    names = tuple(name(state) for state in numbers) if name else ()
    return _minimal(Model(tuple(symbols), steps, names))


def _minimal(model: Model) -> Model:
    """States that no word tells apart become one (Moore's refinement of a partition)."""
    block = dict.fromkeys(range(model.size), 0)
    while True:
        looks = {
            state: (
                block[state],
                *((model.steps[state, symbol][0], block[model.steps[state, symbol][1]]) for symbol in model.symbols),
            )
            for state in block
        }
        order: dict[Any, int] = {}
        for look in looks.values():
            order.setdefault(look, len(order))
        refined = {state: order[look] for state, look in looks.items()}
        if len(order) == len(set(block.values())):
            break
        block = refined
    first = {number: state for state, number in reversed(refined.items())}
    steps = {
        (number, symbol): (model.steps[state, symbol][0], refined[model.steps[state, symbol][1]])
        for number, state in sorted(first.items())
        for symbol in model.symbols
    }
    names = tuple(model.names[first[number]] for number in range(len(first))) if model.names else ()
    return Model(model.symbols, steps, names)


@frozen
class Difference:
    """One edge of a model that another one does not have: `word` is the shortest that shows it, `symbol` its last."""

    state: int
    word: Word
    answers: Word
    wanted: str
    """What the other one answers to the last symbol."""

    @property
    def symbol(self) -> str:
        return self.word[-1]

    @property
    def got(self) -> str:
        return self.answers[-1]

    def __str__(self) -> str:
        after = f" after {', '.join(self.word[:-1])}" if len(self.word) > 1 else " at first"
        return f"{self.symbol}{after}: answered by {self.got}; the specification says {self.wanted}"


def differences(model: Model, specification: Model) -> tuple[Difference, ...]:
    """The edges by which a model differs, each once, those near the start first; none means that the two are bisimilar.

    Behind an edge that differs nothing is compared: there both are in states that the other one never meant.
    """
    found: dict[tuple[int, str], Difference] = {}
    for word, state, wanted in _pairs(model, specification):
        for symbol in model.symbols:
            got, want = model.steps[state, symbol][0], specification.steps[wanted, symbol][0]
            if got != want and (state, symbol) not in found:
                whole = (*word, symbol)
                found[state, symbol] = Difference(state, whole, model.answers(whole), want)
    return tuple(found.values())


def names_from(model: Model, specification: Model) -> tuple[str, ...]:
    """What the specification calls the states of a model; those that it does not know keep their numbers."""
    names: dict[int, str] = {}
    for _, state, wanted in _pairs(model, specification):
        taken = sum(name.partition(" #")[0] == specification.name(wanted) for name in names.values())
        names.setdefault(state, specification.name(wanted) + (f" #{taken + 1}" if taken else ""))
    return tuple(names.get(state, f"q{state}, unknown to the specification") for state in range(model.size))


def _pairs(model: Model, other: Model) -> Iterator[tuple[Word, int, int]]:
    """The pairs of states that words reach on which both agree, with the shortest such word."""
    seen = {(0, 0)}
    waiting: deque[tuple[Word, int, int]] = deque([((), 0, 0)])
    while waiting:
        word, one, two = waiting.popleft()
        yield word, one, two
        for symbol in model.symbols:
            (got, next_one), (want, next_two) = model.steps[one, symbol], other.steps[two, symbol]
            if got == want and (next_one, next_two) not in seen:
                seen.add((next_one, next_two))
                waiting.append(((*word, symbol), next_one, next_two))
