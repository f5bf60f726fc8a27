"""The passive decoder: both directions of a conversation, record by record and message by message, without taking part.

Each direction is framed, opened and joined by itself; they meet where one needs what the other said: the suite, the randoms, the
transcript. Which comes next is told by the order in which the bytes were seen, and where nobody knows it, or it cannot be, by need.
Nothing stops the decoder: what a peer would have refused is noted, and both directions are read to their ends.
"""

from __future__ import annotations

import hmac
from collections import Counter
from typing import Any, NamedTuple

from puretls.crypto.provider import Provider
from puretls.errors import DecodeError, PeerError, Reason
from puretls.handshake.authenticate import parse_leaf
from puretls.iana import AlertDescription, AlertLevel, ContentType, ExtensionType, HandshakeType, ProtocolVersion
from puretls.inspect.directions import Direction, Item, told
from puretls.inspect.flights import ENDS_A_FLIGHT
from puretls.inspect.knowledge import Knowledge
from puretls.inspect.observer import Observer, left_open, left_open_to_sender
from puretls.inspect.opening import Opener
from puretls.inspect.secrets import Handshake
from puretls.inspect.seen import MessageSeen, Problem, RecordSeen, States, StraySeen
from puretls.inspect.streams import SIDES, Stream, other
from puretls.messages.handshake import (
    Certificate,
    CertificateRequest,
    ClientHello,
    Finished,
    HelloRequest,
    NewSessionTicket,
    ServerHello,
)
from puretls.messages.key_exchange import ClientKeyExchange
from puretls.messages.records import Alert, ChangeCipherSpec
from puretls.messages.registry import content_class, handshake_class, parse_content
from puretls.wire.schema import Struct

_HANDSHAKE, _CCS, _ALERT, _DATA = (
    ContentType.HANDSHAKE,
    ContentType.CHANGE_CIPHER_SPEC,
    ContentType.ALERT,
    ContentType.APPLICATION_DATA,
)
_AFTER_THE_SERVER = frozenset((HandshakeType.CERTIFICATE, HandshakeType.CLIENT_KEY_EXCHANGE, HandshakeType.CERTIFICATE_VERIFY))
"""What a client sends only once the server has said all of its first flight."""
_OTHER_FORMS = frozenset(bytes((kind,)) for kind in (HandshakeType.CERTIFICATE_REQUEST, HandshakeType.CERTIFICATE_VERIFY))
"""Messages that have another form in other versions of TLS, apart from key exchanges."""
_CCS_KIND = -int(_CCS)
_AFTER_THE_CLIENT = frozenset((HandshakeType.NEW_SESSION_TICKET, _CCS_KIND))
"""What a server sends in a full handshake only once the client's Finished came."""


RESUMABLE = 16
"""Handshakes of a conversation whose sessions a later one of it is looked for among."""


class Decoded(NamedTuple):
    """All that a decoder saw, in order."""

    records: tuple[RecordSeen, ...]
    messages: tuple[MessageSeen, ...]
    strays: tuple[StraySeen, ...]
    handshakes: tuple[Handshake, ...]
    version: int | None
    """What the ServerHello agreed on; None without one."""


def decode(client: Stream, server: Stream, knowledge: Knowledge, provider: Provider) -> Decoded:
    """Read both directions to their ends. Raises nothing, whatever the bytes."""
    return _Decoder(client, server, knowledge, provider).run()


class _Draft(NamedTuple):
    """A message before it is known where both ends were."""

    item: Item
    name: str
    nth: int
    message: Struct | None
    problem: Problem | None
    legal: bool
    key_exchange: Any
    handshake: int | None
    opaque: bool


