"""Other Pythons on this machine, for tests of what must work on each."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest


@cache
def find_python(version):
    """The first Python of this version that runs, or None."""
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in (*map(str, installed), shutil.which(f"python{version}"), f"/usr/local/bin/python{version}"):
        if candidate and _version(candidate) == version:
            return candidate
    return None


def python_or_skip(version):
    return find_python(version) or pytest.skip(f"there is no Python {version} here")


def _version(python):
    try:
        asked = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return asked.stdout.strip()
