"""The client's handlers, in the order of the handshake (RFC 5246 7.3)."""

from puretls.handshake.client.answer import on_resumption_verdict, on_server_hello
from puretls.handshake.client.end import on_finished, on_new_session_ticket, on_server_change_cipher_spec
from puretls.handshake.client.flight import (
    on_anonymous_request,
    on_certificate,
    on_certificate_request,
    on_certificate_status,
    on_server_hello_done,
    on_server_key_exchange,
    on_verdict,
)
from puretls.handshake.client.hello import on_hello_request, on_refused, on_renegotiate, on_start

__all__ = [
    "on_anonymous_request",
    "on_certificate",
    "on_certificate_request",
    "on_certificate_status",
    "on_finished",
    "on_hello_request",
    "on_new_session_ticket",
    "on_refused",
    "on_renegotiate",
    "on_resumption_verdict",
    "on_server_change_cipher_spec",
    "on_server_hello",
    "on_server_hello_done",
    "on_server_key_exchange",
    "on_start",
    "on_verdict",
]
