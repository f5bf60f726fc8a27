"""What a server must answer to clients that keep the rules, bend them and break them: the protocol by tables, then over a real server."""

from collections import Counter

import pytest

from puretls.connection import Connection
from puretls.errors import PeerError
from puretls.extensions import Alpn, RecordSizeLimit
from puretls.intercept import Direction
from puretls.messages.registry import parse_handshake
from puretls.session import MemorySessionStore, TicketKeys
from puretls.suites import SUITES
from tests.conformance import rows_client_hello as hellos
from tests.conformance import rows_server
from tests.support.credentials import NOW, credential
from tests.support.pair import End, pair, server_config
from tests.support.places import check_place

SAFE = tuple(suite for suite in SUITES if not suite.danger and not suite.is_psk)


def a_server(**fields):
    settings = {
        "credentials": (credential("rsa2048"), credential()),
        "suites": SAFE,
        "extensions": (Alpn("h2", "http/1.1"), RecordSizeLimit(2**14)),
        "tickets": TicketKeys([b"k" * 48], clock=lambda: NOW),
        "session_cache": MemorySessionStore(clock=lambda: NOW),
    }
    return server_config(**settings | fields)


SERVER = a_server()


def reaction(data, config=SERVER):
    """What a server makes of these bytes: the name of its alert, or the ServerHello that it sent. An error says where it is."""
    server = End(Connection.server(config))
    server.feed(data)
    if isinstance(server.error, PeerError):
        check_place(server)
    if server.alerts_sent or server.error is not None:
        return server.alerts_sent[0] if server.alerts_sent else str(server.error)
    raw = next((entry.raw for entry in server.connection.trace.messages() if entry.name == "ServerHello"), None)
    return None if raw is None else parse_handshake(raw, None)


def verdict(expected, got):
    """None, or what is wrong."""
    if isinstance(expected, str) or isinstance(got, str) or got is None:
        return None if expected == got else f"{got}, not {expected}"
    types = frozenset(one.extension_type for one in got.extensions or ())
    if expected.suite not in {None, got.cipher_suite}:
        return f"suite {got.cipher_suite!r}"
    return None if expected.extensions in {None, types} else f"answered {sorted(types)}"


FAMILIES = sorted({rfc for rfc, *_ in hellos.ROWS})


@pytest.mark.parametrize("rfc", FAMILIES)
def test_hello_is_answered_or_refused(rfc):
    wrong = {}
    for section, what, data, expected in hellos.ROWS:
        if section == rfc:
            problem = verdict(expected, reaction(data))
            if problem:
                wrong[what] = problem
    assert not wrong


def test_rows_are_many_and_each_of_its_own():
    names = Counter((rfc, what) for rfc, what, *_ in hellos.ROWS)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 1800


# After the hello


@pytest.mark.parametrize("row", rows_server.ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_broken_rule_is_refused(row):
    joined = row.run()
    assert isinstance(joined.server.error, PeerError), joined.story()
    assert joined.server.alerts_sent == [row.alert], joined.story()
    assert joined.server.state == "FAILED"
    check_place(joined.server)


@pytest.mark.rfc("5246", "7.4.7.1")
def test_bad_premaster_secrets_cannot_be_told_apart():
    """The same messages, as many bytes, at the same moments (against Bleichenbacher)."""
    seen = set()
    for row in rows_server.ROWS:
        if row.what.startswith("premaster secret"):
            server = row.run().server
            entries = [(entry.direction, entry.name, entry.length) for entry in server.connection.trace if entry.direction is Direction.OUTBOUND]
            seen.add((tuple(entries), str(server.error), len(server.sent)))
    assert len(seen) == 1


def test_rows_of_conversations_are_each_of_their_own():
    names = Counter(row.name for row in rows_server.ROWS)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 180


# What must be put up with

REAL = rows_server.REAL
WARNING = bytes((21, 3, 3, 0, 2, 1, 90))  # user_canceled


@pytest.mark.rfc("5246", "6.2.3.2")
def test_longest_padding_is_read():
    setup = rows_server.OLD_CBC
    joined = rows_server.crooked(rows_server.longest(lambda plain: plain))(lambda: pair(setup[0] | REAL, setup[1] | REAL))
    assert joined.server.data == b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.rfc("5246", "7.2.2")
@pytest.mark.parametrize("count", [1, 4, 5])
def test_few_warnings_are_put_up_with(count):
    hello = next(data for _, what, data, _ in hellos.ROWS if what == "a suite many times")
    got = reaction(WARNING * count + hello)
    assert (got == "unexpected_message") is (count > 4)


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("suite", [rows_server.CBC, rows_server.OLD_CBC, rows_server.ECDHE, rows_server.DHE])
def test_data_flows_after_each_of_three_handshakes(suite):
    joined = pair(suite[0] | REAL | {"renegotiation": True}, suite[1] | REAL | {"renegotiation": True}).handshake()
    for number in range(2):
        joined.client.connection.renegotiate()
        joined.run()
        assert joined.connected, joined.story()
        joined.exchange(b"up %d" % number, b"down %d" % number)
