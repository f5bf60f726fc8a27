"""The command as a process."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

from puretls.cli import main

ROOT = Path(__file__).resolve().parents[2]
_TERMINAL = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
"""What would make the command print for the terminal that the tests run in."""
for _name in _TERMINAL:
    os.environ.pop(_name, None)
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in {"SSLKEYLOGFILE", *_TERMINAL}} | {"PYTHONPATH": str(ROOT)}


def in_process(*arguments):
    """The command in this process, for what ends before it reads input or handles signals: a hundred times faster."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


def puretls(*arguments, stdin=b"", timeout=60, env=None):
    """Run the command; the result has returncode, stdout and stderr (text)."""
    command = [sys.executable, "-m", "puretls", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, env=ENVIRONMENT | (env or {}), check=False)
    return SimpleNamespace(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr.decode())


class Serving:
    """A `puretls serve` on a free port; `log` is what it has written so far."""

    def __init__(self, process, path):
        self.process = process
        self._path = path
        self.port = int(self.wait_for(r"listening on \S+ port (\d+)").group(1))

    @property
    def log(self):
        return self._path.read_text()

    def wait_for(self, pattern, seconds=20):
        """The match of `pattern` in the log, once it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log)
            if found:
                return found
            assert self.process.poll() is None, self.log
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} did not appear in:\n{self.log}")

    def send(self, number):
        self.process.send_signal(number)


@contextmanager
def serving(folder, *arguments, env=None):
    """Run `puretls serve` with these arguments, and end it by a signal (an interrupt is ignored by what a shell runs in the background)."""
    path = folder / f"serve-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "puretls", "serve", "--port", "0", *map(str, arguments)]
    with path.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT | (env or {})) as process:
        try:
            yield Serving(process, path)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0, path.read_text()
        finally:
            if process.poll() is None:
                process.kill()
