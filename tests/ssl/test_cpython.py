"""CPython's own TLS tests on puretls, by the runner that lies beside the repository: minutes for each version."""

import os
import subprocess
import sys

import ecdsa
import pytest

from tests.support.interpreters import interpreter
from tests.support.shared import shared_file


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_cpythons_own_tests_pass(version, root):
    runner = shared_file("ssl/test_ssl_eval.py")
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    places = os.pathsep.join((str(root), os.path.dirname(os.path.dirname(ecdsa.__file__))))
    command = [sys.executable, str(runner), "--python", python, "--module", str(shared_file("ssl/hook_template.py"))]
    command += ["--pythonpath", places, "--set", "public", "-v", "--timeout-test", "180"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert ", 0 failed" in told.stdout
