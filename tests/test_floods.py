"""A peer that sends forever costs bounded memory and ends in the right alert (limits against abuse)."""

import gc
import os
import subprocess
import sys
import tracemalloc
from collections import deque
from contextlib import suppress
from itertools import islice, repeat
from pathlib import Path

import pytest

from puretls import danger
from puretls.config import Limits
from puretls.connection.repeats import FORGIVING_DATA, ROWS_AMONG_DATA
from puretls.errors import PuretlsError, UsageError
from puretls.events import NEED_DATA, AlertSent
from puretls.messages.records import Record
from tests.support.pair import pair

MEGABYTE = 2**20


def plain(type_, data):
    return Record(type_, 0x0303, data).to_bytes()


def message(type_, length):
    return bytes((type_,)) + length.to_bytes(3, "big")


def one_by_one(data):
    for index in range(len(data)):
        yield plain(22, data[index : index + 1])


def chain_without_end():
    """A Certificate message that announces 16 MB, in records of 2^14 bytes."""
    yield plain(22, message(11, 2**24 - 1) + (2**24 - 4).to_bytes(3, "big"))
    yield from repeat(plain(22, b"\0\1\0" + bytes(2**14 - 3)))


def many_certificates():
    body = b"\0\0\1x" * 50_000
    whole = message(11, len(body) + 3) + len(body).to_bytes(3, "big") + body
    for start in range(0, len(whole), 2**14):
        yield plain(22, whole[start : start + 2**14])


# What comes in the clear, before any keys: to whom, after how much of a handshake, what, and the alert that ends it
CLEAR = {
    "empty handshake records": ("server", "START", lambda: repeat(plain(22, b"")), "unexpected_message"),
    "empty alerts": ("server", "START", lambda: repeat(plain(21, b"")), "unexpected_message"),
    "warnings": ("server", "START", lambda: repeat(plain(21, b"\1\x5a")), "unexpected_message"),
    "warnings to a client": ("client", "WAIT_SERVER_HELLO", lambda: repeat(plain(21, b"\1\x5a")), "unexpected_message"),
    "unknown warnings": ("client", "WAIT_SERVER_HELLO", lambda: repeat(plain(21, b"\1\xff")), "unexpected_message"),
    "hello requests": ("client", "WAIT_SERVER_HELLO", lambda: repeat(plain(22, message(0, 0))), "unexpected_message"),
    "hello requests, many to a record": ("client", "WAIT_SERVER_HELLO", lambda: repeat(plain(22, message(0, 0) * 4000)), "unexpected_message"),
    "a message of 16 MB": ("server", "START", lambda: chain(plain(22, message(1, 2**24 - 1)), repeat(plain(22, bytes(2**14)))), "decode_error"),
    "a hello as long as allowed, by the byte": ("server", "START", lambda: one_by_one(message(1, 20_000) + bytes(20_000)), "decode_error"),
    "certificates without end": ("client", "WAIT_CERTIFICATE", chain_without_end, "decode_error"),
    "50,000 certificates": ("client", "WAIT_CERTIFICATE", many_certificates, "bad_certificate"),
    "application data in the clear": ("server", "START", lambda: repeat(plain(23, bytes(2**14))), "unexpected_message"),
    "change cipher specs": ("server", "START", lambda: repeat(plain(20, b"\1")), "unexpected_message"),
    "noise": ("server", "START", lambda: repeat(b"\xa5" * 2**14), "unexpected_message"),
    "records that are never complete": ("server", "START", lambda: repeat(b"\x16\3\3\x40\0"), None),
}  # fmt: skip


def chain(first, rest):
    yield first
    yield from rest


def waiting(role, state):
    """An end in this state."""
    joined = pair({"trace_limit": 2**16}, {"trace_limit": 2**16, "session_cache": None})
    joined.client.connection.start()
    if state == "WAIT_CERTIFICATE":
        joined.server.feed(joined.client.take())
        flight = joined.server.take()
        joined.client.feed(flight[: 5 + int.from_bytes(flight[3:5], "big")])
    elif role == "server":
        assert state == "START"
    end = getattr(joined, role)
    assert end.state == state
    return end.connection


def flood(connection, pieces, total):
    """Feed `total` bytes, or a hundred pieces beyond the connection's death; the alerts it sent, its growth in bytes, how much was fed."""
    alerts, fed, left = [], 0, 100
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for piece in pieces:
            connection.receive_bytes(piece)
            fed += len(piece)
            try:
                while (event := connection.next_event()) is not NEED_DATA:
                    if isinstance(event, AlertSent):
                        alerts.append(event.description.name.lower())
            except PuretlsError:
                pass
            connection.bytes_to_send()
            left -= connection.state.name == "FAILED"
            if fed >= total or not left:
                break
        kept, peak = tracemalloc.get_traced_memory()
        # For a moment a message may take several times its bytes; what stays is what counts.
        assert peak - before < 3 * MEGABYTE
        return alerts, kept - before, fed
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CLEAR)
def test_flood_in_the_clear_is_stopped(name):
    role, state, pieces, alert = CLEAR[name]
    connection = waiting(role, state)
    alerts, growth, _ = flood(connection, pieces(), 2 * MEGABYTE)
    if alert:
        assert alerts[-1] == alert, alerts
        assert len(alerts) - alerts.count("no_renegotiation") == 1
        assert connection.state.name == "FAILED"
    assert growth < MEGABYTE


