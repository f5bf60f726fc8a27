"""`puretls serve --workers`: several processes behave as one server does, and outlive what happens to one of them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from puretls.cli.serve import MAX_CLIENTS
from puretls.config import Credential, ServerConfig
from puretls.net import workers
from puretls.session import TicketKeys
from tests.cli.command import in_process, serving

ssl = pytest.importorskip("ssl")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here")

STARTED = r"\d+ worker (\d+) started"


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def alive(process):
    """Whether it runs: a zombie does not."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def started(server, count):
    """The process ids of the first `count` workers."""
    return wait_until(lambda: found if len(found := [int(one) for one in re.findall(STARTED, server.log)]) >= count else None)


@pytest.fixture
def opened():
    """What `client` has opened; it is closed before the server is told to stop, which waits for it."""
    return ExitStack()


@pytest.fixture
def serve(files, opened, tmp_path):
    """Starts a server whose certificate and key are files of its own, which tests may change."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(files.cert, cert)
    shutil.copy(files.key, key)

    @contextmanager
    def serve(*arguments):
        with serving(tmp_path, "--cert", cert, "--key", key, *arguments) as server:
            server.cert, server.key = cert, key
            with opened:
                yield server

    return serve


@pytest.fixture
def together(serve):
    """Starts a server of two workers."""
    return partial(serve, "--workers", "2")


@pytest.fixture(params=[(), ("--workers", "2")], ids=["alone", "workers"])
def either(serve, request):
    """Starts a server, of one process or of two workers."""
    return partial(serve, *request.param)


@pytest.fixture
def client(files, opened):
    """Connects OpenSSL, as Python's `ssl` has it."""
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def connect(server, session=None):
        tls = context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port), 20), server_hostname="localhost", session=session
        )
        tls.settimeout(20)
        return opened.enter_context(tls)

    return connect


def echoed(tls, data=b"x"):
    tls.sendall(data)
    return tls.recv(100) == data


