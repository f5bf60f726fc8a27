"""Sessions of contexts on puretls: resumed by themselves and by `session=`, counted, and told apart."""

import re
import socket
import ssl as real_ssl

import pytest

from tests.support.credentials import NAME
from tests.support.pure_ssl import Pair, client_context, files, pure_ssl, server_context

ours = pure_ssl()


@pytest.mark.parametrize("server_ssl", [real_ssl, ours], ids=["of OpenSSL", "ours"])
@pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "ids"])
def test_a_contexts_second_connection_resumes(server_ssl, tickets):
    client, server = client_context(ours), server_context(server_ssl)
    if not tickets:
        server.options |= server_ssl.OP_NO_TICKET
    first, second = Pair(client, server).shake(), Pair(client, server).shake()
    assert (first.client.session_reused, second.client.session_reused) == (False, True)
    assert second.server.session_reused
    assert second.client.session == first.client.session
    assert first.client.session.has_ticket is tickets
    assert second.client.getpeercert() == first.client.getpeercert() != {}
    assert server.session_stats()["hits"] == 1
    assert server.session_stats()["accept_good"] == 2
    assert client.session_stats()["connect_good"] == 2


def test_a_client_of_openssl_resumes_with_us():
    client, server = client_context(real_ssl), server_context(ours)
    first = Pair(client, server).shake()
    second = Pair(client, server, session=first.client.session).shake()
    assert second.client.session_reused


def test_other_names_other_contexts_and_other_identities_do_not_resume():
    client, server = client_context(ours, check_hostname=False), server_context(ours)
    Pair(client, server).shake()
    assert not Pair(client, server, "other.test").shake().client.session_reused
    assert not Pair(client_context(ours), server).shake().client.session_reused
    assert Pair(client, server).shake().client.session_reused
    client.load_cert_chain(files() / "client.pem")
    assert not Pair(client, server).shake().client.session_reused


def test_sockets_tell_servers_apart_by_their_addresses():
    client, reused = client_context(ours), []
    for context in (server_context(ours), server_context(ours)):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            for _ in range(2):
                with socket.create_connection(listener.getsockname()) as plain:
                    reused.append(shake_with(client, plain, context, listener.accept()[0]))
    assert reused == [False, True, False, True]


def shake_with(client, plain, server, accepted):
    """Shakes hands without threads: both ends take turns; whether the client resumed."""
    options = {"do_handshake_on_connect": False}
    with (
        client.wrap_socket(plain, server_hostname=NAME, **options) as near,
        server.wrap_socket(accepted, server_side=True, **options) as far,
    ):
        waiting = [near, far]
        near.setblocking(False), far.setblocking(False)
        while waiting:
            for end in list(waiting):
                try:
                    end.do_handshake()
                    waiting.remove(end)
                except ours.SSLWantReadError:
                    pass
        return near.session_reused


def test_a_session_is_given_before_the_handshake_and_to_its_own_context():
    client, server = client_context(ours), server_context(ours)
    first = Pair(client, server).shake()
    session = first.client.session
    assert (len(session.id), session.timeout, session.ticket_lifetime_hint) == (32, session.timeout, session.timeout)
    assert Pair(client, server, session=session).shake().client.session == session
    with pytest.raises(ValueError, match="Cannot set session after handshake"):
        first.client.session = session
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        Pair(client_context(ours), server, session=session)
    with pytest.raises(TypeError, match="Value is not a SSLSession"):
        Pair(client, server).client.session = "session"
    with pytest.raises(TypeError, match="cannot create"):
        ours.SSLSession()


def test_a_session_is_verified_anew():
    client, server = client_context(ours, check_hostname=False), server_context(ours)
    client.verify_mode = ours.CERT_NONE
    session = Pair(client, server, "other.test").shake().client.session
    client.check_hostname = True
    pair = Pair(client, server, "other.test", session=session)
    with pytest.raises(ours.SSLCertVerificationError):
        pair.shake()


def test_a_context_is_not_copied_nor_pickled():
    import copy
    import pickle

    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle 'SSLContext' object"):
            copied(client_context(ours))


@pytest.mark.rfc("5077", "4")
def test_contexts_that_read_their_ticket_keys_from_one_file_take_each_others_tickets(tmp_path, monkeypatch):
    path = tmp_path / "tickets.key"
    path.write_bytes(bytes(range(48)))
    monkeypatch.setenv("PURETLS_TICKET_KEYS", str(path))
    client, servers = client_context(ours), [server_context(ours), server_context(ours)]
    path.write_bytes(bytes(48) + path.read_bytes())  # a new key in front
    servers.append(server_context(ours))
    session = Pair(client, servers[0]).shake().client.session
    assert [Pair(client, server, session=session).shake().client.session_reused for server in servers] == [True, True, True]
    monkeypatch.delenv("PURETLS_TICKET_KEYS")
    assert not Pair(client, server_context(ours), session=session).shake().client.session_reused


@pytest.mark.parametrize("content", [b"", bytes(47), None])
def test_a_file_without_ticket_keys_is_told_when_the_context_is_made(content, tmp_path, monkeypatch):
    path = tmp_path / "tickets.key"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("PURETLS_TICKET_KEYS", str(path))
    with pytest.raises(OSError, match=f"PURETLS_TICKET_KEYS: .*{re.escape(str(path))}"):
        server_context(ours)
