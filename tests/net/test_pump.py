"""The drive loop: what it sends, when it reads, how it ends."""

from dataclasses import replace

import pytest

from puretls.config import PENDING
from puretls.connection import Connection
from puretls.errors import FatalAlert, Truncated, UsageError, VerificationError
from puretls.events import NEED_DATA, ConnectionClosed, DataReceived, HandshakeCompleted
from puretls.iana import AlertDescription
from puretls.net import pump
from tests.net.wires import NAME


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
        while (event := self.connection.next_event()) is not NEED_DATA:
            self.events.append(event)

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
    assert completed(pump.run(client, peer, completed))
    assert peer.reads == 2
    assert any(completed(event) for event in peer.events)


def test_data_in_one_piece_is_not_read_twice(ends):
    client, peer = ends
    pump.run(client, peer, completed)
    peer.connection.send(b"a")
    peer.connection.send(b"b")
    reads = peer.reads
    for data in (b"a", b"b"):
        assert pump.run(client, peer, lambda event: isinstance(event, DataReceived)).data == data
    assert peer.reads == reads + 1


@pytest.mark.rfc("5246", "7.2.1")
@pytest.mark.parametrize("clean", [True, False])
def test_end_after_the_handshake_is_returned_whatever_is_waited_for(ends, clean):
    client, peer = ends
    pump.run(client, peer, completed)
    if clean:
        peer.connection.close()
    peer.ended = True
    assert pump.run(client, peer, lambda event: False) == ConnectionClosed(clean=clean)


def test_end_in_the_handshake_is_an_error_that_names_the_state(ends):
    client, peer = ends
    peer.flush = lambda drain: drain()
    peer.ended = True
    with pytest.raises(Truncated, match="WAIT_SERVER_HELLO"):
        pump.run(client, peer, completed)


def test_close_notify_in_the_handshake_is_an_error_too(ends):
    client, peer = ends
    peer.flush = lambda drain: drain()
    peer.connection.close()
    with pytest.raises(FatalAlert, match="close_notify; state WAIT_SERVER_HELLO"):
        pump.run(client, peer, completed)


def test_alert_is_flushed_before_the_error_passes(configs):
    client = Connection.client(configs.client, "other.test")
    client.start()
    peer = Peer(Connection.server(configs.server))
    told = []
    flush = peer.flush
    peer.flush = lambda drain: flush(lambda: told.append(drain()) or told[-1])
    peer.take = lambda: _until_alert(peer)
    with pytest.raises(VerificationError):
        pump.run(client, peer, completed)
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
        pump.run(client, peer, completed)


def test_verdict_postponed_is_the_callers_mistake(configs):
    client = Connection.client(replace(configs.client, verifier=lambda request: PENDING), NAME)
    client.start()
    with pytest.raises(UsageError, match="verdict"):
        pump.run(client, Peer(Connection.server(configs.server)), completed)


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
    pump.run(client, peer, completed, lock)
    assert lock.taken > 4
