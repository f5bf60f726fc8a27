"""Runs a module as if Python had been built without OpenSSL: `ssl`, `_ssl` and `_hashlib` cannot be imported.

python tools/no_openssl.py pytest tests/record
python tools/no_openssl.py puretls demo

Importing this module is what blocks them. The processes that pytest distributes its tests to import it, too, as a plug-in.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

modules: dict[str, Any] = sys.modules
BLOCKED = ("ssl", "_ssl", "_hashlib")
for name in BLOCKED:
    modules[name] = None  # importing it now raises ImportError


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")  # plug-ins of other packages, such as trio's, may want ssl
    os.environ["PYTEST_PLUGINS"] = "no_openssl"
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
