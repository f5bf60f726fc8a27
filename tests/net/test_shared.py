"""Servers that share sessions and ticket keys through a real Redis server; what it sees, and what happens while it is away."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from puretls.ca import DevelopmentCa
from puretls.crypto.secret import Secret
from puretls.errors import UsageError
from puretls.net import shared
from puretls.net.shared import LONGEST, Redis, SharedSessions, SharedTicketKeys
from puretls.session import Session
from tests.cli.command import ENVIRONMENT, Serving
from tests.support.redis_server import RedisServer

pytest.importorskip("ssl")
redis = pytest.importorskip("redis")
from redis.backoff import NoBackoff  # noqa: E402
from redis.retry import Retry  # noqa: E402

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here"),
]

SECRET = bytes(range(32))


@pytest.fixture
def store(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.end()


@pytest.fixture
def client(store):
    with redis.Redis.from_url(store.url) as client:
        yield client


@pytest.fixture
def remote(client):
    return Redis(client)


def session(now, lifetime=1000, secret=b"m" * 48):
    return Session(suite=0xC02F, master_secret=Secret(secret), created=now, lifetime=lifetime, extended_master_secret=True)


def test_what_one_seals_the_other_opens_and_the_store_sees_no_secret(remote, client):
    one, other = (SharedTicketKeys(remote, SECRET) for _ in range(2))
    kept = replace(session(int(time.time())), session_id=b"id")
    ticket = one.seal(kept)
    assert other.open(ticket) == (kept, False)
    SharedSessions(one).put(b"id", kept)
    assert SharedSessions(other).get(b"id") == kept
    for key in client.scan_iter():
        assert 0 < client.ttl(key) <= 36 * 3600
        assert b"mmmm" not in client.get(key)
        assert one.export()[0][16:] not in client.get(key)
    assert 990 <= client.ttl(b"puretls:session:" + b"id".hex().encode()) <= 1000
    SharedSessions(one).discard(b"id")
    assert SharedSessions(other).get(b"id") is None


def test_keys_rotate_once_for_all_and_old_ones_open_as_long_as_tickets_live(remote):
    now = [1_000_000.0]
    one, other = (SharedTicketKeys(remote, SECRET, period=100, lifetime=200, clock=lambda: now[0]) for _ in range(2))
    ticket = one.seal(session(now[0]))
    now[0] += 100
    assert other.open(ticket) == (session(1_000_000.0), True)
    assert one.open(other.seal(session(now[0])))[1] is False
    assert one.export() == other.export()
    assert len(one.export()) == 2
    now[0] += 200
    assert other.open(ticket) == (None, False)


@pytest.mark.parametrize("change", [lambda keys: keys.rotate(), lambda keys: keys.set([bytes(48)])], ids=["rotate", "set"])
def test_nobody_changes_the_keys_of_one_server_alone(remote, change):
    one, other = (SharedTicketKeys(remote, SECRET) for _ in range(2))
    one.seal(session(int(time.time())))
    with pytest.raises(UsageError, match="for all servers at once"):
        change(one)
    assert other.open(one.seal(session(int(time.time()))))[0] is not None


@pytest.mark.parametrize("wrong", [{"period": 0}, {"period": float("inf")}, {"lifetime": float("inf")}, {"prefix": "text"}], ids=str)
def test_what_cannot_be_right_is_told_before_any_client_comes(wrong):
    with pytest.raises(UsageError, match="ticket keys"):
        SharedTicketKeys(None, SECRET, **wrong)


def test_who_has_another_secret_or_changes_what_is_stored_gets_nothing(remote, client, caplog):
    one = SharedTicketKeys(remote, SECRET)
    ticket = one.seal(session(int(time.time())))
    assert SharedTicketKeys(remote, bytes(32)).open(ticket) == (None, False)
    SharedSessions(one).put(b"id", session(int(time.time())))
    for key in client.scan_iter():
        client.set(key, client.get(key)[:-1] + b"?")
    assert SharedSessions(one).get(b"id") is None
    assert SharedTicketKeys(remote, SECRET).open(ticket) == (None, False)
    assert "not sealed under this secret" in caplog.text
    with pytest.raises(UsageError, match="32 bytes"):
        SharedTicketKeys(remote, b"short")


@pytest.mark.rfc("5246", "F.1.4")
def test_what_is_planted_under_a_session_id_makes_a_client_shake_hands_in_full(remote, client, caplog):
    """With the session of another it would get an error: its Finished could not be read."""
    keys = SharedTicketKeys(remote, SECRET)
    sessions, place = SharedSessions(keys), b"puretls:session:" + b"id".hex().encode()
    kept = session(int(time.time()))
    sessions.put(b"another", kept)
    another = client.get(b"puretls:session:" + b"another".hex().encode())
    for planted in (another, keys.seal(kept), b"", b"x", bytes(28), os.urandom(300), bytes(2 * LONGEST)):
        client.set(place, planted)
        assert sessions.get(b"id") is None
    assert len(remote.get(place)) == LONGEST + 1, "more is not even read"
    client.delete(place)
    client.rpush(place, b"x")
    assert sessions.get(b"id") is None
    assert caplog.text.count("WRONGTYPE") == 1
    assert sessions.get(b"another") is None, "nobody is asked for a while"


def test_store_that_lost_its_keys_is_given_them_again_and_servers_come_together(remote, client, monkeypatch, caplog):
    monkeypatch.setattr(shared, "CONFIRM", 0.0)
    one = SharedTicketKeys(remote, SECRET)
    kept = session(int(time.time()))
    before = one.seal(kept)
    client.flushall()
    one.seal(kept)
    assert SharedTicketKeys(remote, SECRET).open(before) == (kept, False), "a server that starts finds the key"
    client.flushall()
    other = SharedTicketKeys(remote, SECRET)
    assert other.open(before) == (None, False), "it was faster, and made another"
    assert other.open(one.seal(kept)) == (kept, False)
    assert one.open(before) == (kept, True)
    (key,) = client.scan_iter()
    client.set(key, b"of somebody else")
    assert one.open(before)[0] == kept
    assert caplog.text.count("not sealed under this secret") == 1
    assert "redis://HOST/1" in caplog.text
    client.delete(key)
    assert other.open(one.seal(kept)) == (kept, False)


def test_store_that_takes_nothing_gives_what_it_has_and_is_one_line(remote, client, caplog, monkeypatch):
    monkeypatch.setattr(shared, "PAUSE", 0.0)
    keys = SharedTicketKeys(remote, SECRET)
    ticket = keys.seal(session(int(time.time())))
    client.config_set("min-replicas-to-write", 1)
    other = SharedTicketKeys(remote, SECRET)
    assert other.open(ticket)[0] is not None
    for _ in range(3):
        SharedSessions(other).put(b"id", session(int(time.time())))
        assert SharedSessions(other).get(b"id") is None
    assert caplog.text.count("NOREPLICAS") == 1
    caplog.set_level("INFO")
    client.config_set("min-replicas-to-write", 0)
    SharedSessions(other).put(b"id", session(int(time.time())))
    assert "answers again" in caplog.text


@pytest.mark.parametrize("answer", [b":x\r\n", b":1\r\n", b"*1\r\n$1\r\nx\r\n", b"$x\r\n", b"+OK\r\n", b"%9\r\n", b"\xff\r\n", b"-ERR \xff\r\n", b""])
def test_what_answers_nonsense_is_away(answer):
    """Whatever the client makes of it: the server that asks gets no other error."""

    def nonsense(listener):
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    while sock.recv(4096) and answer:
                        sock.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=nonsense, args=(listener,), daemon=True)
        thread.start()
        once = Retry(NoBackoff(), 0)
        with redis.Redis("127.0.0.1", listener.getsockname()[1], protocol=2, socket_timeout=5, retry=once) as client:
            store = Redis(client)
            with suppress(OSError):
                assert isinstance(store.get(b"x"), bytes | None)
            keys = SharedTicketKeys(store, SECRET)
            assert keys.open(keys.seal(session(int(time.time()))))[0] is not None
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(20)


def test_user_of_the_store_needs_three_commands_and_our_keys(store, client, remote, caplog):
    client.acl_setuser("puretls", enabled=True, passwords=["+word"], keys=["puretls:*"], commands=["+getrange", "+set", "+del"])
    with redis.Redis(unix_socket_path=store.url.removeprefix("unix://"), username="puretls", password="word") as restricted:
        keys, kept = SharedTicketKeys(Redis(restricted), SECRET), session(int(time.time()))
        SharedSessions(keys).put(b"id", kept)
        assert SharedSessions(SharedTicketKeys(remote, SECRET)).get(b"id") is not None
        SharedSessions(keys).discard(b"id")
        assert SharedSessions(keys).get(b"id") is None
    assert not client.exists(b"puretls:session:" + b"id".hex().encode())
    assert caplog.text == ""


def test_store_that_is_away_is_one_line_and_tickets_go_on(store, caplog, monkeypatch):
    monkeypatch.setattr(shared, "PAUSE", 0.0)
    keys = SharedTicketKeys(Redis.from_url(store.url), SECRET)
    ticket = keys.seal(session(int(time.time())))
    store.end()
    sessions = SharedSessions(keys)
    for _ in range(3):
        sessions.put(b"id", session(int(time.time())))
        assert sessions.get(b"id") is None
        sessions.discard(b"id")
    assert keys.open(ticket)[0] is not None
    alone = SharedTicketKeys(Redis.from_url(store.url), SECRET)
    assert alone.open(alone.seal(session(int(time.time()))))[0] is not None
    assert caplog.text.count("the store of sessions is away") == 2  # of `keys` and of `alone`
    store.start()
    sessions.put(b"id", session(int(time.time())))
    assert sessions.get(b"id") is not None


def test_client_that_decodes_what_it_reads_is_refused(store):
    with (
        redis.Redis.from_url(store.url, decode_responses=True) as client,
        pytest.raises(UsageError, match="decode_responses=False"),
    ):
        Redis(client)


@pytest.mark.parametrize("url", ["", "localhost", "http://localhost", "redis://localhost:x", "redis://:secret@[::1", "redis://a..b", "redis://localhost?bogus=1", "redis://localhost?protocol=7", "rediss://localhost?ssl_cert_reqs=no"])
def test_what_names_no_server_is_refused_and_a_password_is_not_told(url):
    with pytest.raises(UsageError) as refused:
        Redis.from_url(url)
    assert "secret" not in str(refused.value)


def test_without_the_package_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UsageError, match=r"pip install 'puretls\[redis\]'"):
        Redis.from_url("redis://localhost")


# Two machines, as two servers that know of each other by the store alone

SERVER = """
import logging, socket, sys
from functools import partial
from puretls import Credential, ServerConfig, TlsError
from puretls.net import TlsSocket, workers
from puretls.net.shared import LONGEST, Redis, SharedSessions, SharedTicketKeys

