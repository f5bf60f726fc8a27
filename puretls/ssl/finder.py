"""Finds `_ssl` where nothing else does: for a line in a `.pth` file, which every start of Python reads.

It loads nothing before something asks for `ssl`, and a Python that has OpenSSL never comes to it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PTH = "import puretls.ssl.finder; puretls.ssl.finder.register()\n"
"""The content of a `.pth` file in site-packages."""


class _Loader:
    """Makes the module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module, complete."""
        from puretls.ssl.module import build

        return build()

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to be done."""


_LOADER: Any = _Loader()  # a class of importlib.abc would cost more time than all the rest


class _Finder:
    """The last in `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A specification for `_ssl`, and for nothing else."""
        return ModuleSpec("_ssl", _LOADER, origin="puretls") if name == "_ssl" else None


def register() -> None:
    """From now on `import ssl` works in this process, by puretls where there is no OpenSSL."""
    if _Finder not in sys.meta_path:
        sys.meta_path.append(_Finder)
