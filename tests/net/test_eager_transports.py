"""Transports that have bytes at hand and bring them as soon as reading resumes, as Windows's proactor and JavaScript's do."""

import asyncio
from collections import deque

from puretls.connection import Connection
from puretls.net.protocol import TlsProtocol
from tests.support.credentials import NAME
from tests.support.pair import End, client_config, server_config

CHUNK = 2**18
SIZE = 2**22


class Eager(asyncio.Transport):
    """The wire to a server in memory; what the server sent comes in large pieces until reading is paused."""

    def __init__(self, protocol):
        super().__init__()
        self._protocol = protocol
        self._server = End(Connection.server(server_config()))
        self._arrived = deque()
        self._reading = True

    def write(self, data):
        self._server.feed(bytes(data))
        self.bring()

    def send(self, data):
        self._server.connection.send(data)
        self.bring()

    def bring(self):
        sent = self._server.take()
        self._arrived.extend(sent[start : start + CHUNK] for start in range(0, len(sent), CHUNK))
        asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self):
        while self._arrived and self._reading:
            self._protocol.data_received(self._arrived.popleft())

    def pause_reading(self):
        self._reading = False

    def resume_reading(self):
        self._reading = True
        asyncio.get_running_loop().call_soon(self._deliver)

    def is_closing(self):
        return False

    def close(self):
        pass


class Sip(asyncio.Protocol):
    """Takes one piece at a time."""

    def __init__(self):
        self.size = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self.size += len(data)
        if self.size == SIZE:
            self.done.set_result(None)
        self._transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._transport.resume_reading)


def test_a_connection_gets_more_bytes_when_it_has_no_more():
    async def read():
        upper = Sip()
        protocol = TlsProtocol(Connection.client(client_config(), NAME), upper)
        transport = Eager(protocol)
        protocol.connection_made(transport)
        await protocol.handshake
        for _ in range(SIZE // 2**16):
            transport.send(bytes(2**16))
        async with asyncio.timeout(60):
            await upper.done
        return upper.size

    assert asyncio.run(read()) == SIZE
