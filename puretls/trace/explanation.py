"""What one byte on the wire is: its record, the field there, the message it belongs to and the field of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from puretls.iana import ContentType, known
from puretls.intercept import Direction
from puretls.record.framing import HEADER_LENGTH
from puretls.spans import Span, at
from puretls.text import counted, printable
from puretls.trace.entry import Entry, Layer
from puretls.values import frozen


@frozen
class Explanation:
    """What one byte is: the record it stands in, its field there, and the field of the message it belongs to, if any."""

    direction: Direction
    offset: int
    record: Entry
    field: Span
    message: Entry | None = None
    span: Span | None = None

    def __str__(self) -> str:
        kind = known(ContentType, self.record.content_type)
        text = f"record {self.record.number}, {kind.name.lower() if isinstance(kind, ContentType) else kind}, "
        if self.span is None or self.message is None:
            return text + _field_text(self.field)
        sealed = "" if self.field.path.endswith(".fragment") else f"{self.field.path} of "
        return f"{text}{self.message.name}: {sealed}{_field_text(self.span)}"


def _field_text(span: Span) -> str:
    length = span.end - span.start
    value = span.value
    if isinstance(value, Enum):
        value = f"{value.name} ({value.value})"
    elif isinstance(value, bytes | bytearray):
        value = value.hex() if len(value) <= 16 else value[:16].hex() + "..."
    shown = f" = {value}" if value is not None else ""
    return printable(f"{span.path}, {counted(length, 'byte')}{shown}" + (f" ({span.note})" if span.note else ""))


class Explainer:
    """Explains bytes by entries. It keeps the spans explained last: who asks about a byte mostly asks about its neighbours next."""

    def __init__(self) -> None:
        self._last_spans: dict[Layer, tuple[Entry, Sequence[Span]]] = {}

    def explain(self, entries: Iterable[Entry], direction: Direction, offset: int) -> Explanation | None:
        """What the byte at `offset` of a direction's stream is; None where no entry holds it."""
        for record in entries:
            if record.layer is Layer.RECORD and record.direction is direction and 0 <= offset - record.offset < record.length:
                return self._explain_in(entries, record, offset)
        return None

    def _explain_in(self, entries: Iterable[Entry], record: Entry, offset: int) -> Explanation:
        inside = offset - record.offset
        missing = f"record[{record.number}].fragment"
        field = at(self._spans(record), inside) or Span(HEADER_LENGTH, record.length, missing, None, "not kept: application data")
        part = field.path.rpartition(".")[2]
        if part not in {"fragment", "ciphertext"}:
            return Explanation(record.direction, offset, record, field)
        if part == "ciphertext" and not _byte_for_byte(record):
            block = (inside - field.start) // 16
            return Explanation(record.direction, offset, record, Span(field.start, field.end, field.path, None, f"block {block}"))
        content = record.content_offset + inside - field.start
        found = _message_at(entries, record, content)
        if found is None:
            return Explanation(record.direction, offset, record, field)
        return Explanation(record.direction, offset, record, field, found, at(self._spans(found), content - found.offset))

    def _spans(self, entry: Entry) -> Sequence[Span]:
        of, spans = self._last_spans.get(entry.layer, (None, []))
        if of is not entry:
            spans = entry.spans()
            self._last_spans[entry.layer] = entry, spans
        return spans


def _message_at(entries: Iterable[Entry], record: Entry, content: int) -> Entry | None:
    """The message whose bytes hold the position `content` in the stream of the record's content type."""
    for entry in entries:
        if (
            entry.layer is Layer.MESSAGE
            and entry.direction is record.direction
            and entry.content_type == record.content_type
            and 0 <= content - entry.offset < len(entry.raw)
        ):
            return entry
    return None


def _byte_for_byte(record: Entry) -> bool:
    """Whether byte i of the ciphertext encrypts byte i of the plaintext: true of AEADs and streams, not of CBC."""
    names = {name for name, _ in record.parts}
    return "iv" not in names
