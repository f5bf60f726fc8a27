"""Replay: a tape played, with what happened: the bytes of each connection in their order, what both ends told, and what became of edits.

No socket, no clock, no entropy but the tape's: the same tape gives the same bytes in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from puretls.config import ClientConfig, ServerConfig
from puretls.connection import Connection
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.inspect.book import Outcome
from puretls.inspect.edit import Edit
from puretls.inspect.editor import Editor
from puretls.inspect.peer import PEERS_ALERT, MemoryPeer, SocketPeer, Told
from puretls.inspect.streams import other
from puretls.inspect.tape import SIDES, Script, Step, Tape
from puretls.session import Session
from puretls.text import counted
from puretls.values import frozen

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation

MAX_ROUNDS = 10_000
"""Rounds in which bytes are carried both ways at a step: two ends that never fall silent are stopped there."""


@frozen
class Played:
    """One connection: what each side sent, chunk by chunk in order, and what the ends told of it, in order."""

    chunks: tuple[tuple[str, bytes], ...] = field(repr=False)
    told: tuple[tuple[str, Told], ...]
    states: Mapping[str, str]
    ends: tuple[str, ...] = ()
    """The sides whose transport has ended."""
    outcomes: tuple[Outcome, ...] = ()
    """What became of the edits of this connection."""

    def sent(self, side: str) -> bytes:
        """All that a side sent."""
        return b"".join(data for sender, data in self.chunks if sender == side)

    @property
    def failures(self) -> tuple[tuple[str, Told], ...]:
        """Which side gave the connection up, and why; not who was told so by an alert."""
        return tuple(
            (side, told) for side, told in self.told if told.kind == "failed" and not told.detail.startswith(PEERS_ALERT)
        )

    @property
    def outcome(self) -> str:
        """How it ended, in a line: what was agreed on, then what failed."""
        completed = {told.detail: None for _, told in self.told if told.kind == "handshake"}
        failed = self.failures or tuple(one for one in self.told if one[1].kind == "failed")
        parts = [f"completed: {detail}" for detail in completed] + [f"{side} failed: {told.detail}" for side, told in failed]
        return "; ".join(parts) or f"not completed: client in {self.states['client']}, server in {self.states['server']}"


@frozen
class Replay:
    """A tape that was played: its connections in order, the secrets of them as a key log, and what seals their tickets."""

    tape: Tape
    connections: tuple[Played, ...]
    key_log: tuple[str, ...]
    ticket_keys: tuple[Secret, ...] = field(default=(), repr=False)
    """Those of the server, 48 bytes each, the one that seals first."""

    def __repr__(self) -> str:
        size = sum(len(data) for one in self.connections for _, data in one.chunks)
        return f"Replay({counted(len(self.connections), 'connection')}, {counted(size, 'byte')})"

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of all edits."""
        return tuple(outcome for played in self.connections for outcome in played.outcomes)

    @property
    def sha256(self) -> str:
        """The hash of the whole transcript: of each connection the flights in order, each with "C" or "S" and its length in four bytes."""
        digest = hashlib.sha256()
        for played in self.connections:
            for side, data in flights(played.chunks):
                digest.update(side[0].upper().encode() + len(data).to_bytes(4) + data)
        return digest.hexdigest()

    def connection(self, number: int = 1) -> Played:
        """One of the connections, which count from 1. Raises `UsageError` for a number that there is not."""
        if not 1 <= number <= len(self.connections):
            raise UsageError(f"no connection {number}: {self.tape.numbered}")
        return self.connections[number - 1]

    def conversation(self, number: int = 1) -> Conversation:
        """A connection as a `Conversation`; they count from 1. Raises `UsageError` for a number that there is not."""
        from puretls.inspect.conversation import Conversation
        from puretls.inspect.knowledge import TAPE, Knowledge

        played = self.connection(number)
        streams = [_stream(played, side, int(self.tape.clock * 10**9)) for side in SIDES]
        known = Knowledge.of(self.key_log, source=TAPE) | Knowledge(ticket_keys=self.ticket_keys)
        return Conversation(streams[0], streams[1], known, name=self.tape.name)

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """All connections."""
        return tuple(self.conversation(number) for number, _ in enumerate(self.connections, 1))


