"""What can be said of Pyodide without one."""

import asyncio
import subprocess
import sys

import pytest

from puretls import UsageError
from puretls.net import pyodide

WITHOUT_DBM = """
import sys
sys.modules["dbm"] = sys.modules["anydbm"] = None  # an import of them fails, as in Pyodide
from puretls.crypto.backends.tlslite_modules import tlslite_module
print(tlslite_module("python_tripledes").new.__name__, "dbm" in sys.modules)
"""


def test_tlslite_ng_is_loaded_where_the_standard_library_has_no_dbm():
    done = subprocess.run([sys.executable, "-c", WITHOUT_DBM], capture_output=True, text=True, check=True)
    assert done.stdout == "new False\n"


@pytest.mark.parametrize("relay", [None, "ws://relay.test/"])
def test_outside_pyodide_the_error_names_what_to_use(relay):
    with pytest.raises(UsageError, match=r"not Pyodide: use puretls\.net"):
        asyncio.run(pyodide.open("localhost", 443, relay=relay))
