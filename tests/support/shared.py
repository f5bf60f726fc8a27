"""Test data that is kept beside the repository, in `../shared`: suites of others, too large to be carried along.

A test that wants a file which is not there is skipped, and named at the end of the run (tests/conftest.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared"
MISSING = "needs test data beside the repository: "
"""How the reason of every such skip begins."""


def shared_file(name: str) -> Path:
    """The path of a file or folder in `../shared`; skips the test where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{MISSING}{name or FOLDER.name}")
    return path
