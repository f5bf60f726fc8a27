"""The cost of growth: what becomes of it when there are more workers, connections, certificates, entries, bytes in a record.

`ratio` says how much more each of them costs than at the first point: 1 where the cost grows as the work does. Clients are OpenSSL's, by
Python's `ssl`; servers are processes of their own. The JSON has each curve as points, too, for drawing.
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness import Case, Contender, Options, Row, seconds
from benchmarks.overhead import drain
from puretls import ClientConfig, Connection, Credential, ServerConfig
from puretls.ca import DevelopmentCa
from puretls.crypto.kernels.ec import combs
from puretls.crypto.provider import default, named
from puretls.extensions import RecordSizeLimit
from puretls.suites import SUITES
from puretls.testing.pki import plan
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import remembered
from puretls.x509.crl import Crl
from puretls.x509.drafts import CrlDraft, RevokedEntry
from puretls.x509.path.examine import Caches
from puretls.x509.pem import load_certificates
from puretls.x509.revocation import HARD, Revocation
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

ROOT = Path(__file__).resolve().parents[2]
_NAME = "localhost"
_NOW = 1_790_000_000
_YEAR = 365 * 86_400
_CLIENTS = 8
"""Threads of clients: OpenSSL lets others go on meanwhile."""


@dataclass(frozen=True, slots=True)
class Curve:
    """`work(x)` is what the figure is expected to follow: a constant unless it is told."""

    name: str
    x: str
    unit: str
    work: Callable[[float], float] = lambda x: 1.0


@dataclass(frozen=True, slots=True)
class Point(Row):
    """A point of a curve. Its ratio is to the first point, for the same work."""

    curve: Curve | None = None
    first: float = 0

    @property
    def ratio(self) -> float | None:
        grown = self.puretls / self.curve.work(float(self.size)) / self.first
        return 1 / grown if self.unit in ("MB/s", "1/s") else grown


def _points(curve: Curve, found: Sequence[tuple[float, float]]) -> list[Row]:
    first = found[0][1] / curve.work(found[0][0])
    case = f"{curve.name}; {curve.x}:"
    return [Point("growth", case, f"{x:g}", curve.unit, y, curve=curve, first=first) for x, y in found]


def series(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The curves among `rows`, as data: name, what x and y are, points."""
    found: dict[str, dict[str, object]] = {}
    for row in rows:
        if isinstance(row, Point) and row.curve is not None:
            curve = row.curve
            one = found.setdefault(curve.name, {"name": curve.name, "x": curve.x, "unit": curve.unit, "points": []})
            one["points"].append([float(row.size), row.puretls])
    return list(found.values())


def cases(options: Options) -> list[Case]:
    """Workers, connections, chains, CRLs, records."""
    setting = Setting(options)
    return [
        *(functools.partial(_workers, setting, what) for what in ("handshakes", "bytes")),
        *(functools.partial(_connections, setting, kind) for kind in ("asyncio", "blocking")),
        functools.partial(_chains, options),
        functools.partial(_crls, options),
        *(functools.partial(_records, options, cipher) for cipher in ("AES128-GCM", "CHACHA20")),
    ]


class Setting:
    """Certificates in files, for servers and their clients."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        authority = DevelopmentCa.create(os.urandom, time.time())
        issued = authority.issue([_NAME])
        texts = {"cert.pem": issued.chain_pem, "key.pem": issued.key_pem, "ca.pem": authority.root_pem}
        for name, text in texts.items():
            (self.path / name).write_text(text)
        self.size = 2_000_000 if options.quick else 20_000_000
        (self.path / "www").mkdir()
        (self.path / "www" / "large").write_bytes(os.urandom(self.size))
        self.context = ssl.create_default_context(cafile=self.path / "ca.pem")
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tools'}", "PURETLS_PROVIDER": self.options.provider}
        with subprocess.Popen([sys.executable, *command], cwd=self.path, text=True, env=environment, **pipes) as process:
            try:
                yield process
            finally:
                process.terminate()

    def connected(self, port: int, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        return self.context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60), server_hostname=_NAME, session=session)


# Workers


_WORKERS = {
    "handshakes": (
        Curve("full handshakes of a server, ECDSA P-256 and x25519", "workers", "1/s"),
        Curve("processor time of workers for a full handshake", "workers", "ms"),
    ),
    "bytes": (
        Curve("downloads from a server by eight clients, AES-128-GCM", "workers", "MB/s"),
        Curve("processor time of workers for a megabyte", "workers", "ms"),
    ),
}


def _workers(setting: Setting, what: str) -> list[Row]:
    """`puretls serve --workers`, asked by eight clients at a time: by the clock, and by the workers' processor time."""
    counts = (1, 2, 4)
    found = [_served(setting, what, count) for count in counts]
    return [
        row
        for at, curve in enumerate(_WORKERS[what])
        for row in _points(curve, [(c, f[at]) for c, f in zip(counts, found, strict=True)])
    ]


