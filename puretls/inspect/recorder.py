"""Recording a live connection: both byte streams with times, and its secrets where they are wanted.

    recorder = inspect.record(connection)          # before its first byte
    ...
    recorder.conversation()

    config = replace(config, watcher=(recordings := inspect.Recordings()))     # every connection of a configuration
    recordings.conversations()

Nothing is copied and nothing is decoded while the connection runs. Past `limit` bytes application data is kept by size only: gaps tell
how many records they hold, so that what follows can still be opened. With `spool` everything goes into a file instead.
"""

from __future__ import annotations

import struct
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from puretls.arguments import described
from puretls.connection import Connection
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.handshake.states import ClientState, Role, ServerState
from puretls.iana import ContentType
from puretls.inspect.conversation import Conversation
from puretls.inspect.knowledge import RECORDED, Knowledge
from puretls.inspect.streams import SIDES, Chunk, Gap, Stream, other
from puretls.record.framing import HEADER_LENGTH
from puretls.session import TicketKeys

if TYPE_CHECKING:
    from puretls.config import Config

LIMIT = 2**23
ONLY_SIZE = "application data, only its size was kept"
_SPOOLED = struct.Struct(">BQI")
"""In front of each piece in a spool file: who sent it (0 is the client), when, and its length."""


class _Piece(NamedTuple):
    """Bytes that went by at once."""

    side: str
    time: int
    data: bytes