# What comes under keys, from a peer that has shaken hands


def sealed(end, type_, data, count):
    """Records as the other end would send them, made one at a time."""
    outbound = danger.parts(end.connection).outbound
    for _ in range(count):
        outbound.send(type_, data, 2**14)
        yield end.connection.bytes_to_send()


PROTECTED = {
    "empty application data": (23, b"", "unexpected_message"),
    "warnings": (21, b"\1\x5a", "unexpected_message"),
    "hello requests": (22, message(0, 0), "unexpected_message"),
    "tickets": (22, message(4, 10) + bytes(10), "unexpected_message"),
    "alerts of one byte": (21, b"\1", "decode_error"),
    "a message of 16 MB": (22, message(0, 2**24 - 1) + bytes(2**14 - 4), "decode_error"),
}


@pytest.mark.parametrize("name", PROTECTED)
def test_flood_under_keys_is_stopped(name):
    type_, data, alert = PROTECTED[name]
    joined = pair({"trace_limit": 2**16}, {"trace_limit": 2**16}).handshake()
    alerts, growth, _ = flood(joined.client.connection, sealed(joined.server, type_, data, 500), 2 * MEGABYTE)
    assert [one for one in alerts if one != "no_renegotiation"] == [alert]
    assert growth < MEGABYTE


def test_hello_requests_are_answered_a_few_times_only():
    joined = pair().handshake()
    alerts, _, _ = flood(joined.client.connection, sealed(joined.server, 22, message(0, 0), 100), MEGABYTE)
    assert alerts.count("no_renegotiation") == Limits().hello_requests


@pytest.mark.parametrize("size", [1, 1000, 2**14])
def test_hello_requests_with_data_in_turn_are_answered_in_proportion_to_the_data(size):
    """A peer that reads nothing has answers queued for it: how many, its bytes must bound."""
    joined = pair({"trace_limit": 2**16}, {"trace_limit": 2**16}).handshake()
    client, outbound, fed, answers = joined.client, danger.parts(joined.server.connection).outbound, 0, 0
    for _ in range(200):
        outbound.send(23, bytes(size), 2**14)
        outbound.send(22, message(0, 0), 2**14)
        wire = joined.server.take()
        fed += len(wire)
        client.feed(wire)
        answers += len(client.take())
        if client.error is not None:
            break
    refused = client.alerts_sent.count("no_renegotiation")
    assert refused <= Limits().hello_requests * ROWS_AMONG_DATA * (1 + fed // FORGIVING_DATA)
    assert (client.error is None) == (size == 2**14)
    assert answers < 4096 + fed // 100


@pytest.mark.parametrize("interval", [1, 30])
def test_empty_records_between_data_are_no_flood(interval):
    joined = pair().handshake()
    for _ in range(5):
        for _ in range(interval):
            danger.parts(joined.client.connection).outbound.send(23, b"", 2**14)
        joined.client.connection.send(b"x")
        joined.run()
    assert joined.server.data == b"x" * 5


def test_data_is_handed_out_and_not_kept():
    joined = pair({"trace_limit": 2**16}, {"trace_limit": 2**16}).handshake()
    _, growth, fed = flood(joined.client.connection, sealed(joined.server, 23, bytes(2**14), 10_000), 16 * MEGABYTE)
    assert fed >= 16 * MEGABYTE
    assert growth < MEGABYTE


def test_input_that_nobody_takes_is_bounded():
    joined = pair({}, {"limits": Limits(buffered=2**16)}).handshake()
    server = joined.server.connection
    pieces = sealed(joined.client, 23, bytes(2**14), 100)
    with pytest.raises(UsageError, match="too much input"):
        deque(map(server.receive_bytes, pieces), maxlen=0)
    assert server.bytes_buffered < 2**17


def resident():
    """Bytes of memory that the process has in use, as the system counts them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def grown_by_a_gigabyte():
    """Feeds every flood in turn, to a new connection every hundred pieces, until a gigabyte is through; bytes by which memory grew.

    Garbage is collected after each turn: left to itself, the collector runs at moments that depend on the seed of hashes,
    and up to three megabytes of it lie about in between.
    """

    def everything_once():
        fed = 0
        for role, state, pieces, _ in CLEAR.values():
            connection = waiting(role, state)
            for piece in islice(pieces(), 100):
                connection.receive_bytes(piece)
                fed += len(piece)
                with suppress(PuretlsError):
                    while connection.next_event() is not NEED_DATA:
                        pass
                connection.bytes_to_send()
        gc.collect()
        return fed

    for _ in range(60):  # until the allocator has what it keeps for itself
        everything_once()
    before, fed = resident(), 0
    while fed < 2**30:
        fed += everything_once()
    return resident() - before


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
def test_gigabyte_of_hostile_input_grows_the_process_by_less_than_a_megabyte(root):
    script = "from tests.test_floods import grown_by_a_gigabyte; print(grown_by_a_gigabyte())"
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MEGABYTE
