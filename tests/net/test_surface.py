"""What `TlsSocket` and the transport above TLS have of what they stand for; what they lack is listed, with the reason."""

import array
import asyncio
import inspect
import io
import os
import socket

import pytest

from puretls import Limits, UsageError, danger
from puretls.connection import Connection
from puretls.net import TlsSocket, aio, connect
from puretls.net.protocol import ANSWERS
from tests.net.wires import NAME, below, wires
from tests.support.pair import client_config, pair, server_config

UNCONNECTED = "a TlsSocket is made of a connected socket: `connect`, or accept on the socket and TlsSocket.server"
DATAGRAMS = "there are no addresses, no ancillary data and no gather writes on a TLS stream"
PROTOCOL = "told by `negotiated`, `session`, `connection` and the configuration, in puretls' words"
MISSING_SOCKET = {
    **dict.fromkeys(("accept", "bind", "connect", "connect_ex", "listen", "share"), UNCONNECTED),
    **dict.fromkeys(("recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "sendmsg", "sendmsg_afalg", "sendto"), DATAGRAMS),
    "dup": "two objects cannot share the keys of one connection",
    "ioctl": "of Windows' sockets: through `detach`, or on the socket before",
}
MISSING_SSL = {
    **dict.fromkeys(
        ("cipher", "compression", "context", "get_channel_binding", "get_unverified_chain", "get_verified_chain", "getpeercert",
         "selected_alpn_protocol", "selected_npn_protocol", "server_hostname", "server_side", "session_reused", "shared_ciphers",
         "sslsocket_class", "verify_client_post_handshake", "version"), PROTOCOL),
    "do_handshake": "`handshake`, which is done before a TlsSocket is given out",
    "read": "`recv`",
    "write": "`send`",
}  # fmt: skip


def public(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


def test_what_a_socket_has_and_ours_lacks_is_listed():
    lacking = public(socket.socket) - public(TlsSocket)
    assert lacking <= set(MISSING_SOCKET)
    assert lacking | public(TlsSocket) | {"share", "ioctl", "sendmsg_afalg"} >= set(MISSING_SOCKET)
    assert not set(MISSING_SOCKET) & public(TlsSocket)
    ssl = pytest.importorskip("ssl", reason="compares with the standard library's sockets")
    assert public(ssl.SSLSocket) - public(TlsSocket) - set(MISSING_SOCKET) <= set(MISSING_SSL)
    assert not set(MISSING_SSL) & public(TlsSocket)


def test_a_transport_lacks_nothing_but_the_half_close():
    for name in public(asyncio.Transport):
        assert getattr(aio.TlsTransport, name) is not getattr(asyncio.Transport, name) or name in {"writelines", "write_eof"}, name


# Sockets


def test_options_and_properties_are_those_below(connect):
    client, _ = connect()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    with below(client) as sock:
        assert (client.family, client.type, client.proto) == (sock.family, sock.type, sock.proto)
    client.set_inheritable(True)
    assert client.get_inheritable()
    client.settimeout(7)
    assert client.timeout == 7
    assert client.getblocking()


def test_non_blocking_calls_raise_and_lose_nothing(connect, run):
    client, server = connect()
    client.setblocking(False)
    assert not client.getblocking()
    with pytest.raises(BlockingIOError):
        client.recv(1)
    calls = 0

    def send_until_full():
        nonlocal calls
        while True:
            calls += 1
            client.send(bytes(2**18))

    with pytest.raises(BlockingIOError):
        send_until_full()
    client.setblocking(True)
    wanted = bytes(calls * 2**18) + b"end"  # what the last call took goes out with the next one
    got = []
    reading = run(lambda: got.append(server.makefile("rb").read(len(wanted))))
    client.sendall(b"end")
    client.shutdown(socket.SHUT_WR)
    reading.join(30)
    assert got == [wanted]


class Stream:
    """A socket that has no room for what is sent while it is `full`."""

    def __init__(self, sock):
        self.sock, self.full = sock, False

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def send(self, data):
        if self.full:
            raise TimeoutError
        return self.sock.send(data)


def test_what_arrived_is_not_lost_to_a_peer_that_does_not_read(configs, run):
    """An event comes once: it is kept before a flush that may time out."""
    near, far = wires()
    stream, servers = Stream(near), []
    accepting = run(lambda: servers.append(TlsSocket.server(far, configs.server)))
    client = TlsSocket.client(stream, configs.client, NAME)
    accepting.join(30)
    with client, servers[0] as server:
        server.sendall(b"data")
        stream.full = True
        with pytest.raises(TimeoutError):
            client.send(b"question")
        with pytest.raises(TimeoutError):  # what waits to be sent goes first, and there is still no room for it
            client.recv(4)
        stream.full = False
        assert client.recv(4) == b"data"
        assert server.recv(100) == b"question"


def test_detached_descriptor_stays_open_and_hears_no_goodbye(connect):
    client, server = connect()
    descriptor = client.detach()
    client.close()
    assert client.fileno() == -1
    with socket.socket(fileno=descriptor) as raw:
        server.sendall(b"x")
        assert raw.recv(100)
    server.close()


@pytest.mark.parametrize("buffer", [b"read-only", memoryview(bytes(9)), memoryview(bytearray(9))[::2], "text", 9, None], ids=lambda buffer: type(buffer).__name__)
def test_a_buffer_that_cannot_be_filled_loses_nothing(connect, buffer):
    client, server = connect()
    server.sendall(b"data")
    with pytest.raises(UsageError, match="recv_into"):
        client.recv_into(buffer)
    assert client.recv(10) == b"data"


def test_buffers_of_other_items_are_filled(connect):
    client, server = connect()
    server.sendall(b"\1\0\0\0")
    numbers = array.array("I", [0, 0])
    assert client.recv_into(numbers) == 4
    assert numbers.tobytes()[:4] == b"\1\0\0\0"


@pytest.mark.parametrize(("offset", "count"), [(0, None), (10, None), (10, 50_000), (0, 1)])
def test_files_are_sent(connect, run, tmp_path, offset, count):
    data = os.urandom(120_000)
    (tmp_path / "file").write_bytes(data)
    client, server = connect()
    wanted = data[offset:] if count is None else data[offset : offset + count]
    got = []
    run(lambda: got.append(server.makefile("rb").read(len(wanted))))
    with open(tmp_path / "file", "rb") as file:
        assert client.sendfile(file, offset, count) == len(wanted)
        assert file.tell() == offset + len(wanted)
    client.close()
    with pytest.raises(UsageError):
        client.sendfile(io.StringIO("x"), count=0)


# asyncio


def over_asyncio(configs, upper, talk):
    """`talk(transport, reader of the server, its writer)` with `upper` above TLS on the client's side."""

    async def main():
        served = asyncio.get_running_loop().create_future()

        async def accept(reader, writer):
            served.set_result((reader, writer))

        loop = asyncio.get_running_loop()
        async with await aio.start_server(accept, "127.0.0.1", 0, configs.server) as server:
            _, lower = await loop.create_connection(
                lambda: aio.TlsProtocol(Connection.client(configs.client, NAME), upper()), *server.sockets[0].getsockname()
            )
            transport = await asyncio.wait_for(lower.handshake, 20)
            reader, writer = await served
            await talk(transport, reader, writer)
            transport.close()
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_loop_sendfile_falls_back(configs, tmp_path):
    data = os.urandom(700_000)
    (tmp_path / "file").write_bytes(data)

    async def talk(transport, reader, writer):
        loop = asyncio.get_running_loop()
        with open(tmp_path / "file", "rb") as file:
            sending = asyncio.create_task(loop.sendfile(transport, file, 100))
            assert await reader.readexactly(len(data) - 100) == data[100:]
            assert await sending == len(data) - 100
        writer.write(b"still reading")
        assert await transport.get_protocol().queue.get() == b"still reading"

    over_asyncio(configs, Queued, talk)


class Queued(asyncio.Protocol):
    def __init__(self):
        self.queue = asyncio.Queue()

    def data_received(self, data):
        self.queue.put_nowait(data)


class Buffered(asyncio.BufferedProtocol):
    """Takes 1,000 bytes at a time; `came` is set by each of them."""

    def __init__(self):
        self.buffer, self.received, self.came = bytearray(1000), b"", asyncio.Event()

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.received += self.buffer[:count]
        self.came.set()


def test_buffered_protocol_above_tls(configs):
    data = os.urandom(50_000)

    async def talk(transport, reader, writer):
        writer.write(data)
        upper = transport.get_protocol()
        while len(upper.received) < len(data):
            await upper.came.wait()
            upper.came.clear()
        assert upper.received == data

    over_asyncio(configs, Buffered, talk)


class Lower(asyncio.Transport):
    """A transport to a peer that never reads: what is written stays."""

    def __init__(self, protocol, high):
        super().__init__()
        self.protocol, self.high, self.waiting, self.reading = protocol, high, 0, True
        self.written = bytearray()

    def write(self, data):
        self.written += data
        before, self.waiting = self.waiting, self.waiting + len(data)
        if before <= self.high < self.waiting:
            self.protocol.pause_writing()

    def drained(self):
        self.waiting = 0
        self.protocol.resume_writing()

    def is_closing(self):
        return False

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def close(self):
        pass

    abort = close


HIGH = 2**16


def flooded(records, most=100_000):
    """A client's transport after a server that never reads sent the same records again and again, as long as anybody read them."""
    limits = Limits(hello_requests=10**9)
    joined = pair({"limits": limits, "trace_level": "off"}, {"trace_level": "off"})
    protocol = aio.TlsProtocol(joined.client.connection, Queued())
    lower = Lower(protocol, HIGH)
    protocol.connection_made(lower)
    for _ in range(2):  # the handshake, for which it does read
        joined.server.feed(bytes(lower.written))
        lower.written.clear()
        lower.waiting = 0
        protocol.data_received(joined.server.take())
    assert protocol.handshake.done()

    def send():
        for type_, data in records:
            danger.parts(joined.server.connection).outbound.send(type_, data, 2**14)
        protocol.data_received(joined.server.take())

    for _ in range(most):
        if not lower.reading:
            break
        send()
    return protocol, lower, send


@pytest.mark.rfc("5246", "7.4.1.1")
def test_a_peer_that_has_us_answer_and_never_reads_is_not_read_for_ever():
    async def main():
        _, lower, _ = flooded([(22, bytes(4)), (23, b"x")])
        assert not lower.reading
        assert lower.waiting <= HIGH + ANSWERS + 2**10
        lower.drained()
        await asyncio.sleep(0)  # it goes on where it stopped
        assert lower.reading
        assert lower.waiting < HIGH

    asyncio.run(main())


def test_a_peer_that_only_sends_is_read_while_our_own_data_waits():
    """Else two programs that write much before they read would wait for each other."""

    async def main():
        protocol, lower, send = flooded([(23, b"x")], most=1)
        transport = await protocol.handshake
        transport.write(bytes(4 * HIGH))
        assert lower.waiting > 4 * HIGH
        for _ in range(50):
            send()
        assert lower.reading
        assert transport.get_protocol().queue.qsize() == 51

    asyncio.run(main())


def test_every_method_of_a_transport_that_is_documented_is_there():
    for name in ("get_extra_info", "is_closing", "close", "abort", "set_protocol", "get_protocol", "is_reading", "pause_reading",
                 "resume_reading", "write", "writelines", "write_eof", "can_write_eof", "get_write_buffer_size",
                 "get_write_buffer_limits", "set_write_buffer_limits"):  # fmt: skip
        assert inspect.isfunction(getattr(aio.TlsTransport, name)), name


def test_server_config_is_not_a_clients():
    with pytest.raises(UsageError):
        Connection.client(server_config())
    assert client_config()


@pytest.mark.parametrize("address", ["127.0.0.1", "12", ("localhost",), None, 443])
def test_an_address_is_a_pair(address):
    """Text has parts, too: of "12" host and port would be "1" and "2"."""
    with pytest.raises(UsageError, match="an address is a pair"):
        connect(address)
