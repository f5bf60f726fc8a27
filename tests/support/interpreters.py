"""Other versions of Python on this machine, for what must hold in each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path


@cache
def interpreter(version: str) -> str | None:
    """The path of an interpreter of this version ("3.13"), wherever it is; None where there is none."""
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    found = [str(path) for root in roots for path in sorted(root.glob(f"{version}.*/bin/python3"))]
    for candidate in (sys.executable, shutil.which(f"python{version}"), *found):
        if candidate:
            command = [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            if told.returncode == 0 and told.stdout.strip() == version:
                return candidate
    return None
