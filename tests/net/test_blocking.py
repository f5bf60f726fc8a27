"""TlsSocket behaves as a socket: data, ends, time-outs, threads, files."""

import os
import socket
import time
from dataclasses import replace

import pytest

from puretls.config import ClientConfig, Limits
from puretls.connection import Connection
from puretls.errors import FatalAlert, Truncated, UsageError, VerificationError
from puretls.net import TlsSocket, blocking
from puretls.net import connect as dial
from tests.net.wires import NAME, below, wires


def receive_exactly(tls, size):
    data = b""
    while len(data) < size:
        part = tls.recv(65536)
        assert part, "the stream ended early"
        data += part
    return data


def test_data_goes_both_ways(connect):
    client, server = connect()
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    assert client.recv(3) == b"ans"
    assert client.pending() == 3
    assert client.recv(100) == b"wer"


def test_recv_into_fills_a_buffer(connect):
    client, server = connect()
    server.sendall(b"0123456789")
    buffer = bytearray(8)
    assert client.recv_into(buffer, 4) == 4
    assert client.recv_into(memoryview(buffer)[4:]) == 4
    assert buffer == b"01234567"


def test_recv_of_nothing_reads_nothing(connect):
    client, _ = connect()
    assert client.recv(0) == b""


def test_empty_sendall_is_no_end(connect):
    client, server = connect()
    client.sendall(b"")
    client.sendall(b"x")
    assert server.recv(10) == b"x"


@pytest.mark.timeout(30)
def test_close_does_not_wait_for_ever_for_a_peer_that_does_not_read(connect, monkeypatch):
    monkeypatch.setattr(blocking, "PATIENCE", 0.3)
    client, _ = connect()
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.sendall(bytes(2**25))  # more than the system's buffers hold
    client.settimeout(None)
    client.close()
    assert client.fileno() == -1


@pytest.mark.rfc("5246", "7.2.1")
def test_close_is_seen_as_the_end(connect):
    client, server = connect()
    client.sendall(b"last words")
    client.close()
    assert server.recv(100) == b"last words"
    assert server.recv(100) == b""
    assert server.recv(100) == b""


@pytest.mark.rfc("5246", "7.2.1")
def test_cut_stream_is_reported_after_the_data_before_it(connect):
    client, server = connect()
    client.sendall(b"half")
    with below(client) as sock:
        sock.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"half"
    with pytest.raises(Truncated):
        server.recv(100)


def test_large_data_both_ways_at_once(connect, run):
    """One reader and one writer on each side: neither end may wait for the other for ever."""
    client, server = connect()
    to_server, to_client = os.urandom(700_000), os.urandom(900_000)
    run(client.sendall, to_server)
    run(server.sendall, to_client)
    received = []
    reading = run(lambda: received.append(receive_exactly(server, len(to_server))))
    assert receive_exactly(client, len(to_client)) == to_client
    reading.join(30)
    assert received == [to_server]


def test_reader_and_writer_may_both_begin_the_handshake(configs, run):
    near, far = wires()
    client = TlsSocket(near, Connection.client(configs.client, NAME))
    server = TlsSocket(far, Connection.server(configs.server))
    with client, server:
        received, sent = [], []
        threads = [run(lambda: received.append(client.recv(10))), run(lambda: sent.append(client.sendall(b"question")))]
        assert server.recv(10) == b"question"
        server.sendall(b"answer")
        for thread in threads:  # both are done before the sockets are closed
            thread.join(30)
        assert (received, sent) == ([b"answer"], [None])


def test_recv_times_out_and_goes_on(connect):
    client, server = connect()
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(10)
    server.sendall(b"late")
    client.settimeout(10)
    assert client.recv(10) == b"late"


