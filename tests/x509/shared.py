"""Suites that are kept outside of the repository, next to it."""

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / "shared" / "x509"


@cache
def load(name):
    """The document in `name`; skips the test where the suite is not at hand."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"{path} is not at hand")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)
