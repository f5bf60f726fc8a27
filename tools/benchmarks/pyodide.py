"""puretls and tlslite-ng in the same Pyodide, against OpenSSL behind a socket: milliseconds a handshake, megabytes a second.

Node 24, for tlslite-ng needs a socket that blocks; both have Pyodide's own, and `python -m pytest tests/pyodide` tells what it needs.
tlslite-ng verifies no chain.
"""

from __future__ import annotations

import functools
import os
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Case, Options, Row

_PROGRAM = """
import socket, statistics, sys, time, types

SIZE = 2**20

def puretls_client(port, suite):
    from puretls import ClientConfig
    from puretls.net import TlsSocket
    from puretls.roots import file_verifier
    from puretls.suites import SUITES
    suites = tuple(each for each in SUITES if each.openssl_name == suite)
    config = ClientConfig(verifier=file_verifier("/test/ca.pem"), suites=suites)
    return lambda: TlsSocket.client(socket.create_connection(("localhost", port)), config, "localhost")

def tlslite_client(port, suite):
    sys.modules.setdefault("dbm", types.ModuleType("dbm"))
    from tlslite.api import HandshakeSettings, TLSConnection
    settings = HandshakeSettings()
    settings.maxVersion = (3, 3)
    settings.cipherNames = ["chacha20-poly1305" if "CHACHA" in suite else "aes128gcm"]
    settings.cipherImplementations = ["python"]
    def connect():
        connection = TLSConnection(socket.create_connection(("localhost", port)))
        connection.handshakeClientCert(settings=settings, serverName="localhost")
        return connection
    return connect

def download(connection):
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    received, began = 0, time.perf_counter()
    while received < SIZE and (data := connection.recv(2**20)):
        received += len(data)
    return received / (time.perf_counter() - began) / 1e6

async def main(who, port, suite, rounds):
    connect = {"puretls": puretls_client, "tlslite_ng": tlslite_client}[who](port, suite)
    handshakes, rates = [], []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection = connect()
        handshakes.append((time.perf_counter() - began) * 1e3)
        rates.append(download(connection))
        connection.close()
    return [statistics.median(handshakes[1:]), statistics.median(rates[1:])]
"""
SUITES = {
    "ECDSA P-256, AES-128-GCM": ("secp256r1", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "ECDSA P-256, ChaCha20": ("secp256r1", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    "RSA 2048, AES-128-GCM": ("rsa2048", "ECDHE-RSA-AES128-GCM-SHA256"),
}


def cases(options: Options) -> list[Case]:
    """A handshake and a download of 1 MiB, suite by suite; none where there is no Pyodide."""
    from tests.pyodide import hosts

    if not (hosts.NPM / "pyodide").exists():
        return []
    return [functools.partial(_compared, options, case) for case in SUITES]


def _compared(options: Options, case: str) -> list[Row]:
    from puretls.ca import DevelopmentCa
    from tests.pyodide import hosts, servers

    kind, suite = SUITES[case]
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ca = DevelopmentCa.create(os.urandom, time.time())
        (folder / "ca.pem").write_text(ca.root.pem)
        context = servers.server_context(folder, ca.issue(["localhost"], kind), kind)
        host = hosts.NodeHost(hosts.suspending_node(), hosts.archive(folder / "packages.zip"), folder)
        with servers.serving(servers.TlsServer(context)) as server:
            for who, rounds in (("puretls", options.rounds(9)), ("tlslite_ng", 1 if options.quick else 2)):
                figures[who] = host.run(_PROGRAM, who=who, port=server.port, suite=suite, rounds=rounds)
        host.close()
    handshakes = {who: measured[0] for who, measured in figures.items()}
    rates = {who: measured[1] for who, measured in figures.items()}
    return [
        Row("pyodide", f"handshake, {case}", "", "ms", **handshakes),
        Row("pyodide", f"download, {case}", "1 MiB", "MB/s", **rates),
    ]
