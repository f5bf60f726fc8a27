"""The site: every page of the manual, the reference, the search's index, and what pages share."""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from puretls.labs.playground.reading import FOLDERS as READABLE
from tools.website import drawings, markdown, playground, reference
from tools.website.errors import SiteError
from tools.website.markdown import Section
from tools.website.reference import Reference, groups

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "puretls" / "manual"
WEB = ROOT / "tools" / "web"
PICTURES = (".svg", ".png", ".webp")
LICENCE = "LICENSE"
READ_BESIDE = frozenset(READABLE)
UNSEARCHED = frozenset({"api.html", "changes.html"})
"""What lists names that have pages of their own, and what says again, version by version, what other pages say."""
API_INDEX = "api/index.html"


_MARK = "assets/search.js"
"""What a folder must have, if it is to be emptied for a new site."""


@dataclass(frozen=True)
class Page:
    """One page: its address within the site, its title, its content, and what a search finds in it."""

    address: str
    title: str
    html: str
    sections: tuple[Section, ...]
    prefix: str = ""
    """What a search puts before the names of sections that have no title; the title unless given."""

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.address)


@dataclass(frozen=True)
class Group:
    """A heading of the navigation and the addresses of the pages below it, with their names."""

    title: str
    entries: tuple[tuple[str, str], ...]


class Site:
    """The pages of the site, made when they are asked for."""

    def __init__(self, *, has_playground: bool = False) -> None:
        self._playground = f"{playground.FOLDER}/index.html" if has_playground else ""
        self._doors = {"API": API_INDEX} | ({"Playground": self._playground} if has_playground else {})
        self.reference = Reference()
        self.copied: dict[str, str] = {}
        self.pages = (*self._manual(), *self._api())

    def _manual(self) -> Iterator[Page]:
        for path in sorted(MANUAL.rglob("*.md")):
            name = path.relative_to(MANUAL).as_posix()
            made = markdown.render(path.read_text(), lambda link, name=name: self.target(name, link), drawings.DRAWINGS)
            yield Page(_address(name), made.title, made.html, made.sections)

    def _api(self) -> Iterator[Page]:
        headed = [f"## {promise}\n\n{_listed(pages)}" for promise, pages in groups(self.reference)]
        index = markdown.render("\n\n".join((_API_HEAD, *headed)), lambda link: self.target(API_INDEX, link))
        yield Page(API_INDEX, index.title, index.html, index.sections[:1])
        for page in self.reference.pages:
            html, sections = self.reference.render(page, lambda link: self.target(API_INDEX, link))
            yield Page(page.file, page.title.strip("`"), html, tuple(sections), page.prefix)

    def target(self, name: str, link: str) -> str:
        """Where a link of the page with this name leads within the site; "`puretls.x`" is code that may be a name of the reference."""
        here = posixpath.dirname(name)
        if link.startswith("`"):
            place = self.reference.place(link.strip("`").removesuffix("()")) if link.startswith("`puretls.") else None
            return posixpath.relpath(place, here or ".") if place else link
        if re.match(r"[a-z]+:|#", link):
            return link
        path, mark, anchor = link.partition("#")
        if here == "api" and path.endswith(".html"):
            return link
        found = posixpath.normpath(posixpath.join("puretls/manual", here, path))
        if found.endswith(".md") and (ROOT / found).exists():
            return f"{posixpath.relpath(_address(posixpath.relpath(found, 'puretls/manual')), here or '.')}{mark}{anchor}"
        if (copied := _copied_as(found)) and (ROOT / found).exists():
            self.copied[copied] = found
            return posixpath.relpath(copied, here or ".")
        place = self.reference.source_place(found)
        if place is None:
            raise SiteError(f"{name}: nothing of the site is at {link}")
        return posixpath.relpath(place, here or ".")

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The navigation: what the manual's index lists under each heading."""
        return tuple(Group(title, tuple((text, _address(link)) for text, link in entries)) for title, entries in index_entries())

    def written(self, page: Page) -> str:
        """A page as a file."""
        root = "../" * page.address.count("/")
        title = page.title if page.address == "index.html" else f"{page.title} · puretls"
        parts = {
            "nav": self._nav(page),
            "main": self._main(page),
            "pager": self._pager(page),
            "doors": " ".join(_anchor(page, *door) for door in self._doors.items()),
        }
        return Template((WEB / "page.html").read_text()).substitute(parts, title=escape(title), root=root)

    def _main(self, page: Page) -> str:
        """The page's text; that of a lesson or a lab with a way to read it beside the playground."""
        name = page.address.removesuffix(".html")
        if not (self._playground and page.folder in READ_BESIDE and not _is_index(page)):
            return page.html
        way = _anchor(page, "Read it beside the playground", f"{self._playground}#read={quote(name, safe='')}")
        return page.html.replace("</h1>\n", f"</h1>\n<p>{way}</p>\n", 1)

    def _nav(self, page: Page) -> str:
        """All pages of the manual; on a page of a folder those of the folder, and the way back. Below the page itself its headings."""
        if page.folder == "api":
            here = [] if page.address == API_INDEX else [_entry(page, page.title, page.address)]
            return _list([_anchor(page, "The manual", "index.html"), _entry(page, "All modules", API_INDEX), *here])
        if page.folder:
            pages = self._folder(page.folder, index=True)
            return _list([_anchor(page, "The manual", "index.html"), *(_entry(page, one.title, one.address) for one in pages)])
        named = [(group.title, _list(_entry(page, *entry) for entry in group.entries)) for group in self.groups]
        return "\n".join(f"<h2>{escape(title)}</h2>\n{entries}" for title, entries in named)

    def _folder(self, folder: str, *, index: bool = False) -> list[Page]:
        """The pages of a folder in order, its index first if it is wanted."""
        found = [page for page in self.pages if page.folder == folder and (index or not _is_index(page))]
        return sorted(found, key=_is_index, reverse=True)

    def _pager(self, page: Page) -> str:
        """What comes before and after a page in its folder."""
        pages = self._folder(page.folder) if page.folder not in {"", "api"} else []
        if page not in pages:
            return ""
        at = pages.index(page)
        before = _anchor(page, f"← {pages[at - 1].title}", pages[at - 1].address) if at else "<span></span>"
        after = _anchor(page, f"{pages[at + 1].title} →", pages[at + 1].address) if at + 1 < len(pages) else ""
        return f'<div class="pager">{before}{after}</div>'

    def search_index(self) -> str:
        """A script that says what is where: for each page its address, its title, and its sections as [anchor, title, text].

        It is no JSON file, because a page that is opened from a disk may load scripts and nothing else.
        """
        listed = [
            [page.address, page.prefix or page.title, *map(_compact, page.sections)]
            for page in self.pages
            if page.address not in UNSEARCHED
        ]
        return f"globalThis.searchIndex = {json.dumps(listed, ensure_ascii=False, separators=(',', ':'))};\n"


