"""Tables, headings, paragraphs: with `rich` where it is installed and the output is a terminal, as plain text otherwise."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from puretls.inspect.render.palette import Palette

UNLIMITED = 10_000
"""Columns for output that is no terminal."""


def columns(file: TextIO | None = None) -> int:
    """Columns that a line of `file` (standard output) may have: as the variable COLUMNS says, else as wide as the terminal is."""
    if (file or sys.stdout).isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size((UNLIMITED, 24)).columns
    return UNLIMITED


def check_writable(*paths: Path | None) -> None:
    """Raises `OSError` for a file that cannot be written: before any work is done for it. None is no file."""
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def palette(file: TextIO | None = None) -> Palette:
    """Colours where a person looks and has not set NO_COLOR (no-color.org); marks in what the encoding of the file can say."""
    from puretls.inspect.render.palette import ASCII, COLOURS, UNICODE, Palette

    file = file or sys.stdout
    coloured = file.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        "".join(UNICODE).encode(getattr(file, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return Palette(COLOURS if coloured else {}, ASCII)
    return Palette(COLOURS if coloured else {}, UNICODE)


def wrapped(text: str, first: str = "", indent: int | None = None, width: int | None = None) -> list[str]:
    """`first` and `text` in lines of `width` columns, all but the first with `indent` spaces; only words that fit no line are broken."""
    indent = len(first) if indent is None else indent
    width = max(width or columns(), indent + 20)
    return textwrap.wrap(text, width, initial_indent=first.ljust(indent), subsequent_indent=" " * indent, break_on_hyphens=False)


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
