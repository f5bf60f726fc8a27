"""What an extra brings: imported when it is needed, and missed in one line that says how to get it."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from puretls.errors import UsageError


def need(module: str, extra: str = "testing", package: str = "") -> Any:
    """The module of this name, as `sys.modules` has it. Raises `UsageError` with the command that installs it.

    `package` is what to install where that is no extra of puretls.
    """
    top = module.partition(".")[0]
    try:
        missing = find_spec(top) is None
    except (ImportError, ValueError):
        missing = True
    if missing:
        wanted = package or f"'puretls[{extra}]'"  # quoted: brackets are patterns to zsh
        raise UsageError(f"{top} is not installed: pip install {wanted}")
    with warnings.catch_warnings():  # what a package says of itself to its own authors
        warnings.simplefilter("ignore", DeprecationWarning)
        return import_module(module)
