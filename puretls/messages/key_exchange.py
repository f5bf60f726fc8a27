"""ServerKeyExchange and ClientKeyExchange, whose form depends on the key exchange in force.

RFC 5246 7.4.3 and 7.4.7, RFC 8422 5.4 and 5.7, RFC 4279 2 to 4, RFC 5489 2.
"""

from __future__ import annotations

from puretls.iana import ECCurveType, HandshakeType, NamedGroup, SignatureScheme
from puretls.messages.handshake import UINT16_MAX, HandshakeMessage
from puretls.wire.schema import Struct, nested, opaque_vector, rest, u8, u16, wire


@wire("5246 7.4.3")
class ServerDhParams(Struct):
    """A finite-field group and the server's public value in it."""

    dh_p: bytes = opaque_vector(1, UINT16_MAX)
    dh_g: bytes = opaque_vector(1, UINT16_MAX)
    dh_ys: bytes = opaque_vector(1, UINT16_MAX)


@wire("8422 5.4")
class ServerEcdhParams(Struct):
    """A named curve and the server's public point on it."""

    curve_type: ECCurveType | int = u8(ECCurveType)
    named_curve: NamedGroup | int = u16(NamedGroup)
    public: bytes = opaque_vector(1, 2**8 - 1)


@wire("5246 4.7")
class DigitallySigned(Struct):
    """A signature with the algorithm that made it."""

    algorithm: SignatureScheme | int = u16(SignatureScheme)
    signature: bytes = opaque_vector(0, UINT16_MAX)


class ServerKeyExchange(HandshakeMessage):
    """Base of all forms."""

    __slots__ = ()
    path_name = "ServerKeyExchange"
    handshake_type = HandshakeType.SERVER_KEY_EXCHANGE


class ClientKeyExchange(HandshakeMessage):
    """Base of all forms."""

    __slots__ = ()
    path_name = "ClientKeyExchange"
    handshake_type = HandshakeType.CLIENT_KEY_EXCHANGE


@wire("5246 7.4.3")
class ServerKeyExchangeDhe(ServerKeyExchange):
    """DHE_RSA."""

    params: ServerDhParams = nested(ServerDhParams)
    signed: DigitallySigned = nested(DigitallySigned)


@wire("8422 5.4")
class ServerKeyExchangeEcdhe(ServerKeyExchange):
    """ECDHE_RSA and ECDHE_ECDSA."""

    params: ServerEcdhParams = nested(ServerEcdhParams)
    signed: DigitallySigned = nested(DigitallySigned)


@wire("5246 7.4.3")
class ServerKeyExchangeDhAnon(ServerKeyExchange):
    """DH_anon: nobody signs."""

    params: ServerDhParams = nested(ServerDhParams)


@wire("8422 5.4")
class ServerKeyExchangeEcdhAnon(ServerKeyExchange):
    """ECDH_anon: nobody signs."""

    params: ServerEcdhParams = nested(ServerEcdhParams)


@wire("4279 2")
class ServerKeyExchangePsk(ServerKeyExchange):
    """PSK and RSA_PSK: a hint that helps the client to choose its key."""

    psk_identity_hint: bytes = opaque_vector(0, UINT16_MAX)


@wire("4279 3")
class ServerKeyExchangeDhePsk(ServerKeyExchange):
    """DHE_PSK."""

    psk_identity_hint: bytes = opaque_vector(0, UINT16_MAX)
    params: ServerDhParams = nested(ServerDhParams)


@wire("5489 2")
class ServerKeyExchangeEcdhePsk(ServerKeyExchange):
    """ECDHE_PSK."""

    psk_identity_hint: bytes = opaque_vector(0, UINT16_MAX)
    params: ServerEcdhParams = nested(ServerEcdhParams)


@wire("5246 7.4.7.1")
class ClientKeyExchangeRsa(ClientKeyExchange):
    """The premaster secret under the server's RSA key."""

    encrypted_premaster_secret: bytes = opaque_vector(0, UINT16_MAX)


@wire("5246 7.4.7.2")
class ClientKeyExchangeDh(ClientKeyExchange):
    """The client's public value."""

    dh_yc: bytes = opaque_vector(1, UINT16_MAX)


@wire("8422 5.7")
class ClientKeyExchangeEcdh(ClientKeyExchange):
    """The client's public point."""

    public: bytes = opaque_vector(1, 2**8 - 1)


@wire("4279 2")
class ClientKeyExchangePsk(ClientKeyExchange):
    """The identity of the key that the client has chosen."""

    psk_identity: bytes = opaque_vector(0, UINT16_MAX)


@wire("4279 3")
class ClientKeyExchangeDhePsk(ClientKeyExchange):
    """DHE_PSK."""

    psk_identity: bytes = opaque_vector(0, UINT16_MAX)
    dh_yc: bytes = opaque_vector(1, UINT16_MAX)


@wire("5489 2")
class ClientKeyExchangeEcdhePsk(ClientKeyExchange):
    """ECDHE_PSK."""

    psk_identity: bytes = opaque_vector(0, UINT16_MAX)
    public: bytes = opaque_vector(1, 2**8 - 1)


@wire("4279 4")
class ClientKeyExchangeRsaPsk(ClientKeyExchange):
    """RSA_PSK."""

    psk_identity: bytes = opaque_vector(0, UINT16_MAX)
    encrypted_premaster_secret: bytes = opaque_vector(0, UINT16_MAX)


@wire("5246 7.4.3")
class ServerKeyExchangeUnknown(ServerKeyExchange):
    """One that arrived before its form was known, or where none may."""

    body: bytes = rest()


@wire("5246 7.4.7")
class ClientKeyExchangeUnknown(ClientKeyExchange):
    """One that arrived before its form was known, or where none may."""

    body: bytes = rest()
