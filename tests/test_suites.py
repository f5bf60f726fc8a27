"""The table of cipher suites."""

import pytest

from puretls import key_exchange
from puretls.crypto.aead import AeadAlgorithm
from puretls.iana import CipherSuiteId
from puretls.suites import BY_ID, DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES, Authentication

every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
KX_NAMES = {
    "RSA": key_exchange.RSA, "DHE_RSA": key_exchange.DHE, "ECDHE_RSA": key_exchange.ECDHE, "ECDHE_ECDSA": key_exchange.ECDHE,
    "DH_anon": key_exchange.DH_ANON, "ECDH_anon": key_exchange.ECDH_ANON, "PSK": key_exchange.PSK, "DHE_PSK": key_exchange.DHE_PSK,
    "ECDHE_PSK": key_exchange.ECDHE_PSK, "RSA_PSK": key_exchange.RSA_PSK,
}  # fmt: skip
BULK_NAMES = {
    "AES_128_GCM": "AES-128-GCM", "AES_256_GCM": "AES-256-GCM", "AES_128_CCM": "AES-128-CCM", "AES_256_CCM": "AES-256-CCM",
    "AES_128_CCM_8": "AES-128-CCM-8", "AES_256_CCM_8": "AES-256-CCM-8", "CHACHA20_POLY1305": "ChaCha20-Poly1305",
    "AES_128_CBC": "AES-128-CBC", "AES_256_CBC": "AES-256-CBC", "3DES_EDE_CBC": "3DES-EDE-CBC", "RC4_128": "RC4-128", "NULL": "NULL",
}  # fmt: skip
HASHES = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384"}


def parts_of(name):
    # RFC 6655 3 turned two names round.
    exchange, rest = name.removeprefix("TLS_").replace("PSK_DHE", "DHE_PSK").split("_WITH_")
    bulk, _, hash_name = rest.rpartition("_")
    return (exchange, bulk, hash_name) if hash_name in HASHES else (exchange, rest, "")


@pytest.mark.rfc("5246", "A.5")
@pytest.mark.rfc("7905", "3")
@every_suite
def test_row_says_what_the_registered_name_says(suite):
    exchange, bulk, hash_name = parts_of(suite.name)
    assert suite.kx is KX_NAMES[exchange]
    assert suite.bulk.name == BULK_NAMES[bulk]
    hash_ = HASHES.get(hash_name, "sha256")
    if isinstance(suite.bulk, AeadAlgorithm):
        assert (suite.mac, suite.prf_hash) == ("", hash_)
    else:
        # RFC 5246 5: the PRF uses SHA-256 for suites older than TLS 1.2.
        assert (suite.mac, suite.prf_hash) == (hash_, hash_ if hash_ == "sha384" else "sha256")


@pytest.mark.rfc("8422", "2")
@every_suite
def test_authentication_follows_from_the_key_exchange(suite):
    exchange = parts_of(suite.name)[0]
    expected = {"anon": Authentication.NONE, "RSA": Authentication.RSA, "ECDSA": Authentication.ECDSA, "PSK": Authentication.PSK}
    assert suite.auth is (Authentication.RSA if exchange == "RSA_PSK" else expected[exchange.split("_")[-1]])
    assert suite.has_certificate == (suite.auth in {Authentication.RSA, Authentication.ECDSA})
    assert suite.may_request_certificate == (suite.has_certificate and "PSK" not in exchange)
    assert suite.is_psk == ("PSK" in exchange)
    assert suite.is_ephemeral == exchange.startswith(("DHE", "ECDHE", "DH_anon", "ECDH_anon"))
    assert suite.is_elliptic == exchange.startswith("EC")
    assert suite.is_finite_field == exchange.startswith("DH")
    assert suite.is_signed == (exchange in {"DHE_RSA", "ECDHE_RSA", "ECDHE_ECDSA"})


@every_suite
def test_what_protects_nothing_is_marked_dangerous(suite):
    assert suite.danger == any(word in suite.name for word in ("NULL", "RC4", "3DES", "anon"))


def test_no_suite_is_there_twice():
    assert len(BY_ID) == len(SUITES) == len({suite.openssl_name for suite in SUITES}) > 100


def test_default_order_is_forward_secret_and_aead_first():
    assert all(suite.is_ephemeral and suite.has_certificate and not suite.danger for suite in DEFAULT_SUITES)
    kinds = [suite.is_aead for suite in DEFAULT_SUITES if suite.kx is key_exchange.ECDHE]
    assert kinds == sorted(kinds, reverse=True)
    assert DEFAULT_SUITES[0].kx is key_exchange.ECDHE
    assert all(suite.is_psk and suite.is_ephemeral for suite in DEFAULT_PSK_SUITES)


OPENSSL = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_DHE_RSA_WITH_AES_256_CCM_8": "DHE-RSA-AES256-CCM8",
    "TLS_PSK_WITH_AES_128_CBC_SHA": "PSK-AES128-CBC-SHA",
    "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384": "ECDHE-PSK-AES256-CBC-SHA384",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": "DES-CBC3-SHA",
    "TLS_DH_anon_WITH_AES_128_GCM_SHA256": "ADH-AES128-GCM-SHA256",
    "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384": "RSA-PSK-AES256-GCM-SHA384",
}


@pytest.mark.parametrize(("name", "openssl"), OPENSSL.items())
def test_openssl_spelling(name, openssl):
    assert BY_ID[CipherSuiteId[name]].openssl_name == openssl


def test_strength_counts_3des_as_112_bits():
    strengths = {suite.bulk.name: suite.strength for suite in SUITES}
    assert (strengths["3DES-EDE-CBC"], strengths["AES-256-GCM"], strengths["NULL"]) == (112, 256, 0)
