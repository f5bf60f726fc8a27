"""Calls of a program's code: an exception goes no further, and what waits for an event owns no object."""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

Call = Callable[[], object]


def call_safely(function: Call) -> None:
    """Runs code of the program: an exception is shown by `sys.excepthook` and goes no further, as under PySide6."""
    try:
        function()
    except Exception:
        sys.excepthook(*sys.exc_info())


def weakly(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call, without keeping its object alive: a bound method does nothing once its object is gone.

    What waits for an event must not own the object that asked for it, else a socket that a program has dropped would live on.
    """
    if not isinstance(call, types.MethodType):
        return call
    method = weakref.WeakMethod(call)

    def run(*arguments: object) -> object:
        alive = method()
        return None if alive is None else alive(*arguments)

    return run
