"""A lesson's page as pieces: prose, programs with what they print, exercises; played from top to bottom in one namespace."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from typing import Any

from puretls.values import frozen

PROSE, CODE, OUTPUT = "", "python", "text output"
"""Kinds of pieces, as the page names them behind its fences. What has another name is for reading alone."""
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```\n", re.S | re.M)


@frozen
class Piece:
    """One piece of a page. A section is what stands from a heading to the next: `section` counts them."""

    kind: str
    text: str
    section: int = 0


def pieces(page: str) -> Iterator[Piece]:
    """The pieces of a page as it is written."""
    at = section = 0
    for fence in _FENCE.finditer(page):
        for part in _sections(page[at : fence.start()]):
            section += part.startswith("#")
            yield Piece(PROSE, part, section)
        yield Piece(fence[1], fence[2], section)
        at = fence.end()
    for part in _sections(page[at:]):
        section += part.startswith("#")
        yield Piece(PROSE, part, section)


def _sections(text: str) -> Iterator[str]:
    yield from filter(None, (part.strip("\n") for part in re.split(r"^(?=#)", text, flags=re.M)))


def played(page: str, name: str = "lesson") -> Iterator[Piece]:
    """The pieces of a page; its programs are run as they come, and what they print follows them in place of what the page says.

    Whatever a program raises is passed on: those of the lessons raise nothing.
    """
    namespace: dict[str, Any] = {"__name__": name}
    for piece in pieces(page):
        if piece.kind == OUTPUT:
            continue
        yield piece
        if piece.kind == CODE:
            said = io.StringIO()
            with redirect_stdout(said):
                exec(compile(piece.text, name, "exec"), namespace)
            if said.getvalue():
                yield Piece(OUTPUT, said.getvalue(), piece.section)


def page_of(parts: Iterable[Piece]) -> str:
    """The page that pieces make: the inverse of `pieces`."""
    return "\n\n".join(part.text if part.kind == PROSE else f"```{part.kind}\n{part.text}```" for part in parts) + "\n"
