"""States of both roles and the local inputs that move them; what arrives from the peer moves them too."""

from __future__ import annotations

from typing import Any

from puretls.values import NamedEnum, frozen


class Role(NamedEnum):
    """Who began the connection."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Role:
        """That of the peer."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class ClientState(NamedEnum):
    """What a client waits for."""

    START = "nothing was sent yet"
    WAIT_SERVER_HELLO = "ClientHello sent"
    WAIT_SERVER_HELLO_AGAIN = "ClientHello of a renegotiation sent; application data may still come"
    WAIT_CERTIFICATE = "full handshake; the server's chain comes next"
    WAIT_STATUS_OR_KEY_EXCHANGE = "a stapled status may come before ServerKeyExchange"
    WAIT_KEY_EXCHANGE = "ServerKeyExchange comes next"
    WAIT_KEY_EXCHANGE_OR_DONE = "a hint in ServerKeyExchange may come (PSK)"
    WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE = "a stapled status or a hint may come (RSA_PSK)"
    WAIT_STATUS_OR_DONE = "a stapled status or CertificateRequest may come (RSA key exchange)"
    WAIT_REQUEST_OR_DONE = "CertificateRequest may come"
    WAIT_DONE = "ServerHelloDone comes next"
    WAIT_DONE_ANONYMOUS = "ServerHelloDone comes next; the server is anonymous"
    WAIT_VERDICT = "the verifier decides on the server's chain"
    WAIT_RESUMPTION_VERDICT = "the server resumes; the verifier decides again on the session's chain"
    WAIT_TICKET = "NewSessionTicket comes next"
    WAIT_CCS = "ChangeCipherSpec comes next"
    WAIT_FINISHED = "Finished comes next"
    CONNECTED = "application data flows"
    CLOSED = "close_notify was received, or the stream ended"
    FAILED = "given up"


class ServerState(NamedEnum):
    """What a server waits for."""

    START = "waiting for ClientHello"
    WAIT_RESUMPTION_VERDICT = "the session fits; the verifier decides again on the client's chain in it"
    WAIT_CLIENT_CERTIFICATE = "the client's chain comes next"
    WAIT_CLIENT_VERDICT = "the verifier decides on the client's chain"
    WAIT_CLIENT_KEY_EXCHANGE = "ClientKeyExchange comes next; the client shows no certificate"
    WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY = "ClientKeyExchange comes next; the client must prove its certificate"
    WAIT_CERTIFICATE_VERIFY = "CertificateVerify comes next"
    WAIT_CCS = "ChangeCipherSpec comes next"
    WAIT_FINISHED = "Finished comes next"
    CONNECTED = "application data flows"
    CLOSED = "close_notify was received, or the stream ended"
    FAILED = "given up"


State = ClientState | ServerState


@frozen
class LocalInput:
    """Base of what the application, not the peer, feeds to the table."""


@frozen
class Start(LocalInput):
    """Begin the handshake."""


@frozen
class Verdict(LocalInput):
    """The verifier's report on the peer's chain; None where the peer shows none."""

    report: Any


@frozen
class Rejection(LocalInput):
    """The verifier's no to the chain of a session, where a full handshake can still be had instead."""

    report: Any


@frozen
class Write(LocalInput):
    """Send application data."""

    data: bytes


@frozen
class Renegotiate(LocalInput):
    """Begin another handshake on this connection."""


@frozen
class Refused(LocalInput):
    """The peer answered no_renegotiation to our wish (RFC 5246 7.2.2)."""
