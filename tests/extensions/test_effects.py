"""What follows from an extension is its own business: an extension of one's own acts with nothing of the package changed for it."""

from dataclasses import dataclass

import pytest

from puretls.extensions import ORDER
from puretls.extensions.base import Empty, Extension, RecordLimits
from puretls.iana import ContentType
from puretls.intercept import Direction
from puretls.messages.records import MAX_PLAINTEXT
from tests.support.pair import pair

SMALL = 100


@dataclass(frozen=True)
class Unlimited(Extension):
    """Agreed on, and without an effect."""

    type = 0xFAFA
    rfc = "RFC 5246 7.4.1.4"

    def offer(self, view):
        return Empty()

    def accept(self, body, view):
        return True

    def answer(self, result, view):
        return Empty()

    def confirm(self, body, view):
        return True


class Limited(Unlimited):
    """No more than `SMALL` bytes to the peer, and from it."""

    def record_limits(self, result):
        return RecordLimits(SMALL, SMALL)


class LimitedSending(Unlimited):
    """No more than `SMALL` bytes to the peer, from which any size is taken."""

    def record_limits(self, result):
        return RecordLimits(send=SMALL)


class LimitedByKeys(Limited):
    """As RFC 8449 4 has it."""

    limits_go_with_keys = True


class Careless(Limited):
    """Has agreed to the limit and sends what it likes."""

    def record_limits(self, result):
        return RecordLimits(receive=SMALL)


def joined(client, server):
    return pair({"extensions": (client(),)}, {"extensions": (server(),)}).handshake()


def sizes(connection):
    """Bytes of plaintext in each record of application data that was sent."""
    sent = connection.trace.records(Direction.OUTBOUND)
    return [entry.content_length for entry in sent if entry.content_type == ContentType.APPLICATION_DATA]


@pytest.mark.parametrize("kind", [Limited, LimitedSending, LimitedByKeys])
def test_an_extension_of_ones_own_bounds_records_both_ways(kind):
    ends = joined(kind, kind)
    for end in ends.ends():
        assert end.connection.negotiated.send_limit == SMALL
    ends.exchange(b"u" * 250, b"d" * 350)
    assert sizes(ends.client.connection) == [SMALL, SMALL, 50]
    assert sizes(ends.server.connection) == [SMALL, SMALL, SMALL, 50]


@pytest.mark.parametrize("kind", [Limited, LimitedByKeys])
def test_a_record_beyond_the_limit_of_an_extension_of_ones_own_is_refused(kind):
    ends = joined(Careless, kind)
    ends.client.connection.send(b"u" * (SMALL + 1))
    ends.run()
    assert ends.server.error.reason.name == "RECORD_OVERFLOW"


def test_without_an_effect_records_are_as_long_as_ever():
    ends = joined(Unlimited, Unlimited)
    assert ends.client.connection.negotiated.result(Unlimited) is True
    assert ends.client.connection.negotiated.send_limit == MAX_PLAINTEXT
    ends.exchange(b"u" * MAX_PLAINTEXT, b"")
    assert sizes(ends.client.connection) == [MAX_PLAINTEXT]


def test_a_limit_holds_only_where_the_extension_was_agreed_on():
    ends = pair({"extensions": (Limited(),)}, {}).handshake()
    assert ends.client.connection.negotiated.send_limit == MAX_PLAINTEXT


@pytest.mark.parametrize("extension", ORDER, ids=lambda cls: cls.__name__)
def test_what_a_session_keeps_of_an_extension_are_fields_of_a_session(extension):
    from dataclasses import fields

    from puretls.session import Session

    assert extension.kept(None).keys() <= {field.name for field in fields(Session)}
