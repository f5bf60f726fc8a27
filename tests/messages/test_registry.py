# ruff: noqa: PT017  (either outcome is legal; both are checked)
"""Which struct a message is, and whole messages with their header."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import key_exchange
from puretls.errors import DecodeError
from puretls.iana import ContentType, HandshakeType
from puretls.key_exchange import KEY_EXCHANGES
from puretls.messages import handshake as hs
from puretls.messages import key_exchange as kx
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec
from puretls.messages.registry import (
    annotate_handshake,
    content_class,
    handshake_class,
    parse_handshake,
    serialise_handshake,
)
from puretls.spans import check_tiling
from puretls.testing.strategies import strategy_for
from puretls.wire.schema import serialise

BY_TYPE = [
    (0, hs.HelloRequest),
    (1, hs.ClientHello),
    (2, hs.ServerHello),
    (4, hs.NewSessionTicket),
    (11, hs.Certificate),
    (13, hs.CertificateRequest),
    (14, hs.ServerHelloDone),
    (15, hs.CertificateVerify),
    (20, hs.Finished),
    (22, hs.CertificateStatus),
]
BY_KEY_EXCHANGE = [
    (key_exchange.RSA, kx.ServerKeyExchangeUnknown, kx.ClientKeyExchangeRsa),
    (key_exchange.DHE, kx.ServerKeyExchangeDhe, kx.ClientKeyExchangeDh),
    (key_exchange.ECDHE, kx.ServerKeyExchangeEcdhe, kx.ClientKeyExchangeEcdh),
    (key_exchange.DH_ANON, kx.ServerKeyExchangeDhAnon, kx.ClientKeyExchangeDh),
    (key_exchange.ECDH_ANON, kx.ServerKeyExchangeEcdhAnon, kx.ClientKeyExchangeEcdh),
    (key_exchange.PSK, kx.ServerKeyExchangePsk, kx.ClientKeyExchangePsk),
    (key_exchange.DHE_PSK, kx.ServerKeyExchangeDhePsk, kx.ClientKeyExchangeDhePsk),
    (key_exchange.ECDHE_PSK, kx.ServerKeyExchangeEcdhePsk, kx.ClientKeyExchangeEcdhePsk),
    (key_exchange.RSA_PSK, kx.ServerKeyExchangePsk, kx.ClientKeyExchangeRsaPsk),
]
FORMS = [(cls, None) for _, cls in BY_TYPE] + [(cls, how) for how, *pair in BY_KEY_EXCHANGE for cls in pair]


@pytest.mark.rfc("5246", "7.4")
@pytest.mark.parametrize(("number", "cls"), BY_TYPE)
def test_type_gives_the_struct(number, cls):
    assert handshake_class(number, None) is cls
    assert cls.handshake_type == number


@pytest.mark.rfc("5246", "7.4.3")
@pytest.mark.parametrize(("how", "server", "client"), BY_KEY_EXCHANGE)
def test_key_exchange_gives_the_form(how, server, client):
    assert handshake_class(12, how) is server
    assert handshake_class(16, how) is client


def test_every_key_exchange_has_its_forms():
    assert {how for how, *_ in BY_KEY_EXCHANGE} == set(KEY_EXCHANGES)


def test_without_a_key_exchange_the_form_is_unknown():
    assert handshake_class(12, None) is kx.ServerKeyExchangeUnknown
    assert handshake_class(16, None) is kx.ClientKeyExchangeUnknown
    assert handshake_class(99, None) is hs.Unknown


@pytest.mark.rfc("5246", "6.2.1")
def test_content_types_have_their_structs():
    assert content_class(ContentType.CHANGE_CIPHER_SPEC) is ChangeCipherSpec
    assert content_class(ContentType.ALERT) is Alert
    assert content_class(ContentType.APPLICATION_DATA) is ApplicationData
    assert content_class(ContentType.HANDSHAKE) is None


@pytest.mark.parametrize(("cls", "how"), FORMS, ids=lambda value: getattr(value, "__name__", None))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_message_comes_back_with_its_header(cls, how, data):
    message = data.draw(strategy_for(cls))
    raw = serialise_handshake(message)
    assert raw[0] == cls.handshake_type
    assert int.from_bytes(raw[1:4], "big") == len(raw) - 4
    assert parse_handshake(raw, how) == message
    spans = annotate_handshake(raw, how)
    assert check_tiling(spans, len(raw)) == ""
    assert [span.path for span in spans[:2]] == [f"{cls.path_name}.msg_type", f"{cls.path_name}.length"]


@given(raw=st.binary(max_size=60), how=st.none() | st.sampled_from(KEY_EXCHANGES), number=st.sampled_from(HandshakeType))
@settings(max_examples=150, deadline=None)
def test_any_bytes_behind_any_type_tile_and_raise_nothing_else(raw, how, number):
    whole = bytes((number,)) + len(raw).to_bytes(3, "big") + raw
    assert check_tiling(annotate_handshake(whole, how), len(whole)) == ""
    assert check_tiling(annotate_handshake(whole[:3], how), 3) == ""
    try:
        assert serialise(parse_handshake(whole, how)) == raw
    except DecodeError as error:
        assert 4 <= error.offset <= len(whole)
        assert error.rfc


def test_header_cut_short_is_one_fault():
    assert [span.fault for span in annotate_handshake(b"\1\0", None)] == [True]
    assert annotate_handshake(b"", None)[0].fault
