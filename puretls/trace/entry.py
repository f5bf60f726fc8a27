"""One record or message of a trace."""

from __future__ import annotations

from typing import NamedTuple

from puretls.certificate_spans import deepened
from puretls.iana import ContentType, known
from puretls.intercept import Direction
from puretls.key_exchange import KeyExchange
from puretls.messages.registry import annotate_content, content_class, handshake_class
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.record.protection import Layout
from puretls.spans import Span
from puretls.values import NamedEnum


class Layer(NamedEnum):
    """What an entry shows."""

    RECORD = "record"
    MESSAGE = "message"


class Entry(NamedTuple):
    """One record or message.

    `raw` is empty where only the size was kept. `offset`: of a record, in the byte stream of its direction; of a message, in the stream
    of its content type. `layout` is that of a protected fragment; `content_offset` where a record's plaintext lies in the stream of its
    content type, and `content_length` how much that is.
    """

    direction: Direction
    layer: Layer
    content_type: int
    raw: bytes
    length: int
    offset: int
    state_before: str
    state_after: str
    epoch: int = 0
    number: int = 0
    """Of a record, in its direction, from 0."""
    layout: Layout | None = None
    content_offset: int = 0
    content_length: int = 0
    key_exchange: KeyExchange | None = None

    @property
    def name(self) -> str:
        """What it is, for people: "ClientHello", "Alert", "record Handshake"."""
        kind = known(ContentType, self.content_type)
        label = kind.name.lower() if isinstance(kind, ContentType) else f"type {self.content_type}"
        if self.layer is Layer.RECORD:
            return f"record {label}"
        if self.content_type != ContentType.HANDSHAKE:
            cls = content_class(self.content_type)
            return cls.path_name if cls else "Unknown"
        if not self.raw:
            return "Handshake of no bytes"
        name = handshake_class(self.raw[0], self.key_exchange).path_name
        return f"Handshake type {self.raw[0]}" if name == "Unknown" else name

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """How a record's fragment is made up: names and lengths."""
        return self.layout.parts(self.length - HEADER_LENGTH) if self.layout else ()

    def spans(self) -> list[Span]:
        """Spans that tile `raw`, whatever its bytes."""
        if self.layer is Layer.RECORD:
            return annotate_record(self.raw, self.number, self.parts)
        return deepened(annotate_content(self.content_type, self.raw, self.key_exchange), self.raw)
