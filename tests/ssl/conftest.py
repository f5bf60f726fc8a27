"""OpenSSL as an https server, and the files that clients need."""

import os
import time
from types import SimpleNamespace

import pytest

from puretls.ca import DevelopmentCa
from tests.support.https import connect_proxy, https
from tests.support.index import index
from tests.support.openssl import server_context


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Paths: `ca`, `wrong` (another CA), `cert` and `key` of a server called localhost; `folder` that they are in; the `leaf`."""
    folder = tmp_path_factory.mktemp("pki")
    right, wrong = (DevelopmentCa.create(os.urandom, time.time(), organization=name) for name in ("puretls tests", "somebody else"))
    leaf = right.issue(["localhost", "127.0.0.1"])
    files = {"ca": right.root_pem, "wrong": wrong.root_pem, "cert": leaf.chain_pem, "key": leaf.key_pem}
    for name, text in files.items():
        (folder / f"{name}.pem").write_text(text)
    return SimpleNamespace(folder=folder, leaf=leaf, **{name: folder / f"{name}.pem" for name in files})


@pytest.fixture(scope="session")
def site(pki):
    """An https site on OpenSSL: /hello, /big (1 MB), and a package index with six. `url`, `port`, `asked`."""
    pages = {"/hello": b"hello", "/big": bytes(range(250)) * 4000, **index("six")}
    with https(server_context(pki.leaf, pki.folder), pages) as serving:
        serving.url = f"https://localhost:{serving.port}"
        yield serving


@pytest.fixture(scope="session")
def proxy():
    """An http proxy that knows CONNECT alone. `port`, `asked`."""
    with connect_proxy() as running:
        yield running
