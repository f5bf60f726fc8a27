"""A property: a sentence about any stack, what it is tried with, and a check."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from puretls.testing.needs import need
from puretls.text import printable
from puretls.values import frozen

if TYPE_CHECKING:
    from hypothesis import settings
    from hypothesis.strategies import SearchStrategy


class Violated(AssertionError):
    """A property does not hold. The text says which, of whom, and what was seen."""


@frozen
class Property:
    """`property(subject)` tries it with `settings.max_examples` cases, and raises `Violated` for the least that it does not hold for.

    `cases(subject)` is a hypothesis strategy, `check(subject, case)` tries one of them: for whoever drives the search, as a campaign does.
    """

    name: str
    sentence: str
    rfc: str
    cases: Callable[[Any], SearchStrategy[Any]]
    check: Callable[[Any, Any], None]

    def __call__(self, subject: Any, settings: settings | None = None) -> None:
        """Try it. `settings` are hypothesis's: how many examples, which database. Raises `Violated`."""
        hypothesis = need("hypothesis")
        chosen = hypothesis.settings(settings, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
        hypothesis.given(case=self.cases(subject))(chosen(self._holds(subject)))()

    def _holds(self, subject: Any) -> Callable[..., None]:
        def holds(case: Any) -> None:
            self.check(subject, case)

        return holds

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence} ({self.rfc})"

    def violated(self, subject: object, seen: str) -> Violated:
        """The failure of one case."""
        return Violated(f"{self.name} does not hold for {printable(str(subject))}: {printable(seen)} ({self.rfc})")


def unless(condition: bool, subject: object, property_: Property, seen: Callable[[], str] | str) -> None:
    """Raises `Violated` where the condition does not hold."""
    if not condition:
        raise property_.violated(subject, seen if isinstance(seen, str) else seen())
