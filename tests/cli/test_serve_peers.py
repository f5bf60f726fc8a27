"""Clients that keep the rules in unusual ways, against one running `puretls serve --http`."""

import socket
import ssl

import pytest

from tests.cli.command import serving
from tests.conformance import rows_client_hello as hellos

PLAIN_ALERT = 21


@pytest.fixture(scope="module")
def server(files, tmp_path_factory):
    arguments = ("--http", "--cert", files.rsa_cert, "--key", files.rsa_key, "--ciphers", "ECDHE:DHE:kRSA")
    with serving(tmp_path_factory.mktemp("peers"), *arguments) as running:
        yield running


@pytest.fixture
def connect(server, files):
    made = []

    def open_one(size=None):
        made.append(Client(server.port, files.ca, size))
        made[-1].call(made[-1].tls.do_handshake)
        return made[-1]

    yield open_one
    for client in made:
        client.socket.close()


class Client:
    """OpenSSL in memory over a real socket, its handshake records cut into fragments of `size` bytes."""

    def __init__(self, port, authority, size):
        context = ssl.create_default_context(cafile=authority)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.inbound, self.outbound, self.size = ssl.MemoryBIO(), ssl.MemoryBIO(), size
        self.tls = context.wrap_bio(self.inbound, self.outbound, server_hostname="localhost")
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def flush(self):
        data = self.outbound.read()
        sealed = False
        while data:
            end = 5 + int.from_bytes(data[3:5], "big")
            record, data = data[:end], data[end:]
            if record[0] == 22 and self.size and not sealed:
                for at in range(5, len(record), self.size):
                    piece = record[at : at + self.size]
                    self.socket.sendall(record[:3] + len(piece).to_bytes(2, "big") + piece)
            else:
                self.socket.sendall(record)
            sealed = sealed or record[0] == 20

    def call(self, function, *arguments):
        while True:
            try:
                result = function(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if data:
                    self.inbound.write(data)
                else:
                    self.inbound.write_eof()

    def answer(self):
        data = b""
        while piece := self.call(self.tls.read, 65536):
            data += piece
        return data


REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_fragmented_handshake(connect, size):
    client = connect(size)
    client.call(client.tls.write, REQUEST)
    assert client.answer().startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("pieces", [[b"GET / HTTP/1.0\n\n"], [REQUEST[:5], REQUEST[5:]], [REQUEST[at : at + 1] for at in range(len(REQUEST))]])
def test_request_in_pieces(connect, pieces):
    client = connect()
    for piece in pieces:
        client.call(client.tls.write, piece)
    assert client.answer().startswith(b"HTTP/1.1 200 OK")


def test_client_that_only_closes_is_answered(connect):
    client = connect()
    client.call(client.tls.unwrap)
    assert client.socket.recv(10) == b""


def test_half_closed_client_is_served(connect):
    client = connect()
    client.call(client.tls.write, REQUEST)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.answer().startswith(b"HTTP/1.1 200 OK")


def test_many_in_sequence_with_broken_ones_between(server, connect):
    """The server goes on; what it refuses it says in a plain alert."""
    refused = [data for _, _, data, expected in hellos.ROWS if isinstance(expected, str) and len(data) < 2000][::40]
    assert len(refused) > 20
    for data in refused:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
            raw.sendall(data)
            assert raw.recv(1) == bytes((PLAIN_ALERT,))
    client = connect()
    client.call(client.tls.write, REQUEST)
    assert client.answer().startswith(b"HTTP/1.1 200 OK")


def test_largest_hellos_are_answered(server):
    """Thousands of extensions or suites: the answer is a ServerHello."""
    largest = sorted((data for _, _, data, expected in hellos.ROWS if not isinstance(expected, str)), key=len)[-10:]
    assert len(largest[-1]) > 65000
    for data in largest:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
            raw.sendall(data)
            assert raw.recv(1) == b"\x16"
