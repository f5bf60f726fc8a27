"""Node's tls module, both roles."""

import json

import pytest

from puretls import Alpn
from puretls.iana import NamedGroup
from tests.interop.cells import BULKS, GCM, certificate_for, client, server, suite_cells
from tests.interop.ends import Service, converse
from tests.interop.peers import program, run

pytestmark = pytest.mark.skipif(program("node") is None, reason="node is not installed")
SUITES = BULKS if program("node") else []

_CLIENT = """
const tls = require("tls"), fs = require("fs"), given = JSON.parse(process.argv[1]);
for (const name of ["ca", "cert", "key"]) if (given[name]) given[name] = fs.readFileSync(given[name]);
if (given.session) given.session = Buffer.from(given.session, "hex");
const socket = tls.connect({host: "127.0.0.1", servername: "server.test", ...given}, () => socket.write("hello\\n"));
let session = "";
socket.on("session", data => { session = data.toString("hex"); });
socket.on("data", data => process.stdout.write(data));
socket.on("error", error => { console.log("error", error.code); process.exit(1); });
socket.on("close", () => console.log(JSON.stringify({reused, session, alpn: socket.alpnProtocol,
  exported: given.label ? exported : "", cipher: cipher})));
let exported = "", cipher = "", reused = false;
socket.on("secureConnect", () => {
  cipher = socket.getCipher().name;
  reused = socket.isSessionReused();
  if (given.label) exported = socket.exportKeyingMaterial(40, given.label, Buffer.from("context")).toString("hex");
});
"""

_SERVER = """
const tls = require("tls"), fs = require("fs"), given = JSON.parse(process.argv[1]);
for (const name of ["ca", "cert", "key"]) if (given[name]) given[name] = fs.readFileSync(given[name]);
const server = tls.createServer(given, socket => { socket.on("error", () => 0); socket.pipe(socket); });
server.on("tlsClientError", () => 0);
server.listen(0, "127.0.0.1", () => console.log("listening on port " + server.address().port));
"""


def node(service, certificates, **options):
    """Run Node as a client; what it tells of the connection."""
    options = {"port": service.port, "ca": str(certificates.root), "maxVersion": "TLSv1.2"} | options
    status, output = run("node", "-e", _CLIENT, json.dumps(options))
    assert status == 0, f"{output}\n{service.error}"
    assert "[hello]" in output
    return json.loads(output.strip().splitlines()[-1])


@pytest.mark.parametrize("suite", suite_cells(SUITES, "node"))
def test_client_suite(certificates, suite):
    with Service(server(certificates, suite)) as service:
        told = node(service, certificates, ciphers=f"{suite.openssl_name}:@SECLEVEL=0")
    service.join()
    assert told["cipher"] == suite.openssl_name


def test_client_with_certificate_and_alpn(certificates):
    own = certificates.leaf("p256", "client.test")
    config = server(certificates, client_authentication="require", extensions=(Alpn("http/1.1"),))
    with Service(config) as service:
        told = node(service, certificates, cert=str(own.chain), key=str(own.key), ALPNProtocols=["h2", "http/1.1"])
    assert told["alpn"] == "http/1.1"
    assert service.end.connection.peer_certificates == own.issued.chain


def test_client_resumes(certificates):
    config = server(certificates)
    with Service(config) as service:
        session = node(service, certificates)["session"]
    with Service(config) as service:
        assert node(service, certificates, session=session)["reused"]


@pytest.mark.rfc("5705", "4")
def test_exporter_with_context(certificates):
    with Service(server(certificates)) as service:
        told = node(service, certificates, label="EXPERIMENTAL puretls")
    assert service.end.connection.export_keying_material(b"EXPERIMENTAL puretls", 40, b"context").hex() == told["exported"]


def test_client_with_tls_1_3_on_offer(certificates):
    with Service(server(certificates)) as service:
        node(service, certificates, maxVersion="TLSv1.3")


def _serving(pool, leaf, **options):
    given = {"cert": str(leaf.chain), "key": str(leaf.key), **options}
    return pool.other(("node", "-e", _SERVER, json.dumps(given)), r"listening on port (\d+)")


@pytest.mark.parametrize("suite", suite_cells([suite for suite in SUITES if suite.kx.name != "DHE"], "node"))
def test_server_suite(pool, certificates, suite):
    peer = _serving(pool, certificates.leaf(certificate_for(suite)), ciphers=f"{suite.openssl_name}:@SECLEVEL=0")
    assert converse(client(certificates, suite), peer.port).connection.negotiated.suite is suite


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.SECP521R1])
def test_server_group(pool, certificates, group):
    peer = _serving(pool, certificates.leaf("rsa"), ecdhCurve="X25519:P-256:P-384:P-521")
    assert converse(client(certificates, GCM, groups=(group,)), peer.port).connection.negotiated.group == group


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521", "ed25519", "ed448"])
def test_server_certificate(pool, certificates, kind):
    converse(client(certificates), _serving(pool, certificates.leaf(kind)).port)


def test_server_resumes(pool, certificates):
    """By ticket: Node leaves sessions by id to its programs."""
    peer = _serving(pool, certificates.leaf("rsa"), ALPNProtocols=["http/1.1"])
    config = client(certificates, extensions=(Alpn("http/1.1"),))
    first = converse(config, peer.port).connection
    assert converse(config, peer.port, session=first.session).connection.negotiated.resumed
    assert first.negotiated.alpn == "http/1.1"


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_server_asks_for_a_certificate(pool, certificates, kind):
    options = {"requestCert": True, "rejectUnauthorized": True, "ca": str(certificates.root)}
    peer = _serving(pool, certificates.leaf("rsa"), **options)
    own = certificates.leaf(kind, "client.test").credential
    converse(client(certificates, credentials=(own,)), peer.port)
