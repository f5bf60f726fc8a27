"""Checks a built site: each link leads to a file of it and each anchor to an id, and nothing is asked of other machines.

`#name=value` is no anchor: the playground reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REFERRING = {"a": "href", "link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
LOADED = frozenset(REFERRING) - {"a"}
"""Elements whose target a browser loads without being asked."""


class Document(HTMLParser):
    """What a page refers to, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        target = values.get(REFERRING.get(tag, ""))
        if target is not None:
            self.targets.append((tag, target))


def broken(folder: Path) -> list[str]:
    """What does not lead anywhere, one line each: page, target, why."""
    documents = {path.resolve(): Document(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    return [
        f"{path.relative_to(folder.resolve()).as_posix()}: {fault}" for path in documents for fault in _faults(path, documents)
    ]


def _faults(path: Path, documents: dict[Path, Document]) -> Iterator[str]:
    document = documents[path]
    yield from (f"id {name} twice" for name, count in Counter(document.ids).items() if count > 1)
    for tag, target in document.targets:
        parts = urlsplit(target)
        if parts.scheme == "data":
            continue
        if parts.scheme or parts.netloc:
            yield from [f"{target}: loaded from elsewhere"] if tag in LOADED else []
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not file.is_file():
            yield f"{target}: no such file"
        elif parts.fragment and "=" not in parts.fragment and unquote(parts.fragment) not in documents[file].ids:
            yield f"{target}: no such anchor"