def _served(setting: Setting, what: str, count: int) -> tuple[float, float]:
    """Handshakes or megabytes a second, and milliseconds of all workers' processor time for one."""
    options = ("--cert", "cert.pem", "--key", "key.pem", "--www", "www", "--workers", str(count))
    with setting.running("-m", "puretls", "serve", "--port", "0", *options) as server, ThreadPoolExecutor(1) as pool:
        port = int(_logged(server, r"listening on \S+ port (\d+)"))
        workers = [int(_logged(server, r"worker (\d+) started")) for _ in range(count)]
        pool.submit(server.stdout.read)  # its log is read, so that it can go on

        def ask(_: object) -> float:
            with setting.connected(port) as tls:
                if what == "handshakes":
                    return 1
                tls.sendall(b"GET /large HTTP/1.0\r\n\r\n")
                return sum(iter(lambda: len(tls.recv(2**16)), 0)) / 1e6

        with ThreadPoolExecutor(_CLIENTS) as clients:
            list(clients.map(ask, range(2 * _CLIENTS)))  # the first ones wait until modules are loaded
            before, began = _processor(workers), time.perf_counter()
            done = sum(clients.map(ask, range(setting.options.rounds(300) if what == "handshakes" else _CLIENTS)))
            taken, used = time.perf_counter() - began, _processor(workers) - before
        server.terminate()
    return done / taken, used / done * 1e3


def _logged(server: subprocess.Popen[str], pattern: str) -> str:
    for line in server.stdout:
        if found := re.search(pattern, line):
            return found[1]
    raise SystemExit("the server did not start")


def _processor(processes: Sequence[int]) -> float:
    """Seconds of processor time that they have used."""
    fields = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in processes]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


# Connections


