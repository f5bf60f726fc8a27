"""QSslSocket against the standard library, and against itself: the page's examples, the ends, what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from puretls.qt import (
    QAbstractSocket,
    QEventLoop,
    QHostAddress,
    QSsl,
    QSslConfiguration,
    QSslError,
    QSslKey,
    QSslServer,
    QSslSocket,
    QTcpServer,
    QTcpSocket,
    SocketFailed,
)
from tests.qt.conftest import run_until


def echo(encrypted) -> None:
    while data := encrypted.recv(65536):
        encrypted.sendall(data)


def connect(pki, port: int, name: str = "server.test", **kwargs) -> QSslSocket:
    made = QSslSocket()
    made.setSslConfiguration(pki.configuration(**kwargs))
    made.connectToHostEncrypted("127.0.0.1", port, name)
    return made


class SslServer(QTcpServer):
    """The server of the page: each connection becomes an encrypted socket."""

    def __init__(self, configuration: QSslConfiguration) -> None:
        super().__init__()
        self.configuration, self.sockets = configuration, []
        assert self.listen(QHostAddress("127.0.0.1"), 0)

    def incomingConnection(self, socketDescriptor: int) -> None:
        made = QSslSocket(self)
        made.setSslConfiguration(self.configuration)
        if made.setSocketDescriptor(socketDescriptor):
            self.addPendingConnection(made)
            made.readyRead.connect(lambda: made.write(made.readAll()))
            made.startServerEncryption()
            self.sockets.append(made)


def test_immediate_handshake_of_the_page(pki, ssl_peer) -> None:
    peer = ssl_peer(echo)
    states = []
    client = QSslSocket()
    client.setSslConfiguration(pki.configuration())
    client.stateChanged.connect(lambda state: states.append(state.name))
    client.encrypted.connect(lambda: (states.append("encrypted"), client.write(b"ready")))
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert run_until(lambda: client.bytesAvailable() == 5)
    assert states == ["HostLookupState", "ConnectingState", "ConnectedState", "encrypted"]
    assert client.readAll() == b"ready"
    assert client.sessionCipher().protocolString() == "TLSv1.2"
    client.disconnectFromHost()
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)
    peer.join()
    assert not client.isEncrypted()


def test_server_of_the_page_against_the_blocking_example(pki) -> None:
    """The blocking client has a thread of its own, as it would block the server's."""
    server = SslServer(pki.configuration(pki.server))
    answers: list[object] = []

    def blocking() -> None:
        client = connect(pki, server.serverPort())
        if not client.waitForEncrypted():
            answers.append(client.errorString())
            return
        client.write(b"GET / HTTP/1.0\r\n\r\n")
        got = b""
        while len(got) < 18 and client.waitForReadyRead(5000):
            got += client.readAll().data()
        answers.append(got)
        client.disconnectFromHost()
        answers.append(client.state() is QSslSocket.UnconnectedState or client.waitForDisconnected(5000))

    thread = threading.Thread(target=blocking)
    thread.start()
    assert run_until(lambda: not thread.is_alive())
    assert answers == [b"GET / HTTP/1.0\r\n\r\n", True]
    assert run_until(lambda: server.sockets[0].state() is QSslSocket.UnconnectedState)
    server.close()


def test_blocking_example_against_the_standard_library(pki, ssl_peer) -> None:
    def serve(encrypted) -> None:
        assert encrypted.recv(100) == b"GET / HTTP/1.0\r\n\r\n"
        encrypted.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 50000)

    peer = ssl_peer(serve)
    client = connect(pki, peer.port)
    assert client.waitForEncrypted()
    client.write(b"GET / HTTP/1.0\r\n\r\n")
    got = b""
    while client.waitForReadyRead():
        got += client.readAll().data()
    assert got == b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 50000
    peer.join()
    assert peer.problem is None


