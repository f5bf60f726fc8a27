"""Habits of QSslSocket that programs rely on, each held against PySide6 6.12: reading ahead, ignoring, files, keys, what is told."""

from __future__ import annotations

import hashlib
import time

import pytest

from puretls.qt import (
    QBuffer,
    QCryptographicHash,
    QHostAddress,
    QIODevice,
    QSsl,
    QSslCertificate,
    QSslCipher,
    QSslDiffieHellmanParameters,
    QSslError,
    QSslKey,
    QSslServer,
    QSslSocket,
    QTcpServer,
)
from tests.qt.conftest import run_until
from tests.qt.test_sockets import connect, echo

TOTAL = 50_000


@pytest.mark.parametrize("buffer", [50, 100, 1000, 4096])
@pytest.mark.parametrize("record", [50, 100, 1000])
def test_a_small_read_buffer_loses_nothing_of_many_small_records(pki, ssl_peer, buffer: int, record: int) -> None:
    """What waits for room in the buffer is read in `waitForReadyRead`, where no event loop runs; close_notify is seen too."""

    def talk(encrypted) -> None:
        encrypted.recv(1)
        for _ in range(TOTAL // record):
            encrypted.sendall(bytes(record))
        encrypted.unwrap()

    peer = ssl_peer(talk)
    client, alerts = connect(pki, peer.port), []
    client.setReadBufferSize(buffer)
    client.alertReceived.connect(lambda level, kind, text: alerts.append(kind))
    assert client.waitForEncrypted()
    client.write(b"x")
    got, end = 0, time.monotonic() + 20
    while not alerts and time.monotonic() < end:
        client.waitForReadyRead(50)
        got += len(client.readAll())
    assert (got, alerts) == (TOTAL, [QSsl.AlertType.CloseNotify])
    client.disconnectFromHost()
    peer.join()


def test_a_list_of_errors_to_ignore_withdraws_that_all_are_ignored(pki, ssl_peer) -> None:
    """The page of the class: "ignore only the errors given in errors", and an empty list clears it."""
    for errors in ([], [QSslError(QSslError.HostNameMismatch)]):
        peer = ssl_peer(echo)
        client = QSslSocket()
        client.ignoreSslErrors()
        client.ignoreSslErrors(errors)
        client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
        assert not client.waitForEncrypted(10000)
        assert client.error() is QSslSocket.SocketError.SslHandshakeFailedError
        peer.join()


class PskServer(QSslServer):
    """Knows one key; hands it to everybody."""

    def __init__(self, pki) -> None:
        super().__init__()
        configuration = pki.configuration()
        configuration.setCiphers([QSslCipher("PSK-AES128-GCM-SHA256")])
        configuration.setPeerVerifyMode(QSslSocket.VerifyNone)
        self.setSslConfiguration(configuration)
        self.preSharedKeyAuthenticationRequired.connect(lambda made, asked: asked.setPreSharedKey(b"k" * 16))
        assert self.listen(QHostAddress("127.0.0.1"), 0)


@pytest.mark.parametrize(
    ("mode", "ignores", "encrypted"),
    [
        (QSslSocket.VerifyPeer, False, False),
        (QSslSocket.AutoVerifyPeer, False, False),
        (QSslSocket.VerifyPeer, True, True),
        (QSslSocket.VerifyNone, False, True),
        (QSslSocket.QueryPeer, False, True),
    ],
)
def test_a_pre_shared_key_shows_no_certificate_to_who_wants_to_verify_one(pki, mode, ignores, encrypted) -> None:
    server, client, told = PskServer(pki), QSslSocket(), []
    configuration = pki.configuration()
    configuration.setCiphers([QSslCipher("PSK-AES128-GCM-SHA256")])
    configuration.setPeerVerifyMode(mode)
    client.setSslConfiguration(configuration)

    def answer(asked) -> None:
        asked.setIdentity(b"me")
        asked.setPreSharedKey(b"k" * 16)

    client.preSharedKeyAuthenticationRequired.connect(answer)
    client.sslErrors.connect(told.extend)
    if ignores:
        client.ignoreSslErrors()
    client.connectToHostEncrypted("127.0.0.1", server.serverPort())
    assert run_until(lambda: client.isEncrypted() or client.state() is QSslSocket.UnconnectedState)
    assert client.isEncrypted() == encrypted
    if not encrypted:
        assert [error.error() for error in told] == [QSslError.NoPeerCertificate]
        assert client.error() is QSslSocket.SocketError.SslHandshakeFailedError
    client.abort()


def test_ephemeral_key_of_a_finite_field_tells_its_kind_and_length(pki) -> None:
    issued = pki.ca.issue(["server.test"], "rsa2048")
    server, client = QSslServer(), QSslSocket()
    configuration = pki.configuration()
    configuration.setLocalCertificateChain(QSslCertificate.fromData(issued.chain_pem))
    configuration.setPrivateKey(QSslKey(issued.key_pem, QSsl.Rsa))
    configuration.setDiffieHellmanParameters(QSslDiffieHellmanParameters.defaultParameters())
    server.setSslConfiguration(configuration)
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    configuration = pki.configuration()
    configuration.setCiphers([QSslCipher("DHE-RSA-AES128-GCM-SHA256")])
    client.setSslConfiguration(configuration)
    client.connectToHostEncrypted("127.0.0.1", server.serverPort(), "server.test")
    assert run_until(client.isEncrypted)
    key = client.sslConfiguration().ephemeralServerKey()
    assert (key.algorithm(), key.length(), key.isNull()) == (QSsl.KeyAlgorithm.Dh, 2048, False)
    client.abort()


def test_the_hello_to_a_peer_that_closes_at_once_is_told_as_written(app) -> None:
    server, client, told = QTcpServer(), QSslSocket(), []
    server.newConnection.connect(lambda: server.nextPendingConnection().close())
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    client.encryptedBytesWritten.connect(told.append)
    client.errorOccurred.connect(lambda error: told.append(error.name))
    client.connectToHostEncrypted("127.0.0.1", server.serverPort())
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)
    assert told[0] > 100
    assert told[1:] == ["RemoteHostClosedError"]


