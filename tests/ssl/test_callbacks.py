"""Call-backs of contexts on puretls, beside those of OpenSSL."""

import gc
import ssl as real_ssl
import weakref
from contextlib import suppress

import pytest

from tests.support.credentials import NAME
from tests.support.pure_ssl import Pair, client_context, failures, files, pure_ssl, server_context

ours = pure_ssl()


def messages(ssl, end):
    """What the message call-back of one end, on this `ssl`, is told of a handshake and its close: the other end is OpenSSL's."""
    told = []
    makers = {
        "client": (client_context(ssl), server_context(real_ssl)),
        "server": (client_context(real_ssl), server_context(ssl)),
    }
    contexts = dict(zip(("client", "server"), makers[end], strict=True))
    contexts[end]._msg_callback = lambda sock, *what: told.append(what[:4])
    pair = Pair(*makers[end]).shake()
    pair.step(getattr(pair, end).unwrap)
    return told


@pytest.mark.parametrize("end", ["client", "server"])
def test_messages_are_told_as_by_openssl(end):
    told = messages(ours, end)
    assert without_headers(told) == without_headers(messages(real_ssl, end))
    headers = [what for what in told if what[2] == 0x100]
    assert {version for _, version, *_ in headers} <= {ours.TLSVersion.TLSv1, ours.TLSVersion.TLSv1_2}
    assert len(headers) >= 6


def without_headers(told):
    return [(direction, int(content), int(kind)) for direction, _, content, kind in told if content != 0x100]


def test_the_message_call_back_is_given_the_owner_and_its_exception_is_raised():
    seen = []

    def fail(sock, *_):
        seen.append(sock)
        raise ZeroDivisionError

    client = client_context(ours)
    client._msg_callback = fail
    pair = Pair(client, server_context(real_ssl))
    with pytest.raises(ZeroDivisionError):
        pair.client.do_handshake()
    assert seen == [pair.client]
    assert client._msg_callback is fail
    client._msg_callback = None
    assert client._msg_callback is None


@pytest.mark.parametrize(
    ("answer", "alert"), [(lambda *_: 1 / 0, "HANDSHAKE_FAILURE"), (lambda *_: "no number", "INTERNAL_ERROR")]
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_call_back_for_names_does_wrong_is_told_to_the_hook_and_to_the_peer(answer, alert, monkeypatch):
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", lambda told: unraisable.append(told.exc_type))
    told = failures(Pair(client_context(real_ssl), server_context(ours, sni_callback=answer)))
    assert told["client"].reason.endswith(alert)
    assert told["server"].reason == "CALLBACK_FAILED"
    assert unraisable == [ZeroDivisionError if alert == "HANDSHAKE_FAILURE" else TypeError]


def test_the_call_back_for_names_is_called_without_a_name_too_and_only_on_servers():
    asked = []
    server = server_context(ours, sni_callback=lambda sock, name, context: asked.append(name))
    Pair(client_context(real_ssl, check_hostname=False), server, None).shake()
    assert asked == [None]
    with pytest.raises(ValueError, match="sni_callback cannot be set on TLS_CLIENT context"):
        client_context(ours).sni_callback = print
    with pytest.raises(TypeError, match="not a callable object"):
        server.sni_callback = 4


def test_keys_are_logged_as_the_peer_logs_them(tmp_path):
    client, server = client_context(ours), server_context(real_ssl)
    for name, context in (("ours", client), ("theirs", server)):
        context.keylog_filename = tmp_path / name
        assert context.keylog_filename == tmp_path / name
    Pair(client, server).shake()
    mine, theirs = ((tmp_path / name).read_text().splitlines() for name in ("ours", "theirs"))
    assert mine == theirs
    assert len(mine) == 2
    client.keylog_filename = None
    assert client.keylog_filename is None
    with pytest.raises(IsADirectoryError):
        client.keylog_filename = tmp_path
    with pytest.raises(TypeError):
        client.keylog_filename = 1


def test_pre_shared_keys_are_asked_for_by_call_backs():
    asked = []
    client = ours.SSLContext(ours.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ours.CERT_NONE
    server = ours.SSLContext(ours.PROTOCOL_TLS_SERVER)
    for context in (client, server):
        context.set_ciphers("PSK")
    client.set_psk_client_callback(lambda hint: asked.append(hint) or ("somebody", b"\x17" * 32))
    server.set_psk_server_callback(lambda identity: asked.append(identity) or b"\x17" * 32, "hint")
    pair = Pair(client, server, None).shake()
    assert asked == ["hint", "somebody"]
    assert "PSK" in pair.client.cipher()[0]
    server.set_psk_server_callback(lambda identity: b"\x18" * 32)
    assert failures(Pair(client, server, None))["server"].reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    server.set_psk_server_callback(lambda identity: b"")
    assert failures(Pair(client, server, None))["client"].reason == "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY"
    client.set_psk_client_callback(lambda hint: (None, bytes(513)))
    assert failures(Pair(client, server, None))["client"].reason == "PSK_IDENTITY_NOT_FOUND"
    with pytest.raises(ours.SSLError):
        server.set_psk_client_callback(print)
    with pytest.raises(ours.SSLError):
        client.set_psk_server_callback(print)
    with pytest.raises(TypeError):
        client.set_psk_client_callback("no function")


def test_nothing_keeps_a_connection_alive():
    """No reference cycles: what a program drops is gone at once, after a handshake as after one that failed."""
    client, server = client_context(ours), server_context(ours, sni_callback=lambda *_: None)
    for name in (NAME, NAME, "other.test"):  # the first loads modules
        pair = Pair(client, server, name)
        gc.collect()
        gc.disable()
        try:
            for _ in range(8):
                for end in pair.ends:
                    with suppress(OSError):
                        pair.step(end.do_handshake)
            inner = [end._sslobj for end in pair.ends]
            inner += [each._engine.connection for each in inner]
            references = [weakref.ref(each) for each in (*pair.ends, *inner)]
            del inner, pair, end
            assert [reference() for reference in references if reference() is not None] == []
        finally:
            gc.enable()


def test_channel_bindings_of_both_ends_are_equal(tmp_path):
    for client_ssl, server_ssl in ((ours, real_ssl), (real_ssl, ours)):
        client, server = client_context(client_ssl), server_context(server_ssl)
        for _ in range(2):  # the second resumes
            pair = Pair(client, server).shake()
            bindings = [end.get_channel_binding("tls-unique") for end in pair.ends]
            assert len(bindings[0]) == 12
            assert bindings[0] == bindings[1]


def test_suites_protocols_and_chains_are_told_alike():
    client, server = client_context(ours), server_context(real_ssl)
    client.set_alpn_protocols(["h2", "http/1.1"]), server.set_alpn_protocols(["http/1.1"])
    pair = Pair(client, server).shake()
    assert pair.client.selected_alpn_protocol() == pair.server.selected_alpn_protocol() == "http/1.1"
    assert pair.client.shared_ciphers() is None
    other = Pair(client_context(real_ssl), server_context(ours)).shake()
    assert other.server.cipher() in other.server.shared_ciphers()
    der = ours.PEM_cert_to_DER_cert(
        (files() / "server.pem").read_text().partition("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"
    )
    assert pair.client.getpeercert(True) == der
    assert pair.client._sslobj.get_unverified_chain()[0].public_bytes(2) == der
    verified = [each.public_bytes(2) for each in pair.client._sslobj.get_verified_chain()]
    assert verified[0] == der
    assert len(verified) == 3
    assert other.server.getpeercert() is None
