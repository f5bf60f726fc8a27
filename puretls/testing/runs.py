"""Runs of bouts as data: a plan of moves, played; and the least plan that still breaks the same rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from random import Random
from typing import Self

from puretls.handshake.states import Role
from puretls.testing.bout import FLOODS, RAW, Bout, Violation, World
from puretls.values import frozen

_ADVANCE = 12
WEIGHTS: Mapping[str, int] = {
    "advance": _ADVANCE,
    "deviate": _ADVANCE // 3,
    "vary": 6,
    "mutate": 1,
    "inject": 1,
    "flood": 1,
    "replay": 1,
    "end_of_file": 1,
    "write": 1,
    "close": 1,
    "renegotiate": 1,
    "again": 1,
    "tick": 1,
    "deliver": 1,
}
"""How often a move is drawn, among all. Those that go on with the handshake are three times as likely as those that deviate from it."""
UNIFORM: Mapping[str, int] = dict.fromkeys(WEIGHTS, 1)
"""Every move as often as any other: what the weights are measured against."""
STEPS = (1, 1, 1, 2, 0, 8)
"""How many messages one "advance" may say; 0: up to the last of the handshake, which is where most is decided."""
TICKS = (0, 1, 2, 30, 3600, 25 * 3600)
"""Seconds that may pass at a time; the last is longer than a session lives."""
AHEAD = (0, 0, 0, 0, 1, 1, 2, 3)
"""How many messages a "vary" may say as they are before another."""
FORMS = 2**6
"""Which way a "vary" goes on is told by its number below this."""
NUMBERS = 2**12
"""Which of what there is to choose from at a move is a number below this, taken modulo their count."""


@frozen
class Move:
    """One thing that happens; `number` chooses, where there is something to choose."""

    name: str
    number: int = 0


@frozen
class Plan:
    """A connection of a role, whether its server asks for certificates, and what happens. A connection after the first may resume."""

    role: Role
    certificates: bool = False
    moves: tuple[Move, ...] = ()


class Run:
    """A plan as it is played, move by move. `begin` and `play` raise `Violation`."""

    def __init__(self, role: Role, *, certificates: bool) -> None:
        self.plan: Plan = Plan(role, certificates)
        self.world: World = World(role, certificates=certificates)
        self.bouts: list[Bout] = []
        self.story: list[str] = []
        self._next(resume=False)

    def begin(self) -> Self:
        """Begin its first connection. Returns the run."""
        self.bout.begin()
        return self

    @property
    def bout(self) -> Bout:
        """The connection under test, with its peer."""
        return self.bouts[-1]

    def play(self, move: Move) -> None:
        """Make a move. On a connection that is over it begins another first."""
        self.plan = replace(self.plan, moves=(*self.plan.moves, move))
        if self.bout.is_over or move.name == "again":
            self._next(resume=move.number % 2 == 0)
            self.bout.begin()
        if move.name != "again":
            _MOVES[move.name](self.bout, move.number)

    def _next(self, *, resume: bool) -> None:
        self.bouts.append(Bout(self.world, resume=resume, moves=self.story))


def _advance(bout: Bout, number: int) -> None:
    for _ in range(STEPS[number % len(STEPS)] or max(1, len(bout.course.ahead()) - 1)):
        symbol = bout.course.next()
        if (
            symbol is None
            or bout.is_over
            or (symbol == "ApplicationData" and not bout.course.handshaking and number % len(STEPS))
        ):
            return
        bout.say(symbol)


def _deviate(bout: Bout, number: int) -> None:
    options = bout.course.deviations()
    bout.say(options[number % len(options)])


def _vary(bout: Bout, number: int) -> None:
    """Another way to go on: every other time at least with what is said next, in another form; else with what else may come."""
    for _ in range(AHEAD[number // FORMS % len(AHEAD)]):
        _advance(bout, 0)
    possible = bout.course.possible()
    forms = [(symbol, form) for symbol in possible[:1] for form in bout.variants(symbol)]
    others = [(symbol, form) for symbol in possible[1:] for form in (None, *bout.variants(symbol))]
    ways = forms + others + forms * (len(others) // len(forms) if forms else 0)
    if not ways:
        return
    symbol, form = ways[number % FORMS % len(ways)]
    bout.say(symbol, form)
    while form is not None and form.outcome == "refused" and not bout.is_over and "ServerHelloDone" in bout.course.ahead():
        _advance(bout, 0)  # a chain is judged when the flight is complete


def _mutate(bout: Bout, number: int) -> None:
    symbol = bout.course.next()
    if symbol is not None:
        bout.say(symbol, flip=number)


def _deliver(bout: Bout, number: int) -> None:
    bout.size = number % 40


_MOVES: Mapping[str, Callable[[Bout, int], None]] = {
    "advance": _advance,
    "deviate": _deviate,
    "vary": _vary,
    "mutate": _mutate,
    "inject": lambda bout, number: bout.inject(list(RAW)[number % len(RAW)]),
    "flood": lambda bout, number: bout.flood(list(FLOODS)[number % len(FLOODS)]),
    "replay": lambda bout, number: bout.replay(),
    "end_of_file": lambda bout, number: bout.end_of_file(),
    "write": lambda bout, number: bout.write(),
    "close": lambda bout, number: bout.close(),
    "renegotiate": lambda bout, number: bout.renegotiate(),
    "tick": lambda bout, number: bout.tick(TICKS[number % len(TICKS)]),
    "deliver": _deliver,
}
CHOOSING = frozenset(("again", "advance", "deviate", "vary", "mutate", "inject", "flood", "tick", "deliver"))
"""Moves whose number says something."""


def drawn(random: Random, count: int, weights: Mapping[str, int] = WEIGHTS) -> Plan:
    """A plan of so many moves, without hypothesis."""
    names = random.choices(list(weights), list(weights.values()), k=count)
    moves = tuple(Move(name, random.randrange(NUMBERS) if name in CHOOSING else 0) for name in names)
    return Plan(random.choice(list(Role)), random.random() < 0.5, moves)


BYTES_OF_A_MOVE = 3


def read(data: bytes, roles: Sequence[Role] = tuple(Role), weights: Mapping[str, int] = WEIGHTS) -> Plan:
    """The plan that these bytes stand for, whatever they are: one for role and certificates, three for each move."""
    names = [name for name, weight in weights.items() for _ in range(weight)]
    first, moves = (data or b"\0")[0], []
    for start in range(1, len(data) - BYTES_OF_A_MOVE + 1, BYTES_OF_A_MOVE):
        name = names[data[start] % len(names)]
        number = int.from_bytes(data[start + 1 : start + BYTES_OF_A_MOVE]) % NUMBERS
        moves.append(Move(name, number if name in CHOOSING else 0))
    return Plan(roles[first // 2 % len(roles)], bool(first % 2), tuple(moves))


def play(plan: Plan) -> Run:
    """Play a whole plan. Raises `Violation`, and whatever else the connection raises."""
    run = Run(plan.role, certificates=plan.certificates).begin()
    for move in plan.moves:
        run.play(move)
    return run


def broken(plan: Plan) -> Violation | None:
    """What a plan shows, if it shows something."""
    try:
        play(plan)
    except Violation as violation:
        return violation
    return None


# The least of plans


def minimal(plan: Plan) -> Plan:
    """The least plan that still breaks a rule: no move can be left out of it, and none said more simply."""

    @cache  # many candidates come up again
    def still(candidate: Plan) -> bool:
        return broken(candidate) is not None

    if not still(plan):
        return plan
    while True:
        smaller = _simpler(_shorter(_spelled_out(plan, still), still), still)
        if smaller == plan:
            return plan
        plan = smaller


def _spelled_out(plan: Plan, still: Callable[[Plan], bool]) -> Plan:
    """Every message a move of its own, so that each can be left out: of all moves at once, else of as many as can be."""
    whole = replace(plan, moves=tuple(one for move in plan.moves for one in _singly(move)))
    if whole == plan or still(whole):
        return whole
    for index in reversed(range(len(plan.moves))):
        move = plan.moves[index]
        ways = [(Move("advance"),) * count for count in range(1, max(STEPS) + 1)] if move.name == "advance" else [_singly(move)]
        for way in ways:
            candidate = replace(plan, moves=(*plan.moves[:index], *way, *plan.moves[index + 1 :]))
            if candidate == plan or still(candidate):
                plan = candidate
                break
    return plan


def _singly(move: Move) -> tuple[Move, ...]:
    advance = Move("advance")
    if move.name == "vary":
        return (advance,) * AHEAD[move.number // FORMS % len(AHEAD)] + (Move("vary", move.number % FORMS),)
    return (advance,) * (STEPS[move.number % len(STEPS)] or max(STEPS)) if move.name == "advance" else (move,)


def _shorter(plan: Plan, still: Callable[[Plan], bool]) -> Plan:
    """Leave out moves, long stretches first (Zeller and Hildebrandt's delta debugging)."""
    size = len(plan.moves)
    while size:
        start = 0
        while start < len(plan.moves):
            candidate = replace(plan, moves=plan.moves[:start] + plan.moves[start + size :])
            if still(candidate):
                plan = candidate
            else:
                start += size if size == 1 else max(1, size // 2)
        size //= 2
    return plan


_SIMPLEST = ("advance", "deviate", "vary")
"""Moves in the order in which they are the better for being read; the numbers of the last two are tried one by one."""
_FEW = 22
"""No state has more to choose from, each thing counted once."""


def _simpler(plan: Plan, still: Callable[[Plan], bool]) -> Plan:
    for candidate in _restated(plan):
        for tuned in _tuned(candidate):
            if still(tuned):
                return tuned
    for index in range(len(plan.moves)):
        for move in _before(plan.moves[index]):
            candidate = replace(plan, moves=(*plan.moves[:index], move, *plan.moves[index + 1 :]))
            if move.name == "again" and plan.moves[index].name == "advance":
                continue
            if still(candidate):
                plan = candidate
                break
    return plan


def _restated(plan: Plan) -> list[Plan]:
    """Plans of another shape: of fewer connections, or whose server asks for no certificate."""
    made = []
    if plan.certificates:
        anonymous = replace(plan, certificates=False)
        made += [anonymous, replace(anonymous, moves=_unauthenticated(plan))]
    for start in range(2, len(plan.moves)):
        for count in range(1, min(start, 3)):
            made.append(replace(plan, moves=(Move("advance"),) * count + plan.moves[start:]))
    if any(move.name == "mutate" for move in plan.moves):  # what a bit shows, a message said in another way may show
        honest = (Move("advance"),) * len(plan.moves)
        made += [replace(plan, moves=(*honest[:place], Move("vary"), *honest[place + 1 :])) for place in range(len(honest))]
    for end in (1, 2):  # what a later handshake or connection showed, an honest first one may show
        ending = plan.moves[-end:]
        made += [replace(plan, moves=(Move("advance"),) * count + ending) for count in range(len(plan.moves) - end)]
    return made


_AUTHENTICATES = {Role.SERVER: ("Certificate", "EmptyCertificate"), Role.CLIENT: ("CertificateRequest",)}
"""How what is said to an end begins that comes only where certificates of clients are asked for."""


def _unauthenticated(plan: Plan) -> tuple[Move, ...]:
    """The moves of a plan but for those that say what is about certificates of clients."""
    run, kept = Run(plan.role, certificates=True).begin(), []
    for move in plan.moves:
        before = len(run.story)
        with suppress(Violation):
            run.play(move)
        if not any(told.startswith(_AUTHENTICATES[plan.role]) for told in run.story[before:]):
            kept.append(move)
    return tuple(kept)


def _tuned(plan: Plan) -> Iterator[Plan]:
    """The plan, then with other numbers for its last move but "advance": what there is to choose from may be in another order."""
    yield plan
    last = max((index for index, move in enumerate(plan.moves) if move.name in _SIMPLEST[1:]), default=-1)
    for number in range(_FEW) if last >= 0 else ():
        yield replace(plan, moves=(*plan.moves[:last], Move(plan.moves[last].name, number), *plan.moves[last + 1 :]))


def _before(move: Move) -> list[Move]:
    """The moves that are simpler than this one, the simplest first."""
    ranked = [Move("advance"), Move("again"), Move("write")]
    ranked += [Move(name, number) for name in _SIMPLEST[1:] for number in range(_FEW)]
    if move.name in CHOOSING:
        ranked += [Move(move.name, number) for number in range(8)]
    return ranked[: ranked.index(move)] if move in ranked else ranked
