"""Programs on `puretls.ssl` beside the same programs on OpenSSL: downloads, connections, `import ssl`, memory of a context.

Each figure is from a process of its own, in which `_ssl` and `_hashlib` cannot be imported unless it measures OpenSSL. The server is
OpenSSL, in a process of its own. Times are processor time of the client; the first kilobyte of a download is fetched before the clock
starts, so that what loads on first use is not in it. Libraries that are not installed have no row.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Case, Options, Row

ROOT = Path(__file__).resolve().parents[2]
SIZE = 50_000_000
SERVER = """
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain(sys.argv[1], sys.argv[2])
block = bytes(range(250)) * 4000

def serve(sock):
    try:
        tls = context.wrap_socket(sock, server_side=True)
        while head := tls.recv(65536):
            size = int(head.split()[1][1:])
            tls.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/octet-stream\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
            for start in range(0, size, len(block)):
                tls.sendall(block[:size - start])
    except OSError:
        pass

listener = socket.create_server(("127.0.0.1", 0), backlog=100)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
BLOCK = """
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in ("_ssl", "_hashlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
import puretls.ssl
puretls.ssl.install()
"""
START = """
import sys, time
port, ca, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
url = f"https://localhost:{port}/"
"""
HEAD = """
request = lambda size: b"GET /%d HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" % size
"""
TIMED = """
fetch(1000)
start = time.process_time()
fetch(size)
print(time.process_time() - start)
"""
ASYNC = """
async def main():
    async with session() as fetch:
        await fetch(1000)
        start = time.process_time()
        await fetch(size)
        print(time.process_time() - start)
asyncio.run(main())
"""
CORE = f"""{HEAD}
from puretls import ClientConfig
from puretls.net.blocking import connect
from puretls.roots import file_verifier
tls = connect(("localhost", port), ClientConfig(verifier=file_verifier(ca)))
def fetch(size):
    tls.sendall(request(size))
    while size > 0:
        size -= len(tls.recv(65536))
{TIMED}"""
CLIENTS = {
    "ssl.SSLSocket": f"""{HEAD}
import socket, ssl
tls = ssl.create_default_context(cafile=ca).wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost")
def fetch(size):
    tls.sendall(request(size))
    while size > 0:
        size -= len(tls.recv(65536))
{TIMED}""",
    "http.client": f"""
import http.client, ssl
connection = http.client.HTTPSConnection("localhost", port, context=ssl.create_default_context(cafile=ca))
def fetch(size):
    connection.request("GET", f"/{{size}}")
    assert len(connection.getresponse().read()) == size
{TIMED}""",
    "requests": f"""
import requests
session = requests.Session()
def fetch(size):
    assert len(session.get(url + str(size), verify=ca).content) == size
{TIMED}""",
    "httpx": f"""
import httpx, ssl
session = httpx.Client(verify=ssl.create_default_context(cafile=ca), trust_env=False)
def fetch(size):
    assert len(session.get(url + str(size), timeout=None).content) == size
{TIMED}""",
    "asyncio streams": f"""{HEAD}
import asyncio, contextlib, ssl
@contextlib.asynccontextmanager
async def session():
    reader, writer = await asyncio.open_connection("localhost", port, ssl=ssl.create_default_context(cafile=ca))
    async def fetch(size):
        writer.write(request(size))
        while size > 0:
            size -= len(await reader.read(65536))
    yield fetch
    writer.close()
{ASYNC}""",
    "aiohttp": f"""
import aiohttp, asyncio, contextlib, ssl
@contextlib.asynccontextmanager
async def session():
    async with aiohttp.ClientSession() as one:
        async def fetch(size):
            async with one.get(url + str(size), ssl=ssl.create_default_context(cafile=ca)) as response:
                assert len(await response.read()) == size
        yield fetch
{ASYNC}""",
}
CONNECTIONS = """
import socket, ssl, statistics
def connect(context, session=None):
    start = time.process_time()
    with context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost", session=session) as tls:
        spent = time.process_time() - start
        tls.sendall(b"GET /1 HTTP/1.1\\r\\n\\r\\n")
        tls.recv(100)
        assert tls.session_reused == (session is not None)
        return spent, tls.session
one = ssl.create_default_context(cafile=ca)
session = connect(one)[1]
contexts = [one if size else ssl.create_default_context(cafile=ca) for _ in range(20)]
print(statistics.median(connect(context, session if size else None)[0] for context in contexts))
"""
IMPORT = "start = time.process_time()\n{install}import ssl\nprint(time.process_time() - start)"
MEMORY = """
import ssl
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
before = resident()
contexts = [ssl.create_default_context() for _ in range(size)]
assert all(context.cert_store_stats()["x509_ca"] for context in contexts)  # reads what comes late otherwise
print((resident() - before) / 1024)
"""


def cases(options: Options) -> list[Case]:
    return [lambda: _downloads(options), lambda: _connections(options), lambda: _import(options), lambda: _memory(options)]


def _downloads(options: Options) -> Iterator[Row]:
    with _server() as server:
        core = _median(options, CORE, server, "puretls", SIZE)
        yield Row("https", "the core: puretls.net, recv", "50 MB", "s", core)
        for name, script in CLIENTS.items():
            if name in ("requests", "httpx", "aiohttp") and importlib.util.find_spec(name) is None:
                continue
            ours, theirs = (_median(options, script, server, kind, SIZE) for kind in ("puretls", "openssl"))
            yield Row("https", f"{name}: {ours / core:.2f} of the core's time", "50 MB", "s", ours, None, theirs)


def _connections(options: Options) -> Iterator[Row]:
    with _server() as server:
        for name, resumes in (("a connection, in full", 0), ("a connection, resumed", 1)):
            ours, theirs = (_median(options, CONNECTIONS, server, kind, resumes) * 1e3 for kind in ("puretls", "openssl"))
            yield Row("https", name, "", "ms", ours, None, theirs)


def _import(options: Options) -> Sequence[Row]:
    ours = _median(options, IMPORT.format(install=BLOCK), ("0", ""), "openssl", 0, least=9)
    theirs = _median(options, IMPORT.format(install=""), ("0", ""), "openssl", 0, least=9)
    return [Row("https", "import ssl", "", "ms", ours * 1e3, None, theirs * 1e3)]


def _memory(options: Options) -> Iterator[Row]:
    if not os.path.exists("/proc/self/statm"):
        return
    for count, name in ((1, "the first context with the system's roots, read"), (11, "eleven of them")):
        ours, theirs = (_median(options, MEMORY, ("0", ""), kind, count) for kind in ("puretls", "openssl"))
        yield Row("https", name, "", "KiB", ours, None, theirs)


def _median(options: Options, script: str, server: tuple[str, str], kind: str, size: int, least: int = 3) -> float:
    source = START + (BLOCK if kind == "puretls" else "") + script
    command = [sys.executable, "-W", "ignore", "-c", source, *server, str(size)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    rounds = max(least, options.rounds(5))
    run = functools.partial(subprocess.run, command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    told = [run().stdout for _ in range(rounds)]
    return statistics.median(map(float, told))


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """Its port, and the file of the CA."""
    from puretls.ca import DevelopmentCa

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = DevelopmentCa.create(os.urandom, time.time())
        leaf = authority.issue(["localhost"])
        for file, text in (("ca", authority.root_pem), ("cert", leaf.chain_pem), ("key", leaf.key_pem)):
            (folder / file).write_text(text)
        command = [sys.executable, "-c", SERVER, str(folder / "cert"), str(folder / "key")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip(), str(folder / "ca")
            finally:
                process.kill()
