"""TLS in Pyodide against OpenSSL: over node's sockets, and over a WebSocket relay in node and in Chromium."""

import pytest

from tests.pyodide import hosts, servers

pytestmark = [pytest.mark.slow, pytest.mark.interop]

SETUP = """
from hashlib import sha256
from puretls import Alpn, ClientConfig, TlsError
from puretls.net import pyodide
from puretls.roots import file_verifier

REQUEST = b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"

def trusting(file):
    return ClientConfig(verifier=file_verifier(f"/test/{file}"))

async def get(port, relay, config, **options):
    reader, writer = await pyodide.open("localhost", port, config, relay=relay, **options)
    try:
        writer.write(REQUEST)
        answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return answer.partition(b"\\r\\n\\r\\n")[2]
"""
GET = (
    SETUP
    + """
async def main(port, relay):
    body = await get(port, relay, trusting("ca.pem"))
    return [len(body), sha256(body).hexdigest()]
"""
)
REFUSED = (
    SETUP
    + """
async def main(port, relay, file, name):
    try:
        await get(port, relay, trusting(file), server_name=name)
    except TlsError as error:
        return [type(error).__name__, str(error)]
"""
)
UPLOAD = (
    SETUP
    + """
import os

async def main(port, relay, size):
    '''More than any buffer holds, sent with back-pressure, comes back unchanged.'''
    data = os.urandom(size)
    reader, writer = await pyodide.open("localhost", port, trusting("ca.pem"), relay=relay)
    writer.write(b"POST / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
    most = 0
    for start in range(0, size, 2**16):
        writer.write(data[start:start + 2**16])
        most = max(most, writer.transport.get_write_buffer_size())
        await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return [answer.endswith(data), most]
"""
)


@pytest.fixture(params=["node-net", "node-relay", "jspi-net", "page-relay"])
def place(request):
    """A Pyodide, and whether its bytes go through a relay."""
    host, _, way = request.param.partition("-")
    names = {"node": "node", "jspi": "suspending", "page": "page"}
    relay = request.getfixturevalue("relay") if way == "relay" else None
    return request.getfixturevalue(names[host]), relay


def test_a_verified_megabyte(place, https):
    host, relay = place
    assert host.run(GET, port=https.port, relay=relay) == [len(servers.BODY), servers.digest()]


@pytest.mark.rfc("5280", "6.1")
@pytest.mark.rfc("6125", "6.4")
@pytest.mark.parametrize(
    ("file", "name", "reason"), [("other.pem", "localhost", "signature"), ("ca.pem", "wrong.test", "wrong.test")]
)
def test_a_wrong_authority_and_a_wrong_name_are_refused(place, https, file, name, reason):
    host, relay = place
    kind, text = host.run(REFUSED, port=https.port, relay=relay, file=file, name=name)
    assert kind == "VerificationError"
    assert reason in text


def test_an_upload_is_held_back(place, https):
    host, relay = place
    same, most = host.run(UPLOAD, port=https.port, relay=relay, size=2**20)
    assert same
    assert most < 2**19


def test_a_reader_that_waits_holds_the_server_back(node, https):
    """In node: a WebSocket cannot be paused."""
    program = (
        SETUP
        + """
import asyncio

async def main(port):
    reader, writer = await pyodide.open("localhost", port, trusting("ca.pem"))
    writer.write(REQUEST.replace(b"GET /", b"GET /3"))
    await reader.readuntil(b"\\r\\n\\r\\n")
    held, size = -1, 0
    while held != len(reader._buffer):  # until nothing more comes
        held = len(reader._buffer)
        await asyncio.sleep(0.1)
    while data := await reader.read(2**16):
        size += len(data)
    writer.close()
    return [held, size]
"""
    )
    held, size = node.run(program, port=https.port)
    assert held < 2**20
    assert size == 3 * len(servers.BODY)


