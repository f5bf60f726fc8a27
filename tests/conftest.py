"""What every test may use: the place of the repository, and of the data that is kept outside it."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# The same examples on every run, so that a failure is the change's and not the day's; PURETLS_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile(
    "puretls",
    derandomize="PURETLS_EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("puretls")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"needs the test data beside the repository: {SHARED}")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every `rfc` mark must name a number and a section, or coverage by section would be wrong."""
    for item in items:
        for mark in item.iter_markers("rfc"):
            if len(mark.args) != 2 or mark.kwargs or not all(isinstance(part, str) for part in mark.args):
                raise pytest.UsageError(f'{item.nodeid}: write @pytest.mark.rfc("5246", "7.4.1.3")')
