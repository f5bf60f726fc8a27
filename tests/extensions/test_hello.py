"""Hellos as others send them: unknown things are tolerated, clients of TLS 1.3 get 1.2, padding pads."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.extensions import ORDER, Alpn, Extension, Padding, SignatureAlgorithmsCert, active
from puretls.extensions.base import Empty
from puretls.iana import CipherSuiteId, NamedGroup, SignatureScheme
from puretls.messages.extension import RawExtension
from puretls.messages.handshake import ClientHello, ServerHello
from puretls.session import MemorySessionStore
from puretls.suites import DEFAULT_SUITES
from tests.support.breaks import add_extension, message
from tests.support.credentials import NAME, credential
from tests.support.pair import pair, psk_client, psk_server, suite_named

GREASE = (0x0A0A, 0x1A1A, 0xFAFA)


def changed(change):
    return {"interceptors": (message(ClientHello, change),)}


def test_grease_anywhere_in_a_hello_is_tolerated():
    def change(hello):
        extensions = []
        for one in hello.extensions:
            if one.extension_type in {10, 13}:  # groups and signature algorithms: a list of two-byte values
                values = b"\x2a\x2a" + one.extension_data[2:]
                one = replace(one, extension_data=len(values).to_bytes(2, "big") + values)  # noqa: PLW2901
            extensions.append(one)
        return replace(
            hello,
            cipher_suites=(0x5A5A, *hello.cipher_suites),
            extensions=(RawExtension(0x0A0A, b""), *extensions, RawExtension(0xFAFA, b"\0")),
        )

    joined = pair(changed(change)).handshake()
    joined.check_secrets()
    joined.exchange()


@given(types=st.lists(st.integers(60, 0x3FFF) | st.sampled_from(GREASE), max_size=5, unique=True), body=st.binary(max_size=20))
@settings(max_examples=25, deadline=None)
def test_unknown_extensions_are_passed_over(types, body):
    added = tuple(RawExtension(type_, body) for type_ in types if type_ != 13172)
    pair(changed(lambda hello: replace(hello, extensions=(*added, *hello.extensions)))).handshake().check_secrets()


@pytest.mark.rfc("8446", "4.2.1")
@pytest.mark.parametrize("versions", [b"\x03\x04\x03\x03", b"\x7a\x7a\x03\x04\x03\x03\x03\x02", b"\x03\x03"])
@pytest.mark.parametrize("client_version", [0x0303, 0x0304, 0x03FF, 0x0400])
def test_client_of_tls_1_3_is_answered_with_1_2_and_no_downgrade_sentinel(versions, client_version):
    breaks = (add_extension(ClientHello, 43, bytes((len(versions),)) + versions), add_extension(ClientHello, 51, b"\0\0"),
              message(ClientHello, lambda hello: replace(hello, client_version=client_version)))  # fmt: skip
    joined = pair({"interceptors": breaks}).handshake()
    joined.check_secrets()
    assert not joined.client.connection.negotiated.server_random.startswith(b"DOWNGRD")
    assert not joined.client.connection.negotiated.server_random.endswith((b"DOWNGRD\1", b"DOWNGRD\0"))


@pytest.mark.rfc("5246", "E.1")
def test_newer_client_version_without_supported_versions_is_answered_with_1_2():
    pair(changed(lambda hello: replace(hello, client_version=0x0305))).handshake().check_secrets()


@pytest.mark.rfc("5246", "7.4.1.2")
def test_order_of_extensions_is_free():
    pair(changed(lambda hello: replace(hello, extensions=hello.extensions[::-1]))).handshake().check_secrets()


@pytest.mark.rfc("5246", "7.4.1.4.1")
def test_hello_without_extensions_is_answered_without_them():
    schemes = {"signature_schemes": (SignatureScheme.ECDSA_SHA1, SignatureScheme.ECDSA_SECP256R1_SHA256)}
    hellos = []

    def bare(hello):
        return replace(hello, extensions=None)

    joined = pair(schemes | changed(bare), schemes | {"interceptors": (message(ServerHello, lambda m: hellos.append(m) or m),)}).handshake()
    joined.check_secrets()
    assert hellos[0].extensions is None
    assert joined.client.connection.negotiated.signature_scheme == SignatureScheme.ECDSA_SHA1
    assert not joined.client.connection.negotiated.secure_renegotiation


@pytest.mark.rfc("5746", "3.6")
def test_scsv_says_what_the_extension_says():
    def scsv_only(hello):
        kept = tuple(one for one in hello.extensions if one.extension_type != 0xFF01)
        return replace(hello, cipher_suites=(*hello.cipher_suites, CipherSuiteId.TLS_EMPTY_RENEGOTIATION_INFO_SCSV), extensions=kept)

    joined = pair(changed(scsv_only)).handshake()
    assert joined.server.connection.negotiated.secure_renegotiation


@pytest.mark.rfc("7685", "3")
@pytest.mark.parametrize("length", [0, 300, 512, 1000, 4000])
def test_padding_brings_a_hello_to_its_length(length):
    joined = pair({"extensions": (Padding(length),)})
    joined.client.connection.start()
    hello = joined.client.take()
    assert len(hello) - 5 == length if length > 300 else len(hello) - 5 >= length
    joined.server.feed(hello)
    joined.run()
    joined.check_secrets()


@pytest.mark.rfc("8446", "4.2.3")
def test_chain_is_chosen_by_signature_algorithms_cert():
    server = {"credentials": (credential("rsa2048"), credential("secp256r1"))}
    joined = pair({"extensions": (SignatureAlgorithmsCert((SignatureScheme.ECDSA_SECP256R1_SHA256,)),)}, server).handshake()
    joined.check_secrets()


def test_extensions_of_ones_own_take_part():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Hello(Extension):
        type = 0x3A3B
        rfc = "RFC 5246 7.4.1.4"

        def offer(self, view):
            return Empty()

        def accept(self, body, view):
            return True

        def answer(self, result, view):
            return Empty()

        def confirm(self, body, view):
            return "yes"

    joined = pair({"extensions": (Hello(),)}, {"extensions": (Hello(),)}).handshake()
    joined.check_secrets()
    assert joined.client.connection.negotiated.result(Hello) == "yes"
    assert joined.server.connection.negotiated.result(Hello) is True
    assert pair({"extensions": (Hello(),)}).handshake().client.connection.negotiated.result(Hello) is None
    assert active((Hello(),))[-1].type == 21


def test_wire_order_is_that_of_the_table():
    joined = pair({"extensions": (Padding(600),)})
    joined.client.connection.start()
    from puretls.wire.schema import parse

    hello = parse(ClientHello, joined.client.take()[9:])
    order = [cls.type for cls in ORDER]
    sent = [one.extension_type for one in hello.extensions]
    assert sent == [type_ for type_ in order if type_ in sent]
    assert sent[-1] == 21
    with pytest.raises(UsageError):
        active((Padding(1), Padding(2)))


@pytest.mark.parametrize("name", [NAME, None, "192.0.2.1"])
@pytest.mark.parametrize("fields", [{}, {"tickets": False}, {"groups": (NamedGroup.FFDHE2048,), "suites": (suite_named("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),)}, {"extensions": (Padding(400),)}, {"extensions": (Alpn("h2"),)},
                                    {"suites": (suite_named("TLS_PSK_WITH_AES_128_GCM_SHA256"),), "psk": psk_client}], ids=lambda fields: "+".join(fields) or "default")  # fmt: skip
def test_last_extension_of_a_client_hello_is_never_empty(fields, name):
    """Some old servers (WebSphere, Java 6) abort where it is; also where a session is resumed or renegotiated."""
    hellos = []
    watch = message(ClientHello, lambda hello: hellos.append(hello) or hello)
    server = {"session_cache": MemorySessionStore(), "renegotiation": True, "psk": psk_server, "credentials": (credential("rsa2048"),)}
    server["suites"] = fields.get("suites", DEFAULT_SUITES)
    store = MemorySessionStore()
    for _ in range(2):
        config = fields | {"renegotiation": True, "session_store": store, "interceptors": (watch,)}
        joined = pair(config, server, name=name).handshake()
        assert joined.connected, joined.story()
        joined.client.connection.renegotiate()
        joined.run()
    assert len(hellos) == 4
    for hello in hellos:
        assert hello.extensions[-1].extension_data
        assert len({extension.extension_type for extension in hello.extensions}) == len(hello.extensions)


@pytest.mark.rfc("8422", "4")
def test_without_a_curve_no_suite_is_offered_that_needs_one():
    """A hello that names no curve leaves the choice to the server, and the client would refuse whatever it chose."""
    suites = tuple(map(suite_named, ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256")))
    seen = []
    only_finite = {"suites": suites, "groups": (NamedGroup.FFDHE2048,)} | changed(lambda hello: seen.append(hello.cipher_suites) or hello)
    joined = pair(only_finite, {"suites": suites, "credentials": (credential("rsa2048"),)}).handshake()
    assert joined.connected, joined.story()
    assert joined.client.connection.negotiated.suite is suites[1]
    assert seen == [(suites[1].id,)]
