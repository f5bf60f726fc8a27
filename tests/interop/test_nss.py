"""NSS, both roles: selfserv, which answers an HTTP request, and tstclnt."""

import pytest

from puretls import ConnectionClosed, HandshakeCompleted, RenegotiationRefused
from puretls.extensions import ExtendedMasterSecret
from puretls.iana import NamedGroup
from puretls.suites import SUITES as ALL
from tests.interop.cells import DHE, GCM, NAMED, cells, client, server, suite_cells
from tests.interop.ends import Service, connect
from tests.interop.peers import Process, Server, ask, free_port, program, run

pytestmark = pytest.mark.skipif(
    not all(map(program, ("selfserv", "tstclnt", "certutil", "pk12util", "openssl"))),
    reason="NSS's tools (libnss3-tools) or openssl, which packs keys for them, are not installed",
)

# NSS tells its suites by no list that names them all; these are of its documentation (sslproto.h), 3DES and NULL left out.
SUITES = [
    NAMED[name]
    for name in (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES256-SHA384",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES128-SHA",
        "DHE-RSA-AES128-SHA256",
        "DHE-RSA-AES256-SHA",
        "DHE-RSA-AES256-SHA256",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES128-SHA256",
        "AES256-SHA",
        "AES256-SHA256",
    )
]
GROUPS = {
    "P256": NamedGroup.SECP256R1,
    "P384": NamedGroup.SECP384R1,
    "P521": NamedGroup.SECP521R1,
    "x25519": NamedGroup.X25519,
    "FF2048": NamedGroup.FFDHE2048,
    "FF3072": NamedGroup.FFDHE3072,
    "FF4096": NamedGroup.FFDHE4096,
}
GROUP_CELLS = cells([name for name in GROUPS if name in ask("selfserv", "-h") or program("selfserv")], peer="selfserv")


def nss_leaf(certificates, kind):
    """NSS has one nickname for all certificates of a subject, so these have subjects of their own; both are for localhost."""
    return certificates.leaf(kind, f"{kind}.nss.test")


@pytest.fixture(scope="session")
def database(certificates, tmp_path_factory):
    """NSS's own store, with the CA and two certificates."""
    folder = tmp_path_factory.mktemp("nss")
    name = f"sql:{folder}"
    run("certutil", "-N", "-d", name, "--empty-password")
    run("certutil", "-A", "-d", name, "-n", "root", "-t", "CT,C,C", "-i", certificates.root)
    for kind in ("rsa", "p256"):
        leaf, packed = nss_leaf(certificates, kind), folder / f"{kind}.p12"
        pack = ("-export", "-in", leaf.chain, "-inkey", leaf.key, "-name", kind, "-out", packed, "-passout", "pass:x")
        status, output = run("openssl", "pkcs12", *pack)
        assert status == 0, output
        status, output = run("pk12util", "-i", packed, "-d", name, "-W", "x")
        assert status == 0, output
    return name


@pytest.fixture(scope="module")
def selfserv(database):
    """Starts a server once for each set of options."""
    running = {}

    def start(*options):
        if options not in running:
            port = free_port()
            command = ("selfserv", "-d", database, "-n", "rsa", "-e", "p256", "-p", port, "-V", "tls1.2:tls1.2", "-v", *options)
            running[options] = Server(command, r"selfserv: About to call accept|selfserv: .*listen|About to call accept")
            running[options].port = port
        return running[options].port

    yield start
    for process in running.values():
        process.kill()


def every_suite():
    return "".join(f":{suite.id:04X}" for suite in SUITES)


def fetch(config, port, session=None):
    """A request, and its answer to the end."""
    end = connect(config, port, "localhost", session)
    with end.sock:
        end.handshake()
        end.send(b"GET / HTTP/1.0\r\n\r\n")
        while not isinstance(end.step(), ConnectionClosed):
            pass
    assert b"Server: " in end.received, end.received
    return end.connection


@pytest.mark.parametrize("suite", suite_cells(SUITES, "selfserv"))
def test_server_suite(selfserv, certificates, suite):
    negotiated = fetch(client(certificates, suite), selfserv("-G", "-H", "1", "-c", every_suite())).negotiated
    assert negotiated.suite is suite
    assert negotiated.extended_master_secret


