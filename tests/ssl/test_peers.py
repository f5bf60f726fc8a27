"""Peers that do what an OpenSSL lets them: speak something else than TLS, and renegotiate again and again."""

import errno
import socket
import ssl as real_ssl
import threading
from contextlib import suppress

import pytest

from puretls.config import Credential, Limits, ServerConfig
from puretls.connection import Connection
from puretls.events import NEED_DATA
from tests.support.credentials import NAME
from tests.support.pure_ssl import client_context, files, pure_ssl, server_context

ours = pure_ssl()
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("module", [ours, real_ssl], ids=["puretls", "openssl"])
def test_who_sends_text_gets_no_byte_but_a_reset_and_the_server_an_error(module):
    context = server_context(module)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        client.settimeout(20)
        client.sendall(REQUEST)
        accepted = listener.accept()[0]
        with accepted, pytest.raises(module.SSLError) as told:
            context.wrap_socket(accepted, server_side=True)
        assert told.value.reason == "HTTP_REQUEST"
        with pytest.raises(ConnectionResetError) as reset:
            assert client.recv(100) == b""
        assert reset.value.errno == errno.ECONNRESET


@pytest.mark.parametrize("module", [ours, real_ssl], ids=["puretls", "openssl"])
def test_in_memory_too_there_is_no_answer_to_text(module):
    incoming, outgoing = module.MemoryBIO(), module.MemoryBIO()
    incoming.write(REQUEST)
    server = server_context(module).wrap_bio(incoming, outgoing, server_side=True)
    with pytest.raises(module.SSLError):
        server.do_handshake()
    assert outgoing.read() == b""


def test_text_that_comes_byte_by_byte_is_told_from_tls_too():
    left, right = socket.socketpair()

    def trickle():
        with suppress(OSError):  # the server does not wait for the end
            for at in range(len(REQUEST)):
                left.send(REQUEST[at : at + 1])

    with left, right:
        right.settimeout(20)
        client = threading.Thread(target=trickle)
        client.start()
        with pytest.raises(ours.SSLError):
            server_context(ours).wrap_socket(right, server_side=True)
        right.close()
        client.join(20)


@pytest.mark.rfc("5246", "7.4.1.1")
def test_a_server_may_renegotiate_often():
    incoming, outgoing = ours.MemoryBIO(), ours.MemoryBIO()
    client = client_context(ours).wrap_bio(incoming, outgoing, server_hostname=NAME)
    server = Connection.server(ServerConfig(credentials=[Credential.from_files(files() / "server.pem")], renegotiation=True, limits=Limits(renegotiations=100)))

    def turn(operation):
        """One operation of the client, and what the server makes of it."""
        try:
            return operation()
        except ours.SSLWantReadError:
            return None
        finally:
            if data := outgoing.read():
                server.receive_bytes(data)
            while server.next_event() is not NEED_DATA:
                pass
            incoming.write(server.bytes_to_send())

    for _ in range(4):
        turn(client.do_handshake)
    for number in range(10):
        server.renegotiate()
        incoming.write(server.bytes_to_send())
        for _ in range(3):
            assert turn(lambda: client.read(10)) is None
        server.send(b"%d" % number)
        incoming.write(server.bytes_to_send())
        assert turn(lambda: client.read(10)) == b"%d" % number
    assert server.negotiated is not None
