"""What a client waits for next, as far as that follows from what was agreed on: for its handlers, and for who only looks on."""

from __future__ import annotations

from puretls.handshake.states import ClientState
from puretls.key_exchange import Sends
from puretls.suites import Authentication, Suite

S = ClientState

_AFTER_CERTIFICATE = {
    # (ServerKeyExchange; CertificateStatus agreed on)
    (Sends.MUST, True): S.WAIT_STATUS_OR_KEY_EXCHANGE,
    (Sends.MUST, False): S.WAIT_KEY_EXCHANGE,
    (Sends.MAY, True): S.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE,
    (Sends.MAY, False): S.WAIT_KEY_EXCHANGE_OR_DONE,
    (Sends.NEVER, True): S.WAIT_STATUS_OR_DONE,
    (Sends.NEVER, False): S.WAIT_REQUEST_OR_DONE,
}


def after_hello(suite: Suite) -> ClientState:
    """After the ServerHello of a full handshake."""
    if suite.has_certificate:
        return S.WAIT_CERTIFICATE
    return S.WAIT_KEY_EXCHANGE if suite.kx.server_sends is Sends.MUST else S.WAIT_KEY_EXCHANGE_OR_DONE


def after_certificate(suite: Suite, *, status: bool) -> ClientState:
    """After the server's Certificate; `status` tells whether a CertificateStatus may still come (RFC 6066 8)."""
    return _AFTER_CERTIFICATE[suite.kx.server_sends, status]


def after_key_exchange(suite: Suite) -> ClientState:
    """After ServerKeyExchange: a server that shows no certificate asks for none (RFC 5246 7.4.4)."""
    if suite.auth is Authentication.NONE:
        return S.WAIT_DONE_ANONYMOUS
    return S.WAIT_REQUEST_OR_DONE if suite.may_request_certificate else S.WAIT_DONE


def before_finished(*, ticket: bool) -> ClientState:
    """Once it has keys; `ticket` tells whether a NewSessionTicket was promised (RFC 5077 3.2)."""
    return S.WAIT_TICKET if ticket else S.WAIT_CCS
