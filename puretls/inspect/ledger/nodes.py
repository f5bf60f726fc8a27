"""Nodes: values with their inputs, each computed by its formula when it is added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from puretls.crypto.secret import Secret
from puretls.inspect.ledger import aes, formulas
from puretls.values import frozen

GIVEN, MISSING = "given", "missing"


def function(formula: str) -> Callable[..., bytes]:
    """What computes a formula."""
    found: Callable[..., bytes] = getattr(aes if hasattr(aes, formula) else formulas, formula)
    return found


@frozen
class Ref:
    """An argument that is the value of another node."""

    name: str


Argument = Ref | str | int


@frozen
class Node:
    """One value. `repr` shows no bytes: `value` is the explicit way to them.

    `formula` is the name of a function of `ledger.formulas` or `ledger.aes`, "given" for what the wire or somebody's knowledge gives,
    "missing" where there is none: `value` is then None and `meaning` tells what would be needed. `arguments` are those of the function.
    `path` is where the bytes stand in the byte map, "" where they never travel. `secret` tells whether who knows them can decrypt or forge.
    """

    name: str
    value: bytes | None = field(repr=False)
    formula: str
    arguments: tuple[Argument, ...] = field(repr=False)
    meaning: str
    rfc: str
    path: str = ""
    secret: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes that this one is made of."""
        return tuple(argument.name for argument in self.arguments if isinstance(argument, Ref))


class Builder:
    """Collects nodes; a value is computed from those of its inputs, and missing where one of them is."""

    def __init__(self, nodes: tuple[Node, ...] = ()) -> None:
        self._known = {node.name: node for node in nodes}
        self.nodes: list[Node] = []

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def _add(self, node: Node) -> Ref:
        self._known[node.name] = node
        self.nodes.append(node)
        return Ref(node.name)

    def given(self, name: str, value: bytes, meaning: str, rfc: str, path: str = "", *, secret: bool = False) -> Ref:
        """What is not computed here."""
        return self._add(Node(name, Secret(value) if secret else value, GIVEN, (), meaning, rfc, path, secret))

    def missing(self, name: str, why: str, rfc: str, *, secret: bool = True) -> Ref:
        """What is not known."""
        return self._add(Node(name, None, MISSING, (), why, rfc, "", secret))

    def made(
        self,
        name: str,
        formula: str,
        arguments: tuple[Argument, ...],
        meaning: str,
        rfc: str,
        path: str = "",
        *,
        secret: bool = False,
    ) -> Ref:
        """What a formula gives."""
        values = [self._known[argument.name].value if isinstance(argument, Ref) else argument for argument in arguments]
        if None in values:
            lacking = next(a.name for a, value in zip(arguments, values, strict=True) if value is None and isinstance(a, Ref))
            return self._add(Node(name, None, MISSING, arguments, f"{lacking} is not known", rfc, path, secret))
        value: bytes = function(formula)(*values)
        return self._add(Node(name, Secret(value) if secret else value, formula, arguments, meaning, rfc, path, secret))
