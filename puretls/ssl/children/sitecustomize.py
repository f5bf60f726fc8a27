"""Python imports this module at its start where PYTHONPATH has its directory: it offers puretls's `ssl`, and steps aside.

It is written for every Python 3, since nobody knows which will be started. What it hides, a `sitecustomize` of the user, comes after it.
Of the directory that puretls is in, only puretls and what it stands on can be imported: the process may be there to have other packages.
"""

import sys
from importlib.machinery import PathFinder
from typing import Any

_OFFERED = ("puretls", "tlslite", "ecdsa", "six")


def _folders(path: str) -> "tuple[str, str]":
    """This directory, and the one that the package is in."""
    parts = path.replace("\\", "/").split("/")
    return path[: -len(parts[-1]) - 1], "/".join(parts[:-4])


class _Offer:
    """The last in `sys.meta_path`: nothing that the process has itself comes from here."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return PathFinder.find_spec(name, [self._folder]) if name in _OFFERED else None


def _start(path: str) -> None:
    here, above = _folders(path)
    sys.path[:] = [folder for folder in sys.path if folder != here]
    if sys.version_info >= (3, 11):  # noqa: UP036  (the process may be of another version than its parent)
        sys.meta_path.append(_Offer(above))
        from puretls.ssl.finder import register

        register()


if __name__ == "sitecustomize":
    _start(__file__)
    _own = sys.modules.pop(__name__)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules[__name__] = _own
