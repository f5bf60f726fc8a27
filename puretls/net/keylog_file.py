"""A key log file that several connections, threads and processes may append to."""

from __future__ import annotations

import os
from pathlib import Path

from puretls.net.secret_files import open_to_append


class KeyLogFile:
    """Appends lines to a file only its owner can read. Give it to a config as `key_log`.

    Each line is one write to a file opened for appending, so lines of several processes never mix. Raises `OSError` when the file
    cannot be opened, and for links, FIFOs, devices and files of other owners.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = open_to_append(path)

    def __call__(self, line: str) -> None:
        os.write(self._file, line.encode("ascii") + b"\n")

    def close(self) -> None:
        os.close(self._file)
