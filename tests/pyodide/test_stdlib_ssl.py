"""The module `ssl` in Pyodide, whose own is a stub: memory BIOs everywhere, sockets where the platform can suspend."""

import pytest

from tests.pyodide import servers

pytestmark = [pytest.mark.slow, pytest.mark.interop]

SETUP = """
import puretls.ssl
puretls.ssl.install()
import ssl
from hashlib import sha256

def trusting(file):
    return ssl.create_default_context(cafile=f"/test/{file}")
"""
BIOS = (
    SETUP
    + """
import asyncio
from puretls.net.js_transport import connect_node, connect_websocket

class Queue(asyncio.Protocol):
    def __init__(self):
        self.waiting = asyncio.Queue()
    def data_received(self, data):
        self.waiting.put_nowait(data)
    def connection_lost(self, error):
        self.waiting.put_nowait(b"")

async def get(port, relay, context, name):
    '''An https GET as programs do it who move the bytes themselves.'''
    way = connect_node(Queue, "localhost", port) if relay is None else connect_websocket(Queue, relay)
    transport, queue = await way
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    async def done(call, *arguments):
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                transport.write(outgoing.read())
                data = await queue.waiting.get()
                incoming.write(data) if data else incoming.write_eof()
            finally:
                transport.write(outgoing.read())
    try:
        await done(tls.do_handshake)
        await done(tls.write, b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
        answer = b""
        while data := await done(tls.read, 2**16):
            answer += data
        return [tls.version(), sha256(answer.partition(b"\\r\\n\\r\\n")[2]).hexdigest()]
    finally:
        transport.close()
"""
)
REFUSED = """
async def main(port, relay, file, name):
    try:
        await get(port, relay, trusting(file), name)
    except ssl.SSLCertVerificationError as error:
        return [error.reason, error.verify_message]
"""


@pytest.fixture(params=["node-net", "page-relay"])
def place(request):
    host, _, way = request.param.partition("-")
    relay = request.getfixturevalue("relay") if way == "relay" else None
    return request.getfixturevalue(host), relay


def test_a_verified_megabyte_through_memory_bios(place, https):
    host, relay = place
    program = BIOS + "\nasync def main(port, relay): return await get(port, relay, trusting('ca.pem'), 'localhost')"
    assert host.run(program, port=https.port, relay=relay) == ["TLSv1.2", servers.digest()]


@pytest.mark.parametrize(("file", "name"), [("other.pem", "localhost"), ("ca.pem", "wrong.test")])
def test_a_wrong_authority_and_a_wrong_name_are_refused(place, https, file, name):
    host, relay = place
    reason, message = host.run(BIOS + REFUSED, port=https.port, relay=relay, file=file, name=name)
    assert reason == "CERTIFICATE_VERIFY_FAILED"
    assert name in message or file == "other.pem"


def test_urllib_reads_https_and_refuses_a_wrong_authority(suspending, https):
    program = (
        SETUP
        + """
import urllib.error, urllib.request

async def main(port):
    url = f"https://localhost:{port}/"
    body = urllib.request.urlopen(url, context=trusting("ca.pem")).read()
    try:
        urllib.request.urlopen(url, context=trusting("other.pem"))
    except urllib.error.URLError as error:
        return [sha256(body).hexdigest(), type(error.reason).__name__, error.reason.reason]
"""
    )
    expected = [servers.digest(), "SSLCertVerificationError", "CERTIFICATE_VERIFY_FAILED"]
    assert suspending.run(program, port=https.port) == expected


def test_sockets_are_sockets_and_time_out(suspending, https):
    program = (
        SETUP
        + """
import socket

async def main(port):
    with socket.create_connection(("localhost", port)) as sock:
        with trusting("ca.pem").wrap_socket(sock, server_hostname="localhost") as tls:
            tls.settimeout(0.05)
            try:
                tls.recv(1)
            except TimeoutError as error:
                told = type(error).__name__
            tls.settimeout(20)
            tls.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
            return [isinstance(tls, socket.socket), told, tls.recv(8).decode(), tls.getpeercert()["subject"]]
"""
    )
    assert suspending.run(program, port=https.port) == [True, "TimeoutError", "HTTP/1.1", [[["commonName", "localhost"]]]]


def test_mail_is_read_by_imaplib(suspending, imaps):
    program = (
        SETUP
        + """
import imaplib

async def main(port):
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=trusting("ca.pem")) as mail:
        mail.login("me", "secret")
        mail.select("INBOX")
        _, answer = mail.fetch("1", "(RFC822)")
    return answer[0][1].decode()
"""
    )
    assert suspending.run(program, port=imaps.port) == servers.Imap.MESSAGE.decode()


def test_requests_reads_https(suspending, https):
    program = (
        SETUP
        + """
import sys
from unittest.mock import patch

async def main(port):
    with patch.object(sys, "platform", "linux"):  # else urllib3 takes JavaScript's fetch in place of sockets
        import requests
    answer = requests.get(f"https://localhost:{port}/", verify="/test/ca.pem")
    try:
        requests.get(f"https://localhost:{port}/", verify="/test/other.pem")
    except requests.exceptions.SSLError:
        return sha256(answer.content).hexdigest()
"""
    )
    assert suspending.run(program, port=https.port) == servers.digest()


def test_httpx_reads_https(suspending, https):
    pytest.importorskip("httpx")
    program = (
        SETUP
        + """
import httpx

async def main(port):
    url, context = f"https://localhost:{port}/", trusting("ca.pem")
    async with httpx.AsyncClient(verify=context) as client:
        later = await client.get(url)
    with httpx.Client(verify=context) as client:
        return [sha256(answer.content).hexdigest() for answer in (client.get(url), later)]
"""
    )
    assert suspending.run(program, port=https.port) == [servers.digest(), servers.digest()]


def test_what_was_imported_with_the_stub_is_repaired_and_given_back(suspending, https):
    program = """
import sys
import puretls.ssl
puretls.ssl.uninstall()
import http.client, imaplib, smtplib, urllib.request
import ssl as stub

async def main(port):
    puretls.ssl.install()
    import ssl
    modules = http.client, imaplib, smtplib
    repaired = all(module.ssl is ssl for module in modules)
    context = ssl.create_default_context(cafile="/test/ca.pem")
    size = len(urllib.request.urlopen(f"https://localhost:{port}/", context=context).read())
    puretls.ssl.uninstall()
    return ["stub" in stub.OPENSSL_VERSION, repaired, size, all(module.ssl is stub for module in modules), sys.modules["ssl"] is stub]
"""
    assert suspending.run(program, port=https.port) == [True, True, len(servers.BODY), True, True]
