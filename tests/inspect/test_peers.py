"""Peers: one end behind four calls, ours and OpenSSL's, in memory and over loopback."""

import socket
from dataclasses import replace

import pytest

from puretls.connection import Connection
from puretls.errors import UsageError
from puretls.inspect.peer import KINDS, MemoryPeer, SocketPeer
from puretls.inspect.player import replay
from tests.inspect.test_tapes import small
from tests.support.credentials import NAME, authority, issued
from tests.support.pair import client_config, real, server_config

ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL to compare with")

from puretls.testing.adapters.openssl import MemoryBioPeer  # noqa: E402
from tests.support.openssl import answering, server_context  # noqa: E402


def carry(one, other):
    """Until both are silent."""
    while True:
        moved = [far.receive(data) for near, far in ((one, other), (other, one)) if (data := near.take())]
        if not moved:
            return


def words(peer):
    return [str(told) for told in peer.events()]


def test_a_peer_of_ours_talks_to_openssl_in_memory(tmp_path):
    ours = MemoryPeer(Connection.client(client_config(provider=real()), NAME))
    theirs = MemoryBioPeer(server_context(issued("rsa2048"), tmp_path), server_side=True)
    ours.start()
    carry(ours, theirs)
    ours.send(b"question")
    theirs.send(b"an answer")
    carry(ours, theirs)
    ours.close()
    carry(ours, theirs)
    shaken, *after = words(theirs)
    assert shaken.startswith("handshake: ECDHE-RSA-")
    assert after == ["data 8 bytes", "closed: by close_notify"]
    told = ours.events()
    assert {one.kind for one in told} <= set(KINDS)
    assert told[0].kind == "handshake"
    assert b"".join(one.data for one in told) == b"an answer"
    assert ours.error is None


def test_a_peer_tells_why_it_failed_and_raises_nothing():
    ours = MemoryPeer(Connection.server(server_config()))
    ours.receive(b"GET / HTTP/1.1\r\n\r\n")
    kinds = [(told.kind, told.detail.split(":")[0]) for told in ours.events()]
    assert kinds[-1][0] == "failed"
    assert ours.take()[:1] == b"\x15"
    assert ours.events() == []
    ours.receive(b"more")
    ours.eof()
    assert ours.events() == []


def test_a_fork_goes_on_by_itself():
    client, server = MemoryPeer(Connection.client(client_config(), NAME)), MemoryPeer(Connection.server(server_config()))
    client.start()
    hello = client.take()
    twin = server.fork()
    twin.receive(hello)
    assert twin.take()
    assert server.take() == b""
    server.receive(hello)
    carry(client, server)
    assert "handshake" in {told.kind for told in client.events()}


@pytest.mark.interop
def test_a_tape_is_replayed_against_a_live_openssl(tmp_path):
    """Our side is seeded, so it sends the same hello each time; the peer is another, so nothing else is the same."""
    tape = replace(small(), client={"verifier": [authority().root_pem]})
    with answering(server_context(issued(), tmp_path)) as (port, problems):
        one, other = (replay(tape, against=("127.0.0.1", port), patience=5.0) for _ in range(2))
    for run in (one, other):
        played = run.connections[0]
        assert played.outcome.startswith("completed: TLS_ECDHE_ECDSA_"), played.outcome
        assert b"".join(told.data for side, told in played.told if side == "client") == b"QUESTION"
    assert problems == []
    assert one.connections[0].chunks[0] == other.connections[0].chunks[0]
    assert one.connections[0].chunks[1] != other.connections[0].chunks[1]
    assert one.conversation().data("server") == b"QUESTION"


def test_a_socket_peer_tells_that_the_stream_ended_and_waits_no_longer():
    with socket.create_server(("127.0.0.1", 0)) as listener, SocketPeer.connect(*listener.getsockname(), patience=30.0) as peer:
        far, _ = listener.accept()
        peer.receive(b"hello")
        assert far.recv(10) == b"hello"
        far.sendall(b"there")
        far.close()
        assert peer.take() == b"there"
        assert peer.take() == peer.take() == b""
        assert [str(told) for told in peer.events()] == ["closed: the peer ended the stream"]
        assert peer.ended
        with pytest.raises(UsageError, match="cannot be forked"):
            peer.fork()


def test_whoever_does_not_stop_talking_is_not_listened_to_for_ever(monkeypatch):
    """A server that floods, and one whose bytes trickle in: silence never comes."""
    near, far = socket.socketpair()
    with near, far:
        flooding = SocketPeer(near, 0.0)
        monkeypatch.setattr(SocketPeer, "MOST", 100)
        heard = 0
        for _ in range(10):
            far.sendall(bytes(30))
            heard += len(flooding.take())
        assert heard == 90
        assert words(flooding) == ["closed: the peer does not stop talking"]
        assert flooding.ended
    near, far = socket.socketpair()
    with near, far:
        trickling = SocketPeer(near, 0.0)
        far.sendall(bytes(30))
        assert trickling.take()
        trickling.receive(b"we speak, and so it may")
        monkeypatch.setattr(SocketPeer, "LONGEST", -1.0)
        far.sendall(bytes(30))
        trickling._since -= 1.0
        assert trickling.take() == b""
        assert trickling.ended


def test_whoever_is_asked_again_and_again_may_say_much(monkeypatch):
    monkeypatch.setattr(SocketPeer, "MOST", 100)
    near, far = socket.socketpair()
    with near, far:
        peer = SocketPeer(near, 0.0)
        for _ in range(10):
            peer.receive(b"question")
            far.sendall(bytes(60))
            assert len(peer.take()) == 60
        assert not peer.ended
