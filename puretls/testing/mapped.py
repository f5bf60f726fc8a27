"""Bytes that know their fields: what hypothesis prints of them is the call that makes them, and every byte with its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.spans import Span

Annotate = Callable[[bytes], Sequence[Span]]
WIDTH = 110


class Mapped(bytes):
    """Bytes, and what explains them."""

    annotate: Annotate

    def __new__(cls, data: bytes, annotate: Annotate) -> Self:
        made = super().__new__(cls, data)
        made.annotate = annotate
        return made

    @property
    def spans(self) -> Sequence[Span]:
        """Spans that tile the bytes."""
        return self.annotate(bytes(self))

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """The map: offsets, bytes, and what they are."""
        return hexdump(of_spans(self, self.spans), width)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"bytes.fromhex({self.hex()!r})")
        print_lines(printer, self.lines())


def print_lines(printer: Any, lines: Iterator[str]) -> None:
    """Comment lines below what hypothesis printed so far."""
    for line in lines:
        printer.text("\n" + " " * printer.indentation + "# " + line)
