"""Checks that want an environment of their own: nox -f tools/noxfile.py (nox --list says which).

`.ci/run` runs `lowest`, `without`, `artefacts` and `types`; the others are what it does by itself, for a contributor's machine.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent.parent
QUICK = ("-p", "no:cacheprovider", "-m", "not slow and not full and not long and not interop")
CORE = ("tests/handshake", "tests/record", "tests/messages", "tests/wire", "tests/der", "tests/test_connection.py")
ABSENT = {
    "rich": ("tests/cli/test_cli.py", "tests/cli/test_demo.py", "tests/cli/test_explain.py", "tests/cli/test_output.py"),
    "gmpy2": ("tests/crypto/test_provider.py", "tests/crypto/test_public.py"),
    "numpy": ("tests/crypto/test_provider.py", "tests/crypto/test_arrays.py"),
    "certifi": ("tests/test_roots.py", "tests/ssl/test_trust.py"),
}
"""Package that an extra brings -> the tests of what does without it."""

nox.options.sessions = ["tests", "lint"]
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The quick tests, on each Python that is there; what is said after -- goes to pytest."""
    session.chdir(ROOT)
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, mypy, import directions."""
    session.chdir(ROOT)
    session.install("-e", ".[test,lint]")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def lowest(session: nox.Session) -> None:
    """The core's tests with the oldest version of everything that pyproject.toml admits."""
    session.chdir(ROOT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    session.install("-e", ".", *(_oldest(one) for one in wanted))
    session.run("python", "-m", "pytest", *QUICK, *CORE, "tests/cli/test_cli.py", "tests/crypto/test_public.py")


def _oldest(requirement: str) -> str:
    return re.sub(r">=\s*", "==", requirement)


@nox.session
def without(session: nox.Session) -> None:
    """One package of an extra is missing, all others are there."""
    session.chdir(ROOT)
    session.install("-e", ".[test,cli,fast,roots]")
    for package, paths in ABSENT.items():
        session.run("python", "-m", "pip", "uninstall", "-q", "-y", package, silent=True)
        session.run("python", "-m", "pytest", *QUICK, *paths)
        session.install(package)


@nox.session
def artefacts(session: nox.Session) -> None:
    """Sdist, wheel and puretls.pyz: reproducible, complete, and good for who installs them."""
    session.chdir(ROOT)
    session.install("build", "twine", "check-wheel-contents", "-e", ".[roots]")
    session.run("python", "tools/release.py", "dist")


@nox.session
def types(session: nox.Session) -> None:
    """Whether type checkers know every name that the manual promises."""
    session.chdir(ROOT)
    session.install("basedpyright", "-e", ".[test,cli,fast,redis,dask]")
    session.run("python", "tools/public_types.py")
