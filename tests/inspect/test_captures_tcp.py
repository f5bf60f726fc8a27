"""TCP is put together whatever order, copies and holes a capture has; several connections; what was said before TLS."""

import random
import re
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.inspect.captures import CaptureError, Prefix, read_capture
from puretls.inspect.captures.assemble import BEFORE
from puretls.inspect.streams import NOT_CAPTURED
from tests.support import packets as made
from tests.support.packets import ACK, FIN, PSH, RST, SYN, Sent, Talk, captured
from tests.support.reference import REFERENCE, play

UP, DOWN = play(REFERENCE[4])[0]
SHORT = [("client", UP), ("server", DOWN)]


def cuts(data, places):
    places = sorted({place % len(data) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


@st.composite
def talks(draw):
    """A conversation cut anyhow, of which each side speaks in turn, with sequence numbers near to where they wrap around."""
    places = st.lists(st.integers(1, 5000), max_size=12)
    up, down = cuts(UP, draw(places)), cuts(DOWN, draw(places))
    turns = []
    while up or down:
        side = draw(st.sampled_from(["client"] if not down else ["server"] if not up else ["client", "server"]))
        turns.append((side, (up if side == "client" else down).pop(0)))
    first = draw(st.tuples(*[st.sampled_from([0, 1000, 2**31 - 50, 2**32 - 1, 2**32 - 300])] * 2))
    return Talk(turns, first=first, size=draw(st.sampled_from([100, 536, 1460])), close=draw(st.booleans())), turns


def connection(sent):
    capture = read_capture(captured(sent))
    assert not capture.notes
    (found,) = capture.connections
    assert not found.notes
    return found


def told(found):
    """Sides and bytes in order, neighbours of one side joined."""
    chunks = [(chunk.order, side, chunk.data) for side in ("client", "server") for chunk in getattr(found, side).chunks]
    return joined((side, data) for _, side, data in sorted(chunks))


def joined(turns):
    made = []
    for side, data in turns:
        if made and made[-1][0] == side:
            made[-1] = (side, made[-1][1] + data)
        else:
            made.append((side, data))
    return made


@pytest.mark.rfc("9293", "3.4")
@settings(deadline=None, max_examples=50)
@given(talks(), st.randoms(use_true_random=False))
def test_out_of_order_and_repeated(talk, rng):
    """Everything is there once, in the order in which it was sent: acknowledgements tell that, wherever the packets ended up."""
    talk, turns = talk
    sent = talk.sent + rng.choices(talk.sent, k=5)
    rng.shuffle(sent)
    found = connection(sent)
    assert (found.client.data, found.server.data) == (UP, DOWN)
    assert found.complete
    assert told(found) == joined(turns)
    assert found.addresses == ("10.0.0.1:49152", "10.0.0.2:443")


@pytest.mark.rfc("9293", "3.10.7.4")
@settings(deadline=None, max_examples=50)
@given(talks(), st.data())
def test_overlapping(talk, data):
    """Copies that begin and end elsewhere, as retransmissions do."""
    talk, _ = talk
    extra = []
    for sent in talk.sent:
        source = UP if sent.source == made.CLIENT else DOWN
        if sent.data and source.count(sent.data) == 1 and data.draw(st.booleans()):
            start = source.index(sent.data)
            low, high = data.draw(st.integers(0, min(start, 90))), data.draw(st.integers(0, 200))
            extra.append(sent._replace(seq=sent.seq - low, data=source[start - low : start + len(sent.data) + high]))
    found = connection(data.draw(st.permutations([*talk.sent, *extra])))
    assert (found.client.data, found.server.data) == (UP, DOWN)
    assert found.complete


TOLD = 11
"""Bytes of a client that tell a ClientHello from anything else."""


@settings(deadline=None, max_examples=50)
@given(talks(), st.randoms(use_true_random=False))
def test_missing(talk, rng):
    """What was not captured is a gap; bytes and gaps together are the stream."""
    talk, _ = talk
    lost = [sent for sent in talk.sent if sent.data and rng.random() < 0.3]
    kept = [sent for sent in talk.sent if sent not in lost]
    try:
        found = read_capture(captured(kept)).connections[0]
    except CaptureError:
        hello = b"".join(sent.data for sent in talk.sent[: talk.sent.index(lost[0])] if sent.source == made.CLIENT)
        assert len(hello) < TOLD or lost[0] in [sent for sent in talk.sent if sent.data][:2]
        return
    sides = {made.CLIENT: found.client, made.SERVER: found.server}
    if found.addresses[0] != "10.0.0.1:49152":
        sides = {made.CLIENT: found.server, made.SERVER: found.client}
    assert_rest(sides, kept, found)
    holes = sum(gap.length for stream in sides.values() for gap in stream.gaps)
    acknowledged = any(sent.flags & FIN for sent in talk.sent)
    if acknowledged and not found.prefix.client and not found.prefix.server:
        assert holes == sum(len(sent.data) for sent in lost)


def assert_rest(sides, kept, found):
    whole = {made.CLIENT: UP, made.SERVER: DOWN}
    for end, stream in sides.items():
        position = 0
        places = sorted(
            [(chunk.offset, len(chunk.data)) for chunk in stream.chunks] + [(gap.offset, gap.length) for gap in stream.gaps]
        )
        for offset, length in places:
            assert offset == position
            position += length
        if not found.prefix.client and not found.prefix.server:
            for chunk in stream.chunks:
                assert chunk.data == whole[end][chunk.offset : chunk.offset + len(chunk.data)]
        assert {gap.why for gap in stream.gaps} <= {NOT_CAPTURED}


def test_the_last_bytes_are_missing_where_an_acknowledgement_shows_them():
    sent = [each for each in Talk(SHORT, size=2000, close=False).sent if each.data != DOWN[-len(DOWN) % 2000 or -2000 :]]
    last = Talk(SHORT, size=2000, close=False).sent[-1]
    kept = [each for each in sent if each != last]
    end = last.seq + len(last.data)
    seen = read_capture(captured([*kept, Sent(made.CLIENT, made.SERVER, last.ack, end, 0)])).connections[0]
    (gap,) = seen.server.gaps
    assert (gap.offset, gap.length) == (len(DOWN) - len(last.data), len(last.data))
    assert read_capture(captured(kept)).connections[0].server.gaps == ()


def test_two_copies_that_differ_are_told_and_the_first_counts():
    talk = Talk(SHORT)
    other = next(each for each in talk.sent if each.source == made.SERVER and each.data)
    changed = other._replace(data=other.data[:10] + b"XX" + other.data[12:])
    (found,) = read_capture(captured([*talk.sent, changed])).connections
    assert found.server.data == DOWN
    assert found.notes == ("server: bytes 0 to 99 came twice and differ: the first copy counts",)
    (found,) = read_capture(captured([changed, *talk.sent])).connections
    assert found.server.data == DOWN[:10] + b"XX" + DOWN[12:]


@pytest.mark.rfc("9293", "3.8.4")
def test_a_keep_alive_is_no_copy_that_differs():
    talk = Talk(SHORT, close=False)
    last = talk.sent[-1]
    alive = Sent(made.SERVER, made.CLIENT, last.seq + len(last.data) - 1, last.ack, 0, b"\0")
    assert connection([*talk.sent, alive]).server.data == DOWN


@pytest.mark.parametrize("flags", [FIN, RST, 0])
@pytest.mark.parametrize("side", ["client", "server"])
def test_how_each_side_ended(side, flags):
    talk = Talk(SHORT, close=False)
    if flags:
        talk.say(side, flags)
    found = connection(talk.sent)
    assert getattr(found, side).end == {FIN: "fin", RST: "reset", 0: "open"}[flags]
    assert getattr(found, "server" if side == "client" else "client").end == "open"


def test_a_fin_that_was_not_captured_is_no_missing_byte():
    talk = Talk(SHORT)
    found = connection([sent for sent in talk.sent if not sent.flags & FIN or sent.source == made.CLIENT])
    assert found.complete
    assert found.server.end == "fin"


def test_data_in_a_reset_is_none_of_the_stream():
    """It may say why, in words (RFC 9293 3.5.3)."""
    talk = Talk(SHORT, close=False)
    reset = Sent(made.SERVER, made.CLIENT, talk.next["server"], None, RST, b"go away")
    assert connection([*talk.sent, reset]).server.data == DOWN


def test_a_capture_that_begins_after_the_first_packets_but_before_tls():
    talk = Talk(SHORT, shake=False)
    assert connection(talk.sent).complete


@pytest.mark.parametrize("first", [("client", 1), ("client", 4), ("server", 3)])
def test_a_capture_that_begins_in_the_middle(first):
    """Without a ClientHello: the stream begins with a gap of unknown length, client and server are told by port."""
    side, skipped = first
    data = b"".join(b"\x17\x03\x03\x00\x64" + bytes([number]) * 100 for number in range(20))
    talk = Talk([(side, data)], shake=False, size=150, close=False)
    (found,) = read_capture(captured(talk.sent[skipped:])).connections
    stream = getattr(found, side)
    assert found.addresses[1].endswith(":443")
    assert stream.gaps[0].why == BEFORE
    assert (stream.gaps[0].offset, stream.gaps[0].length) == (0, 0)
    assert stream.data == data[150 * skipped :]


def test_a_capture_that_begins_with_the_server_hello():
    talk = Talk(SHORT, close=False)
    (found,) = read_capture(captured([sent for sent in talk.sent if sent.source == made.SERVER and sent.data])).connections
    assert found.server.data == DOWN
    assert found.addresses == ("10.0.0.1:49152", "10.0.0.2:443")
    assert found.suite
    assert not found.server.gaps
    assert [gap.why for gap in found.client.gaps] == [BEFORE]


def test_headers_that_no_other_header_follows_are_no_tls():
    data = b"GET /" + b"\x17\x03\x03\x00\x01" * 13_000
    with pytest.raises(CaptureError, match="there is none in its TCP connections"):
        read_capture(captured(Talk([("client", data)], size=1460).sent))


def test_who_sends_the_client_hello_is_the_client_whoever_opened_the_connection():
    """As in FTP's active mode (RFC 4217 7)."""
    found = connection(Talk([("server", UP), ("client", DOWN)]).sent)
    assert found.addresses == ("10.0.0.2:443", "10.0.0.1:49152")
    assert (found.client.data, found.server.data) == (UP, DOWN)


# Several connections


def test_a_port_that_is_used_again_is_another_connection():
    talks = [Talk(SHORT, first=(1000 + 500_000_000 * number, 77)) for number in range(3)]
    unfinished = Talk([("client", UP)], first=(4_000_000_000, 77), close=False)
    capture = read_capture(captured(chain.from_iterable(talk.sent for talk in [*talks, unfinished])))
    assert [len(found.server.data) for found in capture.connections] == [len(DOWN)] * 3 + [0]
    assert [found.number for found in capture.connections] == [1, 2, 3, 4]


def test_a_syn_that_is_sent_again_is_of_the_same_connection():
    talk = Talk(SHORT)
    connection([talk.sent[0], talk.sent[0], *talk.sent])


def many(count):
    names = [
        Talk(SHORT, client=("10.0.0.1", 2000 + number), server=("10.0.0.2", 443 + number % 2)).sent for number in range(count)
    ]
    rng, mixed = random.Random(7), []
    while names:
        mixed.append(rng.choice(names).pop(0))
        names = [left for left in names if left]
    return mixed


def test_connections_are_told_apart_and_chosen():
    http = Talk([("client", b"GET / HTTP/1.1\r\n\r\n")], client=("10.0.0.1", 5)).sent
    capture = read_capture(captured([*many(5), *http]))
    assert capture.notes == ("TCP connections without TLS, passed over: 1",)
    assert len(capture.connections) == 5
    assert all((found.client.data, found.server.data) == (UP, DOWN) for found in capture.connections)
    assert capture.choose(3).number == capture.choose("3").number == 3
    assert capture.choose("10.0.0.1:2004").addresses[0] == "10.0.0.1:2004"
    for which, said in (
        ("", "5 connections are in the capture: choose one by its number (1, 2, 3, 4, 5)"),
        ("10.0.0.2", "5 connections are of 10.0.0.2: choose one by its number (1, 2, 3, 4, 5)"),
        ("SERVER.test", "5 connections are of SERVER.test: choose one by its number (1, 2, 3, 4, 5)"),
        ("elsewhere", "no connection is of elsewhere: choose by number (1 to 5), address or server name"),
        ("6", "no connection is of 6: choose by number (1 to 5), address or server name"),
    ):
        with pytest.raises(CaptureError, match=re.escape(said)):
            capture.choose(which)
    alone = read_capture(captured(Talk(SHORT).sent))
    assert alone.choose() is alone.choose("server.test") is alone.choose("10.0.0.2") is alone.connections[0]


# Before TLS

PREFIXES = {
    "SMTP": [("server", b"220 mail.test\r\n"), ("client", b"EHLO me\r\n"), ("server", b"250-mail.test\r\n250 STARTTLS\r\n"),
             ("client", b"STARTTLS\r\n"), ("server", b"220 go ahead\r\n")],
    "IMAP": [("server", b"* OK ready\r\n"), ("client", b"a1 STARTTLS\r\n"), ("server", b"a1 OK begin\r\n")],
    "POP3": [("server", b"+OK ready\r\n"), ("client", b"STLS\r\n"), ("server", b"+OK begin\r\n")],
    "FTP": [("server", b"220 ftp\r\n"), ("client", b"AUTH TLS\r\n"), ("server", b"234 go\r\n")],
    "XMPP": [("client", b"<stream:stream to='x'>"), ("server", b"<stream:features/>"),
             ("client", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), ("server", b"<proceed/>")],
    "PostgreSQL": [("client", b"\0\0\0\x08\x04\xd2\x16\x2f"), ("server", b"S")],
    "LDAP": [("client", b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037"), ("server", b"0\x0c\x02\x01\x01x\x07\x0a\x01\0\4\0\4\0")],
    "HTTP CONNECT": [("client", b"CONNECT server.test:443 HTTP/1.1\r\n\r\n"), ("server", b"HTTP/1.1 200 Connection established\r\n\r\n")],
    "MySQL": [("server", b"\x4a\0\0\0\x0a8.0.30\0" + bytes(60)), ("client", b"\x20\0\0\1\x85\xae\xff\0" + bytes(28))],
    "NNTP": [("server", b"200 news\r\n"), ("client", b"STARTTLS\r\n"), ("server", b"382 go on\r\n")],
    "ManageSieve": [("server", b'"IMPLEMENTATION" "x"\r\nOK\r\n'), ("client", b"STARTTLS\r\n"), ("server", b"OK\r\n")],
    "PROXY protocol": [("client", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 443\r\n")],
    "SOCKS 5": [("client", b"\5\1\0"), ("server", b"\5\0"), ("client", b"\5\1\0\1\1\2\3\4\1\xbb"), ("server", b"\5\0\0\1\0\0\0\0\0\0")],
    "": [("server", b"hello\n"), ("client", b"let us talk in secret\n")],
}  # fmt: skip


@pytest.mark.parametrize("protocol", PREFIXES)
@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_what_is_said_before_tls_is_kept_aside(protocol, shuffled):
    turns = PREFIXES[protocol]
    sent = Talk([*turns, *SHORT]).sent
    if shuffled:
        random.Random(1).shuffle(sent)
    found = connection(sent)
    said = {side: b"".join(data for who, data in turns if who == side) for side in ("client", "server")}
    assert found.prefix == Prefix(said["client"], said["server"], protocol)
    assert (found.client.data, found.server.data) == (UP, DOWN)
    assert found.client.chunks[0].offset == found.server.chunks[0].offset == 0
    assert found.server_name == "server.test"


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01\x00\x02\x02\x28", b"500 what?\r\n"], ids=["silence", "alert", "no TLS"])
def test_a_server_that_answers_starttls_with_something_else(answer):
    found = connection(Talk([*PREFIXES["SMTP"], ("client", UP[:300]), *([("server", answer)] if answer else [])]).sent)
    assert found.prefix.server.endswith(b"go ahead\r\n")
    assert found.server.data == answer


def test_without_a_prefix_there_is_none():
    assert connection(Talk(SHORT).sent).prefix == Prefix()
    assert (
        connection(Talk([("client", UP[:300]), ("server", b"HTTP/1.1 400 no\r\n\r\n")]).sent).server.data
        == b"HTTP/1.1 400 no\r\n\r\n"
    )


def test_flags_of_these_tests_are_those_of_tcp():
    assert (FIN, SYN, RST, PSH, ACK) == (1, 2, 4, 8, 16)
