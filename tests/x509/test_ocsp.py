"""OCSP responses: strict parsing, who may sign them, when they count, any bytes."""

import base64
import contextlib
import gzip
import json
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.ca import DAY, DevelopmentCa
from puretls.crypto.provider import default
from puretls.danger import fixed_random
from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.spans import check_tiling
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.explain import annotated
from puretls.x509.drafts import OcspDraft, Signer
from puretls.x509.ocsp import OcspResponse
from puretls.x509.ocsp.fields import Status
from puretls.x509.reports.rules import profile
from puretls.x509.revocation import Revocation
from puretls.x509.revocation.case import Case, SignatureChecker
from puretls.x509.revocation.responses import ocsp_status

pytestmark = pytest.mark.rfc("6960", "4.2.2")
NOW = 1_800_000_000
CA = DevelopmentCa.create(fixed_random(b"test_ocsp"), NOW)
ISSUER = Certificate.parse(CA.intermediate.certificate)
ROOT = Certificate.parse(CA.root.certificate)
CHECKER = SignatureChecker(default().verify, profile("default"))
ISSUED = CA.issue(["leaf.test"])
LEAF = Certificate.parse(ISSUED.certificate)
SINGLE = CA.single(LEAF.raw)
CRITICAL = drafts.extension(oids.encode_oid("1.2.3.4"), b"\x05\x00", critical=True)


def response(*singles, signer=None, **changes):
    fields = {"responder": CA.issuer.key.public, "produced_at": NOW, "responses": singles or (SINGLE,)}
    return OcspDraft(**(fields | changes)).signed(signer or CA.signer)


def status(data, now=NOW, checker=CHECKER, **policy):
    return ocsp_status(Case(LEAF, (ISSUER, ROOT), Revocation("hard", **policy), now, checker), data)


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("responder", [CA.issuer.key.public, CA.issuer.name])
def test_good_by_name_and_by_key_hash_with_every_hash_in_the_certificate_id(hash_name, responder):
    identifier = drafts.cert_id(CA.issuer.name, CA.issuer.key.public, LEAF.serial_number, hash_name)
    assert status(response(replace(SINGLE, cert_id=identifier), responder=responder)).status is Status.GOOD


def test_revoked_and_unknown_say_so():
    answer = status(CA.ocsp_response(LEAF.raw, "revoked", reason=4))
    assert (answer.status, answer.reason, answer.time) == (Status.REVOKED, 4, NOW)
    assert "superseded" in answer.sentence
    assert status(CA.ocsp_response(LEAF.raw, "unknown")).status is Status.UNKNOWN


def test_of_several_answers_the_worst_counts():
    revoked, unknown = replace(SINGLE, status="revoked", revoked_at=NOW), replace(SINGLE, status="unknown")
    assert status(response(SINGLE, revoked)).status is Status.REVOKED
    assert status(response(SINGLE, unknown)).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "identifier",
    [
        drafts.cert_id(CA.issuer.name, CA.issuer.key.public, LEAF.serial_number + 1),
        drafts.cert_id(CA.root.name, CA.issuer.key.public, LEAF.serial_number),
        drafts.cert_id(CA.issuer.name, CA.root.key.public, LEAF.serial_number),
    ],
)
def test_answers_about_other_certificates_are_no_answer(identifier):
    assert "other certificates" in status(response(replace(SINGLE, cert_id=identifier))).sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"this_update": NOW + 1000}, "future"),
        ({"next_update": NOW - 1}, "out of date"),
        ({"next_update": None, "this_update": NOW - 8 * DAY}, "too old"),
        ({"extensions": (CRITICAL,)}, "1.2.3.4"),
    ],
)
def test_single_responses_that_do_not_count(changes, words):
    assert words in status(response(replace(SINGLE, **changes))).sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"produced_at": NOW + 1000}, "future"),
        ({"produced_at": NOW - 400 * DAY}, "certificate's life"),
        ({"extensions": (CRITICAL,)}, "1.2.3.4"),
        ({"signer": Signer(CA.root.key, os.urandom, default())}, "does not verify"),
        ({"responder": CA.root.key.public}, "missing"),
    ],
)
def test_responses_that_do_not_count(changes, words):
    answer = status(response(**changes))
    assert answer.status is Status.UNKNOWN
    assert words in answer.sentence


def test_clocks_may_differ_by_the_skew():
    assert status(response(produced_at=NOW + 100)).status is Status.GOOD
    assert status(response(produced_at=NOW + 100), skew=10).status is Status.UNKNOWN


@pytest.mark.rfc("6960", "4.2.2.2")
def test_a_delegated_responder_may_answer():
    responder = CA.issue(["responder"], usage="ocsp")
    assert status(CA.ocsp_response(LEAF.raw, responder=responder)).status is Status.GOOD


