"""Blocking TLS where the platform can suspend Python: node 24 and Chromium have JSPI, node 20 has not."""

import pytest

from tests.pyodide import servers
from tests.pyodide.test_streams import SETUP

pytestmark = [pytest.mark.slow, pytest.mark.interop]

GET = (
    SETUP
    + """
def fetch(connect):
    with connect() as tls:
        tls.settimeout(20)
        tls.sendall(REQUEST)
        with tls.makefile("rb") as file:
            body = file.read().partition(b"\\r\\n\\r\\n")[2]
    return sha256(body).hexdigest()
"""
)
BLOCKING = (
    GET
    + """
async def main(port, relay):
    return fetch(lambda: pyodide.connect("localhost", port, trusting("ca.pem"), relay=relay))
"""
)


@pytest.mark.parametrize("where", ["node-net", "node-relay", "page-relay"])
def test_a_blocking_socket_reads_a_megabyte(request, where, https):
    host, _, way = where.partition("-")
    relay = request.getfixturevalue("relay") if way == "relay" else None
    there = request.getfixturevalue({"node": "suspending", "page": "page"}[host])
    assert there.run(BLOCKING, port=https.port, relay=relay) == servers.digest()


def test_the_blocking_socket_of_puretls_runs_on_pyodides_own_sockets(suspending, https):
    program = (
        GET
        + """
import puretls.net

async def main(port):
    return fetch(lambda: puretls.net.connect(("localhost", port), trusting("ca.pem")))
"""
    )
    assert suspending.run(program, port=https.port) == servers.digest()


def test_a_time_out_leaves_the_connection_usable(suspending, https):
    program = (
        GET
        + """
async def main(port):
    with pyodide.connect("localhost", port, trusting("ca.pem"), timeout=20) as tls:
        tls.settimeout(0.05)
        try:
            tls.recv(1)
        except TimeoutError as error:
            told = type(error).__name__
        tls.settimeout(20)
        tls.sendall(REQUEST)
        return [told, tls.recv(8).decode()]
"""
    )
    assert suspending.run(program, port=https.port) == ["TimeoutError", "HTTP/1.1"]


def test_where_python_cannot_be_suspended_the_error_names_the_other_way(node, https):
    program = (
        GET
        + """
async def main(port):
    try:
        pyodide.connect("localhost", port, trusting("ca.pem"))
    except Exception as error:
        return [type(error).__name__, str(error)]
"""
    )
    kind, text = node.run(program, port=https.port)
    assert kind == "UsageError"
    assert "await puretls.net.pyodide.open" in text
