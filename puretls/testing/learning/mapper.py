"""The mapper: abstract symbols to bytes of the handshake under way, and bytes to what they are called.

A mapper is an end without a state machine. It says any message at any time, made as well as what was heard so far allows, and takes
whatever comes. Values are those of the core: the handlers' contexts, channels, joiners. What it says changes keys as a conforming end
would: its own after ChangeCipherSpec, where there are any.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self

from puretls.errors import DecodeError, InternalError, PeerError, UsageError
from puretls.extensions import SupportedGroups
from puretls.handshake import client, server
from puretls.handshake.authenticate import choose_scheme
from puretls.handshake.client.hello import keep_offer, make_client_hello
from puretls.handshake.context import ClientContext, Context, ServerContext
from puretls.handshake.finished import check_finished, complete, expected_verify_data
from puretls.handshake.keys import derive_keys, derive_master, protection
from puretls.handshake.renegotiation import begin
from puretls.handshake.server.flight import SEND_HELLO, make_certificate_request
from puretls.handshake.server.tickets import send_ticket
from puretls.handshake.states import Role
from puretls.iana import AlertDescription, AlertLevel, CertificateStatusType, ContentType
from puretls.inspect.peer import alert_name
from puretls.key_exchange.share import FINITE_FIELD, group_name
from puretls.key_exchange.signature import sign
from puretls.messages.handshake import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    ClientHello,
    Finished,
    HandshakeMessage,
    HelloRequest,
    NewSessionTicket,
    ServerHello,
    ServerHelloDone,
)
from puretls.messages.key_exchange import ClientKeyExchange, ServerKeyExchange
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.messages.registry import handshake_class, parse_content, serialise_handshake
from puretls.record.channel import Channel
from puretls.record.fragment import Joiner, split
from puretls.record.framing import Framer
from puretls.schedule import VERIFY_DATA_LENGTH
from puretls.session import Session
from puretls.values import frozen
from puretls.wire.schema import Struct, serialise

LINE = b"a line\n"
"""What ApplicationData says: whoever answers lines, answers it."""
MAX_RECORD = 2**14

Built = tuple[Any, Any]
"""A context and a message made in it."""


@frozen
class Symbol:
    """`build(context)` gives the context and the message; `then(context, message)` what follows from having said it."""

    build: Callable[[Any], Built]
    then: Callable[[Any, Any], Any] = lambda context, message: context


def _constant(message: Struct) -> Symbol:
    return Symbol(lambda context: (context, message))


def _made(make: Callable[[Any], Struct]) -> Symbol:
    return Symbol(lambda context: (context, make(context)))


# What a client says


def _hello(session: Session | None) -> Symbol:
    def build(context: ClientContext) -> Built:
        context = _anew(context).evolve(session=session)
        return context, make_client_hello(context)

    return Symbol(build, keep_offer)


def _anew(context: Any, *, keep: bool = False) -> Any:
    """A handshake begins; `keep`: what the hello just heard led to."""
    return (context if keep else begin(context)).evolve(client_finished=b"", server_finished=b"")


def _client_key_exchange(context: ClientContext) -> Built:
    """With the group and share of the server where they are known, else as to a server that chose what we like best."""
    exchange = context.key_exchange or context.config.offered_suites[0].kx
    if context.peer.group is None:
        curve = next(group for group in context.config.groups if group not in FINITE_FIELD)
        group = context.config.provider.group(group_name(curve))
        context = context.evolve(peer=context.peer.evolve(group=group, share=group.generate(context.random).public))
    context, premaster = exchange.respond(context)
    message = exchange.make_client_message(context)
    return context.evolve(secrets=context.secrets.evolve(premaster=premaster)), message


def _derive(context: ClientContext, message: ClientKeyExchange) -> ClientContext:
    return derive_master(context.secrets.premaster)(context) if context.agreed is not None else context


def _certificate(context: Any) -> Built:
    credential = context.credential or context.config.credentials[0]
    return context.evolve(credential=credential), Certificate(credential.chain)


def _certificate_verify(context: ClientContext) -> CertificateVerify:
    credential, request = context.config.credentials[0], context.peer.request
    theirs = request.supported_signature_algorithms if request is not None else context.config.signature_schemes
    scheme = choose_scheme(context.config.signs_with, theirs, credential.public_key)
    signed = sign(context, credential, scheme or context.config.signs_with[0], context.transcript)
    return CertificateVerify(signed.algorithm, signed.signature)


def _finished(role: Role) -> Symbol:
    def build(context: Context) -> Built:
        data = bytes(VERIFY_DATA_LENGTH)
        if context.agreed is not None and context.secrets.master:
            data = expected_verify_data(context, role)
        return context.evolve(**{f"{role.value}_finished": data}), Finished(data)

    return Symbol(build, lambda context, message: _completed(context))


def _completed(context: Context) -> Context:
    """After both Finished: what the next handshake on this connection begins with."""
    if not (context.client_finished and context.server_finished and context.secrets.keys):
        return context
    establish = complete(lambda context: context.session)[0]
    done: Context = establish.change(context)  # type: ignore[attr-defined]
    return done.evolve(_offer=context._offer)  # a hello that was answered can be answered again


# What a server says


def _server_key_exchange(context: ServerContext) -> Struct:
    """With another share, where the one that was sent has served its turn; signed also where a session is resumed, and nothing is."""
    exchange = context.suite.kx
    context = context.evolve(credential=context.credential or context.config.credentials[0])
    if context.secrets.share is None:
        context = exchange.prepare(context, context.negotiated.result(SupportedGroups))
    return exchange.make_server_message(context)


def _of_the_server(build: Callable[[Any], Struct], then: Callable[[Any, Any], Any] = lambda context, message: context) -> Symbol:
    """A message that cannot be made before the client's hello was heard, and agreed with."""

    def checked(context: ServerContext) -> Built:
        if context.agreed is None:
            raise UsageError("this client offers nothing that the mapper's configuration has: there is no handshake to learn")
        return context, build(context)

    return Symbol(checked, then)


