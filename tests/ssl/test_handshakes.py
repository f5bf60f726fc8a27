"""`ssl.py` on puretls against the real `ssl`, and against itself, over memory BIOs."""

import shutil
import ssl as real_ssl
import subprocess

import pytest

from puretls.crypto.kernels.ec import combs, ecdsa
from puretls.ssl import policy
from puretls.ssl.constants import VERIFY_X509_PARTIAL_CHAIN
from tests.support.credentials import NAME
from tests.support.pure_ssl import Pair, client_context, failures, files, pure_ssl, server_context

OPENSSL = shutil.which("openssl")
BOTH = {"client": (pure_ssl(), real_ssl), "server": (real_ssl, pure_ssl()), "both": (pure_ssl(), pure_ssl())}
"""Which ends are ours."""


@pytest.fixture(params=BOTH)
def kinds(request):
    return BOTH[request.param]


def test_a_verified_connection_carries_data_both_ways_and_closes(kinds):
    client_ssl, server_ssl = kinds
    pair = Pair(client_context(client_ssl), server_context(server_ssl)).shake()
    assert pair.client.version() == pair.server.version() == "TLSv1.2"
    assert pair.client.cipher() == pair.server.cipher()
    for source, target in (pair.ends, pair.ends[::-1]):
        assert source.write(b"x" * 5000) == 5000
        pair.move()
        assert target.read(3000) + target.read(3000) == b"x" * 5000
    with pytest.raises(client_ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.move()
    assert pair.server.read() == b""
    pair.server.unwrap()
    pair.move()
    pair.client.unwrap()
    with pytest.raises(client_ssl.SSLZeroReturnError):
        pair.client.read()


@pytest.mark.rfc("5246", "7.4.3")
def test_the_signature_of_the_key_exchange_is_verified_together_with_those_of_the_chain(monkeypatch):
    combs.clear()  # which keys have that came before
    policy._CACHES.signatures.clear()
    counts = []
    verify_together = ecdsa.verify_together
    monkeypatch.setattr(ecdsa, "verify_together", lambda signed, *rest: counts.append(len(signed)) or verify_together(signed, *rest))
    monkeypatch.setattr(ecdsa, "verify", None)  # nothing is verified by itself
    Pair(client_context(pure_ssl()), server_context(real_ssl)).shake()
    assert counts == [3]


def test_an_authority_that_is_not_trusted_is_told_to_both(kinds):
    client_ssl, server_ssl = kinds
    stranger = client_ssl.SSLContext(client_ssl.PROTOCOL_TLS_CLIENT)
    stranger.maximum_version = client_ssl.TLSVersion.TLSv1_2
    told = failures(Pair(stranger, server_context(server_ssl)))
    assert isinstance(told["client"], client_ssl.SSLCertVerificationError)
    assert (told["client"].reason, told["client"].verify_code) == ("CERTIFICATE_VERIFY_FAILED", 20)
    assert told["server"].reason == "TLSV1_ALERT_UNKNOWN_CA"


def test_another_name_is_refused(kinds):
    client_ssl, server_ssl = kinds
    told = failures(Pair(client_context(client_ssl), server_context(server_ssl), "other.test"))
    assert told["client"].verify_code == 62
    assert "other.test" in told["client"].verify_message


def test_the_call_back_for_names_changes_the_context_or_refuses():
    ours = pure_ssl()
    asked = []
    other = server_context(ours)
    other.set_alpn_protocols(["other"])

    def choose(sock, name, context):
        asked.append((name, context is first))
        sock.context = other

    first = server_context(ours, sni_callback=choose)
    client = client_context(real_ssl)
    client.set_alpn_protocols(["other"])
    pair = Pair(client, first).shake()
    assert asked == [(NAME, True)]
    assert pair.client.selected_alpn_protocol() == "other"
    assert pair.server.context is other
    first.sni_callback = lambda *_: ours.ALERT_DESCRIPTION_ACCESS_DENIED
    told = failures(Pair(client, first))
    assert told["client"].reason == "TLSV1_ALERT_ACCESS_DENIED"
    assert told["server"].reason == "CALLBACK_FAILED"


def test_a_client_certificate_is_asked_for_and_shown(kinds):
    client_ssl, server_ssl = kinds
    client, server = client_context(client_ssl), server_context(server_ssl, verify_mode=server_ssl.CERT_REQUIRED)
    client.load_cert_chain(files() / "client.pem")
    server.load_verify_locations(files() / "ca.pem")
    for _ in range(2):  # the second resumes where the client is ours
        shown = Pair(client, server).shake().server.getpeercert()
        assert ("DNS", NAME) in shown["subjectAltName"]
    server.verify_mode = server_ssl.CERT_OPTIONAL
    assert Pair(client_context(client_ssl), server).shake().server.getpeercert() is None


def test_a_certificate_without_others_is_sent_with_what_the_context_has_above_it(kinds):
    client_ssl, server_ssl = kinds
    server = server_ssl.SSLContext(server_ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files() / "alone.pem")
    server.maximum_version = server_ssl.TLSVersion.TLSv1_2
    assert "unable to get local issuer" in str(failures(Pair(client_context(client_ssl), server))["client"])
    server.load_verify_locations(files() / "above.pem")
    client = Pair(client_context(client_ssl), server).shake().client
    if client_ssl is not real_ssl:  # whose chains cannot be asked for before 3.13
        assert len(client._sslobj.get_unverified_chain()) == 3


def test_tls_runs_inside_tls(kinds):
    client_ssl, server_ssl = kinds
    outer = Pair(client_context(client_ssl), server_context(server_ssl)).shake()
    inner = Pair(client_context(client_ssl), server_context(server_ssl))
    for (source, target), bio in zip((outer.ends[::-1], outer.ends), inner.bios, strict=True):
        bio.move = carried_by(outer, bio, source, target)
    inner.shake()
    inner.client.write(b"x" * 50_000)
    inner.move()
    received = b""
    while len(received) < 50_000:
        received += inner.server.read(50_000)
    assert received == b"x" * 50_000


def carried_by(outer, bio, source, target):
    """Moves the bytes of one direction of an inner connection through an outer one."""

    def move():
        data = bio.sides[0].read()
        if data:
            source.write(data)
            outer.move()
            left = len(data)
            while left:
                piece = target.read(left)
                bio.sides[1].write(piece)
                left -= len(piece)

    return move


CONFIG = """
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
subjectAltName = DNS:server.test
subjectKeyIdentifier = hash
authorityKeyIdentifier = none
"""


@pytest.mark.skipif(OPENSSL is None, reason="no openssl command here")
def test_a_self_signed_certificate_is_trusted_by_a_strict_context_that_has_it(kinds, tmp_path):
    """VERIFY_X509_STRICT and VERIFY_X509_PARTIAL_CHAIN are what `create_default_context` of CPython 3.13 sets."""
    (tmp_path / "config").write_text(CONFIG)
    pem = tmp_path / "self-signed.pem"
    command = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 9 -subj /CN=server.test -config config"
    arguments = [OPENSSL, *command.split(), "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(arguments, cwd=tmp_path, capture_output=True, check=True)
    pem.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "certificate.pem").read_text())
    client_ssl, server_ssl = kinds
    server = server_ssl.SSLContext(server_ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    server.maximum_version = server_ssl.TLSVersion.TLSv1_2
    client = client_ssl.create_default_context(cafile=pem)
    client.verify_flags |= client_ssl.VERIFY_X509_STRICT | VERIFY_X509_PARTIAL_CHAIN
    assert Pair(client, server).shake().client.getpeercert()["subjectAltName"] == (("DNS", NAME),)
