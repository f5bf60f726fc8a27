"""Where an error says that the bytes at fault are, held against the bytes that arrived."""

from __future__ import annotations

from puretls.errors import PeerError, Reason
from puretls.intercept import Direction
from puretls.messages.registry import annotate_handshake
from puretls.paths import RECORD, parse_path
from puretls.record.framing import HEADER_LENGTH, annotate_record
from puretls.spans import Span
from tests.support.pair import End

NO_BYTE_AT_FAULT = {
    Reason.NO_PSK: "there is no key for the server here",
}
"""Reasons that name no field, and why."""


def byte_map(end: End, path: str) -> list[Span]:
    """The spans of the newest inbound record or message of that name, made of the bytes that the end received."""
    wanted = parse_path(path)
    entries = end.connection.trace.records(Direction.INBOUND)
    if wanted.thing == RECORD:
        if wanted.number < len(entries):
            return entries[wanted.number].spans()
        start = sum(entry.length for entry in entries)  # one that was refused by its header, and is in no trace
        return annotate_record(bytes(end.received[start : start + HEADER_LENGTH]), len(entries))
    for entry in reversed(end.connection.trace.messages(Direction.INBOUND)):
        spans = entry.spans()
        if spans and parse_path(spans[0].path).thing == wanted.thing:
            return spans
    return annotate_handshake(entries[-1].raw[HEADER_LENGTH:], None)  # a message that was refused by its header


def check_place(end: End) -> None:
    """The path of the error is a span's, without side or number, and the offset lies in that span."""
    error = end.error
    assert isinstance(error, PeerError)
    if error.reason in NO_BYTE_AT_FAULT:
        assert (error.path, error.offset) == ("", None), error
        return
    assert error.path, f"no path: {error!r}"
    assert error.offset is not None, error
    found = parse_path(error.path)
    assert str(found) == error.path
    assert not found.side
    assert found.thing == RECORD or found.number == 1
    spans = byte_map(end, error.path)
    assert any(span.path == error.path and span.start <= error.offset < span.end for span in spans), (error, spans)
