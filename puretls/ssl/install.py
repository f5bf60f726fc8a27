"""Puts `_ssl` in place, so that `import ssl` works."""

from __future__ import annotations

import sys


def install(force: bool = False) -> None:
    """Make `import ssl` work in this process, by puretls."""
    from puretls.ssl.module import build
    from puretls.ssl.stdlib import has_ssl, load_shape

    sys.modules["_ssl"] = build()
    if not has_ssl():
        load_shape()
