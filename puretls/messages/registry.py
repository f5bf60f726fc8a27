"""Finds the struct of a message: by content type, by handshake type, and by the key exchange of the chosen suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puretls.errors import DecodeError
from puretls.iana import ContentType, HandshakeType
from puretls.messages.handshake import BY_TYPE, HEADER_LENGTH, HandshakeHeader, HandshakeMessage, Unknown, announced, header
from puretls.messages.key_exchange import ClientKeyExchangeUnknown, ServerKeyExchangeUnknown
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec
from puretls.spans import Span
from puretls.values import replace
from puretls.wire.schema import Struct, annotate, cut_short, parse, serialise

if TYPE_CHECKING:
    from puretls.key_exchange import KeyExchange


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
    """Splits a transcript into its handshake messages, each with its header."""
    found, position = [], 0
    while position + HEADER_LENGTH <= len(transcript):
        stop = position + HEADER_LENGTH + announced(transcript[position : position + HEADER_LENGTH])
        found.append(transcript[position:stop])
        position = stop
    return found


def parse_handshake(raw: bytes, key_exchange: KeyExchange | None) -> HandshakeMessage:
    """A whole handshake message, header included. Offsets in `DecodeError` count from the header's first byte."""
    cls = _class_of(raw, key_exchange)
    try:
        if len(raw) < HEADER_LENGTH:
            raise cut_short(HandshakeHeader).within(cls.path_name)
        return parse(cls, raw, HEADER_LENGTH)
    except DecodeError as error:
        error.rfc = error.rfc or cls.rfc
        raise


def parse_content(content_type: int, raw: bytes, key_exchange: KeyExchange | None) -> Struct:
    """What a record of this type carries: one handshake message with its header, or the whole content of another."""
    if content_type == ContentType.HANDSHAKE:
        return parse_handshake(raw, key_exchange)
    cls = content_class(content_type)
    if cls is None:
        raise DecodeError(f"there is no content of type {content_type}", rfc="RFC 5246 6.2.1")
    return parse(cls, raw)


def serialise_handshake(message: HandshakeMessage) -> bytes:
    """A handshake message with its four-byte header."""
    body = serialise(message)
    return header(message.handshake_type, len(body)) + body


def annotate_handshake(raw: bytes, key_exchange: KeyExchange | None) -> list[Span]:
    """Spans that tile a handshake message, header included, whatever its bytes."""
    cls = _class_of(raw, key_exchange)
    head = annotate(HandshakeHeader, raw, 0, min(len(raw), HEADER_LENGTH), cls.path_name)
    if len(raw) < HEADER_LENGTH:
        return head
    return [replace(head[0], note=cls.rfc), *head[1:], *annotate(cls, raw, HEADER_LENGTH)]
