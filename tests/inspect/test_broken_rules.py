"""Conversations in which a peer broke a rule: both directions are read to their ends, and it is told where the other one stopped."""

from collections import Counter

import pytest

from puretls.errors import PeerError, Reason
from puretls.extensions import MaxFragmentLength, RecordSizeLimit
from puretls.inspect import Conversation, Knowledge
from puretls.inspect.seen import MessageSeen
from puretls.inspect.streams import other
from puretls.messages.handshake import Certificate
from puretls.messages.records import Record
from tests.conformance import row as table
from tests.conformance.test_refusals import ROWS
from tests.inspect.test_bytemap import check_map
from tests.support.breaks import Break
from tests.support.breaks import fields as fields_of
from tests.support.pair import pair
from tests.support.recorded import streams, watched

R = Reason
SEEN_FROM_OUTSIDE = {
    R.UNEXPECTED_MESSAGE, R.DECODE, R.BAD_RECORD_MAC, R.RECORD_OVERFLOW, R.UNKNOWN_CONTENT_TYPE, R.WRONG_RECORD_VERSION, R.BAD_FINISHED,
    R.NOT_TLS, R.SSLV2_HELLO, R.BAD_ALERT, R.BAD_CHANGE_CIPHER_SPEC, R.EMPTY_RECORD, R.UNKNOWN_ALERT_LEVEL, R.UNALIGNED_CHANGE_CIPHER_SPEC,
    R.EXCESS_HANDSHAKE_DATA, R.BAD_CERTIFICATE,
}  # fmt: skip
"""Reasons that lie in the form and the order of what was sent; others need the receiver's configuration."""


def played(row, monkeypatch):
    """The error of the end that refuses, and the conversation as an observer saw it."""
    made, lines = [], []

    def recording(client, server, **options):
        made.append(watched(pair(client | {"key_log": lines.append}, server, **options)))
        return made[-1]

    monkeypatch.setattr(table, "pair", recording)
    row.run()
    joined = made[-1]
    seen = Conversation(*streams(joined.turns), Knowledge.of(lines), provider=joined.client.connection.config.provider)
    return getattr(joined, row.refuses).error, seen


def check_row(row, monkeypatch, counts):
    error, seen = played(row, monkeypatch)
    check_map(seen)
    if not isinstance(error, PeerError):
        return
    stopped = seen.stopped(row.refuses)
    if error.reason in SEEN_FROM_OUTSIDE:
        counts[stopped is not None] += 1
    if isinstance(stopped, MessageSeen):
        assert stopped.problem.reason is not None


@pytest.mark.parametrize("start", range(4))
def test_broken_rules_are_told_where_they_can_be_seen(start, monkeypatch):
    """One row of the table of refusals in sixteen."""
    counts = Counter()
    for row in ROWS[start * 4 :: 16]:
        check_row(row, monkeypatch, counts)
    assert counts[True] > 0.85 * (counts[True] + counts[False])


@pytest.mark.full
def test_all_broken_rules_are_told_where_they_can_be_seen(monkeypatch):
    counts = Counter()
    for row in ROWS:
        check_row(row, monkeypatch, counts)
    assert counts[True] > 0.9 * (counts[True] + counts[False]), counts


LIMITS = {
    "max_fragment_length": ({"extensions": (MaxFragmentLength(512),)}, {}, 512, "RFC 6066 4", ("client", "server")),
    "record_size_limit of the client": ({"extensions": (RecordSizeLimit(600),)}, {}, 600, "RFC 8449 4", ("server",)),
    "record_size_limit of the server": (
        {"extensions": (RecordSizeLimit(16_384),)}, {"extensions": (RecordSizeLimit(700),)}, 700, "RFC 8449 4", ("client",)
    ),
    "both: record_size_limit counts": (
        {"extensions": (RecordSizeLimit(600), MaxFragmentLength(512))}, {"extensions": (RecordSizeLimit(700),)}, 600, "RFC 8449 4", ("server",)
    ),
}  # fmt: skip


def sends_more(size):
    """Data of `size` bytes in one record, whatever was agreed on."""
    return Break("plaintext", lambda record, where: record.type == 23, lambda record: [Record(23, record.version, bytes(size))])


@pytest.mark.rfc("6066", "4")
@pytest.mark.rfc("8449", "4")
@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("over", [0, 1])
def test_a_record_longer_than_was_agreed_on_is_where_its_receiver_stops(name, over):
    client, server, size, rfc, sides = LIMITS[name]
    for side in sides:
        lines = []
        fields = {"client": client | {"key_log": lines.append}, "server": server}
        fields[side] = fields[side] | {"interceptors": (sends_more(size + over),)}
        joined = watched(pair(fields["client"], fields["server"])).handshake()
        sender = getattr(joined, side)
        sender.connection.send(b"one byte")
        joined.run()
        receiver = getattr(joined, other(side))
        seen = Conversation(*streams(joined.turns), Knowledge.of(lines), provider=sender.connection.config.provider)
        stopped = seen.stopped(other(side))
        assert (stopped is not None) == bool(over) == isinstance(receiver.error, PeerError)
        if stopped is not None:
            assert (stopped.problem.reason, stopped.problem.rfc) == (receiver.error.reason, rfc)
            assert f"at most {size}" in stopped.problem.sentence
            assert stopped.problem.path.endswith(".length")


@pytest.mark.rfc("5246", "7.4.2")
@pytest.mark.parametrize("der", [b"\x30\x03\x02\x01\x05", b"\x30\x82\x10\x00\x30", b"no certificate", b"\x05\x00"])
def test_a_certificate_that_is_none_is_where_its_receiver_stops(der):
    change = fields_of(Certificate, certificate_list=(der,))
    joined = watched(pair({}, {"interceptors": (change,)})).handshake()
    seen = Conversation(*streams(joined.turns))
    stopped = seen.stopped("client")
    assert (stopped.path, stopped.problem.reason) == ("server.Certificate", joined.client.error.reason)
    assert seen.stopped("server") is None
