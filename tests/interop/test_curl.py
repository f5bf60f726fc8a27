"""`puretls serve` fetched from by curl."""

import os
import re

import pytest

from tests.cli.command import serving
from tests.interop.cells import NAMED, certificate_for, suite_cells
from tests.interop.peers import program, run

pytestmark = pytest.mark.skipif(program("curl") is None, reason="curl is not installed")
MEGABYTE = 2**20
SUITES = [
    NAMED[name]
    for name in (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
    )
]


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """A file of a megabyte, in a folder of its own."""
    folder = tmp_path_factory.mktemp("www")
    (folder / "megabyte.bin").write_bytes(os.urandom(MEGABYTE))
    return folder / "megabyte.bin"


@pytest.fixture
def arguments(certificates, content):
    pairs = [("--cert", certificates.leaf(kind).chain, "--key", certificates.leaf(kind).key) for kind in ("rsa", "p256")]
    return ("--www", content.parent, *pairs[0], *pairs[1])


def curl(port, certificates, *options, path="megabyte.bin"):
    """Run curl; returns its exit status and what it said."""
    where = (f"https://server.test:{port}/{path}", "--resolve", f"server.test:{port}:127.0.0.1", "--noproxy", "*")
    return run("curl", "--silent", "--show-error", "--max-time", "20", "--cacert", certificates.root, *where, *options)


@pytest.mark.parametrize("suite", suite_cells(SUITES, "curl"))
def test_a_megabyte(certificates, content, arguments, tmp_path, suite):
    with serving(tmp_path, *arguments) as server:
        options = ("--tls-max", "1.2", "--ciphers", suite.openssl_name, "--output", tmp_path / "got", "--verbose")
        status, output = curl(server.port, certificates, *options)
    assert status == 0, output
    assert f"SSL connection using TLSv1.2 / {suite.openssl_name}" in output
    assert "SSL certificate verify ok" in output
    assert (tmp_path / "got").read_bytes() == content.read_bytes()
    assert certificate_for(suite)


def test_with_tls_1_3_and_http_2_on_offer(certificates, content, arguments, tmp_path):
    with serving(tmp_path, *arguments, "--alpn", "http/1.1") as server:
        status, output = curl(server.port, certificates, "--output", tmp_path / "got", "--verbose")
    assert status == 0, output
    assert re.search(r"ALPN[:,] server accepted (to use )?http/1\.1", output)
    assert (tmp_path / "got").stat().st_size == MEGABYTE


def test_client_certificate(certificates, content, arguments, tmp_path):
    own = certificates.leaf("p256", "client.test")
    with serving(tmp_path, *arguments, "--client-ca", certificates.root, "--require-client-cert") as server:
        status, output = curl(server.port, certificates, "--output", tmp_path / "got")
        assert status != 0, output
        status, output = curl(server.port, certificates, "--output", tmp_path / "got", "--cert", own.chain, "--key", own.key)
        assert status == 0, output


def test_stranger_is_refused_by_curl(arguments, certificates, tmp_path):
    from tests.interop.certificates import Certificates

    with serving(tmp_path, *arguments) as server:
        status, output = curl(server.port, Certificates(tmp_path, "a stranger"))
    assert status == 60, output
