"""The fields of a message as a tree: names and values from the outside to the inside, without tags and lengths; and that as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from puretls.inspect import texts
from puretls.inspect.bytemap import Leaf
from puretls.inspect.render.dumps import Dumps
from puretls.inspect.render.markup import Html, children, element
from puretls.inspect.render.words import value_text

_STEP = re.compile(r"[a-z][a-z0-9_]*|\[\d+\]")
_FRAMES = frozenset({"tag", "length", "explicit", "unused_bits"})
"""What DER and the vectors of TLS write around a value: shown among the bytes, not here."""
_NAMES = ("extension_type", "extn_id", "type")
"""Fields that say what those beside them are."""
_MOST = 400
"""Fields of one message that its outline names."""


@dataclass
class Field:
    """A node of the tree. `leaves` are those of exactly this path; `first` is the first leaf of it or of what is in it."""

    name: str
    path: str
    first: Leaf
    leaves: list[Leaf] = field(default_factory=list)
    inside: dict[str, Field] = field(default_factory=dict)

    @property
    def value(self) -> str:
        """What it means, in a few words; "" where the fields inside say it."""
        return value_text(self.leaves[0].value) if self.leaves else ""

    @property
    def names_itself(self) -> Field | None:
        """The field inside that says what this item of a list is."""
        return next((self.inside[name] for name in _NAMES if self.name.startswith("[") and name in self.inside), None)

    @property
    def label(self) -> str:
        """Its name; of an item that names itself, that name."""
        named = self.names_itself
        return f"{self.name} {named.value}" if named and named.value else self.name

    @property
    def hollow(self) -> bool:
        """Whether it has nothing but tags and lengths."""
        return not self.leaves and all(name in _FRAMES or each.hollow for name, each in self.inside.items())

    def shown(self) -> Iterator[Field]:
        """The fields inside, without the one that the label tells and those that only frame."""
        named = self.names_itself
        yield from (each for name, each in self.inside.items() if not (each is named or name in _FRAMES or each.hollow))

    def line(self) -> tuple[str, Field]:
        """A label, and the field that it leads to: where there is one field inside, and in that one again, they share a line."""
        parts, node = [self.label], self
        while not node.leaves and len(within := list(node.shown())) == 1:
            node = within[0]
            parts += _told_on(parts, node.label)
        return " · ".join(parts), node


def _told_on(parts: list[str], label: str) -> list[str]:
    """What a label adds to those before it."""
    first, _, rest = label.partition(" ")
    if first.startswith("["):
        return [rest] if rest else []
    return [] if label == "value" or any(label in part.split() for part in parts) else [label]


def outline(leaves: Iterable[Leaf], message: str) -> list[Field]:
    """The fields of the message with this path, as a tree."""
    root: dict[str, Field] = {}
    for leaf in leaves:
        if leaf.message == message and leaf.path.startswith(f"{message}."):
            _put(root, leaf, message)
    return list(root.values())


def _put(level: dict[str, Field], leaf: Leaf, path: str) -> None:
    node = None
    for step in _STEP.findall(leaf.path[len(path) :]):
        path += step if step.startswith("[") else f".{step}"
        node = level.setdefault(step, Field(step, path, leaf))
        level = node.inside
    if node is not None:
        node.leaves.append(leaf)


def fields(dumps: Dumps, leaves: Iterable[Leaf], message: str, dump: str, told: set[str]) -> Html | None:
    """The outline of a message; its entries lead to the bytes in the element of the name `dump`. None where it has no field.

    `told` are the texts that the page has told already; those of this message are added.
    """
    tree = outline(leaves, message)
    if not tree:
        return None
    return element(
        "details", element("summary", "Field by field"), _Writer(dumps, dump, told).listed(tree, 0), class_="fields", open=True
    )


class _Writer:
    """Writes the fields of one message as nested lists; each text is told once."""

    def __init__(self, dumps: Dumps, dump: str, told: set[str]) -> None:
        self.dumps, self.dump, self.told = dumps, dump, told
        self.left = _MOST

    def listed(self, tree: list[Field], depth: int) -> Html:
        """A list with an entry for each."""
        return element("ul", *(self._entry(each, depth) for each in tree))

    def _entry(self, start: Field, depth: int) -> Html | None:
        self.left -= 1
        if self.left < 0:
            return (
                element("li", "more fields are left out here; every one is among the bytes", class_="note")
                if self.left == -1
                else None
            )
        label, node = start.line()
        inside = list(node.shown())
        value = self.dumps.value_at_length(node.leaves[0]) if node.leaves else ""
        shown = self.dump in self.dumps.rows
        link = (
            element("a", label, href=f"#{self.dump}", data_at=node.first.start) if shown else element("span", label, class_="ref")
        )
        line = children(link, element("span", value, class_="value") if value else None, self._words(start, depth))
        if not inside:
            return element("li", line)
        within = self.listed(inside, depth + 1)
        return element("li", element("details", element("summary", line), within, open=depth < 2 and len(inside) < 24))

    def _words(self, node: Field, depth: int) -> Html | None:
        text = texts.explain_path(node.path)
        if text is None or text.meaning in self.told or depth > 3:
            return None
        self.told.add(text.meaning)
        return element("span", text.meaning, class_="meaning")
