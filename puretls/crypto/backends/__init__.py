"""The only importers of third-party primitives; each is loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from puretls.errors import UsageError


def optional_package(name: str) -> Any:
    """A package of the extra `fast`. Raises `UsageError` where it is missing, or is there and cannot be imported: that says why."""
    try:
        return import_module(name)
    except Exception as error:  # of any class: a package that is broken raises what it likes
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == name
        why = "is not installed" if is_missing else f"cannot be imported ({' '.join(str(error).split()):.200})"
        raise UsageError(f"{name} {why}: pip install 'puretls[fast]', or ask for a provider without it") from error
