"""What `import puretls` costs over a bare interpreter, beside tlslite-ng and the standard library: wall time of processes."""

from __future__ import annotations

import functools
import os
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


def cases(options: Options) -> list[Case]:
    """One case: all imports take turns."""
    return [functools.partial(_imports, options)]


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


def _run(statement: str, bytecode: str) -> None:
    """One process; the bytecode of all contenders is kept, whatever this process was told, as it is where they are installed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-W", "ignore", "-c", statement], check=True, cwd=ROOT, env=environment)
