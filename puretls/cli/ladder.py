"""Pictures of a conversation in text: messages between two columns of states, and bytes beside what they mean."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import TextIO

from puretls.spans import Span
from puretls.text import counted, printable
from puretls.values import frozen

BYTES_A_ROW = 16
WIDEST_VALUE = 60
INNER = 44
"""Columns of an arrow, where there is room."""


@frozen
class Rung:
    """One message on its way. `size` in bytes; the states are those after sending and after receiving it."""

    from_client: bool
    name: str
    size: int
    client_state: str
    server_state: str
    protected: bool = False


def ladder(rungs: Sequence[Rung], file: TextIO | None = None, columns: int = 10_000) -> list[str]:
    """Lines with an arrow a message, the client's states on the left and the server's on the right; flights stand apart.

    Double lines mark what travels encrypted. Arrows are shorter where that makes lines fit into so many `columns`; where even the
    shortest do not fit, the states stand in a line of their own below the arrow.
    """
    marks = arrow_marks(file or sys.stdout)
    left = max([len("client"), *(len(rung.client_state) for rung in rungs)])
    right = max([len("server"), *(len(rung.server_state) for rung in rungs)])
    shortest = max([0, *(_shortest(rung) for rung in rungs)])
    beside = left + shortest + right + 4 <= columns
    inner = max(shortest, min(INNER, columns - left - right - 4) if beside else left + 2 + right)
    lines = [f"{'client':<{left}}  {'':<{inner}}  server" if beside else f"client{'server':>{inner - len('client')}}"]
    before: Rung | None = None
    for rung in rungs:
        if before is not None and before.from_client != rung.from_client:
            lines.append("")
        arrow = _arrow(rung, marks, inner)
        if beside:
            lines.append(f"{rung.client_state:<{left}}  {arrow}  {rung.server_state}".rstrip())
        else:
            lines += [arrow, f"{rung.client_state}{rung.server_state:>{inner - len(rung.client_state)}}".rstrip()]
        before = rung
    return lines


def arrow_marks(file: TextIO) -> str:
    """A line, a double line, and the heads of an arrow to the right and left, in what the file's encoding can say."""
    marks = "─═▶◀"
    try:
        marks.encode(getattr(file, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "-=><"
    return marks


def _shortest(rung: Rung) -> int:
    return len(f" {rung.name} ") + len(f" {rung.size} ") + 6


def _arrow(rung: Rung, marks: str, inner: int) -> str:
    line, right, left = marks[rung.protected], marks[2], marks[3]
    text, size = f" {rung.name} ", f" {rung.size} "
    fill = inner - len(text) - len(size) - 5
    if rung.from_client:
        return line * 2 + text + line * fill + size + line * 2 + right
    return left + line * 2 + size + line * fill + text + line * 2


Row = tuple[str, str, str, str, str]


def explained(raw: bytes, spans: Iterable[Span], bytes_a_row: int = BYTES_A_ROW) -> Iterator[Row]:
    """Rows of a table: offsets, bytes, field, value, source; long fields take several rows."""
    for span in spans:
        if span.start == span.end:
            continue
        told = (span.path, _value(span.value), span.note)
        if span.fault:
            told = (span.path, f"FAULT: {span.note}", "")
        told = (printable(told[0]), printable(told[1]), printable(told[2]))
        for start in range(span.start, span.end, bytes_a_row):
            end = min(start + bytes_a_row, span.end)
            offsets = f"{start}" if end == start + 1 else f"{start}-{end - 1}"
            yield offsets, raw[start:end].hex(" "), *told
            told = ("", "", "")


def shortened(path: str, width: int = 44) -> str:
    """A path without its message's name, and with its middle left out where it is long."""
    parts = path.split(".")[1:]
    while len(parts) > 2 and len(".".join(parts)) > width:
        del parts[1 if parts[1] != "*" else 2]
        if parts[1] != "*":
            parts.insert(1, "*")
    return ".".join(parts)


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return value.name if value.name.startswith("TLS_") else value.name.lower()
    if isinstance(value, bytes):
        printable = value.isascii() and value.decode("ascii").isprintable() and len(value) > 1
        return repr(value.decode("ascii"))[:WIDEST_VALUE] if printable else counted(len(value), "byte")
    if isinstance(value, int):
        return f"{value} (0x{value:x})" if value > 9 else str(value)
    text = str(value)
    return text if len(text) <= WIDEST_VALUE else text[: WIDEST_VALUE - 3] + "..."
