"""Adapters: every implementation behind the same calls; what cannot be tested is told in one line."""

import socket
import subprocess
import sys
import threading

import pytest

from puretls.errors import UsageError
from puretls.testing import adapters, honest
from puretls.testing.adapters import AdapterError, Factory


def converse(client, server):
    client.start()
    moved = True
    while moved:
        moved = False
        for near, far in ((client, server), (server, client)):
            if data := near.take():
                moved = True
                far.receive(data)


def kinds(peer):
    return [told.kind for told in peer.events()]


def stacks(role):
    return {
        "puretls without security": lambda: adapters.puretls(role),
        "puretls": lambda: adapters.puretls(role, secure=True),
        "openssl": lambda: adapters.memory_bio(role),
        "tlslite-ng": lambda: adapters.tlslite(role),
    }


@pytest.mark.interop
@pytest.mark.parametrize(("client", "server"), [
    ("puretls without security", "puretls without security"), ("puretls", "openssl"), ("openssl", "puretls"), ("puretls", "tlslite-ng"),
    ("tlslite-ng", "openssl"),
])  # fmt: skip
def test_two_ends_of_any_stacks_converse(client, server):
    ends = stacks("client")[client]()(), stacks("server")[server]()()
    converse(*ends)
    for near, far in (ends, ends[::-1]):
        near.send(b"said by one")
        far.receive(near.take())
    told = [end.events() for end in ends]
    for one in told:
        assert one[0].kind == "handshake", one
        assert b"".join(event.data for event in one) == b"said by one"
    ends[0].close()
    ends[1].receive(ends[0].take())
    assert "closed: by close_notify" in [str(event) for event in ends[1].events()]


@pytest.mark.parametrize("stack", ["puretls", "openssl", "tlslite-ng"])
def test_an_end_tells_of_garbage_and_of_a_stream_that_ends(stack):
    garbage, ended = stacks("server")[stack]()(), stacks("server")[stack]()()
    garbage.receive(b"GET / HTTP/1.1\r\n\r\n")
    assert kinds(garbage)[-1] == "failed"
    ended.eof()
    assert kinds(ended)[-1] in {"closed", "failed"}
    assert ended.events() == []


@pytest.mark.parametrize("stack", ["puretls", "openssl", "tlslite-ng"])
def test_what_is_not_possible_is_told_and_changes_nothing(stack):
    peer = stacks("server")[stack]()()
    peer.send(b"too early")
    assert kinds(peer) == ["not possible"]
    assert peer.take() == b""


@pytest.mark.parametrize("stack", ["openssl", "tlslite-ng"])
def test_what_cannot_be_forked_says_so(stack):
    with pytest.raises(UsageError, match="replay the tape"):
        stacks("server")[stack]()().fork()


def test_ends_of_one_factory_send_the_same_bytes():
    client, server = adapters.puretls("client"), adapters.puretls("server")
    assert client.deterministic
    flights = []
    for _ in range(2):
        one, other = client(), server()
        flights.append(honest.converse(one, other).chunks)
    assert flights[0] == flights[1]
    assert adapters.puretls("client", seed=b"other")().connection.config.random(4) != client().connection.config.random(4)


def test_a_verifier_of_a_secure_client_is_asked():
    stranger = honest.issued(name="another.test")
    server = adapters.puretls("server", secure=True, credentials=(honest.credential(name="another.test"),))
    client, peer = adapters.puretls("client", secure=True)(), server()
    converse(client, peer)
    assert stranger.chain
    assert "bad_certificate" in str(client.events()[-1])


@pytest.mark.interop
@pytest.mark.parametrize("program", ["openssl_s_server", "gnutls_serv"])
def test_a_program_on_a_loopback_socket(program):
    try:
        context = getattr(adapters, program)(patience=10.0)
        with context as factory:
            client, server = adapters.puretls("client", secure=True)(), factory()
            client.start()
            with server:
                while not client.connection.is_connected:
                    assert client.error is None, client.error
                    server.receive(client.take())
                    client.receive(server.take())
            assert factory.role == "server"
            assert not factory.acts
    except AdapterError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


# Errors


def test_a_program_that_is_not_there_or_does_not_start_is_told_in_one_line():
    with pytest.raises(AdapterError, match="no-such-program is not installed"), adapters.serving(["no-such-program"]):
        pass
    stops = [sys.executable, "-c", "import sys; sys.exit('unknown option: -x')"]
    with pytest.raises(AdapterError, match=r"did not start \(status 1\): unknown option: -x"), adapters.serving(stops):
        pass


def test_a_port_where_nobody_listens_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(AdapterError, match=f"nobody answers at 127.0.0.1:{port}: "):
        adapters.at("127.0.0.1", port)


def test_a_peer_that_speaks_no_tls_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            sock, _ = listener.accept()
            with sock:
                sock.recv(2**14)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(AdapterError, match=r"speaks no TLS: it answered b'HTTP/1\.1 400.*' to a ClientHello") as caught:
            adapters.at("127.0.0.1", listener.getsockname()[1], patience=10.0)
        thread.join(10)
    assert "\n" not in str(caught.value)


def test_a_role_that_is_none_is_refused():
    for make in (adapters.puretls, lambda role: Factory("x", role, object)):
        with pytest.raises(UsageError, match="client or server"):
            make("observer")


def test_a_missing_implementation_is_told_in_one_line():
    program = """
import sys
sys.modules["tlslite"] = None
sys.modules["ssl"] = None
from puretls.errors import UsageError
from puretls.testing import adapters
for make in (adapters.tlslite, adapters.memory_bio):
    try:
        make("server")
    except UsageError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines() == ["tlslite is not installed: pip install tlslite-ng", "this Python has no OpenSSL: its module ssl is missing"]
