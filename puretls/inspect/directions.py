"""One direction of a conversation: its records framed, opened as far as keys allow, and joined to messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from puretls.crypto.aead import AeadAlgorithm
from puretls.crypto.cbc import StreamAlgorithm
from puretls.errors import Reason
from puretls.iana import ContentType, HandshakeType, ProtocolVersion
from puretls.inspect.framing import Cut, Framed, Stray, cut
from puretls.inspect.opening import Opener
from puretls.inspect.secrets import NO_LIMIT, Handshake, RecordLimit
from puretls.inspect.seen import Problem, Range, RecordSeen, StraySeen
from puretls.inspect.streams import Clock, Gap, Stream
from puretls.messages.records import HEADER, MAX_PLAINTEXT, Record
from puretls.record.channel import Channel
from puretls.record.fragment import Joiner
from puretls.record.framing import HEADER_LENGTH
from puretls.record.protection import Layout, Plain

_HANDSHAKE, _DATA = ContentType.HANDSHAKE, ContentType.APPLICATION_DATA
_TYPES = frozenset((ContentType.CHANGE_CIPHER_SPEC, ContentType.ALERT, _HANDSHAKE, _DATA))
BATCH = 64
"""Records of application data opened in one call at most."""
TRIES, TRIED_BYTES = 256, 2**22
"""How often a record behind a gap is tried under another sequence number, and how many bytes that may take until one fits."""


class Item(NamedTuple):
    """What comes next on one side: a message (`raw` with its `ranges`), or a record, stray bytes or a gap that hold none (`raw` None)."""

    side: str
    order: int
    time: int | None
    content_type: int = -1
    raw: bytes | None = None
    ranges: tuple[Range, ...] = ()
    complete: bool = True
    records: tuple[RecordSeen, ...] = ()
    """Records that have come up to and with this item, and were not told of before."""
    stray: StraySeen | None = None
    epoch: int = 0
    more: bool = False
    """Whether bytes of another handshake message stand behind this one in the same record."""
    torn: bool = False
    """Whether it came in the middle of a handshake message."""


class Direction:
    """Gives items one by one. Keys change between two of them, by `change`."""

    def __init__(self, side: str, stream: Stream) -> None:
        self.side = side
        self.channel: Channel = Channel()
        self.opener: Opener | None = None
        self.handshake: Handshake | None = None
        """The handshake whose keys are in force."""
        self.foreign = ""
        """Why records that are protected cannot be opened, whatever is known."""
        self.limits: list[RecordLimit] = [NO_LIMIT, NO_LIMIT]
        """What its records may carry: since the ServerHello, and under the keys in force."""
        self.blind: bool = False
        """Whether keys may have changed where nobody saw it."""
        self._cuts: Iterator[Cut] = cut(stream)
        self._next_cut: Cut | None = next(self._cuts, None)
        self._clock = Clock(stream.chunks)
        self._layout: Layout = Plain.layout
        self._joiner = Joiner()
        self._joining: deque[Range] = deque()
        self._joined: dict[int, RecordSeen] = {}
        self._items: deque[Item] = deque()
        self._told: list[RecordSeen] = []
        self._number = self._plain = self._strays = 0
        self._tried = 0
        """Bytes that were tried under other sequence numbers since the gap."""
        self._lost = False
        """Whether the sequence number is unknown."""
        self._nonce: tuple[int, int] | None = None
        """The newest explicit nonce as a number, and its sequence number."""

    def head(self) -> Item | None:
        """The item that comes next; None at the end."""
        while not self._items and self._fill():
            pass
        return self._items[0] if self._items else None

    def take(self) -> Item:
        """The item that comes next, which is there."""
        return self._items.popleft()

    def change(self, handshake: Handshake | None, opener: Opener | None) -> None:
        """New keys are in force, after a ChangeCipherSpec; without an opener they are not known."""
        self.channel.change(opener.protection if opener else Plain())
        self.opener, self.handshake = opener, handshake
        suite = handshake.suite if handshake and not self.foreign else None
        if handshake is not None and suite is not None:
            self._layout = Opener.layout_of(suite, encrypt_then_mac=handshake.encrypt_then_mac)
        else:
            self._layout = Plain.layout
        self._lost, self._nonce = False, None

    # Cuts to items

    def _advance(self) -> Cut | None:
        taken, self._next_cut = self._next_cut, next(self._cuts, None)
        return taken

    def _fill(self) -> bool:
        """Make items of the next cut; False when there is none."""
        piece = self._advance()
        match piece:
            case None:
                return self._leftover("the conversation ends in the middle of it")
            case Gap():
                self._leftover(f"what follows is missing: {piece.why}")
                self._skip(piece)
            case Stray():
                self._strays += 1
                stray = StraySeen(self.side, self._strays, piece.start, piece.data, piece.why)
                self._emit(piece.start, stray=stray)
            case Framed():
                for record in self._opened(self._run_of(piece)):
                    self._split(record)
        return True

    def _run_of(self, first: Framed) -> list[Framed]:
        """The record, and those after it that may be opened in one call."""
        run = [first]
        if self.opener is not None and not self._lost and _is_data(first):
            while len(run) < BATCH and _is_data(self._next_cut):
                following = self._advance()
                assert isinstance(following, Framed)
                run.append(following)
        return run

    def _skip(self, gap: Gap) -> None:
        if gap.records is None:
            self._lost = True
            self.blind = self.blind or self.channel.epoch == 0
            return
        if isinstance(self.channel.protection, Plain):
            return
        if self.opener is not None and isinstance(self.opener.suite.bulk, StreamAlgorithm):
            # A stream cipher goes on where it is: what lies in the gap is run through it, whatever it was.
            self.channel.protection.open(0, 0, bytes(max(0, gap.length - HEADER_LENGTH * gap.records)))
        self.channel.sequence += gap.records

    def _emit(self, offset: int, content_type: int = -1, raw: bytes | None = None, **more: object) -> None:
        chunk = self._clock.at(offset)
        records, self._told = tuple(self._told), []
        order, time = (chunk.order, chunk.time) if chunk else (0, None)
        epoch = self.channel.epoch
        self._items.append(Item(self.side, order, time, content_type, raw, records=records, epoch=epoch, **more))  # type: ignore[arg-type]

    # Records

    def _opened(self, run: list[Framed]) -> Iterator[RecordSeen]:
        if len(run) > 1:
            first = self.channel.sequence
            contents = self.channel.open_many([_record(framed) for framed in run])
            for index, (framed, content) in enumerate(zip(run, contents, strict=True)):
                yield self._seen(framed, first + index, content)
        else:
            yield self._open_one(run[0])

    def _open_one(self, framed: Framed) -> RecordSeen:
        record, complete = _record(framed), len(framed.raw) == framed.length
        sequence = self.channel.sequence
        if self.channel.epoch == 0:
            closed = self.foreign if record.type == _DATA else ""
            if self.blind and (record.type == _DATA or _is_ciphertext(record)):
                closed = "the beginning of the conversation is missing, and with it what is needed to open this"
            content = record.fragment if len(framed.pieces) == 1 else framed.pieces[0].data[HEADER_LENGTH:]
            return self._seen(framed, sequence, None if closed else content, Problem.missing(closed) if closed else None)
        if self.opener is None or not complete:
            self.channel.sequence += 1
            missing = self.foreign or (self.handshake.missing if self.handshake else "its keys are not known")
            return self._seen(framed, sequence, None, None if self.opener else Problem.missing(missing))
        if self._lost:
            return self._seen(framed, *self._try_sequences(record))
        return self._seen(framed, sequence, self.channel.open(record))

    def _try_sequences(self, record: Record) -> tuple[int | None, bytes | None]:
        """Open a record behind a gap: the sequence number is authenticated, so that the right one is known when it is met."""
        for sequence in self._guesses(record):
            content = self.channel.protection.open(sequence, record.type, record.fragment)
            if content is not None:
                self.channel.sequence, self._lost, self._tried = sequence + 1, False, 0
                return sequence, content
        return None, None

    def _guesses(self, record: Record) -> Iterator[int]:
        expected = self.channel.sequence
        assert self.opener is not None
        bulk = self.opener.suite.bulk
        if isinstance(bulk, AeadAlgorithm) and bulk.record_iv_length:
            nonce = int.from_bytes(record.fragment[: bulk.record_iv_length], "big")
            if self._nonce is not None and 0 < nonce - self._nonce[0] < 2**32:
                yield self._nonce[1] + nonce - self._nonce[0]
            if nonce < 2**32:
                yield nonce
        if not (isinstance(bulk, StreamAlgorithm) and bulk.key_length):
            for sequence in range(expected, expected + TRIES):
                if self._tried > TRIED_BYTES:
                    return
                self._tried += len(record.fragment) + 1
                yield sequence

    def _seen(self, framed: Framed, sequence: int | None, content: bytes | None, problem: Problem | None = None) -> RecordSeen:
        record, raw = _record(framed), framed.raw
        number, self._number = self._number, self._number + 1
        size = max(framed.length - HEADER_LENGTH, 0)
        opener, parts = self.opener, self._layout.parts(size)
        inner = 0
        if content is not None:
            inner = opener.inner_length(size) if opener else len(content)
            if opener:
                self._note_nonce(opener, record, sequence)
        problem = problem or self._problem(framed, record, number, content, parts)
        chunk = self._clock.at(framed.pieces[-1].start + max(len(framed.pieces[-1].data) - 1, 0))
        seen = RecordSeen(
            self.side, number, framed.start, raw, framed.length, record.type, record.version, self.channel.epoch, sequence, parts,
            content, problem, chunk.time if chunk else None, 0, self._plain, inner, framed.pieces, opener,
        )  # fmt: skip
        self._plain += inner
        return seen

    def _note_nonce(self, opener: Opener, record: Record, sequence: int | None) -> None:
        bulk = opener.suite.bulk
        if isinstance(bulk, AeadAlgorithm) and bulk.record_iv_length and sequence is not None:
            self._nonce = int.from_bytes(record.fragment[: bulk.record_iv_length], "big"), sequence
        if self.handshake is not None:
            self.handshake.fits = True

    def _problem(
        self, framed: Framed, record: Record, number: int, content: bytes | None, parts: tuple[tuple[str, int], ...]
    ) -> Problem | None:
        thing = f"record[{number}]"
        have = len(framed.raw)
        if have < framed.length:
            return Problem(f"cut short: {have} of {framed.length} bytes are there", thing, refused=False)
        if content is None:
            return self._unopened(thing, parts)
        if record.type not in _TYPES:
            reason = Reason.UNKNOWN_CONTENT_TYPE
            return Problem(f"{reason.sentence}: {record.type}", f"{thing}.type", 0, reason.rfc, reason)
        if record.version >> 8 != 3:
            reason = Reason.WRONG_RECORD_VERSION
            return Problem(f"{reason.sentence}: 0x{record.version:04x}", f"{thing}.version", 1, reason.rfc, reason)
        if not content and record.type != _DATA:
            reason = Reason.EMPTY_RECORD
            return Problem(f"{reason.sentence}: {record.type}", f"{thing}.length", 3, reason.rfc, reason)
        if len(content) > MAX_PLAINTEXT:
            reason = Reason.RECORD_OVERFLOW
            return Problem(f"{reason.sentence}: {len(content)} bytes", f"{thing}.length", 3, reason.rfc, reason)
        return None

    def _unopened(self, thing: str, parts: tuple[tuple[str, int], ...]) -> Problem:
        reason, handshake = Reason.BAD_RECORD_MAC, self.handshake
        if self._lost:
            return Problem.missing("its sequence number is not known, for records before it are missing; those tried do not fit")
        if handshake is not None and not handshake.fits:
            handshake.fits = False
            source = handshake.found.source if handshake.found else "nowhere"
            return Problem(f"the master secret from {source} does not open it: it belongs to another connection, or the record was changed",
                           f"{thing}.{parts[-1][0] if parts else 'length'}", None, reason.rfc, reason, False)  # fmt: skip
        return Problem(reason.sentence, f"{thing}.{parts[-1][0] if parts else 'length'}", None, reason.rfc, reason)

    # Messages

    def _split(self, record: RecordSeen) -> None:
        """The messages that a record completes."""
        self._told.append(record)
        end = record.start + max(len(record.raw) - 1, 0)
        content = record.plaintext
        made = len(self._items)
        if content is not None and record.content_type == _HANDSHAKE:
            self._joined[record.number] = record
            if content:
                self._joining.append(Range(0, record.plain_start, len(content), record.number))
            self._joiner.feed(content)
            while (raw := self._joiner.next()) is not None:
                self._emit(end, record.content_type, raw, ranges=self._take_ranges(len(raw)), more=bool(self._joining))
        elif content is not None and (content or record.content_type == _DATA):
            whole = (Range(0, record.plain_start, len(content), record.number),)
            self._emit(end, record.content_type, content, ranges=whole, complete=record.complete, torn=bool(self._joining))
        if len(self._items) == made:
            self._emit(end, record.content_type)

    def _take_ranges(self, length: int) -> tuple[Range, ...]:
        taken, position = [], 0
        while position < length:
            piece = self._joining.popleft()
            size = min(piece.length, length - position)
            taken.append(piece._replace(start=position, length=size))
            position += size
            if size < piece.length:
                self._joining.appendleft(piece._replace(plain_start=piece.plain_start + size, length=piece.length - size))
        if not self._joining:
            self._joined.clear()
        return tuple(taken)

    def _leftover(self, why: str) -> bool:
        """What is left of a handshake message that does not go on."""
        if not self._joining:
            return False
        pieces = []
        for piece in self._joining:
            record = self._joined[piece.record]
            assert record.plaintext is not None
            start = piece.plain_start - record.plain_start
            pieces.append(record.plaintext[start : start + piece.length])
        last = self._joined[self._joining[-1].record]
        raw = b"".join(pieces)
        ranges = self._take_ranges(len(raw))
        self._joiner.clear()
        self._emit(last.start + len(last.raw) - 1, _HANDSHAKE, raw, ranges=ranges, complete=False)
        return True


def _record(framed: Framed) -> Record:
    raw = framed.raw
    if len(raw) < HEADER_LENGTH:
        return Record(raw[0], int.from_bytes(raw[1:3].ljust(2, b"\3"), "big"), b"")
    type_, version, _ = HEADER.unpack_from(raw)
    return Record(type_, version, raw[HEADER_LENGTH:])


def _is_data(piece: Cut | None) -> bool:
    return isinstance(piece, Framed) and piece.pieces[0].data[0] == _DATA and len(piece.raw) == piece.length


def _is_ciphertext(record: Record) -> bool:
    """Whether this is no handshake message in the clear, as far as its first bytes tell."""
    if record.type != _HANDSHAKE:
        return len(record.fragment) > 2
    fragment = record.fragment
    return (
        len(fragment) < 4 or fragment[0] not in HandshakeType._value2member_map_ or int.from_bytes(fragment[1:4], "big") > 2**17
    )


def told(record: RecordSeen, order: int, version: int | None, limit: RecordLimit) -> RecordSeen:
    """The record with its place among those of both sides, judged by the version and the limit that were agreed on before it."""
    return replace(record, order=order, problem=record.problem or _other_version(record, version) or _too_long(record, limit))


def _other_version(record: RecordSeen, version: int | None) -> Problem | None:
    if version != ProtocolVersion.TLS_1_2 or record.version == version or record.content_type == ContentType.ALERT:
        return None
    reason = Reason.WRONG_RECORD_VERSION
    sentence = f"{reason.sentence}: {record.version >> 8}.{record.version & 0xFF}"
    return Problem(sentence, f"record[{record.number}].version", 1, reason.rfc, reason)


def _too_long(record: RecordSeen, limit: RecordLimit) -> Problem | None:
    if record.plaintext is None or len(record.plaintext) <= limit.size:
        return None
    reason = Reason.RECORD_OVERFLOW
    sentence = f"{reason.sentence}: {len(record.plaintext)} bytes, at most {limit.size} were agreed on"
    return Problem(sentence, f"record[{record.number}].length", 3, limit.rfc, reason)
