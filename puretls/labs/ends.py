"""Ends as the network between them sees them: bytes in, records out; and records sealed in the place of an end whose keys are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from puretls import schedule
from puretls.arguments import described
from puretls.connection import Connection
from puretls.der import oids
from puretls.drive import take_turn
from puretls.errors import PuretlsError, UsageError
from puretls.events import DataReceived, Event, HandshakeCompleted, Sentinel
from puretls.handshake.states import Role
from puretls.inspect.conversation import Conversation
from puretls.inspect.recorder import record
from puretls.labs.stage import CLOCK, provider
from puretls.messages.records import Record
from puretls.record.channel import Channel
from puretls.record.framing import HEADER_LENGTH
from puretls.record.protect import protect
from puretls.record.protection import Protection
from puretls.suites import Suite
from puretls.text import counted, has_utf8
from puretls.x509.certificates.certificate import Certificate

Application = Callable[[Connection, bytes], None]
"""Called with the connection and what arrives on it; with b"" whenever a handshake is complete."""


class NotSent(PuretlsError):
    """An end does not send as many records as were expected; the text says what it does instead."""


class End:
    """One end of a connection, as a network sees it. Its application goes on by itself; a client has begun."""

    def __init__(self, name: str, connection: Connection, application: Application | None = None) -> None:
        self.name = name
        self._connection = connection
        self._application = application
        self._recorder = record(connection, clock=lambda: int(CLOCK * 10**9))
        self.received = b""
        """What arrived for the application."""
        self.error: PuretlsError | None = None
        """Why the connection failed, if it did."""
        if connection.role is Role.CLIENT:
            connection.start()

    def take(self, expected: int | None = None) -> list[bytes]:
        """What it sends now: a list of records, each in bytes with its header.

        Raises `NotSent` where these are not as many as `expected`.
        """
        self._go_on()
        records = self._connection.segments_to_send()
        if expected is not None and len(records) != expected:
            raise NotSent(f"{self.name} sends {counted(len(records), 'record')}, not {expected}{self.ending}")
        return records

    def give(self, *records: bytes) -> None:
        """Deliver bytes to it. Nothing is raised for what they are: see `error`."""
        for data in records:
            if data and self.error is None:
                self._connection.receive_bytes(data)
                self._go_on()

    @property
    def ending(self) -> str:
        """Why it failed, as the end of a sentence; "" where it did not."""
        return "" if self.error is None else f", and ended with: {self.error}"

    def send(self, data: bytes) -> None:
        """What its application is to send. Raises `UsageError` before the handshake is complete."""
        self._connection.send(data)

    def conversation(self) -> Conversation:
        """What this end has seen, for the inspector."""
        return self._recorder.conversation()

    def _go_on(self) -> None:
        while self.error is None:
            turn = take_turn(self._connection)
            self.error = turn.error
            if isinstance(turn.event, Event):
                self._hear(turn.event)
            if turn.event is None or isinstance(turn.event, Sentinel):
                return

    def _hear(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self.received += event.data
        data = event.data if isinstance(event, DataReceived) else b""
        if self._application is not None and (data or isinstance(event, HandshakeCompleted)):
            self._application(self._connection, data)


def relay(client: End, server: End) -> None:
    """Carry records between two ends, unchanged, until neither sends any more."""
    moved = True
    while moved:
        moved = False
        for near, far in ((client, server), (server, client)):
            records = near.take()
            far.give(*records)
            moved |= bool(records)


def endings(ends: Iterable[End]) -> tuple[str, ...]:
    """A line for each end that failed: why."""
    return tuple(f"{end.name} ended with: {end.error}" for end in ends if end.error is not None)


def as_text(answer: object) -> object:
    """An answer that may be text or bytes, as text."""
    return answer.decode("latin-1") if isinstance(answer, bytes) else answer


def common_name(certificate: bytes) -> str:
    """The last commonName of a certificate's subject; "" where it has none."""
    names = [attribute.value for attribute in Certificate.parse(certificate).subject.attributes(oids.COMMON_NAME)]
    return str(names[-1]) if names else ""


# What attackers hand over


def octets(what: str, value: object, *lengths: int) -> bytes:
    """Bytes of one of these lengths; without any, of whatever length. Raises `UsageError`, which says what is wanted."""
    if not isinstance(value, bytes) or (lengths and len(value) not in lengths):
        wanted = f"{' or '.join(map(str, lengths))} bytes" if lengths else "bytes"
        found = counted(len(value), "byte") if isinstance(value, bytes) else described(value)
        raise UsageError(f"{what}: {wanted} are wanted, not {found}")
    return value


def text(what: str, value: object) -> str:
    """A text that there is UTF-8 for. Raises `UsageError`, which says what is wanted."""
    if not isinstance(value, str) or not has_utf8(value):
        raise UsageError(f"{what}: a text is wanted, not {described(value)}")
    return value


def one_record(raw: object) -> Record:
    """A record in bytes. Raises `UsageError` for what is none, or more than one."""
    if not isinstance(raw, bytes) or len(raw) < HEADER_LENGTH or HEADER_LENGTH + int.from_bytes(raw[3:5]) != len(raw):
        found = f"these {counted(len(raw), 'byte')}" if isinstance(raw, bytes) else described(raw)
        raise UsageError(f"one record is wanted, in bytes, with its header of {HEADER_LENGTH}; not {found}")
    return Record(raw[0], int.from_bytes(raw[1:3]), raw[HEADER_LENGTH:])


# Records under known keys


class Sealer:
    """Seals and opens what one end sends, under its key. The `sequence` number of the next record counts up from 0, and may be set."""

    def __init__(self, protection: Protection) -> None:
        self._channel = Channel()
        self._channel.change(protection)

    @property
    def sequence(self) -> int:
        """The number of the next record."""
        return self._channel.sequence

    @sequence.setter
    def sequence(self, number: int) -> None:
        self._channel.sequence = number

    def seal(self, content_type: int, data: bytes) -> bytes:
        """A record, header included."""
        return self._channel.seal(content_type, octets("data", data)).to_bytes()

    def open(self, raw: bytes) -> bytes | None:
        """What a record holds; None where it is not sealed under this key and number."""
        return self._channel.open(one_record(raw))


class Keys:
    """The keys that follow from a master secret and both randoms (RFC 5246 6.3): `client` for what the client sends, and `server`."""

    def __init__(self, suite: Suite, master: bytes, client_random: bytes, server_random: bytes) -> None:
        randoms = octets("the client's random", client_random, 32), octets("the server's random", server_random, 32)
        block = schedule.key_block(provider().prf, suite, octets("the master secret", master), *randoms)
        self.client = Sealer(protect(suite, block.client, provider()))
        self.server = Sealer(protect(suite, block.server, provider()))
