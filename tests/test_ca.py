"""The development CA: what it issues is accepted by OpenSSL and GnuTLS at their strictest, and refused where it should be."""

import os
import shutil
import subprocess
import time
from dataclasses import replace

import pytest

from puretls.ca import DAY, KINDS, Authority, DevelopmentCa
from puretls.der import oids
from puretls.errors import UsageError
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.keys import key_fits, parse_private_key
from puretls.x509.pem import load_certificates, write_pem

NOW = int(time.time())
FAST = ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448", "rsa2048")


@pytest.fixture(scope="module")
def ca():
    return DevelopmentCa.create(os.urandom, NOW)


def run(*args, data=b""):
    return subprocess.run(args, input=data, capture_output=True, check=False)


def openssl_verify(tmp_path, root_pem, issued, *args):
    (tmp_path / "root.pem").write_text(root_pem)
    (tmp_path / "chain.pem").write_text(issued.chain_pem)
    command = (
        "openssl",
        "verify",
        "-x509_strict",
        "-check_ss_sig",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "chain.pem",
        *args,
        "chain.pem",
    )
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
needs_certtool = pytest.mark.skipif(shutil.which("certtool") is None, reason="certtool (gnutls-bin) is not installed")


@needs_openssl
@pytest.mark.interop
@pytest.mark.parametrize("kind", FAST)
def test_openssl_verifies_a_server_chain_strictly(tmp_path, kind):
    ca = DevelopmentCa.create(os.urandom, NOW, kind)
    issued = ca.issue(["example.test", "*.example.test", "127.0.0.1", "::1"], kind)
    for check in (("-verify_hostname", "example.test"), ("-verify_hostname", "a.example.test"), ("-verify_ip", "::1")):
        done = openssl_verify(tmp_path, ca.root_pem, issued, "-purpose", "sslserver", *check)
        assert done.returncode == 0, done.stderr
    assert openssl_verify(tmp_path, ca.root_pem, issued, "-verify_hostname", "other.test").returncode
    assert openssl_verify(tmp_path, ca.root_pem, issued, "-purpose", "sslclient").returncode


@needs_certtool
@pytest.mark.interop
@pytest.mark.parametrize("kind", FAST)
def test_gnutls_verifies_a_server_chain(tmp_path, kind):
    ca = DevelopmentCa.create(os.urandom, NOW, kind)
    issued = ca.issue(["example.test"], kind)
    (tmp_path / "root.pem").write_text(ca.root_pem)
    arguments = ("certtool", "--verify", "--load-ca-certificate", str(tmp_path / "root.pem"), "--verify-hostname", "example.test")
    done = run(*arguments, "--verify-purpose", "1.3.6.1.5.5.7.3.1", data=issued.chain_pem.encode())
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(*arguments[:-1], "other.test", data=issued.chain_pem.encode()).returncode


@needs_openssl
@pytest.mark.interop
def test_openssl_verifies_a_client_chain_with_mail(ca, tmp_path):
    issued = ca.issue(["ann@example.test", "ann"], usage="client")
    assert (
        openssl_verify(tmp_path, ca.root_pem, issued, "-purpose", "sslclient", "-verify_email", "ann@example.test").returncode
        == 0
    )
    assert openssl_verify(tmp_path, ca.root_pem, issued, "-purpose", "sslserver").returncode


@needs_openssl
@pytest.mark.interop
def test_openssl_sees_what_our_crl_revokes(ca, tmp_path):
    good, bad = ca.issue(["good.test"]), ca.issue(["bad.test"])
    (tmp_path / "crl.pem").write_text(write_pem("X509 CRL", ca.crl([bad.certificate], reason=1)))
    assert openssl_verify(tmp_path, ca.root_pem, good, "-crl_check", "-CRLfile", "crl.pem").returncode == 0
    done = openssl_verify(tmp_path, ca.root_pem, bad, "-crl_check", "-CRLfile", "crl.pem")
    assert "revoked" in done.stderr


