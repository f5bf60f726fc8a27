"""The reference of the code, read from its docstrings and signatures by griffe: nothing is imported, nothing is run.

A page tells a package with the modules in it, or a module right below `puretls`. Private names (`_name`) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import shorten
from typing import Any

import griffe

from tools.website import markdown
from tools.website.markdown import Link, Section

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = ("puretls.__main__", "puretls.cli", "puretls.crypto.kernels", "puretls.inspect.texts", "puretls.labs")
"""Modules that nobody imports: the command, texts, labs, and arithmetic, which `puretls.crypto.provider` offers."""
FACADES = (
    "puretls.connection",
    "puretls.qt",
    "puretls.ssl",
    "puretls.testing.adapters",
    "puretls.testing.learning",
    "puretls.testing.pki",
    "puretls.testing.properties",
    "puretls.testing.strategies",
)
"""Packages whose `__all__` is all that is for users; their modules are how it is made."""
OFFERED = ("puretls.ssl.finder", "puretls.ssl.module.build")
"""What the manual names beside it."""
_LONGEST = 72
"""Characters of a value that is shown; a longer one is left out."""


@dataclass(frozen=True)
class Page:
    """One page of the reference: the package's or module's full name, and the modules that it tells, its own first."""

    name: str
    modules: tuple[griffe.Module, ...]

    @property
    def file(self) -> str:
        return f"api/{self.name}.html"


class Reference:
    """The pages of the reference, and where each public name stands."""

    def __init__(self) -> None:
        loaded = griffe.load("puretls", search_paths=[ROOT])
        assert isinstance(loaded, griffe.Module)
        self.pages = tuple(_pages(loaded))
        self._places = {path: place for page in self.pages for path, place in _places(page)}
        self._sources = {
            module.filepath.relative_to(ROOT).as_posix(): f"{page.file}{_at(page, module.path)}"
            for page in self.pages
            for module in page.modules
            if isinstance(module.filepath, Path)
        }

    def place(self, name: str) -> str | None:
        """Page and anchor of a name in full, such as `puretls.x509.names.Name`; re-exported names are followed."""
        place = self._places.get(name)
        if place is not None and not place.startswith("="):
            return place
        return None if place is None else self._places.get(place[1:])

    def source_place(self, path: str) -> str | None:
        """Page and anchor of a module, by its file in the repository."""
        return self._sources.get(path)

    def render(self, page: Page, link: Link) -> tuple[str, list[Section]]:
        """HTML of a page, and what a search finds in it."""
        writer = _Writer(page, link, self)
        return writer.page(), writer.sections


def _is_public(member: Any) -> bool:
    return not member.name.startswith("_") and not member.path.startswith(LEFT_OUT)


def _modules(module: griffe.Module) -> list[griffe.Module]:
    found = [one for one in module.members.values() if isinstance(one, griffe.Module) and not one.is_alias and _is_public(one)]
    return sorted(found, key=lambda one: one.name)


def _pages(package: griffe.Module) -> Iterator[Page]:
    below = _modules(package)
    plain = [module for module in below if not module.is_init_module]
    if package.name == "puretls":
        yield Page(package.path, (package,))
        yield from (Page(module.path, (module,)) for module in plain)
    else:
        told = [module for module in plain if package.path not in FACADES or module.path in OFFERED or any(_objects(module))]
        yield Page(package.path, (package, *told))
    for module in below:
        if module.is_init_module:
            yield from _pages(module)


def _objects(holder: Any) -> Iterator[Any]:
    """Public classes, functions and values that a module or class defines itself."""
    for member in holder.members.values():
        if not member.is_alias and not member.is_module and _is_public(member) and _is_offered(member):
            yield member


def _is_offered(thing: Any) -> bool:
    """Whether it is for users: in a facade, what its `__all__` has, and what such a class defines."""
    holder = thing.module
    while holder is not None and holder.path not in FACADES:
        holder = holder.parent
    return holder is None or thing.parent.is_class or thing.path in OFFERED or thing.name in map(str, holder.exports or ())


def _exported(module: griffe.Module) -> Iterator[tuple[str, str]]:
    """Names that a package offers and others define: name, full name of the original."""
    for name in sorted(module.exports or ()):
        member = module.members.get(str(name))
        if member is not None and member.is_alias:
            yield str(name), _original(member)


def _original(alias: Any) -> str:
    try:
        return str(alias.final_target.path)
    except griffe.AliasResolutionError:
        return str(alias.target_path)


def _places(page: Page) -> Iterator[tuple[str, str]]:
    """Full names and where they are told; what is only offered under a second name leads to the first, after "="."""
    for module in page.modules:
        yield module.path, f"{page.file}{_at(page, module.path)}"
        for name, original in _exported(module):
            yield f"{module.path}.{name}", f"={original}"
        for thing in _objects(module):
            yield thing.path, f"{page.file}{_at(page, thing.path if _has_entry(thing) else module.path)}"
            if thing.is_class:
                yield from (
                    (member.path, f"{page.file}{_at(page, member.path)}") for member in _objects(thing) if _has_entry(member)
                )


def _has_entry(thing: Any) -> bool:
    """Whether it has a place of its own on its page; what has no docstring stands in a list."""
    return thing.is_class or bool(thing.docstring)


def _anchor(page: Page, path: str) -> str:
    """The id on a page: the full name less what all names of the page begin with."""
    return path.removeprefix(page.name).removeprefix(".")


def _at(page: Page, path: str) -> str:
    anchor = _anchor(page, path)
    return f"#{anchor}" if anchor else ""


class _Writer:
    """Writes one page, and keeps what a search shall find."""

    def __init__(self, page: Page, link: Link, reference: Reference) -> None:
        self._page, self._link, self._reference = page, link, reference
        self.sections: list[Section] = []

    def page(self) -> str:
        first, *others = self._page.modules
        parts = [
            f"<h1><code>{escape(first.path)}</code></h1>\n",
            self._doc(first, first.path, 1),
            self._offered(first),
            self._holder(first),
        ]
        for module in others:
            parts.append(f'<h2 id="{self._id(module)}"><code>{escape(module.path)}</code></h2>\n')
            parts += [self._doc(module, module.name, 2), self._holder(module)]
        return "".join(parts)

    def _id(self, thing: Any) -> str:
        return escape(_anchor(self._page, thing.path))

    def _doc(self, thing: Any, title: str, level: int) -> str:
        """The docstring as HTML; noted for the search with its first sentence."""
        text = thing.docstring.value.strip() if thing.docstring else ""
        self.sections.append(Section(_anchor(self._page, thing.path), title, level, _sentence(text) if level < 4 else ""))
        return _short(markdown.inline(text, self._link)) if text else ""

    def _offered(self, module: griffe.Module) -> str:
        names = []
        for name, original in _exported(module):
            target = self._link(f"`{original}`")
            told = f"<code>{escape(name)}</code>"
            names.append(f'<a href="{escape(target)}">{told}</a>' if not target.startswith("`") else told)
        return f"<p>Names: {', '.join(names)}</p>\n" if names else ""

    def _holder(self, holder: Any) -> str:
        """What a module or class defines: first what has no docstring, together; then what has one."""
        members = list(_objects(holder))
        plain = [_signature(member) for member in members if not _has_entry(member)]
        told = "".join(self._object(member) for member in members if _has_entry(member))
        short = f"<pre><code>{markdown.highlighted(chr(10).join(plain), 'python').rstrip()}</code></pre>\n" if plain else ""
        return short + (f"<dl>{told}</dl>\n" if told else "")

    def _object(self, thing: Any) -> str:
        level = 3 if thing.parent.is_module else 4
        name = thing.name if level == 3 else f"{thing.parent.name}.{thing.name}"
        body = self._doc(thing, name, level) + (self._holder(thing) if thing.is_class else "")
        return f"<dt id={self._id(thing)}>{_marked(thing)}<dd>{body}"


def _sentence(text: str) -> str:
    """The first sentence of a docstring, as far as a search shows it."""
    return shorten(re.split(r"(?<=[.:;?])\s|\n\n", text, maxsplit=1)[0], 80, placeholder=" …")


def _short(html: str) -> str:
    """The same without the ends that HTML lets one leave out, and without a paragraph where there is but one."""
    html = html.strip()
    if html.count("<p>") == 1 and html.startswith("<p>") and html.endswith("</p>"):
        return html[3:-4] + "\n"
    return html.replace("</p>", "").replace("</li>", "") + "\n"


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _marked(thing: Any) -> str:
    """The signature with the name in bold."""
    before, name, after = _signature(thing).partition(thing.name)
    return f"{_text(before)}<b>{name}</b>{_text(after)}"


def _signature(thing: Any) -> str:
    if thing.is_class:
        return f"class {thing.name}{_class_arguments(thing)}"
    if thing.is_function:
        return f"{_words(thing)}{thing.name}({_parameters(thing)}){_returns(thing)}"
    annotation = f": {thing.annotation}" if thing.annotation is not None else ""
    if "property" in thing.labels:
        return f"{thing.name}{annotation}"
    value = str(thing.value) if thing.value is not None else ""
    shown = f" = {value}" if value and len(value) <= _LONGEST and "\n" not in value else ""
    return f"{thing.name}{annotation}{shown}"


def _class_arguments(thing: Any) -> str:
    bases = ", ".join(str(base) for base in thing.bases)
    return f"({bases})" if bases else ""


def _words(thing: Any) -> str:
    marks = (("async", "async "), ("classmethod", "classmethod "), ("staticmethod", "staticmethod "))
    return "".join(word for label, word in marks if label in thing.labels)


def _returns(thing: Any) -> str:
    return f" -> {thing.returns}" if thing.returns is not None else ""


_STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def _parameters(thing: Any) -> str:
    shown: list[str] = []
    kinds = griffe.ParameterKind
    last = None
    for parameter in thing.parameters:
        if parameter.name in {"self", "cls"} and not shown and thing.parent.is_class:
            continue
        if last is kinds.positional_only and parameter.kind is not kinds.positional_only:
            shown.append("/")
        if parameter.kind is kinds.keyword_only and last not in {kinds.keyword_only, kinds.var_positional}:
            shown.append("*")
        last = parameter.kind
        annotation = f": {parameter.annotation}" if parameter.annotation is not None else ""
        default = "" if parameter.default is None or parameter.kind in _STARS else f" = {parameter.default}"
        shown.append(f"{_STARS.get(parameter.kind, '')}{parameter.name}{annotation}{default}")
    return ", ".join(shown) + (", /" if last is kinds.positional_only else "")
