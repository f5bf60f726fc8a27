"""`puretls.net.workers` for servers of any kind. What it does with signals and clients is shown by the command: tests/cli/test_serve_workers.py."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from puretls.errors import UsageError
from puretls.net import workers
from tests.cli.command import ENVIRONMENT, Serving

ssl = pytest.importorskip("ssl")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here")


@pytest.fixture
def program(tmp_path):
    """Runs a program until the test ends; what it logs has no numbers of processes."""
    running = []

    def run(text):
        script, path = tmp_path / "program.py", tmp_path / "program.log"
        script.write_text(f"import logging\nlogging.basicConfig(level=logging.INFO, format='%(message)s')\n{text}")
        with path.open("wb") as log:
            running.append(subprocess.Popen([sys.executable, script], stdout=log, stderr=log, env=ENVIRONMENT, cwd=tmp_path))
        return Serving(running[0], path)

    yield run
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def twice(line):
    """A pattern: both workers have written this, whatever others wrote in between."""
    return rf"(?s)\n{line}\n.*(?<=\n){line}\n"


def test_every_generation_gets_what_was_made_for_it_at_a_signal_and_in_time(program):
    server = program("""
import itertools, socket
from puretls.net import workers
numbers = itertools.count()
def work(listener, value, stopping):
    logging.info("serving %s", value)
    assert workers.accept(listener, stopping) is None
    logging.info("served %s", value)
with socket.create_server(("127.0.0.1", 0)) as listener:
    workers.run(listener, work, lambda: f"prepared {next(numbers)}", renew=lambda: f"renewed {next(numbers)}", count=2, period=0.5)
""")
    server.wait_for(twice("serving prepared 0"))
    server.wait_for(twice("serving renewed 1"))
    server.send(signal.SIGHUP)
    number = server.wait_for(r"serving prepared ([1-9]\d*)").group(1)
    server.wait_for(twice(f"serving prepared {number}"))
    server.wait_for(twice("served prepared 0"))


def test_reloading_puts_off_no_renewal_and_survives_defects(program):
    server = program("""
import socket
from puretls.net import workers
faults = iter([None, LookupError("a defect")])
def prepare():
    fault = next(faults, None)
    if fault:
        raise fault
    return "prepared"
def work(listener, value, stopping):
    logging.info("serving %s", value)
    workers.accept(listener, stopping)
with socket.create_server(("127.0.0.1", 0)) as listener:
    workers.run(listener, work, prepare, renew=lambda: "renewed", count=1, period=1)
""")
    server.wait_for("serving prepared")
    server.send(signal.SIGHUP)
    server.wait_for("(?s)not reloaded.*LookupError: a defect")
    deadline = time.monotonic() + 20
    while "serving renewed" not in server.log:
        assert time.monotonic() < deadline, server.log
        server.send(signal.SIGHUP)
        time.sleep(0.1)


def test_worker_that_fails_at_once_is_forked_again_no_more_than_once_a_second(program):
    server = program("""
import socket, time
from puretls.net import workers
def work(listener, value, stopping):
    logging.info("at %s", time.monotonic())
    raise LookupError("nothing here")
with socket.create_server(("127.0.0.1", 0)) as listener:
    workers.run(listener, work, dict, count=1)
""")
    server.wait_for(r"(?s)(\nat .*){2}")
    first, second, *_ = map(float, re.findall(r"\nat (\S+)", server.log))
    assert second - first >= 0.9 * workers.PAUSE
    server.wait_for("LookupError: nothing here")
    assert "ended with status 1; another takes its place" in server.log


def test_program_of_the_manual_serves(root, program, tmp_path):
    from puretls.ca import DevelopmentCa

    authority = DevelopmentCa.create(os.urandom, time.time())
    issued = authority.issue(["localhost"])
    for name, text in (("server.pem", issued.chain_pem), ("server.key", issued.key_pem), ("ca.pem", authority.root_pem)):
        (tmp_path / name).write_text(text)
    text = (root / "puretls" / "manual" / "serve.md").read_text()
    server = program(re.search(r"```python\n(.*?)```", text, re.S).group(1).replace("8443", "0"))
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", server.port), 20) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"workers")
        assert tls.recv(100) == b"hello workers"


def test_misuse_is_told_before_anything_is_forked():
    def prepare():
        raise AssertionError("not even this is called")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(UsageError, match="at least one worker"):
            workers.run(listener, print, prepare, count=0)
        told = []

        def elsewhere():
            with pytest.raises(UsageError, match="main thread") as caught:
                workers.run(listener, print, prepare)
            told.append(caught)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert told
