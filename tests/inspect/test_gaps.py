"""Streams with something missing: what can be framed is framed, what can be opened is opened, and the gap is told."""

import pytest

from puretls.inspect import Chunk, Conversation, Gap, Knowledge, Stream
from tests.inspect.test_bytemap import check_map
from tests.support.pair import real
from tests.support.recorded import conversations, recorded_pair, streams

SUITES = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_128_CCM",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_NULL_SHA256",
)
STREAM_CIPHERS = ("TLS_RSA_WITH_RC4_128_SHA",)
TALKS = 4


def told(stream: Stream, missing, **known) -> Stream:
    """The stream without these chunks; `known` is what the gap tells of them."""
    gaps = tuple(Gap(stream.chunks[index].offset, len(stream.chunks[index].data), "not captured", **known) for index in missing)
    return Stream(tuple(chunk for index, chunk in enumerate(stream.chunks) if index not in missing), gaps, stream.end)


def of(suite, change):
    turns, log = recorded_pair(suite, talks=TALKS)
    client, server = streams(turns)
    return Conversation(client, change(server), Knowledge.of(log), provider=real())


def received(conversation):
    return [b"down %d " % count in conversation.data("server") for count in range(TALKS)]


@pytest.mark.parametrize("suite", SUITES)
def test_behind_a_gap_the_next_sequence_numbers_are_tried(suite):
    """Two records of data are missing, and nobody says how many: the sequence number is in what is authenticated."""
    conversation = of(suite, lambda server: told(server, (len(server.chunks) - 4, len(server.chunks) - 3)))
    assert received(conversation) == [True, False, False, True]
    assert [gap.why for gap in conversation.gaps("server")] == ["not captured"]
    assert conversation.outcome.kind == "closed"
    check_map(conversation)


@pytest.mark.parametrize("suite", SUITES + STREAM_CIPHERS)
def test_a_gap_that_tells_its_records_loses_nothing_else(suite):
    """As a recorder leaves it, which keeps the sizes of application data."""
    conversation = of(suite, lambda server: told(server, (len(server.chunks) - 3,), records=1))
    assert received(conversation).count(False) == 1
    assert [str(seen.problem) for seen in (*conversation.records, *conversation.messages) if seen.problem] == []
    check_map(conversation)


def test_framing_goes_on_where_a_gap_lies_within_a_record():
    def change(server):
        chunk = server.chunks[-3]
        head, tail = chunk.data[:50], chunk.data[-60:]
        pieces = Chunk(chunk.offset, head, None, chunk.order), Chunk(chunk.offset + len(chunk.data) - 60, tail, None, chunk.order)
        return Stream((*server.chunks[:-3], *pieces, *server.chunks[-2:]), (), server.end)

    conversation = of(SUITES[0], change)
    assert received(conversation).count(False) == 1
    assert not conversation.strays
    (torn,) = [seen for seen in conversation.records if not seen.complete]
    assert str(torn.problem).startswith("cut short: 110 of ")
    assert [leaf.path for leaf in conversation.byte_map.wire("server") if leaf.record == torn.number][-3:] == [
        f"{torn.path}.ciphertext", f"{torn.path}.ciphertext", f"{torn.path}.tag",
    ]  # fmt: skip
    check_map(conversation)


def test_behind_a_gap_of_unknown_length_the_next_header_is_searched():
    def change(server):
        chunk = server.chunks[-3]
        rest = [Chunk(kept.offset - 100, kept.data, None, kept.order) for kept in server.chunks[-2:]]
        torn = Chunk(chunk.offset, chunk.data[100:], None, chunk.order)
        return Stream((*server.chunks[:-3], torn, *rest), (Gap(chunk.offset, 0, "lost"),), server.end)

    conversation = of(SUITES[0], change)
    assert received(conversation).count(False) == 1
    assert [stray.why for stray in conversation.strays] == ["the middle of a record whose beginning is missing"]
    assert conversation.outcome.kind == "closed"
    check_map(conversation)


def test_a_capture_that_begins_in_the_middle_is_framed():
    (whole,) = conversations("ECDHE, RSA, GCM")
    client, server = (Stream(stream.chunks[-2:], (), "fin") for stream in (whole.client, whole.server))
    conversation = Conversation(client, server, whole.knowledge, provider=real())
    first = conversation.records[0]
    assert (first.name, first.plaintext) == ("application_data", None)
    problem = first.problem
    assert "the beginning of the conversation is missing" in str(problem)
    assert not problem.refused
    check_map(conversation)


def test_chunks_that_overlap_count_once():
    stream = Stream((Chunk(0, b"abcdef"), Chunk(4, b"EFgh"), Chunk(2, b"XX")))
    assert stream.data == b"abcdefgh"
    assert stream.length == 8


def test_length_counts_what_is_missing():
    stream = Stream((Chunk(0, b"ab"), Chunk(10, b"cd")), (Gap(12, 5, "lost"),))
    assert (stream.length, stream.data) == (17, b"abcd")
    assert [(run.start, run.gap and run.gap.length) for run in stream.runs()] == [(0, None), (10, 8)]
    assert stream.trailing_gap() == Gap(12, 5, "lost")
