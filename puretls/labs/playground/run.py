"""A tape that is played as far as its steps go, and goes on from there: step by step, on, back, and again with a change.

A run is a tape and what it has come to. It is made by playing the tape, so that the same tape is always the same run; steps that follow
are taken where the run stands and written into its tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from puretls.errors import PeerError, PuretlsError, UsageError
from puretls.inspect.conversation import Conversation
from puretls.inspect.edit import Edit
from puretls.inspect.peer import MemoryPeer
from puretls.inspect.player import Played, Replay, Staged
from puretls.inspect.streams import SIDES
from puretls.inspect.tape import Script, Step, Tape
from puretls.record.framing import HEADER_LENGTH
from puretls.values import frozen

MOST_CONNECTIONS, MOST_STEPS, MOST_EDITS, MOST_DATA = 16, 2000, 200, 2**17
"""What a tape of the playground may hold: connections, steps of all, changes, and bytes that applications send."""
NOTHING_WAITS = "nothing is on its way: let an application send or close, or begin another connection"
_CALLS = ("send", "close", "abort", "renegotiate", "end")
"""Steps that an application, or the transport, takes at one side."""


@frozen
class Arrival:
    """How far a step went: which connection it belongs to, and how much had arrived there afterwards."""

    connection: int
    step: int
    arrived: int


class Run:
    """A tape on its way. Methods that take a step raise `UsageError` where it is not possible; the run is of no use after that."""

    def __init__(self, tape: Tape) -> None:
        check(tape)
        self._tape = replace(tape, connections=())
        self._key_log: list[str] = []
        self._configs = tape.configurations(key_log=self._key_log.append)
        self._staged: list[Staged] = []
        self._steps: list[list[Step]] = []
        self._names: list[str | None] = []
        self.arrivals: list[Arrival] = []
        self._seen: tuple[tuple[int, ...], Conversation] | None = None
        """The conversation, and how many connections, pieces, ends and secrets it is made of."""
        for script in tape.connections:
            self._begin(script.server_name)
            for step in script.steps:
                self._carry() if step.do == "carry" and not step.sizes else self._take(step)
        if not self._staged:
            raise UsageError("a tape needs a connection")

    # What it is

    @property
    def tape(self) -> Tape:
        """The tape that leads here, every delivery a step of its own."""
        scripts = zip(self._steps, self._names, strict=True)
        return replace(self._tape, connections=tuple(Script(tuple(steps), name) for steps, name in scripts))

    @property
    def played(self) -> tuple[Played, ...]:
        """What happened on each connection."""
        return tuple(staged.played() for staged in self._staged)

    @property
    def replay(self) -> Replay:
        """The same as `inspect.replay` gives it."""
        tickets = self._configs[1].tickets
        return Replay(self.tape, self.played, tuple(self._key_log), tickets.export() if tickets is not None else ())

    def conversation(self) -> Conversation:
        """The newest connection: all that was sent, what is on its way included."""
        now = len(self._staged), len(self._now.stage.chunks), len(self._now.stage.ended), len(self._key_log)
        if self._seen is None or self._seen[0] != now:
            self._seen = now, self.replay.conversation(len(self._staged))
        return self._seen[1]

    def arrived(self, side: str) -> int:
        """How many bytes of what a side sent on the newest connection have arrived."""
        return sum(len(data) for sender, data in self._now.stage.chunks if sender == side) - len(self._now.stage.waiting(side))

    def waiting(self, side: str) -> bytes:
        """What a side has sent that is on its way."""
        return self._now.stage.waiting(side)

    @property
    def failure(self) -> tuple[str, PuretlsError] | None:
        """Which end of the newest connection gave up, and why; who found the fault rather than who was told of it."""
        errors = {side: peer.error for side, peer in self._now.stage.peers.items() if isinstance(peer, MemoryPeer) and peer.error}
        return next((one for one in errors.items() if isinstance(one[1], PeerError)), next(iter(errors.items()), None))

    @property
    def taken(self) -> int:
        """Steps of the newest connection."""
        return len(self._steps[-1])

    @property
    def _now(self) -> Staged:
        return self._staged[-1]

    # How it goes on

    def step(self) -> None:
        """The client begins, or the next record arrives: the one that was sent first."""
        following = self._following()
        if following is None:
            raise UsageError(NOTHING_WAITS)
        self._take(following)

    def run_on(self) -> None:
        """Until nothing is on its way."""
        self.step()
        self._carry()

    def to(self, path: str) -> None:
        """Until the message or record of this path has arrived. Raises `UsageError` where it never comes."""
        while True:
            end = _end(self.conversation(), path)
            if end is not None and self.arrived(path.partition(".")[0]) >= end:
                return
            if (following := self._following()) is None:
                raise UsageError(f"{path} does not come: {NOTHING_WAITS}" if end is None else NOTHING_WAITS)
            self._take(following)

    def call(self, step: Step) -> None:
        """What an application does. Raises `UsageError` with the reason where the connection does not allow it."""
        if step.do not in (*_CALLS, "inject"):
            raise UsageError(f"{step.do!r} is no call: there are {', '.join((*_CALLS, 'inject'))}")
        told = len(self._now.stage.told)
        self._take(step)
        refused = next((one.detail for _, one in self._now.stage.told[told:] if one.kind == "not possible"), "")
        if refused:
            raise UsageError(f"the {step.side} cannot {refused}")
        peer = self._now.stage.peers[step.side]
        if step.do not in {"inject", "end"} and isinstance(peer, MemoryPeer) and peer.error is not None:
            raise UsageError(f"the {step.side} cannot {step.do}: its connection has failed")

    def again(self) -> None:
        """Another connection of the same two ends, which resumes where both remember a session."""
        if len(self._staged) >= MOST_CONNECTIONS:
            raise UsageError(f"{MOST_CONNECTIONS} connections are enough: begin a new run")
        self._begin(self._names[-1])
        self._take(Step("start"))

    def _begin(self, server_name: str | None) -> None:
        number = len(self._staged) + 1
        edits = [edit for edit in self._tape.edits if edit.connection == number]
        self._staged.append(Staged(server_name, self._configs, edits, self._key_log))
        self._steps.append([])
        self._names.append(server_name)

    def _take(self, step: Step) -> None:
        if sum(map(len, self._steps)) >= MOST_STEPS:
            raise UsageError(f"{MOST_STEPS:,} steps are enough: begin a new run")
        self._now.stage.step(step)
        self._steps[-1].append(step)
        for side in SIDES:
            self._now.stage.waiting(side)
        self.arrivals.append(Arrival(len(self._staged) - 1, len(self._steps[-1]) - 1, len(self._now.stage.arrived)))

    def _carry(self) -> None:
        while self._steps[-1] and (following := self._following()) is not None:
            self._take(following)

    def _following(self) -> Step | None:
        """The step that comes by itself; None where nothing is on its way."""
        if not self._steps[-1]:
            return Step("start")
        waiting = {side: data for side in SIDES if (data := self._now.stage.waiting(side))}
        if not waiting:
            return None
        side = min(waiting, key=self._sent_at)
        return Step("deliver", side, count=_record_size(waiting[side]))

    def _sent_at(self, side: str) -> int:
        """Which of the pieces that were sent holds the first byte of this side that has not arrived."""
        left = self.arrived(side)
        for number, (sender, data) in enumerate(self._now.stage.chunks):
            if sender == side:
                left -= len(data)
                if left < 0:
                    return number
        return len(self._now.stage.chunks)

    def delivered(self, arrival: Arrival, before: int = 0) -> list[tuple[str, bytes]]:
        """What arrived by a step."""
        return self._staged[arrival.connection].stage.arrived[before : arrival.arrived]


def _record_size(waiting: bytes) -> int:
    """Bytes of the first record; all there is where that says it is longer."""
    return min(HEADER_LENGTH + int.from_bytes(waiting[3:HEADER_LENGTH]), len(waiting))


def _end(conversation: Conversation, path: str) -> int | None:
    """Where the last record of a message ends in the stream of its side; None where there is no such message."""
    records = {(record.side, record.number): record for record in conversation.records}
    for seen in conversation.messages:
        if seen.path == path and seen.records:
            last = records[seen.side, seen.records[-1]]
            return last.start + len(last.raw)
    return next((record.start + len(record.raw) for record in conversation.records if record.path == path), None)


# From tape to tape


def check(tape: Tape) -> None:
    """Raises `UsageError` for a tape that is too large for the playground, or that reads what lies outside of it."""
    sizes = (
        (len(tape.connections), MOST_CONNECTIONS, "connections"),
        (sum(len(script.steps) for script in tape.connections), MOST_STEPS, "steps"),
        (len(tape.edits), MOST_EDITS, "changes"),
        (sum(len(step.data) for script in tape.connections for step in script.steps), MOST_DATA, "bytes of data"),
    )
    for size, most, what in sizes:
        if size > most:
            raise UsageError(f"the tape has {size:,} {what}: the playground takes {most:,}")
    if "system" in (tape.client.get("verifier"), tape.server.get("verifier")):
        raise UsageError("the tape trusts the roots of the system, which the playground does not read: name certificates")


def back(tape: Tape) -> Tape:
    """The tape without its last step. Raises `UsageError` where there is none."""
    *scripts, last = tape.connections
    steps = last.steps[:-1]
    if not last.steps:
        raise UsageError("this is the beginning")
    if not steps and scripts:
        return replace(tape, connections=tuple(scripts))
    return replace(tape, connections=(*scripts, replace(last, steps=steps)))


def changed(run: Run, edits: Sequence[Edit]) -> Run:
    """The tape of a run with these edits, played as far as all that has arrived is the same as before.

    So a message that is changed is on its way again. Raises `UsageError` where the newest edit cannot be made of what was sent.
    """
    tape = replace(run.tape, edits=tuple(edits))
    made = Run(tape)
    cut = _first_difference(run, made)
    if cut is not None:
        scripts = tape.connections[: cut.connection]
        last = tape.connections[cut.connection]
        kept = replace(last, steps=last.steps[: cut.step])
        made = Run(replace(tape, connections=(*scripts, kept) if kept.steps or not scripts else scripts))
    for edit in edits[len(run.tape.edits) :]:
        _check_made(run, made, edit)
    return made


def _check_made(before: Run, after: Run, edit: Edit) -> None:
    """What was there to be changed has changed, and it was what somebody saw who looked at that path."""
    if edit.connection > len(after.played):
        return
    seen = before.replay.conversation(edit.connection)
    if _end(seen, str(replace(edit.place, fields=()))) is None:
        return  # it is still to come
    outcome = next(one for one in after.played[edit.connection - 1].outcomes if one.edit == edit)
    if outcome.problem:
        raise UsageError(f"{edit.path} cannot be changed so: {outcome.problem}")
    shown = [seen.byte_map.bytes_of(leaf) for leaf in seen.byte_map.find(edit.path) if leaf.path == edit.path]
    if outcome.old and len(shown) == 1 and shown[0] != outcome.old:
        raise UsageError(f"{edit.path} counts what its sender meant to send, and is something else there: first undo what was dropped,"
                         " repeated, swapped or injected before it")  # fmt: skip


def _first_difference(one: Run, two: Run) -> Arrival | None:
    """The first step of `one` by which not the same arrived in both."""
    before: dict[int, int] = {}
    others = {(arrival.connection, arrival.step): arrival for arrival in two.arrivals}
    for arrival in one.arrivals:
        start = before.get(arrival.connection, 0)
        twin = others.get((arrival.connection, arrival.step))
        if twin is None or one.delivered(arrival, start) != two.delivered(twin, start):
            return arrival
        before[arrival.connection] = arrival.arrived
    return None
