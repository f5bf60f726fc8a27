"""Certificates, a running loop's conveniences, and a peer of the standard library for the facade's tests."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from puretls.ca import DevelopmentCa, Issued
from puretls.qt import QCoreApplication, QEventLoop, QSsl, QSslCertificate, QSslConfiguration, QSslKey, QTimer


class Pki:
    """A root and what it issued, in the facade's classes and as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = DevelopmentCa.create(os.urandom, time.time())
        self.server = self.ca.issue(["server.test", "127.0.0.1"])
        self.client = self.ca.issue(["client.test"], usage="client")
        self.root = QSslCertificate(self.ca.root_pem)
        (folder / "root.pem").write_text(self.ca.root_pem)
        for name, issued in (("server", self.server), ("client", self.client)):
            (folder / f"{name}.pem").write_text(issued.chain_pem)
            (folder / f"{name}.key").write_text(issued.key_pem)

    def configuration(self, issued: Issued | None = None) -> QSslConfiguration:
        made = QSslConfiguration.defaultConfiguration()
        made.setCaCertificates([self.root])
        if issued is not None:
            made.setLocalCertificateChain(QSslCertificate.fromData(issued.chain_pem))
            made.setPrivateKey(QSslKey(issued.key_pem, QSsl.Ec))
        return made


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def app() -> QCoreApplication:
    return QCoreApplication.instance() or QCoreApplication([])


@pytest.fixture(autouse=True)
def default_configuration() -> Iterator[None]:
    """The default configuration is one a process: each test leaves it as it was."""
    kept = QSslConfiguration.defaultConfiguration()
    yield
    QSslConfiguration.setDefaultConfiguration(kept)


def run_until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Runs the event loop till the condition holds; False when it never does."""
    loop, timer, end = QEventLoop(), QTimer(), time.monotonic() + seconds
    timer.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > end else None)
    if not condition():
        timer.start(2)
        loop.exec()
        timer.stop()
    return bool(condition())


class SslPeer:
    """The standard library's TLS in a thread: `talk` gets the encrypted socket of each connection, one unless told otherwise."""

    def __init__(self, pki: Pki, talk: Callable[[ssl.SSLSocket], None], *, verify: bool = False, connections: int = 1) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(pki.folder / "server.pem", pki.folder / "server.key")
        if verify:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(pki.folder / "root.pem")
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.talk, self.connections = talk, connections
        self.problem: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        for _ in range(self.connections):
            try:
                plain, _ = self.listening.accept()
                plain.settimeout(20)
                with self.context.wrap_socket(plain, server_side=True) as encrypted:
                    self.talk(encrypted)
            except OSError as problem:
                self.problem = problem
        self.listening.close()

    def join(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def ssl_peer(pki: Pki) -> Callable[..., SslPeer]:
    return lambda talk, **options: SslPeer(pki, talk, **options)