@needs_openssl
@pytest.mark.interop
@pytest.mark.parametrize("delegated", [False, True])
@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
def test_openssl_reads_our_ocsp_responses(ca, tmp_path, status, delegated):
    leaf = ca.issue(["leaf.test"])
    responder = ca.issue(["responder"], usage="ocsp") if delegated else None
    (tmp_path / "ocsp").write_bytes(ca.ocsp_response(leaf.certificate, status, reason=1, responder=responder))
    (tmp_path / "root.pem").write_text(ca.root_pem)
    (tmp_path / "issuer.pem").write_text(ca.issuer.pem)
    (tmp_path / "leaf.pem").write_text(leaf.chain_pem)
    command = [
        "openssl",
        "ocsp",
        "-respin",
        "ocsp",
        "-issuer",
        "issuer.pem",
        "-cert",
        "leaf.pem",
        "-CAfile",
        "root.pem",
        "-verify_other",
        "issuer.pem",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Response verify OK" in done.stderr, done.stderr
    assert f"leaf.pem: {status}" in done.stdout


@pytest.mark.parametrize("kind", KINDS[:5])
def test_the_key_fits_the_certificate(ca, kind):
    issued = ca.issue(["example.test"], kind)
    assert key_fits(Certificate.parse(issued.certificate).public_key, issued.key)
    assert parse_private_key(issued.key_pem) == issued.key
    assert load_certificates(issued.chain_pem) == issued.chain


@pytest.mark.rfc("5280", "4.1.2.2")
def test_serials_are_positive_and_all_different(ca):
    serials = {Certificate.parse(ca.issue(["a.test"]).certificate).serial_number for _ in range(5)}
    assert len(serials) == 5
    assert all(0 < serial < 2**159 for serial in serials)


def test_a_leaf_never_outlives_its_issuer(ca):
    assert Certificate.parse(ca.issue(["a.test"], days=9999).certificate).validity.not_after == ca.issuer.not_after


def test_an_authority_that_expired_issues_nothing(ca):
    later = DevelopmentCa.load(ca.root, ca.intermediate, os.urandom, ca.issuer.not_after + 1)
    with pytest.raises(UsageError, match="expired on"):
        later.issue(["a.test"])


def test_long_names_leave_the_subject_empty_and_the_names_critical(ca):
    long = ".".join(["abcdefghijklmnop"] * 5)
    leaf = Certificate.parse(ca.issue([long]).certificate)
    assert not leaf.subject
    assert leaf.extension(oids.SUBJECT_ALT_NAME).critical
    assert leaf.dns_names == (long,)


@pytest.mark.parametrize("bad", ["", "a b", "*", "a.*.test", "-a.test", "a..test", "x" * 64 + ".test", "a@b\x00", "f*.test"])
def test_names_that_are_none_are_refused(ca, bad):
    with pytest.raises(UsageError):
        ca.issue([bad])


def test_international_names_become_a_labels(ca):
    assert Certificate.parse(ca.issue(["bücher.test"]).certificate).dns_names == ("xn--bcher-kva.test",)


def test_unknown_kinds_usages_and_no_names_are_usage_errors(ca):
    for call in (lambda: ca.issue(["a.test"], "dsa"), lambda: ca.issue(["a.test"], usage="mail"), lambda: ca.issue([])):
        with pytest.raises(UsageError):
            call()


def test_a_saved_ca_goes_on_issuing(ca):
    root, middle = (Authority.load(one.certificate, parse_private_key(one.key_pem)) for one in (ca.root, ca.intermediate))
    again = DevelopmentCa.load(root, middle, os.urandom, NOW)
    assert again == ca
    with pytest.raises(UsageError, match="not that of"):
        Authority.load(ca.root.certificate, ca.intermediate.key)


def test_a_broken_variant_is_one_replace_away(ca):
    issued = ca.issue(["a.test"])
    expired = ca.issued(replace(issued.draft, not_after=NOW - DAY), issued.key)
    assert Certificate.parse(expired.certificate).validity.not_after == NOW - DAY
    assert key_fits(Certificate.parse(expired.certificate).public_key, issued.key)


def test_randomness_and_time_come_from_the_arguments_alone():
    def counter():
        state = iter(range(10**6))
        return lambda length: bytes(next(state) % 251 + 1 for _ in range(length))

    first, second = (DevelopmentCa.create(counter(), 1_700_000_000.7, "ed25519") for _ in range(2))
    assert first.root.certificate == second.root.certificate


def test_must_staple_and_distribution_points_are_written(ca):
    more = (
        drafts.must_staple(),
        drafts.crl_distribution_points("http://crl.test/1"),
        drafts.authority_info_access(ocsp=["http://o.test"]),
    )
    leaf = Certificate.parse(ca.issue(["a.test"], extensions=more).certificate)
    assert {oids.TLS_FEATURE, oids.CRL_DISTRIBUTION_POINTS, oids.AUTHORITY_INFO_ACCESS} <= {one.oid for one in leaf.extensions}
