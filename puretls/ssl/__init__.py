"""CPython's C module `_ssl` in pure Python, so that the standard library's own `ssl.py` runs where there is no OpenSSL.

`puretls.ssl.install()`, and then `import ssl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from puretls.ssl.installation import extract_from_urllib3, inject_into_urllib3, install, is_needed, uninstall

__all__ = ["extract_from_urllib3", "inject_into_urllib3", "install", "is_needed", "uninstall"]


def __getattr__(name: str) -> Any:
    """Names load on first use: the line of a `.pth` file runs at every start of Python."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from puretls.ssl import installation

    return getattr(installation, name)