@pytest.mark.rfc("6960", "4.2.2.2")
@pytest.mark.parametrize("flaw", ["usage", "stranger", "expired", "root", "not sent", "forged"])
def test_delegates_that_the_issuer_did_not_appoint_are_refused(flaw):
    maker = DevelopmentCa.create(os.urandom, NOW) if flaw == "stranger" else CA
    maker = replace(CA, intermediate=None) if flaw == "root" else maker
    responder = maker.issue(["responder"], usage="server" if flaw == "usage" else "ocsp")
    if flaw == "expired":
        responder = maker.issued(replace(responder.draft, not_after=NOW - 5), responder.key)
    signer = Signer(CA.root.key if flaw == "forged" else responder.key, os.urandom, default())
    certificates = () if flaw == "not sent" else (responder.certificate,)
    answer = status(response(responder=responder.key.public, certificates=certificates, signer=signer))
    assert answer.status is Status.UNKNOWN


@pytest.mark.rfc("6960", "4.2.2.2.1")
def test_a_revoked_delegate_is_refused_unless_it_need_not_be_asked_after():
    from puretls.x509.crl import Crl

    plain = CA.issue(["responder"], usage="ocsp")
    asking = CA.issued(replace(plain.draft, extensions=plain.draft.extensions[:-1], serial=99), plain.key)
    crls = (Crl.parse(CA.crl([plain.certificate, asking.certificate])),)
    assert status(CA.ocsp_response(LEAF.raw, responder=plain), crls=crls).status is Status.GOOD
    assert "revoked" in status(CA.ocsp_response(LEAF.raw, responder=asking), crls=crls).sentence
    assert status(CA.ocsp_response(LEAF.raw, responder=asking)).status is Status.GOOD


@pytest.mark.rfc("6960", "2.3")
@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 4, 17])
def test_responses_without_success_are_decode_errors(number):
    with pytest.raises(DecodeError):
        OcspResponse.parse(drafts.ocsp_response(b"", number))


def test_other_types_of_response_and_rubbish_after_it_are_refused():
    good = response()
    with pytest.raises(DecodeError, match="type"):
        OcspResponse.parse(drafts.ocsp_response(b"\x30\x00", kind=oids.OCSP_NONCE))
    with pytest.raises(DecodeError):
        OcspResponse.parse(good + b"\0")


def test_floods_of_answers_and_certificates_are_bounded():
    with pytest.raises(DecodeError, match="more than"):
        OcspResponse.parse(response(*[SINGLE] * 300))
    calls = []
    counting = SignatureChecker(lambda *arguments: calls.append(1) or False, profile("default"))
    responder = CA.issue(["responder"], usage="ocsp")
    status(response(responder=responder.key.public, certificates=(responder.certificate,) * 100), checker=counting)
    assert len(calls) <= 16


GOOD = response()
EXAMPLE = response(
    SINGLE,
    replace(
        SINGLE, status="revoked", reason=1, extensions=(drafts.extension(oids.OCSP_ARCHIVE_CUTOFF, writer.generalized_time(NOW)),)
    ),
    certificates=(CA.root.certificate,),
    extensions=(drafts.extension(oids.OCSP_NONCE, writer.octet_string(b"nonce")),),
)


def test_spans_tile_and_name_the_rfc():
    spans = OcspResponse.parse(EXAMPLE).spans()
    assert check_tiling(spans, len(EXAMPLE)) == ""
    assert not any(span.fault for span in spans)
    assert all("RFC" in span.note for span in spans)
    assert "revoked on" in OcspResponse.parse(EXAMPLE).text()


@pytest.mark.parametrize("count", [300, pytest.param(30_000, marks=pytest.mark.full)])
def test_mutated_responses_raise_nothing_and_are_never_good(count):
    @given(st.data())
    @settings(max_examples=count, deadline=None)
    def check(data):
        mutated = bytearray(GOOD)
        for _ in range(data.draw(st.integers(1, 3))):
            mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(DecodeError):
            OcspResponse.parse(bytes(mutated))
        assert bytes(mutated) == GOOD or status(bytes(mutated)).status is Status.UNKNOWN
        assert check_tiling(annotated(bytes(mutated), OcspResponse.parse, "RFC 6960 4.2.1"), len(mutated)) == ""

    check()


def test_all_36_responses_of_boringssl_are_judged_right(shared):
    document = json.loads(gzip.decompress((shared / "x509" / "bssl-pki.json.gz").read_bytes()))
    checker = SignatureChecker(default().verify, profile("default", without=("sha1", "rsa-size")))
    wrong = []
    for case in document["ocsp"]:
        certificate, issuer = (Certificate.parse(base64.b64decode(case[name])) for name in ("certificate", "issuer"))
        question = Case(certificate, (issuer,), Revocation("hard", max_age=case["max_age_seconds"]), case["time"], checker)
        found = ocsp_status(question, base64.b64decode(case["response"])).status.name
        if found != case["revocation_status"]:
            wrong.append((case["id"], found))
    assert len(document["ocsp"]) == 36
    assert wrong == []
