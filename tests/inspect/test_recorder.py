"""A live connection is recorded by who watches it: nothing unless asked, sizes only past a limit, and a conversation at any time."""

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.connection import Connection
from puretls.danger import fork as danger_fork
from puretls.errors import CallbackError, UsageError
from puretls.handshake.states import Role
from puretls.inspect import Recorder, Recordings, record
from puretls.inspect.recorder import ONLY_SIZE
from puretls.net import TlsSocket, aio
from tests.inspect.test_bytemap import check_map
from tests.support.pair import Pair, client_config, fields_for, no_security, real, server_config, suite_named

SUITES = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
)


def joined(suite=SUITES[0], provider=real, **client) -> Pair:
    near, far = fields_for(suite_named(suite))
    return Pair(client_config(**near | {"provider": provider()} | client), server_config(**far | {"provider": provider()}))


def closed(pair: Pair) -> Pair:
    pair.client.connection.close()
    return pair.run()


def no_problems(conversation):
    return [str(seen.problem) for seen in (*conversation.records, *conversation.messages) if seen.problem] == []


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("suite", SUITES)
def test_either_end_records_the_whole_conversation(suite, side):
    pair = joined(suite)
    recorder = record(getattr(pair, side).connection)
    pair.handshake()
    pair.exchange(b"up" * 100, b"down" * 100)
    conversation = closed(pair) and recorder.conversation(name="mine", provider=real())
    assert no_problems(conversation)
    assert (conversation.data("client"), conversation.data("server")) == (b"up" * 100, b"down" * 100)
    assert conversation.client.data == bytes(pair.client.sent)
    assert conversation.server.data == bytes(pair.server.sent)
    assert (conversation.outcome.kind, conversation.name) == ("closed", "mine")
    assert [handshake.found.source for handshake in conversation.handshakes] == ["the end that was recorded"]
    assert conversation.began == min(chunk.time for chunk in conversation.client.chunks)
    check_map(conversation)


def test_a_conversation_can_be_had_at_any_time():
    pair = joined()
    recorder = record(pair.client.connection)
    assert recorder.conversation().outcome.kind == "nothing"
    pair.client.connection.start()
    pair.client.take()
    assert [seen.name for seen in recorder.conversation().messages] == ["ClientHello"]


def test_secrets_are_left_out_where_they_are_not_wanted():
    pair = joined()
    with_secrets, without = record(pair.client.connection), record(pair.server.connection, secrets=False)
    pair.handshake()
    pair.exchange()
    assert (len(with_secrets.knowledge.masters), bool(without.knowledge)) == (1, False)
    assert without.conversation().data("client") == b""
    (master,) = with_secrets.knowledge.masters.values()
    assert master.hex() not in repr(with_secrets) + repr(with_secrets.knowledge) + repr(with_secrets.conversation())


def test_every_connection_of_a_configuration_is_recorded():
    recordings = Recordings()
    near, far = fields_for(suite_named(SUITES[0]))
    server = server_config(**far | {"provider": real(), "watcher": recordings})
    for count in range(3):
        pair = Pair(client_config(**near | {"provider": real()}), server).handshake()
        pair.exchange(b"%d" % count)
    assert len(recordings) == 3
    assert [conversation.data("client") for conversation in recordings.conversations()] == [b"0", b"1", b"2"]
    assert recordings[1].conversation().data("client") == b"1"


@pytest.mark.parametrize("suite", SUITES)
def test_past_the_limit_application_data_is_kept_by_size(suite):
    """What is kept can still be opened: the gap tells how many records lie in it."""
    pair = joined(suite)
    recorder = record(pair.client.connection, limit=20_000)
    pair.handshake()
    for count in range(6):
        pair.exchange(b"up %d " % count, bytes(9_000))
    conversation = closed(pair) and recorder.conversation(provider=real())
    assert conversation.server.length == len(pair.server.sent)
    (gap,) = conversation.gaps("server")
    assert gap.why == ONLY_SIZE
    assert gap.records >= 3
    assert len(conversation.server.data) < 30_000
    assert no_problems(conversation)
    assert conversation.outcome.kind == "closed"
    assert [seen.name for seen in conversation.messages][-2:] == ["Alert", "Alert"]
    check_map(conversation)