def test_server_subclass_against_the_standard_library(pki) -> None:
    import ssl

    server = SslServer(pki.configuration(pki.server))
    said: list[bytes] = []

    def talk() -> None:
        context = ssl.create_default_context(cafile=str(pki.folder / "root.pem"))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("127.0.0.1", server.serverPort()), 20) as plain,
            context.wrap_socket(plain, server_hostname="server.test") as encrypted,
        ):
            encrypted.sendall(b"hello")
            said.append(encrypted.recv(100))

    thread = threading.Thread(target=talk)
    thread.start()
    assert run_until(lambda: not thread.is_alive())
    assert said == [b"hello"]
    assert run_until(lambda: server.sockets[0].state() is QSslSocket.UnconnectedState)
    server.close()


def test_client_and_server_in_one_loop_with_client_certificate(pki) -> None:
    configuration = pki.configuration(pki.server)
    configuration.setPeerVerifyMode(QSslSocket.VerifyPeer)
    server = SslServer(configuration)
    client = connect(pki, server.serverPort(), issued=pki.client)
    client.write(b"x" * 100000)
    assert run_until(lambda: client.bytesAvailable() == 100000)
    peer = server.sockets[0]
    assert peer.peerCertificate().subjectAlternativeNames()[QSsl.DnsEntry] == ["client.test"]
    assert peer.sessionCipher() == client.sessionCipher()
    client.close()
    assert run_until(lambda: peer.state() is QSslSocket.UnconnectedState)
    server.close()


def test_delayed_handshake_after_plain_talk(pki) -> None:
    class StartTls(SslServer):
        def incomingConnection(self, socketDescriptor: int) -> None:
            made = QSslSocket(self)
            made.setSslConfiguration(self.configuration)
            made.setSocketDescriptor(socketDescriptor)
            made.readyRead.connect(lambda: self.answer(made))
            self.sockets.append(made)

        def answer(self, made: QSslSocket) -> None:
            if made.canReadLine() and made.readLine() == b"STARTTLS\n":
                made.write(b"go\n")
                made.flush()
                made.startServerEncryption()

    server = StartTls(pki.configuration(pki.server))
    client = QSslSocket()
    client.setSslConfiguration(pki.configuration())
    client.setPeerVerifyName("server.test")
    client.connected.connect(lambda: client.write(b"STARTTLS\n"))
    client.readyRead.connect(lambda: client.startClientEncryption() if client.readLine() == b"go\n" else None)
    client.connectToHost("127.0.0.1", server.serverPort())
    assert run_until(client.isEncrypted)
    assert client.mode() is QSslSocket.SslClientMode
    client.abort()
    assert run_until(lambda: server.sockets[0].state() is QSslSocket.UnconnectedState)
    server.close()


def test_qsslserver_hands_out_encrypted_sockets(pki) -> None:
    server = QSslServer()
    server.setSslConfiguration(pki.configuration(pki.server))
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    clients = [connect(pki, server.serverPort()) for _ in range(3)]
    got = []
    server.pendingConnectionAvailable.connect(lambda: got.append(server.nextPendingConnection()))
    assert run_until(lambda: len(got) == 3 and all(client.isEncrypted() for client in clients))
    assert all(each.isEncrypted() for each in got)
    for each in (*clients, *got):
        each.abort()
    server.close()


def test_nothing_is_sent_to_an_untrusted_server(pki, ssl_peer) -> None:
    heard: list[bytes] = []
    peer = ssl_peer(lambda encrypted: heard.append(encrypted.recv(100)))
    client = QSslSocket()
    configuration = pki.configuration()
    configuration.setCaCertificates([])
    client.setSslConfiguration(configuration)
    errors, kinds = [], []
    client.sslErrors.connect(errors.extend)
    client.errorOccurred.connect(kinds.append)
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    client.write(b"secret")
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)
    assert QSslError.UnableToGetLocalIssuerCertificate in [error.error() for error in errors]
    assert kinds == [QAbstractSocket.SslHandshakeFailedError]
    assert "trust" in client.errorString()
    peer.join()
    assert heard in ([], [b""])


