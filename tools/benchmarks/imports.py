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
STATEMENTS = {
    "bare": "pass",
    "puretls": "import puretls",
    "tlslite_ng": "import tlslite.api",
    "openssl": "import ssl",
}


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
    return [functools.partial(_imports, options), functools.partial(_first_handshake, options)]


def _first_handshake(options: Options) -> list[Row]:
    with tempfile.TemporaryDirectory() as bytecode:
        _run(HANDSHAKES, bytecode)
        extra = [float(_run(HANDSHAKES, bytecode)) * 1e3 for _ in range(options.rounds(9))]
    return [Row("import", "first handshake over the tenth, both sides", "", "ms", max(0.001, statistics.median(extra)))]


def _imports(options: Options) -> list[Row]:
    with tempfile.TemporaryDirectory() as bytecode:
        contenders = {name: Contender(functools.partial(_run, statement, bytecode)) for name, statement in STATEMENTS.items()}
        times = seconds(contenders, options.rounds(21), shortest=0, clock=time.perf_counter)
    over_bare = {name: max(0.0, times[name] - times["bare"]) * 1e3 for name in STATEMENTS}
    return [
        Row(
            "import",
            "over a bare interpreter",
            "",
            "ms",
            over_bare["puretls"],
            over_bare["tlslite_ng"],
            over_bare["openssl"],
        ),
        Row("import", "bare interpreter", "", "ms", times["bare"] * 1e3),
    ]


def _run(statement: str, bytecode: str) -> str:
    """One process; the bytecode of all contenders is kept, whatever this process was told, as it is where they are installed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-W", "ignore", "-c", statement]
    return subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True).stdout
