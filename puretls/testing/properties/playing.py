"""An end that is tested, and at the other end an honest puretls, or one that sends other bytes than it should."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from puretls import danger
from puretls.crypto.provider import Provider
from puretls.errors import PeerError
from puretls.iana import ContentType
from puretls.inspect.conversation import Conversation
from puretls.inspect.edit import Edit
from puretls.inspect.editor import Editor
from puretls.inspect.knowledge import Knowledge
from puretls.inspect.peer import Peer, Told
from puretls.inspect.streams import Chunk, Stream, other
from puretls.record.framing import Framer
from puretls.testing import honest
from puretls.testing.adapters.base import Factory
from puretls.testing.properties.noted import Noted
from puretls.testing.wire import Carriage, Carried, Wire

UP, DOWN = b"what the client says", b"what the server says"
_ENDS = frozenset(("closed", "failed", "alert received"))
"""What a client that is a program does when it does not go on."""
_MET: ContextVar[list[Meeting] | None] = ContextVar("_MET", default=None)


@contextmanager
def meetings() -> Iterator[list[Meeting]]:
    """All meetings that take place while the block runs."""
    met: list[Meeting] = []
    token = _MET.set(met)
    try:
        yield met
    finally:
        _MET.reset(token)


class Meeting:
    """A conversation of a fresh end of `factory` with an end of puretls. `edits` are made in what the latter sends.

    `told` is what the tested end told so far, `ours_told` what ours did. `fields` are of the configuration of ours.
    """

    def __init__(
        self,
        factory: Factory,
        *,
        edits: Iterable[Edit] = (),
        wire: Wire | None = None,
        session: Any = None,
        seed: bytes = b"ours",
        **fields: Any,
    ) -> None:
        self.factory: Factory = factory
        self.session: Any = session
        self.seed: bytes = seed
        self.edits: tuple[Edit, ...] = tuple(edits)
        self.tested: Peer = factory()
        self.side: str = factory.role
        self.our_side: str = other(factory.role)
        self.key_log: list[str] = []
        self.editor: Editor = Editor(self.our_side, self.edits, self.key_log)
        more: dict[str, Any] = {"random": danger.fixed_random(seed + self.our_side.encode())}  # as a tape has it
        more |= honest.real(self.our_side) if factory.secure else {}
        more |= {} if factory.known else {"verifier": danger.accept_any_chain}
        config = honest.config_of(
            self.our_side, seed=seed, **more | fields, key_log=self.key_log.append, interceptors=self.editor.needed
        )
        self.ours: Noted = Noted(honest.peer(config, session, factory.server_name).connection, self.our_side)
        self.editor.connection = self.ours.connection
        self.told: list[Told] = []
        self.ours_told: list[Told] = []
        ends = {self.side: self.tested, self.our_side: self.ours}
        self.carriage: Carriage = (wire or Wire()).between(ends["client"], ends["server"])
        self._client: Any = ends["client"]
        self._stayed: bool = False
        """Whether the tested end was still there when the handshake was over."""
        met = _MET.get()
        if met is not None:
            met.append(self)

    def shake_hands(self) -> Meeting:
        """Carry what there is to a handshake. A client at the end of a socket begins by itself."""
        if self.our_side == "client" or self.factory.acts:
            self._client.start()
        self.carry()
        ours = any(told.kind == "handshake" for told in self.ours_told)
        self._stayed = ours and not any(told.kind in _ENDS for told in (*self.told, *self.ours_told))
        return self

    def converse(self) -> Meeting:
        """A handshake, words of both sides, and the end of both."""
        self.shake_hands()
        if self.ours.connection.is_connected:
            self.ours.send(DOWN if self.our_side == "server" else UP)
        if self.factory.acts and self.completed:
            tested: Any = self.tested
            tested.send(UP if self.side == "client" else DOWN)
        self.carry()
        self.ours.close()
        return self.carry()

    def carry(self) -> Meeting:
        """Until neither end has anything to say."""
        self.carried: Carried = self.carriage.carry()
        self.listen()
        return self

    def listen(self) -> None:
        """Take what both ends tell."""
        self.told += self.tested.events()
        self.ours_told += self.ours.events()

    @property
    def completed(self) -> bool:
        """Whether the tested end told of a handshake. One whose application is out of reach tells by what it does."""
        if self.factory.acts:
            return any(told.kind == "handshake" for told in self.told)
        return self._changed_keys if self.side == "server" else self._stayed

    @property
    def _changed_keys(self) -> bool:
        """Whether it sent ChangeCipherSpec, as a server does that has checked Finished, unless it resumes (RFC 5246 7.3)."""
        framer = Framer()
        framer.feed(b"".join(data for side, data in self.carriage.chunks if side == self.side))
        try:
            while (record := framer.next(limit=2**16)) is not None:
                if record.type == ContentType.CHANGE_CIPHER_SPEC:
                    return True
        except PeerError:
            pass
        return False

    @property
    def data(self) -> bytes:
        """The application data that the tested end told of."""
        return b"".join(told.data for told in self.told if told.kind == "data")

    @property
    def made(self) -> bool:
        """Whether all edits were made."""
        return not any(outcome.problem for outcome in self.editor.outcomes)

    def story(self) -> str:
        """What the tested end told, in a line."""
        return "; ".join(map(str, self.told)) or "it told nothing"

    def conversation(self) -> Conversation:
        """All that was sent, decoded with the secrets that our end knows."""
        return conversation(self.carriage.chunks, self.key_log, self.ours.connection.config.provider)


def conversation(chunks: Sequence[tuple[str, bytes]], key_log: Sequence[str], provider: Provider) -> Conversation:
    """What both sides sent, piece by piece, as a `Conversation`."""
    streams = {}
    for side in ("client", "server"):
        found, offset = [], 0
        for order, (sender, data) in enumerate(chunks):
            if sender == side:
                found.append(Chunk(offset, data, None, order))
                offset += len(data)
        streams[side] = Stream(tuple(found))
    return Conversation(streams["client"], streams["server"], Knowledge.of(key_log=key_log), provider=provider)


@lru_cache(maxsize=64)
def places(factory: Factory) -> Any:
    """Where edits can be made in what our end says to this one, as an honest conversation shows."""
    from puretls.testing.strategies.almost import targets_of_conversation

    meeting = Meeting(factory).converse()
    return targets_of_conversation(meeting.conversation(), (meeting.our_side,))


def merged(told: Iterable[Told]) -> list[tuple[str, str, bytes]]:
    """What was told, data that follows data as one: how it was cut is no matter."""
    made: list[tuple[str, str, bytes]] = []
    for one in told:
        if one.kind == "data" and made and made[-1][0] == "data":
            made[-1] = ("data", "", made[-1][2] + one.data)
        else:
            made.append((one.kind, one.detail, one.data))
    return made
