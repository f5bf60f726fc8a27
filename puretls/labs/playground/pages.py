"""The files of the page, as a server or a static site serves them: those of this package, and what the page shares with the inspector's."""

from __future__ import annotations

from importlib.resources import files

from puretls.inspect.render.page import asset

SHARED = ("page.css", "bytes.js")
MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
"""By the ending of the name; all are UTF-8."""


def page_files() -> dict[str, str]:
    """Names and texts; `index.html` is the page, and looks for the others beside itself."""
    own = files(__package__).joinpath("page")
    made = {one.name: one.read_text(encoding="utf-8") for one in own.iterdir() if one.name.rpartition(".")[2] in MEDIA_TYPES}
    return dict(sorted((made | {name: asset(name) for name in SHARED}).items()))