logging.basicConfig(level=logging.INFO, format="%(message)s")
keys = SharedTicketKeys(Redis.from_url(sys.argv[1]), bytes(range(32)))
config = ServerConfig(credentials=(Credential.from_files("server.pem", "server.key"),), tickets=keys, session_cache=SharedSessions(keys))

def work(listener, config, stopping):
    for client, address in iter(partial(workers.accept, listener, stopping), None):
        with TlsSocket.server(client, config) as tls:
            tls.sendall(tls.recv(100))
    listener.close()

shared = workers.Configurations(lambda: config)
with socket.create_server(("127.0.0.1", 0)) as listener:
    workers.run(listener, work, shared.reload, renew=shared.renew, count=1)
"""


@pytest.fixture
def machines(store, tmp_path):
    """Two servers, and a function that talks to one of them."""
    authority = DevelopmentCa.create(os.urandom, time.time())
    issued = authority.issue(["localhost"])
    texts = {"server.pem": issued.chain_pem, "server.key": issued.key_pem, "ca.pem": authority.root_pem, "server.py": SERVER}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    @contextmanager
    def machine(name):
        path = tmp_path / f"{name}.log"
        command = [sys.executable, "server.py", store.url]
        with path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT, cwd=tmp_path) as process:
            try:
                yield Serving(process, path)
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) in (0, -signal.SIGKILL)

    with machine("one") as one, machine("other") as other:
        yield one, other


@pytest.fixture
def talk(tmp_path):
    from tests.support.openssl import resuming

    return resuming(tmp_path / "ca.pem")


@pytest.mark.rfc("5077", "4")
def test_sessions_of_a_machine_that_was_killed_are_resumed_by_another_until_the_store_goes_too(machines, store, talk):
    one, other = machines
    by_ticket, _ = talk(one)
    by_id, _ = talk(one, tickets=False)
    assert by_ticket.has_ticket
    assert not by_id.has_ticket
    one.process.kill()
    assert talk(other, by_ticket)[1]
    assert talk(other, by_id, tickets=False)[1]
    store.end()
    assert not talk(other, by_id, tickets=False)[1]
    assert not talk(other, tickets=False)[1]
    assert talk(other, by_ticket)[1], "this machine knows the key"
    assert other.log.count("the store of sessions is away") == 1
    assert "Traceback" not in other.log
