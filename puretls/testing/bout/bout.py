"""A bout: a connection under test and a mapper as its peer. Each move is written down, and judged when it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

from puretls.connection import Connection
from puretls.handshake.context import ClientContext, ServerContext
from puretls.handshake.states import Role
from puretls.inspect.peer import MemoryPeer, Told
from puretls.inspect.tape import Step
from puretls.record.framing import HEADER_LENGTH
from puretls.session import MAX_LIFETIME, Session
from puretls.testing.bout.course import Course
from puretls.testing.bout.judge import Judge
from puretls.testing.bout.variants import VARIANTS, Variant, without_ems
from puretls.testing.bout.world import REPEATS, World
from puretls.testing.honest import NAME
from puretls.testing.learning.mapper import RESUMING, Mapper
from puretls.testing.properties.bounds import cost

T = TypeVar("T")
BEHIND_THE_END = "data behind close_notify"
RAW: Mapping[str, tuple[tuple[int, bytes], ...]] = {
    "a record of type 24": ((24, b"\1\0\1x"),),
    "an empty handshake record": ((22, b""),),
    "an empty alert": ((21, b""),),
    "an alert of level 3": ((21, b"\3\0"),),
    "half an alert": ((21, b"\1"),),
    "two alerts in one": ((21, b"\1\x64\1\x64"),),
    "ChangeCipherSpec of two bytes": ((20, b"\1\1"),),
    "a handshake message of type 99": ((22, b"\x63\0\0\0"),),
    "a handshake message of 16 MiB": ((22, b"\1\xff\xff\xff"),),
    "more than 2^14 bytes": ((23, bytes(2**14 + 1)),),
    "a fatal alert": ((21, b"\2\x28"),),
    "ChangeCipherSpec inside a handshake message": ((22, b"\0\0"), (20, b"\1")),
    "data inside a handshake message": ((22, b"\0\0"), (23, b"data")),
    BEHIND_THE_END: ((21, b"\1\0"), (23, b"data")),
}
"""Content of records that end every connection, whatever it waits for (RFC 5246 6.2.1, 7.1, 7.2)."""
FLOODS: Mapping[str, tuple[int, bytes]] = {
    "warnings": (21, b"\1\x5a"),
    "records without content": (23, b""),
    "HelloRequests": (22, bytes(4)),
}
"""Content that leads nowhere, and ends every connection when it comes again and again (RFC 5246 D.4 leaves such bounds to its reader)."""


class Bout:
    """One connection of a world, which `begin` begins. Its other methods are moves, which raise `Violation`."""

    def __init__(self, world: World, *, resume: bool = False, moves: list[str] | None = None) -> None:
        self.world = world
        self.moves: list[str] = [] if moves is None else moves
        """What happened, for people."""
        self.session: Session | None = world.session if resume else None
        """What whoever is the client offers to resume."""
        self.chunks: list[tuple[str, bytes]] = []
        """Who said what, in the order of its arrival."""
        self.steps: list[Step] = []
        """What happened, as a tape has it."""
        self.told: list[Told] = []
        """What the connection told of."""
        self.size = 0
        """Bytes in which what is said arrives at a time; 0: as it is."""
        self.peer: MemoryPeer
        self.mapper: Mapper
        self.peer, self.mapper = _ends(world, self.session)
        self.course: Course = Course(self.peer, self.mapper, asks=world.certificates)
        self._judge = Judge(world, self.course, self.moves)
        self._last_sealed = b""
        self._ems = True

    def begin(self) -> Self:
        """A client sends its hello. Returns the bout."""
        resumes = self.session is not None and self.role is Role.CLIENT
        self._note(f"a {self.role.value}{' that resumes' if resumes else ''}")
        if self.role is Role.CLIENT:
            self.steps.append(Step("start"))
            self._ask(self.peer.start)
        self._after()
        return self

    @property
    def role(self) -> Role:
        """Of the connection under test."""
        return self.world.role

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._judge.is_over

    @property
    def received(self) -> list[bytes]:
        """What the connection received, in the order of its arrival."""
        return [data for side, data in self.chunks if side != self.role.value]

    def variants(self, symbol: str) -> list[Variant]:
        """The other ways to say it."""
        return [variant for variant in VARIANTS.get(symbol, ()) if variant.applies(self)]

    # The mapper's moves

    def say(self, symbol: str, variant: Variant | None = None, flip: int | None = None) -> None:
        """Say a symbol: as it is, in another way, or with a bit of its bytes flipped on the way (see `_flip`)."""
        self._note(f"{symbol}{f' {variant.name}' if variant else ''}{f', bit {flip} flipped' if flip is not None else ''}")
        legal, protected = self.course.legality(symbol, closing=self._judge.closing), self.mapper.protects
        if self.course.goes_on_with(symbol):
            self.course.said.append(symbol)
        data = self.mapper.say(symbol, self._change(symbol, variant))
        self._last_sealed = data if protected else b""
        self._judge.meant(symbol, variant, flipped=flip is not None, protected=protected)
        self._arrive(data if flip is None else _flip(data, flip, header=protected))
        self._after()
        if flip is None:
            self._judge.said(symbol, legal, variant)
        elif protected:
            self._judge.ended("a record that was changed under keys ends the connection (RFC 5246 7.2.2)")

    def _change(self, symbol: str, variant: Variant | None) -> Callable[[Any, Any], Any] | None:
        """How a message is changed before it is said (RFC 7627 5.4: what a connection had not at first, it does not get)."""
        change = variant.change if variant else None
        if symbol in {"ClientHello", RESUMING} and not self.course.completed:
            self._ems = change is not without_ems
            if symbol == "ClientHello" and not self._ems:  # a session that has what the connection has not is not for it
                self.mapper.symbols.pop(RESUMING, None)
        if symbol != "ClientHello" or not self.course.completed or self._ems:
            return change
        return without_ems if change is None else lambda hello, context: without_ems(change(hello, context), context)

    def inject(self, name: str) -> None:
        """Records that break a rule by themselves (`RAW`), sealed as they should be."""
        self._note(name)
        if name == BEHIND_THE_END:
            self._judge.meant("CloseNotify", None, flipped=False, protected=self.mapper.protects)
        self._arrive(b"".join(self.mapper.seal(*content) for content in RAW[name]))
        self._after()
        self._judge.injected(name)

    def flood(self, name: str) -> None:
        """What leads nowhere (`FLOODS`), more often than the limits let pass; what that costs is measured."""
        self._note(f"{REPEATS + 1} {name}")
        pieces = [self.mapper.seal(*FLOODS[name]) for _ in range(REPEATS + 1)]
        before = len(self.received)
        with cost() as counted:
            for piece in pieces:
                self._arrive(piece)
        self._last_sealed = b""
        self._after()
        self._judge.flooded(name, len(self.received) - before, counted)

    def replay(self) -> None:
        """The last bytes that were said under keys, once more."""
        if self._last_sealed:
            self._note("the last record again")
            self._arrive(self._last_sealed)
            self._after()
            self._judge.ended("a record that comes twice ends the connection (RFC 5246 F.2)")

    def end_of_file(self) -> None:
        """The transport ends."""
        self._does("end of file", Step("end", self.role.other.value), self.peer.eof)
        self._judge.ended("an end of the stream ends the connection")

    def tick(self, seconds: int) -> None:
        """Time passes."""
        self._note(f"{seconds} seconds pass")
        self.steps.append(Step("tick", count=seconds))
        self.world.now += seconds

    # The application's moves

    def write(self, data: bytes = b"from the application") -> None:
        """The application sends."""
        self._judge.wrote(data)
        self._does("the application sends", Step("send", self.role.value, data), lambda: self.peer.send(data))

    def close(self) -> None:
        """The application closes."""
        self._judge.closing = self._judge.closing or not self.is_over
        self._does("the application closes", Step("close", self.role.value), self.peer.close)

    def renegotiate(self) -> None:
        """The application asks for a new handshake."""
        self._does("the application renegotiates", Step("renegotiate", self.role.value), self.peer.renegotiate)

    # What came of it

    def _does(self, move: str, step: Step, call: Callable[[], None]) -> None:
        self._note(move)
        self.steps.append(step)
        self._ask(call)
        self._after()

    def _ask(self, call: Callable[[], T]) -> T:
        """Of the connection, which tells of a failure as `Peer` does, and raises nothing."""
        try:
            return call()
        except Exception as error:
            raise self._judge.raised(error) from error

    def _note(self, move: str) -> None:
        self.moves.append(move)

    def _arrive(self, data: bytes) -> None:
        size = self.size or len(data) or 1
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self.chunks.append((self.role.other.value, piece))
            self.steps.append(Step("inject", self.role.other.value, piece))
            self._ask(lambda piece=piece: self.peer.receive(piece))  # type: ignore[misc]

    def _after(self) -> None:
        """Hear what the connection says, and have it judged."""
        told = self.peer.events()
        out = self._ask(self.peer.take)
        told += self.peer.events()
        self.told += told
        self.chunks += [(self.role.value, out)] if out else []
        self._judge.hears(out, told)


def _ends(world: World, session: Session | None) -> tuple[MemoryPeer, Mapper]:
    """A fresh connection, and its peer; `session` is what the client among them may offer."""
    config, mapping = world.config, world.mapping
    if world.role is Role.SERVER:
        context: Any = ClientContext.begin(mapping, NAME, None)  # type: ignore[arg-type]
        if session is not None:  # which is offered however old it is
            session = replace(session, created=world.now, lifetime=MAX_LIFETIME)
        return MemoryPeer(Connection.server(config)), Mapper(context, session)  # type: ignore[arg-type]
    context = ServerContext.begin(mapping)  # type: ignore[arg-type]
    return MemoryPeer(Connection.client(config, NAME, session)), Mapper(context)  # type: ignore[arg-type]


def _flip(data: bytes, bit: int, *, header: bool) -> bytes:
    """One bit of what a record carries flipped, or with `header` of its type and version, which keys protect, too (RFC 5246 6.2.3.3).

    The bit is taken modulo their number, the content first.
    """
    places = [*range(HEADER_LENGTH, len(data)), *(range(3) if header else ())]
    place = bit % (8 * len(places))
    changed = bytearray(data)
    changed[places[place // 8]] ^= 0x80 >> place % 8
    return bytes(changed)