def test_ignoring_before_connecting_works_once_as_the_page_promises(pki, ssl_peer) -> None:
    first, second = ssl_peer(echo), ssl_peer(echo)
    client = QSslSocket()
    configuration = pki.configuration()
    configuration.setCaCertificates([])
    client.setSslConfiguration(configuration)
    client.ignoreSslErrors()
    client.connectToHostEncrypted("127.0.0.1", first.port, "wrong.name")
    assert run_until(client.isEncrypted)
    assert QSslError.HostNameMismatch in [error.error() for error in client.sslHandshakeErrors()]
    client.disconnectFromHost()
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)
    first.join()
    client.connectToHostEncrypted("127.0.0.1", second.port, "wrong.name")
    assert run_until(lambda: client.state() is QSslSocket.UnconnectedState)
    assert client.error() is QAbstractSocket.SslHandshakeFailedError
    second.join()


class Resumption:
    """A client that resumes what a first one, which ignored all errors, has kept; what it was told."""

    def __init__(self, pki, port: int, *, trusts: bool, name: str = "server.test", ignores: bool = False) -> None:
        first = QSslSocket()
        first.setSslConfiguration(self._configuration(pki, trusts=False))
        first.ignoreSslErrors()
        first.connectToHostEncrypted("127.0.0.1", port, name)
        assert first.waitForEncrypted(10000)
        self.first = [error.error() for error in first.sslHandshakeErrors()]
        kept = first.sslConfiguration().sessionTicket()
        first.abort()
        configuration = self._configuration(pki, trusts=trusts)
        configuration.setSessionTicket(kept)
        self.client, self.told, self.verify_errors = QSslSocket(), [], []
        self.client.setSslConfiguration(configuration)
        self.client.sslErrors.connect(lambda errors: self.told.extend(error.error() for error in errors))
        self.client.peerVerifyError.connect(lambda error: self.verify_errors.append(error.error()))
        if ignores:
            self.client.ignoreSslErrors()
        self.client.connectToHostEncrypted("127.0.0.1", port, name)
        self.encrypted = self.client.waitForEncrypted(10000)

    @staticmethod
    def _configuration(pki, *, trusts: bool) -> QSslConfiguration:
        made = pki.configuration()
        made.setCaCertificates([pki.root] if trusts else [])
        made.setSslOption(QSsl.SslOptionDisableSessionPersistence, False)
        return made

    @property
    def resumed(self) -> bool:
        return not self.client.peerCertificate().isNull() and self.client.peerCertificateChain() == []


def test_session_made_in_spite_of_errors_has_them_again(pki, ssl_peer) -> None:
    peer = ssl_peer(echo, connections=2)
    again = Resumption(pki, peer.port, trusts=False)
    assert not again.encrypted
    assert again.resumed
    assert again.client.error() is QAbstractSocket.SslHandshakeFailedError
    assert again.told == again.verify_errors == again.first != []
    peer.join()


def test_errors_of_a_resumed_session_are_ignored_as_those_of_a_new_one(pki, ssl_peer) -> None:
    peer = ssl_peer(echo, connections=2)
    again = Resumption(pki, peer.port, trusts=False, name="wrong.name", ignores=True)
    assert again.encrypted
    assert again.resumed
    assert again.told == again.first
    assert sorted(again.verify_errors, key=lambda error: error.name) == sorted(again.first, key=lambda error: error.name)
    assert QSslError.HostNameMismatch in again.told
    again.client.abort()
    peer.join()


def test_session_of_a_chain_that_is_trusted_now_has_no_errors(pki, ssl_peer) -> None:
    peer = ssl_peer(echo, connections=2)
    again = Resumption(pki, peer.port, trusts=True)
    assert again.encrypted
    assert again.resumed
    assert again.told == again.verify_errors == []
    again.client.write(b"again")
    assert again.client.waitForReadyRead(10000)
    assert again.client.readAll().data() == b"again"
    again.client.abort()
    peer.join()


