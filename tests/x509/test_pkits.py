"""NIST PKITS: path validation with CRLs and policies, all 249 tests. Two need DSA, which is declined."""

from datetime import datetime
from pathlib import Path

import pytest

from puretls.crypto.provider import default
from puretls.der.oids import encode_oid
from puretls.errors import DecodeError
from puretls.x509.crl import Crl
from puretls.x509.path.policy import PolicyInputs
from puretls.x509.revocation import HARD, Revocation
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier
from tests.x509 import shared

DSA = {"4.1.4", "4.1.5"}


def vectors():
    module = pytest.importorskip("cryptography_vectors")
    return Path(module.__file__).parent / "x509" / "PKITS_data"


def crls(names):
    """Those that parse: the signature of one is mutilated on purpose."""
    for name in names:
        try:
            yield Crl.parse((vectors() / "crls" / f"{name}.crl").read_bytes())
        except DecodeError:
            assert name == "BadCRLSignatureCACRL"


def verdict(test, document):
    certificates = [(vectors() / "certs" / f"{name}.crt").read_bytes() for name in test["certs"]]
    policies = frozenset(encode_oid(document["policies"][name.strip()]) for name in test["initial_policy_set"].split(","))
    inputs = PolicyInputs(policies, test["explicit_policy"], test["inhibit_policy_mapping"], test["inhibit_any_policy"])
    revocation = Revocation(HARD, crls=tuple(crls(test["crls"])))
    base = chain_verifier(certificates[:1], provider=default(), policies=inputs, revocation=revocation)
    verifier = Verifier(base.store, base.settings, purposes=(), caches=CACHES)
    time = datetime.fromisoformat(document["validation_time"]).timestamp()
    return verifier(ChainRequest(tuple(reversed(certificates[1:])), "server", None, time))


CACHES = chain_verifier((), provider=default()).caches
"""Shared, as the tests share their certificates."""


def test_verdicts():
    document = shared.load("pkits.json.gz")
    wrong = [test["number"] for test in document["tests"] if verdict(test, document).accepted != test["should_validate"]]
    assert len(document["tests"]) == 249
    assert set(wrong) == DSA


def test_dsa_is_declined_and_says_so():
    document = shared.load("pkits.json.gz")
    report = verdict(next(t for t in document["tests"] if t["number"] == "4.1.4"), document)
    assert {"public-key", "signature-algorithm"} <= {finding.id for finding in report.findings}
    assert "id-dsa" in report.explain()
