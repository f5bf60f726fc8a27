"""The drive loop: what it sends, when it reads, how it ends; and how little it takes to drive it by other means."""

import inspect
import types
from collections import deque
from contextlib import nullcontext, suppress
from dataclasses import replace

import pytest

from puretls import drive
from puretls.config import PENDING
from puretls.connection import Connection
from puretls.errors import FatalAlert, Truncated, UsageError, VerificationError
from puretls.events import NEED_DATA, ConnectionClosed, DataReceived, HandshakeCompleted
from puretls.iana import AlertDescription
from tests.net.wires import NAME, wires


class Peer:
    """A transport whose other end is a connection in the same process; it notes what was flushed and how often it was read."""

    def __init__(self, connection):
        self.connection = connection
        self.reads = 0
        self.broken = False
        self.ended = False
        self.events = []

    def flush(self, drain):
        data = drain()
        if self.broken:
            raise BrokenPipeError
        if data:
            self.connection.receive_bytes(data)
            self.take()

    def take(self):
        self.events.extend(drive.events(self.connection))

    def receive(self, size):
        self.reads += 1
        data = self.connection.bytes_to_send()
        assert data or self.ended, "the loop waits for a peer that has nothing to say"
        return data


@pytest.fixture
def ends(configs):
    client = Connection.client(configs.client, NAME)
    client.start()
    return client, Peer(Connection.server(configs.server))


def completed(event):
    return isinstance(event, HandshakeCompleted)


def test_runs_to_the_event_and_flushes_before_it_reads(ends):
    client, peer = ends
    assert completed(drive.run(client, peer, completed))
    assert peer.reads == 2
    assert any(completed(event) for event in peer.events)


def test_data_in_one_piece_is_not_read_twice(ends):
    client, peer = ends
    drive.run(client, peer, completed)
    peer.connection.send(b"a")
    peer.connection.send(b"b")
    reads = peer.reads
    for data in (b"a", b"b"):
        assert drive.run(client, peer, lambda event: isinstance(event, DataReceived)).data == data
    assert peer.reads == reads + 1


@pytest.mark.rfc("5246", "7.2.1")
@pytest.mark.parametrize("clean", [True, False])
def test_end_after_the_handshake_is_returned_whatever_is_waited_for(ends, clean):
    client, peer = ends
    drive.run(client, peer, completed)
    if clean:
        peer.connection.close()
    peer.ended = True
    assert drive.run(client, peer, lambda event: False) == ConnectionClosed(clean=clean)


def test_end_in_the_handshake_is_an_error_that_names_the_state(ends):
    client, peer = ends
    peer.flush = lambda drain: drain()
    peer.ended = True
    with pytest.raises(Truncated, match="WAIT_SERVER_HELLO"):
        drive.run(client, peer, completed)


def test_close_notify_in_the_handshake_is_an_error_too(ends):
    client, peer = ends
    peer.flush = lambda drain: drain()
    peer.connection.close()
    with pytest.raises(FatalAlert, match="close_notify; state WAIT_SERVER_HELLO"):
        drive.run(client, peer, completed)


def test_alert_is_flushed_before_the_error_passes(configs):
    client = Connection.client(configs.client, "other.test")
    client.start()
    peer = Peer(Connection.server(configs.server))
    told = []
    flush = peer.flush
    peer.flush = lambda drain: flush(lambda: told.append(drain()) or told[-1])
    peer.take = lambda: _until_alert(peer)
    with pytest.raises(VerificationError):
        drive.run(client, peer, completed)
    assert b"".join(told)[-2:] == bytes((2, AlertDescription.BAD_CERTIFICATE))


def _until_alert(peer):
    try:
        Peer.take(peer)
    except FatalAlert as alert:
        peer.events.append(alert)


def test_alert_of_a_peer_that_hung_up_is_read_all_the_same(ends):
    """The pipe is broken, but why the peer broke it still waits to be read."""
    client, peer = ends
    peer.connection.receive_bytes(client.bytes_to_send())
    peer.take()
    peer.connection.abort(AlertDescription.INTERNAL_ERROR)
    peer.broken = True
    with pytest.raises(FatalAlert, match="internal_error"):
        drive.run(client, peer, completed)


def test_verdict_postponed_is_the_callers_mistake(configs):
    client = Connection.client(replace(configs.client, verifier=lambda request: PENDING), NAME)
    client.start()
    with pytest.raises(UsageError, match="verdict"):
        drive.run(client, Peer(Connection.server(configs.server)), completed)


def test_lock_is_free_while_the_transport_works(ends):
    client, peer = ends

    class Lock:
        held = 0
        taken = 0

        def __enter__(self):
            assert not self.held
            self.held = 1
            self.taken += 1

        def __exit__(self, *error):
            self.held = 0

    lock = Lock()
    receive = peer.receive

    def checked(size):
        assert not lock.held
        return receive(size)

    peer.receive = checked
    drive.run(client, peer, completed, lock)
    assert lock.taken > 4


# How a stream ended is told by the connection, in the event


def played(configs, moment):
    """A client, and a server that it has got to `moment` with."""
    client = Connection.client(replace(configs.client, renegotiation=True), NAME)
    server = Connection.server(replace(configs.server, renegotiation=True))
    if moment == "before it began":
        return client, server
    client.start()
    if moment == "in the handshake":
        return client, server
    for _ in range(3):
        for near, far in ((client, server), (server, client)):
            if data := near.bytes_to_send():
                far.receive_bytes(data)
                deque(drive.events(far), maxlen=0)
    if moment == "in a renegotiation":
        client.renegotiate()
    return client, server


