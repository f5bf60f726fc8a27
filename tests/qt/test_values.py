"""QByteArray, QDateTime, QHostAddress, certificates, keys, suites and configurations."""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.ca import DevelopmentCa
from puretls.qt import (
    QBuffer,
    QByteArray,
    QDateTime,
    QFile,
    QHostAddress,
    QIODevice,
    QSsl,
    QSslCertificate,
    QSslCipher,
    QSslConfiguration,
    QSslDiffieHellmanParameters,
    QSslEllipticCurve,
    QSslError,
    QSslKey,
    QSslPreSharedKeyAuthenticator,
    QSslSocket,
)
from puretls.qt.verification import Trust, examine, faults_of
from puretls.x509.verifier import ChainRequest


def test_byte_array_is_bytes_in_most_ways() -> None:
    data = QByteArray(b"reply")
    assert (bytes(data), data.data(), len(data), data.size(), data[0], data[1:3]) == (b"reply", b"reply", 5, 5, b"r", b"ep")
    assert data == b"reply"
    assert data == "reply"
    assert data != b"other"
    assert data.startsWith(b"re")
    assert b"".join([data, b"!"]) == b"reply!"
    assert (data + b"!").endsWith(b"!")
    assert QByteArray(b"ab").toHex() == b"6162"
    assert QByteArray.fromHex(b"61 62") == b"ab"
    assert [bytes(part) for part in QByteArray(b"a,b").split(b",")] == [b"a", b"b"]
    assert QByteArray(b" x ").trimmed() == b"x"
    assert QByteArray(b"12").toInt() == (12, True)


@given(st.binary(max_size=50), st.integers(-5, 60), st.integers(-5, 60))
def test_byte_array_cuts_as_slices_do(data: bytes, start: int, count: int) -> None:
    array = QByteArray(data)
    assert array.left(count) == data[: max(0, count)]
    assert bytes(QByteArray.fromBase64(array.toBase64())) == data
    assert bytes(QByteArray.fromPercentEncoding(array.toPercentEncoding())) == data
    array.truncate(max(0, start))
    assert array == data[: max(0, start)]


def test_dates_print_in_qts_letters() -> None:
    moment = QDateTime.fromSecsSinceEpoch(0).addDays(1).addSecs(3661)
    assert moment.toString("yyyy-MM-dd HH:mm:ss.zzz") == "1970-01-02 01:01:01.000"
    assert moment.toString("d.M.yy 'at' h:mm AP") == "2.1.70 at 1:01 AM"
    assert moment.toPython() == datetime.datetime(1970, 1, 2, 1, 1, 1)
    assert moment > QDateTime.fromSecsSinceEpoch(0)
    assert not QDateTime().isValid()
    assert QDateTime().toString() == ""


@pytest.mark.parametrize(
    ("text", "protocol", "loopback"),
    [("127.0.0.1", "IPv4Protocol", True), ("::1", "IPv6Protocol", True), ("192.0.2.1", "IPv4Protocol", False)],
)
def test_host_addresses_know_themselves(text: str, protocol: str, loopback: bool) -> None:
    address = QHostAddress(text)
    assert address.toString() == text
    assert address.protocol().name == protocol
    assert address.isLoopback() is loopback
    assert address == QHostAddress(address)
    assert QHostAddress("host.example").isNull()
    assert QHostAddress(QHostAddress.LocalHost) == QHostAddress("127.0.0.1")
    assert QHostAddress("10.1.2.3").isInSubnet(QHostAddress("10.1.0.0"), 16)


def test_certificate_says_what_is_in_it(pki) -> None:
    leaf = QSslCertificate(pki.server.chain_pem)
    assert not leaf.isNull()
    assert leaf.subjectAlternativeNames()[QSsl.DnsEntry] == ["server.test"]
    assert leaf.subjectAlternativeNames()[QSsl.IpAddressEntry] == ["127.0.0.1"]
    assert QSslCertificate(leaf.toDer(), QSsl.Der) == leaf
    assert QSslCertificate(leaf.toPem()) == leaf
    assert leaf.publicKey().algorithm() is QSsl.Ec
    assert leaf.expiryDate() > QDateTime.currentDateTimeUtc() > leaf.effectiveDate()
    assert {"extendedKeyUsage", "subjectAltName"} <= {each.name() for each in leaf.extensions()}
    assert [each.value() for each in pki.root.extensions() if each.name() == "basicConstraints"] == [{"ca": True}]
    assert pki.root.isSelfSigned()
    assert QSslCertificate(b"nonsense").isNull()
    assert len(QSslCertificate.fromPath(str(pki.folder / "*.pem"), QSsl.Pem, QSslCertificate.PatternSyntax.Wildcard)) >= 3


@given(st.binary(max_size=200))
def test_no_bytes_make_values_raise(data: bytes) -> None:
    for form in (QSsl.Pem, QSsl.Der):
        assert QSslCertificate(data, form).isNull()
        assert QSslKey(data, QSsl.Rsa, form).isNull()
        assert not QSslDiffieHellmanParameters.fromEncoded(data, form).isValid()
    pem = b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n"
    assert QSslCertificate.fromData(pem) == []


