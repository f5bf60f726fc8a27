"""A key log file that several connections, threads and processes may append to."""

from __future__ import annotations

import os
from pathlib import Path


class KeyLogFile:
    """Appends lines to a file only its owner can read. Give it to a config as `key_log`.

    Each line is one write to a file opened for appending, so lines of several processes never mix. Raises `OSError` when the file
    cannot be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.fchmod(self._file, 0o600) if hasattr(os, "fchmod") else None

    def __call__(self, line: str) -> None:
        os.write(self._file, line.encode("ascii") + b"\n")

    def close(self) -> None:
        os.close(self._file)
