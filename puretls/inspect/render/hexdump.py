"""The annotated hexdump: offsets, bytes, and beside them what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from puretls.crypto.secret import Secret
from puretls.inspect.render.palette import PLAIN, Palette
from puretls.inspect.render.words import paragraph, value_text
from puretls.spans import Span
from puretls.text import printable
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.bytemap import ByteMap, Leaf

_ROWS = ((16, 56), (8, 36), (4, 0))
"""How many bytes may stand in a row, and the columns that must be left for words then."""
_FRAMING = frozenset({"type", "version", "length", "msg_type", "extension_type", "tag", "explicit", "padding_length"})
_SEAL = frozenset({"nonce_explicit", "iv", "mac", "padding"})


@frozen
class Field:
    """Bytes from `start` on and what is said of them; where `value` is a `Secret`, the bytes are not shown.

    `words` is a sentence or more; `source` the section that says so; of a `fault`, `words` say why nothing more could be read.
    """

    start: int
    data: bytes
    path: str
    value: object = None
    words: str = ""
    source: str = ""
    fault: bool = False

    @property
    def role(self) -> str:
        """How a palette colours it."""
        if self.fault:
            return "fault"
        last = self.path.rpartition(".")[2]
        if last in {"ciphertext", "fragment"}:
            return "sealed"
        if last in _SEAL or (last == "tag" and isinstance(self.value, bytes)):  # that of DER has a name as value
            return "seal"
        return "framing" if last in _FRAMING else "field"


def of_spans(data: bytes, spans: Iterable[Span], words: Callable[[Span], str] | None = None) -> list[Field]:
    """The fields of a buffer; `words` says what there is to say of each, if anything is wanted besides its section."""
    return [
        Field(
            span.start,
            data[span.start : span.end],
            span.path,
            None if span.fault and not isinstance(span.value, Secret) else span.value,
            span.note if span.fault else words(span) if words else "",
            "" if span.fault or words else span.note,
            span.fault,
        )
        for span in spans
        if span.start < span.end
    ]


def of_leaves(leaves: Iterable[Leaf], byte_map: ByteMap, *, meanings: bool = False) -> list[Field]:
    """The fields of a byte map; with `meanings` each says what it is."""
    return [
        Field(
            leaf.start,
            byte_map.bytes_of(leaf),
            leaf.path,
            None if leaf.fault else leaf.value,
            leaf.note or (leaf.meaning if meanings else ""),
            "" if leaf.fault else leaf.rfc,
            leaf.fault,
        )
        for leaf in leaves
    ]


@frozen
class Columns:
    """How wide the columns are: of offsets, and how many bytes stand in a row. Several dumps that belong together share them."""

    places: int
    a_row: int

    @classmethod
    def of(cls, fields: Sequence[Field], width: int) -> Columns:
        """As many bytes in a row as the fields need and as leave room for the words."""
        places = max((_places(field) for field in fields), default=0)
        longest = max((len(field.data) for field in fields), default=0)
        fitting = [count for count, room in _ROWS if width - places - 3 * count - 3 >= room] or [_ROWS[-1][0]]
        return cls(places, min((count for count in fitting if count >= longest), default=fitting[0]))


def hexdump(fields: Sequence[Field], width: int = 80, palette: Palette = PLAIN, columns: Columns | None = None) -> Iterator[str]:
    """Lines: offsets, bytes, and the field with its value and section; the section only where it is not that of the field before."""
    columns = columns or Columns.of(fields, width)
    places, a_row = columns.places, columns.a_row
    room = width - places - 3 * a_row - 3
    before = ""
    for field in fields:
        source = field.source if field.source != before else ""
        before = field.source or before
        for (offsets, data), (role, words) in zip_longest(_cells(field, a_row), _said(field, source, room), fillvalue=("", "")):
            cells = (
                palette.paint("offset", offsets.ljust(places)),
                palette.paint(field.role, data.ljust(3 * a_row - 1)),
                palette.paint(role, words),
            )
            yield "  ".join(cells).rstrip()


def _cells(field: Field, a_row: int) -> list[tuple[str, str]]:
    """Offsets and bytes, row by row."""
    end = field.start + len(field.data)
    if isinstance(field.value, Secret):
        return [(_offsets(field.start, end), "(secret)")]
    rows = range(0, len(field.data), a_row)
    return [(_offsets(field.start + at, min(field.start + at + a_row, end)), field.data[at : at + a_row].hex(" ")) for at in rows]


def _places(field: Field) -> int:
    """Columns that the offsets of its rows take at most."""
    digits = len(str(field.start + len(field.data) - 1))
    return digits if len(field.data) == 1 else 2 * digits + 1


def _offsets(start: int, end: int) -> str:
    return f"{start}" if end == start + 1 else f"{start}-{end - 1}"


def _said(field: Field, source: str, room: int) -> list[tuple[str, str]]:
    """Roles and lines of what is said."""
    value = "" if isinstance(field.value, Secret) else value_text(field.value)
    head = printable(field.path) + (f" = {value}" if value else "") + (f"  [{source}]" if source else "")
    said = [(field.role, line) for line in paragraph(head, room, indent=2)]
    if field.words:
        words = printable(f"FAULT: {field.words}" if field.fault else field.words)
        said += [("fault" if field.fault else "words", line) for line in paragraph(words, room, "  ")]
    return said
