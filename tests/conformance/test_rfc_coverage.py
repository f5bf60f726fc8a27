"""The list of sections without a test is made from the marks and the table, and does not grow."""

import subprocess
import sys

import pytest

NOT_TESTED_MOST = 0


@pytest.mark.slow
def test_every_listed_section_has_a_test(root):
    done = subprocess.run([sys.executable, "tools/rfc_coverage.py", "--missing"], cwd=root, capture_output=True, text=True, check=True)
    *missing, summary = done.stdout.splitlines()
    assert "refusals" in summary
    assert len(missing) <= NOT_TESTED_MOST, missing
