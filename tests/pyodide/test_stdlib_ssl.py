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


LIBRARIES = (
    SETUP
    + """
import sys
from unittest.mock import patch
from puretls.net import pyodide

async def fetched(url, relay):
    if relay is not None:
        await pyodide.relay_sockets(relay)
"""
)
REQUESTS = """
    with patch.object(sys, "platform", "linux"):  # else urllib3 takes JavaScript's fetch in place of sockets
        import requests
    try:
        requests.get(url, verify="/test/other.pem")
    except requests.exceptions.SSLError:
        return requests.get(url, verify="/test/ca.pem").content
"""
HTTPX = """
    import httpx
    with httpx.Client(verify=trusting("ca.pem")) as client:
        return client.get(url).content
"""
HTTPX_LATER = """
    import httpx
    async with httpx.AsyncClient(verify=trusting("ca.pem")) as client:
        return (await client.get(url)).content
"""
MAIN = """
async def main(port, relay):
    return sha256(await fetched(f"https://localhost:{port}/", relay)).hexdigest()
"""


@pytest.mark.parametrize("where", ["suspending", "page"])
@pytest.mark.parametrize("library", [REQUESTS, HTTPX, HTTPX_LATER], ids=["requests", "httpx", "httpx-async"])
def test_libraries_read_https(request, where, library, https, choosing_relay):
    if library is not REQUESTS:
        pytest.importorskip("httpx")
    relay = choosing_relay if where == "page" else None
    there = request.getfixturevalue(where)
    assert there.run(LIBRARIES + library + MAIN, port=https.port, relay=relay) == servers.digest()


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


SOCKETS = (
    SETUP
    + """
from puretls.net import pyodide

async def main(relay, web, mail):
    import imaplib, urllib.error, urllib.request
    await pyodide.relay_sockets(relay)
    url = f"https://localhost:{web}/"
    body = urllib.request.urlopen(url, context=trusting("ca.pem")).read()
    try:
        urllib.request.urlopen(url, context=trusting("other.pem"))
    except urllib.error.URLError as error:
        refused = error.reason.reason
    with imaplib.IMAP4_SSL("localhost", mail, ssl_context=trusting("ca.pem")) as box:
        box.login("me", "secret")
        box.select("INBOX")
        _, answer = box.fetch("1", "(RFC822)")
    return [sha256(body).hexdigest(), refused, answer[0][1].decode()]
"""
)


def test_the_sockets_of_a_page_go_over_a_relay(page, https, imaps, choosing_relay):
    told = page.run(SOCKETS, relay=choosing_relay, web=https.port, mail=imaps.port)
    assert told == [servers.digest(), "CERTIFICATE_VERIFY_FAILED", servers.Imap.MESSAGE.decode()]


def test_an_upload_over_the_sockets_of_a_page_arrives_whole(page, https, choosing_relay):
    program = (
        SETUP
        + """
import http.client, os
from puretls.net import pyodide

async def main(relay, port, size):
    await pyodide.relay_sockets(relay)
    data = os.urandom(size)
    connection = http.client.HTTPSConnection("localhost", port, context=trusting("ca.pem"))
    connection.request("POST", "/", data)
    same = connection.getresponse().read() == data
    connection.request("GET", "/")
    return [same, sha256(connection.getresponse().read()).hexdigest()]
"""
    )
    assert page.run(program, relay=choosing_relay, port=https.port, size=2**20) == [True, servers.digest()]
