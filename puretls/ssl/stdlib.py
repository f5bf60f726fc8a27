"""Which `ssl.py` this Python has: the standard library's, or none that works; and the one that stands in for it."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def has_stub() -> bool:
    """Whether this Python's `_ssl` is written in Python: a stub that lets programs import `ssl`, as Pyodide's does."""
    found = PathFinder.find_spec("_ssl")
    return found is not None and not (found.origin or "").endswith(tuple(EXTENSION_SUFFIXES))


def has_ssl() -> bool:
    """Whether the standard library's `ssl.py` is there, and no stub."""
    return PathFinder.find_spec("ssl") is not None and not has_stub()


def load_shape() -> ModuleType:
    """Puts `puretls/ssl/shape.py` in place as the module `ssl`, over the `_ssl` that is in place; gives it."""
    from importlib.abc import InspectLoader  # costs a third of an `import ssl`

    found = find_spec("puretls.ssl.shape")
    assert found is not None
    assert isinstance(found.loader, InspectLoader)
    code = found.loader.get_code("puretls.ssl.shape")
    assert code is not None
    module = module_from_spec(ModuleSpec("ssl", None, origin=found.origin))
    module.__file__ = found.origin
    sys.modules["ssl"] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules["ssl"]
        raise
    return module
