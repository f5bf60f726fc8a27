"""The transports below TLS in Pyodide, with WebSocket servers that do what relays should not."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.interop]

SETUP = """
import asyncio
import js
from contextlib import contextmanager
from pyodide.ffi import create_proxy, to_js
from puretls.net.js_transport import READ_SIZE, connect_websocket

class Kept(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.told, self.sizes = transport, [], []
        self.lost = asyncio.get_running_loop().create_future()
    def data_received(self, data):
        self.sizes.append(len(data))
    def eof_received(self):
        self.told.append("eof")
    def connection_lost(self, error):
        self.lost.set_result([type(error).__name__, str(error)])

@contextmanager
def relay(greet):
    '''A WebSocket server that does this to each client; gives its URL.'''
    server = js.WebSocketServer.new(to_js({"port": 0}, dict_converter=js.Object.fromEntries))
    greeting = create_proxy(lambda socket, _request: greet(socket))
    server.on("connection", greeting)
    try:
        yield f"ws://127.0.0.1:{server.address().port}/"
    finally:
        server.close()
"""


@pytest.mark.parametrize(
    ("greet", "told", "error"),
    [
        ("socket.send('no bytes')", [], ["ConnectionResetError", "sent text: it is no relay of bytes"]),
        ("socket.close(1011, 'no such host')", [], ["ConnectionResetError", "closed the connection: 1011 no such host"]),
        ("socket.close(1000)", ["eof"], ["NoneType", "None"]),
        ("socket.terminate()", [], ["ConnectionResetError", "closed the connection: 1006"]),
    ],
)
def test_how_a_relay_ends_is_told(node, greet, told, error):
    program = (
        SETUP
        + f"""
async def main():
    with relay(lambda socket: {greet}) as url:
        _, protocol = await connect_websocket(Kept, url)
        return [protocol.told, await protocol.lost]
"""
    )
    events, (kind, text) = node.run(program)
    assert (events, kind) == (told, error[0])
    assert text.endswith(error[1])


def test_a_large_message_comes_in_pieces_and_waits_while_reading_is_paused(node):
    program = (
        SETUP
        + """
async def main(size):
    with relay(lambda socket: (socket.send(js.Uint8Array.new(size)), socket.close(1000))) as url:
        transport, protocol = await connect_websocket(Kept, url)
        transport.pause_reading()
        while not transport._arrived:
            await asyncio.sleep(0.01)
        before = sum(protocol.sizes)
        transport.resume_reading()
        await protocol.lost
        return [before, sum(protocol.sizes), max(protocol.sizes) <= READ_SIZE, protocol.told]
"""
    )
    size = 3 * 2**20 + 1
    before, after, in_pieces, told = node.run(program, size=size)
    assert before in (0, 2**18)  # one piece may have come with the opening
    assert (after, in_pieces, told) == (size, True, ["eof"])


def test_what_was_written_is_sent_before_a_transport_closes(node):
    program = (
        SETUP
        + """
async def main(size):
    got = []
    def greet(socket):
        socket.binaryType = "arraybuffer"
        socket.onmessage = create_proxy(lambda event: got.append(event.data.byteLength))
    with relay(greet) as url:
        transport, protocol = await connect_websocket(Kept, url)
        for _ in range(4):
            transport.write(bytes(size))
        transport.close()
        transport.write(b"too late")
        await protocol.lost
        return got
"""
    )
    assert node.run(program, size=2**18) == [2**18] * 4
