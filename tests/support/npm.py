"""Packages from npm that tests use: Pyodide, a node, axe-core. `.ci/run` installs them below ~/.cache/puretls, or below $PURETLS_NPM."""

import os
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "puretls"
NPM = Path(os.environ.get("PURETLS_NPM") or CACHE) / "node_modules"
INSTALL = "npm install --prefix ~/.cache/puretls pyodide@314 node@24 axe-core@4"


def package(name):
    """The folder of a package."""
    if not (NPM / name).exists():
        pytest.skip(f"no {name}: {INSTALL}")
    return NPM / name
