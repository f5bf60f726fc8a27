"""Botan's command, both roles."""

import pytest

from tests.interop.cells import client, server
from tests.interop.ends import Service, converse
from tests.interop.peers import free_port, program, run

pytestmark = pytest.mark.skipif(program("botan") is None, reason="botan is not installed")
every_kind = pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])


@pytest.fixture(scope="session")
def serving(pool):
    ports = {}

    def port_of(leaf):
        if leaf.name not in ports:
            command = ("botan", "tls_server", leaf.chain, leaf.key, f"--port={free_port()}")
            ports[leaf.name] = pool.other(command, r"Listening for new connections on tcp port (\d+)").port
        return ports[leaf.name]

    return port_of


def _hear(end):
    """Botan leaves at the end of its input, without waiting for an answer."""
    end.handshake()
    assert end.line() == b"hello"
    end.close()


@every_kind
def test_client(certificates, kind):
    with Service(server(certificates, kinds=(kind,)), _hear) as service:
        options = (f"--port={service.port}", f"--trusted-cas={certificates.root}", "--skip-system-cert-store", "--tls1.2")
        _, output = run("botan", "tls_client", "localhost", *options)
    service.join()
    assert "Certificate validation status: Verified" in output


@every_kind
def test_server(certificates, serving, kind):
    converse(client(certificates), serving(certificates.leaf(kind)))


def test_server_resumes(certificates, serving):
    port = serving(certificates.leaf("rsa"))
    first = converse(client(certificates), port).connection
    assert converse(client(certificates), port, session=first.session).connection.negotiated.resumed
