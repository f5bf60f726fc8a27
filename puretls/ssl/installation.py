"""Puts `_ssl` in place, so that `import ssl` works, in this process or in urllib3 alone; and takes it away again."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from puretls.ssl.repair import Repair

NAMES = ("_ssl", "ssl")
_ABSENT: Any = object()
_URLLIB3 = ("urllib3", "requests")
_OURS = "puretls"
_NOT_OWN = (_OURS, "stub")
"""Parts of the version of an `_ssl` that is no OpenSSL: Pyodide has a stub, which does no TLS."""
_lock = threading.RLock()


class Installation:
    """What one call of `install` or of `inject_into_urllib3` changed."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = _modules()
        self.before: dict[str, ModuleType | None] = {name: sys.modules.get(name, _ABSENT) for name in NAMES}
        self.known: frozenset[str] = frozenset(sys.modules)
        self.repair: Repair = Repair()


_current: dict[str, Installation] = {}
"""What is in force, by the function that made it so."""


def is_needed() -> bool:
    """Whether this Python has no `_ssl` of its own that works."""
    return not _own_version()


def install(force: bool = False) -> None:
    """Makes `import ssl` work in this process, by puretls, for what is imported from here on and for what was imported before.

    Modules that found no `ssl` when they were imported, such as `http.client`, `urllib.request`, `asyncio`, `smtplib`, urllib3 or requests,
    decide again, and so do those that took from them what changed. Best called first all the same. A second call does nothing.

    Raises `UsageError` where this Python has an `_ssl` that works, which is faster and tested more: `is_needed` tells before. With `force`
    it is replaced, for comparison and for tests; contexts and sockets that exist stay with OpenSSL.
    """
    with _lock:
        if "install" in _current:
            return
        version = _own_version()
        if version and not force:
            raise _usage_error(
                f"this Python has an ssl that works ({version}): nothing is to be done; install(force=True) replaces it"
            )
        made = Installation()
        try:
            sys.modules.update(made.modules)
            made.repair.run(list(sys.modules))
        except BaseException:
            made.repair.undo()
            _put(made.before)
            raise
        _current["install"] = made


def uninstall() -> None:
    """Undoes `install`: `sys.modules` and every module that was repaired are as before. Contexts and sockets that exist go on working.

    Modules that were imported in between keep the `ssl` that they found, unless there was one before: that one they get.
    """
    with _lock:
        made = _current.pop("install", None)
        if made is None:
            return
        made.repair.undo()
        _put(made.before)
        if isinstance(made.before["ssl"], ModuleType):
            Repair().run(sys.modules.keys() - made.known)


def inject_into_urllib3() -> None:
    """Gives urllib3 and requests, and nothing else, the `ssl` of puretls, whether this Python has one or not.

    Raises `UsageError` where urllib3 is not installed. A second call does nothing.
    """
    with _lock:
        if "inject" in _current:
            return
        if find_spec("urllib3") is None:
            raise _usage_error("urllib3 is not installed: pip install urllib3")
        made = Installation()
        with _placed(made.modules):
            for name in ("urllib3", "urllib3.connectionpool", "urllib3.util.ssltransport"):
                importlib.import_module(name)
            made.repair.run(_of_urllib3())
        _current["inject"] = made


def extract_from_urllib3() -> None:
    """Undoes `inject_into_urllib3`."""
    with _lock:
        if made := _current.pop("inject", None):
            made.repair.undo()


def _usage_error(text: str) -> Exception:
    """The class is loaded when it is needed: what it stands on would be a fifth of the cost of an `import ssl`."""
    from puretls.errors import UsageError

    return UsageError(text)


def _own_version() -> str:
    """What the `_ssl` of this Python calls itself; nothing where it cannot be imported, does no TLS, or is ours."""
    try:
        found = _current["install"].before["_ssl"] if "install" in _current else importlib.import_module("_ssl")
    except ImportError:
        return ""
    version = str(getattr(found, "OPENSSL_VERSION", ""))
    return "" if any(mark in version for mark in _NOT_OWN) else version


def _modules() -> dict[str, ModuleType]:
    """`_ssl` of puretls, and on top of it the `ssl` of the standard library or its stand-in: those in place already, or new ones."""
    present = sys.modules.get("_ssl")
    if present is not None and _OURS in getattr(present, "OPENSSL_VERSION", ""):
        return {"_ssl": present, "ssl": importlib.import_module("ssl")}
    from puretls.ssl.module import build
    from puretls.ssl.stdlib import has_ssl, load_shape

    made = build()
    made.__spec__ = ModuleSpec("_ssl", None, origin="puretls")
    with _placed({"_ssl": made}):
        sys.modules.pop("ssl", None)
        return {"_ssl": made, "ssl": importlib.import_module("ssl") if has_ssl() else load_shape()}


@contextmanager
def _placed(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """With these in `sys.modules`; afterwards what was there before, of both names."""
    before = {name: sys.modules.get(name, _ABSENT) for name in NAMES}
    sys.modules.update(modules)
    try:
        yield
    finally:
        _put(before)


def _put(modules: Mapping[str, Any]) -> None:
    for name, module in modules.items():
        if module is _ABSENT:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = module


def _of_urllib3() -> Iterable[str]:
    return [name for name in sys.modules if name.partition(".")[0] in _URLLIB3]
