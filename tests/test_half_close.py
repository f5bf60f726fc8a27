"""An end that goes on sending after the peer's close_notify (RFC 8446 6.1), where its configuration says so."""

import pytest

from puretls.errors import UsageError
from puretls.events import ConnectionClosed
from tests.support.pair import Pair, client_config, server_config

pytestmark = pytest.mark.rfc("8446", "6.1")


@pytest.mark.parametrize("closer", ["client", "server"])
def test_what_is_sent_after_the_peers_close_notify_arrives(closer):
    joined = Pair(client_config(half_close=True), server_config(half_close=True)).handshake()
    ours, theirs = joined.ends() if closer == "client" else joined.ends()[::-1]
    ours.connection.close()
    joined.run()
    assert theirs.events[-1] == ConnectionClosed(clean=True)
    assert theirs.alerts_sent == []
    assert theirs.connection.is_closed
    assert theirs.connection.is_connected
    theirs.connection.send(b"the rest")
    assert theirs.state == "CONNECTED"
    theirs.connection.close()
    assert theirs.state == "CLOSED"
    joined.run()
    assert ours.data == b"the rest"
    assert ours.events[-1] == ConnectionClosed(clean=True)
    assert ours.state == "CLOSED"
    assert theirs.alerts_sent == ["close_notify"]
    with pytest.raises(UsageError):
        theirs.connection.send(b"more")


def test_there_is_no_renegotiation_with_a_peer_that_has_closed():
    joined = Pair(client_config(), server_config(half_close=True, renegotiation=True)).handshake()
    joined.client.connection.close()
    joined.run()
    with pytest.raises(UsageError):
        joined.server.connection.renegotiate()


@pytest.mark.rfc("5246", "7.2.1")
def test_in_a_handshake_close_notify_is_answered_at_once():
    joined = Pair(client_config(half_close=True), server_config(half_close=True))
    joined.client.connection.start()
    joined.client.connection.close()
    joined.run()
    assert joined.server.alerts_sent == ["close_notify"]