def test_keys_round_and_compare(pki) -> None:
    key = QSslKey(pki.server.key_pem, QSsl.Ec)
    assert (key.isNull(), key.length(), key.type()) == (False, 256, QSsl.PrivateKey)
    assert QSslKey(key.toPem(), QSsl.Ec) == key == QSslKey(key)
    assert bytes(key.toPem()).startswith(b"-----BEGIN EC PRIVATE KEY-----")
    secret = key.toPem(b"pass")
    assert b"ENCRYPTED" in bytes(secret)
    assert QSslKey(secret, QSsl.Ec, QSsl.Pem, QSsl.PrivateKey, b"pass") == key
    assert QSslKey(secret, QSsl.Ec, QSsl.Pem, QSsl.PrivateKey, b"other").isNull()
    wrong = QSslKey(pki.server.key_pem, QSsl.Rsa)
    assert (wrong.isNull(), wrong.algorithm(), wrong.length()) == (True, QSsl.Rsa, -1)


def test_devices_can_be_read_from(pki, tmp_path: Path) -> None:
    buffer = QBuffer(pki.server.chain_pem)
    assert buffer.open(QIODevice.ReadOnly)
    assert len(QSslCertificate.fromDevice(buffer)) == len(pki.server.chain)
    file = QFile(str(pki.folder / "server.key"))
    assert file.open(QIODevice.ReadOnly)
    assert not QSslKey(file, QSsl.Ec).isNull()
    assert not QFile(str(tmp_path / "none")).open(QIODevice.ReadOnly)


def test_suites_have_openssls_words() -> None:
    old, new = QSslCipher("AES128-SHA"), QSslCipher("ECDHE-RSA-CHACHA20-POLY1305")
    assert (old.protocolString(), old.protocol(), old.keyExchangeMethod()) == ("SSLv3", QSsl.UnknownProtocol, "RSA")
    assert (new.encryptionMethod(), new.usedBits()) == ("CHACHA20/POLY1305(256)", 256)
    assert QSslCipher("AES128-SHA", QSsl.TlsV1_2).isNull()
    assert all(not cipher.isNull() and cipher.encryptionMethod() for cipher in QSslConfiguration.supportedCiphers())
    assert QSslEllipticCurve.fromShortName("prime256v1").isTlsNamedCurve()


def test_configuration_is_a_value() -> None:
    first = QSslConfiguration.defaultConfiguration()
    second = QSslConfiguration(first)
    assert first == second
    second.setSslOption(QSsl.SslOptionDisableSessionTickets, True)
    assert first != second
    assert QSslConfiguration().isNull()
    assert not first.isNull()
    second.setCiphers("AES128-SHA:nonsense")
    assert [cipher.name() for cipher in second.ciphers()] == ["AES128-SHA"]
    QSslConfiguration.setDefaultConfiguration(second)
    assert [cipher.name() for cipher in QSslSocket().sslConfiguration().ciphers()] == ["AES128-SHA"]


def test_no_repr_of_a_configuration_shows_its_session_or_its_key(pki) -> None:
    made = pki.configuration(pki.server)
    made.setSessionTicket(b"the secrets of a session")
    shown = repr(made) + repr(vars(made))
    assert "the secrets of a session" not in shown
    assert "private_key" not in shown
    assert "ca_certificates" in shown


def test_errors_compare_by_kind_and_certificate(pki) -> None:
    leaf = QSslCertificate(pki.server.chain_pem)
    expired = QSslError(QSslError.CertificateExpired, leaf)
    assert expired == QSslError(QSslError.CertificateExpired, leaf) == QSslError(expired)
    assert expired != QSslError(QSslError.CertificateExpired)
    assert expired.errorString() == "The certificate has expired"
    assert QSslCertificate.verify([leaf])[0].detail() != ""
    asked = QSslPreSharedKeyAuthenticator()
    asked.setPreSharedKey(b"\1\2")
    assert b"\1\2" not in repr(asked).encode()


@pytest.mark.parametrize(
    ("depth", "sent", "told"),
    [
        ("intermediate", "without its root", ["UnableToGetLocalIssuerCertificate"]),
        ("intermediate", "with its root", ["SelfSignedCertificateInChain"]),
        ("root alone", "without its root", ["UnableToGetLocalIssuerCertificate", "UnableToVerifyFirstCertificate"]),
        ("root alone", "with its root", ["SelfSignedCertificateInChain"]),
    ],
)
def test_an_authority_that_was_made_anew_under_its_old_name_is_no_issuer(depth: str, sent: str, told: list[str]) -> None:
    """The client trusts the old one; the errors are those of Qt 6.12, which was asked with such chains."""
    old, new = (DevelopmentCa.create(os.urandom, time.time(), intermediate=depth == "intermediate") for _ in range(2))
    chain = (*new.issue(["localhost"]).chain, *([new.root.certificate] if sent == "with its root" else []))
    trust = Trust((old.root.certificate,))
    report = examine(ChainRequest(chain, "server", None, time.time()), trust)
    errors = faults_of(report, [QSslCertificate(der, QSsl.EncodingFormat.Der) for der in chain], trust)
    assert [error.error().name for error in errors] == told
