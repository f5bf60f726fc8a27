"""RFC 5280 6.3.3: which CRL counts for a certificate, and what it says."""

import base64
import gzip
import json
import os

import pytest

from puretls.ca import DAY, DevelopmentCa
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.crl import Crl
from puretls.x509.drafts import CertificateDraft, CrlDraft, RevokedEntry, Signer
from puretls.x509.keys import spki_bytes
from puretls.x509.ocsp.fields import Status
from puretls.x509.reports.rules import profile
from puretls.x509.revocation import Revocation
from puretls.x509.revocation.case import Case, SignatureChecker
from puretls.x509.revocation.crls import crl_status

pytestmark = pytest.mark.rfc("5280", "6.3.3")
NOW = 1_800_000_000
CA = DevelopmentCa.create(os.urandom, NOW)
ABOVE = (Certificate.parse(CA.intermediate.certificate), Certificate.parse(CA.root.certificate))
CHECKER = SignatureChecker(default().verify, profile("default"))
URI = "http://crl.test/1"
LEAF = Certificate.parse(CA.issue(["plain.test"]).certificate)
WITH_POINT = Certificate.parse(CA.issue(["point.test"], extensions=(drafts.crl_distribution_points(URI),)).certificate)


def crl(*extensions, serials=(), reason=None, signer=None, **changes):
    fields = {
        "issuer": CA.issuer.name,
        "this_update": NOW - 10,
        "next_update": NOW + DAY,
        "revoked": tuple(RevokedEntry(serial, NOW - 5, reason) for serial in serials),
        "extensions": extensions or (drafts.crl_number(1),),
    }
    return Crl.parse(CrlDraft(**(fields | changes)).signed(signer or CA.signer))


def status(certificate, *crls, certificates=(), now=NOW, above=ABOVE, **policy):
    revocation = Revocation("hard", crls=tuple(crls), certificates=tuple(certificates), **policy)
    return crl_status(Case(certificate, above, revocation, now, CHECKER))


def test_good_revoked_and_without_a_crl():
    assert status(LEAF, crl()).status is Status.GOOD
    answer = status(LEAF, crl(serials=[LEAF.serial_number], reason=1))
    assert (answer.status, answer.reason, answer.time) == (Status.REVOKED, 1, NOW - 5)
    assert "keyCompromise" in answer.sentence
    assert "no CRL" in status(LEAF).sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"this_update": NOW + 1000}, "future"),
        ({"next_update": NOW - 1}, "out of date"),
        ({"this_update": NOW - 8 * DAY, "next_update": None}, "too old"),
        ({"issuer": CA.root.name}, "no CRL of"),
        ({"signer": Signer(CA.root.key, os.urandom, default())}, "does not verify"),
    ],
)
def test_crls_that_do_not_count_leave_the_status_unknown(changes, words):
    answer = status(LEAF, crl(**changes))
    assert answer.status is Status.UNKNOWN
    assert words in answer.sentence


def test_a_maximal_age_applies_besides_the_next_update():
    assert status(LEAF, crl(), max_age=5).status is Status.UNKNOWN
    assert status(LEAF, crl(), max_age=50).status is Status.GOOD


def test_an_unknown_critical_extension_disqualifies_the_list():
    unknown = drafts.extension(oids.encode_oid("1.2.3.4"), b"\x05\x00", critical=True)
    assert "1.2.3.4" in status(LEAF, crl(unknown, serials=[LEAF.serial_number])).sentence


def test_one_good_crl_among_useless_ones_is_found():
    assert status(LEAF, crl(next_update=NOW - 1), crl(issuer=CA.root.name), crl()).status is Status.GOOD


@pytest.mark.rfc("5280", "5.2.5")
def test_distribution_points_must_match():
    there, elsewhere = (drafts.issuing_distribution_point(uri) for uri in (URI, "http://crl.test/2"))
    assert status(WITH_POINT, crl(there)).status is Status.GOOD
    assert status(WITH_POINT, crl()).status is Status.GOOD
    assert "another distribution point" in status(WITH_POINT, crl(elsewhere)).sentence
    assert "another distribution point" in status(LEAF, crl(there)).sentence


