"""The chains of BoringSSL's pki tests: verdicts, and which certificate is named. Its trust settings and purposes become rules."""

from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from puretls.crypto.provider import default
from puretls.der import oids
from puretls.der.oids import encode_oid
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier
from tests.x509 import shared

ANCHOR_RULES = {  # last_cert_trust -> (rules off, rules on)
    "TRUSTED_ANCHOR": ({"anchor-validity", "anchor-constraints"}, {"trusted-leaf"}),
    "TRUSTED_ANCHOR_WITH_REQUIRE_BASIC_CONSTRAINTS": ({"anchor-validity", "anchor-constraints"}, {"trusted-leaf"}),
    "TRUSTED_ANCHOR_WITH_EXPIRATION": ({"anchor-constraints"}, {"trusted-leaf"}),
    "TRUSTED_ANCHOR_WITH_CONSTRAINTS": ({"anchor-validity", "root-basic-constraints"}, {"trusted-leaf"}),
    "TRUSTED_ANCHOR_WITH_CONSTRAINTS_REQUIRE_BASIC_CONSTRAINTS": ({"anchor-validity"}, {"trusted-leaf"}),
    "TRUSTED_ANCHOR_WITH_EXPIRATION_AND_CONSTRAINTS": (set(), {"trusted-leaf"}),
    "TRUSTED_ANCHOR_OR_LEAF": ({"anchor-validity", "anchor-constraints"}, set()),
    "TRUSTED_LEAF": (set(), set()),
    "TRUSTED_LEAF_REQUIRE_SELF_SIGNED": (set(), {"trusted-leaf-self-signed"}),
}
RCS_MLS_CLIENT = encode_oid("2.23.146.2.1.3")
RCS_EXTENSIONS = (encode_oid("2.23.146.2.1.4"), encode_oid("2.23.146.2.1.5"))
PURPOSES = {
    "SERVER_AUTH": (oids.SERVER_AUTH,),
    "CLIENT_AUTH": (oids.CLIENT_AUTH,),
    "ANY_EKU": (),
    "RCS_MLS_CLIENT_AUTH": (RCS_MLS_CLIENT,),
    "MLS_CLIENT_AUTH": (RCS_MLS_CLIENT,),
    "C2PA_TIMESTAMPING": (oids.TIME_STAMPING,),
    "C2PA_MANIFEST": (oids.EMAIL_PROTECTION,),
}
CONTRADICTS_ITSELF = {"chain::many-names/ok-all-types"}
"""Said to be valid although t171.test and others are outside of the permitted subtrees t0.test to t170.test."""

STRICTER = {"chain::target-msapplicationpolicies-and-eku/main"}
"""A critical msApplicationPolicies that holds no policies (01020304): not passed over because of extKeyUsage beside it (RFC 5280 4.2)."""


def rules(case):
    """The rules that the case's settings amount to: off and on. SHA-1 and 1024 bit RSA keys are of the age of the data."""
    off, on = (set(group) for group in ANCHOR_RULES.get(case["last_cert_trust"], ((), ())))
    purpose = case["key_purpose"]
    off.add("rsa-size")
    if case.get("digest_policy") != "STRONG":
        off.add("sha1")
    if "STRICT" in purpose:
        on |= {"webpki-extended-key-usage"} | ({"ca-as-leaf"} if case["last_cert_trust"] != "TRUSTED_LEAF" else set())
    if purpose.endswith("STRICT"):
        on.add("explicit-extended-key-usage")
    if purpose == "CLIENT_AUTH_STRICT":
        on.add("required-extended-key-usage")
    if "MLS" in purpose:
        on |= {"explicit-extended-key-usage", "webpki-extended-key-usage", "sole-extended-key-usage"}
    if "C2PA" in purpose:
        off.add("ca-extended-key-usage")
    return off, on


def verdict(case):
    chain = [b64decode(text) for text in case["chain"]]
    trust, purpose = case["last_cert_trust"], case["key_purpose"]
    trusted = trust in ANCHOR_RULES and (not trust.startswith("TRUSTED_LEAF") or len(chain) == 1)
    anchors = chain[-1:] if trusted else [stranger()]
    off, on = rules(case)
    base = chain_verifier(
        anchors, provider=default(), danger_without=off, extra=on, handled_extensions=RCS_EXTENSIONS if "MLS" in purpose else ())
    base = Verifier(base.store, base.settings, purposes=PURPOSES[purpose.removesuffix("_LEAF").removesuffix("_STRICT")])
    presented = chain[:-1] or chain if trusted else chain
    return base(ChainRequest(tuple(presented), "client" if "CLIENT" in purpose else "server", None, moment(case["utc_time"])))


def moment(text):
    if text == "DEFAULT":
        return datetime(2021, 10, 5, 12, tzinfo=UTC).timestamp()
    return datetime.strptime(text, "%y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def stranger():
    """An anchor that has nothing to do with the chain."""
    module = pytest.importorskip("cryptography_vectors")
    return (Path(module.__file__).parent / "x509" / "PKITS_data" / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()


def test_verdicts():
    cases = shared.load("bssl-pki.json.gz")["chain"]
    wrong = {case["id"] for case in cases if verdict(case).accepted != case["valid"]}
    assert len(cases) == 197
    assert wrong == CONTRADICTS_ITSELF | STRICTER


def test_the_certificate_at_fault_is_named():
    named = right = 0
    for case in shared.load("bssl-pki.json.gz")["chain"]:
        at_fault = {index for index, text in case["expected_errors"] if text.startswith("ERROR")}
        if not case["valid"] and at_fault:
            named += 1
            right += verdict(case).findings[0].index in at_fault
    assert named >= 95
    assert right >= 0.95 * named