def test_files_that_are_missing_or_hold_nothing(pki, tmp_path, capsys) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    socket = QSslSocket()
    socket.setLocalCertificate(str(pki.folder / "server.pem"))
    socket.setLocalCertificate(str(tmp_path / "missing.pem"))
    assert socket.localCertificate() == QSslCertificate(pki.server.chain_pem)
    socket.setLocalCertificate(str(tmp_path / "junk.pem"))
    assert socket.localCertificate().isNull()

    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(QSslKey(pki.server.key_pem, QSsl.Ec).toPem(b"right").data())
    socket.setPrivateKey(str(encrypted), QSsl.Ec, passPhrase=b"wrong")
    assert socket.privateKey().isNull()
    socket.setPrivateKey(str(encrypted), QSsl.Ec, passPhrase=b"right")
    for name in ("missing.pem", "junk.pem"):
        socket.setPrivateKey(str(tmp_path / name), QSsl.Ec)
        assert socket.privateKey() == QSslKey(pki.server.key_pem, QSsl.Ec)


def test_numbers_below_zero_read_nothing() -> None:
    device = QBuffer(b"one\ntwo")
    device.open(QIODevice.ReadOnly)
    assert [device.peek(-1), device.read(-1), device.readLine(-1), device.readLine(1)] == [b"", b"", b"", b""]
    assert device.skip(-1) == -1
    assert device.readAll() == b"one\ntwo"


def test_digest_takes_the_algorithms_of_qcryptographichash(pki) -> None:
    der = pki.root.toDer().data()
    assert pki.root.digest() == hashlib.md5(der).digest()
    computed = 0
    for algorithm in QCryptographicHash.Algorithm:
        name = algorithm.name.removeprefix("Real").lower()
        kind, _, bits = name.partition("_")
        if kind.startswith("blake2"):
            wanted = getattr(hashlib, kind)(der, digest_size=int(bits) // 8).digest()
        else:
            wanted = hashlib.new(name, der).digest() if QCryptographicHash.supportsAlgorithm(algorithm) else b""
        assert pki.root.digest(algorithm) == wanted, name
        assert QCryptographicHash.hashLength(algorithm) == len(wanted)
        computed += bool(wanted)
    assert computed == len(QCryptographicHash.Algorithm) - 5  # MD4 and the four Keccak forms
    with pytest.raises(ValueError, match="names no hash"):
        pki.root.digest("sha257")
