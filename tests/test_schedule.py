"""The key schedule against published vectors and the formulas of the RFCs, computed here by hand."""

import hashlib
import hmac
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import schedule
from puretls.crypto.prf import prf
from puretls.suites import SUITES

RANDOMS = bytes(range(32)), bytes(range(32, 64))
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def p_hash(name, secret, seed, length):
    """RFC 5246 5, written down once more."""
    out, a = b"", seed
    while len(out) < length:
        a = hmac.new(secret, a, name).digest()
        out += hmac.new(secret, a + seed, name).digest()
    return out[:length]


@pytest.mark.rfc("5246", "5")
def test_published_vector_of_the_prf():
    """From the TLS working group's list, for P_SHA256."""
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    expected = (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    )
    assert prf("sha256", secret, b"test label", seed, 100).hex() == expected


@pytest.mark.rfc("5246", "5")
@given(st.sampled_from(["sha256", "sha384", "sha1"]), st.binary(max_size=300), st.binary(max_size=80), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_prf_is_the_formula_over_hmac_for_secrets_of_any_size(name, secret, seed, length):
    """Secrets shorter, as long and longer than a block of the hash: HMAC treats them differently (RFC 2104 2)."""
    assert prf(name, secret, b"label", seed, length) == p_hash(name, secret, b"label" + seed, length)


@pytest.mark.rfc("5246", "8.1")
def test_master_secret():
    made = schedule.master_secret(prf, "sha256", b"premaster", *RANDOMS)
    assert made == p_hash("sha256", b"premaster", b"master secret" + RANDOMS[0] + RANDOMS[1], 48)


@pytest.mark.rfc("7627", "4")
def test_extended_master_secret_has_no_randoms():
    digest = hashlib.sha384(b"the handshake").digest()
    made = schedule.extended_master_secret(prf, "sha384", b"premaster", digest)
    assert made == p_hash("sha384", b"premaster", b"extended master secret" + digest, 48)


@pytest.mark.rfc("5246", "7.4.9")
@pytest.mark.parametrize("label", [schedule.CLIENT_FINISHED, schedule.SERVER_FINISHED])
def test_verify_data_has_twelve_bytes(label):
    made = schedule.verify_data(prf, "sha256", b"m" * 48, label, b"h" * 32)
    assert made == p_hash("sha256", b"m" * 48, label + b"h" * 32, 12)


@pytest.mark.rfc("5705", "4")
def test_exporter_tells_no_context_from_an_empty_one():
    seeds = {None: b"", b"": b"\0\0", b"abc": b"\0\3abc"}
    for context, tail in seeds.items():
        made = schedule.exporter(prf, "sha256", b"m" * 48, RANDOMS, b"EXPORTER-x", context, 20)
        assert made == p_hash("sha256", b"m" * 48, b"EXPORTER-x" + RANDOMS[0] + RANDOMS[1] + tail, 20)


@pytest.mark.rfc("5246", "6.3")
@every_suite
def test_key_block_is_cut_as_the_suite_needs(suite):
    mac_length = hashlib.new(suite.mac).digest_size if suite.mac else 0
    keys = schedule.key_block(prf, suite, b"m" * 48, *RANDOMS)
    parts = [getattr(keys, field.name) for field in fields(keys)]
    iv_length = suite.bulk.fixed_iv_length if suite.is_aead else 0
    assert list(map(len, parts)) == [mac_length] * 2 + [suite.bulk.key_length] * 2 + [iv_length] * 2
    seed = b"key expansion" + RANDOMS[1] + RANDOMS[0]  # here the server's random comes first
    assert b"".join(parts) == p_hash(suite.prf_hash, b"m" * 48, seed, sum(map(len, parts)))


def test_secrets_are_not_shown():
    made = schedule.master_secret(prf, "sha256", b"premaster", *RANDOMS)
    keys = schedule.key_block(prf, SUITES[0], made, *RANDOMS)
    assert made.hex() not in repr(made)
    assert keys.client_key.hex() not in repr(keys)