class _Decoder:
    def __init__(self, client: Stream, server: Stream, knowledge: Knowledge, provider: Provider) -> None:
        self._knowledge = knowledge
        self._provider = provider
        self._directions = {side: Direction(side, stream) for side, stream in zip(SIDES, (client, server), strict=True)}
        self._ordered = any(chunk.order for stream in (client, server) for chunk in stream.chunks)
        self._handshakes: list[Handshake] = []
        self._hellos: Counter[str] = Counter()
        self._flights: set[str] = set()
        """What of the newest handshake has been seen: "server done", and "client" and "server" where a side finished."""
        self._names: Counter[tuple[str, str]] = Counter()
        self._version: int | None = None
        self._records: list[RecordSeen] = []
        self._strays: list[StraySeen] = []
        self._drafts: list[_Draft] = []
        from_start = self._begins_at_the_beginning(client, server)
        self._observers = {side: Observer(side, from_start=from_start) for side in SIDES}
        for direction in self._directions.values():
            direction.blind = not from_start

    @staticmethod
    def _begins_at_the_beginning(client: Stream, server: Stream) -> bool:
        """Whether the first thing seen can be the first that was sent: a capture can begin in the middle."""
        heads = [next((run for run in stream.runs()), None) for stream in (client, server)]
        firsts = [run.data[:1] for run in heads if run is not None]
        whole = all(run is None or run.gap is None for run in heads)
        return whole and bytes((_DATA,)) not in firsts

    def run(self) -> Decoded:
        while (item := self._choose()) is not None:
            limit = min(self._directions[item.side].limits)
            for record in item.records:
                self._records.append(told(record, len(self._records), self._version, limit))
            if item.stray is not None:
                self._strays.append(item.stray)
            if item.raw is not None:
                self._deliver(item, item.raw)
            else:
                self._pass_over(item)
        messages = tuple(self._finished())
        return Decoded(tuple(self._records), messages, tuple(self._strays), tuple(self._handshakes), self._version)

    @property
    def _handshake(self) -> Handshake | None:
        return self._handshakes[-1] if self._handshakes else None

    def _pass_over(self, item: Item) -> None:
        """What can be told of a record that could not be opened: its type is in the clear."""
        direction = self._directions[item.side]
        if not direction.channel.epoch:
            return
        if item.content_type == _HANDSHAKE and self._handshake:
            self._flights.add(item.side)  # a Finished, most likely
            self._handshake.finished.add(item.side)
        elif item.content_type == _CCS:
            direction.change(direction.handshake, None)

    # Which comes next

    def _choose(self) -> Item | None:
        heads = [head for direction in self._directions.values() if (head := direction.head()) is not None]
        if not heads:
            return None
        possible = [head for head in heads if not self._must_wait(head)] or heads
        chosen = min(possible, key=lambda head: head.order if self._ordered else self._rank(head))
        return self._directions[chosen.side].take()

    def _must_wait(self, item: Item) -> bool:
        """Whether what the other side sends next is needed before this is possible."""
        kind = _kind(item)
        if item.side == "server":
            if kind == HandshakeType.SERVER_HELLO:
                return self._hellos["client"] <= self._hellos["server"]
            return kind in _AFTER_THE_CLIENT and "server done" in self._flights and "client" not in self._flights
        if kind in _AFTER_THE_SERVER or kind == _CCS_KIND:
            return not self._flights & {"server done", "server"}
        return False

    def _rank(self, item: Item) -> int:
        """Without an order: handshakes first, then data, then what ends the conversation."""
        kind = _kind(item)
        if kind == HandshakeType.CLIENT_HELLO:
            return 2 if self._hellos["client"] else 0
        if kind == _CCS_KIND or (item.content_type == _HANDSHAKE and kind != HandshakeType.HELLO_REQUEST):
            return 0
        return 3 if item.content_type == _ALERT else 1

    # What comes

    def _deliver(self, item: Item, raw: bytes) -> None:
        handshake = self._handshake
        suite = handshake.suite if handshake and self._is_tls12 else None
        opaque = not self._is_tls12 and item.content_type == _HANDSHAKE and raw[:1] in _OTHER_FORMS
        unknown_form = f"the form that {version_name(self._version)} gives it is not known here"
        message, problem = (None, Problem.missing(unknown_form)) if opaque else _parsed(item, raw, suite.kx if suite else None)
        cls = _class_of(item.content_type, raw, suite.kx if suite else None)
        name = cls.path_name if cls else "Unknown"
        self._names[item.side, name] += 1
        if message is not None:
            problem = self._take(item.side, message, raw)
        legal = self._observe(item.side, cls, message) and not (item.content_type == _DATA and not item.epoch)
        if self._is_tls12:
            problem = problem or _breach(item, name, raw, legal=legal)
        if item.content_type == _HANDSHAKE and not isinstance(message, HelloRequest) and self._handshake:
            self._handshake.transcript += raw
            if isinstance(message, ClientKeyExchange) and not self._handshake.upto_key_exchange:
                self._handshake.upto_key_exchange = bytes(self._handshake.transcript)
        number = self._handshake.number if self._handshake and item.content_type in {_HANDSHAKE, _CCS} else None
        kx = suite.kx if suite else None
        self._drafts.append(_Draft(item, name, self._names[item.side, name], message, problem, legal, kx, number, opaque))

    @property
    def _is_tls12(self) -> bool:
        return self._version in {None, ProtocolVersion.TLS_1_2}

    def _take(self, side: str, message: Struct, raw: bytes) -> Problem | None:
        """What a message changes for those after it; what its receiver would find wrong with it."""
        match message:
            case ClientHello():
                self._begin(message)
            case ServerHello():
                self._answer(message)
            case ClientKeyExchange() if self._handshake and not self._handshake.client_key_exchange:
                self._handshake.client_key_exchange = message
            case CertificateRequest() if self._handshake:
                self._handshake.requested = True
            case Certificate() if message.certificate_list and self._is_tls12:
                return _malformed(message)
            case NewSessionTicket() if self._handshake:
                self._handshake.tickets.append(message.ticket)
            case ChangeCipherSpec():
                self._change_keys(side)
            case Finished():
                return self._finish(side, message)
        if raw[:1] == bytes((HandshakeType.SERVER_HELLO_DONE,)) and side == "server":
            self._flights.add("server done")
        return None

    def _begin(self, message: ClientHello | None) -> None:
        self._hellos["client"] += 1
        self._handshakes.append(Handshake(len(self._handshakes), message))
        self._flights.clear()

    def _answer(self, message: ServerHello) -> None:
        self._hellos["server"] += 1
        handshake = self._handshake
        if handshake is None or handshake.server_hello is not None:
            handshake = Handshake(len(self._handshakes), None)
            self._handshakes.append(handshake)
        handshake.server_hello = message
        handshake.missing = "the handshake did not come as far as its keys"
        for direction in self._directions.values():
            direction.limits[0] = handshake.record_limit
        if self._version is None:
            self._version = _agreed_version(message)
            if not self._is_tls12:
                for direction in self._directions.values():
                    direction.foreign = f"{version_name(self._version)} protects it, which is not decoded here"

    def _change_keys(self, side: str) -> None:
        handshake, direction = self._handshake, self._directions[side]
        if self._version == ProtocolVersion.TLS_1_3:
            return  # RFC 8446 5: sent for the sake of middleboxes, and without meaning
        if handshake is None:
            direction.change(None, None)
            return
        if side == "server" and handshake.resumed is None:
            handshake.resumed = handshake.client_key_exchange is None
        if handshake.keys is None and self._is_tls12:
            known = self._knowledge
            for earlier in self._handshakes[-RESUMABLE - 1 : -1]:
                known = known | earlier.learned()
            handshake.derive(known, self._provider)
        opener = None
        if handshake.keys is not None and handshake.suite is not None:
            keys = handshake.keys.client if side == "client" else handshake.keys.server
            opener = Opener(handshake.suite, keys, self._provider, encrypt_then_mac=handshake.encrypt_then_mac)
        direction.change(handshake, opener)
        direction.limits[1] = handshake.record_limit_under_keys(side)

    def _finish(self, side: str, message: Finished) -> Problem | None:
        self._flights.add(side)
        if self._handshake is None or side in self._handshake.verify_data:
            return None
        self._handshake.finished.add(side)
        expected = self._handshake.expect(self._provider, side)
        if expected is None or hmac.compare_digest(expected, message.verify_data):
            return None
        reason = Reason.BAD_FINISHED
        return Problem(reason.sentence, "Finished.verify_data", 4, reason.rfc, reason)

    # Where both ends are

    def _observe(self, side: str, cls: Any, message: Struct | None) -> bool:
        """Tell both observers; whether the receiver's table has a row for it."""
        if not self._is_tls12 and not isinstance(message, ServerHello | Alert):
            return True
        turn, sender, receiver = len(self._drafts), self._observers[side], self._observers[other(side)]
        if cls is Alert:
            self._observe_alert(turn, message, sender, receiver)
            return True
        if cls is None or not (hasattr(cls, "handshake_type") or cls.content_type != _HANDSHAKE):
            return False
        if self._handshake is None:
            sender.send(turn, cls)
            return receiver.receive(turn, cls)
        sender.send(turn, cls, left_open_to_sender(side, message, self._handshake))
        return receiver.receive(turn, cls, left_open(side, message, self._handshake))

    @staticmethod
    def _observe_alert(turn: int, message: Struct | None, sender: Observer, receiver: Observer) -> None:
        if not isinstance(message, Alert):
            return
        if message.description == AlertDescription.CLOSE_NOTIFY:
            receiver.end(turn, "CLOSED")
        elif message.level == AlertLevel.FATAL:
            sender.end(turn, "FAILED")
            receiver.end(turn, "FAILED")
        elif message.description == AlertDescription.NO_RENEGOTIATION:
            receiver.refused(turn)

    def _finished(self) -> list[MessageSeen]:
        told = {side: self._observers[side].states(len(self._drafts)) for side in SIDES}
        return [
            MessageSeen(
                draft.item.side, draft.name, draft.nth, draft.item.content_type, draft.item.raw or b"", draft.message, draft.problem,
                draft.item.ranges, States(told["client"][turn][0], told["server"][turn][0]),
                States(told["client"][turn][1], told["server"][turn][1]), draft.legal, draft.item.complete, draft.key_exchange,
                draft.handshake, draft.item.time, turn, draft.opaque,
            )
            for turn, draft in enumerate(self._drafts)
        ]  # fmt: skip