@pytest.mark.parametrize("name", GROUP_CELLS)
def test_server_group(selfserv, certificates, name):
    suite = DHE if name.startswith("FF") else GCM
    port = selfserv("-G", "-H", "2", "-c", every_suite(), "-I", ",".join(GROUPS))
    assert fetch(client(certificates, suite, groups=(GROUPS[name],)), port).negotiated.group == GROUPS[name]


@pytest.mark.parametrize("ems", [False, True], ids=["no-ems", "ems"])
@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
def test_server_resumes(selfserv, certificates, tickets, ems):
    port = selfserv("-u", *(("-G",) if ems else ()))
    config = client(certificates, tickets=tickets, extensions=(ExtendedMasterSecret(enabled=ems),))
    session = fetch(config, port).session
    assert session.extended_master_secret == ems
    assert bool(session.ticket) == tickets
    assert fetch(config, port, session).negotiated.resumed


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
def test_server_requires_a_certificate(selfserv, certificates, kind):
    own = certificates.leaf(kind, "client.test").credential
    fetch(client(certificates, credentials=(own,)), selfserv("-r", "-r"))


def answer(end):
    end.handshake()
    greet(end)


def greet(end):
    """Answer a line and close without waiting: tstclnt closes when it is killed."""
    end.line()
    end.send(b"[hello]\n")
    end.connection.close()
    end.flush()


def tstclnt(config, database, *options, script=answer, clients=1, expected=r"\[hello\]"):
    """Serve tstclnt, whose input stays open: at the end of it, it loops."""
    with Service(config, script, clients) as service:
        where = ("-h", "127.0.0.1", "-p", service.port, "-a", "server.test", "-d", database, "-V", "tls1.2:tls1.2")
        process = Process(("tstclnt", *where, *options))
        try:
            process.tell("hello")
            service.join()
            if expected:
                process.wait_for(expected)
        finally:
            process.kill()
    return service.end


@pytest.mark.parametrize("suite", suite_cells(SUITES, "tstclnt"))
def test_client_suite(database, certificates, suite):
    end = tstclnt(server(certificates, suite), database, "-G", "-c", f":{suite.id:04X}")
    assert end.connection.negotiated.suite is suite
    assert end.connection.negotiated.extended_master_secret


@pytest.mark.parametrize("name", GROUP_CELLS)
def test_client_group(database, certificates, name):
    suite = DHE if name.startswith("FF") else GCM
    groups = f"{name},P256" if name.startswith("FF") else name
    end = tstclnt(server(certificates, suite, groups=(GROUPS[name],)), database, "-I", groups, "-c", every_suite())
    assert end.connection.negotiated.group == GROUPS[name]


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_client_certificate(database, certificates, kind):
    end = tstclnt(server(certificates, client_authentication="require"), database, "-n", kind)
    assert end.connection.peer_certificates[0] == nss_leaf(certificates, kind).issued.certificate


def test_client_that_wants_tls_1_3(database, certificates):
    tstclnt(server(certificates), database, "-V", "tls1.2:tls1.3")


@pytest.mark.rfc("6066", "8")
def test_client_wants_a_stapled_response(database, certificates):
    from dataclasses import replace

    leaf = certificates.leaf("p256")
    stapled = replace(leaf.credential, ocsp_response=certificates.ca.ocsp_response(leaf.issued.certificate))
    tstclnt(server(certificates, credentials=(stapled,)), database, "-T", "-U")


@pytest.mark.rfc("5746", "3.7")
@pytest.mark.parametrize("granted", [False, True])
def test_client_renegotiates(database, certificates, granted):
    def script(end):
        end.handshake()
        end.until(HandshakeCompleted if granted else RenegotiationRefused)
        if granted:
            greet(end)

    config = server(certificates, renegotiation=granted)
    if granted:
        assert len(tstclnt(config, database, "-r", "1", script=script).saw(HandshakeCompleted)) == 2
        return
    end = tstclnt(config, database, "-r", "1", script=script, expected=None)
    assert end.saw(RenegotiationRefused) == [RenegotiationRefused(by_peer=False)]


def test_every_suite_here_is_ours():
    assert set(SUITES) <= set(ALL)
