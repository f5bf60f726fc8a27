"""The byte map: every byte of both streams has a name; malformed messages tile with the fault marked."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.crypto.aead import AES_128_GCM
from puretls.errors import UsageError
from puretls.handshake.states import ClientState
from puretls.iana import ContentType
from puretls.intercept import Direction, Interceptor
from puretls.messages.records import Record
from puretls.record.channel import Channel
from puretls.record.protection import AeadProtection
from puretls.spans import check_tiling
from puretls.trace import Layer, Trace
from tests.support.breaks import Break
from tests.support.conversations import MAPPED, flows, mapped, resumptions
from tests.support.pair import no_security, pair, real, server_config

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
MAP = mapped()
FULL = {"client": {"trace_level": "full"}, "server": {"trace_level": "full"}}


def check_tiles(end):
    """Spans tile every entry; records tile the streams; messages tile the content of their records."""
    trace = end.connection.trace
    for entry in trace:
        assert check_tiling(entry.spans(), len(entry.raw)) == "", entry
    for direction, stream in ((IN, bytes(end.received)), (OUT, bytes(end.sent))):
        records = trace.records(direction)
        kept = b"".join(record.raw for record in records)
        assert kept == (stream[: len(kept)] if end.error and direction is IN else stream)  # after a fault nothing is read
        assert [record.number for record in records] == list(range(len(records)))
        position = 0
        for record in records:
            assert record.offset == position
            position += record.length


def check_every_byte_is_named(end):
    """`explain` names each byte, and says of a message's byte what its span says."""
    trace = end.connection.trace
    for direction, stream in ((IN, bytes(end.received)), (OUT, bytes(end.sent))):
        for offset in range(sum(record.length for record in trace.records(direction))):
            found = trace.explain(direction, offset)
            assert found is not None, offset
            assert found.field.path.startswith(f"record[{found.record.number}].")
            assert found.field.start <= offset - found.record.offset < found.field.end
            if found.span is not None:
                assert found.span.path
                assert found.message is not None
        assert trace.explain(direction, len(stream)) is None


def test_there_are_24_conversations():
    assert len(MAP) == 24
    assert len(MAPPED) == 11


@pytest.mark.parametrize("conversation", MAP, ids=lambda conversation: conversation.name)
def test_every_byte_of_a_conversation_is_named(conversation):
    joined = conversation.make(**FULL).handshake()
    joined.check_secrets()
    joined.exchange(b"a question", b"an answer, somewhat longer than the question")
    joined.client.connection.close()
    joined.run()
    for end in joined.ends():
        check_tiles(end)
        check_every_byte_is_named(end)
        assert not any(span.fault for entry in end.connection.trace for span in entry.spans())


@pytest.mark.parametrize("conversation", [*flows(no_security), *resumptions(no_security)], ids=lambda conversation: conversation.name)
def test_messages_of_every_flow_tile(conversation):
    joined = conversation.make(**FULL).handshake()
    joined.exchange()
    for end in joined.ends():
        check_tiles(end)
        assert not any(span.fault for entry in end.connection.trace for span in entry.spans())


def test_both_ends_saw_the_same_messages():
    joined = pair({"trace_level": "full"}, {"trace_level": "full"}).handshake()
    joined.exchange()
    sent = [(entry.content_type, entry.raw) for entry in joined.client.connection.trace.messages(OUT)]
    assert sent == [(entry.content_type, entry.raw) for entry in joined.server.connection.trace.messages(IN)]


def test_explanation_reads_well():
    joined = pair({"provider": real()}, {"provider": real()}).handshake()
    trace = joined.client.connection.trace
    texts = [str(trace.explain(OUT, offset)) for offset in (0, 1, 3, 5, 6, 9, 11)]
    assert texts[0] == "record 0, handshake, record[0].type, 1 byte = HANDSHAKE (22) (RFC 5246 6.2.1)"
    assert "ClientHello: ClientHello.msg_type" in texts[3]
    assert "ClientHello.client_version" in texts[5]
    assert "ClientHello.random, 32 bytes" in texts[6]
    paths = {trace.explain(IN, offset).span.path for offset in range(100, len(joined.client.received)) if trace.explain(IN, offset).span}
    assert any(path.startswith("Certificate.certificate_list[0].tbs_certificate.") for path in paths), "certificates are explained inside"
    assert any(path.startswith("ServerKeyExchange.params") for path in paths)


