"""Sessions between many connections: threads share stores, forked processes share ticket keys."""

import asyncio
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from puretls.config import Credential
from puretls.errors import FatalAlert, TlsError, VerificationError
from puretls.net import TlsSocket, aio, connect
from puretls.session import MemorySessionStore, TicketKeys
from tests.net.wires import NAME


def answer(listener, config, count):
    for _ in range(count):
        sock, _ = listener.accept()
        with TlsSocket.server(sock, config) as tls:
            tls.sendall(tls.recv(100))
            tls.recv(100)


def dial(listener, config, **options):
    with connect(listener.getsockname(), config, server_name=NAME, timeout=20, **options) as tls:
        tls.sendall(b"x")
        assert tls.recv(10) == b"x"
        return tls.negotiated.resumed, tls.session


@pytest.mark.parametrize("kind", ["tickets", "session ids"])
def test_threads_share_the_stores_of_both_sides(configs, kind):
    ours = {"tickets": {"session_cache": None, "tickets": TicketKeys()}, "session ids": {"tickets": None}}[kind]
    server = replace(configs.server, **ours)
    client = replace(configs.client, session_store=MemorySessionStore())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = [threading.Thread(target=answer, args=(listener, server, 5)) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert dial(listener, client)[0] is False
        with ThreadPoolExecutor(6) as pool:
            resumed = [future.result()[0] for future in [pool.submit(dial, listener, client) for _ in range(24)]]
        for thread in threads:
            thread.join(20)
    assert resumed == [True] * 24


@pytest.mark.rfc("5077", "4")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_processes_forked_later_accept_each_others_tickets(configs):
    server = replace(configs.server, session_cache=None, tickets=TicketKeys())
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        children = []
        for listener in (first, second):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    answer(listener, server, 1)
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        _, session = dial(first, configs.client)
        assert session.ticket
        assert dial(second, configs.client, session=session)[0] is True
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]


@pytest.mark.parametrize("kind", ["tickets", "session ids"])
@pytest.mark.parametrize("side", ["client", "server"])
def test_session_is_worth_no_more_than_the_verifier_of_today(configs, kind, side):
    """The other side trusts the chain as before; a new verifier on `side` refuses it, resumed or not."""
    ours = {"tickets": {"session_cache": None, "tickets": TicketKeys()}, "session ids": {"tickets": None}}[kind]
    leaf = configs.authority.issue(["client.test"], usage="client")
    server = replace(configs.server, **ours, client_authentication="require", verifier=configs.client.verifier)
    client = replace(configs.client, credentials=(Credential(leaf.chain, leaf.key),))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def join(client, server, **options):
            served = pool.submit(answer, listener, server, 1)
            try:
                return dial(listener, client, **options)
            finally:
                with suppress(TlsError):
                    served.result(20)

        _, session = join(client, server)
        assert join(client, server, session=session)[0] is True
        if side == "client":
            with pytest.raises(VerificationError):
                join(replace(client, verifier=None), server, session=session)
        else:
            with pytest.raises(FatalAlert, match="unknown_ca"):
                join(client, replace(server, verifier=None), session=session)


def test_session_is_worth_no_more_than_the_verifier_of_today_in_asyncio(configs):
    store = MemorySessionStore()

    async def main():
        async def served(reader, writer):
            writer.write(await reader.read(10))
            await writer.drain()
            writer.close()

        async def dialled(config):
            port = server.sockets[0].getsockname()[1]
            reader, writer = await aio.open_connection("127.0.0.1", port, config, server_name=NAME)
            writer.write(b"x")
            assert await reader.read(1) == b"x"
            resumed = writer.get_extra_info("tls").negotiated.resumed
            writer.close()
            return resumed

        async with await aio.start_server(served, "127.0.0.1", 0, configs.server) as server:
            client = replace(configs.client, session_store=store)
            assert [await dialled(client), await dialled(client)] == [False, True]
            with pytest.raises(VerificationError):
                await dialled(replace(client, verifier=None))

    asyncio.run(main())
