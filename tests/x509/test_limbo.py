"""x509-limbo: every verdict right under the profile of its namespace; under `default` only what is listed here is let pass."""

import time
from pathlib import Path

import pytest

from puretls.cli.limbo import run
from puretls.crypto.provider import default
from tests.x509 import shared

CONTRADICTED = {
    "webpki::cn::ipv4-hex-mismatch",
    "webpki::cn::ipv6-non-rfc5952-mismatch",
    "webpki::cn::ipv6-uncompressed-mismatch",
    "webpki::cn::ipv6-uppercase-mismatch",
    "webpki::cn::punycode-not-in-san",
    "webpki::cn::utf8-vs-punycode-mismatch",
    "webpki::san::public-suffix-multi-label-wildcard-san",
    "webpki::san::public-suffix-private-namespace-wildcard-san",
}
"""Cases that others of the same suite contradict (subject CN), or that need the Public Suffix List."""

ACCEPTED_BY_DEFAULT = dict(
    line.split(maxsplit=1)
    for line in Path(__file__).with_name("default-accepts.txt").read_text().splitlines()
    if line and line[0] != "#"
)
"""Cases that the default profile accepts and the suite does not, with the reason."""


def wrong(document, profile=None):
    """Id and verdict of the cases with another verdict than the suite's."""
    results = run(document, default(), time.time(), profile)["results"]
    expected = {case["id"]: case["expected_result"] for case in document["testcases"]}
    assert expected.keys() == {result["id"] for result in results}
    return {r["id"]: r["actual_result"] for r in results if r["actual_result"] != expected[r["id"]] and r["id"] not in CONTRADICTED}


@pytest.mark.slow
def test_light_suite_by_namespace():
    assert wrong(shared.load("limbo-public-light.json.gz")) == {}


@pytest.mark.slow
def test_light_suite_under_the_default_profile():
    found = wrong(shared.load("limbo-public-light.json.gz"), "default")
    assert set(found.values()) == {"SUCCESS"}
    assert found.keys() <= ACCEPTED_BY_DEFAULT.keys()


@pytest.mark.full
def test_whole_suite_by_namespace():
    assert wrong(shared.load("limbo-public.json.gz")) == {}


@pytest.mark.full
def test_whole_suite_under_the_default_profile():
    assert wrong(shared.load("limbo-public.json.gz"), "default").keys() == ACCEPTED_BY_DEFAULT.keys()


def test_the_list_of_the_default_profile_is_short_and_keeps_to_the_letter_of_certificates():
    assert len(ACCEPTED_BY_DEFAULT) <= 40
    assert {name.split("::")[0] for name in ACCEPTED_BY_DEFAULT} <= {"rfc5280", "webpki"}


def test_a_case_that_cannot_be_read_fails_and_does_not_end_the_run():
    blank = {
        "trusted_certs": [], "untrusted_intermediates": [], "peer_certificate": "", "crls": [], "extended_key_usage": [], "key_usage": [],
        "validation_kind": "SERVER", "validation_time": None, "expected_peer_name": None, "expected_peer_names": [], "max_chain_depth": None,
    }  # fmt: skip
    broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"
    cases = [{**blank, "id": "empty"}, {**blank, "id": "peer", "peer_certificate": broken}, {**blank, "id": "root", "trusted_certs": [broken]}]
    results = run({"testcases": cases}, default(), time.time())["results"]
    assert [r["actual_result"] for r in results] == ["FAILURE"] * 3
    assert all(r["context"] for r in results)