def refused(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    except ConnectionRefusedError:
        return True
    return False


def cut(tls):
    """Whether the connection ends without a word from the other side."""
    try:
        return tls.recv(100) == b""
    except (ConnectionError, ssl.SSLError):
        return True


@contextmanager
def standing_still(process):
    """While it stands still, other workers take the clients."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def worker_of(server, tls):
    """The worker that serves this client, by the inode of the socket at the other end: it is told when the connection has ended."""
    port = tls.getsockname()[1]
    tls.unwrap().close()
    return int(server.wait_for(rf"(\d+) 127\.0\.0\.1:{port} ").group(1))


@pytest.mark.rfc("5077", "4")
def test_ticket_of_one_worker_is_taken_by_the_other(together, client):
    with together("--echo") as server:
        first = client(server)
        assert echoed(first)
        session, issuer = first.session, worker_of(server, first)
        assert session.has_ticket
        with standing_still(issuer):
            second = client(server, session)
            assert second.session_reused
            assert echoed(second)
            assert worker_of(server, second) != issuer


@pytest.mark.rfc("5077", "4")
def test_hangup_gives_every_worker_the_new_certificate_and_tickets_stay_valid(together, client, files):
    with together("--echo") as server:
        old = client(server)
        assert echoed(old)
        shutil.copy(files.rsa_cert, server.cert)
        server.send(signal.SIGHUP)
        server.wait_for("not reloaded: .*does not belong")
        with client(server) as unchanged:
            assert "ECDSA" in unchanged.cipher()[0]
        shutil.copy(files.rsa_key, server.key)
        server.send(signal.SIGHUP)
        server.wait_for(r"\d+ reloaded")
        first, second, third, fourth = started(server, 4)
        wait_until(lambda: not (alive(first) and alive(second)))
        for still in (third, fourth):
            with standing_still(still):
                assert "RSA" in client(server).cipher()[0]
        assert echoed(old), "what was open goes on"
        assert client(server, old.session).session_reused
        assert server.log.count("not reloaded") == 1
        assert len(re.findall(r"\d+ reloaded", server.log)) == 1
        old.unwrap().close()
        wait_until(lambda: not (alive(first) or alive(second)))


def test_killed_worker_is_replaced_and_takes_only_its_own_connections_along(together, client):
    with together("--echo") as server:
        one, other = started(server, 2)
        with standing_still(one):
            kept = client(server)
        with standing_still(other):
            lost = client(server)
        assert echoed(kept)
        assert echoed(lost)
        os.kill(one, signal.SIGKILL)
        server.wait_for(f"worker {one} was killed by SIGKILL; another takes its place")
        *_, third = started(server, 3)
        assert cut(lost)
        assert echoed(kept)
        with standing_still(other):
            assert echoed(client(server))
        assert alive(third)
        assert not os.path.exists(f"/proc/{one}"), "not even a zombie is left"


@pytest.mark.slow
def test_worker_that_is_told_to_end_serves_its_clients_first_and_is_replaced(together, client):
    with together("--echo") as server:
        one, other = started(server, 2)
        with standing_still(other):
            tls = client(server)
        os.kill(one, signal.SIGTERM)
        with standing_still(other):
            assert echoed(tls)
            tls.unwrap().close()
            server.wait_for(f"worker {one} ended with status 0; another takes its place")
            started(server, 3)
            assert echoed(client(server))


def test_termination_lets_open_connections_end(either, client):
    with either("--echo") as server:
        tls = client(server)
        server.send(signal.SIGTERM)
        wait_until(lambda: refused(server))
        assert echoed(tls)
        assert server.process.poll() is None
        tls.unwrap().close()
        assert server.process.wait(20) == 0
        assert "stopping: open connections have 30 s to end" in server.log
        assert "echoed 1 byte" in server.log
        assert "cut off" not in server.log


def test_open_connections_have_a_limit_after_termination(either, client):
    with either("--echo", "--drain-timeout", "0.2") as server:
        tls = client(server)
        server.send(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert cut(tls)
        assert "connections that are still open are cut off" in server.log


def test_second_termination_ends_at_once(either, client):
    with either("--echo", "--drain-timeout", "1000") as server:
        tls = client(server)
        assert echoed(tls)
        server.send(signal.SIGTERM)
        server.wait_for("stopping")
        server.send(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert cut(tls)
        assert not any(map(alive, map(int, re.findall(STARTED, server.log))))


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the number of threads is read from /proc")
def test_server_that_has_no_place_left_stops_listening_too(serve):
    with serve("--echo", "--handshake-timeout", "1000") as server, ExitStack() as clients:
        for _ in range(MAX_CLIENTS + 1):
            clients.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
        wait_until(lambda: f"Threads:\t{MAX_CLIENTS + 1}\n" in Path(f"/proc/{server.process.pid}/status").read_text())
        server.send(signal.SIGTERM)
        server.wait_for("stopping")
        assert refused(server)
        clients.close()
        assert server.process.wait(20) == 0
        assert "cut off" not in server.log


@pytest.mark.slow
def test_workers_without_their_supervisor_serve_their_clients_and_end(together, client):
    with together("--echo") as server:
        tls = client(server)
        assert echoed(tls)
        server.process.kill()
        wait_until(lambda: refused(server))
        assert echoed(tls)
        tls.unwrap().close()
        wait_until(lambda: not any(map(alive, started(server, 2))))


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_openssl_resumes_by_ticket_whichever_worker_answers(together, files, tmp_path):
    with together() as server:

        def run(*arguments):
            command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", files.ca, "-verify_return_error"]
            command += ["-servername", "localhost", "-tls1_2", "-ign_eof", *arguments]
            return subprocess.run(command, input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30, check=False).stdout

        assert b"Verify return code: 0 (ok)" in run("-sess_out", tmp_path / "session")
        for still in started(server, 2):
            with standing_still(still):
                assert b"Reused, TLSv1.2" in run("-sess_in", tmp_path / "session")


def test_workers_cannot_share_a_seed(files):
    result = in_process("serve", "--port", "0", "--workers", "--danger-seed", "1", "--cert", files.cert, "--key", files.key)
    assert result.returncode == 2
    assert "--danger-seed is for one process" in result.stderr


def test_fault_in_a_file_ends_the_command_before_anything_is_forked(files):
    result = in_process("serve", "--port", "0", "--workers", "2", "--cert", files.cert, "--key", files.rsa_key)
    assert result.returncode == 2
    assert "does not belong" in result.stderr


def test_without_fork_the_command_says_so(files, monkeypatch):
    monkeypatch.delattr(os, "fork")
    result = in_process("serve", "--port", "0", "--workers", "2", "--cert", files.cert, "--key", files.key)
    assert result.returncode == 2
    assert "os.fork" in result.stderr


def test_renewed_keys_are_the_same_for_all_and_open_what_the_old_ones_sealed(files):
    credential = Credential.from_files(files.cert, files.key)
    shared = workers.Configurations(lambda: ServerConfig(credentials=(credential,)))
    first, renewed, reloaded = shared.reload().tickets, shared.renew().tickets, shared.reload().tickets
    assert not first.automatic
    assert renewed.export()[1:] == first.export()
    assert reloaded.export() == renewed.export()


def test_keys_that_were_given_and_their_absence_stay(files):
    credential = Credential.from_files(files.cert, files.key)
    for tickets in (None, TicketKeys([bytes(48)])):
        shared = workers.Configurations(lambda tickets=tickets: ServerConfig(credentials=(credential,), tickets=tickets))
        assert shared.reload().tickets is tickets
        assert shared.renew().tickets is tickets
