"""What is no TLS 1.2 is explained as far as it can be seen, and it is said why no further."""

import warnings

import pytest

from puretls.inspect import Conversation, Stream
from tests.inspect.test_bytemap import check_map
from tests.support.recorded import conversations, openssl_turns, streams

SSLV2 = bytes.fromhex("802e0103010015000000100100800300800700c0060040020080040080") + bytes(19)


def without_keys(tmp_path, version):
    ssl = pytest.importorskip("ssl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            turns, _ = openssl_turns(tmp_path, "ALL:@SECLEVEL=0", version=getattr(ssl.TLSVersion, version))
        except ssl.SSLError as error:
            pytest.skip(f"this OpenSSL does not speak {version}: {error.reason}")
    return Conversation(*streams(turns))


@pytest.mark.interop
@pytest.mark.rfc("8446", "4.2.1")
def test_tls_1_3_is_explained_up_to_its_hellos(tmp_path):
    conversation = without_keys(tmp_path, "TLSv1_3")
    assert conversation.version == 0x0304
    assert str(conversation.outcome) == "the server chose TLS 1.3: its hellos are explained, what it protects is not"
    assert [seen.name for seen in conversation.messages] == ["ClientHello", "ServerHello", "ChangeCipherSpec", "ChangeCipherSpec"]
    assert not [seen.problem for seen in conversation.messages if seen.problem]
    closed = [seen for seen in conversation.records if seen.name == "application_data"]
    assert closed
    assert {str(seen.problem) for seen in closed} == {"TLS 1.3 protects it, which is not decoded here"}
    assert conversation.stopped("client") is conversation.stopped("server") is None
    check_map(conversation)


@pytest.mark.interop
@pytest.mark.parametrize(("version", "name"), [("TLSv1", "TLS 1.0"), ("TLSv1_1", "TLS 1.1")])
def test_older_versions_are_explained_in_the_clear(tmp_path, version, name):
    conversation = without_keys(tmp_path, version)
    assert f"the server chose {name}" in str(conversation.outcome)
    assert [seen.name for seen in conversation.messages][:3] == ["ClientHello", "ServerHello", "Certificate"]
    assert {str(seen.problem) for seen in conversation.records if seen.epoch} == {
        f"{name} protects it, which is not decoded here"
    }
    assert not [seen.problem for seen in conversation.messages if seen.problem]
    check_map(conversation)


def test_a_message_with_another_form_in_another_version_is_named_and_not_parsed():
    """The reference conversation with a client certificate, as if the server had chosen TLS 1.1."""
    (whole,) = conversations("client certificate, then refused data")
    data = bytearray(whole.server.data)
    assert data[9:11] == b"\3\3"
    data[10] = 2
    conversation = Conversation(whole.client, Stream.of(bytes(data)))
    (request,) = [seen for seen in conversation.messages if seen.name == "CertificateRequest"]
    assert str(request.problem) == "the form that TLS 1.1 gives it is not known here"
    assert [leaf.path for leaf in conversation.byte_map.find(request.path)][:3] == [
        "server.CertificateRequest.msg_type", "server.CertificateRequest.length", "server.CertificateRequest.body",
    ]  # fmt: skip
    check_map(conversation)


@pytest.mark.rfc("6176", "3")
def test_an_ssl_2_hello_is_named():
    conversation = Conversation(Stream.of(SSLV2), Stream())
    assert str(conversation.outcome) == "the client begins with an SSL 2.0 hello (RFC 6176 3 forbids it)"
    (leaf,) = conversation.byte_map.wire("client")
    assert leaf.path == "client.Unframed.bytes"
    check_map(conversation)


def test_plain_http_is_no_tls():
    conversation = Conversation(Stream.of(b"GET / HTTP/1.1\r\n\r\n"), Stream.of(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert (conversation.outcome.kind, conversation.records) == ("not TLS", ())
    assert str(conversation.outcome).startswith("this is no TLS: the client begins with b'GET / HTTP")
    check_map(conversation)


def test_tls_that_begins_behind_another_protocol_is_found():
    (whole,) = conversations("PSK, GCM")
    before = b"EHLO me\r\nSTARTTLS\r\n"
    conversation = Conversation(
        Stream.of(before + whole.client.data), Stream.of(b"220 ready\r\n" + whole.server.data), whole.knowledge
    )
    assert [seen.path for seen in conversation.strays] == ["client.Unframed", "server.Unframed"]
    assert conversation.outcome.kind == "closed"
    assert conversation.data("client") == whole.data("client")
    check_map(conversation)


def test_nothing_is_nothing():
    conversation = Conversation(Stream(), Stream())
    assert (str(conversation.outcome), conversation.messages) == ("nothing was sent", ())
    check_map(conversation)
