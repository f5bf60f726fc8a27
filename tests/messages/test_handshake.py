"""Handshake messages against bytes written out by hand."""

import pytest

import puretls.extensions  # noqa: F401  (registers the bodies)
from puretls.errors import DecodeError
from puretls.iana import CipherSuiteId, ExtensionType, SignatureScheme
from puretls.messages import handshake as hs
from puretls.messages.extension import RawExtension
from puretls.wire.schema import annotate, parse, serialise

RANDOM = bytes(range(32))
HELLO = "0303" + RANDOM.hex() + "00" + "0004c02b1301" + "0100"


@pytest.mark.rfc("5246", "7.4.1.2")
def test_client_hello_without_extensions():
    hello = parse(hs.ClientHello, bytes.fromhex(HELLO))
    suites = (CipherSuiteId.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuiteId.TLS_AES_128_GCM_SHA256)
    assert hello == hs.ClientHello(0x0303, RANDOM, b"", suites, (0,), None)
    assert serialise(hello).hex() == HELLO


@pytest.mark.rfc("5246", "7.4.1.2")
def test_client_hello_with_an_empty_extensions_block_is_kept_as_it_is():
    raw = bytes.fromhex(HELLO + "0000")
    assert parse(hs.ClientHello, raw).extensions == ()
    assert serialise(parse(hs.ClientHello, raw)) == raw


@pytest.mark.rfc("5246", "7.4.1.4")
def test_extensions_stay_raw_and_in_order():
    raw = bytes.fromhex(HELLO + "000d" + "0a0a0001ff" + "0017 0000" + "fafa0000")
    extensions = parse(hs.ClientHello, raw).extensions
    assert extensions == (
        RawExtension(0x0A0A, b"\xff"),
        RawExtension(ExtensionType.EXTENDED_MASTER_SECRET, b""),
        RawExtension(0xFAFA, b""),
    )


BAD_HELLOS = {
    "session id of 33 bytes": "0303" + RANDOM.hex() + "21" + "00" * 33 + "0002c02b" + "0100",
    "no suites": "0303" + RANDOM.hex() + "00" + "0000" + "0100",
    "half a suite": "0303" + RANDOM.hex() + "00" + "0003c02b13" + "0100",
    "no compression methods": "0303" + RANDOM.hex() + "00" + "0002c02b" + "00",
    "random cut short": "0303" + RANDOM.hex()[2:],
    "extensions longer than said": HELLO + "0002" + "00170000",
    "extensions shorter than said": HELLO + "0008" + "00170000",
    "extension longer than the block": HELLO + "0004" + "00170001",
    "one byte after the compression methods": HELLO + "00",
    "bytes after the extensions": HELLO + "0000" + "00",
    "empty": "",
}


@pytest.mark.rfc("5246", "7.4.1.2")
@pytest.mark.parametrize("wire", BAD_HELLOS.values(), ids=BAD_HELLOS)
def test_malformed_client_hello_is_refused(wire):
    with pytest.raises(DecodeError):
        parse(hs.ClientHello, bytes.fromhex(wire))


@pytest.mark.rfc("5246", "7.4.2")
def test_certificate_list():
    raw = bytes.fromhex("000009" + "000001aa" + "000002bbcc")
    assert parse(hs.Certificate, raw).certificate_list == (b"\xaa", b"\xbb\xcc")
    assert parse(hs.Certificate, bytes(3)).certificate_list == ()
    with pytest.raises(DecodeError):
        parse(hs.Certificate, bytes.fromhex("000003000000"))  # an entry of no bytes


@pytest.mark.rfc("5246", "7.4.4")
def test_certificate_request():
    raw = bytes.fromhex("020140" + "00040403 0804" + "0004" + "00023000")
    request = parse(hs.CertificateRequest, raw)
    assert request.certificate_types == (1, 64)
    assert request.supported_signature_algorithms == (
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        SignatureScheme.RSA_PSS_RSAE_SHA256,
    )
    assert request.certificate_authorities == (b"\x30\x00",)


@pytest.mark.rfc("5077", "3.3")
def test_new_session_ticket():
    assert parse(hs.NewSessionTicket, bytes.fromhex("00001c20" + "0003aabbcc")) == hs.NewSessionTicket(7200, b"\xaa\xbb\xcc")


@pytest.mark.rfc("5246", "7.4.9")
@pytest.mark.parametrize("length", [0, 11, 13])
def test_finished_has_twelve_bytes(length):
    assert parse(hs.Finished, bytes(12)).verify_data == bytes(12)
    with pytest.raises(DecodeError):
        parse(hs.Finished, bytes(length))


@pytest.mark.rfc("5246", "7.4.5")
@pytest.mark.parametrize("cls", [hs.ServerHelloDone, hs.HelloRequest])
def test_messages_without_content_have_none(cls):
    assert parse(cls, b"") == cls()
    with pytest.raises(DecodeError):
        parse(cls, b"\0")


@pytest.mark.rfc("6066", "8")
def test_certificate_status():
    assert parse(hs.CertificateStatus, bytes.fromhex("01" + "000002" + "abcd")).response == b"\xab\xcd"
    with pytest.raises(DecodeError):
        parse(hs.CertificateStatus, bytes.fromhex("01" + "000000"))


def test_bodies_of_known_extensions_are_annotated_by_their_own_struct():
    body = "000b" + "00" + "0008" + b"hack.org".hex()
    raw = bytes.fromhex(HELLO + "0015" + "0000000d" + body + "00170000")
    spans = annotate(hs.ClientHello, raw)
    assert not any(span.fault for span in spans)
    assert "ClientHello.extensions[0].server_name.names[0].name" in [span.path for span in spans]


def test_a_malformed_body_is_marked_and_the_next_extension_still_read():
    raw = bytes.fromhex(HELLO + "000d" + "000a0005" + "0003001d00" + "00170000")
    spans = annotate(hs.ClientHello, raw)
    assert [span.path for span in spans if span.fault] == ["ClientHello.extensions[0].supported_groups.named_groups[1]"]
    assert spans[-1].path == "ClientHello.extensions[1].extension_data.length"