def test_common_name_is_no_host_name(pki, ssl_peer) -> None:
    peer = ssl_peer(echo)
    client = connect(pki, peer.port, "elsewhere.test")
    assert not client.waitForEncrypted(10000)
    assert [error.error() for error in client.sslHandshakeErrors()] == [QSslError.HostNameMismatch]
    assert "server.test" in client.errorString()
    peer.join()


def test_slot_that_opens_a_loop_in_the_handshake(pki, ssl_peer) -> None:
    peer = ssl_peer(echo)
    client, log = QSslSocket(), []
    client.setSslConfiguration(pki.configuration())

    def nested() -> None:
        loop = QEventLoop()
        client.readyRead.connect(loop.quit)
        client.write(b"inner")
        log.append(loop.exec())
        log.append(client.readAll().data())

    client.encrypted.connect(nested)
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert run_until(lambda: len(log) == 2)
    assert log == [0, b"inner"]
    client.abort()
    peer.join()


def test_waiting_in_a_slot_of_another_socket_inside_asyncio(pki, ssl_peer) -> None:
    first, second = ssl_peer(echo), ssl_peer(echo)

    async def main() -> bytes:
        outer = connect(pki, first.port)
        got: list[bytes] = []

        def blocked() -> None:
            inner = connect(pki, second.port)
            assert inner.waitForEncrypted(10000)
            inner.write(b"deep")
            assert inner.waitForReadyRead(10000)
            got.append(inner.readAll().data())
            inner.abort()

        outer.encrypted.connect(blocked)
        await outer.encryptedAsync()
        outer.abort()
        return got[0]

    assert asyncio.run(main()) == b"deep"
    first.join()
    second.join()


def test_awaitable_forms(pki, ssl_peer) -> None:
    peer = ssl_peer(echo)

    async def main() -> bytes:
        client = connect(pki, peer.port)
        await client.encryptedAsync()
        client.write(b"ping")
        await client.readyReadAsync()
        data = client.readAll().data()
        client.disconnectFromHost()
        await client.disconnectedAsync()
        refused = connect(pki, free_port())
        with pytest.raises(SocketFailed, match="refused") as failure:
            await refused.encryptedAsync()
        assert failure.value.error is QAbstractSocket.ConnectionRefusedError
        return data

    assert asyncio.run(main()) == b"ping"
    peer.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_socket_that_is_bound_connects_from_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client, port = QTcpSocket(), free_port()
        assert client.bind(QHostAddress("127.0.0.1"), port)
        assert client.state() is QTcpSocket.BoundState
        client.connectToHost("127.0.0.1", listening.getsockname()[1])
        assert client.waitForConnected(5000)
        other, address = listening.accept()
        other.close()
        assert (client.localPort(), address[1]) == (port, port)
        client.abort()


# what goes wrong


def test_refused_and_unknown_host() -> None:
    client = QSslSocket()
    client.connectToHostEncrypted("127.0.0.1", free_port())
    assert not client.waitForConnected(5000)
    assert client.error() is QAbstractSocket.ConnectionRefusedError
    client.connectToHostEncrypted("no-such-host.invalid", 443)
    assert not client.waitForConnected(20000)
    assert client.error() is QAbstractSocket.HostNotFoundError
    assert client.errorString() == "Host not found"


