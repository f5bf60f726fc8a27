"""PEM: tolerant of text around blocks, strict inside them."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.errors import DecodeError
from puretls.x509.pem import load_blocks, load_certificates, looks_like_der, read_pem, write_pem

DER = b"\x30\x82\x01\x00" + bytes(256)


@pytest.mark.rfc("7468", "2")
@given(st.binary(max_size=300), st.sampled_from(["CERTIFICATE", "X509 CRL", "PRIVATE KEY"]))
def test_what_is_written_is_read(data, label):
    (block,) = read_pem("before\n" + write_pem(label, data) + "after\n")
    assert (block.label, block.data, block.offset) == (label, data, 7)


def test_lines_are_wrapped_at_64_characters():
    assert max(map(len, write_pem("CERTIFICATE", DER).splitlines())) == 64


def test_text_around_crlf_and_spaces_at_line_ends_are_tolerated():
    text = "Subject: someone\r\n" + write_pem("CERTIFICATE", DER).replace("\n", "  \r\n") + "# ü\r\n"
    assert load_certificates(text.encode()) == (DER,)


def test_headers_are_kept_and_continued():
    pem = write_pem("RSA PRIVATE KEY", DER, [("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-128-CBC,00")])
    (block,) = read_pem(pem.replace("AES-128-CBC,00", "AES-128-CBC,\n 00"))
    assert block.headers == (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-128-CBC,00"))
    assert block.data == DER


@pytest.mark.rfc("7468", "3")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-----BEGIN X-----\nAAAA\n", "no END"),
        ("-----BEGIN X-----\nAAAA\n-----END Y-----\n", "ends as"),
        ("-----BEGIN X-----\nAAAA\n-----BEGIN X-----\n-----END X-----", "no END"),
        ("-----BEGIN X-----\nAA!A\n-----END X-----\n", "base64"),
        ("-----BEGIN X-----\nAAA\n-----END X-----\n", "base64"),
        ("-----BEGIN X-----\nAAAÄ\n-----END X-----\n", "base64"),
        ("-----BEGIN X-----\nAB==\n-----END X-----\n", "stray bits"),
    ],
)
def test_broken_blocks_are_refused_with_their_offset(text, message):
    with pytest.raises(DecodeError, match=message):
        read_pem(text)


def test_der_of_a_certificate_is_taken_as_one():
    assert load_certificates(DER) == (DER,)
    assert load_blocks(DER, "X509 CRL") == (DER,)
    assert not looks_like_der("0" * 300)
    assert not looks_like_der(b"0 text that begins with a zero")


def test_no_certificate_and_trusted_certificates_are_errors():
    with pytest.raises(DecodeError, match="no certificate"):
        load_certificates(write_pem("PRIVATE KEY", DER))
    with pytest.raises(DecodeError, match="TRUSTED"):
        load_certificates(write_pem("TRUSTED CERTIFICATE", DER))
    with pytest.raises(DecodeError, match="no X509 CRL"):
        load_blocks(write_pem("CERTIFICATE", DER), "X509 CRL")


def test_endless_headers_are_refused():
    text = "-----BEGIN X-----\na: b\n" + "c\n" * 100 + "-----END X-----\n"
    with pytest.raises(DecodeError, match="headers"):
        read_pem(text)


def test_repr_shows_no_data():
    (block,) = read_pem(write_pem("PRIVATE KEY", b"secret"))
    assert "secret" not in repr(block)
    assert base64.b64encode(b"secret").decode() not in repr(block)


@given(
    st.lists(st.sampled_from(["-----BEGIN A-----", "-----END A-----", "-----END B-----", "AAAA", "a: b", "", " c", "-----", "ÿ"]))
)
def test_any_text_raises_only_our_errors(lines):
    for text in ("\n".join(lines), "\n".join(lines).encode()):
        with contextlib.suppress(DecodeError):
            read_pem(text)
