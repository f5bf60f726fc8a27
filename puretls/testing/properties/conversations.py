"""Properties of whole conversations: with an honest end, over a network that cuts and flips, and with one that deviates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puretls.errors import UsageError
from puretls.inspect.edit import Edit
from puretls.inspect.streams import other
from puretls.testing.adapters.base import Factory
from puretls.testing.properties.playing import Meeting, merged, places
from puretls.testing.properties.property import Property, unless
from puretls.testing.wire import Wire
from puretls.values import frozen

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

HEADER = frozenset(("type", "version", "length"))


def _strategies() -> Any:
    from puretls.testing import strategies

    return strategies


# Errors


@frozen
class Input:
    """What an end gets: bytes from the beginning, or what our end says after these edits."""

    data: bytes = b""
    edits: tuple[Edit, ...] = ()


def _inputs(subject: Factory) -> SearchStrategy[Input]:
    from hypothesis import strategies as st

    from puretls.testing.strategies.almost import edits_of
    from puretls.testing.strategies.fields import either

    tls = _strategies()
    hellos = tls.client_hellos() if subject.role == "server" else tls.server_hellos()
    side = other(subject.role)
    first = hellos.map(lambda hello: Input(tls_record(hello)))
    near = tls.almost(hellos, "lengths").map(lambda mutated: Input(mutated.records()))
    flights = tls.almost(tls.flights(side)).map(lambda mutated: Input(mutated.records()))
    records = st.lists(tls.records(), max_size=3).map(lambda found: Input(b"".join(one.to_bytes() for one in found)))
    deviations = edits_of(places(subject), "transcript").map(lambda edits: Input(edits=edits))
    forgeries = edits_of(places(subject), "none").map(lambda edits: Input(edits=edits))
    return either(first, near, near, deviations, forgeries, flights, records, st.binary(max_size=100).map(Input))


def tls_record(message: Any) -> bytes:
    """A message in records, in the clear."""
    from puretls.testing.flights import Flight

    return Flight("client", (message,)).to_bytes(0x0301)


def _receive_anything(subject: Factory, case: Input) -> None:
    if not case.data:
        _meet(subject, case.edits)
        return
    peer: Any = subject()
    try:
        if subject.role == "client" and subject.acts:
            peer.start()
        peer.receive(case.data)
        peer.take()
        peer.eof()
        peer.take()
        peer.events()
    except Exception as error:
        raise only_own_errors.violated(subject, f"{type(error).__name__}: {error}") from error


def _meet(subject: Factory, edits: tuple[Edit, ...]) -> None:
    meeting = Meeting(subject, edits=edits)
    try:
        meeting.converse()
        meeting.tested.eof()
        meeting.listen()
    except Exception as error:
        raise only_own_errors.violated(subject, f"{type(error).__name__}: {error}") from error


only_own_errors: Property = Property(
    "only_own_errors",
    "whatever arrives in whatever state, an end tells of a failure in its own words and raises nothing else",
    "RFC 5246 7.2.2",
    _inputs,
    _receive_anything,
)


# Networks


def _faithful(subject: Factory) -> SearchStrategy[Wire]:
    return _strategies().wires(faithful=True)  # type: ignore[no-any-return]


def _cut_up(subject: Factory, wire: Wire) -> None:
    whole, pieces = Meeting(subject).converse(), Meeting(subject, wire=wire).converse()
    told = [merged(one.told) if subject.acts else one.completed for one in (whole, pieces)]
    unless(
        told[0] == told[1],
        subject,
        chunking_is_invisible,
        lambda: f"whole: {whole.story()}; {wire}: {pieces.story()}",
    )
    if subject.deterministic:
        same = whole.carried.sent == pieces.carried.sent
        unless(same, subject, chunking_is_invisible, f"{wire}: other bytes were sent")


chunking_is_invisible: Property = Property(
    "chunking_is_invisible",
    "how the bytes are cut and joined on their way changes nothing that is told or sent",
    "RFC 5246 6.2.1",
    _faithful,
    _cut_up,
)


def _finish(subject: Factory, wire: Wire) -> None:
    meeting = Meeting(subject, wire=wire).converse()
    ours = {told.kind for told in meeting.ours_told}
    unless(meeting.completed and "handshake" in ours, subject, honest_peers_finish, meeting.story)
    if subject.acts:
        unless(
            "data" in ours and meeting.data != b"", subject, honest_peers_finish, lambda: f"words were lost: {meeting.story()}"
        )
    bad = [told for told in (*meeting.told, *meeting.ours_told) if told.kind == "failed"]
    unless(not bad, subject, honest_peers_finish, meeting.story)


honest_peers_finish: Property = Property(
    "honest_peers_finish",
    "two honest ends finish their handshake, understand each other, and close well",
    "RFC 5246 7.3",
    _faithful,
    _finish,
)


def _twice(subject: Factory, wire: Wire) -> None:
    if not subject.deterministic:
        raise UsageError(f"{subject} draws entropy that nobody can fix: determinism is asked of deterministic factories alone")
    one, other = (Meeting(subject, wire=wire).converse() for _ in range(2))
    unless(one.carriage.chunks == other.carriage.chunks, subject, determinism, "the same input gave other bytes")
    unless(one.told == other.told, subject, determinism, lambda: f"{one.story()}; then {other.story()}")


def _any_wire(subject: Factory) -> SearchStrategy[Wire]:
    return _strategies().wires()  # type: ignore[no-any-return]


determinism: Property = Property(
    "determinism",
    "an end with the same entropy and clock that gets the same bytes says the same",
    "RFC 5246 6.1",
    _any_wire,
    _twice,
)


def _tile(subject: Factory, wire: Wire) -> None:
    seen = Meeting(subject, wire=wire).converse().conversation()
    for side in ("client", "server"):
        for view in ("wire", "plaintext"):
            leaves = seen.byte_map.leaves(side, view)
            ends = [0, *(leaf.end for leaf in leaves)]
            for leaf, end in zip(leaves, ends, strict=False):
                told = f"{side} {view}: {leaf.path} begins at {leaf.start}, not {end}"
                unless(leaf.start == end < leaf.end, subject, byte_map_tiles, told)
        size = seen.stream(side).length
        covered = max((leaf.end for leaf in seen.byte_map.leaves(side, "wire")), default=0)
        unless(covered == size, subject, byte_map_tiles, f"the map of the {side} ends at {covered}, not {size}")


byte_map_tiles: Property = Property(
    "byte_map_tiles",
    "each byte of both sides has exactly one field in the map of the conversation",
    "RFC 5246 6.2",
    _any_wire,
    _tile,
)


# Deviations


def _without_finished(subject: Factory) -> SearchStrategy[Edit]:
    from hypothesis import strategies as st

    side = other(subject.role)
    sealed = frozenset(("lengths", "mac"))
    data = f"{side}.Finished.verify_data"
    bits = st.integers(0, 95).map(lambda bit: Edit(data, "flip", f"hex:{(1 << bit).to_bytes(12).hex()}", sealed))
    rows = (
        (f"{side}.Finished", "delete", ""),
        (data, "truncate", ""),
        (data, "set", "hex:" + "00" * 12),
        (f"{side}.Finished.msg_type", "set", "11"),
        (f"{side}.ChangeCipherSpec", "delete", ""),
        (f"{side}.ChangeCipherSpec.type", "set", "2"),
    )
    whole = [Edit(path, operation, value, sealed) for path, operation, value in rows]
    return st.sampled_from(whole) | bits


def _not_finished(subject: Factory, edit: Edit) -> None:
    meeting = Meeting(subject, edits=(edit,)).shake_hands()
    if not meeting.made:
        return
    unless(not meeting.completed, subject, no_completion_without_finished, lambda: f"after {edit}: {meeting.story()}")


no_completion_without_finished: Property = Property(
    "no_completion_without_finished",
    "no handshake completes before a Finished with the right verify_data came under the new keys",
    "RFC 5246 7.4.9",
    _without_finished,
    _not_finished,
)


def _tampered(subject: Factory, wire: Wire) -> None:
    """RFC 5246 F.1.1; the header of a record in the clear is in no transcript, and its version and the cut of its content are free."""
    meeting = Meeting(subject, wire=wire).shake_hands()
    ours = any(told.kind == "handshake" for told in meeting.ours_told)
    if not (meeting.completed and ours):
        return
    sent, arrived = _handshakes(meeting.carried.sent), _handshakes(meeting.carried.arrived)
    unless(sent == arrived, subject, matching_conversations, f"both ends finished, and {wire}")


def _handshakes(streams: Any) -> dict[str, bytes]:
    """The content of the handshake records in the clear of each side."""
    from puretls.record.framing import Framer

    found = {}
    for side, stream in streams.items():
        framer, content = Framer(), b""
        framer.feed(stream)
        while (record := framer.next(limit=2**16, version=None)) is not None:
            if record.type == 20:
                break
            content += record.fragment if record.type == 22 else b""
        found[side] = content
    return found


def _flipping(subject: Factory) -> SearchStrategy[Wire]:
    from hypothesis import strategies as st

    from puretls.testing.wire import Flip

    side, length = st.sampled_from(("client", "server")), 1400
    flips = st.builds(Flip, side, st.integers(0, length), st.integers(0, 7))
    return st.builds(Wire, st.just(()), st.lists(flips, min_size=1, max_size=2).map(tuple))


matching_conversations: Property = Property(
    "matching_conversations",
    "where both ends finish, both saw the same handshake, bit by bit",
    "RFC 5246 F.1.1",
    _flipping,
    _tampered,
)


def _tampering(subject: Factory) -> SearchStrategy[Edit]:
    from hypothesis import strategies as st

    from puretls.testing.strategies.almost import edit_of

    return st.one_of([edit_of(places(subject), repair) for repair in ("none", "lengths")])


def _never_completes(subject: Factory, edit: Edit) -> None:
    """Only edits of what a handshake is made of: an alert or a record's header may be another, and a warning may be missing."""
    if edit.place.thing in {"record", "Alert", "ApplicationData"}:
        return
    meeting = Meeting(subject, edits=(edit,)).shake_hands()
    changed = any(
        outcome.old != outcome.new or not outcome.edit.place.fields for outcome in meeting.editor.outcomes if not outcome.problem
    )
    if not (meeting.made and changed):
        return
    if edit.place.thing == "Finished" and edit.operation == "duplicate":
        return  # the first of them is as it should be
    ours = any(told.kind == "handshake" for told in meeting.ours_told)
    unless(not (meeting.completed and ours), subject, tampering_never_completes, lambda: f"after {edit}: {meeting.story()}")


tampering_never_completes: Property = Property(
    "tampering_never_completes",
    "where a message of the handshake was changed on its way, not both ends finish",
    "RFC 5246 F.1.4",
    _tampering,
    _never_completes,
)
