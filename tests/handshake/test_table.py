"""Both state machines, walked completely: states x inputs, the legal flows, the diagrams (RFC 5246 7.3)."""

import importlib.util
from dataclasses import replace

import pytest

from puretls import danger
from puretls.connection import Connection
from puretls.danger import AcceptedUnverified
from puretls.errors import PeerError, Reason, UsageError
from puretls.handshake import table
from puretls.handshake.effects import Step
from puretls.handshake.states import (
    ClientState,
    LocalInput,
    Refused,
    Rejection,
    Renegotiate,
    Role,
    ServerState,
    Start,
    Verdict,
    Write,
)
from puretls.handshake.table import CLIENT, SERVER, TABLES, lookup
from puretls.iana import HandshakeType
from puretls.intercept import Direction
from puretls.messages import handshake as hs
from puretls.messages.handshake import HelloRequest, ServerHello
from puretls.messages.key_exchange import ServerKeyExchange
from puretls.messages.records import ApplicationData, ChangeCipherSpec, Record
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES
from tests.support.breaks import before
from tests.support.conversations import flows, resumptions, tickets
from tests.support.credentials import NAME, credential
from tests.support.pair import client_config, fields_for, no_security, pair, server_config, suite_named

pytestmark = pytest.mark.rfc("5246", "7.3")
HANDSHAKE_TYPES = sorted({*map(int, HandshakeType), 7, 99, 255})
STATES = {Role.CLIENT: ClientState, Role.SERVER: ServerState}
LIVE = [(role, state) for role, states in STATES.items() for state in states if state.name not in {"CLOSED", "FAILED"}]
LOCAL = (Start(), Verdict(None), Rejection(None), Write(b"x"), Renegotiate(), Refused())


def in_state(role, state):
    """A connection that is said to be in this state; what is refused without being looked at needs no more."""
    made = Connection.client(client_config(), NAME) if role is Role.CLIENT else Connection.server(server_config())
    return Connection(danger.parts(made).progress.context, state)


def failure(connection, record):
    connection.receive_bytes(record.to_bytes())
    while True:
        try:
            event = connection.next_event()
        except PeerError as error:
            return error
        if type(event).__name__ not in {"AlertSent", "AlertReceived"}:
            return None


@pytest.mark.parametrize(("role", "state"), LIVE, ids=lambda value: value.name)
def test_every_handshake_message_that_has_no_cell_is_unexpected(role, state):
    refused = [type_ for type_ in HANDSHAKE_TYPES if lookup(state, type_) is None]
    assert refused
    for type_ in refused:
        connection = in_state(role, state)
        error = failure(connection, Record(22, 0x0303, bytes((type_, 0, 0, 0))))
        assert error.reason is Reason.UNEXPECTED_MESSAGE, type_
        assert error.state == state.name
        assert connection.state.name == "FAILED"


@pytest.mark.parametrize(("role", "state"), LIVE, ids=lambda value: value.name)
def test_content_that_has_no_cell_is_unexpected(role, state):
    for cls, record in ((ChangeCipherSpec, Record(20, 0x0303, b"\1")), (ApplicationData, Record(23, 0x0303, b"x"))):
        # Application data in the clear is never legal, whatever the table says of it under keys.
        if lookup(state, cls) is None or cls is ApplicationData:
            error = failure(in_state(role, state), record)
            assert error.reason is Reason.UNEXPECTED_MESSAGE, cls


@pytest.mark.parametrize(("role", "state"), LIVE, ids=lambda value: value.name)
def test_local_input_that_has_no_cell_is_the_callers_fault(role, state):
    for message in LOCAL:
        if lookup(state, type(message)) is None:
            connection = in_state(role, state)
            with pytest.raises(UsageError, match=state.name):
                danger.parts(connection).machine.feed(message)
            assert connection.state is state
            assert connection.bytes_to_send() == b""


def test_dead_states_have_no_cells():
    for rows in TABLES.values():
        assert not [row for row in rows if row.state.name in {"CLOSED", "FAILED"}]


def test_the_whole_matrix_was_walked():
    cells = len(LIVE) * (len(HANDSHAKE_TYPES) + 2 + len(LOCAL))
    legal = len(CLIENT) + len(SERVER)
    assert cells > 600
    assert legal < cells / 8


