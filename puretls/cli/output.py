"""Tables, headings, paragraphs: with `rich` where it is installed and the output is a terminal, as plain text otherwise."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

UNLIMITED = 10_000
"""Columns for output that is no terminal."""


def columns() -> int:
    """Columns that a line may have: as the variable COLUMNS says, else as wide as the terminal is."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size((UNLIMITED, 24)).columns
    return UNLIMITED


def wrapped(text: str, first: str = "", indent: int | None = None, width: int | None = None) -> list[str]:
    """`first` and `text` in lines of `width` columns, all but the first with `indent` spaces; only words that fit no line are broken."""
    indent = len(first) if indent is None else indent
    width = max(width or columns(), indent + 20)
    return textwrap.wrap(text, width, initial_indent=first.ljust(indent), subsequent_indent=" " * indent, break_on_hyphens=False)


def total(rows: Sequence[Sequence[str]]) -> int:
    """Columns that a table of these rows takes."""
    return max(len(_line(row, _widths(rows))) for row in rows)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. Cells are never cut: names in them are there to be copied."""
    widths = _widths((headers, *rows))
    heading(_line(headers, widths))
    for row in rows:
        print(_line(row, widths))


def heading(text: str) -> None:
    """Print a line, in bold where that can be."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            pass
        else:
            Console(highlight=False, markup=False).print(text, style="bold", soft_wrap=True)
            return
    print(text)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
