"""Both state machines as tables: the flow of RFC 5246 section 7.3 on one screen each.

An input that has no cell is an unexpected message; a handler that goes anywhere but where its row says is a defect of puretls. The
diagrams in the manual are drawn from these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from puretls.events import DataReceived
from puretls.handshake import client as c
from puretls.handshake import server as s
from puretls.handshake.context import Context
from puretls.handshake.effects import Emit, Step, send_data
from puretls.handshake.states import (
    ClientState,
    LocalInput,
    Refused,
    Rejection,
    Renegotiate,
    Role,
    ServerState,
    Start,
    State,
    Verdict,
    Write,
)
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
from puretls.messages.records import ApplicationData, ChangeCipherSpec
from puretls.values import frozen
from puretls.wire.schema import Struct

Input = type[Struct] | type[LocalInput]
Handler = Callable[[Any, Any], Step]
"""Takes the context of its role and an input of its row."""


@frozen
class Row:
    """In `state`, `input` goes to `handler`, which leads to one of `next_states`."""

    state: State
    input: Input
    handler: Handler
    next_states: tuple[State, ...]


def row(state: State, input_: Input, handler: Handler, *next_states: State) -> Row:
    """One line of a table."""
    return Row(state, input_, handler, next_states)


def _deliver_in(state: State) -> Handler:
    """RFC 5246 10; an empty record is legal and tells nothing."""

    def deliver(context: Context, message: ApplicationData) -> Step:
        return Step(context, state, (Emit(lambda context: DataReceived(message.data)),) if message.data else ())

    return deliver


def _write_in(state: State) -> Handler:
    return lambda context, message: Step(context, state, (send_data(message.data),))


def _stay(state: State) -> Handler:
    """RFC 5246 7.4.1.1: a HelloRequest in the middle of a handshake is ignored, and not part of it."""
    return lambda context, message: Step(context, state)


C, S = ClientState, ServerState
_CLIENT_IDLE = {C.START, C.CONNECTED, C.CLOSED, C.FAILED, C.WAIT_VERDICT, C.WAIT_RESUMPTION_VERDICT}
_CLIENT_HANDSHAKING = tuple(state for state in C if state not in _CLIENT_IDLE)
_SERVER_HANDSHAKING = (
    S.WAIT_CLIENT_CERTIFICATE,
    S.WAIT_CLIENT_KEY_EXCHANGE,
    S.WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY,
    S.WAIT_CERTIFICATE_VERIFY,
    S.WAIT_CCS,
)

# fmt: off
CLIENT: tuple[Row, ...] = (
    row(C.START,                        Start,              c.on_start,               C.WAIT_SERVER_HELLO),
    row(C.WAIT_SERVER_HELLO,            ServerHello,        c.on_server_hello,        C.WAIT_CERTIFICATE, C.WAIT_KEY_EXCHANGE,
                                                                                      C.WAIT_KEY_EXCHANGE_OR_DONE,
                                                                                      C.WAIT_RESUMPTION_VERDICT),
    row(C.WAIT_SERVER_HELLO_AGAIN,      ServerHello,        c.on_server_hello,        C.WAIT_CERTIFICATE, C.WAIT_KEY_EXCHANGE,
                                                                                      C.WAIT_KEY_EXCHANGE_OR_DONE),
    row(C.WAIT_SERVER_HELLO_AGAIN,      ApplicationData,    _deliver_in(C.WAIT_SERVER_HELLO_AGAIN), C.WAIT_SERVER_HELLO_AGAIN),
    row(C.WAIT_SERVER_HELLO_AGAIN,      Refused,            c.on_refused,             C.CONNECTED),
    row(C.WAIT_CERTIFICATE,             Certificate,        c.on_certificate,         C.WAIT_STATUS_OR_KEY_EXCHANGE,
                                                                                      C.WAIT_KEY_EXCHANGE,
                                                                                      C.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE,
                                                                                      C.WAIT_KEY_EXCHANGE_OR_DONE,
                                                                                      C.WAIT_STATUS_OR_DONE, C.WAIT_REQUEST_OR_DONE),
    row(C.WAIT_STATUS_OR_KEY_EXCHANGE,  CertificateStatus,  c.on_certificate_status,  C.WAIT_KEY_EXCHANGE),
    row(C.WAIT_STATUS_OR_KEY_EXCHANGE,  ServerKeyExchange,  c.on_server_key_exchange, C.WAIT_REQUEST_OR_DONE),
    row(C.WAIT_KEY_EXCHANGE,            ServerKeyExchange,  c.on_server_key_exchange, C.WAIT_REQUEST_OR_DONE, C.WAIT_DONE,
                                                                                      C.WAIT_DONE_ANONYMOUS),
    row(C.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE, CertificateStatus, c.on_certificate_status, C.WAIT_KEY_EXCHANGE_OR_DONE),
    row(C.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE, ServerKeyExchange, c.on_server_key_exchange, C.WAIT_DONE),
    row(C.WAIT_STATUS_OR_KEY_EXCHANGE_OR_DONE, ServerHelloDone, c.on_server_hello_done, C.WAIT_VERDICT),
    row(C.WAIT_KEY_EXCHANGE_OR_DONE,    ServerKeyExchange,  c.on_server_key_exchange, C.WAIT_DONE),
    row(C.WAIT_KEY_EXCHANGE_OR_DONE,    ServerHelloDone,    c.on_server_hello_done,   C.WAIT_VERDICT),
    row(C.WAIT_STATUS_OR_DONE,          CertificateStatus,  c.on_certificate_status,  C.WAIT_REQUEST_OR_DONE),
    row(C.WAIT_STATUS_OR_DONE,          CertificateRequest, c.on_certificate_request, C.WAIT_DONE),
    row(C.WAIT_STATUS_OR_DONE,          ServerHelloDone,    c.on_server_hello_done,   C.WAIT_VERDICT),
    row(C.WAIT_REQUEST_OR_DONE,         CertificateRequest, c.on_certificate_request, C.WAIT_DONE),
    row(C.WAIT_REQUEST_OR_DONE,         ServerHelloDone,    c.on_server_hello_done,   C.WAIT_VERDICT),
    row(C.WAIT_DONE,                    ServerHelloDone,    c.on_server_hello_done,   C.WAIT_VERDICT),
    row(C.WAIT_DONE_ANONYMOUS,          CertificateRequest, c.on_anonymous_request),
    row(C.WAIT_DONE_ANONYMOUS,          ServerHelloDone,    c.on_server_hello_done,   C.WAIT_VERDICT),
    row(C.WAIT_VERDICT,                 Verdict,            c.on_verdict,             C.WAIT_TICKET, C.WAIT_CCS),
    row(C.WAIT_RESUMPTION_VERDICT,      Verdict,            c.on_resumption_verdict,  C.WAIT_TICKET, C.WAIT_CCS),
    row(C.WAIT_TICKET,                  NewSessionTicket,   c.on_new_session_ticket,  C.WAIT_CCS),
    row(C.WAIT_CCS,                     ChangeCipherSpec,   c.on_server_change_cipher_spec, C.WAIT_FINISHED),
    row(C.WAIT_FINISHED,                Finished,           c.on_finished,            C.CONNECTED),
    row(C.CONNECTED,                    ApplicationData,    _deliver_in(C.CONNECTED), C.CONNECTED),
    row(C.CONNECTED,                    Write,              _write_in(C.CONNECTED),   C.CONNECTED),
    row(C.CONNECTED,                    HelloRequest,       c.on_hello_request,       C.CONNECTED, C.WAIT_SERVER_HELLO_AGAIN),
    row(C.CONNECTED,                    Renegotiate,        c.on_renegotiate,         C.WAIT_SERVER_HELLO_AGAIN),
    *(row(state, HelloRequest, _stay(state), state) for state in _CLIENT_HANDSHAKING),
)

SERVER: tuple[Row, ...] = (
    row(S.START,                        ClientHello,        s.on_client_hello,        S.WAIT_CLIENT_CERTIFICATE,
                                                                                      S.WAIT_CLIENT_KEY_EXCHANGE,
                                                                                      S.WAIT_RESUMPTION_VERDICT),
    row(S.WAIT_RESUMPTION_VERDICT,      Verdict,            s.on_resumption_verdict,  S.WAIT_CCS),
    row(S.WAIT_RESUMPTION_VERDICT,      Rejection,          s.on_resumption_rejected, S.WAIT_CLIENT_CERTIFICATE,
                                                                                      S.WAIT_CLIENT_KEY_EXCHANGE),
    row(S.WAIT_CLIENT_CERTIFICATE,      Certificate,        s.on_client_certificate,  S.WAIT_CLIENT_VERDICT,
                                                                                      S.WAIT_CLIENT_KEY_EXCHANGE),
    row(S.WAIT_CLIENT_VERDICT,          Verdict,            s.on_client_verdict,      S.WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY),
    row(S.WAIT_CLIENT_KEY_EXCHANGE,     ClientKeyExchange,  s.on_client_key_exchange, S.WAIT_CCS),
    row(S.WAIT_CLIENT_KEY_EXCHANGE_THEN_VERIFY, ClientKeyExchange, s.on_client_key_exchange_then_verify,
                                                                                      S.WAIT_CERTIFICATE_VERIFY),
    row(S.WAIT_CERTIFICATE_VERIFY,      CertificateVerify,  s.on_certificate_verify,  S.WAIT_CCS),
    row(S.WAIT_CCS,                     ChangeCipherSpec,   s.on_client_change_cipher_spec, S.WAIT_FINISHED),
    row(S.WAIT_FINISHED,                Finished,           s.on_client_finished,     S.CONNECTED),
    # RFC 5246 6.2.1 and 7.2.2: in a renegotiation the client may go on sending until its keys change. In a first handshake there are
    # no keys yet, and the connection takes no application data in the clear.
    *(row(state, ApplicationData, _deliver_in(state), state) for state in _SERVER_HANDSHAKING),
    row(S.CONNECTED,                    ApplicationData,    _deliver_in(S.CONNECTED), S.CONNECTED),
    row(S.CONNECTED,                    Write,              _write_in(S.CONNECTED),   S.CONNECTED),
    row(S.CONNECTED,                    ClientHello,        s.on_client_hello_again,  S.CONNECTED, S.WAIT_CLIENT_CERTIFICATE,
                                                                                      S.WAIT_CLIENT_KEY_EXCHANGE,
                                                                                      S.WAIT_RESUMPTION_VERDICT),
    row(S.CONNECTED,                    Renegotiate,        s.on_renegotiate,         S.CONNECTED),
    row(S.CONNECTED,                    Refused,            s.on_refused,             S.CONNECTED),
)
# fmt: on

TABLES: Mapping[Role, tuple[Row, ...]] = {Role.CLIENT: CLIENT, Role.SERVER: SERVER}


def _input_key(cls: type) -> Any:
    return int(cls.handshake_type) if issubclass(cls, HandshakeMessage) else cls


input_key: Callable[[type], Any] = cache(_input_key)
"""What identifies an input in a table: the number of a handshake message, whatever its form, else the class."""


INDEX: Mapping[tuple[State, Any], Row] = {
    (line.state, input_key(line.input)): line
    for table in TABLES.values()
    for line in table
}


def lookup(state: State, key: Any) -> Row | None:
    """The row for an input in a state, by `input_key`; None where the input is not legal."""
    return INDEX.get((state, key))


def led_to(states: Iterable[State], input_: Any) -> frozenset[State]:
    """Where an end that is in one of `states` may be once it received a message of the class `input_`; empty where that is legal in none.

    For observers, who see what an end receives and nothing of what its application and its verifier say: that may come before.
    """
    possible, key = _with_local_inputs(states), input_key(input_)
    return frozenset(after for state in possible if (line := lookup(state, key)) for after in line.next_states)


@cache
def _locally(state: State) -> frozenset[State]:
    """Where local inputs lead from a state."""
    rows = (line for (at, _), line in INDEX.items() if at is state and issubclass(line.input, LocalInput))
    return frozenset(after for line in rows for after in line.next_states)


def _with_local_inputs(states: Iterable[State]) -> frozenset[State]:
    reached = frozenset(states)
    while more := frozenset(after for state in reached for after in _locally(state)) - reached:
        reached |= more
    return reached


def expected(role: Role, state: State) -> tuple[str, ...]:
    """Names of the inputs that are legal in a state, for messages to people."""
    return tuple(line.input.__name__ for line in TABLES[role] if line.state is state)
