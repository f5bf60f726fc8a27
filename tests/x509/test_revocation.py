"""Revocation in the verifier: modes, stapling, must-staple, alerts."""

import os

import pytest

from puretls.ca import DAY, DevelopmentCa
from puretls.crypto.provider import default
from puretls.errors import UsageError
from puretls.iana import AlertDescription
from puretls.x509 import drafts
from puretls.x509.crl import Crl
from puretls.x509.drafts import Signer
from puretls.x509.revocation import Revocation
from puretls.x509.verifier import ChainRequest, chain_verifier

NOW = 1_800_000_000
CA = DevelopmentCa.create(os.urandom, NOW)
LEAF = CA.issue(["leaf.test"])
STAPLING = CA.issue(["staple.test"], extensions=(drafts.must_staple(),))


def root_crl(*revoked):
    from dataclasses import replace

    return Crl.parse(replace(CA, intermediate=None).crl(revoked))


def crl(*revoked):
    return Crl.parse(CA.crl(revoked))


def verify(issued, mode=None, stapled=None, now=NOW, **revocation):
    chosen = None if mode is None else Revocation(mode, **revocation)
    verifier = chain_verifier([CA.root.certificate], provider=default(), revocation=chosen)
    return verifier(ChainRequest(issued.chain, "server", None, now, ocsp_response=stapled))


def ids(report):
    return [finding.id for finding in report.findings]


@pytest.mark.parametrize("mode", ["soft", "leaf", "hard"])
def test_what_is_known_to_be_revoked_is_refused_in_every_mode_with_its_alert(mode):
    report = verify(LEAF, mode, crls=(crl(LEAF.certificate), root_crl()))
    assert ids(report) == ["revoked"]
    assert report.alert is AlertDescription.CERTIFICATE_REVOKED
    assert report.findings[0].index == 0
    assert report.findings[0].byte_range is not None


@pytest.mark.parametrize("mode", ["soft", "leaf", "hard"])
def test_a_revoked_intermediate_is_refused(mode):
    report = verify(LEAF, mode, crls=(crl(), root_crl(CA.intermediate.certificate)))
    assert ids(report) == ["revoked"]
    assert report.findings[0].index == 1


def test_silence_is_accepted_softly_and_refused_hard():
    assert verify(LEAF).accepted
    assert verify(LEAF, "soft").accepted
    assert ids(verify(LEAF, "leaf")) == ["revocation-unknown"]
    assert verify(LEAF, "leaf", crls=(crl(),)).accepted
    assert ids(verify(LEAF, "hard", crls=(crl(),))) == ["revocation-unknown"]
    assert verify(LEAF, "hard", crls=(crl(), root_crl())).accepted


def test_off_asks_nobody():
    assert verify(LEAF, "off", crls=(crl(LEAF.certificate),), stapled=CA.ocsp_response(LEAF.certificate, "revoked")).accepted


def test_a_stapled_response_is_heeded_without_being_asked_for():
    assert verify(LEAF, stapled=CA.ocsp_response(LEAF.certificate)).accepted
    assert ids(verify(LEAF, stapled=CA.ocsp_response(LEAF.certificate, "revoked"))) == ["revoked"]
    assert verify(LEAF, stapled=b"rubbish").accepted


def test_a_stapled_response_answers_hard_questions_about_the_leaf():
    assert verify(LEAF, "leaf", stapled=CA.ocsp_response(LEAF.certificate)).accepted
    assert verify(LEAF, "leaf", ocsp_responses=(b"rubbish", CA.ocsp_response(LEAF.certificate))).accepted
    report = verify(LEAF, "leaf", stapled=CA.ocsp_response(LEAF.certificate), now=NOW + 8 * DAY)
    assert ids(report) == ["revocation-unknown"]
    assert "out of date" in str(report)


def test_revoked_by_one_source_outweighs_good_by_another():
    good = CA.ocsp_response(LEAF.certificate)
    assert ids(verify(LEAF, "soft", stapled=good, crls=(crl(LEAF.certificate),))) == ["revoked"]


@pytest.mark.rfc("7633", "4.2.3.1")
@pytest.mark.parametrize("mode", [None, "off", "soft", "hard"])
def test_must_staple_is_honoured_in_every_mode(mode):
    crls = {"crls": (crl(), root_crl())} if mode == "hard" else {}
    good = CA.ocsp_response(STAPLING.certificate)
    assert verify(STAPLING, mode, stapled=good, **crls).accepted
    forged = drafts.OcspDraft(CA.issuer.key.public, NOW, (CA.single(STAPLING.certificate),)).signed(
        Signer(CA.root.key, os.urandom, default())
    )
    for stapled in (
        None,
        b"rubbish",
        forged,
        CA.ocsp_response(LEAF.certificate),
        CA.ocsp_response(STAPLING.certificate, "unknown"),
    ):
        report = verify(STAPLING, mode, stapled=stapled, **crls)
        assert "must-staple" in ids(report)
        assert report.alert is AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE


def test_unknown_modes_are_usage_errors():
    with pytest.raises(UsageError, match="firm"):
        Revocation("firm")


def test_signatures_of_answers_count_against_the_budget_of_the_verification():
    report = verify(LEAF, "hard", crls=(crl(),) * 3 + (root_crl(),))
    assert report.signatures >= 4
