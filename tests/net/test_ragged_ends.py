"""A stream that is cut off (RFC 5246 7.2.1): what was received before is not lost, in any facade, by any way to read."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress

import pytest

from puretls import DangerWarning, Truncated
from puretls.net import TlsSocket, aio
from tests.net.wires import NAME, wires

pytestmark = pytest.mark.rfc("5246", "7.2.1")
SENT = b"first line\nsecond line\nthe third is cut"


@pytest.fixture
def cut(connect):
    """`cut(data)` gives a client whose server sent `data` and was gone without close_notify."""

    def make(data=SENT):
        client, server = connect()
        server.sendall(data)
        os.close(server.detach())
        return client

    return make


READS = {
    "read to the end": (lambda file: file.read(), SENT),
    "read too much": (lambda file: file.read(1000), SENT),
    "read in two calls": (lambda file: (file.read(5), file.read()), SENT[5:]),
    "lines": (lambda file: [file.readline() for _ in range(3)], b"the third is cut"),
    "all lines": (lambda file: file.readlines(), SENT),
    "iteration": (list, b"the third is cut"),
}
MODES = {
    "rb": {},
    "rb unbuffered": {"buffering": 0},
    "rwb": {},
    "r": {"newline": "\n"},
    "rw": {"newline": "\n"},
}


@pytest.mark.parametrize(("read", "left"), READS.values(), ids=READS)
@pytest.mark.parametrize("mode", MODES)
def test_what_a_read_had_in_hand_is_on_the_exception(cut, mode, read, left):
    if mode == "rb unbuffered" and read is READS["read too much"][0]:
        pytest.skip("returns what one read of the socket gives, and loses nothing")
    client = cut()
    with client.makefile(mode.split()[0], **MODES[mode]) as file:
        with pytest.raises(Truncated) as caught:
            read(file)
        assert caught.value.received == (left if "b" in mode else left.decode())
        with pytest.raises(Truncated) as again:
            file.read()
        assert not again.value.received


def test_readinto_too(cut):
    buffer = bytearray(1000)
    with cut().makefile("rb") as file, pytest.raises(Truncated) as caught:
        file.readinto(buffer)
    assert caught.value.received == SENT == bytes(buffer[: len(SENT)])


def test_reads_that_end_before_the_cut_are_whole(cut):
    with cut().makefile("rb") as file:
        assert file.readline() == b"first line\n"
        assert file.read(6) == b"second"
        assert file.peek(1)[:1] == b" "


def test_large_data_comes_whole(cut):
    sent = os.urandom(300_000)
    client, data = None, sent[:200_000]
    client = cut(data)
    with client.makefile("rb") as file, pytest.raises(Truncated) as caught:
        file.read()
    assert caught.value.received == data


def test_suppressed_a_ragged_end_is_an_end(connect):
    with pytest.warns(DangerWarning, match="suppress_ragged_eofs"):
        client, server = connect(suppress_ragged_eofs=True)
    server.sendall(SENT)
    os.close(server.detach())
    with client.makefile("rb") as file:
        assert file.read() == SENT
    assert client.recv(1) == b""


def test_a_handshake_that_is_cut_stays_an_error(configs):
    near, far = wires()
    far.close()
    with pytest.warns(DangerWarning), pytest.raises((Truncated, ConnectionError)):
        TlsSocket.client(near, configs.client, NAME, suppress_ragged_eofs=True)


# asyncio


@asynccontextmanager
async def cut_streams(configs, data=SENT, **options):
    def serve():
        sock, _ = listener.accept()
        tls = TlsSocket.server(sock, configs.server)
        tls.sendall(data)
        os.close(tls.detach())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = asyncio.create_task(asyncio.to_thread(serve))
        reader, writer = await aio.open_connection(*listener.getsockname(), configs.client, server_name=NAME, **options)
        await served
    try:
        yield reader
    finally:
        writer.close()
        with suppress(Truncated):
            await writer.wait_closed()


async def take(iterator):
    return [line async for line in iterator]


STREAM_READS = {
    "read to the end": (lambda reader: reader.read(), SENT),
    "read exactly": (lambda reader: reader.readexactly(1000), SENT),
    "read until": (lambda reader: reader.readuntil(b"\0"), SENT),
    "iteration": (take, b"the third is cut"),
}


@pytest.mark.parametrize(("read", "left"), STREAM_READS.values(), ids=STREAM_READS)
def test_streams_keep_what_they_had_in_hand(configs, read, left):
    async def main():
        async with cut_streams(configs) as reader:
            with pytest.raises(Truncated) as caught:
                await read(reader)
            assert caught.value.received == left

    asyncio.run(main())


def test_streams_give_first_what_came_and_then_the_error(configs):
    async def main():
        async with cut_streams(configs) as reader:
            assert await reader.readline() == b"first line\n"
            got = b""
            while len(got) < len(SENT) - 11:
                got += await reader.read(7)
            assert got == SENT[11:]
            with pytest.raises(Truncated) as caught:
                await reader.read(7)
            assert caught.value.received == b""
            assert isinstance(reader.exception(), Truncated)

    asyncio.run(main())


def test_streams_suppress_ragged_ends_where_asked(configs):
    async def main():
        with pytest.warns(DangerWarning, match="suppress_ragged_eofs"):
            async with cut_streams(configs, suppress_ragged_eofs=True) as reader:
                assert await reader.read() == SENT

    asyncio.run(main())
