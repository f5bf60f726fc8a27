"""max_fragment_length (RFC 6066 section 4): smaller records for constrained clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from puretls.errors import PeerError, Reason, UsageError
from puretls.extensions.base import Extension, RecordLimits, StructClass, View
from puretls.iana import ExtensionType
from puretls.values import extensible
from puretls.wire.schema import Struct, u8, wire

if TYPE_CHECKING:
    from puretls.session import Session

LENGTHS = {1: 2**9, 2: 2**10, 3: 2**11, 4: 2**12}


@wire("6066 4")
class MaxFragmentLengthBody(Struct):
    """1 to 4 stand for 512 to 4,096 bytes."""

    code: int = u8()


@extensible()
class MaxFragmentLength(Extension):
    """`MaxFragmentLength(512)` asks for fragments of at most that many bytes; a server grants what is asked.

    The result, on both sides, is the number of bytes.
    """

    type: ClassVar[int] = ExtensionType.MAX_FRAGMENT_LENGTH
    rfc = "RFC 6066 4"
    fixed_offer = True
    client_body: ClassVar[StructClass] = MaxFragmentLengthBody
    server_body: ClassVar[StructClass | None] = MaxFragmentLengthBody

    length: int | None = None

    def __post_init__(self) -> None:
        if self.length is not None and self.length not in LENGTHS.values():
            raise UsageError("max_fragment_length is 512, 1024, 2048 or 4096 bytes (RFC 6066 4)")

    def _body(self, length: int) -> MaxFragmentLengthBody:
        return MaxFragmentLengthBody(next(code for code, value in LENGTHS.items() if value == length))

    def offer(self, view: View) -> MaxFragmentLengthBody | None:
        return None if self.length is None else self._body(self.length)

    def accept(self, body: MaxFragmentLengthBody, view: View) -> int | None:
        from puretls.extensions.record_size_limit import RecordSizeLimit

        if view.result(RecordSizeLimit) is not None:
            return None  # RFC 8449 5: a server that uses record_size_limit ignores this one
        if body.code not in LENGTHS:
            raise PeerError(Reason.BAD_FRAGMENT_LENGTH, f"code {body.code}", path="code")
        return LENGTHS[body.code]

    def answer(self, result: int, view: View) -> MaxFragmentLengthBody:
        return self._body(result)

    def confirm(self, body: MaxFragmentLengthBody, view: View) -> int:
        from puretls.extensions.record_size_limit import RecordSizeLimit

        if view.result(RecordSizeLimit) is not None:
            raise PeerError(
                Reason.BAD_FRAGMENT_LENGTH, "answered beside record_size_limit", path="code", rfc="RFC 8449 5"
            )
        if LENGTHS.get(body.code) != self.length or self.length is None:
            raise PeerError(
                Reason.BAD_FRAGMENT_LENGTH, f"asked for {self.length}, got code {body.code}", path="code"
            )
        return self.length

    def record_limits(self, result: int) -> RecordLimits:
        return RecordLimits(result, result)

    @classmethod
    def kept(cls, result: int) -> dict[str, int]:
        return {"max_fragment_length": result}

    @classmethod
    def may_resume(cls, session: Session, result: int | None) -> bool:
        return session.max_fragment_length == result  # RFC 6066 4
