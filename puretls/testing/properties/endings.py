"""Properties of beginnings and ends of application data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from puretls import danger
from puretls.inspect.edit import Edit
from puretls.inspect.streams import other
from puretls.messages.records import Record
from puretls.testing.adapters.base import Factory
from puretls.testing.properties.playing import DOWN, UP, Meeting
from puretls.testing.properties.property import Property, unless
from puretls.testing.wire import Cut, Wire
from puretls.values import frozen

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DATA = 23


@frozen
class Late:
    """When application data comes that must not be delivered, and what."""

    when: str
    data: bytes


def _first(meeting: Meeting, data: bytes) -> None:
    """Before anything else, in the clear."""
    meeting.carriage.inject(meeting.our_side, Record(DATA, 0x0303, data).to_bytes())
    meeting.shake_hands()


def _instead_of_finished(meeting: Meeting, data: bytes) -> None:
    """Under the new keys, where Finished should stand (RFC 5246 7.4.9)."""
    meeting.shake_hands()


def _after_close(meeting: Meeting, data: bytes) -> None:
    """Behind close_notify, sealed as it should be (RFC 5246 7.2.1)."""
    meeting.shake_hands()
    meeting.ours.close()
    meeting.carry()
    _send(meeting, data)


def _after_alert(meeting: Meeting, data: bytes) -> None:
    """Behind a fatal alert (RFC 5246 7.2.2)."""
    meeting.shake_hands()
    meeting.ours.abort()
    meeting.carry()
    _send(meeting, data)


def _send(meeting: Meeting, data: bytes) -> None:
    """Seal and send what our end would not say any more."""
    outbound = danger.parts(meeting.ours.connection).outbound
    outbound.send(DATA, data, 2**14)
    meeting.carriage.inject(meeting.our_side, meeting.ours.connection.bytes_to_send() or b"".join(_queued(outbound)))
    meeting.listen()


def _queued(outbound: Any) -> list[bytes]:
    """What waits in a channel whose connection hands nothing out any more."""
    return list(outbound.take())


_MOMENTS: Mapping[str, Callable[[Meeting, bytes], None]] = {
    "first of all": _first,
    "in place of Finished": _instead_of_finished,
    "after close_notify": _after_close,
    "after a fatal alert": _after_alert,
}


def _too_late(subject: Factory) -> SearchStrategy[Late]:
    from hypothesis import strategies as st

    return st.builds(
        Late, st.sampled_from(tuple(_MOMENTS)), st.sampled_from((b"x", b"secret" * 50)) | st.binary(min_size=1, max_size=40)
    )


def _not_delivered(subject: Factory, case: Late) -> None:
    side = other(subject.role)
    early = case.when == "in place of Finished"
    edits = [Edit(f"{side}.record[{_sealed(subject)}].type", "set", str(DATA))] if early else []
    meeting = Meeting(subject, edits=edits)
    _MOMENTS[case.when](meeting, case.data)
    property_ = no_data_before_finished_nor_after_close
    unless(meeting.data == b"", subject, property_, lambda: f"data {case.when}: {meeting.story()}")
    if case.when in {"first of all", "in place of Finished"}:
        unless(
            not meeting.completed, subject, property_, lambda: f"data {case.when}, and the handshake went on: {meeting.story()}"
        )


def _sealed(subject: Factory) -> int:
    """Which record of our side carries its Finished."""
    seen = Meeting(subject).shake_hands().conversation()
    side = other(subject.role)
    return next(record.number for record in seen.records if record.side == side and record.epoch == 1)


no_data_before_finished_nor_after_close: Property = Property(
    "no_data_before_finished_nor_after_close",
    "application data is delivered after Finished and before the end, and at no other time",
    "RFC 5246 7.2.1, 7.4.9",
    _too_late,
    _not_delivered,
)


# Truncation


def _cuts(subject: Factory) -> SearchStrategy[Cut]:
    from hypothesis import strategies as st

    side = other(subject.role)
    length = len(Meeting(subject).converse().carried.sent[side])
    return st.integers(0, length - 1).map(lambda offset: Cut(side, offset))


def _cut(subject: Factory, cut: Cut) -> None:
    meeting = Meeting(subject, wire=Wire(cuts=(cut,))).converse()
    kinds = [str(told) for told in meeting.told]
    unless("closed: by close_notify" not in kinds, subject, truncation_is_reported, lambda: f"{cut}: {meeting.story()}")
    ends = any(told.kind in {"closed", "failed"} for told in meeting.told)
    unless(ends, subject, truncation_is_reported, lambda: f"{cut}, and the end is not told of: {meeting.story()}")
    whole = UP if subject.role == "server" else DOWN
    unless(whole.startswith(meeting.data), subject, truncation_is_reported, f"{cut}: other data came than was sent")


truncation_is_reported: Property = Property(
    "truncation_is_reported",
    "a stream that ends before close_notify is told from one that ends well, at every byte",
    "RFC 5246 7.2.1",
    _cuts,
    _cut,
)
