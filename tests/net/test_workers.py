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


WITH_ACCEPT = """
import signal, socket
from puretls.net import workers
signal.signal(signal.SIGUSR1, lambda number, frame: logging.info("at your service"))
def work(listener, value, stopping):
    logging.info("serving")
    assert workers.accept(listener, stopping) is None
"""
WITH_ASYNCIO = """
import asyncio, signal, socket
from puretls.net import workers
async def stopped(stopping):
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, logging.info, "at your service")
    for descriptor in stopping:
        loop.add_reader(descriptor, ended.set)
    logging.info("serving")
    await ended.wait()
def work(listener, value, stopping):
    asyncio.run(stopped(stopping))
"""


@pytest.mark.parametrize("work", [WITH_ACCEPT, pytest.param(WITH_ASYNCIO, marks=pytest.mark.slow)], ids=["accept", "asyncio"])
def test_signals_of_the_program_end_no_worker_and_sigterm_does(program, work):
    server = program(f"""{work}
with socket.create_server(("127.0.0.1", 0)) as listener:
    workers.run(listener, work, dict, count=1)
""")
    worker = int(server.wait_for(r"worker (\d+) started").group(1))
    server.wait_for("serving")  # a signal that comes in the middle of a fork is lost
    for times in (1, 2):
        os.kill(worker, signal.SIGUSR1)
        server.wait_for("(?s)" + "at your service.*" * times)
    os.kill(worker, signal.SIGTERM)
    server.wait_for(f"worker {worker} ended with status 0; another takes its place")


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


def never():
    raise AssertionError("not even this is called")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("count", [0, -1, 1.5, "2", True]),
        ("period", [0, -1.0, float("nan"), "1", None]),
        ("drain", [-1, float("nan"), None, "1"]),
    ],
)
def test_what_cannot_be_right_is_told_before_anything_is_forked(name, values):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for value in values:
            with pytest.raises(UsageError, match=rf"^{name} is a number of .*, not "):
                workers.run(listener, print, never, renew=never, **{name: value})


def test_socket_that_does_not_listen_is_told():
    with socket.socket() as unbound, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as closed:
        closed.close()
        for listener in (unbound, datagrams, closed, 5, None):
            with pytest.raises(UsageError, match=r"^listener is a socket that listens, not "):
                workers.run(listener, print, never)


def test_workers_are_forked_from_the_main_thread():
    told = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def elsewhere():
            with pytest.raises(UsageError, match="main thread") as caught:
                workers.run(listener, print, never)
            told.append(caught)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert told
