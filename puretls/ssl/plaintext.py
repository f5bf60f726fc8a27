"""Plaintext that was decrypted and not read yet, record by record."""

from __future__ import annotations

from collections import deque


class Plaintext:
    """A queue of records."""

    def __init__(self) -> None:
        self._records: deque[bytes] = deque()
        self._offset = 0  # bytes of the first record that were read
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def holds_whole_record(self) -> bool:
        """Whether there is a record of which nothing was read."""
        return len(self._records) > (1 if self._offset else 0)

    def put(self, record: bytes) -> None:
        if record:
            self._records.append(record)
            self._size += len(record)

    def take(self, size: int) -> bytes:
        """Up to `size` bytes, of several records where they fit."""
        records, pieces, left = self._records, [], min(size, self._size)
        self._size -= left
        while left:
            record = records[0]
            piece = record[self._offset : self._offset + left]
            pieces.append(piece)
            left -= len(piece)
            self._offset += len(piece)
            if self._offset == len(record):
                records.popleft()
                self._offset = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
