"""Names as people write them, compared with OpenSSL's own reading of cipher strings."""

import shutil
import subprocess

import pytest

from puretls import algorithm_names, key_exchange
from puretls.errors import UsageError
from puretls.iana import NamedGroup, SignatureScheme
from puretls.suites import DEFAULT_SUITES, SUITES


def openssl_ciphers(text):
    """OpenSSL's TLS 1.2 suites for a cipher string, by OpenSSL's names."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    command = ["openssl", "ciphers", "-tls1_2", "-s", "-psk", text + ":@SECLEVEL=0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip().split(":")


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_suite_is_found_by_both_its_names_in_any_case(suite):
    for name in (suite.name, suite.openssl_name, suite.openssl_name.lower()):
        assert algorithm_names.suites(name, danger=True) == (suite,)


@pytest.mark.interop
def test_openssl_names_are_those_openssl_gives():
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    command = ["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True)
    theirs = {line.split()[0]: line.split()[2] for line in listing.stdout.splitlines()}
    ours = {suite.name: suite.openssl_name for suite in SUITES}
    both = theirs.keys() & ours.keys()
    assert len(both) > 60
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}


@pytest.mark.interop
@pytest.mark.parametrize(
    "text",
    [
        "ECDHE+AESGCM",
        "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM",
        "ALL:!aNULL:!PSK",
        "HIGH:!aNULL:!MD5:!3DES",
        "ECDHE:!PSK:!AESCCM",
        "kRSA+AES",
        "DHE+AES:!SHA1:!PSK",
        "ECDSA+AES:-AESCCM",
        "AES128:!kRSA:!PSK:!aNULL",
        "PSK:!kRSAPSK",
        "kECDHE:!aNULL",
        "ALL:!aNULL:!eNULL:!SHA256:!SHA384:!SHA:!PSK:!AESCCM8",
        "EECDH+AES256:EDH+AES256",
        "TLSv1.2:!PSK:!aNULL:!eNULL",
    ],
)
def test_cipher_string_selects_what_openssl_selects(text):
    theirs = set(openssl_ciphers(text))
    known = set(openssl_ciphers("ALL:COMPLEMENTOFALL"))
    ours = {suite.openssl_name for suite in algorithm_names.suites(text, danger=True)}
    mutual = {suite.openssl_name for suite in SUITES} & known
    assert ours & mutual == theirs & mutual


def test_order_follows_the_string():
    chosen = algorithm_names.suites("AES256-GCM-SHA384:ECDHE+CHACHA20:!PSK")
    assert [suite.openssl_name for suite in chosen] == [
        "AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]


def test_plus_moves_to_the_end_and_strength_sorts():
    moved = algorithm_names.suites("ECDHE+AESGCM:!PSK:+AES128")
    assert [suite.strength for suite in moved] == [256, 256, 128, 128]
    assert [suite.strength for suite in algorithm_names.suites("AES128-GCM-SHA256:AES256-GCM-SHA384:@STRENGTH")] == [256, 128]


def test_killed_suites_do_not_come_back():
    assert all(suite.kx is not key_exchange.RSA for suite in algorithm_names.suites("ALL:!kRSA:AES"))


def test_default_is_the_given_default():
    assert algorithm_names.suites("DEFAULT") == DEFAULT_SUITES
    assert algorithm_names.suites("DEFAULT", default=DEFAULT_SUITES[:2]) == DEFAULT_SUITES[:2]


def test_dangerous_suites_need_the_switch():
    assert not any(suite.danger for suite in algorithm_names.suites("ALL:COMPLEMENTOFALL:AES"))
    with pytest.raises(UsageError, match="danger"):
        algorithm_names.suites("RC4-SHA")
    assert algorithm_names.suites("RC4-SHA", danger=True)[0].danger


@pytest.mark.parametrize(
    "text", ["", ":,", "NOSUCH", "ALL:!ALL", "@NOSUCH", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA", "!"]
)
def test_what_selects_nothing_is_a_usage_error(text):
    with pytest.raises(UsageError):
        algorithm_names.suites(text)


def test_typing_error_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean ECDHE-RSA-AES128-GCM-SHA256"):
        algorithm_names.suites("ECDHE-RSA-AES128-GCM-SHA265")


def test_groups_in_both_spellings():
    assert algorithm_names.groups("X25519:P-256,prime256v1 secp521r1:ffdhe2048") == (
        NamedGroup.X25519,
        NamedGroup.SECP256R1,
        NamedGroup.SECP256R1,
        NamedGroup.SECP521R1,
        NamedGroup.FFDHE2048,
    )
    with pytest.raises(UsageError, match="unknown group 'x25518'; did you mean x25519"):
        algorithm_names.groups("x25518")


def test_signature_schemes_in_both_spellings():
    assert algorithm_names.signature_schemes("RSA+SHA256:ECDSA+SHA384,rsa_pss_rsae_sha512:RSA-PSS+SHA256:ed25519") == (
        SignatureScheme.RSA_PKCS1_SHA256,
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.RSA_PSS_RSAE_SHA512,
        SignatureScheme.RSA_PSS_RSAE_SHA256,
        SignatureScheme.ED25519,
    )
    with pytest.raises(UsageError):
        algorithm_names.signature_schemes("RSA+SHA999")


# Groups of equal preference

GCM, CHACHA, CBC = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA"


@pytest.mark.parametrize(
    ("text", "order", "groups"),
    [
        (f"[{GCM}|{CHACHA}]:{CBC}", [GCM, CHACHA, CBC], [[GCM, CHACHA]]),
        (f"{CBC},[{CHACHA}|{GCM}]", [CBC, CHACHA, GCM], [[CHACHA, GCM]]),
        (f"{GCM}:[{GCM}|{CHACHA}|{CBC}]", [GCM, CHACHA, CBC], [[CHACHA, CBC]]),
        (f"[{GCM}]:[{CHACHA}|{GCM}]", [GCM, CHACHA], []),
        (f"[{GCM}|{CHACHA}][{CBC}|AES128-SHA]", [GCM, CHACHA, CBC, "AES128-SHA"], [[GCM, CHACHA], [CBC, "AES128-SHA"]]),
        (f"{GCM}:{CHACHA}", [GCM, CHACHA], []),
    ],
)
def test_suites_in_brackets_are_equal(text, order, groups):
    assert [suite.openssl_name for suite in algorithm_names.suites(text)] == order
    assert [[suite.openssl_name for suite in group] for group in algorithm_names.equal_suites(text)] == groups


@pytest.mark.parametrize("text", [f"[{GCM}|{CHACHA}]:!AES", f"[{GCM}|-AES]", f"[{GCM}|{CHACHA}]:@STRENGTH", f"+AES:[{GCM}|{CHACHA}]"])
def test_operators_would_tear_a_group_apart(text):
    with pytest.raises(UsageError, match="no operators"):
        algorithm_names.equal_suites(text)


@pytest.mark.parametrize("text", [f"[{GCM}|{CHACHA}", f"{GCM}|{CHACHA}", f"[{GCM}|NONSENSE]", "[[AES]]"])
def test_brackets_that_do_not_fit_are_refused(text):
    with pytest.raises(UsageError):
        algorithm_names.suites(text)
