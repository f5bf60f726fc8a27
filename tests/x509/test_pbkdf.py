"""Keys from passwords: our PBKDF2 is that of RFC 8018, with and without `_hashlib`."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.errors import DecodeError
from puretls.x509.keys import pbkdf


@pytest.mark.rfc("6070", "2")
@pytest.mark.parametrize(
    ("password", "salt", "iterations", "expected"),
    [
        (b"password", b"salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        (b"password", b"salt", 4096, "4b007901b765489abead49d926f721d065a429c1"),
        (
            b"passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4096,
            "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
        ),
        (b"pass\0word", b"sa\0lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"),
    ],
)
def test_pbkdf2_gives_the_published_vectors(password, salt, iterations, expected):
    wanted = bytes.fromhex(expected)
    assert pbkdf.pbkdf2_python("sha1", password, salt, iterations, len(wanted)) == wanted
    assert pbkdf.pbkdf2("sha1", password, salt, iterations, len(wanted)) == wanted


@pytest.mark.skipif(not hasattr(hashlib, "pbkdf2_hmac"), reason="this Python has no hashlib.pbkdf2_hmac")
@pytest.mark.filterwarnings("ignore:Python implementation of pbkdf2_hmac")
@given(st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 5), st.integers(1, 100))
def test_ours_and_hashlibs_agree(password, salt, iterations, length):
    ours = pbkdf.pbkdf2_python("sha256", password, salt, iterations, length)
    assert ours == hashlib.pbkdf2_hmac("sha256", password, salt, iterations, length)


@pytest.mark.parametrize("absent", [True, False])
def test_ours_is_used_where_hashlib_has_none_or_a_deprecated_one(monkeypatch, absent):
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", lambda *arguments: pytest.fail("called"), raising=False)
    if absent:
        monkeypatch.delattr(hashlib, "pbkdf2_hmac")
    assert pbkdf.pbkdf2("sha256", b"a", b"b", 2, 5) == pbkdf.pbkdf2_python("sha256", b"a", b"b", 2, 5)


@pytest.mark.rfc("7292", "B")
def test_pkcs12_derivation_gives_the_known_key():
    password, salt = pbkdf.bmp_password("smeg"), bytes.fromhex("0A58CF64530D823F")
    key = pbkdf.pkcs12_kdf("sha1", password, salt, 1, 24, pbkdf.PKCS12_KEY)
    assert key.hex() == "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"


@pytest.mark.parametrize("count", [0, -1, pbkdf.MAX_ITERATIONS + 1, 1 << 9999])
def test_iteration_counts_that_would_take_hours_are_refused(count):
    with pytest.raises(DecodeError):
        pbkdf.check_iterations(count, "x")