def test_every_distribution_point_is_looked_at_not_only_the_first():
    points = (drafts.crl_distribution_points("http://crl.test/other", URI),)
    leaf = Certificate.parse(CA.issue(["two.test"], extensions=points).certificate)
    there = drafts.issuing_distribution_point(URI)
    assert status(leaf, crl(there)).status is Status.GOOD
    assert status(leaf, crl(there, serials=[leaf.serial_number])).status is Status.REVOKED


def test_a_list_is_judged_by_its_signature_before_its_entries_count():
    forged = crl(serials=[LEAF.serial_number], signer=Signer(CA.root.key, os.urandom, default()))
    assert status(LEAF, forged).status is Status.UNKNOWN


@pytest.mark.rfc("5280", "5.2.5")
def test_scopes_by_kind_of_certificate():
    user, authority = drafts.issuing_distribution_point(user=True), drafts.issuing_distribution_point(ca=True)
    assert status(LEAF, crl(user)).status is Status.GOOD
    assert status(LEAF, crl(authority)).status is Status.UNKNOWN
    root_signer = Signer(CA.root.key, os.urandom, default())
    middle = {"above": ABOVE[1:]}
    assert status(ABOVE[0], crl(authority, issuer=CA.root.name, signer=root_signer), **middle).status is Status.GOOD
    assert status(ABOVE[0], crl(user, issuer=CA.root.name, signer=root_signer), **middle).status is Status.UNKNOWN


def some_reasons(*bits):
    inner = writer.tlv(0x83, writer.named_bits(bits)[2:])
    return drafts.extension(oids.ISSUING_DISTRIBUTION_POINT, writer.sequence(inner), critical=True)


@pytest.mark.rfc("5280", "5.2.5")
def test_reasons_must_be_covered_together():
    first, second = some_reasons(1, 2, 3, 4), some_reasons(5, 6, 7, 8)
    assert "only some reasons" in status(LEAF, crl(first)).sentence
    assert status(LEAF, crl(first), crl(second)).status is Status.GOOD
    assert status(LEAF, crl(first), crl(second, serials=[LEAF.serial_number])).status is Status.REVOKED


@pytest.mark.rfc("5280", "5.2.4")
def test_delta_crls_add_and_remove():
    base = crl(drafts.crl_number(1), serials=[LEAF.serial_number], reason=6)
    delta = (drafts.crl_number(2), drafts.delta_crl_indicator(1))
    assert status(LEAF, base).status is Status.REVOKED
    assert status(LEAF, base, crl(*delta, serials=[LEAF.serial_number], reason=8)).status is Status.GOOD
    clean = crl(drafts.crl_number(1))
    assert status(LEAF, clean, crl(*delta, serials=[LEAF.serial_number], reason=1)).status is Status.REVOKED
    assert status(LEAF, crl(*delta)).status is Status.UNKNOWN


@pytest.mark.rfc("5280", "5.2.4")
def test_deltas_to_a_newer_base_or_of_the_past_are_ignored():
    clean = crl(drafts.crl_number(1))
    serials = [LEAF.serial_number]
    too_new = crl(drafts.crl_number(6), drafts.delta_crl_indicator(5), serials=serials)
    older = crl(drafts.crl_number(0), drafts.delta_crl_indicator(0), serials=serials)
    stale = crl(drafts.crl_number(2), drafts.delta_crl_indicator(1), serials=serials, next_update=NOW - 1)
    for delta in (too_new, older, stale):
        assert status(LEAF, clean, delta).status is Status.GOOD


def issuer_of_crls(issuer_name=None, signer=None, usage=drafts.CRL_SIGN, name=None, days=(-1, 1)):
    """A certificate for signing CRLs, and its key."""
    key = default().generate("secp256r1", os.urandom)
    subject = name or drafts.name((oids.COMMON_NAME, "CRL issuer"))
    draft = CertificateDraft(
        subject,
        issuer_name or CA.issuer.name,
        77,
        NOW + days[0] * DAY,
        NOW + days[1] * DAY,
        spki_bytes(key.public),
        () if usage is None else (drafts.key_usage(usage),),
    )
    return Certificate.parse(draft.signed(signer or CA.signer)), Signer(key, os.urandom, default())


def indirect_leaf(issuer):
    point = writer.sequence(writer.explicit(2, writer.explicit(4, issuer)))
    return Certificate.parse(
        CA.issue(["a.test"], extensions=(drafts.extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(point)),)).certificate
    )


