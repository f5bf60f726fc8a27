"""The TLS driver without sockets and signals: bytes in, bytes out, and effects in the order of Qt's signals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.connection import Connection
from puretls.crypto.kernels.ec import combs, ecdsa
from puretls.qt import QSslError, QSslSocket, verification
from puretls.qt.socketenums import SocketError
from puretls.qt.sslsettings import SslSettings
from puretls.qt.sslvalues import SslMode
from puretls.qt.tlsdriver import TlsDriver
from puretls.qt.tlseffects import (
    Abort,
    DataArrived,
    Effect,
    Emit,
    Fail,
    PeerAccepted,
    PeerRefused,
    Steps,
    WriteUntold,
)
from tests.qt.conftest import run_until
from tests.qt.test_sockets import SslServer, connect

CLIENT, SERVER = SslMode.SslClientMode, SslMode.SslServerMode


def driver(mode: SslMode, configuration, host: str = "server.test") -> TlsDriver:
    given_settings = SslSettings()
    given_settings.take_configuration(configuration)
    made = TlsDriver(mode, given_settings, host, bytearray(), bytearray(), ask_psk=lambda asked: None)
    made.connection.start()
    return made


def done(steps: Steps, *, connected: bool = True) -> Iterator[Effect]:
    """The effects, each answered as a socket does that is still connected, or is not any more."""
    try:
        effect = next(steps)
        while True:
            yield effect
            effect = steps.send(connected)
    except StopIteration:
        return


def exchange(one: TlsDriver, other: TlsDriver) -> dict[TlsDriver, list[Effect]]:
    """Moves bytes both ways until there are none; what each end wants done."""
    effects: dict[TlsDriver, list[Effect]] = {one: [], other: []}
    moved = True
    while moved:
        moved = False
        for source, target in ((one, other), (other, one)):
            if data := source.take_output():
                moved = True
                target.feed(data)
                effects[target] += done(target.steps())
    return effects


@pytest.fixture
def pair(pki) -> tuple[TlsDriver, TlsDriver]:
    client, server = driver(CLIENT, pki.configuration()), driver(SERVER, pki.configuration(pki.server))
    effects = exchange(client, server)
    assert effects == {client: [PeerAccepted()], server: [PeerAccepted()]}
    return client, server


@pytest.mark.rfc("5246", "7.4.3")
def test_the_signature_of_the_key_exchange_is_verified_together_with_those_of_the_chain(pki, monkeypatch) -> None:
    combs.clear()  # which keys have that came before
    verification._verifier_of.cache_clear()
    counts = []
    verify_together = ecdsa.verify_together
    monkeypatch.setattr(
        ecdsa, "verify_together", lambda signed, *rest: counts.append(len(signed)) or verify_together(signed, *rest)
    )
    monkeypatch.setattr(ecdsa, "verify", None)  # nothing is verified by itself
    exchange(driver(CLIENT, pki.configuration()), driver(SERVER, pki.configuration(pki.server)))
    assert counts == [3]


def test_two_drivers_talk_in_memory(pair) -> None:
    client, server = pair
    client.queued += b"hello"
    assert client.encrypt(100) == 5
    effects = exchange(client, server)
    assert (effects[server], server.received, client.queued) == ([DataArrived()], b"hello", b"")
    assert (
        client.settings.config.peerCertificate().subjectDisplayName()
        == server.settings.config.localCertificate().subjectDisplayName()
    )


@given(sizes=st.lists(st.integers(1, 40_000), max_size=5), limit=st.integers(1, 50_000))
@settings(max_examples=10, deadline=None)
def test_nothing_is_lost_whatever_the_sizes_and_the_limit_of_the_buffer(pki, sizes: list[int], limit: int) -> None:
    client, server = driver(CLIENT, pki.configuration()), driver(SERVER, pki.configuration(pki.server))
    exchange(client, server)
    server.settings.read_limit = limit
    for size in sizes:
        client.queued += bytes(size)
    while client.queued:
        client.encrypt(16_000)
    exchange(client, server)
    got = 0
    while server.received:
        assert len(server.received) < limit + 16384  # a record is not split
        got += len(server.received)
        server.received.clear()
        list(done(server.steps()))
    assert got == sum(sizes)


def test_an_untrusted_server_is_refused_after_all_errors_were_told(pki) -> None:
    configuration = pki.configuration()
    configuration.setCaCertificates([])
    client, server = driver(CLIENT, configuration, "elsewhere.test"), driver(SERVER, pki.configuration(pki.server))
    effects = exchange(client, server)[client]
    kinds = [effect.signal if isinstance(effect, Emit) else type(effect).__name__ for effect in effects]
    assert kinds == [*["peerVerifyError"] * (len(kinds) - 2), "sslErrors", "PeerRefused"]
    assert effects[-1] == PeerRefused()
    assert effects[-2].arguments == (client.verdict.errors,)
    assert client.verdict.errors[0].error() is QSslError.HostNameMismatch
    assert not client.is_encrypted


def test_a_slot_that_ends_the_connection_ends_the_steps(pki) -> None:
    configuration = pki.configuration()
    configuration.setCaCertificates([])
    client, server = driver(CLIENT, configuration), driver(SERVER, pki.configuration(pki.server))
    server.feed(client.take_output())
    list(done(server.steps()))
    client.feed(server.take_output())
    steps = client.steps()
    assert next(steps).signal == "peerVerifyError"
    client.has_ended = True
    with pytest.raises(StopIteration):
        steps.send(False)


@pytest.mark.rfc("5246", "7.2.1")
def test_close_notify_of_the_peer_is_told_and_the_answer_waits_for_our_own(pair) -> None:
    client, server = pair
    server.close()
    client.feed(server.take_output())
    effects = list(done(client.steps()))
    assert [type(effect) for effect in effects] == [Emit, Fail]
    assert effects[1].error is SocketError.RemoteHostClosedError
    assert client.peer_closed
    assert not client.may_write
    assert client.take_output() == b""
    client.queued += b"too late"
    refused = list(done(client.refuse_to_write())) + list(done(client.refuse_to_write()))
    assert [effect.error for effect in refused] == [SocketError.SslInternalError]
    assert client.queued == b""
    server.feed(client.close())
    alert, closed = done(server.steps())
    assert alert.signal == "alertReceived"
    assert closed.error is SocketError.RemoteHostClosedError


@pytest.mark.rfc("5246", "7.2.2")
def test_a_broken_record_is_an_alert_and_an_error(pair) -> None:
    client, server = pair
    client.queued += b"hello"
    client.encrypt(5)
    record = bytearray(client.take_output())
    record[-1] ^= 1
    server.feed(bytes(record))
    effects = list(done(server.steps()))
    assert [type(effect) for effect in effects] == [Emit, WriteUntold, Fail]
    assert effects[1].alert
    assert server.is_broken
    assert list(done(server.steps())) == []


def test_what_is_no_tls_gets_no_alert_and_ends_the_handshake(pki) -> None:
    client = driver(CLIENT, pki.configuration())
    client.take_output()
    client.feed(b"220 mail.example ESMTP\r\n")
    failed, abort = done(client.steps())
    assert failed.error is SocketError.SslHandshakeFailedError
    assert failed.text.startswith("Error during SSL handshake: ")
    assert abort == Abort()


def test_a_write_and_a_flush_encrypt_once_and_send_once(pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection is not asked for events: none can be there before bytes come."""
    server = SslServer(pki.configuration(pki.server))
    client = connect(pki, server.serverPort())
    assert run_until(lambda: client.isEncrypted() and server.sockets[0].isEncrypted())
    calls: list[str] = []

    def count(name: str) -> None:
        original = getattr(Connection, name)

        def counted(*arguments, **named):
            calls.append(name)
            return original(*arguments, **named)

        monkeypatch.setattr(Connection, name, counted)

    for name in ("send", "bytes_to_send", "next_event", "receive_bytes"):
        count(name)
    client.encryptedBytesWritten.connect(lambda size: calls.append("TCP"))
    client.write(b"x" * 16)
    assert client.flush()
    assert calls == ["send", "bytes_to_send", "TCP"]
    assert (client.bytesToWrite(), client.encryptedBytesToWrite()) == (0, 0)
    monkeypatch.undo()
    assert run_until(lambda: client.bytesAvailable() == 16)
    assert client.state() is QSslSocket.ConnectedState
    client.abort()
    server.close()
