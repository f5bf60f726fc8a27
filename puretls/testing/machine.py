"""ConnectionMachine: a hypothesis state machine over a connection of either role, with a judge of what it does (`bout`).

    from puretls.testing.machine import ConnectionMachine

    TestConnection = ConnectionMachine.TestCase

Moves that go on with the handshake are three times as likely as those that deviate from it: else hardly a run would leave its first state.
A subclass may change `weights` and `roles`, set `finds` (a folder to which a failing run is written as a tape and a capture), or add rules.
What fails is told by the least conversation that breaks the same rule (`runs.minimal`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from puretls.testing.needs import need

need("hypothesis")

from hypothesis import event, target  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule  # noqa: E402

from puretls.handshake.states import Role  # noqa: E402
from puretls.testing.bout import Violation  # noqa: E402
from puretls.testing.runs import CHOOSING, NUMBERS, UNIFORM, WEIGHTS, Move, Plan, Run, broken, minimal  # noqa: E402


class ConnectionMachine(RuleBasedStateMachine):
    """Moves are drawn by weight; each is judged when it was made. `Violation` tells the rule that was broken, and the conversation."""

    weights: ClassVar[Mapping[str, int]] = WEIGHTS
    finds: ClassVar[Path | None] = None
    roles: ClassVar[tuple[Role, ...]] = (Role.SERVER, Role.CLIENT)
    least: ClassVar[dict[str, Plan]]
    """By rule the least plan that was found to break it."""
    run: Run | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.least = {}

    @initialize(role=st.sampled_from(list(Role)), certificates=st.booleans())
    def begin(self, role: Role, certificates: bool) -> None:
        """A connection, and whether its server asks for certificates."""
        role = role if role in self.roles else self.roles[0]
        try:
            self.run = Run(role, certificates=certificates).begin()
        except Violation as violation:
            self._tell(Plan(role, certificates), violation)

    @rule(data=st.data())
    def move(self, data: Any) -> None:
        """One move."""
        name = data.draw(_names(tuple(self.weights.items())), label="move")
        number = data.draw(st.integers(0, NUMBERS - 1), label="number") if name in CHOOSING else 0
        assert self.run is not None
        try:
            self.run.play(Move(name, number))
        except Violation as violation:
            self._tell(self.run.plan, violation)

    def _tell(self, plan: Plan, violation: Violation) -> None:
        """Raise what the least plan shows; write it down where there is a folder for finds."""
        known = self.least.get(violation.rule)
        shown = broken(known) if known is not None else None
        if shown is None:
            if broken(plan) is None:
                raise AssertionError(f"the same moves came to something else: {plan}") from violation
            self.least[violation.rule] = known = minimal(plan)
            if self.finds is not None:
                from puretls.testing.finds import keep

                keep(self.finds, known)
            shown = broken(known)
        raise shown or violation

    def teardown(self) -> None:
        """Tell campaigns how deep the run went."""
        if self.run is not None:
            deepest = max(bout.course.completed for bout in self.run.bouts)
            event(f"{self.run.plan.role.value}: {deepest} handshakes on a connection")
            event(f"ends in {self.run.bout.peer.connection.state.name}")
            target(float(max(len(bout.received) for bout in self.run.bouts)), label="messages that a connection took")


ConnectionMachine.least = {}


def _names(weights: tuple[tuple[str, int], ...]) -> st.SearchStrategy[str]:
    """The first is the one that runs shrink to."""
    return st.sampled_from([name for name, weight in weights for _ in range(weight)])


__all__ = ["UNIFORM", "WEIGHTS", "ConnectionMachine", "Violation"]
