"""Forks: a plain one looks ahead and seals nothing; `danger.fork` gives a second end under the same keys."""

import copy
import pickle
from collections import Counter, deque
from contextlib import suppress
from dataclasses import replace
from enum import Enum

import pytest

from puretls import danger
from puretls.config import Config
from puretls.errors import PuretlsError, Reason, UsageError
from puretls.handshake.context import Evolving
from puretls.intercept import Interceptor
from puretls.record.protection import AeadProtection, Plain
from puretls.session import MemorySessionStore
from tests.support.pair import IDENTITY, PSK, End, fields_for, pair, real, suite_named


def _moments(**options):
    """Both ends of a connection from hello to close_notify: (connection, what it is to receive next), each as a fork at that moment."""
    joined = pair({"renegotiation": True} | options, {"renegotiation": True} | options)
    joined.client.connection.start()
    script = [lambda: None, lambda: joined.client.connection.send(b"up"), lambda: joined.server.connection.send(b"down"),
              joined.server.connection.renegotiate, joined.client.connection.close]  # fmt: skip
    for act in script:
        act()
        moved = True
        while moved:
            moved = False
            for near, far in ((joined.client, joined.server), (joined.server, joined.client)):
                near.drain()
                out = near.take()
                if out:
                    moved = True
                    yield far.connection, out
                    far.feed(out)
    assert joined.client.state == joined.server.state == "CLOSED"


class _Watched:
    """A cipher under one key that notes every nonce it seals with."""

    def __init__(self, inner, key, used):
        self._inner, self._key, self._used = inner, key, used
        self.open, self.open_many, self.prefetch = inner.open, inner.open_many, inner.prefetch

    def seal(self, nonce, data, aad):
        self._used[self._key, nonce] += 1
        return self._inner.seal(nonce, data, aad)

    def seal_many(self, items):
        return [self.seal(*item) for item in items]


@pytest.mark.rfc("5288", "3")
@pytest.mark.parametrize("name", ["TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256"])
def test_no_nonce_is_used_twice_whatever_forks_do(name):
    """Even where all randomness is the same, so that every fork would come to the same keys."""
    used, inner = Counter(), real()
    provider = replace(inner, aead=lambda algorithm, key: _Watched(inner.aead(algorithm, key), bytes(key), used))
    client, _ = fields_for(suite_named(name))
    options = client | {"provider": provider, "psk": lambda *given: (IDENTITY, PSK), "random": lambda count: b"r" * count}
    server = options | {"psk": lambda identity: PSK}
    joined = pair(options, server)
    joined.client.connection.start()
    moved, forks = True, 0
    while moved:
        moved = False
        for near, far in ((joined.client, joined.server), (joined.server, joined.client)):
            out = near.take()
            for record in _records(out):
                moved = True
                for twin in (far.connection.fork(), far.connection.fork().fork()):
                    forks += 1
                    End(twin).feed(record)
                    for call in (lambda: twin.send(b"other"), twin.close, twin.abort):  # noqa: B023
                        with suppress(UsageError):
                            call()
                far.feed(record)
            near.connection.send(b"x") if near.connection.is_connected and len(near.data) < 3 else None
    assert joined.connected, joined.story()
    assert forks > 20
    assert set(used.values()) == {1}


def _records(wire):
    while wire:
        length = 5 + int.from_bytes(wire[3:5], "big")
        yield wire[:length]
        wire = wire[length:]


def test_fork_refuses_to_send_under_keys_and_says_what_can():
    joined = pair({"renegotiation": True}, {"renegotiation": True}).handshake()
    for end in joined.ends():
        fork = end.connection.fork()
        for call in (lambda: fork.send(b"x"), fork.close, fork.abort, fork.renegotiate):  # noqa: B023
            with pytest.raises(UsageError, match=r"danger\.fork"):
                call()
        assert fork.bytes_to_send() == b""
        assert fork.is_connected
        assert not [entry for entry in fork.trace if entry not in list(end.connection.trace)]
    joined.exchange()