def _connections(setting: Setting, kind: str) -> list[Row]:
    """Idle connections of one process, and what one more handshake costs it; blocking: each has a thread, as in `puretls serve`."""
    counts = [1, 10, 100, 500] if setting.options.quick else [1, 10, 100, 1000, 2000, 5000]
    memory, handshakes = [], []
    with setting.running("-m", "benchmarks.crowd", kind, "cert.pem", "key.pem") as server, ExitStack() as opened:
        port = int(server.stdout.readline())

        def told() -> dict[str, float]:
            server.stdin.write("\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        for _ in range(20):  # modules are loaded, tables made
            setting.connected(port).close()
        empty, there = told()["resident"], 0
        for count in counts:
            with ThreadPoolExecutor(_CLIENTS) as pool:
                for tls in pool.map(lambda _: setting.connected(port), range(count - there)):
                    opened.enter_context(tls)
            there = count
            memory.append((count, max(told()["resident"] - empty, 1) / count / 1024))
            handshakes.append((count, _one_more(setting, port, told)))
    return [
        *_points(
            Curve(f"memory of an idle connection, {kind}", "idle connections", "KiB"), memory[2:]
        ),  # pages hide what few hold
        *_points(Curve(f"one more full handshake for the server, {kind}", "idle connections", "ms"), handshakes),
    ]


def _one_more(setting: Setting, port: int, told: Callable[[], dict[str, float]], times: int = 20) -> float:
    """Milliseconds of the server's processor."""
    before = told()["seconds"]
    for _ in range(times):
        setting.connected(port).close()
    return (told()["seconds"] - before) / times * 1e3


# Certificates and CRLs


def _cold(verifier: Verifier, request: ChainRequest) -> None:
    combs.clear()
    remembered.cache_clear()
    assert replace(verifier, caches=Caches())(request).accepted


def _chains(options: Options) -> list[Row]:
    """A leaf below so many CAs; the first contact with all of them, and the next one."""
    first, again = [], []
    for length in (2, 3, 4, 6, 8, 11):
        chain = plan(length - 1).chain()
        verifier = chain_verifier(chain.anchors, provider=named(options.provider), random=os.urandom)
        first.append((length, _milliseconds(lambda: _cold(verifier, chain.request), options)))  # noqa: B023  (called at once)
        again.append((length, _milliseconds(lambda: verifier(chain.request), options)))  # noqa: B023
    signatures = lambda length: length  # noqa: E731
    return [
        *_points(Curve("verify a chain, P-256, first contact", "certificates below the root", "ms", signatures), first),
        *_points(Curve("verify a chain, P-256, again", "certificates below the root", "ms", signatures), again),
    ]


def _milliseconds(run: Callable[[], object], options: Options) -> float:
    return seconds({"": Contender(run)}, options.rounds(9))[""] * 1e3


def _crls(options: Options) -> list[Row]:
    """A CRL with so many entries: read, and asked about a chain whose certificates are not in it."""
    ca = DevelopmentCa.create(os.urandom, _NOW)
    issued = ca.issue([_NAME])
    root_crl = Crl.parse(replace(ca, intermediate=None).crl())
    extensions = (drafts.authority_key_identifier(ca.issuer.key.public), drafts.crl_number(1))
    read, asked = [], []
    for count in (10, 100, 1000, 10_000) if options.quick else (10, 100, 1000, 10_000, 100_000):
        entries = tuple(RevokedEntry(1 << 120 | number, _NOW, 1) for number in range(count))
        data = CrlDraft(ca.issuer.name, _NOW, _NOW + _YEAR, entries, extensions).signed(ca.signer)
        revocation = Revocation(HARD, crls=(Crl.parse(data), root_crl))
        verifier = chain_verifier([ca.root.certificate], provider=named(options.provider), revocation=revocation)
        request = ChainRequest(issued.chain, "server", _NAME, _NOW)
        assert verifier(request).accepted
        read.append((count, _milliseconds(lambda: Crl.parse(data), options)))  # noqa: B023
        asked.append((count, _milliseconds(lambda: verifier(request), options)))  # noqa: B023
    return [
        *_points(Curve("read a CRL", "entries", "ms", lambda count: count), read),
        *_points(Curve("verify a chain that is known, with this CRL", "entries", "ms"), asked),
    ]


# Records


def _records(options: Options, cipher: str) -> list[Row]:
    """A megabyte from one connection to another in memory, in records of a size that was negotiated (RFC 8449)."""
    sent, received = [], []
    for size in (64, 256, 1024, 4096, 16384):
        client, server = _joined(options, cipher, size)
        data = bytes(2**20 if size >= 1024 else 2**17)
        times: dict[str, list[float]] = {"sent": [], "received": []}
        for _ in range(options.rounds(9)):
            start = time.process_time()
            client.send(data)
            wire = client.bytes_to_send()
            middle = time.process_time()
            assert len(wire) >= len(data) + 21 * (len(data) // size)
            for at in range(0, len(wire), 2**20):
                server.receive_bytes(wire[at : at + 2**20])
                drain(server)
            times["sent"].append(middle - start)
            times["received"].append(time.process_time() - middle)
        sent.append((size, len(data) / statistics.median(times["sent"]) / 1e6))
        received.append((size, len(data) / statistics.median(times["received"]) / 1e6))
    return [
        *_points(Curve(f"a megabyte sent, {cipher}", "bytes in a record", "MB/s"), sent),
        *_points(Curve(f"a megabyte received, {cipher}", "bytes in a record", "MB/s"), received),
    ]


def _joined(options: Options, cipher: str, size: int) -> tuple[Connection, Connection]:
    provider = named(options.provider)
    ca = DevelopmentCa.create(os.urandom, time.time())
    issued = ca.issue([_NAME])
    suites = tuple(suite for suite in SUITES if suite.openssl_name.startswith(f"ECDHE-ECDSA-{cipher}"))
    verifier = chain_verifier(load_certificates(ca.root_pem), provider=default())
    both = {"provider": provider, "extensions": (RecordSizeLimit(size),)}
    client = Connection.client(ClientConfig(verifier=verifier, suites=suites, **both), _NAME)
    server = Connection.server(ServerConfig(credentials=(Credential(issued.chain, issued.key),), **both))
    client.start()
    while client.state.name != "CONNECTED" or server.state.name != "CONNECTED":
        for one, other in ((client, server), (server, client)):
            if data := one.bytes_to_send():
                other.receive_bytes(data)
                drain(other)
    return client, server
