"""The pytest plugin: its fixtures work against others too, a test that fails leaves a capture, and whoever does not use it pays nothing."""

import os
import subprocess
import sys
import textwrap
import tomllib

import pytest

from puretls.inspect import read_capture
from puretls.testing import plugin

USES = """
import asyncio
import socket
import ssl

from puretls.inspect import Conversation
from puretls.net import aio, blocking


def test_pair(puretls_pair):
    puretls_pair.client.send(b"question")
    puretls_pair.carry()
    assert [told.data for told in puretls_pair.server.events()] == [b"question"]


def test_sockets(puretls_sockets, puretls_recordings):
    puretls_sockets.client.sendall(b"question")
    assert puretls_sockets.server.recv(100) == b"question"
    assert len(puretls_recordings) == 2
    assert puretls_recordings.conversations()[0].data("client") == b"question"


def test_echo(puretls_echo_server, puretls_client_config):
    with blocking.connect(puretls_echo_server.address, puretls_client_config) as tls:
        tls.sendall(b"echo")
        assert tls.recv(100) == b"echo"
    assert puretls_echo_server.problems == []


def test_echo_in_asyncio(puretls_async_echo_server, puretls_client_config):
    async def talk():
        reader, writer = await aio.open_connection(*puretls_async_echo_server.address, puretls_client_config)
        writer.write(b"echo")
        answer = await reader.readexactly(4)
        writer.close()
        return answer

    assert asyncio.run(talk()) == b"echo"


def test_openssl_as_the_client(puretls_echo_server, puretls_async_echo_server, puretls_files):
    context = ssl.create_default_context(cafile=puretls_files.ca)
    for server in (puretls_echo_server, puretls_async_echo_server):
        with socket.create_connection(server.address, 10) as sock:
            with context.wrap_socket(sock, server_hostname="localhost") as tls:
                tls.sendall(b"from OpenSSL")
                assert tls.recv(100) == b"from OpenSSL"


def test_openssl_as_the_server(puretls_files, puretls_ca, puretls_client_config):
    import threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(puretls_files.chain, puretls_files.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with context.wrap_socket(listener.accept()[0], server_side=True) as tls:
                tls.sendall(tls.recv(100))
        thread = threading.Thread(target=serve)
        thread.start()
        with blocking.connect(listener.getsockname(), puretls_client_config) as tls:
            tls.sendall(b"to OpenSSL")
            assert tls.recv(100) == b"to OpenSSL"
        thread.join(10)
    assert puretls_ca.issue(["another.test"]).chain
"""
FAILS = """
def test_fails(puretls_sockets):
    puretls_sockets.client.sendall(b"what was said")
    assert puretls_sockets.server.recv(100) == b"something else"

def test_makes_no_connection(puretls_client_config):
    assert not puretls_client_config

def test_uses_nothing():
    assert False
"""
EMPTY = """
import sys

def test_nothing_is_loaded():
    ours = {name for name in sys.modules if name.partition(".")[0] in {"puretls", "hypothesis", "dpkt", "tlslite", "ecdsa"}}
    assert ours == {"puretls", "puretls._version", "puretls.testing", "puretls.testing.plugin"}
"""


def run(folder, source, *options, blocked=()):
    """pytest in a process of its own, with this plugin and no other; modules in `blocked` are missing."""
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    start = f"import sys; sys.modules.update(dict.fromkeys({list(blocked)!r})); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, "-p", "puretls.testing.plugin", "-p", "no:cacheprovider", "-q", "-s", *options]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    environment.pop("PYTEST_PLUGINS", None)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("start", [("-m", "puretls", "run", "--force", "-m", "pytest"), ("-c", "import puretls, pytest; pytest.main()")])
def test_pytest_is_content_where_puretls_was_imported_before_it(tmp_path, start):
    """As by `puretls run -m pytest`: pytest warns of modules of a plugin that it cannot rewrite, and here warnings are errors."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    ran = subprocess.run([sys.executable, *start], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "cannot be rewritten" not in ran.stdout + ran.stderr


@pytest.mark.interop
def test_all_fixtures_work_and_openssl_talks_to_them(tmp_path):
    pytest.importorskip("ssl")
    ran = run(tmp_path, USES)
    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout
    assert ran.stderr == ""


def test_a_test_that_fails_leaves_a_capture_that_opens(tmp_path):
    ran = run(tmp_path, FAILS, "--puretls-captures", str(tmp_path / "captures"))
    assert "3 failed" in ran.stdout
    target = tmp_path / "captures" / "test_fails.pcapng"
    assert f"1 connection, with secrets, in {target}" in ran.stdout
    assert "no connection was made" in ran.stdout
    assert ran.stdout.count("- puretls -") == 2
    assert target.stat().st_mode & 0o777 == 0o600
    (conversation,) = read_capture(target).conversations()
    assert conversation.data("client") == b"what was said"


@pytest.mark.full
def test_the_capture_goes_into_pytests_own_folder_unless_told_otherwise(tmp_path):
    ran = run(tmp_path, FAILS, f"--basetemp={tmp_path / 'base'}", "-k", "test_fails")
    assert list((tmp_path / "base").rglob("test_fails.pcapng")), ran.stdout


def test_without_the_extra_it_is_silent_and_says_what_is_missing_where_it_matters(tmp_path):
    missing = ["hypothesis", "dpkt", "rich"]
    failed = run(tmp_path, FAILS, "-k", "test_fails", blocked=missing)
    assert failed.stderr == ""
    assert "1 failed" in failed.stdout
    assert "no capture was written: captures need dpkt: pip install 'puretls[capture]'" in failed.stdout


def test_nothing_is_loaded_until_a_fixture_is_asked_for(tmp_path):
    ran = run(tmp_path, EMPTY)
    assert ran.returncode == 0, ran.stdout


def test_all_names_begin_with_puretls():
    fixtures = [name for name, value in vars(plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"]
    assert len(fixtures) >= 9
    assert all(name.startswith("puretls_") for name in fixtures)


def test_the_entry_point_is_in_the_package(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"puretls": "puretls.testing.plugin"}
    assert {one.partition(">")[0] for one in project["optional-dependencies"]["testing"]} == {"hypothesis", "pytest", "dpkt"}
