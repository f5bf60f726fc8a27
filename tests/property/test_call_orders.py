"""Whatever an application calls in whatever order, only puretls's own errors leave, none of them internal, and close_notify is the last."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.config import PENDING
from puretls.errors import InternalError, PuretlsError
from tests.support.credentials import credential
from tests.support.pair import pair

CALLS = {
    "start": lambda connection: connection.start(),
    "send": lambda connection: connection.send(b"x" * 40_000),
    "close": lambda connection: connection.close(),
    "abort": lambda connection: connection.abort(),
    "end": lambda connection: connection.receive_bytes(b""),
    "accept": lambda connection: connection.answer(danger.AcceptedUnverified()),
    "refuse": lambda connection: connection.answer(danger.AcceptedUnverified(False)),
    "renegotiate": lambda connection: connection.renegotiate(),
    "export": lambda connection: connection.export_keying_material(b"EXPORTER-x", 8),
    "bind": lambda connection: connection.channel_binding("tls-server-end-point"),
    "event": lambda connection: connection.next_event(),
}
calls = st.sampled_from((*CALLS, "fork", "look")) | st.sampled_from(("event", "out", "bring")) | st.just("settle")
orders = st.lists(st.tuples(st.integers(0, 1), calls), min_size=10, max_size=40).map(lambda order: [(0, "start"), *order])


class _Ends:
    """Two connections and the bytes on their way; nothing may leave behind a close_notify."""

    def __init__(self, verifier, authentication):
        fields = {"renegotiation": True, "verifier": verifier, "credentials": (credential(usage="client"),)}
        joined = pair(fields, {"renegotiation": True, "client_authentication": authentication})
        self.connections = [joined.client.connection, joined.server.connection]
        self.wires, self.closed = [b"", b""], [False, False]

    def call(self, side, call):
        try:
            if call in CALLS:
                CALLS[call](self.connections[side])
            else:
                getattr(self, call)(side)
        except InternalError:
            raise
        except PuretlsError:
            pass

    def fork(self, side):
        self.connections[side] = danger.fork(self.connections[side])

    def look(self, side):
        """Whatever is called on a plain fork, nothing leaves it under keys, and the connection does not notice."""
        near = self.connections[side]
        before = _standing(near)
        ahead, bare = near.fork(), danger.fork(near)
        assert ahead.bytes_to_send() == bare.bytes_to_send()
        ahead.receive_bytes(self.wires[side] or b"\x17\3\3\0\1x")
        for name, call in CALLS.items():
            if name == "start":
                continue
            protected = danger.parts(ahead).outbound.channel.protected
            with suppress(PuretlsError):
                call(ahead)
            assert not (protected and ahead.bytes_to_send())
            assert danger.parts(ahead).outbound.channel.sequence == 0 or not danger.parts(ahead).outbound.channel.protected or danger.parts(ahead).outbound.channel.sequence == before[1]
        assert before == _standing(near)

    def out(self, side):
        out = self.connections[side].bytes_to_send()
        assert not (self.closed[side] and out)
        self.closed[side] = danger.parts(self.connections[side]).ending.close_sent
        self.wires[1 - side] += out

    def bring(self, side):
        waiting, self.wires[side] = self.wires[side], b""
        if waiting:
            self.connections[side].receive_bytes(waiting)

    def settle(self, side):
        for _ in range(6):
            for end in (side, 1 - side):
                self.call(end, "bring")
                for _ in range(12):
                    self.call(end, "event")
                self.out(end)


def _standing(connection):
    parts = danger.parts(connection)
    return connection.state, parts.outbound.channel.sequence, parts.inbound.channel.sequence, connection.bytes_buffered


def _play(order, verifier, authentication):
    ends = _Ends(verifier, authentication)
    for side, call in order:
        ends.call(side, call)


@pytest.mark.rfc("5246", "7.2.1")
@given(order=orders, verifier=st.sampled_from((danger.accept_any_chain, lambda request: PENDING)), authentication=st.sampled_from(("none", "require")))
@settings(max_examples=120, deadline=None)
def test_any_order_of_calls_ends_in_nothing_but_our_errors(order, verifier, authentication):
    _play(order, verifier, authentication)


@pytest.mark.full
@pytest.mark.parametrize("half", [1, 2])  # 20,000 in all; in one test they come near the limit of ten minutes on a slow machine
@given(order=orders, verifier=st.sampled_from((danger.accept_any_chain, lambda request: PENDING)), authentication=st.sampled_from(("none", "require")))
@settings(max_examples=10_000, deadline=None)
def test_any_order_of_calls_ends_in_nothing_but_our_errors_many_times(half, order, verifier, authentication):
    _play(order, verifier, authentication)
