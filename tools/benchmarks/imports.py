"""What `import puretls` costs over a bare interpreter, beside tlslite-ng and the standard library: wall time of processes."""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Case, Contender, Options, Row, seconds

ROOT = Path(__file__).resolve().parents[2]
IMPORTS = {
    "bare": "pass",
    "puretls": "import puretls",
    "tlslite_ng": "import tlslite.api",
    "openssl": "import ssl",
}
HELLOS = {
    "bare": "pass",
    "puretls": """
from puretls import ClientConfig, Connection
client = Connection.client(ClientConfig(), "bench.test")
client.start()
assert client.bytes_to_send()
""",
    "tlslite_ng": """
import socket
from tlslite.api import TLSConnection
ends = socket.socketpair()
ends[0].setblocking(False)
next(TLSConnection(ends[0]).handshakeClientCert(serverName="bench.test", async_=True))
assert ends[1].recv(9999)
""",
    "openssl": """
import ssl
from contextlib import suppress
end = ssl.MemoryBIO()
with suppress(ssl.SSLWantReadError):
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), end, server_hostname="bench.test").do_handshake()
assert end.read()
""",
}
"""A process that imports what a client needs, and says hello."""


HANDSHAKES = """
import os, time
from puretls import NEED_DATA, ClientConfig, Connection, Credential, ServerConfig
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier

ca = DevelopmentCa.create(os.urandom, time.time())
issued = ca.issue(["bench.test"])
server = ServerConfig(credentials=(Credential(issued.chain, issued.key),))
client = ClientConfig(verifier=chain_verifier(load_certificates(ca.root_pem), provider=default()))
times = []
for _ in range(10):
    start = time.process_time()
    ends = Connection.client(client, "bench.test"), Connection.server(server)
    ends[0].start()
    for turn in range(5):
        receiver, data = ends[(turn + 1) % 2], ends[turn % 2].bytes_to_send()
        if data:
            receiver.receive_bytes(data)
            while receiver.next_event() is not NEED_DATA:
                pass
    times.append(time.process_time() - start)
print(times[0] - times[9])
"""
"""What loading on first use costs: in a process whose CA has loaded the signature kernels already."""


def cases(options: Options) -> list[Case]:
    """All imports take turns; then the first handshake of a process against its tenth."""
    return [functools.partial(_processes, options), functools.partial(_first_handshake, options)]


def _first_handshake(options: Options) -> list[Row]:
    with tempfile.TemporaryDirectory() as bytecode:
        _run(HANDSHAKES, bytecode)
        extra = [float(_run(HANDSHAKES, bytecode)) * 1e3 for _ in range(options.rounds(9))]
    return [Row("import", "first handshake over the tenth, both sides", "", "ms", max(0.001, statistics.median(extra)))]


def _processes(options: Options) -> list[Row]:
    imports, bare = _over_bare("over a bare interpreter", IMPORTS, options)
    hello, _ = _over_bare("import and a client's hello, over a bare interpreter", HELLOS, options)
    return [imports, hello, Row("import", "bare interpreter", "", "ms", bare)]


def _over_bare(case: str, statements: dict[str, str], options: Options) -> tuple[Row, float]:
    """What each contender's process takes more than the bare interpreter, and what that takes, in milliseconds."""
    with tempfile.TemporaryDirectory() as bytecode:
        contenders = {name: Contender(functools.partial(_run, statement, bytecode)) for name, statement in statements.items()}
        times = seconds(contenders, options.rounds(21), shortest=0, clock=time.perf_counter)
    bare = times.pop("bare")
    return Row("import", case, "", "ms", *(max(0.0, taken - bare) * 1e3 for taken in times.values())), bare * 1e3


def _run(statement: str, bytecode: str) -> str:
    """One process; the bytecode of all contenders is kept, whatever this process was told, as it is where they are installed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-W", "ignore", "-c", statement]
    return subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True).stdout
