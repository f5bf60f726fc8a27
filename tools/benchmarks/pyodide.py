"""puretls and tlslite-ng in the same Pyodide, against OpenSSL: milliseconds a handshake, megabytes a second.

In node 24 both have Pyodide's own sockets, in Chromium a relay: tlslite-ng needs something that blocks. It verifies no chain. What must be
installed is told by `python -m pytest -m slow tests/pyodide`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import Case, Options, Row

_PROGRAM = """
import socket, statistics, sys, time, types

def dial(port, relay):
    if relay is None:
        return socket.create_connection(("localhost", port))
    from functools import partial
    from puretls.net.js_transport import connect_websocket
    from puretls.net.pyodide import SuspendingSocket
    class Sending(SuspendingSocket):
        sendall = SuspendingSocket.send
    return Sending.open(partial(connect_websocket, url=relay), None)

def puretls_client(port, relay, suite):
    from puretls import ClientConfig
    from puretls.net import TlsSocket
    from puretls.roots import file_verifier
    from puretls.suites import SUITES
    suites = tuple(each for each in SUITES if each.openssl_name == suite)
    config = ClientConfig(verifier=file_verifier("/test/ca.pem"), suites=suites)
    return lambda: TlsSocket.client(dial(port, relay), config, "localhost")

def tlslite_client(port, relay, suite):
    sys.modules.setdefault("dbm", types.ModuleType("dbm"))
    from tlslite.api import HandshakeSettings, TLSConnection
    settings = HandshakeSettings()
    settings.maxVersion = (3, 3)
    settings.cipherNames = ["chacha20-poly1305" if "CHACHA" in suite else "aes128gcm"]
    settings.cipherImplementations = ["python"]
    def connect():
        connection = TLSConnection(dial(port, relay))
        connection.handshakeClientCert(settings=settings, serverName="localhost")
        return connection
    return connect

def timed_handshake(connect):
    began = time.perf_counter()
    connection = connect()
    took = time.perf_counter() - began
    connection.close()
    return took * 1e3

def rate(connect, size):
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    received, began = 0, time.perf_counter()
    while received < size and (data := connection.recv(2**20)):
        received += len(data)
    took = time.perf_counter() - began
    connection.close()
    return received / took / 1e6

async def main(port, relay, suite, rounds):
    # They take turns, so that the load of the machine meets both.
    connect = {"puretls": puretls_client(port, relay, suite), "tlslite_ng": tlslite_client(port, relay, suite)}
    sizes = {"puretls": 2**20, "tlslite_ng": 2**17}
    handshakes, rates = {name: [] for name in connect}, {name: [] for name in connect}
    for _ in range(rounds + 1):
        for name in connect:
            handshakes[name].append(timed_handshake(connect[name]))
    for _ in range(max(2, rounds // 2)):
        for name in connect:
            rates[name].append(rate(connect[name], sizes[name]))
    middle = statistics.median
    return [{name: middle(handshakes[name][1:]) for name in connect}, {name: middle(rates[name]) for name in connect}]
"""
SUITES = {
    "ECDSA P-256, AES-128-GCM": ("secp256r1", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "ECDSA P-256, ChaCha20": ("secp256r1", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    "RSA 2048, AES-128-GCM": ("rsa2048", "ECDHE-RSA-AES128-GCM-SHA256"),
}


def cases(options: Options) -> list[Case]:
    """A handshake and a download of 1 MiB, suite by suite, in each place that there is here."""
    from tests.inspect import browser
    from tests.pyodide import hosts

    if not (hosts.NPM / "pyodide").exists():
        return []
    places = {"node 24": True, "Chromium": browser.why_not() is None and shutil.which("websockify") is not None}
    return [functools.partial(_compared, options, place, case) for place, there in places.items() if there for case in SUITES]


@contextlib.contextmanager
def _place(name: str, folder: Path, port: int) -> Iterator[tuple[Any, str | None]]:
    """A Pyodide, and the relay that leads from there to a port of this machine."""
    from tests.inspect import browser
    from tests.pyodide import hosts

    archive = hosts.archive(folder / "packages.zip")
    if name == "node 24":
        host = hosts.NodeHost(hosts.suspending_node(), archive, folder)
        yield host, None
        host.close()
        return
    with hosts.page_server(folder) as url, hosts.websockify(port) as relay, browser.chromium(folder / "profile", offline=False) as driver:
        yield hosts.PageHost(driver, url), relay


def _compared(options: Options, place: str, case: str) -> list[Row]:
    from puretls.ca import DevelopmentCa
    from tests.pyodide import servers

    kind, suite = SUITES[case]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ca = DevelopmentCa.create(os.urandom, time.time())
        for file in ("ca.pem", "other.pem"):
            (folder / file).write_text(ca.root.pem)
        context = servers.server_context(folder, ca.issue(["localhost"], kind), kind)
        with servers.serving(servers.TlsServer(context)) as server, _place(place, folder, server.port) as (host, relay):
            told = host.run(_PROGRAM, port=server.port, relay=relay, suite=suite, rounds=options.rounds(9))
    handshakes, rates = told
    return [
        Row("pyodide", f"{place}, handshake, {case}", "", "ms", **handshakes),
        Row("pyodide", f"{place}, download, {case}", "1 MiB", "MB/s", **rates),
    ]
