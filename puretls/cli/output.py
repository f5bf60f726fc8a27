"""Tables and headings: with `rich` where it is installed and the output is a terminal, as plain text otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. Cells are never cut: names in them are there to be copied."""
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
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


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
