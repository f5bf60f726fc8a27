"""Conversations in which a peer broke a rule: both directions are read to their ends, and it is told where the other one stopped."""

from collections import Counter

import pytest

from puretls.errors import PeerError, Reason
from puretls.inspect import Conversation, Knowledge
from puretls.inspect.seen import MessageSeen
from tests.conformance import row as table
from tests.conformance.test_refusals import ROWS
from tests.inspect.test_bytemap import check_map
from tests.support.pair import pair
from tests.support.recorded import streams, watched

R = Reason
SEEN_FROM_OUTSIDE = {
    R.UNEXPECTED_MESSAGE, R.DECODE, R.BAD_RECORD_MAC, R.RECORD_OVERFLOW, R.UNKNOWN_CONTENT_TYPE, R.WRONG_RECORD_VERSION, R.BAD_FINISHED,
    R.NOT_TLS, R.SSLV2_HELLO, R.BAD_ALERT, R.BAD_CHANGE_CIPHER_SPEC, R.EMPTY_RECORD, R.UNKNOWN_ALERT_LEVEL, R.UNALIGNED_CHANGE_CIPHER_SPEC,
    R.EXCESS_HANDSHAKE_DATA,
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