def test_every_row_has_a_key_of_its_own():
    for rows in TABLES.values():
        assert len({(row.state, row.input) for row in rows}) == len(rows)


# The legal flows, as the client sees them

HEAD, TAIL = ("Start", "ServerHello"), ("ChangeCipherSpec", "Finished")


def _legal_flows():
    """2 resumed; 16 with a certificate: stapled status x key exchange message x client authentication x ticket; 4 without one."""
    tickets = ((), ("NewSessionTicket",))
    found = {(*HEAD, "Verdict", *ticket, *TAIL) for ticket in tickets}
    exchanges = ((), ("ServerKeyExchange",))
    for exchange in exchanges:
        for ticket in tickets:
            found.add((*HEAD, *exchange, "ServerHelloDone", "Verdict", *ticket, *TAIL))
            for status in ((), ("CertificateStatus",)):
                for request in ((), ("CertificateRequest",)):
                    found.add((*HEAD, "Certificate", *status, *exchange, *request, "ServerHelloDone", "Verdict", *ticket, *TAIL))
    return found


# The state after ServerKeyExchange is shared with flows that have a certificate; which follows is the suite's, not the graph's, to say.
ONLY_IN_THE_GRAPH = {
    (*HEAD, "ServerKeyExchange", "CertificateRequest", "ServerHelloDone", "Verdict", *ticket, *TAIL) for ticket in ((), ("NewSessionTicket",))
}
_FULL = {
    ("ClientKeyExchange", "ChangeCipherSpec", "Finished"),
    ("Certificate", "ClientKeyExchange", "ChangeCipherSpec", "Finished"),
    ("Certificate", "Verdict", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished"),
}
SERVER_FLOWS = {
    ("ClientHello", "Verdict", "ChangeCipherSpec", "Finished"),
    *{("ClientHello", *full) for full in _FULL},
    *{("ClientHello", "Rejection", *full) for full in _FULL},
}


def _paths(rows, state, goal, so_far=()):
    if state is goal:
        yield so_far
        return
    for row in rows:
        if row.state is state:
            for target in row.next_states:
                if target is not state:
                    yield from _paths(rows, target, goal, (*so_far, row.input.__name__))


def test_paths_from_start_to_connected_are_the_legal_flows():
    client = set(_paths(CLIENT, ClientState.START, ClientState.CONNECTED))
    assert len(_legal_flows()) == 22
    assert client - ONLY_IN_THE_GRAPH == _legal_flows()
    assert client >= ONLY_IN_THE_GRAPH
    assert set(_paths(SERVER, ServerState.START, ServerState.CONNECTED)) == SERVER_FLOWS


def _seen(end):
    """What an end was told, in order, as names of inputs."""
    return [entry.name for entry in end.connection.trace.messages(Direction.INBOUND) if entry.name != "application_data"]


def refuses_sessions(request):
    """A verifier for which what is shown is good enough, and what was shown is not."""
    return AcceptedUnverified(accepted=not request.resumed)


def _rejections():
    """A session whose chain the server does not accept any more: the client shows its chain again, shows none, or is asked for none."""
    shows, psk = {"credentials": (credential(usage="client"),)}, fields_for(suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"))
    both = DEFAULT_PSK_SUITES + DEFAULT_SUITES
    for again, server in (({}, {}), ({"credentials": ()}, {}), ({"psk": psk[0]["psk"], "suites": both}, {"psk": psk[1]["psk"], "suites": both})):
        far = {"tickets": tickets(), "client_authentication": "request"}
        session = pair(shows, far).handshake().client.connection.session
        yield pair(shows | again, far | server | {"verifier": refuses_sessions}, session=session).handshake()


def _conversations():
    return [*flows(no_security), *resumptions(no_security)]


def _server_flow(joined):
    flow, connection = _seen(joined.server), joined.server.connection
    if connection.negotiated.resumed:
        flow.insert(1, "Verdict")
    elif connection.peer_certificates:
        flow.insert(flow.index("Certificate") + 1, "Verdict")
    return tuple(flow)


def test_every_legal_flow_happens():
    client, server = set(), set()
    for conversation in _conversations():
        joined = conversation.make().handshake()
        assert joined.connected, f"{conversation.name}\n{joined.story()}"
        flow = ["Start", *_seen(joined.client)]
        asked = "ServerHelloDone" if "ServerHelloDone" in flow else "ServerHello"
        flow.insert(flow.index(asked) + 1, "Verdict")
        client.add(tuple(flow))
        server.add(_server_flow(joined))
    assert client == _legal_flows()
    server.add(_server_flow(pair({}, {"client_authentication": "request"}).handshake()))
    for joined in _rejections():
        assert joined.connected, joined.story()
        first, *rest = _server_flow(joined)
        server.add((first, "Rejection", *rest))
    assert server == SERVER_FLOWS


def test_every_row_and_every_next_state_is_reached(monkeypatch):
    reached = set()

    def noting(row):
        def handler(context, message):
            step = row.handler(context, message)
            reached.add((row.state, row.input, step.next_state))
            return step

        return replace(row, handler=handler)

    monkeypatch.setattr(table, "INDEX", {key: noting(row) for key, row in table.INDEX.items()})
    for conversation in _conversations():
        conversation.make().handshake().exchange()
    assert all(joined.connected for joined in _rejections())
    _renegotiations()
    wanted = {(row.state, row.input, target) for rows in TABLES.values() for row in rows for target in row.next_states}
    # HelloRequests in the middle of a handshake, and data that crosses a renegotiation, have tests of their own.
    rare = {key for key in wanted if key[1] in {HelloRequest, ApplicationData} and key[0].name != "CONNECTED"}
    # A renegotiation goes on as the same kinds of first handshakes do.
    again = {key for key in wanted if key[0] is ClientState.WAIT_SERVER_HELLO_AGAIN and key[1] is ServerHello}
    again.add((ServerState.CONNECTED, hs.ClientHello, ServerState.WAIT_RESUMPTION_VERDICT))  # see test_renegotiation.py
    assert wanted - reached - rare - again == set()
    assert reached <= wanted
    assert reached & again


def _renegotiations():
    on = {"renegotiation": True}
    for mode in ("none", "request"):
        for side in ("client", "server"):
            joined = pair(on, on | {"client_authentication": mode}).handshake()
            getattr(joined, side).connection.renegotiate()
            joined.run().exchange()
    for client, server, side in ((on, {}, "client"), ({}, on, "server")):
        joined = pair(client, server).handshake()
        getattr(joined, side).connection.renegotiate()
        joined.run().exchange()


def test_hello_requests_in_a_handshake_are_ignored_and_not_hashed():
    for cls in (hs.ServerHello, hs.Certificate, ServerKeyExchange, hs.CertificateRequest, hs.ServerHelloDone, ChangeCipherSpec):
        server = {"interceptors": (before(cls, hs.HelloRequest()),), "client_authentication": "request"}
        pair({}, server).handshake().check_secrets()


def test_diagrams_in_the_manual_are_drawn_from_the_tables(root):
    spec = importlib.util.spec_from_file_location("state_diagrams", root / "tools" / "state_diagrams.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run tools/state_diagrams.py"
    assert module.dot(Role.CLIENT).startswith("digraph client {")


def test_local_inputs_are_all_walked():
    local = {row.input for rows in TABLES.values() for row in rows if issubclass(row.input, LocalInput)}
    assert {type(message) for message in LOCAL} == local


def test_more_rows_are_those_of_one_connection_and_its_forks():
    """What `danger.add_rows` lets one connection take, no other takes."""
    weak, other = (in_state(Role.SERVER, ServerState.WAIT_CLIENT_KEY_EXCHANGE) for _ in range(2))

    def ignore(context, message):
        return Step(context, ServerState.WAIT_CCS)

    danger.add_rows(weak, table.row(ServerState.WAIT_CLIENT_KEY_EXCHANGE, ChangeCipherSpec, ignore, ServerState.WAIT_CCS))
    early = Record(20, 0x0303, b"\1")
    fork = weak.fork()
    for taker in (weak, fork):
        assert failure(taker, early) is None
        assert taker.state is ServerState.WAIT_CCS
    assert failure(other, early).reason is Reason.UNEXPECTED_MESSAGE
