"""Values and paragraphs as text of a given width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from enum import IntEnum

from puretls.crypto.secret import Secret
from puretls.text import counted, printable

WIDEST_VALUE = 60
_LEAST = 16
"""Columns that a paragraph gets even where there are fewer."""


def value_text(value: object) -> str:
    """What a field means, in a few words; "" where its bytes say it all. Text of a peer is escaped."""
    if value is None:
        return ""
    if isinstance(value, Secret):
        return "(secret)"
    if isinstance(value, IntEnum):
        name = value.name if value.name.startswith("TLS_") else value.name.lower()
        number = f"0x{value.value:04x}" if name.startswith("TLS_") or value.value > 255 else str(value.value)
        return f"{name} ({number})"
    if isinstance(value, bytes):
        readable = value.isascii() and value.decode("ascii").isprintable() and len(value) > 1
        return repr(value.decode("ascii"))[:WIDEST_VALUE] if readable else counted(len(value), "byte")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value} (0x{value:x})" if value > 9 else str(value)
    text = printable(str(value))
    return text if len(text) <= WIDEST_VALUE else text[: WIDEST_VALUE - 3] + "..."


def paragraph(text: str, width: int, first: str = "", indent: int | None = None) -> list[str]:
    """`text` in lines of at most `width` columns behind `first`, all but the first line with `indent` spaces (as long as `first`).

    A word that fits no line is broken, at a dot where it has one: it is mostly a path.
    """
    indent = len(first) if indent is None else indent
    width = max(width, indent + _LEAST)
    words = " ".join(part for word in text.split() for part in _broken(word, width - indent))
    return textwrap.wrap(
        words, width, initial_indent=first.ljust(indent) if first else "", subsequent_indent=" " * indent, break_on_hyphens=False
    ) or [first.rstrip()]


def _broken(word: str, room: int) -> Iterator[str]:
    while len(word) > room:
        cut = max(word.rfind(".", 1, room), word.rfind("_", 1, room) + 1, 0)
        cut = cut if cut > room // 3 else room
        yield word[:cut]
        word = word[cut:]
    yield word