@pytest.mark.parametrize("garbage", [b"220 mail\r\n", b"\x16\x03\x03\x00\x05abcde", b"\x15\x03\x03\x00\x02\x02\x28", b"\0" * 300])
def test_garbage_instead_of_tls_fails_the_handshake(pki, garbage: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = connect(pki, listening.getsockname()[1])
        assert client.waitForConnected(5000)
        other, _ = listening.accept()
        with other:
            other.sendall(garbage)
            assert not client.waitForEncrypted(5000)
    assert client.error() is QAbstractSocket.SslHandshakeFailedError
    assert client.state() is QSslSocket.UnconnectedState
    assert client.errorString().startswith("Error during SSL handshake: ")


def test_silence_is_a_timeout_and_changes_nothing(pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = connect(pki, listening.getsockname()[1])
        assert not client.waitForEncrypted(50)
        assert client.error() is QAbstractSocket.SocketTimeoutError
        assert client.state() is QSslSocket.ConnectedState
        client.abort()


def test_key_that_does_not_fit(pki, ssl_peer) -> None:
    peer = ssl_peer(echo)
    configuration = pki.configuration(pki.client)
    configuration.setPrivateKey(QSslKey(pki.server.key_pem, QSsl.Ec))
    client, kinds = QSslSocket(), []
    client.setSslConfiguration(configuration)
    client.errorOccurred.connect(kinds.append)
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert run_until(lambda: len(kinds) == 2)
    assert kinds == [QAbstractSocket.SslInvalidUserDataError, QAbstractSocket.SslInternalError]
    assert "does not certify" in client.errorString()
    client.abort()
    peer.join()


@pytest.mark.parametrize("protocol", ["TlsV1_0", "TlsV1_1", "TlsV1_3", "SslV3"])
def test_protocols_puretls_lacks_fail_and_never_become_another(pki, ssl_peer, protocol: str) -> None:
    peer = ssl_peer(echo)
    client = QSslSocket()
    client.setSslConfiguration(pki.configuration())
    client.setProtocol(QSsl.SslProtocol[protocol])
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert not client.waitForEncrypted(10000)
    assert client.error() is QAbstractSocket.SslHandshakeFailedError
    assert client.sessionProtocol() is QSsl.UnknownProtocol
    peer.join()
    server_side = SslServer(pki.configuration(pki.server))
    server_side.configuration.setProtocol(QSsl.SslProtocol[protocol])
    other = connect(pki, server_side.serverPort())
    assert run_until(lambda: other.state() is QSslSocket.UnconnectedState)
    assert not other.isEncrypted()
    server_side.close()


def test_calls_in_the_wrong_state_warn_and_do_nothing() -> None:
    from puretls.qt import qInstallMessageHandler

    warnings: list[str] = []
    former = qInstallMessageHandler(lambda kind, context, text: warnings.append(text))
    try:
        client = QSslSocket()
        client.startClientEncryption()
        client.startServerEncryption()
        assert client.write(b"x") == -1
        assert client.readAll() == b""
        assert not client.waitForDisconnected(10)
        assert not client.flush()
        client.disconnectFromHost()
        client.close()
        client.abort()
        client.resume()
    finally:
        qInstallMessageHandler(former)
    assert "QSslSocket::startClientEncryption: cannot start handshake when not connected" in warnings
    assert "QIODevice::write (QSslSocket): device not open" in warnings


@pytest.mark.parametrize(("value", "error"), [("text", TypeError), (5, TypeError), (memoryview(b"x"), ValueError)])
def test_write_takes_bytes_only(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        QTcpSocket().write(value)  # type: ignore[arg-type]


def test_trace_and_interceptor_see_the_handshake(pki, ssl_peer) -> None:
    from puretls.intercept import Interceptor, Where

    class Watch(Interceptor):
        def message(self, message, where: Where):
            seen.append(type(message).__name__)
            return (message,)

    seen: list[str] = []
    peer = ssl_peer(echo)
    client = QSslSocket()
    client.setSslConfiguration(pki.configuration())
    client.setInterceptor(Watch())
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert client.waitForEncrypted(10000)
    assert seen[0] == "ClientHello"
    assert seen[-1] == "Finished"
    client.abort()
    assert client.trace() is not None
    peer.join()


def test_watcher_records_the_conversation(pki, ssl_peer) -> None:
    from puretls.inspect import Recordings

    recordings = Recordings()
    peer = ssl_peer(echo)
    client = QSslSocket()
    client.setSslConfiguration(pki.configuration())
    client.setWatcher(recordings)
    client.connectToHostEncrypted("127.0.0.1", peer.port, "server.test")
    assert client.waitForEncrypted(10000)
    client.write(b"question")
    assert client.waitForReadyRead(10000)
    (conversation,) = recordings.conversations()
    assert [str(seen.problem) for seen in (*conversation.records, *conversation.messages) if seen.problem] == []
    assert conversation.data("client") == b"question"
    client.abort()
    peer.join()


@pytest.mark.parametrize("staples", [True, False])
def test_stapled_ocsp_response_is_shown_and_its_absence_is_an_error(pki, monkeypatch: pytest.MonkeyPatch, staples: bool) -> None:
    """Qt's server cannot staple, so the credential of this one is given a response below the facade."""
    import puretls.qt.tlsdriver as driver

    stapled = pki.ca.ocsp_response(pki.server.certificate) if staples else None
    made = driver.server_config

    def with_staple(*arguments):
        config = made(*arguments)
        return replace(config, credentials=(replace(config.credentials[0], ocsp_response=stapled),))

    monkeypatch.setattr(driver, "server_config", with_staple)
    server = SslServer(pki.configuration(pki.server))
    configuration = pki.configuration()
    configuration.setOcspStaplingEnabled(True)
    client = QSslSocket()
    client.setSslConfiguration(configuration)
    client.connectToHostEncrypted("127.0.0.1", server.serverPort(), "server.test")
    assert run_until(lambda: client.isEncrypted() or client.state() is QSslSocket.UnconnectedState)
    assert client.isEncrypted() is staples
    assert [each.certificateStatus().name for each in client.ocspResponses()] == ["Good"] * staples
    assert [each.error() for each in client.sslHandshakeErrors()] == [QSslError.OcspNoResponseFound] * (not staples)
    client.abort()
    server.close()


def test_keying_material_is_exported(pki) -> None:
    from puretls.qt import QSslKeyingMaterial

    configuration = pki.configuration(pki.server)
    configuration.setKeyingMaterial([QSslKeyingMaterial(b"EXPERIMENTAL test", 20)])
    server = SslServer(configuration)
    mine = pki.configuration()
    mine.setKeyingMaterial([QSslKeyingMaterial(b"EXPERIMENTAL test", 20)])
    client = QSslSocket()
    client.setSslConfiguration(mine)
    client.connectToHostEncrypted("127.0.0.1", server.serverPort(), "server.test")
    assert run_until(lambda: client.isEncrypted() and server.sockets[0].isEncrypted())
    ours = client.sslConfiguration().takeKeyingMaterial()[0].value()
    theirs = server.sockets[0].sslConfiguration().takeKeyingMaterial()[0].value()
    assert len(ours) == 20
    assert ours == theirs
    client.abort()
    server.close()


@pytest.mark.slow
def test_two_hundred_connections_in_one_loop_and_bad_ones_among_them(pki, capsys) -> None:
    import resource

    server = QSslServer()
    server.setSslConfiguration(pki.configuration(pki.server))
    server.setMaxPendingConnections(1000)
    server.setListenBacklogSize(500)
    assert server.listen(QHostAddress("127.0.0.1"), 0)
    served = []

    def serve() -> None:
        made = server.nextPendingConnection()
        made.readyRead.connect(lambda: made.write(made.readAll()))
        served.append(made)

    server.pendingConnectionAvailable.connect(serve)
    stalled = [socket.create_connection(("127.0.0.1", server.serverPort())) for _ in range(3)]
    stalled[1].sendall(b"GET / HTTP/1.0\r\n\r\n" * 100)
    stalled[2].sendall(b"\x16\x03\x01\x40\x00" + b"\xff" * 20000)
    data = bytes(range(256)) * 391
    clients = []
    for _ in range(200):
        client = connect(pki, server.serverPort())
        client.write(data)
        clients.append(client)
    assert run_until(lambda: all(client.bytesAvailable() == len(data) for client in clients), 300)
    assert all(client.readAll() == data for client in clients)
    with capsys.disabled():
        print(f" [{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB at most]", end="")
    for each in (*clients, *served):
        each.abort()
    for each in stalled:
        each.close()
    server.close()
