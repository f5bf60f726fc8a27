"""What every test may use: the place of the repository, and of the data that is kept outside it."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from tests.support.shared import MISSING, shared_file

# The same examples on every run, so that a failure is the change's and not the day's; PURETLS_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile(
    "puretls",
    derandomize="PURETLS_EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("puretls")

# The tests start thousands of processes; one that may not keep what it compiled spends more time on that than on its test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    return shared_file("")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """How many processes `-n auto` starts: none when only files or tests are named, for starting them takes longer than most files."""
    named = [Path(argument.split("::")[0]) for argument in config.args]
    return 0 if all(path.is_file() for path in named) else None  # None: as many as there are cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every `rfc` mark must name a number and a section, or coverage by section would be wrong.

    The full counts come first: they are the longest tests, and whoever runs one last keeps the other processes waiting.
    """
    items.sort(key=lambda item: item.get_closest_marker("full") is None)
    for item in items:
        for mark in item.iter_markers("rfc"):
            if len(mark.args) != 2 or mark.kwargs or not all(isinstance(part, str) for part in mark.args):
                raise pytest.UsageError(f'{item.nodeid}: write @pytest.mark.rfc("5246", "7.4.1.3")')


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names each test that was skipped for want of data beside the repository: a fresh clone has none of it."""
    skipped = terminalreporter.stats.get("skipped", ())
    wanting = sorted({(report.nodeid, report.longrepr[2]) for report in skipped if MISSING in report.longrepr[2]})
    if wanting:
        terminalreporter.section(f"{len(wanting)} skipped for want of ../shared")
    for name, reason in wanting:
        terminalreporter.write_line(f"{name}: {reason.partition(MISSING)[2]}")
