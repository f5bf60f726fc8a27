"""Spans: which bytes of a buffer carry which field. The path that an inspector prints is the address a mutator takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from puretls.errors import UsageError
from puretls.values import frozen


@frozen
class Span:
    """Bytes `start` up to but not including `end`; `value` is what they mean, `note` a sentence or an RFC section for people.

    `fault` marks the bytes from which on a buffer could not be understood; `note` then says why.
    """

    start: int
    end: int
    path: str
    value: object = None
    note: str = ""
    fault: bool = False

    def shifted(self, distance: int, prefix: str = "") -> Span:
        """The same field in a buffer where it begins `distance` bytes later, under a longer path."""
        return Span(self.start + distance, self.end + distance, prefix + self.path, self.value, self.note, self.fault)


Sink = list[Span]
"""Where readers record what they read, field by field. Readers of wire structs and of DER take one, or None where nobody asks."""


def with_note(spans: Iterable[Span], note: str) -> list[Span]:
    """The spans; those that have no note get this one."""
    return [s if s.note else Span(s.start, s.end, s.path, s.value, note, s.fault) for s in spans]


def mark_fault(sink: Sink, data: bytes, start: int, stop: int, path: str, note: str) -> None:
    """Record that reading `data[start:stop]` stopped where `sink` ends: the rest becomes one span that is marked as the fault."""
    covered = sink[-1].end if sink else start
    sink.append(Span(covered, stop, path, data[covered:stop], note, fault=True))


def patch(data: bytes, spans: Iterable[Span], path: str, new: bytes) -> bytes:
    """`data` with the bytes of the field `path` replaced; nothing else changes, length fields included.

    Raises `UsageError` when no span has that path.
    """
    for span in spans:
        if span.path == path:
            return data[: span.start] + new + data[span.end :]
    raise UsageError(f"no field {path!r} in these bytes")


def check_tiling(spans: Sequence[Span], length: int) -> str:
    """Empty when the spans cover 0..length in order with no gap and no overlap; else a sentence that says where they do not."""
    position = 0
    for span in spans:
        if span.start != position or span.end < span.start:
            return f"{span.path} covers {span.start}..{span.end}, expected to begin at {position}"
        position = span.end
    return "" if position == length else f"the spans end at {position}, the data at {length}"


def at(spans: Sequence[Span], offset: int) -> Span | None:
    """The non-empty span that holds the byte at `offset`."""
    return next((span for span in spans if span.start <= offset < span.end), None)
