"""A conversation: two byte streams, what is known beside them, and the passive decoding of both."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from puretls.crypto import provider as providers
from puretls.crypto.provider import Provider
from puretls.display import in_notebooks
from puretls.errors import UsageError
from puretls.iana import AlertDescription, AlertLevel, ContentType, ProtocolVersion, known
from puretls.inspect.bytemap import ByteMap
from puretls.inspect.decoder import Decoded, decode, version_name
from puretls.inspect.framing import SSLV2_HELLO
from puretls.inspect.knowledge import NOTHING, Knowledge
from puretls.inspect.secrets import Handshake
from puretls.inspect.seen import MessageSeen, Outcome, RecordSeen, StraySeen
from puretls.inspect.streams import SIDES, Gap, Stream, other
from puretls.keylog import CLIENT_RANDOM, key_log_line
from puretls.messages.records import Alert, ApplicationData
from puretls.suites import Suite

if TYPE_CHECKING:
    from puretls.inspect.ledger import Ledger


class Before(Protocol):
    """What was said on a connection before TLS began."""

    @property
    def client(self) -> bytes: ...
    @property
    def server(self) -> bytes: ...


class Conversation:
    """One TLS connection as it was seen. Immutable; everything is computed when it is first asked for.

    `name` says which it is, for people; `addresses` are those of client and server as text; `anchors` are certificates to judge the
    server's chain by; `began` is the time of the first byte in nanoseconds since the epoch; `prefix` is what both said before TLS.
    `provider` computes; its default is that of a connection. Whatever the bytes, nothing here raises: what cannot be read is told by
    the `problem` of the record or message.
    """

    def __init__(
        self,
        client: Stream,
        server: Stream,
        knowledge: Knowledge = NOTHING,
        *,
        name: str = "",
        addresses: tuple[str, str] = ("client", "server"),
        anchors: tuple[Any, ...] = (),
        began: int | None = None,
        provider: Provider | None = None,
        prefix: Before | None = None,
    ) -> None:
        for stream in (client, server):
            if not isinstance(stream, Stream):
                raise UsageError(
                    f"a conversation is made of two Streams, not of {type(stream).__name__}: Stream.of(data) makes one"
                )
        self.client = client
        self.server = server
        self.knowledge = knowledge
        self.name = name
        self.addresses = addresses
        self.anchors = anchors
        self.began = began
        self.provider: Provider = provider or providers.default()
        self.prefix = prefix

    def __repr__(self) -> str:
        sizes = f"{self.client.length} bytes from the client, {self.server.length} from the server"
        return f"<Conversation {f'{self.name!r}, ' if self.name else ''}{sizes}, {self.knowledge!r}>"

    _repr_html_ = in_notebooks

    def with_knowledge(self, knowledge: Knowledge) -> Conversation:
        """The same bytes with more known about them."""
        return Conversation(
            self.client,
            self.server,
            self.knowledge | knowledge,
            name=self.name,
            addresses=self.addresses,
            anchors=self.anchors,
            began=self.began,
            provider=self.provider,
            prefix=self.prefix,
        )

    def stream(self, side: str) -> Stream:
        """What "client" or "server" sent."""
        if side not in SIDES:
            raise UsageError(f'a side is "client" or "server", not {side!r}')
        return self.client if side == "client" else self.server

    @cached_property
    def _decoded(self) -> Decoded:
        return decode(self.client, self.server, self.knowledge, self.provider)

    @property
    def records(self) -> tuple[RecordSeen, ...]:
        """Every record of both sides, in order."""
        return self._decoded.records

    @property
    def messages(self) -> tuple[MessageSeen, ...]:
        """Every message of both sides, in order: of the handshake, and what records of other types carry."""
        return self._decoded.messages

    @property
    def strays(self) -> tuple[StraySeen, ...]:
        """Bytes that are no record."""
        return self._decoded.strays

    @property
    def handshakes(self) -> tuple[Handshake, ...]:
        """What each handshake agreed on, and its secrets as far as they are known."""
        return self._decoded.handshakes

    @property
    def version(self) -> int | None:
        """The version that the server chose, as it travels (0x0303 is TLS 1.2); None without a ServerHello."""
        return self._decoded.version

    @property
    def suite(self) -> Suite | None:
        """The cipher suite of the newest handshake that has one."""
        return next((handshake.suite for handshake in reversed(self.handshakes) if handshake.suite), None)

    @cached_property
    def learned(self) -> Knowledge:
        """What this conversation tells about others: the secrets of the sessions that they may resume."""
        known_here = NOTHING
        for handshake in self.handshakes:
            known_here = known_here | handshake.learned()
        return known_here

    def key_log(self) -> str:
        """The master secrets that are known, as a key log in NSS format: what opens these bytes for Wireshark and for `Knowledge.of`."""
        known_here = [(handshake.client_random, handshake.found.master) for handshake in self.handshakes if handshake.found]
        return "".join(key_log_line(CLIENT_RANDOM, *secret) + "\n" for secret in dict.fromkeys(known_here))

    def gaps(self, side: str) -> tuple[Gap, ...]:
        """What is missing of a side."""
        runs = self.stream(side).runs()
        trailing = self.stream(side).trailing_gap()
        return tuple(run.gap for run in runs if run.gap is not None) + ((trailing,) if trailing else ())

    def data(self, side: str) -> bytes:
        """The application data that a side sent, as far as it could be opened."""
        messages = (seen.message for seen in self.messages if seen.side == side)
        return b"".join(message.data for message in messages if isinstance(message, ApplicationData))

    def stopped(self, side: str) -> MessageSeen | RecordSeen | StraySeen | None:
        """Where `side` would have stopped receiving: the first thing sent to it that it must refuse; None where there is none."""
        sender = other(side)
        message = next((seen for seen in self.messages if seen.side == sender and seen.problem and seen.problem.refused), None)
        record = next((seen for seen in self.records if seen.side == sender and seen.problem and seen.problem.refused), None)
        stray = next((seen for seen in self.strays if seen.side == sender), None)
        earliest = [(self._place(seen), seen) for seen in (message, record, stray) if seen is not None]
        return min(earliest, key=lambda pair: pair[0])[1] if earliest else None

    def _place(self, seen: MessageSeen | RecordSeen | StraySeen) -> int:
        """Where it ends in the stream of its side."""
        if isinstance(seen, MessageSeen):
            last = seen.records[-1] if seen.records else 0
            return next(
                record.start + len(record.raw) for record in self.records if (record.side, record.number) == (seen.side, last)
            )
        return seen.start

    @cached_property
    def byte_map(self) -> ByteMap:
        """Every byte of both sides, on the wire and decrypted."""
        return ByteMap(self)

    @cached_property
    def ledger(self) -> Ledger:
        """Every secret, what it is made of, and by which formula."""
        from puretls.inspect.ledger import Ledger

        return Ledger(self)

    @cached_property
    def outcome(self) -> Outcome:
        """How it ended."""
        return _outcome(self)


def _outcome(seen: Conversation) -> Outcome:
    completed = sum(len(handshake.finished) == 2 for handshake in seen.handshakes)
    if not seen.records:
        return _without_records(seen)
    if seen.version not in {None, ProtocolVersion.TLS_1_2}:
        text = f"the server chose {version_name(seen.version)}: its hellos are explained, what it protects is not"
        return Outcome("not TLS 1.2", text)
    alerts = [(message.side, message.message) for message in seen.messages if isinstance(message.message, Alert)]
    for side, alert in alerts:
        if alert.level == AlertLevel.FATAL and alert.description != AlertDescription.CLOSE_NOTIFY:
            description = known(AlertDescription, alert.description)
            told = description.name.lower() if isinstance(description, AlertDescription) else f"number {description}"
            return Outcome("alert", f"the {side} gave up with the fatal alert {told}", side, completed)
    closed = [
        side for side in SIDES if (side, AlertDescription.CLOSE_NOTIFY) in {(who, alert.description) for who, alert in alerts}
    ]
    for side in SIDES:
        if seen.stream(side).end == "reset" and not closed and not _sealed_alerts(seen):
            return Outcome("reset", f"the {side} reset the connection without an alert", side, completed)
    if len(closed) == 2:
        return Outcome("closed", "both sides said close_notify", "", completed)
    if closed:
        return Outcome(
            "closed", f"the {closed[0]} said close_notify, the {other(closed[0])} did not answer it", closed[0], completed
        )
    return _without_alert(seen, completed)


def _sealed_alerts(seen: Conversation) -> list[str]:
    """Whose last record is an alert that could not be opened, the first to send one first."""
    last = {record.side: record for record in seen.records}
    sealed = [one for one in last.values() if one.content_type == ContentType.ALERT and one.plaintext is None]
    return [record.side for record in sorted(sealed, key=lambda record: record.order)]


def _without_alert(seen: Conversation, completed: int) -> Outcome:
    ended = [side for side in SIDES if seen.stream(side).end == "fin"]
    if sealed := _sealed_alerts(seen):
        who = "each side" if len(sealed) == 2 else f"the {sealed[0]}"
        then = f"; then the {ended[0]} ended the stream" if len(ended) == 1 else "; then both ended the stream" if ended else ""
        what = f"{who} sent an alert that cannot be opened with what is known{then}: whether it closed or gave up cannot be told"
        return Outcome("sealed alert", what, sealed[0], completed)
    if ended:
        when = "after a handshake" if completed else "before a handshake was complete"
        return Outcome("truncated", f"the {ended[0]} ended the stream {when}, without close_notify", ended[0], completed)
    return Outcome(
        "open",
        "the conversation goes on where this ends" if completed else "no handshake is complete where this ends",
        "",
        completed,
    )


def _without_records(seen: Conversation) -> Outcome:
    first = next((stray for stray in seen.strays), None)
    if first is None:
        return Outcome("nothing", "nothing was sent")
    if first.start == 0 and first.why.startswith(SSLV2_HELLO):
        return Outcome("not TLS 1.2", f"the {first.side} begins with {first.why}", first.side)
    return Outcome("not TLS", f"this is no TLS: the {first.side} begins with {first.raw[:16]!r}", first.side)
