"""Loads modules of tlslite-ng, also where the standard library lacks something that its package imports and these modules do not use."""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType
from typing import Any


def tlslite_module(name: str) -> Any:
    """The module `tlslite.utils.<name>`.

    The package imports `asyncore`, which is deprecated, and `dbm`, which Pyodide and Pythons built without it lack: neither is the
    concern of our users.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return _module(name)
        except ModuleNotFoundError as error:
            if error.name != "dbm":
                raise
        return _module_without_dbm(name)


def _module(name: str) -> ModuleType:
    importlib.import_module("tlslite")  # a first import that failed leaves submodules behind, which would hide that it did
    return importlib.import_module(f"tlslite.utils.{name}")


def _module_without_dbm(name: str) -> ModuleType:
    """tlslite-ng keeps passwords for SRP in `dbm` files; nothing else there needs it."""
    sys.modules["dbm"] = ModuleType("dbm")
    try:
        return _module(name)
    finally:
        del sys.modules["dbm"]
