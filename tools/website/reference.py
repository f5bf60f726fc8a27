"""The reference of the public names: those that the manual's page `api.md` promises, with their signatures and docstrings.

griffe reads the sources: nothing is imported, nothing is run. A page for each module of `api.md`, and one for the classes of what
these names return and hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from textwrap import shorten
from typing import Any

import griffe

from tools.website import markdown
from tools.website.errors import SiteError
from tools.website.markdown import Link, Section

ROOT = Path(__file__).resolve().parents[2]
PROMISES = ROOT / "puretls" / "manual" / "api.md"
RETURNED = "returned"
"""The page of classes that no module promises by name."""
NOT_FOLLOWED = ("puretls.connection.", "puretls.testing.")
"""How connections and campaigns are made: `danger.parts` and machines hold it, and nobody needs it who holds these."""
AS_IN_QT = ("puretls.qt",)
"""Modules whose members, where they have no docstring, are Qt's, and documented there."""
_ROW = re.compile(r"^(?:## (?P<promise>.*)|\| `(?P<module>puretls[\w.]*)` \| (?P<since>[\d.]+) \| (?P<names>.*) \|)$", re.M)
_LONGEST = 72
"""Characters of a value that is shown; a longer one is left out."""


@dataclass(frozen=True)
class Entry:
    """A public name: where it is told, what it is called there, since when, and what it is; None for what cannot be read."""

    anchor: str
    since: str
    thing: Any


@dataclass(frozen=True)
class Page:
    """A page of the reference: a module and what it promises."""

    name: str
    promise: str
    about: str
    entries: tuple[Entry, ...]

    @property
    def file(self) -> str:
        return f"api/{self.name}.html"

    @property
    def prefix(self) -> str:
        """What stands before its anchors in full names."""
        return "puretls" if self.name == RETURNED else self.name

    @property
    def title(self) -> str:
        """In Markdown."""
        return "What they return" if self.name == RETURNED else f"`{self.name}`"

    @property
    def sentence(self) -> str:
        """The first one about it."""
        return _sentence(self.about)


class Reference:
    """The pages of the reference, and where each public name stands."""

    def __init__(self) -> None:
        loaded = griffe.load("puretls", search_paths=[ROOT])
        assert isinstance(loaded, griffe.Module)
        self._package = loaded
        self.pages = (*self._promised(), self._returned())
        self._places = self._told()

    # Pages

    def _promised(self) -> Iterator[Page]:
        for name, rows in _promises().items():
            module = self._find(name)
            if module is None:
                raise SiteError(f"{PROMISES.name} promises names of {name}, which there is not")
            entries = [Entry(one, since, self._thing(module, one)) for since, _, names in rows for one in names]
            yield Page(name, rows[0][1], _docstring(module), tuple(entries))

    def _returned(self) -> Page:
        """What promised names return and hold, and what that returns and holds, as far as it goes."""
        promised = {
            entry.thing.path: entry.thing for page in self._promised() for entry in page.entries if entry.thing is not None
        }
        found: dict[str, Any] = {}
        waiting = list(promised.values())
        while waiting:
            for thing in self._given_by(waiting.pop()):
                if thing.path not in promised and thing.path not in found and not _is_within(thing, promised):
                    found[thing.path] = thing
                    waiting.append(thing)
        entries = (Entry(path.removeprefix("puretls."), "", thing) for path, thing in sorted(found.items()))
        return Page(RETURNED, "Returned", _ABOUT_RETURNED, tuple(entries))

    def _given_by(self, thing: Any) -> Iterator[Any]:
        """Public classes of this package that a function returns, or that the methods return and the attributes hold of a class."""
        for one in (thing, *_members(thing)) if thing.is_class else (thing,):
            expression = one.returns if one.is_function else one.annotation if one.is_attribute else None
            for name in _names(expression):
                found = self._find(name) if name.startswith("puretls.") else None
                if (
                    found is not None
                    and found.is_class
                    and not found.name.startswith("_")
                    and not found.path.startswith(NOT_FOLLOWED)
                ):
                    yield found

    # Names

    def _find(self, path: str) -> Any:
        """What has this full name; None where that is nothing of the sources."""
        try:
            found = self._package if path == "puretls" else self._package[path.removeprefix("puretls.")]
            return found.final_target if found.is_alias else found
        except (KeyError, griffe.AliasResolutionError):
            return None

    def _thing(self, module: Any, name: str) -> Any:
        """What a module calls by this name: its own, imported, or loaded from a module in it when it is asked for."""
        candidates = [module.path, *(one.path for one in module.members.values() if not one.is_alias and one.is_module)]
        found = (self._find(f"{path}.{name}") for path in candidates)
        return next((thing for thing in found if thing is not None and not thing.is_module), None)

    def _told(self) -> dict[str, str]:
        """Each full name and where it is told: what several modules offer, in the first of them."""
        told: dict[str, str] = {}
        for page in self.pages:
            told[page.name] = page.file
            for entry in page.entries:
                own = f"{page.name}.{entry.anchor}"
                path = own if entry.thing is None else entry.thing.path
                place = told.setdefault(path, f"{page.file}#{entry.anchor}")
                told[own] = place
                for one in _members(entry.thing) if entry.thing is not None else ():
                    if _has_entry(one):
                        told[f"{own}.{one.name}"] = told[f"{path}.{one.name}"] = f"{place}.{one.name}"
        return told

    def place(self, name: str) -> str | None:
        """Page and anchor of a full name, such as `puretls.x509.verifier.Verifier`."""
        return self._places.get(name)

    def source_place(self, path: str) -> str | None:
        """The page of a module, by its file in the repository."""
        return self._places.get(re.sub(r"(/__init__)?\.py$", "", path).replace("/", "."))

    def is_told_at(self, page: Page, entry: Entry) -> bool:
        """Whether this is where an entry is told; elsewhere there is a link to here."""
        return entry.thing is None or self._places[entry.thing.path] == f"{page.file}#{entry.anchor}"

    def render(self, page: Page, link: Link) -> tuple[str, list[Section]]:
        """HTML of a page, and what a search finds in it."""
        writer = _Writer(page, link, self)
        return writer.page(), writer.sections

    @cached_property
    def since(self) -> str:
        """The oldest version that is named; nothing is said of what is as old."""
        return min(entry.since for page in self.pages for entry in page.entries if entry.since)


