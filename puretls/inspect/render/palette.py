"""Colours and marks of text for a terminal: values, chosen by whoever knows where the text goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple

from puretls.values import frozen


class Marks(NamedTuple):
    """What lines and arrows are drawn with."""

    line: str
    double: str
    right: str
    left: str
    leads_to: str


UNICODE = Marks("─", "═", "▶", "◀", "→")
ASCII = Marks("-", "=", ">", "<", "->")

COLOURS: Mapping[str, str] = {
    "title": "1",
    "offset": "2",
    "framing": "36",
    "field": "",
    "sealed": "35",
    "seal": "33",
    "fault": "1;31",
    "words": "2",
    "state": "32",
}
"""Role of a text -> parameters of SGR (ECMA-48 8.3.117). Only colours that every terminal has, on whatever background."""


@frozen
class Palette:
    """How texts of each role are shown; a role without a style is shown as it is."""

    styles: Mapping[str, str] = field(default_factory=dict)
    marks: Marks = UNICODE

    def paint(self, role: str, text: str) -> str:
        """The text in the colours of its role. Its width does not change: pad before, not after."""
        style = self.styles.get(role)
        return f"\x1b[{style}m{text}\x1b[0m" if style and text.strip() else text


PLAIN = Palette()
"""Without colours."""
COLOURED = Palette(COLOURS)
