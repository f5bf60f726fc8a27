"""One direction of a connection: sequence numbers, epochs, the limits of a key."""

import pytest

from puretls.crypto.bulk import kernel_stream
from puretls.crypto.cbc import RC4_128
from puretls.errors import KeyLimitReached
from puretls.messages.records import Record
from puretls.record.channel import Channel
from puretls.record.protection import OneByOne, StreamProtection


class Numbering(OneByOne):
    """Shows the sequence number it was given."""

    def seal(self, sequence, type_, data):
        return bytes((sequence,)) + data

    def open(self, sequence, type_, fragment):
        return fragment[1:] if fragment[0] == sequence else None


def protected(records=100, bytes_=2**64):
    channel = Channel(records, bytes_)
    channel.change(Numbering())
    return channel


@pytest.mark.rfc("5246", "6.1")
def test_sequence_counts_and_begins_anew_with_each_key():
    channel = protected()
    assert [channel.seal(23, b"").fragment[0] for _ in range(3)] == [0, 1, 2]
    assert [record.fragment[0] for record in channel.seal_many([(23, b"")] * 2)] == [3, 4]
    channel.change(Numbering())
    assert (channel.seal(23, b"").fragment[0], channel.epoch) == (0, 2)


@pytest.mark.rfc("5246", "6.1")
def test_records_are_opened_by_their_own_number_only():
    channel = protected()
    sealed = protected().seal_many([(23, b"a"), (23, b"b"), (23, b"c")])
    assert channel.open_many(sealed[:2]) == [b"a", b"b"]
    assert channel.open(sealed[1]) is None
    assert channel.open(Record(23, 0x0303, b"\3x")) == b"x"


def test_before_the_first_key_nothing_is_protected_or_limited():
    channel = Channel(1, 1)
    assert not channel.protected
    for _ in range(5):
        assert channel.seal(22, b"xyz").fragment == b"xyz"


@pytest.mark.rfc("5246", "6.1")
def test_a_key_is_not_used_beyond_its_records():
    channel = protected(records=3)
    assert channel.allows(3)
    assert not channel.allows(4)
    channel.seal_many([(23, b"")] * 3)
    with pytest.raises(KeyLimitReached):
        channel.seal(23, b"")


def test_a_key_is_not_used_beyond_its_bytes():
    channel = Channel(100, 2**64)
    channel.change(Numbering(), bytes_per_key=10)
    assert not channel.allows(1)
    channel.seal(23, bytes(10))
    with pytest.raises(KeyLimitReached):
        channel.seal(23, b"x")


def test_fork_goes_on_by_itself():
    channel = Channel(100, 2**64)
    channel.change(StreamProtection(kernel_stream(RC4_128, bytes(16)), "sha1", bytes(20)))
    channel.seal(23, b"before")
    twin = channel.fork()
    assert channel.seal(23, b"after") == twin.seal(23, b"after")
    assert channel.seal(23, b"more") == twin.seal(23, b"more")
