"""Modules that were imported before `ssl` was put in place decide again whether there is one; and all of it can be undone."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Set
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from puretls.ssl.decisions import Source

_DECIDES = re.compile(rb"\b(?:import|from)\s+_?ssl\b")
_ROOTS = frozenset({"ssl", "_ssl"})
_ABSENT: Any = object()
Undo = Callable[[], None]


class Repair:
    """Runs again what modules decided. `undo` puts every name back that this changed, except those that changed once more since."""

    def __init__(self) -> None:
        self._changed: dict[str, set[str]] = {}
        self._undo: list[Undo] = []
        self._visited: set[str] = set()

    def run(self, names: Iterable[str]) -> None:
        """Repairs these modules, as far as they are loaded: those that asked for `ssl`, and those that took from them what changed."""
        sources = {name: source for name in names if _may_decide(name) and (source := _source(name))}
        wanted = {name for name, source in sources.items() if _DECIDES.search(source)}
        while wanted:
            known = set(self._changed)
            for name in wanted:
                self._visit(name, wanted)
            new = {word for name, changed in self._changed.items() if name not in known for word in changed} - _ROOTS
            mention = re.compile(rb"\b(?:%s)\b" % "|".join(map(re.escape, new)).encode()) if new else None
            wanted = {name for name, source in sources.items() if mention and name not in self._visited and mention.search(source)}
        self._give_openers_https()

    def undo(self) -> None:
        """Puts back what was there, last things first."""
        while self._undo:
            self._undo.pop()()

    def _visit(self, name: str, wanted: Set[str]) -> None:
        """What a module imports is repaired before it."""
        if name in self._visited or name not in wanted:
            return
        self._visited.add(name)
        module: Any = sys.modules[name]
        from puretls.ssl.decisions import Source  # it parses; most programs install before there is anything to repair

        try:
            source = Source(name, module.__package__ or name, module.__loader__.get_source(name))
        except (ImportError, SyntaxError, ValueError) as error:  # the file is another one by now
            _warn(name, error)
            return
        for imported in source.imports():
            self._visit(imported, wanted)
        self._run_again(module, source)

    def _run_again(self, module: ModuleType, source: Source) -> None:
        """A statement that raises leaves its module as it was: one that cannot be repaired must not keep https from all others."""
        namespace = vars(module)
        before = dict(namespace)
        exported = list(namespace.get("__all__", ()))
        try:
            for node in source.decisions(self._changed, _lost(namespace, source)):
                exec(compile(node, getattr(module, "__file__", None) or source.name, "exec"), namespace)
        except Exception as error:
            _put_back(namespace, before, _difference(before, namespace))
            _warn(source.name, error)
            return
        changed = _difference(before, namespace)
        if not changed:
            return
        self._changed[source.name] = set(changed)
        self._undo.append(lambda: _put_back(namespace, before, changed))
        if isinstance(listed := namespace.get("__all__"), list):
            listed[:] = dict.fromkeys(listed)  # a statement that ran twice has added its names twice
            self._undo.append(lambda: listed.__setitem__(slice(None), exported))
        for owner, attribute, value in source.attributes(set(changed)):
            cls = namespace.get(owner)
            if isinstance(cls, type) and attribute in vars(cls):
                self._set(cls, attribute, eval(compile(value, source.name, "eval"), namespace))

    def _set(self, cls: type, attribute: str, value: object) -> None:
        old = vars(cls)[attribute]
        if old is not value:
            setattr(cls, attribute, value)
            self._undo.append(lambda: setattr(cls, attribute, old))

    def _give_openers_https(self) -> None:
        """The opener that `urllib.request` keeps may be from a time without https: it gets the handler that it lacks."""
        module: Any = sys.modules.get("urllib.request")
        opener = getattr(module, "_opener", None)
        if opener is None or "HTTPSHandler" not in self._changed.get("urllib.request", ()) or "https" in opener.handle_open:
            return
        tables = ("handlers", "handle_open", "process_request", "process_response")
        before = {name: _copied(getattr(opener, name)) for name in tables}
        opener.add_handler(module.HTTPSHandler())
        self._undo.append(lambda: vars(opener).update(before))


def _warn(name: str, error: Exception) -> None:
    text = f"{name} was imported before puretls.ssl.install(), and cannot be repaired: {type(error).__name__}: {error}"
    warnings.warn(text, RuntimeWarning, stacklevel=2)


def _may_decide(name: str) -> bool:
    """Not the program itself, which goes on where it was, nor puretls."""
    return name not in _ROOTS and name != "__main__" and name.partition(".")[0] != "puretls"


def _source(name: str) -> bytes:
    """The bytes of a loaded module's source, which is decoded when it is needed; none for what has none, and for a module's second name."""
    module: Any = sys.modules.get(name)
    loader: Any = getattr(module, "__loader__", None)
    path = getattr(module, "__file__", None) or ""
    if getattr(module, "__name__", None) != name or not path.endswith(".py") or not hasattr(loader, "get_source"):
        return b""
    try:
        data: bytes = loader.get_data(path)
    except (AttributeError, OSError):
        return b""
    return data


def _lost(namespace: Mapping[str, object], source: Source) -> frozenset[str]:
    """Names of classes in the source that have another value by now."""
    return frozenset(name for name in source.classes if getattr(namespace.get(name), "__qualname__", "") != name)


def _difference(before: Mapping[str, object], namespace: Mapping[str, object]) -> dict[str, object]:
    """The names that have another value than before, and that value."""
    return {name: value for name, value in namespace.items() if before.get(name, _ABSENT) is not value}


def _put_back(namespace: dict[str, Any], before: Mapping[str, object], changed: Mapping[str, object]) -> None:
    """Undoes these changes, but none that somebody made since."""
    for name, value in changed.items():
        if namespace.get(name, _ABSENT) is value:
            if name in before:
                namespace[name] = before[name]
            else:
                del namespace[name]


def _copied(table: Any) -> Any:
    """A copy of an opener's list of handlers, or of its lists by protocol."""
    return {key: _copied(value) for key, value in table.items()} if isinstance(table, dict) else list(table)
