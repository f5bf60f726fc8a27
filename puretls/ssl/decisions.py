"""What a module decided at import because there was, or was not, an `ssl`: found in its source, statement by statement.

Modules such as `http.client` try `import ssl` once and leave out what needs it. With `ssl` in place they have to decide again. Running
all of a module again would make its classes anew, and instances, subclasses and `except` clauses elsewhere would refer to the old ones. So
only those top-level statements run again that depend on `ssl`: directly, by a name that changed, or by one that is imported from such a
module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from importlib.util import resolve_name
from typing import cast

_ROOTS = frozenset({"ssl", "_ssl"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_Changed = Mapping[str, Set[str]]
"""The names that changed, by module."""


class Source:
    """A module's source: `name` and `package` as it was imported, and its top-level statements."""

    def __init__(self, name: str, package: str, text: str) -> None:
        self.name = name
        self.body: list[ast.stmt] = ast.parse(text).body
        self.classes: dict[str, int] = {node.name: place for place, node in enumerate(self.body) if isinstance(node, ast.ClassDef)}
        self._package = package
        self._future = [node for node in self.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]

    def imports(self) -> Iterator[str]:
        """The modules that it imports while it is loaded; perhaps some names that are none."""
        for node in self.body:
            for part in _eager(node):
                if isinstance(part, ast.Import):
                    yield from (alias.name for alias in part.names)
                elif isinstance(part, ast.ImportFrom):
                    origin = self._origin(part)
                    yield origin
                    yield from (f"{origin}.{alias.name}" for alias in part.names)

    def decisions(self, changed: _Changed, lost: Set[str]) -> Iterator[ast.Module]:
        """The statements that depend on `ssl`, in order, each as a module that can be compiled.

        `lost` are classes whose names have another value by now: if a statement that depends on `ssl` did that, the class comes again.
        """
        dependent = self._dependent(changed, frozenset())
        overwritten = {name for place, bound in dependent for name in bound & lost if self.classes[name] < place}
        for place, _ in self._dependent(changed, overwritten):
            yield ast.Module([*self._future, self.body[place]], [])

    def attributes(self, tainted: Set[str]) -> Iterator[tuple[str, str, ast.Expression]]:
        """Class attributes whose value is computed from these names: class, attribute, expression."""
        for name, place in self.classes.items():
            for part in cast(ast.ClassDef, self.body[place]).body:
                if isinstance(part, ast.Assign | ast.AnnAssign) and part.value is not None and _reads(part.value) & tainted:
                    targets = part.targets if isinstance(part, ast.Assign) else [part.target]
                    yield from (
                        (name, target.id, ast.Expression(part.value)) for target in targets if isinstance(target, ast.Name)
                    )

    def _dependent(self, changed: _Changed, classes: Set[str]) -> Iterator[tuple[int, frozenset[str]]]:
        """The places of the statements that depend on `ssl`, and of these `classes`, with the names they bind."""
        tainted: set[str] = set()
        callers: set[str] = set()
        for place, node in enumerate(self.body):
            bound = frozenset(_bound(node))
            if isinstance(node, _FUNCTIONS):
                if tainted and _reads(node) & tainted:
                    callers |= bound
            elif self._depends(node, tainted, callers, changed) or (isinstance(node, ast.ClassDef) and bound <= classes):
                tainted |= bound
                yield place, bound

    def _origin(self, node: ast.ImportFrom) -> str:
        name = "." * node.level + (node.module or "")
        try:
            return resolve_name(name, self._package) if node.level else name
        except ImportError:
            return name

    def _depends(self, node: ast.stmt, tainted: Set[str], callers: Set[str], changed: _Changed) -> bool:
        if isinstance(node, ast.Expr):  # a call for its effect: it may not be done twice
            return False
        if isinstance(node, ast.ClassDef):
            heads = [*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list]
            return any(_reads(part) & tainted for part in heads)
        return any(self._part_depends(part, tainted, callers, changed) for part in _eager(node))

    def _part_depends(self, part: ast.AST, tainted: Set[str], callers: Set[str], changed: _Changed) -> bool:
        match part:
            case ast.Import():
                return any(alias.name in _ROOTS for alias in part.names)
            case ast.ImportFrom():
                origin = self._origin(part)
                return origin in _ROOTS or any(alias.name in changed.get(origin, ()) for alias in part.names)
            case ast.Name(ctx=ast.Load()):
                return part.id in tainted
            case ast.Call(func=ast.Name(id="hasattr"), args=[_, ast.Constant(value=str(name))]):
                return any(name in names for names in changed.values())
            case ast.Call(func=ast.Name(id=name)):
                return name in callers
        return False


def _eager(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it that runs while the module is loaded: no bodies of functions, no imports for type checkers."""
    yield node
    if isinstance(node, ast.AnnAssign):
        yield from _eager(node.value) if node.value else ()
    elif isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
        for statement in node.orelse:
            yield from _eager(statement)
    elif not isinstance(node, _FUNCTIONS):
        for child in ast.iter_child_nodes(node):
            yield from _eager(child)


def _reads(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def _bound(node: ast.AST) -> Iterator[str]:
    """The global names that a statement binds."""
    match node:
        case ast.Import() | ast.ImportFrom():
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Lambda():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _bound(child)
