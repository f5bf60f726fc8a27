"""Go's crypto/tls and Java's JSSE, both roles, each by a small program that is compiled once a run."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from puretls import Alpn
from puretls.suites import SUITES
from tests.interop.cells import ECDSA, GCM, NAMED, certificate_for, client, server
from tests.interop.ends import Service, converse
from tests.interop.peers import TIMEOUT, program, run

HERE = Path(__file__).parent
FEW = 4
ALGORITHMS = {"rsa": "RSA", "p256": "EC", "p384": "EC", "p521": "EC", "ed25519": "Ed25519", "ed448": "Ed448"}
GO_SUITES = """
    ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384
    ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256
    ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA
    AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA256 AES128-SHA AES256-SHA
"""


@dataclass(frozen=True)
class Language:
    """How to compile and to run a peer; the suites and the kinds of certificates that it has."""

    compiler: str
    compiling: tuple[str, ...]
    running: tuple[str, ...]
    suites: tuple
    kinds: tuple[str, ...]
    suite_name: Callable


LANGUAGES = {
    "go": Language(
        "go",
        ("go", "build", "-o", "{folder}/peer", f"{HERE}/peer.go"),
        ("{folder}/peer",),
        tuple(NAMED[name] for name in GO_SUITES.split()),
        ("rsa", "p256", "p384", "p521", "ed25519"),
        lambda suite: int(suite.id),
    ),
    "java": Language(
        "javac",
        ("javac", "-d", "{folder}", f"{HERE}/Peer.java"),
        ("java", "-cp", "{folder}", "Peer"),
        tuple(suite for suite in SUITES if not suite.danger and not suite.is_psk and "CCM" not in suite.bulk.name),
        tuple(ALGORITHMS),
        lambda suite: suite.name,
    ),
}


class Peer:
    """The compiled program of a language."""

    def __init__(self, language, folder):
        self.language = language
        self._command = [word.format(folder=folder) for word in language.running]
        paths = os.pathsep.join([str(Path(program(language.compiler)).parent), os.defpath])
        env = {"GO111MODULE": "off", "GOCACHE": f"{folder}/cache", "PATH": paths}
        command = [word.format(folder=folder) for word in language.compiling]
        subprocess.run(command, check=True, timeout=6 * TIMEOUT, env=env)

    def _options(self, certificates, leaf=None, suite=None, **more):
        given = {"ca": certificates.root, **more}
        if leaf is not None:
            given |= {"chain": leaf.chain, "key": leaf.key, "algorithm": ALGORITHMS[leaf.name.split("-")[0]]}
        if suite is not None:
            given["suite"] = self.language.suite_name(suite)
        return [f"{name}={value}" for name, value in given.items()]

    def run(self, service, certificates, **options):
        """The program as a client; what it tells of its last connection."""
        status, output = run(*self._command, "client", f"port={service.port}", *self._options(certificates, **options))
        assert status == 0, f"{output}\n{service.error}"
        assert "[hello]" in output
        return dict(word.split("=", 1) for word in output.split()[-3:])

    def serve(self, pool, certificates, **options):
        """The port of the program as a server."""
        return pool.other((*self._command, "server", *self._options(certificates, **options)), r"listening on port (\d+)").port


@pytest.fixture(scope="session")
def peers(tmp_path_factory):
    return cache(lambda name: Peer(LANGUAGES[name], tmp_path_factory.mktemp(name)))


@pytest.fixture
def peer(request, peers):
    if program(LANGUAGES[request.param].compiler) is None:
        pytest.skip(f"{LANGUAGES[request.param].compiler} is not installed")
    return peers(request.param)


def each(what, values, name=str):
    """Every language with everything that it has of `what`; all but the first few are for the full counts."""
    cells = [
        pytest.param(key, value, id=f"{key}-{name(value)}", marks=[pytest.mark.slow] if number >= FEW else [])
        for key, language in LANGUAGES.items()
        for number, value in enumerate(values(language))
    ]
    return pytest.mark.parametrize(("peer", what), cells, indirect=["peer"])


every_suite = each("suite", lambda language: language.suites, lambda suite: suite.openssl_name)
every_kind = each("kind", lambda language: language.kinds)
every_language = pytest.mark.parametrize("peer", LANGUAGES, indirect=True)


@every_suite
def test_client_suite(peer, certificates, suite):
    with Service(server(certificates, suite)) as service:
        told = peer.run(service, certificates, suite=suite)
    service.join()
    assert told["suite"] == str(peer.language.suite_name(suite))


@every_suite
def test_server_suite(peer, pool, certificates, suite):
    port = peer.serve(pool, certificates, leaf=certificates.leaf(certificate_for(suite)), suite=suite)
    assert converse(client(certificates, suite), port).connection.negotiated.suite is suite


@pytest.mark.slow
@every_kind
def test_client_with_certificate_and_alpn(peer, certificates, kind):
    own = certificates.leaf(kind, "client.test")
    with Service(server(certificates, client_authentication="require", extensions=(Alpn("http/1.1"),))) as service:
        told = peer.run(service, certificates, leaf=own, alpn="h2,http/1.1")
    assert told["alpn"] == "http/1.1"
    assert service.end.connection.peer_certificates == own.issued.chain


@pytest.mark.slow
@every_kind
def test_server_certificate(peer, pool, certificates, kind):
    port = peer.serve(pool, certificates, leaf=certificates.leaf(kind), suite=GCM if kind == "rsa" else ECDSA)
    converse(client(certificates), port)


@pytest.mark.slow
@every_kind
def test_server_asks_for_a_certificate(peer, pool, certificates, kind):
    port = peer.serve(pool, certificates, leaf=certificates.leaf("rsa"), auth="yes")
    converse(client(certificates, credentials=(certificates.leaf(kind, "client.test").credential,)), port)


@every_language
def test_client_resumes(peer, certificates):
    with Service(server(certificates), clients=2) as service:
        told = peer.run(service, certificates, times=2)
    assert told["resumed"] == "true"
    assert service.end.connection.negotiated.resumed


@every_language
def test_server_resumes(peer, pool, certificates):
    port = peer.serve(pool, certificates, leaf=certificates.leaf("rsa"), alpn="http/1.1")
    config = client(certificates, extensions=(Alpn("http/1.1"),))
    first = converse(config, port).connection
    again = converse(config, port, session=first.session).connection
    assert again.negotiated.resumed
    assert (first.negotiated.alpn, again.negotiated.alpn) == ("http/1.1", "http/1.1")
