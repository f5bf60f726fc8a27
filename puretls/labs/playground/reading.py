"""Labs and lessons to read beside the page: the Markdown of the manual as HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from puretls.errors import UsageError
from puretls.inspect.render.markup import element

Json = Any
FOLDERS = ("lessons", "labs")
"""Folders of the manual that have something to read beside the page."""


@cache
def titles() -> list[Json]:
    """What there is to read: name and title, in order."""
    found = []
    for folder in FOLDERS:
        place = files("puretls").joinpath("manual", folder)
        pages = sorted(one.name for one in place.iterdir() if one.name[:1].isdigit()) if place.is_dir() else []
        for page in pages:
            name = f"{folder}/{page.removesuffix('.md')}"
            found.append({"name": name, "title": _text(name).partition("\n")[0].lstrip("# ").strip()})
    return found


def read(name: str) -> Json:
    """One of them as HTML: rendered where markdown-it-py is installed, as it is written where not. Raises `UsageError`."""
    if name not in {one["name"] for one in titles()}:
        raise UsageError(f"nothing to read is called {name[:80]!r}")
    return {"name": name, "html": _html(_text(name))}


def _text(name: str) -> str:
    folder, _, page = name.partition("/")
    return files("puretls").joinpath("manual", folder, f"{page}.md").read_text(encoding="utf-8")


def _html(text: str) -> str:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return str(element("pre", text, class_="markdown", tabindex=0))
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