class Recorder:
    """A `Watcher` that keeps what it is told. One records one connection.

    `limit` is in bytes of both directions together. `secrets=False` keeps no master secret: the conversation is then framed and named
    only. `spool` is the path of a file that does not exist yet; it gets the bytes of the wire, and no secret. `clock` gives nanoseconds
    since the epoch.
    """

    def __init__(
        self,
        role: Role,
        *,
        limit: int = LIMIT,
        secrets: bool = True,
        spool: str | Path | None = None,
        name: str = "",
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self._near = role.value
        self._far = other(role.value)
        self._limit = limit
        self._wants_secrets = secrets
        self._clock = clock
        self._masters: dict[bytes, Secret] = {}
        self._tickets: object = None
        self._kept: list[_Piece] = []
        self._size = self._count = 0
        self._thinners: dict[str, _Thinner] | None = None
        self._ended = False
        self._spool = _Spool(spool) if spool is not None else None

    def __repr__(self) -> str:
        return f"Recorder({self._near}, {self._size} bytes seen, {len(self._masters)} secrets)"

    # What a connection calls

    def begins(self, config: Config) -> None:
        """A connection is watched from here on."""
        self._tickets = getattr(config, "tickets", None)

    def received(self, data: bytes) -> None:
        """Bytes came from the peer; b"" is the end of its stream."""
        if data:
            self._keep(self._far, data)
        else:
            self._ended = True

    def sent(self, data: bytes) -> None:
        """Bytes were handed to the transport."""
        if data:
            self._keep(self._near, data)

    def secret(self, client_random: bytes, master: Secret) -> None:
        """A master secret was agreed on."""
        if self._wants_secrets:
            self._masters[client_random] = master

    def _keep(self, side: str, data: bytes) -> None:
        piece = _Piece(side, self._clock(), data)
        self._size += len(data)
        self._count += 1
        if self._spool is not None:
            self._spool.write(piece)
        elif self._size <= self._limit:
            self._kept.append(piece)
        else:
            self._thin(piece)

    def _thin(self, piece: _Piece) -> None:
        if self._thinners is None:
            self._thinners = {side: _Thinner(kept.data for kept in self._kept if kept.side == side) for side in SIDES}
        self._thinners[piece.side].take(piece, self._count)

    # What came of it

    @property
    def knowledge(self) -> Knowledge:
        """The secrets that were agreed on so far, and the keys of a server's tickets, unless none were wanted."""
        keys = self._tickets.export() if self._wants_secrets and isinstance(self._tickets, TicketKeys) else ()
        return Knowledge(dict(self._masters), ticket_keys=keys, sources=dict.fromkeys(self._masters, RECORDED))

    def conversation(self, **options: Any) -> Conversation:
        """What was seen so far. `options` are those of `Conversation`."""
        streams = {side: self._stream(side) for side in SIDES}
        began = next((piece.time for piece in self._pieces()), None)
        return Conversation(streams["client"], streams["server"], self.knowledge, **{"name": self.name, "began": began} | options)

    def _pieces(self) -> Iterator[_Piece]:
        return self._spool.read() if self._spool is not None else iter(self._kept)

    def _stream(self, side: str) -> Stream:
        chunks, gaps, offset = [], [], 0
        for order, piece in enumerate(self._pieces()):
            if piece.side == side and piece.data:
                chunks.append(Chunk(offset, piece.data, piece.time, order))
                offset += len(piece.data)
        if self._thinners is not None:
            chunks += self._thinners[side].chunks
            gaps = self._thinners[side].gaps()
        return Stream(tuple(chunks), tuple(gaps), "fin" if self._ended and side == self._far else "open")


class _Thinner:
    """One direction past the limit: keeps all records but those of application data, of which it keeps sizes.

    `before` is what was kept whole: records go on behind it.
    """

    def __init__(self, before: Iterable[bytes]) -> None:
        self.chunks: list[Chunk] = []
        self._gaps: list[Gap] = []
        self._offset = self._gap_start = self._records = 0
        self._head = b""
        """The header of the record that is under way, as far as it came."""
        self._left = 0
        """Bytes of its fragment that have not come."""
        self._drops = False
        """Whether it is one of those of which only the size is kept."""
        for data in before:
            self._walk(_Piece("", 0, data), 0, keeps=False)

    def take(self, piece: _Piece, order: int) -> None:
        """More bytes."""
        self._walk(piece, order, keeps=True)

    def gaps(self) -> list[Gap]:
        """The gaps so far."""
        return self._gaps + ([self._open_gap()] if self._drops and self._offset > self._gap_start else [])

    def _open_gap(self) -> Gap:
        return Gap(self._gap_start, self._offset - self._gap_start, ONLY_SIZE, self._records)

    def _walk(self, piece: _Piece, order: int, *, keeps: bool) -> None:
        """From header to header; `keeps` is false for bytes that are kept already."""
        data, told, position = piece.data, 0, 0
        while position < len(data):
            if not self._head:
                drops = keeps and data[position] == ContentType.APPLICATION_DATA
                if drops is not self._drops:
                    self._tell(piece, order, told, position, keeps=keeps)
                    told = position
                    self._switch(drops)
            if len(self._head) < HEADER_LENGTH:
                more = data[position : position + HEADER_LENGTH - len(self._head)]
                self._head += more
                position += len(more)
                self._left = int.from_bytes(self._head[3:], "big") if len(self._head) == HEADER_LENGTH else 0
            step = min(self._left, len(data) - position)
            self._left -= step
            position += step
            if not self._left and len(self._head) == HEADER_LENGTH:
                self._head = b""
                self._records += self._drops
        self._tell(piece, order, told, len(data), keeps=keeps)

    def _switch(self, drops: bool) -> None:
        """A gap begins or ends here."""
        if self._drops:
            self._gaps.append(self._open_gap())
        self._drops, self._gap_start, self._records = drops, self._offset, 0

    def _tell(self, piece: _Piece, order: int, start: int, stop: int, *, keeps: bool) -> None:
        if keeps and not self._drops and start < stop:
            self.chunks.append(Chunk(self._offset, piece.data[start:stop], piece.time, order))
        self._offset += stop - start


class _Spool:
    """A file of pieces. Raises `UsageError` where there is a file already: nothing is overwritten silently."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        try:
            self._file: IO[bytes] = self._path.open("xb")
        except OSError as error:
            raise UsageError(f"cannot spool into {self._path}: {error.strerror}") from None
        weakref.finalize(self, self._file.close)

    def write(self, piece: _Piece) -> None:
        """Append a piece."""
        self._file.write(_SPOOLED.pack(SIDES.index(piece.side), piece.time, len(piece.data)) + piece.data)

    def read(self) -> Iterator[_Piece]:
        """All pieces so far."""
        self._file.flush()
        with self._path.open("rb") as file:
            while len(head := file.read(_SPOOLED.size)) == _SPOOLED.size:
                side, at, length = _SPOOLED.unpack(head)
                yield _Piece(SIDES[side], at, file.read(length))


class Recordings:
    """A recorder for each connection of a configuration: `replace(config, watcher=Recordings())`. In the order in which they were made.

    `options` are those of `Recorder`, but for `spool`. Recorders are kept as long as this is.
    """

    def __init__(self, **options: Any) -> None:
        if "spool" in options:
            raise UsageError("one file cannot hold several connections: give each a recorder of its own")
        self._options = options
        self._recorders: list[Recorder] = []

    def __call__(self, role: Role) -> Recorder:
        """What a connection asks for when it is made."""
        self._recorders.append(Recorder(role, **self._options))
        return self._recorders[-1]

    def __len__(self) -> int:
        return len(self._recorders)

    def __getitem__(self, index: int) -> Recorder:
        return self._recorders[index]

    def conversations(self) -> list[Conversation]:
        """What was seen so far of each."""
        return [recorder.conversation() for recorder in self._recorders]


def record(subject: Any, **options: Any) -> Recorder:
    """Record a connection, or whatever has one as `connection`, from before its first byte. `options` are those of `Recorder`.

    Raises `UsageError` for what is no connection, and for one that has begun.
    """
    connection = getattr(subject, "connection", subject)
    if not isinstance(connection, Connection):
        raise UsageError(f"a connection can be recorded, not {described(subject)}")
    if connection.state not in {ClientState.START, ServerState.START}:
        raise UsageError(f"recording begins before the first byte, and this connection is in state {connection.state.name}")
    recorder = Recorder(connection.role, **options)
    connection.watch(recorder)
    return recorder
