"""Records between the wire and the connection, both ways: framing, protection in batches, the two lower taps, the trace.

Owns the byte buffers and the keys in force; knows nothing of what the records carry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from puretls.errors import PeerError, Reason, UsageError
from puretls.iana import ContentType
from puretls.intercept import Direction
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.progress import Progress
from puretls.record.channel import Channel
from puretls.record.fragment import split
from puretls.record.framing import HEADER_LENGTH, MAX_EXPANSION, Framer, annotate_record
from puretls.text import counted

BATCH = 64
"""Records opened or sealed in one call at most: with their plaintext, two megabytes."""


class Inbound:
    """Bytes in, plaintext records out."""

    def __init__(self, progress: Progress, channel: Channel) -> None:
        self.channel = channel
        self._progress = progress
        self._framer = Framer()
        self._tapped: deque[Record] = deque()
        self._opened: deque[tuple[Record, bytes | None]] = deque()
        self._ready: deque[Record] = deque()
        self.count = 0
        """Records opened so far: the number of the next one."""

    def __len__(self) -> int:
        """Bytes that wait."""
        return len(self._framer)

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        self._framer.feed(data)

    def clear(self) -> bytes:
        """Forget everything that waits; gives the bytes not even framed."""
        self._tapped.clear()
        self._opened.clear()
        self._ready.clear()
        return self._framer.clear()

    def fork(self, progress: Progress) -> Inbound:
        """A copy that goes on by itself."""
        twin = Inbound(progress, self.channel.fork())
        twin._framer = self._framer.fork()
        twin._tapped, twin._opened, twin._ready = self._tapped.copy(), self._opened.copy(), self._ready.copy()
        twin.count = self.count
        return twin

    def next(self, *, version: int | None, batch: bool) -> Record | None:
        """The next record, opened; None until one is complete. `batch` allows to open a run of application data in one call.

        Raises `PeerError` for a bad header, and for a record that is not authentic when its turn comes.
        """
        while not self._ready:
            if not self._opened:
                try:
                    records = self._framed(version, batch=batch)
                except PeerError as error:
                    error.path = f"record[{self.count}].{error.path}"
                    error.place(annotate_record(self._framer.head, self.count))
                    raise
                if not records:
                    return None
                if len(records) == 1:
                    self._opened.append((records[0], self.channel.open(records[0])))
                else:
                    self._opened += zip(records, self.channel.open_many(records), strict=True)
            plain = self._judged(*self._opened.popleft())
            if not self._progress.taps:
                return plain
            self._ready += self._progress.through("plaintext", plain, Direction.INBOUND, self.channel.epoch)
        return self._ready.popleft()

    def _judged(self, record: Record, data: bytes | None) -> Record:
        """The record with its plaintext, which is None if it is not authentic."""
        self._progress.trace.record(Direction.INBOUND, record, data, self._progress.state, self.channel)
        number, self.count = self.count, self.count + 1
        if data is None:
            raise self._forged(record, number)
        return Record(record.type, record.version, data) if self.channel.protected else record

    def _forged(self, record: Record, number: int) -> PeerError:
        """What does not fit is what stands last: the tag, the MAC, or the ciphertext that holds it."""
        parts = self.channel.protection.layout.parts(len(record.fragment))
        path = f"record[{number}].{parts[-1][0] if parts else 'length'}"
        error = PeerError(Reason.BAD_RECORD_MAC, f"{counted(len(record.fragment), 'byte')} of type {record.type}", path=path)
        error.place(annotate_record(record.to_bytes(), number, parts))
        return error

    def place(self, error: PeerError, record: Record) -> None:
        """Name the field of the newest record, `record` once it was opened, that the error is about."""
        error.path = f"record[{self.count - 1}].{error.path}"
        error.place(annotate_record(record.header(), self.count - 1))

    def _framed(self, version: int | None, *, batch: bool) -> Sequence[Record]:
        """The next record, or a run of them that may be opened in one call; none when bytes are missing."""
        limit = MAX_PLAINTEXT + (MAX_EXPANSION if self.channel.protected else 0)
        if self._progress.taps:
            return self._framed_tapped(limit, version)
        first = self._framer.next(limit=limit, version=version)
        if first is None:
            return ()
        records = [first]
        if batch and first.type == ContentType.APPLICATION_DATA and self._may_batch():
            while len(records) < BATCH and self._framer.peek_is(ContentType.APPLICATION_DATA, limit=limit, version=version):
                following = self._framer.next(limit=limit, version=version)
                if following is None:
                    break
                records.append(following)
        return records

    def _may_batch(self) -> bool:
        return self.channel.protected and self.channel.allows(BATCH)

    def _framed_tapped(self, limit: int, version: int | None) -> Sequence[Record]:
        """The next record that a tap lets through, one at a time: keys may change between those it lets through together."""
        while not self._tapped:
            record = self._framer.next(limit=limit, version=version)
            if record is None:
                return ()
            passed = self._progress.through("ciphertext", record.to_bytes(), Direction.INBOUND, self.channel.epoch)
            self._tapped += (Record(raw[0], raw[1] << 8 | raw[2], raw[HEADER_LENGTH:]) for raw in passed if len(raw) >= HEADER_LENGTH)
        first = self._tapped.popleft()
        first.header()  # a tap may have made what no header can describe: that fails here, not when the trace is read
        return (first,)


class Outbound:
    """Content in, records out."""

    def __init__(self, progress: Progress, channel: Channel) -> None:
        self.channel = channel
        self._progress = progress
        self._segments: list[bytes] = []

    @property
    def barred(self) -> bool:
        """Whether nothing may be sealed: in a fork, under keys in force."""
        return self._progress.looks_ahead and self.channel.protected

    def check(self) -> None:
        """Raises `UsageError` where nothing may be sealed."""
        if self.barred:
            raise UsageError("this fork only looks ahead: under keys in force, puretls.danger.fork(connection) gives one that can send")

    def take(self) -> list[bytes]:
        """What is to go out, and is forgotten here: a record each, or what an interceptor made of it."""
        segments, self._segments = self._segments, []
        return segments

    def fork(self, progress: Progress) -> Outbound:
        """A copy that goes on by itself."""
        twin = Outbound(progress, self.channel.fork())
        twin._segments = self._segments.copy()
        return twin

    def send(self, type_: int, data: bytes, limit: int) -> None:
        """Fragment into records of at most `limit` bytes of plaintext, seal and queue them. Raises `UsageError` where that is barred."""
        if self._progress.looks_ahead:
            self.check()
        pieces = split(data, limit)
        if self._progress.taps:
            self._send_tapped(type_, pieces)
        elif len(pieces) == 1:
            self._queue(self.channel.seal(type_, data), data)
        else:
            for start in range(0, len(pieces), BATCH):
                batch = [(type_, piece) for piece in pieces[start : start + BATCH]]
                for record, (_, piece) in zip(self.channel.seal_many(batch), batch, strict=True):
                    self._queue(record, piece)

    def _send_tapped(self, type_: int, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            plain = Record(type_, self.channel.version, piece)
            for passed in self._progress.through("plaintext", plain, Direction.OUTBOUND, self.channel.epoch):
                sealed = self.channel.seal(passed.type, passed.fragment)
                self._queue(replace(sealed, version=passed.version), passed.fragment)

    def _queue(self, record: Record, data: bytes) -> None:
        wire = record.to_bytes()
        self._progress.trace.record(Direction.OUTBOUND, record, data, self._progress.state, self.channel)
        if self._progress.taps:
            self._segments += self._progress.through("ciphertext", wire, Direction.OUTBOUND, self.channel.epoch)
        else:
            self._segments.append(wire)
