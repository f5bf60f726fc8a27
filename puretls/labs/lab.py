"""What a lab is, how an attack is graded, and the table of the labs.

A lab has a weak peer and its fixed twin, which differ in one mechanism. An attack is a function of the peer; it uses what the peer's
interface gives to it, and returns what it has found out. It counts as won when it wins against the weak peer for every seed, and against
the fixed twin for none: whoever reads a secret from the peer's attributes wins against both, and has shown nothing.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puretls.errors import PuretlsError, UsageError
from puretls.labs import grading
from puretls.labs.grading import Answer, Verdict
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

Attack = Callable[[Any], Any]
SEEDS = 5
"""Seeds that a grading tries, unless told otherwise."""

MODULES = {
    1: "length_over_read",
    2: "bleichenbacher",
    3: "lucky13",
    4: "padding_oracle",
    5: "crime",
    6: "freak",
    7: "logjam",
    8: "sweet32",
    9: "triple_handshake",
    10: "skipped_messages",
    11: "early_ccs",
    12: "renegotiation",
    13: "not_a_ca",
    14: "nul_in_a_name",
}
"""The modules of the labs, by number. Each has `LAB`."""


class OutOfCalls(PuretlsError):
    """The peer has been asked as often as it answers."""


class Refused(PuretlsError):
    """An end does not go along with what an attack makes of its messages; the text says why."""


class Calls:
    """Counts what a peer is asked, and ends an attack that asks too much: none may run for ever."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0

    def __call__(self) -> None:
        """One more. Raises `OutOfCalls`."""
        if self.count >= self.most:
            raise OutOfCalls(f"the peer has been asked {self.most} times, and answers no more")
        self.count += 1


@frozen
class Scene:
    """One step of what `puretls lab run` shows: a sentence or two, then lines as they are, a ladder, the bytes of some paths."""

    title: str
    text: str = ""
    lines: tuple[str, ...] = ()
    conversation: Conversation | None = None
    paths: tuple[str, ...] = ()
    """Paths of the conversation whose bytes are shown, as in `puretls inspect --path`."""


def no_scenes(peer: Any, answer: Any) -> Iterable[Scene]:
    """For a lab that has nothing to show but its verdict."""
    return ()


@frozen
class Wrong:
    """An attack that looks right and is not; `why` says what it misses."""

    name: str
    attack: Attack
    why: str


@frozen
class Lab:
    """`peer(seed, fixed)` is the weak peer, or its fixed twin; the seed makes everything random in it.

    `check(peer, answer)` says whether the answer is what the attack was to find out, for any value: learners return anything.
    `rfc` are sections as "5246 7.4.7.1". `scenes(peer, answer)` shows what happened, after the reference attack on the weak peer.
    """

    number: int
    name: str
    title: str
    rfc: tuple[str, ...]
    peer: Callable[[int, bool], Any]
    reference: Attack
    check: Callable[[Any, Any], Verdict]
    wrong: tuple[Wrong, ...]
    scenes: Callable[[Any, Any], Iterable[Scene]] = no_scenes

    @property
    def text(self) -> str:
        """The file name of its page in the manual, below `labs/`."""
        return f"{self.number:02}-{self.name}.md"


def load(number: int) -> Lab:
    """The lab of this number. Raises `UsageError` where there is none."""
    if number not in MODULES:
        raise UsageError(f"no lab {number}: there are {min(MODULES)} to {max(MODULES)}")
    lab = import_module(f"puretls.labs.{MODULES[number]}").LAB
    assert isinstance(lab, Lab)
    return lab


def all_labs() -> list[Lab]:
    """Every lab, in order."""
    return [load(number) for number in sorted(MODULES)]


def page(lab: Lab) -> str:
    """The lab's text, in Markdown. Raises `UsageError` where this copy of puretls has no manual."""
    path = Path(__file__).parents[1] / "manual" / "labs" / lab.text
    try:
        return path.read_text()
    except OSError:
        raise UsageError(f"this copy of puretls is without its manual, where labs/{lab.text} is") from None


# Grading


def attempt(lab: Lab, attack: Attack, seed: int, *, fixed: bool) -> Verdict:
    """One attack on one peer. Raises `grading.Failed` where the attack raises, or returns what is no plain value."""
    peer = lab.peer(seed, fixed)
    answer = grading.call(attack, peer)
    if type(answer).__module__ != "builtins":  # the class of a learner's own may make anything of a comparison
        raise grading.Failed(f"attack(peer) returned an object of its class {type(answer).__name__}, not a plain value")
    verdict = lab.check(peer, answer)
    return (
        verdict
        if verdict.passed
        else Verdict(False, (f"attack(peer) returned {grading.as_literal(answer, reprlib.repr)}.", *verdict.lines))
    )


def grade(answer: Answer, number: int, seeds: int = SEEDS) -> Verdict:
    """Judge an answer file of a lab: a grader, as `grading` has them."""
    lab = load(number)
    attack = grading.function(answer, "attack", "attack(peer)")
    for seed in range(1, seeds + 1):
        grading.note(f"seed {seed}, weak peer")
        won = attempt(lab, attack, seed, fixed=False)
        if not won.passed:
            return grading.failed(f"seed {seed}, weak peer: not yet.", *won.lines)
    for seed in range(1, seeds + 1):
        grading.note(f"seed {seed}, fixed twin")
        if wins_against_the_twin(lab, attack, seed):
            return grading.failed(
                f"seed {seed}, fixed twin: it wins there, too.",
                "The twin does not have the weakness, so the attack does not use it: find out the same from what the peer says.",
            )
    return Verdict(True, (f"won against the weak peer for {seeds} of {seeds} seeds, against the fixed twin for none.",))


def wins_against_the_twin(lab: Lab, attack: Attack, seed: int) -> bool:
    """Whether an attack wins where it must not. One that raises there has found out nothing, as it should."""
    try:
        return attempt(lab, attack, seed, fixed=True).passed
    except grading.Failed:
        return False
