"""One direction of a connection: the protection in force, its sequence number, and the limits of a key."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from puretls.errors import KeyLimitReached
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.record.framing import VERSION
from puretls.record.protection import Plain, Protection, StreamProtection


class Channel:
    """Counts records under a key (RFC 5246 6.1). `epoch` is 0 before the first ChangeCipherSpec."""

    def __init__(self, records_per_key: int = 2**64, bytes_per_key: int = 2**64) -> None:
        self.protection: Protection = Plain()
        self.sequence: int = 0
        self.epoch: int = 0
        self.protected: bool = False
        """Whether keys are in force."""
        self.version = VERSION
        """What the headers of sealed records say."""
        self.record_size: int = MAX_PLAINTEXT
        """Bytes of plaintext that a record may carry under the keys in force (RFC 8449 4): the limit changes with them."""
        self._bytes = 0
        self._records_per_key = records_per_key
        self._bytes_per_key = bytes_per_key

    def change(self, protection: Protection, *, bytes_per_key: int | None = None, record_size: int = MAX_PLAINTEXT) -> None:
        """Put new keys in force, after a ChangeCipherSpec."""
        self.protection = protection
        self.record_size = record_size
        self.sequence = self._bytes = 0
        self.epoch += 1
        self.protected = True
        if bytes_per_key is not None:
            self._bytes_per_key = bytes_per_key

    def allows(self, records: int) -> bool:
        """Whether the limits of the key leave room for so many records. False where bytes are limited too: they are not known."""
        return self.sequence + records <= self._records_per_key and self._bytes_per_key >= 2**64

    def fork(self) -> Channel:
        """A copy that counts by itself. A stream cipher goes on from the same place; other protections keep nothing between records."""
        twin = copy.copy(self)
        if isinstance(self.protection, StreamProtection):
            twin.protection = copy.deepcopy(self.protection)
        return twin

    def _take(self, records: int, size: int) -> int:
        """Count records of `size` bytes together; return the sequence number of the first. Raises `KeyLimitReached`."""
        first = self.sequence
        self.sequence += records
        if not self.epoch:
            return first
        self._bytes += size
        if self.sequence > self._records_per_key or self._bytes > self._bytes_per_key:
            raise KeyLimitReached(self.sequence, self._bytes)
        return first

    def seal(self, type_: int, data: bytes) -> Record:
        """One record, ready for the wire."""
        return Record(type_, self.version, self.protection.seal(self._take(1, len(data)), type_, data))

    def seal_many(self, contents: Sequence[tuple[int, bytes]]) -> list[Record]:
        """A record for each content, sealed in one call."""
        first = self._take(len(contents), sum(len(data) for _, data in contents))
        fragments = self.protection.seal_many(first, contents)
        return [Record(type_, self.version, fragment) for (type_, _), fragment in zip(contents, fragments, strict=True)]

    def open(self, record: Record) -> bytes | None:
        """The record's content, or None when it is not authentic."""
        return self.protection.open(self._take(1, len(record.fragment)), record.type, record.fragment)

    def open_many(self, records: Sequence[Record]) -> list[bytes | None]:
        """The contents of successive records, opened in one call; None for each that is not authentic."""
        contents = [(record.type, record.fragment) for record in records]
        return self.protection.open_many(self._take(len(contents), sum(len(data) for _, data in contents)), contents)