def test_fork_looks_ahead_and_seals_nothing():
    """Whatever the moment: what is received is shown, nothing leaves under keys, and the connection does not notice."""
    ended = Counter()
    for connection, data in _moments():
        before = connection.state, len(connection.trace), connection.bytes_buffered
        fork = connection.fork()
        keyed = danger.parts(fork).outbound.channel.protected
        end = End(fork)
        end.feed(data)
        out = end.take()
        if keyed:
            assert out == b""
            assert end.alerts_sent == []
        if end.error is not None:
            assert isinstance(end.error, UsageError)
            assert "danger.fork" in str(end.error)
            assert end.state == "FAILED"
            with pytest.raises(UsageError, match=r"danger\.fork"):
                fork.next_event()
        assert danger.parts(fork).outbound.channel.sequence == (danger.parts(connection).outbound.channel.sequence if keyed else 0) or not danger.parts(fork).outbound.channel.protected
        assert before == (connection.state, len(connection.trace), connection.bytes_buffered)
        ended[end.state] += 1
    assert ended["FAILED"] >= 4  # where it had to send a Finished, or to answer a HelloRequest
    assert ended["CLOSED"] == 2
    assert ended["CONNECTED"] >= 2


def test_fork_sees_how_the_peer_ends_a_connection():
    joined = pair({"renegotiation": True}, {}).handshake()
    joined.client.connection.close()
    end = End(joined.server.connection.fork())
    end.feed(joined.client.take())
    assert end.kinds()[-2:] == ["AlertReceived", "ConnectionClosed"]
    assert end.events[-1].clean
    assert (end.error, end.alerts_sent, end.take()) == (None, [], b"")

    joined = pair().handshake()
    end = End(joined.server.connection.fork())
    end.feed(b"\x17\3\3\0\x40" + b"\xff" * 64)
    assert end.error.reason is Reason.BAD_RECORD_MAC
    assert (end.alerts_sent, end.take()) == ([], b"")
    joined.exchange()


def test_fork_keeps_no_session_and_discards_none():
    store, cache = MemorySessionStore(), MemorySessionStore()
    joined = pair({"session_store": store}, {"session_cache": cache}).handshake()
    assert len(store) == len(cache) == 1
    for end in joined.ends():
        twin = End(end.connection.fork())
        twin.feed(b"\x17\3\3\0\x40" + b"\xff" * 64)
        assert twin.state == "FAILED"
    assert len(store) == len(cache) == 1


def test_fork_may_say_hello():
    """Nothing is protected yet: what a fork sends is its own."""
    joined = pair()
    twin = End(joined.client.connection.fork())
    twin.connection.start()
    joined.client.connection.start()
    assert twin.take()[5] == 1
    twin.connection.abort()
    assert twin.take() == b"\x15\3\3\0\2\2\x5a"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copy_of_a_connection_is_a_fork(copied):
    joined = pair().handshake()
    twin = copied(joined.client.connection)
    with pytest.raises(UsageError, match=r"danger\.fork"):
        twin.send(b"x")
    joined.server.connection.send(b"seen by both")
    wire = joined.server.take()
    for end in (End(twin), joined.client):
        end.feed(wire)
        assert end.data == b"seen by both"


def test_connection_cannot_be_pickled():
    with pytest.raises(UsageError, match="pickled"):
        pickle.dumps(pair().handshake().client.connection)


def test_danger_fork_of_a_fork_can_send_and_fork_of_that_cannot():
    joined = pair().handshake()
    bare = danger.fork(joined.client.connection.fork())
    bare.send(b"x")
    assert bare.bytes_to_send()
    with pytest.raises(UsageError):
        bare.fork().send(b"x")
    with pytest.raises(UsageError):
        joined.client.connection.fork().fork().send(b"x")


def _changing(value, found):
    """Everything below a part of a connection that can change: parts, their helpers, and containers."""
    if isinstance(value, list | deque | dict | bytearray):
        found[id(value)] = value
    elif type(value).__module__.startswith("puretls.") and hasattr(value, "__dict__") and not isinstance(value, SHARED) and id(value) not in found:
        found[id(value)] = value
        for below in vars(value).values():
            _changing(below, found)
    return found


def _below(connection):
    found = {}
    for part in danger.parts(connection):
        _changing(part, found)
    return found


SHARED = (Evolving, Config, Interceptor, Enum, PuretlsError, AeadProtection, Plain)
"""Frozen values, what is the application's, errors, and protections that keep no count of their own."""


def test_a_fork_shares_nothing_that_changes():
    """Whatever part a connection is given one day, a fork that forgets to copy it shows here."""
    shared = set()
    for connection, data in _moments(interceptors=(Interceptor(),)):
        waiting = danger.fork(connection)
        waiting.receive_bytes(data[:-1])
        waiting.step()
        for twin in (waiting.fork(), danger.fork(waiting)):
            near, far = (_below(end) for end in (waiting, twin))
            assert len(near) > 15
            shared |= {type(near[key]).__qualname__ for key in near.keys() & far.keys()}
    assert shared == set()
