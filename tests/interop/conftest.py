"""Certificates and servers of the whole run; the number of conversations held, told at the end."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.interop.certificates import Certificates
from tests.interop.peers import Pool

_HERE = "tests/interop/"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def pool():
    made = Pool()
    yield made
    made.close()


_ALWAYS_WHOLE = {"test_suite", "test_group"}
_MANY, _ONE_IN = 12, 3


@pytest.hookimpl(tryfirst=True)  # before cells are selected by their marks
def pytest_collection_modifyitems(items):
    """Of a test with many cells a third is run by default, and all of them with `-m ""`; of suites and groups always all."""
    tests = defaultdict(list)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.interop)
            tests[item.path, item.originalname].append(item)
    for (_, name), found in tests.items():
        if name not in _ALWAYS_WHOLE and len(found) > _MANY:
            for number, item in enumerate(found):
                if number % _ONE_IN:
                    item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter):
    counts = {
        outcome: sum(
            report.nodeid.startswith(_HERE) and getattr(report, "when", "call") in ("call", "setup")
            for report in terminalreporter.stats.get(outcome, ())
        )
        for outcome in ("passed", "failed", "error", "skipped")
    }
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    terminalreporter.write_line(f"interop cells: {counts['passed'] + counts['failed']} run ({told or 'none'})")
    reasons = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if report.nodeid.startswith(_HERE)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"interop skip: {reason}")
