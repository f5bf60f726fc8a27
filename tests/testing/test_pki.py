"""Chains with exactly one thing wrong: puretls, OpenSSL and pyca/cryptography give the verdict that the table expects."""

import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.testing import pki
from puretls.testing import strategies as tls
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.crl import Crl
from puretls.x509.pem import write_pem
from puretls.x509.reports.rules import RULES
from tests.testing.test_strategies import drawn, failure_of

few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
searching = settings(max_examples=500, deadline=None, database=None)
EVERY = [(name, place) for name, row in pki.DEFECTS.items() for place in row.places(pki.plan(2))]


def made(name, place):
    return pki.DEFECTS[name].in_plan(pki.plan(2), place)


@pytest.mark.parametrize("depth", range(4))
def test_a_plan_without_defect_is_accepted(depth):
    chain = pki.plan(depth).chain()
    assert len(chain.certificates) == depth + 1
    assert chain.accepted
    assert chain.verify().accepted
    assert chain.verify(profile="strict").accepted


@pytest.mark.parametrize(("name", "place"), EVERY, ids=str)
def test_each_defect_is_refused_by_its_rule_alone(name, place):
    """What else the rules find is what they say of the same fault, never before it."""
    chain = made(name, place)
    assert not chain.accepted
    report = chain.verify()
    assert report.findings[0].id == chain.rule
    assert chain.rule in RULES


@pytest.mark.parametrize(("name", "place"), EVERY, ids=str)
def test_what_is_wrong_is_in_the_certificates(name, place):
    """Who validates trusts the same root and asks for the same name at the same time as of the chain in which nothing is wrong."""
    chain, right = made(name, place), pki.plan(2).chain()
    assert chain.certificates != right.certificates
    assert (chain.anchors, chain.server_name, chain.time) == (right.anchors, right.server_name, right.time)


def test_the_table_has_what_people_look_for():
    assert len(pki.DEFECTS) >= 20
    assert {row.rule for row in pki.DEFECTS.values()} >= {
        "expired", "not-yet-valid", "unknown-issuer", "signature", "not-a-ca", "path-length", "key-cert-sign", "name-constraints",
        "extended-key-usage", "unknown-critical-extension", "rsa-size", "sha1", "wrong-host",
    }  # fmt: skip
    with pytest.raises(UsageError, match="no defect is called 'rust'"):
        tls.chains(defect="rust")


# What others say

LENIENT = {
    "openssl": {"version 1 with extensions", "BOOLEAN of 01", "bytes behind the end", "must-staple", "weak key", "SHA-1"},
    "cryptography": {"must-staple", "weak key"},
}
"""What another validator may let pass by default: OpenSSL 3 with `verify`, pyca/cryptography with its policy for servers."""


def openssl_accepts(chain, folder):
    for file, ders in (("leaf.pem", chain.certificates[:1]), ("more.pem", chain.certificates[1:]), ("root.pem", chain.anchors)):
        (folder / file).write_text("".join(write_pem("CERTIFICATE", der) for der in ders))
    command = ["openssl", "verify", "-attime", str(int(chain.time)), "-purpose", "sslserver", "-verify_hostname", chain.server_name,
               "-CAfile", "root.pem", "-untrusted", "more.pem", "leaf.pem"]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def cryptography_accepts(chain):
    x509 = pytest.importorskip("cryptography.x509")
    verification = pytest.importorskip("cryptography.x509.verification")
    try:
        load = x509.load_der_x509_certificate
        leaf, *more = map(load, chain.certificates)
        builder = verification.PolicyBuilder().store(verification.Store([load(chain.anchors[0])]))
        verifier = builder.time(datetime.fromtimestamp(chain.time, UTC)).build_server_verifier(x509.DNSName(chain.server_name))
        verifier.verify(leaf, more)
    except (ValueError, verification.VerificationError, x509.DuplicateExtension, x509.InvalidVersion):
        return False
    return True


@pytest.mark.full
@pytest.mark.interop
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_gives_the_verdicts_that_the_table_expects(tmp_path):
    assert openssl_accepts(pki.plan(2).chain(), tmp_path)
    passed = {name for name, row in pki.DEFECTS.items() if openssl_accepts(made(name, row.places(pki.plan(2))[-1]), tmp_path)}
    assert passed <= LENIENT["openssl"]


@pytest.mark.interop
def test_pyca_cryptography_gives_the_verdicts_that_the_table_expects():
    assert cryptography_accepts(pki.plan(2).chain())
    passed = {name for name, place in EVERY if cryptography_accepts(made(name, place))}
    assert passed <= LENIENT["cryptography"]


# Revocation


@pytest.mark.parametrize(("kind", "defect"), [(kind, name) for kind, rows in pki.STATUS_DEFECTS.items() for name in rows], ids=lambda value: value or "good")
def test_each_answer_about_revocation_gets_its_verdict(kind, defect):
    answer = pki.status(kind, defect)
    report = answer.verify()
    assert report.accepted is answer.accepted
    assert [finding.id for finding in report.findings][:1] == ([answer.rule] if answer.rule else [])


@given(crl=tls.crls(), response=tls.ocsp_responses())
@few
def test_answers_are_drawn_with_their_verdicts(crl, response):
    for answer in (crl, response):
        assert answer.verify().accepted is answer.accepted
    Crl.parse(crl.der)


def test_no_answer_of_such_a_kind():
    with pytest.raises(UsageError, match="no answer is called"):
        tls.crls("rust")


# Strategies


@given(chain=tls.chains())
@settings(parent=few, max_examples=40)
def test_puretls_gives_the_expected_verdict_of_every_chain(chain):
    report = chain.verify()
    assert report.accepted is chain.accepted
    if not chain.accepted:
        assert chain.rule in {finding.id for finding in report.findings}


@given(data=st.data(), depth=st.integers(0, 3))
@few
def test_depth_and_defect_are_what_was_asked_for(data, depth):
    chain = data.draw(tls.chains(depth, None))
    assert len(chain.certificates) == depth + 1
    assert chain.accepted
    assert data.draw(tls.chains(2, "path length")).defect == "path length"


@pytest.mark.full
def test_all_defects_are_drawn_and_a_chain_shrinks_to_a_plain_one():
    assert len({chain.defect for chain in drawn(tls.chains(3), 250)}) > 20
    smallest = find(tls.chains(), lambda chain: chain.defect == "expired", settings=searching)
    assert (len(smallest.certificates), smallest.server_name, smallest.index) == (1, "server.test", 0)


@pytest.mark.full
def test_a_chain_is_printed_with_the_certificate_at_fault():
    text = failure_of(tls.chains(defect="expired"), lambda chain: True)
    assert "value=1 certificate for 'server.test', defect 'expired' in certificate 0" in text
    assert "# " in text
    assert "Certificate.tbs_certificate.validity.not_after = " in text


@pytest.mark.full
def test_single_certificates_are_der_and_printed_with_their_map():
    found = drawn(tls.certificates(), 30)
    assert sum(len(Certificate.parse(der).raw) == len(der) for der in found if der[-1:] != b"\0") > 20
    assert "# 0 " in failure_of(tls.certificates(), lambda der: True)
    assert any(mutated.is_changed for mutated in drawn(tls.almost(tls.certificates(), "lengths"), 10))
