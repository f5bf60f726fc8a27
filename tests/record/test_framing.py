"""Records out of a byte stream: any split gives the same records; headers are judged as soon as they are there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import PeerError, Reason
from puretls.messages.records import MAX_PLAINTEXT, Record
from puretls.record.framing import Framer

records = st.lists(
    st.builds(Record, st.sampled_from((20, 21, 22, 23)), st.just(0x0303), st.binary(max_size=60)), min_size=1, max_size=6
)


def taken(framer, **options):
    settings_ = {"limit": MAX_PLAINTEXT, "version": 0x0303} | options
    while (record := framer.next(**settings_)) is not None:
        yield record


@pytest.mark.rfc("5246", "6.2.1")
@given(expected=records, data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_split_of_the_stream_gives_the_same_records(expected, data):
    stream = b"".join(record.to_bytes() for record in expected)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    framer, found = Framer(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        framer.feed(stream[start:end])
        found += taken(framer)
    assert found == expected
    assert (len(framer), framer.consumed) == (0, len(stream))


class CopyCounting(Framer):
    """Counts the bytes that are copied when what was fed is put together."""

    copied = 0

    def _gather(self):
        if self._later:
            self.copied += len(self)
        super()._gather()


@pytest.mark.parametrize("waiting", [0, 100, 2**20])
@pytest.mark.parametrize("taking", [False, True])
def test_feeding_by_the_byte_copies_each_byte_a_few_times_whatever_waits(waiting, taking):
    framer, record = CopyCounting(), Record(23, 0x0303, bytes(2**14)).to_bytes()
    stream, fed, found = record * 4, 0, 0
    for _ in range(-(-waiting // len(record))):
        framer.feed(record)
        fed += len(record)
    for start in range(len(stream)):
        framer.feed(stream[start : start + 1])
        fed += 1
        found += taking and framer.next(limit=MAX_PLAINTEXT, version=0x0303) is not None
    found += len(list(taken(framer)))
    assert found == fed // len(record)
    assert len(framer) == 0
    assert framer.copied <= 3 * fed


def test_fork_of_a_framer_goes_on_by_itself():
    framer = Framer()
    framer.feed(b"\x17\3\3\0\2")
    framer.feed(b"a")
    twin = framer.fork()
    framer.feed(b"b")
    twin.feed(b"c")
    assert [next(taken(one)).fragment for one in (framer, twin)] == [b"ab", b"ac"]


@pytest.mark.rfc("5246", "7.2")
@pytest.mark.parametrize("said", [0x0300, 0x0301, 0x0303, 0x0304])
def test_alert_is_read_whatever_version_its_record_says(said):
    framer = Framer()
    framer.feed(Record(21, said, b"\2\x28").to_bytes())
    assert framer.next(limit=MAX_PLAINTEXT, version=0x0303).fragment == b"\2\x28"


@given(expected=records)
@settings(max_examples=40, deadline=None)
def test_peek_tells_what_next_gives(expected):
    framer = Framer()
    framer.feed(b"".join(record.to_bytes() for record in expected) + b"\x16\3\3")
    for record in expected:
        kinds = [kind for kind in (20, 21, 22, 23) if framer.peek_is(kind, limit=MAX_PLAINTEXT, version=0x0303)]
        assert kinds == [record.type]
        assert framer.next(limit=MAX_PLAINTEXT, version=0x0303) == record
    assert not framer.peek_is(22, limit=MAX_PLAINTEXT, version=0x0303)


@pytest.mark.rfc("5246", "6.2.1")
@pytest.mark.parametrize(("version", "allowed"), [(None, True), (0x0303, False), (0x0301, True)])
def test_version_is_free_until_it_is_agreed_on(version, allowed):
    framer = Framer()
    framer.feed(Record(22, 0x0301, b"x").to_bytes())
    if allowed:
        assert framer.next(limit=MAX_PLAINTEXT, version=version).version == 0x0301
    else:
        with pytest.raises(PeerError) as caught:
            framer.next(limit=MAX_PLAINTEXT, version=version)
        assert caught.value.reason is Reason.WRONG_RECORD_VERSION


@pytest.mark.rfc("5246", "6.2.1")
@pytest.mark.parametrize("limit", [MAX_PLAINTEXT, MAX_PLAINTEXT + 2048])
def test_length_is_judged_before_the_bytes_come(limit):
    framer = Framer()
    framer.feed(b"\x17\3\3" + limit.to_bytes(2, "big"))
    assert framer.next(limit=limit, version=None) is None
    framer = Framer()
    framer.feed(b"\x17\3\3" + (limit + 1).to_bytes(2, "big"))
    with pytest.raises(PeerError) as caught:
        framer.next(limit=limit, version=None)
    assert caught.value.reason is Reason.RECORD_OVERFLOW


FIRST_BYTES = {
    b"GET / HTTP/1.1\r\n": Reason.NOT_TLS,
    b"SSH-2.0-OpenSSH\r\n": Reason.NOT_TLS,
    bytes.fromhex("802e0103010015"): Reason.SSLV2_HELLO,
    bytes.fromhex("802e0100020015"): Reason.SSLV2_HELLO,
    bytes.fromhex("1602000001"): Reason.WRONG_RECORD_VERSION,
    bytes.fromhex("1604000001"): Reason.WRONG_RECORD_VERSION,
    bytes.fromhex("1803030001"): Reason.NOT_TLS,
}


@pytest.mark.parametrize(("first", "reason"), FIRST_BYTES.items(), ids=lambda value: getattr(value, "name", None))
def test_what_is_not_tls_is_told_from_its_first_bytes(first, reason):
    framer = Framer()
    framer.feed(first)
    with pytest.raises(PeerError) as caught:
        framer.next(limit=MAX_PLAINTEXT, version=None)
    assert caught.value.reason is reason


@pytest.mark.rfc("5246", "6")
def test_unknown_content_type_after_the_first_record():
    framer = Framer()
    framer.feed(Record(22, 0x0303, b"x").to_bytes() + b"\x18\3\3\0\1x")
    framer.next(limit=MAX_PLAINTEXT, version=None)
    with pytest.raises(PeerError) as caught:
        framer.next(limit=MAX_PLAINTEXT, version=None)
    assert caught.value.reason is Reason.UNKNOWN_CONTENT_TYPE


def test_clear_gives_back_what_was_not_taken():
    framer = Framer()
    framer.feed(Record(23, 0x0303, b"x").to_bytes() + b"plain text")
    framer.next(limit=MAX_PLAINTEXT, version=None)
    assert framer.clear() == b"plain text"
    assert len(framer) == 0


def test_what_was_taken_is_not_held():
    framer, record = Framer(), Record(23, 0x0303, bytes(4000)).to_bytes()
    for _ in range(200):
        framer.feed(record + record[:2000])
        framer.next(limit=MAX_PLAINTEXT, version=None)
        framer.feed(record[2000:])
        framer.next(limit=MAX_PLAINTEXT, version=None)
    assert framer.consumed == 400 * len(record)
    assert len(framer._buffer) < 2**17
