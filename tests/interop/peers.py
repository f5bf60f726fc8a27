"""Other implementations as processes: what is installed, servers that live as long as their pool, clients that run once.

Every process has a time-out, listens on or talks to 127.0.0.1, and is killed with what started it.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

TIMEOUT = 20
_LIFE = 900
"""Seconds after which a server goes by itself, should everything else fail."""


@cache
def program(name):
    """The path of a program, or None."""
    return shutil.which(name)


def ask(*command):
    """What a program answers on standard output; "" where it is not installed."""
    if program(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout


class Process:
    """A running program; `output` is what it has said so far, on either stream."""

    def __init__(self, command, env=None):
        self._file = tempfile.NamedTemporaryFile()  # noqa: SIM115 - closed in `kill`
        self._process = subprocess.Popen(
            ["timeout", "-k", "1", str(_LIFE), *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=self._file,
            env=os.environ | (env or {}),
            start_new_session=True,
        )

    @property
    def output(self):
        return Path(self._file.name).read_text(errors="replace")

    def tell(self, line):
        """Write to its standard input."""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def wait_for(self, pattern, start=0):
        """The match of `pattern` in the output after `start`, once it is there."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            found = re.compile(pattern).search(self.output, start)
            if found:
                return found
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"{pattern!r} did not appear in:\n{self.output}")

    def kill(self):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # the session that was started for it, nothing else
        self._process.wait(TIMEOUT)
        self._process.stdin.close()
        self._file.close()


class Server(Process):
    """A program that listens on `port`."""

    def __init__(self, command, ready, env=None):
        super().__init__(command, env)
        try:
            found = self.wait_for(ready)
        except AssertionError:
            self.kill()
            raise
        self.port = int(found.group(1)) if found.groups() else 0


class Pool:
    """Servers by their command line: asked for twice, started once."""

    def __init__(self):
        self._servers = {}

    def openssl(self, *options, env=None, mode="-rev", version="-tls1_2"):
        """`openssl s_server`; by default it sends every line back to front, `mode=""` leaves its standard input to `tell`."""
        extra = (mode,) if mode else ()
        command = ("openssl", "s_server", "-accept", "127.0.0.1:0", version, *extra, *options)
        return self._get(command, r"ACCEPT 127\.0\.0\.1:(\d+)", env)

    def gnutls(self, priority, *options):
        """`gnutls-serv`, which sends back what it gets. It cannot say what port it took, so it is given a free one."""
        key = ("gnutls-serv", priority, *options)
        if key not in self._servers:
            port = free_port()
            command = ("gnutls-serv", "--echo", f"--port={port}", f"--priority={priority}", *options)
            server = Server(command, r"Echo Server listening on IPv4 \S+ port \d+\.\.\.done")
            server.port = port
            self._servers[key] = server
        return self._servers[key]

    def other(self, command, ready):
        """Any other server that tells its port, which `ready` matches."""
        return self._get(command, ready)

    def _get(self, command, ready, env=None):
        key = (command, tuple(sorted((env or {}).items())))
        if key not in self._servers:
            self._servers[key] = Server(command, ready, env)
        return self._servers[key]

    def close(self):
        for server in self._servers.values():
            server.kill()
        self._servers.clear()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def run(*command, text="hello\n", env=None):
    """Run a client to its end; returns (exit status, everything it said)."""
    done = subprocess.run(
        list(map(str, command)),
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        env=os.environ | (env or {}),
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def s_client(port, *options, text="hello\n", env=None, version=("-tls1_2",)):
    """`openssl s_client`, which sends a line and reads until the server closes."""
    command = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", "-nocommands", *version)
    return run(*command, *options, text=text, env=env)


def gnutls_cli(port, priority, *options, text="hello\n"):
    """`gnutls-cli`, likewise."""
    return run("gnutls-cli", f"--port={port}", f"--priority={priority}", *options, "127.0.0.1", text=text)