def flights(chunks: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Chunks of one side that follow each other as one."""
    joined: list[tuple[str, bytes]] = []
    for side, data in chunks:
        if joined and joined[-1][0] == side:
            joined[-1] = side, joined[-1][1] + data
        else:
            joined.append((side, data))
    return joined


def _stream(played: Played, side: str, time: int) -> Any:
    from puretls.inspect.streams import Chunk, Stream

    made, offset = [], 0
    for order, (sender, data) in enumerate(played.chunks):
        if sender == side:
            made.append(Chunk(offset, data, time, order))
            offset += len(data)
    return Stream(tuple(made), end="fin" if side in played.ends else "open")


def replay(tape: Tape, *, against: tuple[str, int] | None = None, patience: float = 2.0) -> Replay:
    """Play a tape. `against` puts whoever listens at that host and port in place of the tape's server, for each connection anew.

    Of the steps only those of the client are taken then: what the tape has the server say is what the peer says. Its answer is awaited for
    `patience` seconds. Raises `UsageError` for
    a tape that cannot be played, and `OSError` for an address that cannot be reached.
    """
    key_log: list[str] = []
    time = Time()
    configs = tape.configurations(time, key_log=key_log.append)
    played = [
        _play(script, configs, [edit for edit in tape.edits if edit.connection == number], key_log, against, patience, time)
        for number, script in enumerate(tape.connections, 1)
    ]
    beyond = [Outcome(edit, tape.numbered) for edit in tape.edits if edit.connection > len(played)]
    if beyond:
        played[-1] = replace(played[-1], outcomes=(*played[-1].outcomes, *beyond))
    tickets = configs[1].tickets if against is None else None
    return Replay(tape, tuple(played), tuple(key_log), tickets.export() if tickets is not None else ())


def _play(
    script: Script,
    configs: tuple[ClientConfig, ServerConfig],
    edits: Sequence[Edit],
    key_log: Sequence[str],
    against: tuple[str, int] | None,
    patience: float,
    time: Time,
) -> Played:
    if against is None:
        return _staged(Staged(script.server_name, configs, edits, key_log, session=script.session, time=time), script)
    with SocketPeer.connect(*against, patience=patience) as peer:
        live = replace(script, steps=tuple(map(_live, script.steps)))
        return _staged(Staged(script.server_name, configs, edits, key_log, peer, script.session, time), live)


def _staged(staged: Staged, script: Script) -> Played:
    staged.stage.play(script.steps)
    return staged.played()


def _live(step: Step) -> Step:
    """The step for a live server: what was said by the tape's is waited for, and what the client has to say is carried to it."""
    said, taken = step.do == "inject" and step.side == "server", step.do == "deliver" and step.side == "client" and not step.count
    return Step("carry") if said or taken else step


class Staged:
    """One connection with both ends set up, their editors between them: `stage` takes its steps, `played` tells what came of them.

    `configs` are those of client and server; `edits` those of this connection; `key_log` the list that both configurations log into. With
    `peer` somebody else is in place of the server; `session` is what the client offers; `time` goes on with steps that say so.
    """

    def __init__(
        self,
        server_name: str | None,
        configs: tuple[ClientConfig, ServerConfig],
        edits: Sequence[Edit],
        key_log: Sequence[str],
        peer: SocketPeer | None = None,
        session: Session | None = None,
        time: Time | None = None,
    ) -> None:
        self._edits, self._ours = tuple(edits), peer is None
        self._editors = {side: Editor(side, edits, key_log) for side in SIDES}
        client = Connection.client(replace(configs[0], interceptors=self._editors["client"].needed), server_name, session)
        server = Connection.server(replace(configs[1], interceptors=self._editors["server"].needed))
        self.ends: dict[str, Connection] = {"client": client, "server": server}
        for side, end in self.ends.items():
            self._editors[side].connection = end
        self.stage: Stage = Stage(MemoryPeer(client), peer or MemoryPeer(server), time)

    def played(self) -> Played:
        """What happened so far."""
        states = {side: end.state.name if self._ours or side == "client" else "not known" for side, end in self.ends.items()}
        outcomes = {outcome.edit: outcome for side in SIDES for outcome in self._editors[side].outcomes}
        if not self._ours:
            unreachable = "the server is not ours: what it sends cannot be edited"
            outcomes |= {edit: Outcome(edit, unreachable) for edit in self._edits if edit.place.side == "server"}
        stage, made = self.stage, tuple(outcomes[edit] for edit in self._edits)
        return Played(tuple(stage.chunks), tuple(stage.told), states, tuple(stage.ended), made)


class Time:
    """How many seconds have passed since a tape began."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> float:
        return self.seconds


class Stage:
    """Two peers and the bytes between them, step by step."""

    def __init__(self, client: MemoryPeer, server: MemoryPeer | SocketPeer, time: Time | None = None) -> None:
        self._time = time or Time()
        self.peers: dict[str, MemoryPeer | SocketPeer] = {"client": client, "server": server}
        self.chunks: list[tuple[str, bytes]] = []
        self.told: list[tuple[str, Told]] = []
        self.ended: list[str] = []
        self.arrived: list[tuple[str, bytes]] = []
        """What was delivered: who sent it, and the bytes, in order."""
        self._waiting = dict.fromkeys(SIDES, b"")

    def play(self, steps: Iterable[Step]) -> None:
        """Take the steps in order, then what is left to tell."""
        for step in steps:
            self.step(step)
        self._collect()

    def waiting(self, side: str) -> bytes:
        """What a side has said that has not arrived: both ends are asked for what they have to say."""
        for each in SIDES:
            self._take(each)
        self._collect()
        return self._waiting[side]

    def step(self, step: Step) -> None:
        """Take one step."""
        if step.do == "start":
            self._do("client", lambda peer: peer.start())
        elif step.do == "carry":
            self._carry(step.sizes)
        elif step.do == "deliver":
            self._take(step.side)
            self._arrive(step.side, step.count)
        elif step.do == "inject":
            self._take(other(step.side))
            self._put(step.side, step.data)
            self.arrived.append((step.side, step.data))
            self.peers[other(step.side)].receive(step.data)
            self._take(other(step.side))
            self._collect()
        elif step.do == "tick":
            self._time.seconds += step.count
        elif step.do == "end":
            self._arrive(step.side, len(self._waiting[step.side]))
            self.ended.append(step.side)
            self.peers[other(step.side)].eof()
        elif step.do == "send":
            self._do(step.side, lambda peer: peer.send(step.data))
        else:
            self._do(step.side, _CALLS[step.do])

    def _put(self, side: str, data: bytes) -> None:
        """Into the stream of a side, in front of what is on its way there."""
        left, at = len(self._waiting[side]), len(self.chunks)
        while left:
            at -= 1
            sender, sent = self.chunks[at]
            if sender == side and len(sent) > left:
                self.chunks[at : at + 1] = [(side, sent[:-left]), (side, sent[-left:])]
                at, left = at + 1, 0
            elif sender == side:
                left -= len(sent)
        self.chunks.insert(at, (side, data))

    def _do(self, side: str, call: Callable[[MemoryPeer], None]) -> None:
        """A call of the application; that at the other end of a socket is out of reach."""
        peer = self.peers[side]
        if isinstance(peer, MemoryPeer):
            call(peer)

    def _carry(self, sizes: tuple[int, ...]) -> None:
        for _ in range(MAX_ROUNDS):
            moved = False
            for side in SIDES:
                self._take(side)
                if size := len(self._waiting[side]):
                    moved = True
                    for piece in _pieces(size, sizes):
                        self._arrive(side, piece)
            if not moved:
                return
        raise UsageError(f"the two ends have not fallen silent in {MAX_ROUNDS} rounds")

    def _take(self, side: str) -> None:
        """What a side has to say now."""
        peer = self.peers[side]
        if isinstance(peer, SocketPeer):
            peer.owes = self._awaited()
        if data := peer.take():
            self.chunks.append((side, data))
            self._waiting[side] += data

    def _awaited(self) -> bool:
        """Whether the peer at the other end of a socket is likely to say more: in a handshake, and where it spoke less recently than we."""
        client = self.peers["client"]
        handshaking = isinstance(client, MemoryPeer) and client.connection.is_handshaking
        return handshaking or not self.chunks or self.chunks[-1][0] == "client"

    def _arrive(self, side: str, count: int) -> None:
        data, self._waiting[side] = self._waiting[side][:count], self._waiting[side][count:]
        if data:
            self.arrived.append((side, data))
            self.peers[other(side)].receive(data)
        self._collect()

    def _collect(self) -> None:
        for side in SIDES:
            self.told += [(side, told) for told in self.peers[side].events()]


_CALLS: Mapping[str, Callable[[MemoryPeer], None]] = {
    "close": MemoryPeer.close,
    "abort": MemoryPeer.abort,
    "renegotiate": MemoryPeer.renegotiate,
}


def _pieces(size: int, sizes: tuple[int, ...]) -> Iterable[int]:
    """Sizes of the pieces in which so many bytes come."""
    index = 0
    while size > 0:
        piece = sizes[index % len(sizes)] if sizes else size
        yield min(piece, size)
        size -= piece
        index += 1
