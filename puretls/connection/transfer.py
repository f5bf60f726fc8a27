"""Records between the wire and the connection, both ways: framing, protection in batches, the two lower taps, the trace.

Owns the byte buffers and the keys in force; knows nothing of what the records carry.
"""

from __future__ import annotations

from collections.abc import Sequence

from puretls.connection.progress import Progress
from puretls.errors import PeerError, Reason, UsageError
from puretls.iana import ContentType
from puretls.intercept import Direction
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.queues import Queue
from puretls.record.channel import Channel
from puretls.record.fragment import split
from puretls.record.framing import HEADER_LENGTH, MAX_EXPANSION, Framer, annotate_record
from puretls.text import counted
from puretls.values import replace

BATCH = 64
"""Records opened or sealed in one call at most: with their plaintext, two megabytes."""


class Inbound:
    """Bytes in, plaintext records out."""

    def __init__(self, progress: Progress, channel: Channel) -> None:
        self.channel = channel
        self._progress = progress
        self._framer = Framer()
        self._tapped: Queue[Record] = Queue()
        self._opened: Queue[tuple[Record, bytes | None]] = Queue()
        self._ready: Queue[Record] = Queue()
        self.count: int = 0
        """Records opened so far: the number of the next one."""

    def __len__(self) -> int:
        """Bytes received and not framed yet."""
        return len(self._framer)

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        self._framer.feed(data)

    def clear(self) -> bytes:
        """Forget what was received and not handed out. Returns the bytes that were not framed yet."""
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
        if not self._progress.taps:
            return self._next_plain(version, batch=batch)
        while not self._ready:
            plain = self._next_plain(version, batch=batch)
            if plain is None:
                return None
            self._ready.extend(self._progress.through("plaintext", plain, Direction.INBOUND, self.channel.epoch))
        return self._ready.popleft()

    def _next_plain(self, version: int | None, *, batch: bool) -> Record | None:
        opened = self._opened.popleft() if self._opened else self._opened_next(version, batch=batch)
        return None if opened is None else self._traced(*opened)

    def _opened_next(self, version: int | None, *, batch: bool) -> tuple[Record, bytes | None] | None:
        """The next record and its plaintext; those that were opened in the same call wait for their turn."""
        try:
            records = self._framed(version, batch=batch)
        except PeerError as error:
            error.path = f"record[{self.count}].{error.path}"
            error.place(annotate_record(self._framer.head, self.count))
            raise
        if not records:
            return None
        if len(records) == 1:
            return records[0], self.channel.open(records[0])
        self._opened.extend(zip(records, self.channel.open_many(records), strict=True))
        return self._opened.popleft()

    def _traced(self, record: Record, data: bytes | None) -> Record:
        """Write an opened record into the trace; return it with its plaintext. None is that of a record that is not authentic: raises."""
        self._progress.trace.record(Direction.INBOUND, record, data, self._progress.state, self.channel)
        number, self.count = self.count, self.count + 1
        if data is None:
            raise self._forged(record, number)
        return Record(record.type, record.version, data) if self.channel.protected else record

    def _forged(self, record: Record, number: int) -> PeerError:
        """The error for a record that is not authentic. At fault is its last part: the tag, the MAC, or the ciphertext that holds it."""
        parts = self.channel.protection.layout.parts(len(record.fragment))
        path = f"record[{number}].{parts[-1][0] if parts else 'length'}"
        error = PeerError(Reason.BAD_RECORD_MAC, f"{counted(len(record.fragment), 'byte')} of type {record.type}", path=path)
        error.place(annotate_record(record.to_bytes(), number, parts))
        return error

    def place(self, error: PeerError, record: Record) -> None:
        """Complete the path of an error by the number of the newest record, and find the offset. `record` is that record, opened."""
        error.path = f"record[{self.count - 1}].{error.path}"
        error.place(annotate_record(record.header(), self.count - 1))

    def _framed(self, version: int | None, *, batch: bool) -> Sequence[Record]:
        """The next record, or several that may be opened in one call; an empty sequence when bytes are missing."""
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
        """The next record that the taps let through. One at a time, as keys may change between two that a tap lets through together."""
        while not self._tapped:
            record = self._framer.next(limit=limit, version=version)
            if record is None:
                return ()
            passed = self._progress.through("ciphertext", record.to_bytes(), Direction.INBOUND, self.channel.epoch)
            self._tapped.extend(
                [Record(raw[0], raw[1] << 8 | raw[2], raw[HEADER_LENGTH:]) for raw in passed if len(raw) >= HEADER_LENGTH]
            )
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
        """Whether this is a fork that would seal under keys in force, which it must not."""
        return self._progress.looks_ahead and self.channel.protected

    def check(self) -> None:
        """Raises `UsageError` in a fork under keys in force."""
        if self.barred:
            raise UsageError("this fork only looks ahead: under keys in force, puretls.danger.fork(connection) gives one that can send")

    def take(self) -> list[bytes]:
        """The records to be sent, as they are on the wire or as an interceptor cut them. They are forgotten here."""
        segments, self._segments = self._segments, []
        return segments

    def fork(self, progress: Progress) -> Outbound:
        """A copy that goes on by itself."""
        twin = Outbound(progress, self.channel.fork())
        twin._segments = self._segments.copy()
        return twin

    def send(self, type_: int, data: bytes, limit: int) -> None:
        """Fragment into records of at most `limit` bytes of plaintext, seal and queue them. Raises as `check` does."""
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