def test_what_a_timed_out_send_took_arrives_once(connect, run):
    client, server = connect()
    client.settimeout(0.05)
    piece = bytes(range(256)) * 256
    taken = 0
    while taken < 2**24:
        try:
            taken += client.send(piece)
        except TimeoutError:
            taken += len(piece)
            break
    assert taken < 2**24, "the send never timed out"
    client.settimeout(20)
    run(client.sendall, b"more")
    assert receive_exactly(server, taken + 4) == piece * (taken // len(piece)) + b"more"


def test_silent_peer_costs_the_handshake_its_time_limit(configs):
    near, far = wires()
    with far, pytest.raises(TimeoutError, match="handshake"):
        TlsSocket.client(near, configs.client, NAME, handshake_timeout=0.1)
    assert near.fileno() == -1


def test_handshake_goes_on_after_a_timeout_of_the_socket(configs, run):
    near, far = wires()
    client = TlsSocket(near, Connection.client(configs.client, NAME))
    client.settimeout(0.05)
    with client:
        with pytest.raises(TimeoutError):
            client.handshake()
        run(lambda: TlsSocket.server(far, configs.server).close())
        client.settimeout(20)
        client.handshake()
        assert client.negotiated is not None


def test_trickling_peer_costs_no_more_than_a_silent_one(configs, run):
    near, far = wires()

    def trickle():
        for byte in b"\x16\x03\x03\x40\x00" + bytes(1000):
            try:
                far.send(bytes((byte,)))
            except OSError:
                return
            time.sleep(0.01)

    run(trickle)
    with far, pytest.raises(TimeoutError, match="handshake"):
        TlsSocket.client(near, configs.client, NAME, handshake_timeout=0.2)


def test_own_timeout_is_back_after_the_handshake(connect):
    client, server = connect()
    assert (client.gettimeout(), server.gettimeout()) == (20, 20)


def test_refused_certificate_is_told_to_the_peer(configs, run):
    near, far = wires()

    def serve():
        with pytest.raises(FatalAlert):
            TlsSocket.server(far, configs.server)

    run(serve)
    with pytest.raises(VerificationError):
        TlsSocket.client(near, configs.client, "other.test")
    assert near.fileno() == -1


def test_peer_that_hangs_up_in_the_handshake_is_an_error(configs):
    near, far = wires()
    far.close()
    with pytest.raises((Truncated, ConnectionError)):
        TlsSocket.client(near, configs.client, NAME)


def test_connected_socket_is_upgraded(configs, run):
    near, far = wires()

    def serve():
        assert far.recv(100) == b"STARTTLS\r\n"
        far.sendall(b"220 go ahead\r\n")
        with TlsSocket.server(far, configs.server) as tls:
            tls.sendall(tls.recv(100).upper())

    run(serve)
    near.sendall(b"STARTTLS\r\n")
    assert near.recv(100) == b"220 go ahead\r\n"
    with TlsSocket.client(near, configs.client, NAME) as tls:
        tls.sendall(b"quiet")
        assert tls.recv(100) == b"QUIET"


def test_unwrap_gives_the_socket_back(connect, run):
    client, server = connect()
    plain = []
    unwrapping = run(lambda: plain.append(server.unwrap()))
    near = client.unwrap()
    near.sendall(b"in the clear")
    unwrapping.join(30)
    early = server.connection.trailing_data
    assert early + (plain[0].recv(100) if len(early) < 12 else b"") == b"in the clear"
    near.close()
    plain[0].close()


def test_tls_runs_inside_tls(configs, connect, run):
    outer_client, outer_server = connect()

    def serve():
        with TlsSocket.server(outer_server, configs.server) as inner:
            inner.sendall(inner.recv(100))

    run(serve)
    with TlsSocket.client(outer_client, configs.client, NAME) as inner:
        inner.sendall(b"nested")
        assert inner.recv(100) == b"nested"


def test_session_is_resumed(connect):
    client, server = connect()
    assert not client.negotiated.resumed
    server.sendall(b"x")
    client.recv(1)
    again, _ = connect(session=client.session)
    assert again.negotiated.resumed


def test_dial_verifies_the_host_it_was_given(configs, run):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with TlsSocket.server(listener.accept()[0], configs.server) as tls:
                tls.sendall(b"welcome")
                tls.recv(1)

        run(serve)
        with dial(("localhost", listener.getsockname()[1]), configs.client, timeout=20) as tls:
            assert tls.recv(100) == b"welcome"
            assert tls.peer_certificates


class TestFiles:
    def test_lines_are_read_and_written(self, connect):
        client, server = connect()
        with client.makefile("w", newline="\n") as writer, server.makefile("r") as reader:
            writer.write("one\ntwo\n")
            writer.flush()
            assert reader.readline() == "one\n"
            assert reader.readline() == "two\n"

    def test_read_to_the_end(self, connect):
        client, server = connect()
        server.sendall(b"all of it")
        server.close()
        assert client.makefile("rb").read() == b"all of it"

    def test_open_file_keeps_the_socket_open(self, connect):
        client, server = connect()
        file = client.makefile("rb")
        client.close()
        server.sendall(b"still here")
        assert file.read(10) == b"still here"
        file.close()
        assert client.fileno() == -1

    def test_both_directions(self, connect):
        client, server = connect()
        both = client.makefile("rwb")
        both.write(b"ping")
        both.flush()
        assert server.recv(4) == b"ping"

    def test_text_needs_a_buffer(self, connect):
        client, _ = connect()
        with pytest.raises(ValueError, match="binary"):
            client.makefile("r", 0)


def test_flags_are_refused(connect):
    client, _ = connect()
    with pytest.raises(ValueError, match="flags"):
        client.recv(1, socket.MSG_PEEK)


def test_repr_tells_role_and_state(connect):
    client, _ = connect()
    assert "client" in repr(client)
    assert "CONNECTED" in repr(client)


def test_negative_sizes_are_refused_as_by_any_socket(connect):
    client, server = connect()
    server.sendall(b"kept")
    assert client.recv(1) == b"k"
    with pytest.raises(ValueError, match="negative"):
        client.recv(-1)
    with pytest.raises(ValueError, match="negative"):
        client.recv_into(bytearray(9), -1)
    assert client.recv(9) == b"ept"


def test_unwrap_holds_nothing_of_what_a_peer_goes_on_sending(connect, run):
    most, clients = 0, []

    def look(event):
        nonlocal most
        most = max([most, *(client.pending() for client in clients)])

    client, server = connect(on_event=look)
    clients.append(client)

    def talk():
        for _ in range(8):
            server.sendall(bytes(2**16))
        server.unwrap()  # reads the close_notify that came: closing a socket with bytes unread would reset the connection

    run(talk)
    client.unwrap()
    assert 0 < most <= 2**17


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".test", "-a.test"])
def test_a_name_that_is_none_is_refused_before_anybody_is_asked_for_it(host):
    with pytest.raises(UsageError, match="not a host name"):
        dial((host, 1), ClientConfig())


