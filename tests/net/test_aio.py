"""asyncio streams over TLS: the same as over TCP, with nothing in the clear."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from puretls.config import ClientConfig
from puretls.errors import CallbackError, FatalAlert, TlsError, Truncated, VerificationError
from puretls.net import aio
from tests.net.wires import NAME


@asynccontextmanager
async def serving(start, handler, *arguments, **options):
    """A server on a free port, whose handlers have all ended afterwards."""

    async def watched(reader, writer):
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    async with await start(watched, "127.0.0.1", 0, *arguments, **options) as server:
        yield server.sockets[0].getsockname()[1]
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # handshakes, the handlers that follow them
            assert (await asyncio.wait(others, timeout=10))[0]


def tls_server(configs, handler, **options):
    return serving(aio.start_server, handler, configs.server, **options)


def plain_server(handler):
    return serving(asyncio.start_server, handler)


async def dial(port, config, **options):
    return await aio.open_connection("127.0.0.1", port, config, server_name=NAME, **options)


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_lines_go_both_ways(configs):
    async def main():
        async with tls_server(configs, echo) as port:
            reader, writer = await dial(port, configs.client)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            assert writer.get_extra_info("tls").negotiated is not None
            assert writer.get_extra_info("peername")[1] == port
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_many_clients_at_once(configs):
    async def one(port, number):
        reader, writer = await dial(port, configs.client)
        message = bytes((number,)) * 5000
        writer.write(message)
        assert await reader.readexactly(5000) == message
        writer.close()

    async def main():
        async with tls_server(configs, echo) as port:
            await asyncio.gather(*(one(port, number) for number in range(8)))

    asyncio.run(main())


def test_slow_reader_holds_the_writer_back(configs):
    """Memory stays bounded: the writer's drain waits until the other side reads."""
    total = 2_000_000

    async def main():
        received = bytearray()
        go, ended = asyncio.Event(), asyncio.Event()

        async def slow(reader, writer):
            await go.wait()
            while data := await reader.read(65536):
                received.extend(data)
            writer.close()
            ended.set()

        async with tls_server(configs, slow) as port:
            _, writer = await dial(port, configs.client)
            writer.transport.set_write_buffer_limits(high=65536)
            written = 0

            async def pour():
                nonlocal written
                while written < 2**25:
                    writer.write(bytes(65536))
                    written += 65536
                    await writer.drain()
                    if go.is_set() and written >= total:
                        return

            task = asyncio.create_task(pour())
            stalled = -1
            while stalled != written:  # until nothing moves any more
                stalled = written
                await asyncio.sleep(0.3)
            assert written < 2**25, "nothing held the writer back"
            go.set()
            await task
            writer.close()
            await ended.wait()
            assert received == bytes(written)

    asyncio.run(main())


def test_large_data_arrives_whole(configs):
    data = os.urandom(600_000)

    async def main():
        async def send(reader, writer):
            writer.write(data)
            writer.close()

        async with tls_server(configs, send) as port:
            reader, writer = await dial(port, configs.client)
            assert await reader.read() == data
            writer.close()

    asyncio.run(main())


@pytest.mark.rfc("5246", "7.2.1")
def test_cut_stream_is_an_error(configs):
    async def main():
        async def cut(reader, writer):
            writer.write(b"half")
            await writer.drain()
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)  # the stream below ends without close_notify

        async with tls_server(configs, cut) as port:
            reader, writer = await dial(port, configs.client)
            assert await reader.readexactly(4) == b"half"
            with pytest.raises(Truncated):
                await reader.read()
            writer.close()

    asyncio.run(main())


def test_refused_certificate_fails_the_connection_and_spares_the_server(configs, caplog):
    caplog.set_level("INFO", "puretls.aio")

    async def main():
        async with tls_server(configs, echo) as port:
            with pytest.raises(VerificationError):
                await dial(port, ClientConfig())
            reader, writer = await dial(port, configs.client)
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            writer.close()

    asyncio.run(main())
    assert "handshake failed" in caplog.text


def test_alert_of_the_server_reaches_the_client(configs):
    async def main():
        strict = configs._replace(server=replace(configs.server, client_authentication="require"))
        async with tls_server(strict, echo) as port:
            with pytest.raises(FatalAlert, match="handshake_failure"):
                await dial(port, configs.client)

    asyncio.run(main())


def test_silent_client_is_dropped_after_the_time_limit(configs, caplog):
    caplog.set_level("INFO", "puretls.aio")

    async def main():
        async with tls_server(configs, echo, handshake_timeout=0.1) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(main())
    assert "took too long" in caplog.text


def test_silent_server_costs_the_client_its_time_limit(configs):
    async def main():
        async def say_nothing(reader, writer):
            await reader.read()
            writer.close()

        async with plain_server(say_nothing) as port:
            with pytest.raises(TimeoutError):
                await dial(port, configs.client, handshake_timeout=0.1)

    asyncio.run(main())


def test_plain_text_server_is_an_error(configs):
    async def main():
        async def shout(reader, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with plain_server(shout) as port:
            with pytest.raises(TlsError):
                await dial(port, configs.client)

    asyncio.run(main())


@pytest.mark.rfc("3207", "4")
def test_open_pair_is_upgraded_on_both_sides(configs):
    async def main():
        async def handler(reader, writer):
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"220\n")
            reader, writer = await aio.start_tls(reader, writer, configs.server)
            await echo(reader, writer)

        async with plain_server(handler) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"220\n"
            reader, writer = await aio.start_tls(reader, writer, configs.client, server_name=NAME)
            writer.write(b"quiet\n")
            assert await reader.readline() == b"quiet\n"
            writer.close()

    asyncio.run(main())


def test_text_injected_before_the_upgrade_is_never_taken_as_protected(configs):
    async def main():
        async def inject(reader, writer):
            await reader.readline()
            writer.write(b"220\nINJECTED\n")
            with suppress(TlsError):
                await aio.start_tls(reader, writer, configs.server)

        async with plain_server(inject) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"220\n"
            with pytest.raises(TlsError):
                await aio.start_tls(reader, writer, configs.client, server_name=NAME)

    asyncio.run(main())


def test_new_configuration_serves_the_next_client(configs):
    async def main():
        current = [replace(configs.server, tickets=None, session_cache=None)]
        async with serving(aio.start_server, echo, lambda: current[0]) as port:
            _, writer = await dial(port, configs.client)
            assert writer.get_extra_info("tls").session is None
            writer.close()
            current[0] = configs.server
            _, writer = await dial(port, configs.client)
            assert writer.get_extra_info("tls").session is not None
            writer.close()

    asyncio.run(main())


def test_client_that_cannot_even_begin_says_so_at_once(configs):
    def broken(count):
        raise RuntimeError("no entropy")

    async def main():
        async with tls_server(configs, echo) as port:
            with pytest.raises(CallbackError, match="random raised RuntimeError"):
                await dial(port, replace(configs.client, random=broken))

    asyncio.run(main())
