"""Runs a module as if Python had been built without OpenSSL: `ssl`, `_ssl` and `_hashlib` cannot be imported.

python tools/no_openssl.py pytest tests/record
python tools/no_openssl.py puretls demo
"""

from __future__ import annotations

import runpy
import sys

BLOCKED = ("ssl", "_ssl", "_hashlib")


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it now raises ImportError
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
