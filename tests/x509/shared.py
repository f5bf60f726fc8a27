"""Suites that are kept outside of the repository, next to it."""

import gzip
import json
from functools import cache

from tests.support.shared import shared_file


@cache
def load(name):
    """The document in `name`; skips the test where the suite is not at hand."""
    with gzip.open(shared_file(f"x509/{name}"), "rt", encoding="utf-8") as file:
        return json.load(file)
