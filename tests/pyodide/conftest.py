"""One Pyodide of each kind for a whole session, and OpenSSL's servers that they speak to."""

from __future__ import annotations

import os
import time

import pytest

from puretls.ca import DevelopmentCa
from tests.inspect import browser
from tests.pyodide import hosts, servers


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """What Pyodide sees as /test."""
    return tmp_path_factory.mktemp("pyodide")


@pytest.fixture(scope="session")
def ca(folder):
    made = DevelopmentCa.create(os.urandom, time.time())
    (folder / "ca.pem").write_text(made.root.pem)
    (folder / "other.pem").write_text(DevelopmentCa.create(os.urandom, time.time()).root.pem)
    return made


@pytest.fixture(scope="session")
def https(ca, folder):
    """An https server of OpenSSL's for "localhost", with a key on P-256."""
    context = servers.server_context(folder, ca.issue(["localhost"], "secp256r1"), "p256")
    with servers.serving(servers.TlsServer(context)) as server:
        yield server


@pytest.fixture(scope="session")
def imaps(ca, folder):
    """An IMAPS server of OpenSSL's for "localhost", with an RSA key."""
    context = servers.server_context(folder, ca.issue(["localhost"], "rsa2048"), "rsa")
    with servers.serving(servers.TlsServer(context, servers.Imap)) as server:
        yield server


@pytest.fixture(scope="session")
def archive(folder):
    return hosts.archive(folder / "packages.zip")


@pytest.fixture(scope="session")
def node(archive, folder):
    """Node without JSPI."""
    host = hosts.NodeHost(hosts.plain_node(), archive, folder)
    yield host
    host.close()


@pytest.fixture(scope="session")
def suspending(archive, folder):
    """Node with JSPI, and with its own sockets below Python's."""
    host = hosts.NodeHost(hosts.suspending_node(), archive, folder)
    yield host
    host.close()


@pytest.fixture(scope="session")
def page(archive, ca, folder, tmp_path_factory):
    """A page in Chromium, without a window."""
    hosts.need_pyodide()
    if (reason := browser.why_not()) is not None:
        pytest.skip(reason)
    profile = tmp_path_factory.mktemp("profile")
    with hosts.page_server(folder) as url, browser.chromium(profile, offline=False) as driver:
        yield hosts.PageHost(driver, url)


@pytest.fixture(scope="session")
def relay(https):
    """A relay to the https server."""
    with hosts.websockify(https.port) as url:
        yield url


@pytest.fixture(scope="session")
def choosing_relay(https, imaps, tmp_path_factory):
    """A relay that leads to the server whose port is its token."""
    tokens = tmp_path_factory.mktemp("relay") / "tokens"
    tokens.write_text("".join(f"{server.port}: 127.0.0.1:{server.port}\n" for server in (https, imaps)))
    with hosts.websockify(None, "--token-plugin", "TokenFile", "--token-source", str(tokens)) as url:
        yield url + "?token={port}"
