"""Which struct a message is: by content type, handshake type and the key exchange in force."""

from __future__ import annotations

from enum import Enum

from puretls.errors import DecodeError
from puretls.iana import ContentType, HandshakeType, known
from puretls.messages import key_exchange as kx
from puretls.messages.handshake import BY_TYPE, HandshakeMessage, Unknown
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec
from puretls.spans import Span
from puretls.wire.schema import Struct, annotate, parse, serialise

HEADER_LENGTH = 4


class KeyExchange(Enum):
    """Key exchange algorithms, apart from how the server authenticates itself."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash costs a Python call

    RSA = "RSA"
    DHE = "DHE"
    ECDHE = "ECDHE"
    DH_ANON = "DH_anon"
    ECDH_ANON = "ECDH_anon"
    PSK = "PSK"
    DHE_PSK = "DHE_PSK"
    ECDHE_PSK = "ECDHE_PSK"
    RSA_PSK = "RSA_PSK"


_K = KeyExchange
_FORMS: dict[KeyExchange, tuple[type[kx.ServerKeyExchange], type[kx.ClientKeyExchange]]] = {
    _K.RSA: (kx.ServerKeyExchangeUnknown, kx.ClientKeyExchangeRsa),
    _K.DHE: (kx.ServerKeyExchangeDhe, kx.ClientKeyExchangeDh),
    _K.ECDHE: (kx.ServerKeyExchangeEcdhe, kx.ClientKeyExchangeEcdh),
    _K.DH_ANON: (kx.ServerKeyExchangeDhAnon, kx.ClientKeyExchangeDh),
    _K.ECDH_ANON: (kx.ServerKeyExchangeEcdhAnon, kx.ClientKeyExchangeEcdh),
    _K.PSK: (kx.ServerKeyExchangePsk, kx.ClientKeyExchangePsk),
    _K.DHE_PSK: (kx.ServerKeyExchangeDhePsk, kx.ClientKeyExchangeDhePsk),
    _K.ECDHE_PSK: (kx.ServerKeyExchangeEcdhePsk, kx.ClientKeyExchangeEcdhePsk),
    _K.RSA_PSK: (kx.ServerKeyExchangePsk, kx.ClientKeyExchangeRsaPsk),
}

_BY_CONTENT: dict[int, type[Struct]] = {
    ContentType.CHANGE_CIPHER_SPEC: ChangeCipherSpec,
    ContentType.ALERT: Alert,
    ContentType.APPLICATION_DATA: ApplicationData,
}


def handshake_class(type_: int, key_exchange: KeyExchange | None) -> type[HandshakeMessage]:
    """The struct of a handshake message's body; `Unknown` for types that TLS 1.2 does not have."""
    if type_ == HandshakeType.SERVER_KEY_EXCHANGE:
        return _FORMS[key_exchange][0] if key_exchange else kx.ServerKeyExchangeUnknown
    if type_ == HandshakeType.CLIENT_KEY_EXCHANGE:
        return _FORMS[key_exchange][1] if key_exchange else kx.ClientKeyExchangeUnknown
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
