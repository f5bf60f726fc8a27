"""What a peer must not do, done to both roles: one row a rule, each with the alert that the RFC asks for.

The rows are in `rows_*.py`; `tools/rfc_coverage.py` lists the sections that have none.
"""

from collections import Counter

import pytest

from puretls.errors import FatalAlert, KeyLimitReached, PeerError, UsageError
from tests.conformance import rows_extensions, rows_handshake, rows_key_exchange, rows_records, rows_renegotiation
from tests.conformance.row import Row
from tests.support.places import check_place

ROWS: list[Row] = [
    *rows_records.ROWS,
    *rows_handshake.ROWS,
    *rows_key_exchange.ROWS,
    *rows_extensions.ROWS,
    *rows_renegotiation.ROWS,
]
RFCS = ("5246", "5746", "5077", "7627", "7366", "7905", "8422", "7919", "6066", "7301", "8449")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_broken_rule_is_refused(row):
    joined = row.run()
    refusing, other = (joined.client, joined.server) if row.refuses == "client" else (joined.server, joined.client)
    assert isinstance(refusing.error, PeerError | KeyLimitReached), joined.story()
    fatal = [alert for alert in refusing.alerts_sent if alert != "no_renegotiation"]
    assert fatal == [row.alert], joined.story()
    assert refusing.state == "FAILED"
    assert "\n" not in str(refusing.error)
    if isinstance(refusing.error, PeerError):  # a key that is used up has no byte at fault
        check_place(refusing)
    # Dead: nothing more is taken, sent or told.
    refusing.connection.receive_bytes(b"\x17\3\3\0\1x")
    with pytest.raises(type(refusing.error)):
        refusing.connection.next_event()
    with pytest.raises(UsageError):
        refusing.connection.send(b"x")
    assert refusing.connection.bytes_to_send() == b""
    # The peer either read the alert or could make nothing of it, and is not left waiting for an answer.
    assert isinstance(other.error, FatalAlert | PeerError | KeyLimitReached) or other.alerts_received, joined.story()


def test_the_table_is_large_enough_and_covers_every_rfc():
    assert len(ROWS) >= 250
    assert len({row.name for row in ROWS}) == len(ROWS), [name for name, n in Counter(row.name for row in ROWS).items() if n > 1]
    counts = Counter(row.number for row in ROWS)
    assert all(counts[number] >= 3 for number in RFCS), counts