def test_states_are_told():
    joined = pair().handshake()
    states = [(entry.name, entry.state_before, entry.state_after) for entry in joined.client.connection.trace.messages(IN)]
    assert states[0] == ("ServerHello", "WAIT_SERVER_HELLO", "WAIT_CERTIFICATE")
    assert states[-1] == ("Finished", "WAIT_FINISHED", "CONNECTED")


def test_a_fault_is_marked_where_it_is():
    breaks = Break("handshake", lambda raw, where: raw[0] == 2, lambda raw: raw[:1] + (len(raw) - 5).to_bytes(3, "big") + raw[4:-1])
    joined = pair({}, {"interceptors": (breaks,)}).handshake()
    entry = next(entry for entry in joined.client.connection.trace.messages(IN) if entry.name == "ServerHello")
    assert check_tiling(entry.spans(), len(entry.raw)) == ""
    (fault,) = [span for span in entry.spans() if span.fault]
    assert "bytes left" in fault.note
    assert joined.client.error.path.startswith("ServerHello.extensions")
    check_tiles(joined.client)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_malformed_input_of_any_kind_still_tiles(data):
    sent = pair({"random": bytes}).client
    sent.connection.start()
    hello = bytearray(sent.take())
    for _ in range(data.draw(st.integers(1, 6))):
        hello[data.draw(st.integers(5, len(hello) - 1))] = data.draw(st.integers(0, 255))
    from puretls.connection import Connection
    from tests.support.pair import End

    end = End(Connection.server(server_config(trace_level="full")))
    end.feed(bytes(hello))
    end.take()
    check_tiles(end)
    check_every_byte_is_named(end)


@pytest.mark.parametrize("limit", [0, 500, 3000, 20000])
def test_store_is_bounded_and_drops_the_oldest(limit):
    joined = pair({"trace_limit": limit}, {"trace_limit": limit}).handshake()
    joined.exchange(b"x" * 5000, b"y" * 5000)
    for end in joined.ends():
        trace = end.connection.trace
        assert sum(len(entry.raw) for entry in trace) <= limit
        if limit < 3000:
            assert trace.dropped > 0
            assert trace.explain(OUT, 0) is None


@pytest.mark.parametrize("level", ["handshake", "full"])
def test_limit_is_in_bytes_of_memory(level):
    """The entries of application data are many and small: what they take beside their bytes is counted, too."""
    limit = 2**18
    trace, channel = Trace(level, limit), Channel()
    channel.change(AeadProtection(AES_128_GCM, None, bytes(4)))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        while not trace.dropped:
            for number in range(300, 400):
                record = Record(ContentType.APPLICATION_DATA, 0x0303, bytes(number))
                trace.record(IN, record, bytes(number - 24), ClientState.CONNECTED, channel)
                trace.message(IN, ContentType.APPLICATION_DATA, bytes(number - 24), ClientState.CONNECTED, None)
        assert limit / 2 < tracemalloc.get_traced_memory()[0] - before <= limit
    finally:
        tracemalloc.stop()


def test_level_off_keeps_nothing():
    joined = pair({"trace_level": "off"}).handshake()
    joined.exchange()
    assert len(joined.client.connection.trace) == 0
    assert joined.client.connection.trace.explain(OUT, 0) is None


def test_application_data_is_kept_by_size_only_unless_asked_for():
    secret = b"what the application says"
    joined = pair().handshake()
    joined.exchange(secret, secret)
    for end in joined.ends():
        trace = end.connection.trace
        assert not any(secret in entry.raw for entry in trace)
        data = [entry for entry in trace if entry.content_type == 23]
        assert {entry.layer for entry in data} == {Layer.RECORD, Layer.MESSAGE}
        assert {entry.length for entry in data if entry.layer is Layer.MESSAGE} == {len(secret)}
        last = trace.records(OUT)[-1]
        found = trace.explain(OUT, last.offset + 8)
        assert "not kept" in found.field.note


