"""Which struct a message is: by content type, handshake type and the key exchange in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.errors import DecodeError
from puretls.iana import ContentType, HandshakeType, known
from puretls.messages.handshake import BY_TYPE, HandshakeMessage, Unknown
from puretls.messages.key_exchange import ClientKeyExchangeUnknown, ServerKeyExchangeUnknown
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec
from puretls.spans import Span
from puretls.wire.schema import Struct, annotate, parse, serialise

if TYPE_CHECKING:
    from puretls.exchange import KeyExchange

HEADER_LENGTH = 4


_BY_CONTENT: dict[int, type[Struct]] = {
    ContentType.CHANGE_CIPHER_SPEC: ChangeCipherSpec,
    ContentType.ALERT: Alert,
    ContentType.APPLICATION_DATA: ApplicationData,
}


def handshake_class(type_: int, key_exchange: KeyExchange | None) -> type[HandshakeMessage]:
    """The struct of a handshake message's body; `Unknown` for types that TLS 1.2 does not have."""
    if type_ == HandshakeType.SERVER_KEY_EXCHANGE:
        return key_exchange.server_message if key_exchange else ServerKeyExchangeUnknown
    if type_ == HandshakeType.CLIENT_KEY_EXCHANGE:
        return key_exchange.client_message if key_exchange else ClientKeyExchangeUnknown
    return BY_TYPE.get(type_, Unknown)


def _class_of(raw: bytes, key_exchange: KeyExchange | None) -> type[HandshakeMessage]:
    return handshake_class(raw[0], key_exchange) if raw else Unknown


def content_class(content_type: int) -> type[Struct] | None:
    """The struct of a record's content, for all types but handshake."""
    return _BY_CONTENT.get(content_type)


def annotate_content(content_type: int, raw: bytes, key_exchange: KeyExchange | None) -> list[Span]:
    """Spans that tile what a record of this type carries: one handshake message, or the whole content of another."""
    if content_type == ContentType.HANDSHAKE:
        return annotate_handshake(raw, key_exchange)
    cls = content_class(content_type)
    return annotate(cls, raw) if cls is not None else [Span(0, len(raw), Unknown.path_name, raw)]


def messages_in(transcript: bytes) -> list[bytes]:
    """The handshake messages that a transcript is made of, each with its header."""
    found, position = [], 0
    while position + HEADER_LENGTH <= len(transcript):
        end = position + HEADER_LENGTH + int.from_bytes(transcript[position + 1 : position + HEADER_LENGTH], "big")
        found.append(transcript[position:end])
        position = end
    return found


def parse_handshake(raw: bytes, key_exchange: KeyExchange | None) -> HandshakeMessage:
    """A whole handshake message, header included. Offsets in `DecodeError` count from the header's first byte."""
    cls = _class_of(raw, key_exchange)
    if len(raw) < HEADER_LENGTH:
        raise DecodeError("the header is cut short", path=cls.path_name, rfc="RFC 5246 7.4")
    try:
        return parse(cls, raw[HEADER_LENGTH:])
    except DecodeError as error:
        raise DecodeError(error.message, path=error.path, offset=error.offset + HEADER_LENGTH, rfc=error.rfc or cls.rfc) from None


def serialise_handshake(message: HandshakeMessage) -> bytes:
    """A handshake message with its four-byte header."""
    body = serialise(message)
    return bytes((message.handshake_type,)) + len(body).to_bytes(3, "big") + body


def annotate_handshake(raw: bytes, key_exchange: KeyExchange | None) -> list[Span]:
    """Spans that tile a handshake message, header included, whatever its bytes."""
    cls = _class_of(raw, key_exchange)
    if len(raw) < HEADER_LENGTH:
        return [Span(0, len(raw), cls.path_name, raw, "the header is cut short", fault=True)]
    header = [
        Span(0, 1, f"{cls.path_name}.msg_type", known(HandshakeType, raw[0]), cls.rfc),
        Span(1, HEADER_LENGTH, f"{cls.path_name}.length", int.from_bytes(raw[1:HEADER_LENGTH], "big"), "RFC 5246 7.4"),
    ]
    return header + [span.shifted(HEADER_LENGTH) for span in annotate(cls, raw[HEADER_LENGTH:])]