def _breach(item: Item, name: str, raw: bytes, *, legal: bool) -> Problem | None:
    """What is wrong with a message that parses, beside what it says."""
    if not legal:
        reason, path = Reason.UNEXPECTED_MESSAGE, f"{name}.{'msg_type' if item.content_type == _HANDSHAKE else 'type'}"
    elif item.content_type == _CCS and raw != b"\1":
        reason, path = Reason.BAD_CHANGE_CIPHER_SPEC, f"{name}.type"
    elif item.content_type == _CCS and item.torn:
        reason, path = Reason.UNALIGNED_CHANGE_CIPHER_SPEC, f"{name}.type"
    elif item.content_type == _ALERT and raw[0] not in {AlertLevel.WARNING, AlertLevel.FATAL}:
        reason, path = Reason.UNKNOWN_ALERT_LEVEL, f"{name}.level"
    elif item.more and raw[0] in ENDS_A_FLIGHT:
        reason, path = Reason.EXCESS_HANDSHAKE_DATA, f"{name}.length"
    else:
        return None
    return Problem(f"{reason.sentence}: {name}", path, None, reason.rfc, reason)


def _malformed(message: Certificate) -> Problem | None:
    """Why the leaf cannot be read. Whether anybody trusts it is a matter of who receives it."""
    try:
        parse_leaf(message.certificate_list)
    except PeerError as error:
        if error.reason is not Reason.UNSUPPORTED_KEY:
            return Problem(f"{error.reason.sentence}: {error.detail}", error.path, None, error.rfc, error.reason)
    return None


