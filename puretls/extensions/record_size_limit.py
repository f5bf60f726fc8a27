"""record_size_limit (RFC 8449): the largest plaintext each side is willing to receive."""

from __future__ import annotations

from typing import ClassVar

from puretls.errors import PeerError, Reason, UsageError
from puretls.extensions.base import Extension, RecordLimits, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, u16, wire

SMALLEST, LARGEST = 64, 2**14
"""For TLS 1.2 in bytes of plaintext (RFC 8449 4)."""


@wire("8449 4")
class RecordSizeLimitBody(Struct):
    """A limit in bytes."""

    record_size_limit: int = u16()


@extensible()
class RecordSizeLimit(Extension):
    """`RecordSizeLimit(1024)` asks the peer for records of at most that many bytes of plaintext.

    Without a limit, a client does not send the extension. A server still obeys the client's limit, and answers that it takes any size.
    The result is the limit the peer asked for, which bounds what is sent to it.
    """

    type: ClassVar[int] = ExtensionType.RECORD_SIZE_LIMIT
    rfc = "RFC 8449 4"
    fixed_offer = True
    limits_go_with_keys = True  # RFC 8449 4
    client_body: ClassVar[StructClass] = RecordSizeLimitBody
    server_body: ClassVar[StructClass | None] = RecordSizeLimitBody

    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and not SMALLEST <= self.limit <= LARGEST:
            raise UsageError(f"record_size_limit is between {SMALLEST} and {LARGEST} bytes (RFC 8449 4)")

    def offer(self, view: View) -> RecordSizeLimitBody | None:
        return None if self.limit is None else RecordSizeLimitBody(self.limit)

    def accept(self, body: RecordSizeLimitBody, view: View) -> int:
        return self._check(body)

    def answer(self, result: int, view: View) -> RecordSizeLimitBody:
        return RecordSizeLimitBody(self.limit or LARGEST)

    def confirm(self, body: RecordSizeLimitBody, view: View) -> int:
        return self._check(body)

    def record_limits(self, result: int) -> RecordLimits:
        return RecordLimits(result, self.limit or LARGEST)

    def _check(self, body: RecordSizeLimitBody) -> int:
        if body.record_size_limit < SMALLEST:
            raise PeerError(Reason.BAD_RECORD_SIZE_LIMIT, str(body.record_size_limit), path="record_size_limit")
        # RFC 8449 4: a server may say more than the protocol allows; that means the protocol's own limit.
        return min(body.record_size_limit, LARGEST)
