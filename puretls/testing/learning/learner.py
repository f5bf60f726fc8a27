"""Active automata learning: two learners of AALpy ask, one tree of observations answers, and the models must be the same.

A hypothesis is tried until two searches find nothing against it: along the happy paths, with what may go wrong at each place of them, and
the W_p method (Fujiwara et al. 1991) for one more state than it has. A random search would stop early: nearly every word that is not the
beginning of a handshake ends the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from puretls.testing.learning.model import Model, Word, differences, explored
from puretls.testing.learning.observed import Observed
from puretls.testing.needs import need
from puretls.values import frozen

LEARNERS = ("L*", "KV")
"""Angluin's with Rivest and Schapire's counterexamples, and Kearns and Vazirani's."""


@frozen
class Effort:
    """How hard a hypothesis is tried: symbols put into a happy path at one place, and states more than it has that W_p looks for."""

    inserted: int = 2
    more_states: int = 1


@frozen
class Learned:
    """The model, and what it cost: conversations begun or copied, and symbols said."""

    model: Model
    learners: tuple[str, ...]
    conversations: int
    symbols: int


def learned(
    observed: Observed,
    symbols: Sequence[str],
    happy: Sequence[Word],
    learners: Sequence[str] = LEARNERS,
    effort: Effort | None = None,
) -> Learned:
    """The machine behind the observations. `happy` are words that complete a handshake.

    Where the learners disagree, the word that tells their models apart is tried on both, until they agree. Raises `UsageError` without
    AALpy; `NonDeterministic`.
    """
    words = [*happy]
    while True:
        models = [_run(name, observed, symbols, words, effort or Effort()) for name in learners]
        told_apart = next((found for model in models[1:] if (found := differences(model, models[0]))), ())
        if not told_apart:
            break
        words.append(told_apart[0].word)  # at least one of them is wrong about it
    return Learned(models[0], tuple(learners), observed.conversations, observed.symbols)


def access(model: Model) -> dict[int, Word]:
    """The shortest word to each state."""
    words: dict[int, Word] = {0: ()}
    for state in range(model.size):  # states are numbered as they are reached, breadth first
        for symbol in model.symbols:
            words.setdefault(model.steps[state, symbol][1], (*words[state], symbol))
    return words


def _run(name: str, observed: Observed, symbols: Sequence[str], happy: Sequence[Word], effort: Effort) -> Model:
    aalpy = need("aalpy", "research")
    system = _system(aalpy, observed)
    oracle = _oracle(aalpy, system, symbols, happy, effort)
    options = {"automaton_type": "mealy", "cache_and_non_det_check": False, "print_level": 0}
    run: Callable[..., Any] = {"L*": aalpy.run_Lstar, "KV": aalpy.run_KV}[name]
    machine = run(list(symbols), system, oracle, **options)
    return explored(
        machine.initial_state, symbols, lambda state, symbol: (state.output_fun[symbol], state.transitions[symbol]), None
    )


def _system(aalpy: Any, observed: Observed) -> Any:
    class System(aalpy.SUL):  # type: ignore[misc]
        """The peer, as AALpy asks it."""

        def __init__(self) -> None:
            super().__init__()
            self.word: Word = ()

        def pre(self) -> None:
            self.word = ()

        def post(self) -> None:
            pass

        def step(self, letter: str) -> str:
            self.word = (*self.word, letter)
            return observed.answers(self.word)[-1]

        def query(self, word: Sequence[str]) -> list[str]:
            return list(observed.answers(tuple(word)))

    return System()


def _oracle(aalpy: Any, system: Any, symbols: Sequence[str], happy: Sequence[Word], effort: Effort) -> Any:
    from aalpy.base.Oracle import Oracle
    from aalpy.oracles.WpMethodEqOracle import WpMethodEqOracle

    class Thorough(Oracle):  # type: ignore[misc]
        """Happy paths with something wrong in them, then W_p."""

        def find_cex(self, hypothesis: Any) -> Word | None:
            for word in detours(happy, symbols, effort.inserted):
                hypothesis.reset_to_initial()
                answers = self.sul.query(word)
                for count, (symbol, answer) in enumerate(zip(word, answers, strict=True), 1):
                    if hypothesis.step(symbol) != answer:
                        return word[:count]
            most = len(hypothesis.states) + effort.more_states
            found: Word | None = WpMethodEqOracle(list(symbols), self.sul, most).find_cex(hypothesis)
            return found

    return Thorough(list(symbols), system)


def detours(happy: Sequence[Word], symbols: Sequence[str], inserted: int) -> Iterator[Word]:
    """Each happy path, then it with up to `inserted` symbols put in at each place, and going on from each later place."""
    for path in happy:
        yield path
        for start in range(len(path) + 1):
            for count in range(inserted + 1):
                for middle in product(symbols, repeat=count):
                    for rest in range(start, len(path) + 1) if count < 2 else (start, start + 1):
                        yield path[:start] + middle + path[rest:]
