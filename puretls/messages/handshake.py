"""Handshake messages whose form does not depend on the key exchange, in the order of RFC 5246 section 7.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from puretls.iana import (
    CertificateStatusType,
    CipherSuiteId,
    ClientCertificateType,
    CompressionMethod,
    ContentType,
    HandshakeType,
    ProtocolVersion,
    SignatureScheme,
)
from puretls.messages.extension import RawExtension, extension_list
from puretls.wire.codec import OpaqueVector, Uint
from puretls.wire.schema import HeaderCodec, Struct, opaque, opaque_vector, rest, size_of, tail, u8, u16, u24, u32, vector, wire

UINT16_MAX = 2**16 - 1
UINT24_MAX = 2**24 - 1


@wire("5246 7.4", HeaderCodec)
class HandshakeHeader(Struct):
    """What stands in front of each handshake message; `length` is that of the body, in bytes."""

    msg_type: HandshakeType | int = u8(HandshakeType)
    length: int = u24()


HEADER_LENGTH = size_of(HandshakeHeader)


def header(type_: int, length: int) -> bytes:
    """The bytes of a `HandshakeHeader`, made in one step: one comes with every message."""
    return type_.to_bytes(1, "big") + length.to_bytes(HEADER_LENGTH - 1, "big")


def announced(header: bytes | bytearray) -> int:
    """Bytes of the body that a header announces, read in one step."""
    return int.from_bytes(header[1:HEADER_LENGTH], "big")


class HandshakeMessage(Struct):
    """Base of the bodies of handshake messages (RFC 5246 7.4)."""

    __slots__ = ()
    content_type: ClassVar[ContentType] = ContentType.HANDSHAKE
    handshake_type: ClassVar[HandshakeType]


M = TypeVar("M", bound=HandshakeMessage)
BY_TYPE: dict[int, type[HandshakeMessage]] = {}
"""Classes of bodies by handshake type, where the type alone decides the form."""


def handshake(type_: HandshakeType) -> Callable[[type[M]], type[M]]:
    """Class decorator: the message's number, and its entry in `BY_TYPE`."""

    def decorate(cls: type[M]) -> type[M]:
        cls.handshake_type = type_
        BY_TYPE[type_] = cls
        return cls

    return decorate


@handshake(HandshakeType.HELLO_REQUEST)
@wire("5246 7.4.1.1")
class HelloRequest(HandshakeMessage):
    """The server would like to renegotiate."""


@handshake(HandshakeType.CLIENT_HELLO)
@wire("5246 7.4.1.2")
class ClientHello(HandshakeMessage):
    """What the client can do, in its order of preference."""

    client_version: ProtocolVersion | int = u16(ProtocolVersion)
    random: bytes = opaque(32)
    session_id: bytes = opaque_vector(0, 32)
    cipher_suites: tuple[CipherSuiteId | int, ...] = vector(Uint(2, CipherSuiteId), 2, 2**16 - 2)
    compression_methods: tuple[CompressionMethod | int, ...] = vector(Uint(1, CompressionMethod), 1, 2**8 - 1)
    extensions: tuple[RawExtension, ...] | None = tail(extension_list(HandshakeType.CLIENT_HELLO))


@handshake(HandshakeType.SERVER_HELLO)
@wire("5246 7.4.1.3")
class ServerHello(HandshakeMessage):
    """What the server chose."""

    server_version: ProtocolVersion | int = u16(ProtocolVersion)
    random: bytes = opaque(32)
    session_id: bytes = opaque_vector(0, 32)
    cipher_suite: CipherSuiteId | int = u16(CipherSuiteId)
    compression_method: CompressionMethod | int = u8(CompressionMethod)
    extensions: tuple[RawExtension, ...] | None = tail(extension_list(HandshakeType.SERVER_HELLO))


@handshake(HandshakeType.CERTIFICATE)
@wire("5246 7.4.2")
class Certificate(HandshakeMessage):
    """The sender's chain, leaf first; a client may send none (RFC 5246 7.4.6)."""

    certificate_list: tuple[bytes, ...] = vector(OpaqueVector(1, UINT24_MAX), 0, UINT24_MAX)


@handshake(HandshakeType.CERTIFICATE_STATUS)
@wire("6066 8")
class CertificateStatus(HandshakeMessage):
    """A stapled OCSP response."""

    status_type: CertificateStatusType | int = u8(CertificateStatusType)
    response: bytes = opaque_vector(1, UINT24_MAX)


@handshake(HandshakeType.CERTIFICATE_REQUEST)
@wire("5246 7.4.4")
class CertificateRequest(HandshakeMessage):
    """The server asks for a client certificate: key types, signature schemes, names of issuers (no names: any issuer)."""

    certificate_types: tuple[ClientCertificateType | int, ...] = vector(Uint(1, ClientCertificateType), 1, 2**8 - 1)
    supported_signature_algorithms: tuple[SignatureScheme | int, ...] = vector(Uint(2, SignatureScheme), 2, 2**16 - 2)
    certificate_authorities: tuple[bytes, ...] = vector(OpaqueVector(1, UINT16_MAX), 0, UINT16_MAX)


@handshake(HandshakeType.SERVER_HELLO_DONE)
@wire("5246 7.4.5")
class ServerHelloDone(HandshakeMessage):
    """The server's first flight ends."""


@handshake(HandshakeType.CERTIFICATE_VERIFY)
@wire("5246 7.4.8")
class CertificateVerify(HandshakeMessage):
    """The client signs the handshake so far."""

    algorithm: SignatureScheme | int = u16(SignatureScheme)
    signature: bytes = opaque_vector(0, UINT16_MAX)


@handshake(HandshakeType.FINISHED)
@wire("5246 7.4.9")
class Finished(HandshakeMessage):
    """Proof that both sides saw the same handshake."""

    verify_data: bytes = opaque(12)


@handshake(HandshakeType.NEW_SESSION_TICKET)
@wire("5077 3.3")
class NewSessionTicket(HandshakeMessage):
    """The session's state, sealed by the server for itself; the hint is in seconds, 0 for unspecified."""

    ticket_lifetime_hint: int = u32()
    ticket: bytes = opaque_vector(0, UINT16_MAX)


@wire("5246 7.4")
class Unknown(HandshakeMessage):
    """A handshake message of a type that TLS 1.2 does not have; kept so that it can be shown."""

    body: bytes = rest()