_ABOUT_RETURNED = """Classes of what the promised names return and hold. Their public attributes are promised with them; where they are
defined is not."""


def _promises() -> dict[str, list[tuple[str, str, list[str]]]]:
    """By module: since when, under which heading, which names."""
    found: dict[str, list[tuple[str, str, list[str]]]] = {}
    promise = ""
    for row in _ROW.finditer(PROMISES.read_text()):
        promise = row["promise"] or promise
        if row["module"]:
            found.setdefault(row["module"], []).append((row["since"], promise, re.findall(r"`(\w+)`", row["names"])))
    return found


def _names(expression: Any) -> Iterable[str]:
    """Full names of all that an annotation names."""
    if not isinstance(expression, griffe.Expr):
        return []
    return [part.canonical_path for part in expression.iterate(flat=True) if isinstance(part, griffe.ExprName)]


def _members(thing: Any) -> Iterator[Any]:
    """Public members that a class defines itself."""
    if thing.is_class:
        yield from (one for one in thing.members.values() if not one.is_alias and not one.name.startswith("_"))


def _is_within(thing: Any, promised: dict[str, Any]) -> bool:
    return any(thing.path.startswith(f"{path}.") for path in promised)


def _has_entry(thing: Any) -> bool:
    """Whether it has a place of its own on its page; what has no docstring stands in a list."""
    return thing.is_class or bool(thing.docstring)


def _docstring(thing: Any) -> str:
    return thing.docstring.value.strip() if thing.docstring else ""