_USELESS = NewSessionTicket(3600, b"a ticket that nobody can open")


def _ticket(context: ServerContext) -> Struct:
    """One that the mapper resumes, where the handshake so far has led to a session."""
    if context.ticket_keys is None or context.agreed is None or not context.secrets.master:
        return _USELESS
    return send_ticket(context.ticket_keys, context.session if context.negotiated.resumed else None).build(context)


_EITHER = {
    "HelloRequest": _constant(HelloRequest()),
    "Certificate": Symbol(_certificate),
    "NewSessionTicket": _constant(_USELESS),
    "ChangeCipherSpec": _constant(ChangeCipherSpec(1)),
    "ApplicationData": _constant(ApplicationData(LINE)),
    "CloseNotify": _constant(Alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)),
    "NoRenegotiation": _constant(Alert(AlertLevel.WARNING, AlertDescription.NO_RENEGOTIATION)),
}
SYMBOLS: Mapping[Role, Mapping[str, Symbol]] = {
    Role.CLIENT: {
        "ClientHello": _hello(None),
        "EmptyCertificate": _constant(Certificate(())),
        "ClientKeyExchange": Symbol(_client_key_exchange, _derive),
        "CertificateVerify": _made(_certificate_verify),
        "Finished": _finished(Role.CLIENT),
        **_EITHER,
    },
    Role.SERVER: {
        "ServerHello": _of_the_server(SEND_HELLO.build, SEND_HELLO.sent),
        "CertificateStatus": _constant(CertificateStatus(CertificateStatusType.OCSP, b"\x30\x03\x0a\x01\x00")),
        "ServerKeyExchange": _of_the_server(_server_key_exchange),
        "CertificateRequest": _made(make_certificate_request),
        "ServerHelloDone": _constant(ServerHelloDone()),
        **_EITHER,
        "NewSessionTicket": _made(_ticket),
        "Finished": _finished(Role.SERVER),
    },
}
"""What a mapper of each role can say."""
RESUMING = "ClientHelloResuming"
"""A ClientHello that offers a session: what a client's mapper says only where it was given one."""

# What is heard

_HEARD: Mapping[Role, Mapping[type[Struct], Callable[[Any, Any], Any]]] = {
    Role.CLIENT: {
        ServerHello: lambda context, message: _resumed(client.on_server_hello(context, message).context),
        Certificate: lambda context, message: client.on_certificate(context, message).context,
        ServerKeyExchange: lambda context, message: client.on_server_key_exchange(context, message).context,
        CertificateRequest: lambda context, message: client.on_certificate_request(context, message).context,
        NewSessionTicket: lambda context, message: client.on_new_session_ticket(context, message).context,
        Finished: lambda context, message: check_finished(context, message, Role.SERVER),
    },
    Role.SERVER: {
        ClientHello: lambda context, message: _anew(_resumed(server.on_client_hello(context, message).context), keep=True),
        ClientKeyExchange: lambda context, message: context.suite.kx.receive(context, message),
        Finished: lambda context, message: check_finished(context, message, Role.CLIENT),
    },
}
"""What a message changes in the context of who hears it. The others change nothing but the transcript."""


def _resumed(context: Context) -> Context:
    """The keys of a session come with it."""
    return derive_keys(context) if context.negotiated.resumed else context


