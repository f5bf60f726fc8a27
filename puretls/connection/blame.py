"""Where the bytes are that an error is about: the field that it names, found in the messages that came.

All of this happens when something has failed, never before: a message is annotated only then.
"""

from __future__ import annotations

from puretls.certificate_spans import deepened
from puretls.errors import DecodeError, PeerError
from puretls.iana import ContentType
from puretls.key_exchange import KeyExchange
from puretls.messages.handshake import HEADER_LENGTH
from puretls.messages.registry import annotate_content, content_class, handshake_class, messages_in
from puretls.spans import Span


def place(error: PeerError, content_type: int, raw: bytes, key_exchange: KeyExchange | None) -> None:
    """Find the bytes at fault in this message, if it is the one that the error speaks of."""
    if error.offset is not None or error.path.partition(".")[0] != _path_name(content_type, raw):
        return
    spans = _find_length(raw, key_exchange, error.path) if content_type == ContentType.HANDSHAKE else []
    error.place(spans or deepened(annotate_content(content_type, raw, key_exchange), raw, error.path))


def place_earlier(error: PeerError, head: bytes, transcript: bytes, key_exchange: KeyExchange | None) -> None:
    """Find them in a message handled before, the newest of that name, or in `head`, the header of the one that is not complete."""
    for raw in (head, *reversed(messages_in(transcript))):
        place(error, ContentType.HANDSHAKE, raw, key_exchange)
    if error.offset is None:
        error.path = ""  # of a handshake long ago: there are no bytes to point at


def _path_name(content_type: int, raw: bytes) -> str:
    """What the paths of the fields of a message begin with."""
    if content_type == ContentType.HANDSHAKE:
        return handshake_class(raw[0] if raw else -1, None).path_name
    cls = content_class(content_type)
    return cls.path_name if cls else ""


class _Found(Exception):
    """Ends the reading of a message at the field that was looked for."""

    def __init__(self, span: Span) -> None:
        self.span = span


class _Until(list[Span]):
    """A sink that wants one field alone, and keeps no more than the last one read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def append(self, span: Span) -> None:
        self[:] = (span,)
        if span.path == self.path:
            raise _Found(span)


def _find_length(raw: bytes, key_exchange: KeyExchange | None, path: str) -> list[Span]:
    """The span of a length field of a handshake message, read no further than that; none where `path` is no length that is there.

    A message with 50,000 certificates is refused for their number: to point at it, 100,000 spans need not be made.
    """
    if path.endswith(".length") and len(raw) > HEADER_LENGTH:
        cls = handshake_class(raw[0], key_exchange)
        try:
            cls.codec.read(raw, HEADER_LENGTH, len(raw), _Until(path), cls.path_name)
        except _Found as found:
            return [found.span]
        except DecodeError:
            return []
    return []