@pytest.mark.rfc("5280", "5.3.3")
def test_indirect_crls_count_when_announced_and_vouched_for():
    certificate, signer = issuer_of_crls()
    leaf = indirect_leaf(certificate.subject.raw)
    indirect = drafts.issuing_distribution_point(indirect=True)
    named = drafts.extension(oids.CERTIFICATE_ISSUER, writer.sequence(writer.explicit(4, CA.issuer.name)), critical=True)
    clean = crl(indirect, issuer=certificate.subject.raw, signer=signer)
    listing = crl(
        indirect, issuer=certificate.subject.raw, signer=signer, revoked=(RevokedEntry(leaf.serial_number, NOW, 1, (named,)),)
    )
    same_number_elsewhere = crl(indirect, issuer=certificate.subject.raw, signer=signer, serials=[leaf.serial_number])
    known = {"certificates": [certificate]}
    assert status(leaf, clean, **known).status is Status.GOOD
    assert status(leaf, listing, **known).status is Status.REVOKED
    assert status(leaf, same_number_elsewhere, **known).status is Status.GOOD
    assert status(leaf, clean).status is Status.UNKNOWN
    assert status(leaf, crl(issuer=certificate.subject.raw, signer=signer), **known).status is Status.UNKNOWN
    assert status(WITH_POINT, crl(indirect)).status is Status.UNKNOWN


def test_a_second_key_of_the_authority_may_sign_when_the_path_vouches_for_it():
    root_signer = Signer(CA.root.key, os.urandom, default())
    certificate, signer = issuer_of_crls(CA.root.name, root_signer, name=CA.issuer.name)
    second = crl(signer=signer)
    assert status(LEAF, second, certificates=[certificate]).status is Status.GOOD
    assert status(LEAF, second).status is Status.UNKNOWN


@pytest.mark.rfc("5280", "6.3.3")
def test_crl_sign_is_asked_for_where_the_signer_has_key_usage():
    """6.3.3 (f)."""
    certificate, signer = issuer_of_crls(CA.root.name, Signer(CA.root.key, os.urandom, default()), None, CA.issuer.name)
    assert status(LEAF, crl(signer=signer), certificates=[certificate]).status is Status.GOOD


@pytest.mark.parametrize("flaw", ["stranger", "usage", "expired", "revoked"])
def test_signers_that_nobody_vouches_for_are_refused(flaw):
    root_signer = Signer(CA.root.key, os.urandom, default())
    stranger = DevelopmentCa.create(os.urandom, NOW)
    signer_of_signer = Signer(stranger.root.key, os.urandom, default()) if flaw == "stranger" else root_signer
    usage = drafts.DIGITAL_SIGNATURE if flaw == "usage" else drafts.CRL_SIGN
    days = (-9, -5) if flaw == "expired" else (-1, 1)
    certificate, signer = issuer_of_crls(CA.root.name, signer_of_signer, usage, CA.issuer.name, days)
    crls = [crl(signer=signer)]
    if flaw == "revoked":
        crls.append(crl(issuer=CA.root.name, signer=root_signer, serials=[certificate.serial_number]))
    assert status(LEAF, *crls, certificates=[certificate]).status is Status.UNKNOWN


def test_all_66_crls_of_boringssl_are_judged_right(shared):
    document = json.loads(gzip.decompress((shared / "x509" / "bssl-pki.json.gz").read_bytes()))
    checker = SignatureChecker(default().verify, profile("default", without=("sha1", "rsa-size")))
    wrong = []
    for case in document["crl"]:
        certificates = {label: Certificate.parse(base64.b64decode(der)) for label, der in case["certificates"]}
        above = tuple(certificates[label] for label in ("CA CERTIFICATE", "CA CERTIFICATE 2") if label in certificates)
        try:
            revocation = Revocation("hard", crls=(Crl.parse(base64.b64decode(case["crl"])),), max_age=case["max_age_seconds"])
            found = crl_status(Case(certificates["CERTIFICATE"], above, revocation, case["time"], checker)).status.name
        except DecodeError:
            found = "UNKNOWN"
        if found != case["revocation_status"]:
            wrong.append((case["id"], found))
    assert len(document["crl"]) == 66
    assert wrong == []