def _kind(item: Item) -> int:
    """Type of a handshake message, `_CCS_KIND` for ChangeCipherSpec, -1 for anything else."""
    if item.content_type == _HANDSHAKE and item.raw:
        return item.raw[0]
    return _CCS_KIND if item.content_type == _CCS else -1


def _class_of(content_type: int, raw: bytes, kx: Any) -> Any:
    if content_type == _HANDSHAKE:
        return handshake_class(raw[0] if raw else -1, kx)
    return content_class(content_type)


def _parsed(item: Item, raw: bytes, kx: Any) -> tuple[Struct | None, Problem | None]:
    try:
        return parse_content(item.content_type, raw, kx), None
    except DecodeError as error:
        problem = Problem.of(error)
        if item.complete:
            return None, problem
        return None, Problem(f"cut short: {problem.sentence}", problem.path, problem.offset, problem.rfc, refused=False)


def _agreed_version(hello: ServerHello) -> int:
    """RFC 8446 4.2.1: where supported_versions is there, it counts."""
    for extension in hello.extensions or ():
        if extension.extension_type == ExtensionType.SUPPORTED_VERSIONS and len(extension.extension_data) == 2:
            return int.from_bytes(extension.extension_data, "big")
    return int(hello.server_version)


def version_name(version: int | None) -> str:
    """As people say it, "TLS 1.3"; "version 0x7f12" for what has no name."""
    names = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
    return names.get(version or 0, f"version 0x{version or 0:04x}")
