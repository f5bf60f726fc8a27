"""CPython's own TLS tests, and those of well-known packages, by the runners that lie beside the repository: minutes for each version."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.interpreters import interpreter
from tests.support.shared import shared_file


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_cpythons_own_tests_pass(version, root, tmp_path):
    run("ssl/test_ssl_eval.py", version, (root, requirements(tmp_path)), "--timeout-test", "180")


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_the_tls_tests_of_well_known_packages_pass(version, root, tmp_path):
    """Those of trio, anyio, urllib3, aiohttp, tornado, gevent and a dozen more; pip fetches the packages."""
    run("ssl/upstream/upstream_eval.py", version, (root, requirements(tmp_path)), "--kind", "_ssl")


def requirements(folder):
    """A folder with what puretls needs and nothing else: beside these packages ours would stand before those that are tested."""
    for name in ("tlslite", "ecdsa", "six"):
        spec = find_spec(name)
        place = Path(spec.origin)
        place = place.parent if spec.submodule_search_locations else place
        (folder / place.name).symlink_to(place)
    return folder


def run(runner, version, places, *options):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    command = [sys.executable, str(shared_file(runner)), "--python", python, "--module", str(shared_file("ssl/hook_template.py"))]
    told = subprocess.run(
        [*command, "--pythonpath", os.pathsep.join(map(str, places)), "--set", "public", "-v", *options], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert ", 0 failed" in told.stdout
