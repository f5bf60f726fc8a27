"""Pages of the manual in a terminal: Markdown as the manual uses it, in lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puretls.inspect.render.palette import Palette

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_EMPHASIS = re.compile(r"(?<![\w*`])\*(\w[^*`]*\w|\w)\*(?![\w*`])")
_ITEM = re.compile(r"(\s*)([-*]|\d+\.) +(.*)")


def lines(text: str, width: int, palette: Palette) -> Iterator[str]:
    """Headings in the palette's title, paragraphs and lists wrapped, code and tables as they stand. Of links, what they say."""
    for block in _blocks(text):
        yield from _block(block, width, palette)
        yield ""


def _blocks(text: str) -> Iterator[list[str]]:
    """What empty lines separate; a fence holds its empty lines."""
    block: list[str] = []
    fenced = False
    for line in text.splitlines():
        fence = line.startswith("```")
        if block and not fenced and (not line.strip() or fence):
            yield block
            block = []
        if line.strip() or fenced:
            block.append(line)
        if fence and fenced:
            yield block
            block = []
        fenced ^= fence
    if block:
        yield block


def _block(block: list[str], width: int, palette: Palette) -> Iterator[str]:
    first = block[0]
    if first.startswith("```"):
        yield from (("    " + line).rstrip() for line in block[1:] if not line.startswith("```"))
    elif first.startswith("#"):
        yield palette.paint("title", first.lstrip("# "))
    elif first.startswith("|"):
        yield from block
    elif first.startswith(">"):
        quoted = [line.removeprefix(">").strip() for line in block]
        yield from ("  > " + line for line in _paragraphs(quoted, width - 4))
    else:
        yield from _paragraphs(block, width)


def _paragraphs(block: list[str], width: int) -> Iterator[str]:
    """A paragraph, or the items of a list, each with the lines that go on with it."""
    from puretls.inspect.render.words import paragraph

    starts = 0
    numbered = []
    for line in block:
        starts += bool(_ITEM.match(line))
        numbered.append((starts, line))
    for _, group in groupby(numbered, lambda pair: pair[0]):
        text = " ".join(line.strip() for _, line in group)
        item = _ITEM.match(text)
        head, body = (f"  {item[2]} ", item[3]) if item else ("", text)
        yield from paragraph(_plain(body), width, head, len(head))


def _plain(text: str) -> str:
    return _EMPHASIS.sub(r"\1", _LINK.sub(r"\1", text).replace("**", "")).replace("`", "")
