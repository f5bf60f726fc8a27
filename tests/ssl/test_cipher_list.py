"""Cipher strings beside the command `openssl ciphers` and the C module `_ssl`."""

import random
import shutil
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.ssl import cipher_list
from puretls.ssl.constants import _DEFAULT_CIPHERS
from puretls.ssl.levels import DEFAULT_LEVEL
from puretls.suites import SUITES

NAMED = {suite.openssl_name: suite for suite in SUITES}
EVERYTHING = "ALL:COMPLEMENTOFALL"
WORDS = ["DEFAULT", "SUITEB128", "SUITEB128ONLY", "SUITEB128C2", "SUITEB192", *cipher_list._KEYWORDS, *sorted(cipher_list._EMPTY)]
ODD = ["foo", "AES128-SHA", "aes128-sha", "ECDHE-PSK-CHACHA20-POLY1305", "RC4-SHA", "HIGH+", "+", "ALL@SECLEVEL=0", "ALL!RSA", "AES+!RSA",
       "AES128-SHA_", "AES:(", "AES:foo(", "@SECLEVEL=2foo:AES", "@SECLEVEL=6:AES", "@SECLEVEL=:AES", "@STRENGTHX:AES", "@STRENGTH", "",
       "AES;RSA", "DEFAULTX", "DEFAULT+AES", "!DEFAULT:AES", "foo+:AES", " ,;:", "AES128-SHA:AES128-SHA:!AES128-SHA:AES128-SHA"]  # fmt: skip


def theirs(text, *options):
    """What OpenSSL selects, without what puretls does not have: TLS 1.3, Camellia, ARIA, SRP, DSS."""
    told = subprocess.run(["openssl", "ciphers", *options, "--", text], capture_output=True, text=True, check=False)
    return [name for name in told.stdout.strip().split(":") if name in NAMED]


@pytest.fixture(scope="module")
def known():
    """The names that OpenSSL knows. It has no AEAD suite of ECDHE_PSK but ChaCha20's."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    return set(theirs(EVERYTHING))


def ours(text, known, level=None):
    try:
        suites = cipher_list.select(text)
    except cipher_list.NoCipher:
        return []
    return [
        suite.openssl_name
        for suite in (suites if level is None else cipher_list.usable(suites, level))
        if suite.openssl_name in known
    ]


@pytest.mark.interop
@pytest.mark.parametrize("form", ["{}", "ALL:!{}", "DEFAULT:-{}:AES", "ALL:+{}"])
def test_each_word_selects_what_openssl_selects_in_its_order(form, known):
    words = [*WORDS, EVERYTHING] if form == "{}" else random.Random(form).sample(WORDS, 12)
    for word in words:
        assert ours(form.format(word), known) == theirs(form.format(word)), word


@pytest.mark.interop
@pytest.mark.parametrize("text", ODD)
def test_odd_strings_are_read_or_refused_as_openssl_does(text, known):
    assert ours(text, known) == theirs(text)


def strings(count, seed):
    """Cipher strings of up to six items.

    Two words are left out, since OpenSSL's mask of either is overwritten by that of a word of strength (FIPS+HIGH selects nothing there).
    """
    chance = random.Random(seed)
    words = [word for word in WORDS if word not in ("FIPS", "COMPLEMENTOFDEFAULT")]
    for _ in range(count):
        items = []
        for _ in range(chance.randint(1, 6)):
            if chance.random() < 0.08:
                items.append(chance.choice(["@STRENGTH", "@SECLEVEL=1", "@SECLEVEL=9", "@FOO"]))
            else:
                items.append(
                    chance.choice(["", "", "", "!", "-", "+"]) + "+".join(chance.choices(words, k=chance.choice([1, 1, 2, 3])))
                )
        yield chance.choice(["", "", "DEFAULT:", "ALL:"]) + chance.choice(":::, ;").join(items)


@pytest.mark.interop
@pytest.mark.parametrize("count", [60, pytest.param(600, marks=pytest.mark.full)])
def test_any_string_selects_what_openssl_selects_in_its_order(count, known):
    for text in strings(count, seed=count):
        assert ours(text, known) == theirs(text), text


@pytest.mark.interop
@pytest.mark.parametrize("level", range(6))
def test_a_security_level_leaves_what_openssl_leaves(level, known):
    assert ours(EVERYTHING, known, level) == theirs(f"{EVERYTHING}:@SECLEVEL={level}", "-s", "-psk", "-tls1_2")


def test_a_level_in_the_string_is_told_and_a_string_without_one_has_none():
    assert cipher_list.parse("AES:@SECLEVEL=3").security_level == 3
    assert cipher_list.parse("AES").security_level is None


def test_every_suite_is_described_as_the_c_module_describes_it():
    ssl = pytest.importorskip("ssl", reason="compares with the C module _ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(f"{EVERYTHING}:@SECLEVEL=0")
    told = {cipher["name"]: cipher for cipher in context.get_ciphers() if cipher["name"] in NAMED}
    assert len(told) > 90
    assert {name: cipher_list.describe(NAMED[name]) for name in told} == told


def test_the_default_has_forward_secrecy_and_no_suite_for_teaching_only():
    suites = cipher_list.select(_DEFAULT_CIPHERS)
    assert all(suite.is_ephemeral and suite.has_certificate and suite.mac != "sha1" and not suite.danger for suite in suites)
    assert suites[0].openssl_name == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert cipher_list.usable(suites, DEFAULT_LEVEL) == suites


@pytest.mark.parametrize("level", range(1, 6))
def test_no_level_above_zero_leaves_a_suite_without_encryption_or_authentication(level):
    assert not any(suite.danger for suite in cipher_list.usable(SUITES, level) if suite in cipher_list.select(EVERYTHING))


@given(st.one_of(st.text(max_size=40), st.text("ALHIGH+-!@:=;, .0123SECVTRN", max_size=40)))
def test_any_text_selects_suites_or_is_refused(text):
    with suppress(cipher_list.NoCipher):
        assert cipher_list.parse(text).suites
