"""String preparation for comparing attribute values (RFC 4518 2, as RFC 5280 7.1 asks for).

Transcoding is done where values are read. What comes out is for comparing only, never for showing.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

LONGEST = 256
"""Characters of a value that are prepared: normalisation is quadratic in runs of combining marks. All upper bounds of RFC 5280 A.1 but
that of X520name are below; what is longer is compared byte by byte, and where that may not decide, cannot be compared."""

_NOTHING = (0x034F, 0x1806, 0xFFFC, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
"""What is mapped to nothing beside controls and format characters: joiners, and the variation selectors of today's Unicode."""
_BLANK = (*range(0x09, 0x0E), 0x85)
_CONTROLS, _SEPARATORS = frozenset({"Cc", "Cf"}), frozenset({"Zs", "Zl", "Zp"})
_PROHIBITED = frozenset({"Cn", "Co", "Cs"})
_NOT_A_SPACE = "\u00a0"
"""A space that carries a combining mark, and is hence no space (2.6.1)."""


class _Mapping(dict[int, str]):
    """RFC 4518 2.2 for `str.translate`: controls, format characters and selectors become nothing, separators become spaces."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        return "" if category in _CONTROLS else " " if category in _SEPARATORS else chr(code)


_MAPPING = _Mapping(dict.fromkeys(_NOTHING, "") | dict.fromkeys(_BLANK, " "))


def prepare(text: str) -> str | None:
    """The form in which two values are equal if they match by caseIgnoreMatch; None for a value that cannot be compared.

    Such are values with characters that RFC 4518 2.4 prohibits, and those that are not ASCII and longer than `LONGEST`.
    """
    if text.isascii():
        return " ".join((text if text.isprintable() else text.translate(_MAPPING)).lower().split())
    return _prepared(text) if len(text) <= LONGEST else None


def _prepared(text: str) -> str | None:
    normal = _normalised(text.translate(_MAPPING))
    if any(unicodedata.category(character) in _PROHIBITED or character == "\ufffd" for character in set(normal)):
        return None
    if " " in normal:
        normal = "".join(_NOT_A_SPACE if pair[0] == " " and _is_mark(pair[1]) else pair[0] for pair in pairwise(normal + " "))
    return " ".join(word for word in normal.split(" ") if word)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _normalised(text: str) -> str:
    """RFC 4518 2.2 (case) and 2.3: folded before and after, since some letters fold only when normalised (Unicode D146)."""
    text = unicodedata.normalize("NFD", text).casefold()
    text = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKC", text)
