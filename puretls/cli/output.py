"""Tables and styles on a terminal: with `rich` where it is installed and the output is a terminal, as plain text otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TextIO


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], file: TextIO | None = None) -> None:
    """Print a table."""
    out = file or sys.stdout
    console = rich_console(out)
    if console is None:
        _plain(headers, rows, out)
        return
    from rich.table import Table

    drawn = Table(*headers, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)


def rich_console(out: TextIO) -> Any:
    """A rich console, or None where rich is missing or nobody looks."""
    if not out.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=out, highlight=False, markup=False)


def _plain(headers: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO) -> None:
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    for row in (headers, *rows):
        out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