class _Writer:
    """Writes one page, and keeps what a search shall find."""

    def __init__(self, page: Page, link: Link, reference: Reference) -> None:
        self._page, self._link, self._reference = page, link, reference
        self.sections: list[Section] = []

    def page(self) -> str:
        name, about = self._page.name, self._page.about
        self.sections.append(Section("", name, 1, _searched(about)))
        title = re.sub(r"`(.*)`", r"<code>\1</code>", self._page.title)
        told = "".join(map(self._entry, self._page.entries))
        return f"<h1>{title}</h1>\n{markdown.inline(about, self._link)}<dl>{told}</dl>\n"

    def _entry(self, entry: Entry) -> str:
        if not self._reference.is_told_at(self._page, entry):
            place = self._link(f"`{entry.thing.path}`")
            return f'<dt id={entry.anchor}><b>{entry.anchor}</b><dd>The same as <a href="{escape(place)}">{_offered_as(place)}</a>.\n'
        since = f" <small>since {entry.since}</small>" if entry.since > self._reference.since else ""
        self._note(entry.anchor, entry.thing, entry.anchor)
        if entry.thing is None:
            return f"<dt id={entry.anchor}><b>{entry.anchor}</b>{since}<dd>\n"
        return f"<dt id={entry.anchor}>{_marked(entry.thing)}{since}<dd>{self._body(entry.thing, entry.anchor)}"

    def _note(self, anchor: str, thing: Any, title: str) -> None:
        text = _searched(_docstring(thing)) if thing is not None and not thing.parent.is_class else ""
        self.sections.append(Section(anchor, title, 3, text))

    def _body(self, thing: Any, anchor: str) -> str:
        """The docstring, then the members of a class: first those without a docstring, together."""
        members = list(_members(thing))
        listed = self._listed([one for one in members if not _has_entry(one)])
        told = "".join(self._member(one, f"{anchor}.{one.name}") for one in members if _has_entry(one))
        text = _short(markdown.inline(_docstring(thing), self._link)) if _docstring(thing) else ""
        return text + listed + (f"<dl>{told}</dl>\n" if told else "")

    def _listed(self, members: list[Any]) -> str:
        """Members without a docstring."""
        if not members:
            return ""
        if self._page.name in AS_IN_QT:
            return f"<p>As in Qt: {', '.join(one.name for one in members)}.\n"
        return f"<pre>{_text(chr(10).join(map(_signature, members)))}</pre>\n"

    def _member(self, thing: Any, anchor: str) -> str:
        if self._page.name != RETURNED:  # where a search for a class is enough
            self._note(anchor, thing, anchor)
        return f"<dt id={anchor}>{_marked(thing)}<dd>{self._body(thing, anchor)}"


def _offered_as(place: str) -> str:
    """The name in full that has this place."""
    page, _, anchor = place.rpartition("/")[2].partition("#")
    return f"<code>{page.removesuffix('.html')}.{anchor}</code>"


def _sentence(text: str) -> str:
    """The first sentence of a docstring, as far as there is room for it."""
    return shorten(re.split(r"(?<=[.?])\s|\n\n", text, maxsplit=1)[0], 90, placeholder=" …")


def _searched(text: str) -> str:
    """The same as a search shows it: without marks."""
    return _sentence(text).replace("`", "")


def _short(html: str) -> str:
    """The same without a paragraph where there is but one."""
    html = html.strip()
    return f"{html.removeprefix('<p>') if html.count('<p>') == 1 else html}\n"


# Signatures


def _marked(thing: Any) -> str:
    """The signature with the name in bold."""
    before, name, after = _signature(thing).partition(thing.name)
    return f"{_text(before)}<b>{name}</b>{_text(after)}"


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _signature(thing: Any) -> str:
    if thing.is_class:
        bases = ", ".join(str(base) for base in thing.bases)
        return f"class {thing.name}({bases})" if bases else f"class {thing.name}"
    if thing.is_function:
        return f"{_words(thing)}{thing.name}({_parameters(thing)}){_behind(' -> ', thing.returns)}"
    annotation = _behind(": ", thing.annotation)
    constant = "class-attribute" in thing.labels or "module-attribute" in thing.labels
    value = str(thing.value) if constant and thing.value is not None else ""
    shown = f" = {value}" if value and len(value) <= _LONGEST and "\n" not in value else ""
    return f"{thing.name}{annotation}{shown}"


def _behind(mark: str, expression: Any) -> str:
    return "" if expression is None else f"{mark}{expression}"


def _words(thing: Any) -> str:
    return "".join(f"{word} " for word in ("async", "classmethod", "staticmethod") if word in thing.labels)


_STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def _parameters(thing: Any) -> str:
    shown: list[str] = []
    kinds = griffe.ParameterKind
    last = None
    for parameter in thing.parameters:
        if parameter.name in {"self", "cls"} and last is None and thing.parent.is_class:
            continue
        if last is kinds.positional_only and parameter.kind is not kinds.positional_only:
            shown.append("/")
        if parameter.kind is kinds.keyword_only and last not in {kinds.keyword_only, kinds.var_positional}:
            shown.append("*")
        last = parameter.kind
        default = "" if parameter.kind in _STARS else _behind(" = ", parameter.default)
        shown.append(f"{_STARS.get(parameter.kind, '')}{parameter.name}{_behind(': ', parameter.annotation)}{default}")
    return ", ".join(shown) + (", /" if last is kinds.positional_only else "")


def groups(reference: Reference) -> Iterator[tuple[str, list[Page]]]:
    """Pages by what is promised of them, in order."""
    by_promise: dict[str, list[Page]] = {}
    for page in reference.pages:
        by_promise.setdefault(page.promise, []).append(page)
    yield from by_promise.items()
