"""Batches in which the code that is reached tells where to go on: plans of moves out of atheris, Google's fuzzer for Python on libFuzzer.

libFuzzer takes a process over and ends it, so a batch is a child. What it kept because it reached something new lies in a folder, the
corpus, from which the next batch goes on.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from puretls.errors import UsageError
from puretls.testing.finds import Find, find_of
from puretls.testing.needs import need
from puretls.testing.runs import BYTES_OF_A_MOVE, broken, minimal, read
from puretls.text import printable

_CHILD = """
import sys, atheris
with atheris.instrument_imports(include=["puretls"], exclude=["puretls.crypto", "puretls.testing", "puretls.inspect"]):
    from puretls.testing import guided
guided.child(atheris, sys.argv[1:])
"""
"""Only what conversations are about is watched: not the kernels of cryptography, nor this tool."""


_DEEP = 12
"""Moves of the honest conversations from which a corpus begins: zeros say "advance"."""


def batch(machine: Any, examples: int, steps: int, seed: int, corpus: Path) -> list[Find]:
    """Run one batch: so many plans of so many moves at most. Raises `UsageError` where atheris is missing, or fails.

    Of the machine, a subclass of ConnectionMachine that can be imported, `roles` and `weights` count.
    """
    need("atheris", "guided")
    corpus.mkdir(parents=True, exist_ok=True)
    for first in range(2 * len(machine.roles)):
        corpus.joinpath(f"honest-{first}").write_bytes(bytes((first,)) + bytes(BYTES_OF_A_MOVE * _DEEP))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "finds")
        said = [str(out), f"{machine.__module__}:{machine.__qualname__}", *(role.value for role in machine.roles)]
        options = [f"-runs={examples}", f"-seed={seed + 1}", f"-max_len={1 + BYTES_OF_A_MOVE * steps}", "-len_control=0"]
        command = [sys.executable, "-c", _CHILD, *said, "--", *options, "-rss_limit_mb=0", str(corpus)]
        ran = subprocess.run(command, capture_output=True, check=False)
        if not out.exists():
            last = ran.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise UsageError(f"atheris ended with status {ran.returncode}: {printable(last[0])}")
        found: list[Find] = pickle.loads(out.read_bytes())
        return found


def child(atheris: Any, arguments: Sequence[str]) -> None:
    """What the child does: it writes what it found, a list of `Find`, and is ended by libFuzzer."""
    from importlib import import_module

    from puretls.handshake.states import Role

    out, machine, *roles = arguments[: arguments.index("--")]
    module, _, name = machine.partition(":")
    cls = getattr(import_module(module), name)
    cls()  # a machine may have something to prepare
    finds: dict[str, Find] = {}

    def keep() -> None:
        Path(out).write_bytes(pickle.dumps(list(finds.values())))

    def one_input(data: bytes) -> None:
        plan = read(data, tuple(map(Role, roles)), cls.weights)
        violation = broken(plan)
        if violation is not None and violation.rule not in finds:
            finds[violation.rule] = find_of(minimal(plan))
            keep()

    keep()
    atheris.Setup([sys.argv[0], *arguments[arguments.index("--") + 1 :]], one_input)
    atheris.Fuzz()