_API_HEAD = """# API

Every public name with its signature and its docstring. [What is promised](../api.md) says what may change, and how."""


def _listed(pages: Iterable[reference.Page]) -> str:
    """Pages as a list in Markdown, each with a sentence."""
    return "\n".join(f"- [{page.title}]({posixpath.basename(page.file)}): {page.sentence}" for page in pages)


def _compact(section: Section) -> list[str]:
    """What has the name of its place has no title of its own; nothing stands for no text."""
    title = "" if section.anchor.endswith(section.title) else section.title
    return [section.anchor, title, section.text] if section.text else [section.anchor, title]


def index_entries() -> list[tuple[str, list[tuple[str, str]]]]:
    """The headings of the manual's index, and the pages below each: text and link."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for line in (MANUAL / "index.md").read_text().splitlines():
        if line.startswith("## "):
            groups.append((line[3:], []))
        elif groups and (entry := re.match(r"- \[([^\]]+)\]\(([^)]+)\)", line)):
            groups[-1][1].append((entry[1], entry[2]))
    return groups


def _copied_as(path: str) -> str | None:
    """The name in the site of a file that is copied as it is; None for others."""
    if path == LICENCE:
        return f"{LICENCE}.txt"
    return posixpath.relpath(path, "puretls/manual") if path.endswith(PICTURES) else None


def _is_index(page: Page) -> bool:
    return posixpath.basename(page.address) == "index.html"


def _address(name: str) -> str:
    return re.sub(r"\.md$", ".html", name)


def _anchor(page: Page, text: str, address: str) -> str:
    current = ' aria-current="page"' if page.address == address else ""
    return f'<a href="{escape(posixpath.relpath(address, page.folder or "."))}"{current}>{escape(text)}</a>'


def _entry(page: Page, text: str, address: str) -> str:
    """A link of the navigation; below that to the page itself links to its headings."""
    headings = [section for section in page.sections if section.level == 2] if address == page.address else []
    below = _list(f'<a href="#{escape(one.anchor)}">{escape(one.title)}</a>' for one in headings) if headings else ""
    return _anchor(page, text, address) + below


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{item}\n" for item in items) + "</ul>"


def build(out: Path, pyodide: Path | None = None) -> list[str]:
    """Writes the site into a folder, which is made, or emptied if a site is in it; returns the names of its files.

    With the folder of the npm package `pyodide` there is a playground in it. Raises `SiteError`.
    """
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / _MARK).exists())):
        raise SiteError(f"{out} is there and holds no site: name another folder, or remove it")
    added = {f"{playground.FOLDER}/{name}": content for name, content in playground.files(pyodide).items()} if pyodide else {}
    site = Site(has_playground=bool(added))
    shutil.rmtree(out, ignore_errors=True)
    files = {page.address: site.written(page) for page in site.pages}
    files |= {f"assets/{name}": (WEB / name).read_text() for name in ("site.css", "site.js")}
    files[_MARK] = site.search_index()
    content_of = {name: text.encode() for name, text in files.items()} | added
    content_of |= {name: (ROOT / source).read_bytes() for name, source in site.copied.items()}
    for name, content in content_of.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return sorted(content_of)
