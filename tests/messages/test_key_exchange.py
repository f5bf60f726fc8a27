"""Forms of ServerKeyExchange and ClientKeyExchange against bytes written out by hand."""

import pytest

from puretls.errors import DecodeError
from puretls.iana import NamedGroup, SignatureScheme
from puretls.messages import key_exchange as kx
from puretls.wire.schema import parse, serialise

EXAMPLES = [
    (
        "03 001d 02 aabb 0804 0001cc",
        kx.ServerKeyExchangeEcdhe(
            kx.ServerEcdhParams(3, NamedGroup.X25519, b"\xaa\xbb"),
            kx.DigitallySigned(SignatureScheme.RSA_PSS_RSAE_SHA256, b"\xcc"),
        ),
    ),
    (
        "0001 17 0001 02 0001 08 0401 0001cc",
        kx.ServerKeyExchangeDhe(
            kx.ServerDhParams(b"\x17", b"\2", b"\x08"), kx.DigitallySigned(SignatureScheme.RSA_PKCS1_SHA256, b"\xcc")
        ),
    ),
    ("0001 17 0001 02 0001 08", kx.ServerKeyExchangeDhAnon(kx.ServerDhParams(b"\x17", b"\2", b"\x08"))),
    ("03 0017 01 04", kx.ServerKeyExchangeEcdhAnon(kx.ServerEcdhParams(3, NamedGroup.SECP256R1, b"\4"))),
    ("0002 6869", kx.ServerKeyExchangePsk(b"hi")),
    ("0000", kx.ServerKeyExchangePsk(b"")),
    ("0000 0001 17 0001 02 0001 08", kx.ServerKeyExchangeDhePsk(b"", kx.ServerDhParams(b"\x17", b"\2", b"\x08"))),
    ("0001 68 03 001d 01 04", kx.ServerKeyExchangeEcdhePsk(b"h", kx.ServerEcdhParams(3, NamedGroup.X25519, b"\4"))),
    ("0002 abcd", kx.ClientKeyExchangeRsa(b"\xab\xcd")),
    ("0001 08", kx.ClientKeyExchangeDh(b"\x08")),
    ("02 abcd", kx.ClientKeyExchangeEcdh(b"\xab\xcd")),
    ("0002 6869", kx.ClientKeyExchangePsk(b"hi")),
    ("0001 68 0001 08", kx.ClientKeyExchangeDhePsk(b"h", b"\x08")),
    ("0001 68 01 08", kx.ClientKeyExchangeEcdhePsk(b"h", b"\x08")),
    ("0001 68 0001 08", kx.ClientKeyExchangeRsaPsk(b"h", b"\x08")),
]


@pytest.mark.rfc("5246", "4.7")
@pytest.mark.parametrize(("wire", "message"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_form_is_read_and_written(wire, message):
    raw = bytes.fromhex(wire)
    assert parse(type(message), raw) == message
    assert serialise(message) == raw


@pytest.mark.parametrize(("wire", "message"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_form_cut_short_or_with_bytes_left_is_refused(wire, message):
    raw = bytes.fromhex(wire)
    for bad in (raw[:-1], raw + b"\0"):
        with pytest.raises(DecodeError):
            parse(type(message), bad)


@pytest.mark.rfc("5246", "7.4.3")
@pytest.mark.parametrize("wire", ["0000 0001 02 0001 08", "0001 17 0000 0001 08", "0001 17 0001 02 0000"])
def test_finite_field_values_are_not_empty(wire):
    with pytest.raises(DecodeError, match="length 0"):
        parse(kx.ServerKeyExchangeDhAnon, bytes.fromhex(wire))


@pytest.mark.rfc("8422", "5.4")
def test_points_are_not_empty():
    with pytest.raises(DecodeError, match="length 0"):
        parse(kx.ServerKeyExchangeEcdhAnon, bytes.fromhex("03001d00"))
    with pytest.raises(DecodeError, match="length 0"):
        parse(kx.ClientKeyExchangeEcdh, bytes.fromhex("00"))
