"""Puts `_ssl` in place, so that `import ssl` works."""

from __future__ import annotations

import sys


def install(force: bool = False) -> None:
    """Make `import ssl` work in this process, by puretls."""
    from puretls.ssl.module import build

    sys.modules["_ssl"] = build()
