"""The programs of the manual's page on `puretls.ssl`, as they stand there, in a Python without `_ssl`; the other end is OpenSSL."""

import asyncio
import importlib.util
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from puretls.config import ClientConfig
from puretls.crypto.provider import default
from puretls.net import connect
from puretls.x509.pem import load_certificates
from puretls.x509.verifier import chain_verifier
from tests.support.https import https
from tests.support.openssl import server_context

PAGE = (Path(__file__).resolve().parents[2] / "puretls" / "manual" / "ssl.md").read_text()
NEEDS = {
    "https where there is no OpenSSL": "json",
    "requests": "requests",
    "httpx": "httpx",
    "asyncio": "json",
    "aiohttp": "aiohttp",
    "anyio": "anyio",
    "trio": "trio",
}
"""The package that a section's program needs."""
QUICK = ("https where there is no OpenSSL", "requests")
SERVERS = re.findall(r"^python -m puretls run -m (?:uvicorn|hypercorn|gunicorn) .*$", PAGE, re.M)
PACKAGES = ("requests", "httpx", "aiohttp", "anyio", "trio", "uvicorn", "hypercorn", "gunicorn")
ABSENT = """
import sys
from importlib.machinery import PathFinder
class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name in ("_ssl", "_hashlib") else PathFinder.find_spec(name, path, target)
    find_distributions = staticmethod(PathFinder.find_distributions)
    invalidate_caches = staticmethod(PathFinder.invalidate_caches)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
for name in ("ssl", "_ssl", "hashlib", "_hashlib", "hmac"):
    sys.modules.pop(name, None)
"""


def needs(name, package):
    """A parameter; slow but for some, and where the package is not installed here: then an environment is made for it."""
    short = name.split(" app:")[0].rpartition(" ")[2] if "app:" in name else name
    marks = () if name in QUICK and importlib.util.find_spec(package) else pytest.mark.slow
    return pytest.param(name, marks=marks, id=short)


