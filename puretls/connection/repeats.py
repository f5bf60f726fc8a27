"""What a peer may repeat only so often: each costs it little and us something (`Limits`)."""

from __future__ import annotations

import copy

from puretls.config import Limits
from puretls.errors import PeerError, Reason
from puretls.iana import ContentType
from puretls.messages.records import Record

FORGIVING_DATA, ROWS_AMONG_DATA = 2**16, 8
"""Among so many bytes of application data there may be so many times the HelloRequests that may come in a row."""


class Repeats:
    """Counts what came, and refuses what is too much with a `PeerError`. The limits in force are given with each call."""

    def __init__(self) -> None:
        self._empty_records = self._warnings = self._renegotiations = 0
        self._requests_in_a_row = self._requests_in_all = self._data = 0

    def fork(self) -> Repeats:
        """A copy that counts by itself."""
        return copy.copy(self)

    def record(self, record: Record, limits: Limits) -> None:
        """An opened record. Content ends a row of empty records and of warnings; an alert is content of neither kind."""
        if not record.fragment:
            self._empty_records += 1
            _check(self._empty_records, limits.empty_records, Reason.TOO_MANY_EMPTY_RECORDS, "length")
        elif record.type != ContentType.ALERT:
            self._empty_records = self._warnings = 0
            if record.type == ContentType.APPLICATION_DATA:
                self._forgive(len(record.fragment))

    def _forgive(self, size: int) -> None:
        """HelloRequests in a row end with data; all of them are counted anew after so much data that answers are little beside it."""
        self._requests_in_a_row = 0
        self._data += size
        if self._data >= FORGIVING_DATA:
            self._data = self._requests_in_all = 0

    def warning(self, limits: Limits) -> None:
        """A warning alert."""
        self._warnings += 1
        _check(self._warnings, limits.warning_alerts, Reason.TOO_MANY_WARNINGS, "Alert.level")

    def hello_request(self, limits: Limits) -> None:
        """A HelloRequest, whatever is answered."""
        self._requests_in_a_row += 1
        self._requests_in_all += 1
        most, path = limits.hello_requests, "HelloRequest.msg_type"
        _check(self._requests_in_a_row, most, Reason.TOO_MANY_HELLO_REQUESTS, path)
        _check(self._requests_in_all, most * ROWS_AMONG_DATA, Reason.TOO_MANY_HELLO_REQUESTS, path)

    def renegotiation(self, limits: Limits, path: str) -> None:
        """A message at `path` that begins another handshake, or has us begin one."""
        self._renegotiations += 1
        _check(self._renegotiations, limits.renegotiations, Reason.NO_RENEGOTIATION, path)


def _check(count: int, most: int, reason: Reason, path: str) -> None:
    if count > most:
        raise PeerError(reason, f"more than {most}", path=path)