@pytest.mark.rfc("5246", "7.3")
def test_a_session_is_resumed(place, https):
    host, relay = place
    program = (
        SETUP
        + """
async def main(port, relay):
    config, session, resumed = trusting("ca.pem"), None, []
    for _ in range(2):
        reader, writer = await pyodide.open("localhost", port, config, relay=relay, session=session)
        connection = writer.get_extra_info("tls")
        writer.write(REQUEST)
        await reader.read()
        writer.close()
        session = connection.session
        resumed.append(connection.negotiated.resumed)
    return resumed
"""
    )
    assert host.run(program, port=https.port, relay=relay) == [False, True]


def test_without_a_configuration_the_roots_of_certifi_are_trusted(place, https):
    host, relay = place
    program = (
        SETUP
        + """
import certifi
from puretls.roots import find_sources

async def main(port, relay):
    try:
        await get(port, relay, None)
    except TlsError as error:
        return [type(error).__name__, list(find_sources({}).files) == [certifi.where()]]
"""
    )
    assert host.run(program, port=https.port, relay=relay) == ["VerificationError", True]


def test_a_relay_may_be_any_function_that_opens_a_transport(node, https, relay):
    program = (
        SETUP
        + """
from functools import partial
from puretls.net.js_transport import connect_websocket

async def main(port, relay):
    way = partial(connect_websocket, url=relay, subprotocols=())
    return len(await get(port, way, trusting("ca.pem")))
"""
    )
    assert node.run(program, port=https.port, relay=relay) == len(servers.BODY)


def test_nobody_there_is_an_oserror(place, https):
    host, relay = place
    port = hosts.free_port()
    program = (
        SETUP
        + """
async def main(port, relay):
    try:
        await pyodide.open("localhost", port, trusting("ca.pem"), relay=relay)
    except OSError as error:
        return [type(error).__name__, str(error)]
"""
    )
    kind, text = host.run(program, port=port, relay=relay and f"ws://127.0.0.1:{port}/")
    assert kind == "ConnectionRefusedError"
    assert str(port) in text


def test_a_page_without_a_relay_is_told_what_it_needs(page, https):
    program = (
        SETUP
        + """
async def main(port):
    try:
        await pyodide.open("localhost", port, trusting("ca.pem"))
    except Exception as error:
        return [type(error).__name__, str(error)]
"""
    )
    kind, text = page.run(program, port=https.port)
    assert kind == "UsageError"
    assert "relay=" in text


def test_a_handshake_that_takes_too_long_leaves_nothing_behind(place, https):
    """Events of JavaScript's that come afterwards find nobody, and do no harm."""
    host, relay = place
    program = (
        SETUP
        + """
async def main(port, relay):
    try:
        await get(port, relay, trusting("ca.pem"), handshake_timeout=0.0001)
    except TimeoutError:
        return len(await get(port, relay, trusting("ca.pem")))
"""
    )
    assert host.run(program, port=https.port, relay=relay) == len(servers.BODY)


def test_a_protocol_that_raises_loses_its_connection_and_nothing_else(place, https):
    """Also of the loop's exception handler, as with any transport of asyncio."""
    host, relay = place
    program = (
        SETUP
        + """
import asyncio
from functools import partial
from puretls import Connection
from puretls.net.js_transport import connect_node, connect_websocket

class Raises(asyncio.Protocol):
    def connection_made(self, transport):
        self.lost = asyncio.get_running_loop().create_future()
    def data_received(self, data):
        raise ZeroDivisionError("of the program")
    def connection_lost(self, error):
        self.lost.set_result(repr(error))

async def main(port, relay):
    told = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.append(repr(context["exception"])))
    way = partial(connect_websocket, url=relay) if relay else partial(connect_node, host="localhost", port=port)
    try:
        transport, protocol = await way(Raises)
        hello = Connection.client(trusting("ca.pem"), "localhost")
        hello.start()
        transport.write(hello.bytes_to_send())  # it will be answered
        return [told, await protocol.lost]
    finally:
        loop.set_exception_handler(None)
"""
    )
    raised = "ZeroDivisionError('of the program')"
    assert host.run(program, port=https.port, relay=relay) == [[raised], raised]