@pytest.fixture(scope="session")
def environment():
    """A Python that has the packages; made once, and kept in the cache directory."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "puretls" / f"programs-{sys.version_info[0]}.{sys.version_info[1]}"
    python = cache / "bin" / "python"
    if not python.exists():
        beside = cache.with_name(f"{cache.name}-{os.getpid()}")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            subprocess.run([sys.executable, "-m", "venv", beside], check=True, timeout=60, **quiet)
            subprocess.run([beside / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES], check=True, timeout=120, **quiet)
            beside.rename(cache)
        except (OSError, subprocess.SubprocessError) as error:
            if not python.exists():  # made by another process meanwhile
                pytest.skip(f"the packages cannot be installed: {error}")
    return str(python)


def python_with(package, request):
    return sys.executable if importlib.util.find_spec(package) else request.getfixturevalue("environment")


@pytest.fixture
def without(root, tmp_path, pki):
    """The variables of a process whose Python has no `_ssl`, and which trusts the tests' CA."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(ABSENT)
    bundle = {name: str(pki.ca) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": f"{root}:{hidden}", "PYTHONWARNINGS": "ignore"} | bundle


def program(heading):
    section = re.split(rf"^#+ {re.escape(heading)}$", PAGE, flags=re.M)[1]
    return re.search(r"```python\n(.*?)```", section, re.S).group(1)


@pytest.fixture
def site(pki):
    """One of the test's own: what other tests did to theirs is no problem here."""
    with https(server_context(pki.leaf, pki.folder), {"/hello": b"hello"}) as serving:
        yield serving


@pytest.mark.interop
@pytest.mark.parametrize("heading", [needs(heading, package) for heading, package in NEEDS.items()])
def test_a_client(heading, request, site, without, tmp_path):
    source = program(heading).replace("8443", str(site.port))
    python = python_with(NEEDS[heading], request)
    done = subprocess.run([python, "-c", source], cwd=tmp_path, env=without, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout
    assert not site.problems
    wrong = without | {name: without[name].replace("ca.pem", "wrong.pem") for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    refused = subprocess.run([python, "-c", source], cwd=tmp_path, env=wrong, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def running(command, folder, environment, port):
    """The server, once it takes connections."""
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                assert process.poll() is None, (folder / "log").read_text()
                try:
                    socket.create_connection(("localhost", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def credentials(folder, pki):
    for name in ("cert", "key"):
        (folder / f"{name}.pem").write_text(getattr(pki, name).read_text())


@pytest.fixture
def served(request, without, pki, tmp_path):
    """Runs a server of the manual with its application; gives the port."""
    credentials(tmp_path, pki)
    (tmp_path / "app.py").write_text(program("uvicorn, hypercorn, gunicorn"))

    @contextmanager
    def serve(line, **variables):
        port = free_port()
        command = [python_with(line.split()[5], request), *shlex.split(line.replace("8443", str(port)))[1:]]
        with running(command, tmp_path, without | variables, port):
            yield port

    return serve


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.parametrize("line", [needs(line, line.split()[5]) for line in SERVERS if "--workers" not in line])
def test_a_server(line, served, pki):
    with served(line) as port:
        for _ in range(3):
            with urllib.request.urlopen(f"https://localhost:{port}/", context=ssl.create_default_context(cafile=pki.ca)) as response:
                assert response.read().startswith(b"hello by https from ")


def by_openssl(pki):
    """`ask(port, session)` gets the page; gives the process that answered, the session, and whether it was resumed."""
    context = ssl.create_default_context(cafile=pki.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def ask(port, session):
        with socket.create_connection(("localhost", port), 20) as sock, context.wrap_socket(sock, server_hostname="localhost", session=session) as tls:
            return process_of(tls), tls.session, tls.session_reused

    return ask


def by_puretls(pki):
    config = ClientConfig(verifier=chain_verifier(load_certificates(Path(pki.ca).read_bytes()), provider=default()))

    def ask(port, session):
        with connect(("localhost", port), config, timeout=20, session=session) as tls:
            return process_of(tls), tls.session, tls.negotiated.resumed

    return ask


def process_of(tls):
    """The number in the answer, which may come in pieces."""
    tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while not (found := re.search(rb"hello by https from (\d+)(?=\D|$)", received)):
        data = tls.recv(2**14)
        assert data, received
        received += data
    return int(found.group(1))


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.rfc("5077", "4")
@pytest.mark.parametrize("line", [needs(line, line.split()[5]) for line in SERVERS if "--workers" in line])
def test_a_server_with_workers_that_take_each_others_tickets(line, served, pki, tmp_path):
    (tmp_path / "tickets.key").write_bytes(os.urandom(48))
    with served(line, PURETLS_TICKET_KEYS="tickets.key") as port:
        for ask in (by_openssl(pki), by_puretls(pki)):
            first, session, _ = ask(port, None)
            answered = {first}
            deadline = time.monotonic() + 30
            while len(answered) < 2:
                assert time.monotonic() < deadline, "one worker alone has answered"
                process, _, resumed = ask(port, session)
                assert resumed, f"{process} does not take the ticket of {first}"
                answered.add(process)


@pytest.mark.slow
@pytest.mark.interop
def test_the_server_on_asyncio_has_200_clients_at_once(without, pki, tmp_path):
    credentials(tmp_path, pki)
    port = free_port()
    context = ssl.create_default_context(cafile=pki.ca)

    async def client(number, all_there):
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context, ssl_handshake_timeout=120)
        await all_there.wait()  # nobody is served before everybody is connected
        writer.write(b"number %d\n" % number)
        answer = await reader.read()
        writer.close()
        return answer

    async def main():
        all_there = asyncio.Barrier(200)
        return await asyncio.gather(*(client(number, all_there) for number in range(200)))

    with running([sys.executable, "-c", program("A server on asyncio").replace("8443", str(port))], tmp_path, without, port):
        assert asyncio.run(main()) == [b"NUMBER %d\n" % number for number in range(200)]