ENDS = {
    ("before it began", False): ("START", False, Truncated),
    ("before it began", True): ("START", False, FatalAlert),
    ("in the handshake", False): ("WAIT_SERVER_HELLO", False, Truncated),
    ("in the handshake", True): ("WAIT_SERVER_HELLO", False, FatalAlert),
    ("connected", False): ("CONNECTED", True, Truncated),
    ("connected", True): ("CONNECTED", True, None),
    ("in a renegotiation", False): ("WAIT_SERVER_HELLO_AGAIN", True, Truncated),
    ("in a renegotiation", True): ("WAIT_SERVER_HELLO_AGAIN", True, None),
}


@pytest.mark.rfc("5246", "7.2.1")
@pytest.mark.parametrize(("moment", "clean"), ENDS)
def test_end_tells_its_state_and_what_error_it_is(configs, moment, clean):
    state, complete, error = ENDS[moment, clean]
    client, server = played(configs, moment)
    if clean:
        server.close()
        client.receive_bytes(server.bytes_to_send())
    client.receive_bytes(b"")
    *_, end = drive.events(client)
    assert (end.clean, end.state, end.complete) == (clean, state, complete)
    assert error is None if end.error is None else (type(end.error), end.error.state) == (error, state)
    assert client.state.name == "CLOSED"


@pytest.mark.parametrize(("moment", "clean"), ENDS)
def test_end_before_a_handshake_was_complete_is_an_error_however_often_the_loop_is_entered(configs, moment, clean):
    """The alert is taken by one call and the end by the next, when the state is CLOSED already."""
    _, complete, error = ENDS[moment, clean]
    client, server = played(configs, moment)
    if clean:
        server.close()
    peer = Peer(server)
    peer.flush = lambda drain: drain()
    peer.ended = True
    ends = []
    with nullcontext() if complete else pytest.raises(error):
        while not ends or not isinstance(ends[-1], ConnectionClosed):
            ends.append(drive.run(client, peer, lambda event: True))
    assert complete == bool(ends and isinstance(ends[-1], ConnectionClosed))


def test_a_turn_with_nothing_to_do_asks_for_data(ends):
    client, _ = ends
    assert [type(event).__name__ for event in drive.events(client)] == ["HandshakeStarted"]
    assert drive.take_turn(client) == drive.Turn(NEED_DATA)


# Other users: a transport for `run`, and an event loop of one's own


class OverSocket:
    def __init__(self, sock):
        self.receive, self.sock = sock.recv, sock

    def flush(self, drain):
        self.sock.sendall(drain())


async def coroutine_user(connection, stream, until):
    """What a user needs that awaits its bytes, as under trio or curio."""
    while True:
        turn = drive.take_turn(connection)
        with suppress(*turn.forgiven):
            await stream.send(connection.bytes_to_send())
        event = turn.outcome()
        if event is NEED_DATA:
            connection.receive_bytes(await stream.receive())
        elif until(event) or isinstance(event, ConnectionClosed):
            return event


@types.coroutine
def pause():
    yield


class Pipe:
    """One end of a pipe between coroutines."""

    def __init__(self):
        self.arrived, self.other, self.closed = bytearray(), None, False

    async def send(self, data):
        if self.other.closed and data:
            raise BrokenPipeError
        self.other.arrived += data

    async def receive(self):
        while not self.arrived and not self.other.closed:
            await pause()
        data, self.arrived = bytes(self.arrived), bytearray()
        return data


def together(*coroutines):
    """A kernel: each takes a step in turn. What they returned."""
    results, waiting = {}, deque(enumerate(coroutines))
    while waiting:
        number, coroutine = waiting.popleft()
        try:
            coroutine.send(None)
        except StopIteration as done:
            results[number] = done.value
        else:
            waiting.append((number, coroutine))
    return [results[number] for number in range(len(coroutines))]


def piped():
    near, far = Pipe(), Pipe()
    near.other, far.other = far, near
    return near, far


def data(event):
    return isinstance(event, DataReceived)


def test_users_of_other_kinds_are_short():
    for user in (OverSocket, coroutine_user):
        assert len(inspect.getsource(user).splitlines()) < 20


def test_coroutines_shake_hands_exchange_and_close(configs):
    client, server = Connection.client(configs.client, NAME), Connection.server(configs.server)
    near, far = piped()

    async def ask():
        client.start()
        await coroutine_user(client, near, completed)
        client.send(b"question")
        answer = await coroutine_user(client, near, data)
        client.close()
        return answer.data, await coroutine_user(client, near, data)

    async def answer():
        question = await coroutine_user(server, far, data)
        server.send(question.data[::-1])
        return question.data, await coroutine_user(server, far, data)

    clean = ConnectionClosed(clean=True)
    assert together(ask(), answer()) == [(b"noitseuq", clean), (b"question", clean)]


def test_coroutine_whose_peer_leaves_is_told_the_state(configs):
    client = Connection.client(configs.client, NAME)
    near, far = piped()
    far.closed = True
    client.start()
    with pytest.raises(Truncated, match="WAIT_SERVER_HELLO"):
        together(coroutine_user(client, near, completed))


def test_sockets_need_two_methods(configs, run):
    near, far = wires()
    client, server = Connection.client(configs.client, NAME), Connection.server(configs.server)

    def echo():
        over = OverSocket(far)
        server.send(drive.run(server, over, data).data)
        assert drive.run(server, over, data) == ConnectionClosed(clean=True)
        far.close()

    run(echo)
    over = OverSocket(near)
    client.start()
    drive.run(client, over, completed)
    client.send(b"there and back")
    assert drive.run(client, over, data).data == b"there and back"
    client.close()
    over.flush(client.bytes_to_send)
    near.close()