@pytest.mark.rfc("5746", "3.5")
def test_renegotiation_is_waited_for_and_data_that_comes_meanwhile_is_kept(connect, configs, run):
    on = {"renegotiation": True}
    client, server = connect(replace(configs.client, **on), replace(configs.server, **on))
    for asks, other in ((client, server), (server, client)):
        other.sendall(b"before ")
        run(other.recv, 1)
        assert asks.renegotiate() is True
        asks.sendall(b"x")
        other.sendall(b"after")
        assert asks.makefile("rb").read(12) == b"before after"
    assert client.connection.export_keying_material(b"EXPORTER-x", 8) == server.connection.export_keying_material(b"EXPORTER-x", 8)


@pytest.mark.rfc("5246", "7.2.2")
def test_renegotiation_that_is_refused_leaves_the_connection_as_it_was(connect, configs, run):
    client, server = connect(replace(configs.client, renegotiation=True), configs.server)
    run(server.recv, 1)
    assert client.renegotiate() is False
    client.sendall(b"x")
    with pytest.raises(UsageError, match="not switched on"):
        server.renegotiate()


@pytest.mark.rfc("5246", "7.2.1")
def test_peer_that_leaves_instead_of_renegotiating_has_refused(connect, configs, run):
    client, server = connect(replace(configs.client, renegotiation=True), configs.server)
    run(server.close)
    assert client.renegotiate() is False
    assert client.recv(1) == b""


def test_renegotiation_that_the_peer_passes_over_takes_too_long(connect, configs):
    client, _ = connect(replace(configs.client, renegotiation=True), configs.server, handshake_timeout=1)
    with pytest.raises(TimeoutError):
        client.renegotiate()


def test_peer_that_sends_for_ever_instead_of_renegotiating_is_not_kept_for_ever(connect, configs, run):
    config = replace(configs.client, renegotiation=True, limits=Limits(buffered=2**15))
    client, server = connect(config, configs.server)
    run(server.sendall, bytes(2**17))
    with pytest.raises(TimeoutError, match="no answer"):
        client.renegotiate()
    assert 2**15 < client.pending() < 2**17
    assert receive_exactly(client, 2**17) == bytes(2**17)