class Mapper:
    """Says symbols and names what it hears. `session` is what `ClientHelloResuming` offers."""

    def __init__(self, context: Context, session: Session | None = None) -> None:
        self.context: Context = context
        self.symbols: dict[str, Symbol] = dict(SYMBOLS[context.role])
        if session is not None:
            self.symbols[RESUMING] = _hello(session)
        self._read, self._write = Channel(), Channel()
        self._framer, self._joiner = Framer(), Joiner()
        self.received: bytes = b""
        """Application data that was heard."""

    def fork(self) -> Self:
        """A copy that goes on by itself."""
        twin = copy.copy(self)
        twin._read, twin._write = self._read.fork(), self._write.fork()
        twin._framer, twin._joiner = self._framer.fork(), self._joiner.fork()
        return twin

    # Saying

    def say(self, symbol: str, change: Callable[[Any, Any], Any] | None = None) -> bytes:
        """The bytes of a symbol. `change(message, context)` gives another message, which is said, hashed and meant in its place.

        Raises `UsageError` for a symbol that there is not.
        """
        if symbol not in self.symbols:
            raise UsageError(f"no symbol is called {symbol!r}; there are {', '.join(self.symbols)}")
        chosen = self.symbols[symbol]
        context, message = chosen.build(self.context)
        message = message if change is None else change(message, context)
        raw = serialise_handshake(message) if isinstance(message, HandshakeMessage) else serialise(message)
        if isinstance(message, HandshakeMessage) and not isinstance(message, HelloRequest):  # RFC 5246 7.4.1.1
            context = _hashed(context, raw)
        self.context = chosen.then(context, message)
        records = [self._write.seal(message.content_type, piece).to_bytes() for piece in split(raw, MAX_RECORD)]
        if isinstance(message, ChangeCipherSpec):
            self._change(self._write, self.context.role)
        return b"".join(records)

    def seal(self, type_: int, content: bytes) -> bytes:
        """A record of any content under the keys in force."""
        return self._write.seal(type_, content).to_bytes()

    @property
    def protects(self) -> bool:
        """Whether what is said is sealed under keys."""
        return self._write.protected

    def _change(self, channel: Channel, sender: Role) -> None:
        """New keys, where there are any: an end that is told to change keys it does not have goes on as before."""
        if self.context.secrets.keys is not None:
            channel.change(protection(self.context, sender))

    # Hearing

    def hear(self, data: bytes) -> list[str]:
        """The names of what is complete in what came so far. What cannot be read is named, too."""
        self._framer.feed(data)
        heard: list[str] = []
        try:
            while record := self._framer.next():
                heard += self._opened(record)
        except PeerError as error:
            self._framer.clear()
            heard.append(f"({error.reason.name.lower()})")
        return heard

    def _opened(self, record: Record) -> list[str]:
        data = self._read.open(record)
        if data is None:
            return ["(a record that does not open)"]
        if record.type != ContentType.HANDSHAKE:
            return [self._content(record.type, data)]
        self._joiner.feed(data)
        names = []
        while raw := self._joiner.next():
            names.append(self._handshake(raw))
        return names

    def _content(self, type_: int, data: bytes) -> str:
        try:
            message = parse_content(type_, data, None)
        except DecodeError:
            return f"(content of type {type_} that cannot be read)"
        if isinstance(message, Alert):
            fatal = "" if message.level == AlertLevel.WARNING else "fatal "
            return f"Alert({fatal}{alert_name(message.description)})"
        if isinstance(message, ChangeCipherSpec):
            self._change(self._read, self.context.role.other)
        if isinstance(message, ApplicationData):
            self.received += message.data
        return message.path_name

    def _handshake(self, raw: bytes) -> str:
        context, kinds = self.context, _HEARD[self.context.role]
        try:
            message = parse_content(ContentType.HANDSHAKE, raw, context.key_exchange)
            hear = next((kinds[kind] for kind in kinds if isinstance(message, kind)), None)
            heard = context if hear is None else hear(context, message)
        except (DecodeError, PeerError, InternalError) as error:
            self.context = _hashed(context, raw)
            return f"{raw_name(raw)}({error.reason.name.lower() if isinstance(error, PeerError) else 'too early or broken'})"
        self.context = self._after(heard, message, raw)
        return message.path_name

    def _after(self, heard: Any, message: Struct, raw: bytes) -> Any:
        """A handler sees the transcript without its own message; what follows from it is computed with it."""
        if isinstance(message, ClientKeyExchange) and self.context.role is Role.SERVER:
            context, premaster = heard
            return derive_master(premaster)(_hashed(context, raw))
        if isinstance(message, HelloRequest):
            return heard
        context = _hashed(heard, raw)
        return _completed(context) if isinstance(message, Finished) else context


def _hashed(context: Any, raw: bytes) -> Any:
    return context.evolve(transcript=context.transcript + raw)


def raw_name(raw: bytes) -> str:
    """What a handshake message is called, whatever is in it."""
    return handshake_class(raw[0], None).path_name
