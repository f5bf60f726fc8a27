"""The server's handlers, in the order of the handshake (RFC 5246 7.3)."""

from puretls.handshake.server.end import (
    on_certificate_verify,
    on_client_certificate,
    on_client_change_cipher_spec,
    on_client_finished,
    on_client_key_exchange,
    on_client_key_exchange_then_verify,
    on_client_verdict,
    on_refused,
    on_renegotiate,
)
from puretls.handshake.server.hello import on_client_hello, on_client_hello_again
from puretls.handshake.server.resumption import on_resumption_rejected, on_resumption_verdict

__all__ = [
    "on_certificate_verify",
    "on_client_certificate",
    "on_client_change_cipher_spec",
    "on_client_finished",
    "on_client_hello",
    "on_client_hello_again",
    "on_client_key_exchange",
    "on_client_key_exchange_then_verify",
    "on_client_verdict",
    "on_refused",
    "on_renegotiate",
    "on_resumption_rejected",
    "on_resumption_verdict",
]