class Wire:
    """Records of a made-up stream: their types and sizes."""

    @staticmethod
    def of(shapes) -> bytes:
        return b"".join(bytes((type_, 3, 3)) + size.to_bytes(2, "big") + bytes(size) for type_, size in shapes)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from((21, 22, 23, 23, 23)), st.integers(0, 30)), max_size=12),
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(0, 120),
)
def test_however_the_bytes_come_only_whole_records_of_data_are_left_out(shapes, cuts, limit):
    wire = Wire.of(shapes)
    recorder = Recorder(Role.CLIENT, limit=limit)
    position, index = 0, 0
    while position < len(wire):
        size = cuts[index % len(cuts)]
        recorder.received(wire[position : position + size])
        position, index = position + size, index + 1
    stream = recorder.conversation(provider=no_security()).server
    assert stream.length == len(wire)
    for chunk in stream.chunks:
        assert wire[chunk.offset : chunk.offset + len(chunk.data)] == chunk.data
    for gap in stream.gaps:
        missing = wire[gap.offset : gap.offset + gap.length]
        walked, count = 0, 0
        while walked < len(missing):
            assert missing[walked] == 23
            walked, count = walked + 5 + int.from_bytes(missing[walked + 3 : walked + 5], "big"), count + 1
        assert (walked, count) == (len(missing), gap.records)
    assert sum(len(chunk.data) for chunk in stream.chunks) + sum(gap.length for gap in stream.gaps) == len(wire)


def test_a_spool_keeps_everything_in_a_file(tmp_path):
    pair = joined()
    recorder = record(pair.client.connection, limit=100, spool=tmp_path / "spool")
    pair.handshake()
    pair.exchange(b"up" * 1000, b"down" * 1000)
    conversation = closed(pair) and recorder.conversation(provider=real())
    assert conversation.data("server") == b"down" * 1000
    assert not conversation.gaps("server")
    master = next(iter(recorder.knowledge.masters.values()))
    assert bytes(master) not in (tmp_path / "spool").read_bytes()
    with pytest.raises(UsageError, match="cannot spool into"):
        Recorder(Role.CLIENT, spool=tmp_path / "spool")
    with pytest.raises(UsageError, match="one file cannot hold several"):
        Recordings(spool=tmp_path / "other")


def test_what_a_copy_does_is_not_recorded():
    pair = joined()
    recorder = record(pair.client.connection)
    pair.handshake()
    before = recorder.conversation().client.length
    for copy in (pair.client.connection.fork(), danger_fork(pair.client.connection)):
        copy.receive_bytes(b"\x15\3\3\0\2\2\x28")
    danger_fork(pair.client.connection).send(b"x")
    assert (recorder.conversation().client.length, recorder.conversation().server.data) == (before, bytes(pair.server.sent))


def test_recording_begins_before_the_first_byte():
    pair = joined(provider=no_security)
    pair.client.connection.start()
    with pytest.raises(
        UsageError, match="recording begins before the first byte, and this connection is in state WAIT_SERVER_HELLO"
    ):
        record(pair.client.connection)
    with pytest.raises(UsageError, match="a connection can be recorded, not"):
        record("connection")


def test_sockets_are_recorded_by_their_connection_and_by_their_configuration():
    near, far = fields_for(suite_named(SUITES[0]))
    recordings = Recordings()
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        serving = pool.submit(TlsSocket.server, theirs, server_config(**far | {"provider": real(), "watcher": recordings}))
        client = TlsSocket(ours, Connection.client(client_config(**near | {"provider": real()}), "server.test"))
        recorder = record(client)
        client.handshake()
        server = serving.result(20)
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        seen = [recorder.conversation(provider=real()), recordings[0].conversation(provider=real())]
        client.close()
        server.close()
    for conversation in seen:
        assert no_problems(conversation)
        assert conversation.data("client") == b"question"
    assert seen[0].client.data == seen[1].client.data


def test_asyncio_streams_are_recorded_by_their_configuration():
    near, far = fields_for(suite_named(SUITES[0]))
    ours, theirs = Recordings(), Recordings()
    client = client_config(**near | {"provider": real(), "watcher": ours})
    server = server_config(**far | {"provider": real(), "watcher": theirs})

    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def ask():
        async with await aio.start_server(answer, "127.0.0.1", 0, server) as listening:
            port = listening.sockets[0].getsockname()[1]
            reader, writer = await aio.open_connection("127.0.0.1", port, client, server_name="server.test")
            writer.write(b"question\n")
            assert await reader.read() == b"question\n"
            writer.close()
            await writer.wait_closed()

    asyncio.run(asyncio.wait_for(ask(), 20))
    for recordings in (ours, theirs):
        assert len(recordings) == 1
        conversation = recordings[0].conversation(provider=real())
        assert no_problems(conversation)
        assert conversation.data("client") == conversation.data("server") == b"question\n"


def test_errors_of_a_watcher_leave_as_those_of_a_callback():
    class Broken:
        def begins(self, config):
            assert config.tickets

        def sent(self, data):
            raise OSError("disk full")

    connection = Connection.client(replace(client_config(), watcher=lambda role: Broken()), "server.test")
    connection.start()
    with pytest.raises(CallbackError, match=r"Broken\.sent"):
        connection.bytes_to_send()


def test_nothing_of_it_is_loaded_with_the_library():
    loaded = (
        "import puretls, puretls.connection, sys; print([name for name in sys.modules if name.startswith('puretls.inspect')])"
    )
    out = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