def test_no_secret_is_in_the_trace():
    joined = pair({"provider": real(), "trace_level": "full"}, {"provider": real(), "trace_level": "full"}).handshake()
    for end in joined.ends():
        master = bytes(danger.parts(end.connection).progress.context.secrets.master)
        assert len(master) == 48
        text = repr([*end.connection.trace]).encode() + b"".join(entry.raw for entry in end.connection.trace)
        assert master not in text
        assert repr(master)[2:-1].encode() not in text
        assert master.hex() not in text.decode("latin-1")


@pytest.mark.parametrize("kind", [20, 21, 22, 23, 77])
@pytest.mark.parametrize("raw", [b"", b"\1", b"\1\0\0\0"])
def test_name_of_an_entry_does_not_depend_on_the_level(kind, raw):
    names = set()
    for level in ("handshake", "full"):
        trace = Trace(level, 10000)
        trace.message(IN, kind, raw, ClientState.CONNECTED, None)
        names.add(trace[0].name)
    assert len(names) == 1
    assert kind != 23 or names == {"ApplicationData"}


def test_fork_of_a_trace_goes_on_by_itself():
    trace = Trace("full", 10000)
    trace.message(IN, 21, b"\1\0", ClientState.CONNECTED, None)
    twin = trace.fork()
    twin.message(IN, 21, b"\1\0", ClientState.CONNECTED, None)
    assert (len(trace), len(twin), twin[1].offset) == (1, 2, 2)


def test_unknown_content_has_a_span():
    trace = Trace("full", 10000)
    trace.message(IN, 77, b"abc", ClientState.CONNECTED, None)
    assert trace[0].spans()[0].path == "Unknown"
    assert trace[0].name == "Unknown"
    assert Record(77, 0x0303, b"").header()


@pytest.mark.parametrize("direction", [IN, OUT])
def test_record_that_no_header_can_describe_leaves_the_trace_readable(direction):
    """An interceptor may make one; it fails where it is made, not later, when somebody reads what went before."""

    class Impossible(Interceptor):
        def plaintext(self, record, where):
            return [replace(record, type=300) if where.direction is OUT is direction and where.epoch else record]

        def ciphertext(self, raw, where):
            return [raw[:5] + bytes(2**16) if where.direction is IN is direction and not where.epoch else raw]

    joined = pair({"interceptors": (Impossible(),)}, {}).handshake()
    assert isinstance(joined.client.error, UsageError)
    assert "no header can describe" in str(joined.client.error)
    before = {IN: "ClientHello", OUT: "ClientKeyExchange"}[direction]
    assert before in [entry.name for entry in joined.client.connection.trace.messages(OUT)]


@pytest.mark.parametrize("limit", [2**20, 5000])
def test_looking_at_a_trace_does_not_change_it(limit):
    """Entries are made when somebody looks, or when much waits; which of the two must not show."""
    looked_at, left_alone = Trace("full", limit), Trace("full", limit)
    channel = Channel(2**20, 2**64)
    for number in range(600):
        kind = ContentType.HANDSHAKE if number % 3 else ContentType.APPLICATION_DATA
        data = bytes([number % 256]) * (number % 700)
        for trace in (looked_at, left_alone):
            trace.record(IN, Record(kind, 0x0303, data), data, ClientState.CONNECTED, channel)
            trace.message(IN, kind, data, ClientState.CONNECTED, None)
            trace.led_to(ClientState.CLOSED if number % 5 else ClientState.CONNECTED)
        assert len(looked_at) > 0
    assert list(looked_at) == list(left_alone)
    assert looked_at.dropped == left_alone.dropped
    assert (looked_at.dropped > 0) == (limit == 5000)
