"""Tables, headings, paragraphs: with `rich` where it is installed and the output is a terminal, as plain text otherwise."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from puretls.errors import UsageError

if TYPE_CHECKING:
    from puretls.inspect.render.palette import Palette

UNLIMITED = 10_000
"""Columns for output that is no terminal."""


def columns(file: TextIO | None = None) -> int:
    """Columns that a line of `file` (standard output) may have: as the variable COLUMNS says, else as wide as the terminal is."""
    if (file or sys.stdout).isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size((UNLIMITED, 24)).columns
    return UNLIMITED


STANDARD = "-"
"""What stands for standard input or output where a file is named."""


def add_force(parser: argparse.ArgumentParser, what: str = "overwrite FILE") -> None:
    """The option `--force`, without which `check_out` refuses."""
    parser.add_argument("--force", action="store_true", help=what)


def check_out(*paths: Path | str | None, force: bool, inputs: Iterable[str] = (), dash: bool = False) -> None:
    """Whether files can be written, before any work is done for them. None is no file.

    Raises `UsageError` for one that is there already and not to be overwritten, that was named twice or is among the `inputs`, and for
    "-" unless `dash` allows it; `OSError` for one that cannot be written.
    """
    taken = {os.path.realpath(path) for path in inputs if path != STANDARD}
    for name in (str(path) for path in paths if path is not None):
        place = name if name == STANDARD else os.path.realpath(name)
        if place in taken:
            raise UsageError(f"{name}: named twice: each output needs a file of its own")
        taken.add(place)
        if name != STANDARD:
            _check_file(name, force=force)
        elif not dash:
            raise UsageError("-: this goes into a file, not to standard output; ./- is a file of that name")


def _check_file(name: str, *, force: bool) -> None:
    if os.path.isdir(name):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not force and os.path.lexists(name):
        raise UsageError(f"{name}: exists already; --force overwrites it")
    folder = os.path.dirname(name) or os.curdir
    if not name or not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name or repr(name))
    if not os.path.exists(name) and not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)


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
