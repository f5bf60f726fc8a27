"""Secrets show themselves nowhere, and leave the process by no accident."""

import copy
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls import danger
from puretls.crypto.keys import RsaPrivateKey
from puretls.crypto.provider import default
from puretls.crypto.secret import Secret, SecretNumber
from puretls.errors import UsageError
from puretls.session import Session
from tests.support.credentials import issued

BYTES, NUMBER = Secret(b"very secret"), SecretNumber(0x766572792073656372657400)
SESSION = Session(0xC02F, Secret(b"m" * 48), 1000.0, 3600, True)
TEXTS = ("very secret", "766572792073656372657400", str(int(NUMBER)), "m" * 8, "6d" * 8)


@pytest.mark.parametrize("value", [BYTES, NUMBER, SESSION, [BYTES, NUMBER]], ids=["bytes", "number", "session", "list"])
def test_no_text_shows_a_secret(value):
    shown = "|".join((repr(value), str(value), f"{value}", f"{[value]}", "%s %r" % ((value,) * 2)))
    assert not [text for text in TEXTS if text in shown]


@pytest.mark.parametrize("kind", ["rsa2048", "secp256r1", "ed25519"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_holds_a_secret_is_not_pickled(kind, protocol):
    for value in (BYTES, NUMBER, SESSION, issued(kind).key):
        with pytest.raises(UsageError, match=r"Session\.to_bytes.*private_key_der"):
            pickle.dumps(value, protocol)


def test_sessions_leave_by_their_own_bytes():
    assert Session.from_bytes(SESSION.to_bytes()) == SESSION
    assert isinstance(Session.from_bytes(SESSION.to_bytes()).master_secret, Secret)


def test_a_copy_within_the_process_is_the_value_itself():
    for value in (BYTES, NUMBER):
        assert copy.copy(value) is copy.deepcopy(value) is value
    assert copy.deepcopy(issued().key) == issued().key


@given(a=st.binary(max_size=5), b=st.binary(max_size=5))
def test_secrets_compare_as_bytes_do(a, b):
    for one, other in ((Secret(a), b), (a, Secret(b)), (Secret(a), Secret(b)), (Secret(a), bytearray(b))):
        assert (one == other, one != other) == (a == b, a != b)
    assert hash(Secret(a)) == hash(a)
    assert Secret(a) != "text"


@given(a=st.integers(-(2**70), 2**70), b=st.integers(-300, 300))
def test_secret_numbers_compare_as_numbers_do(a, b):
    for other in (a, b, a + b):
        assert (SecretNumber(a) == other, SecretNumber(a) != other, other == SecretNumber(a)) == (a == other, a != other, a == other)
    assert hash(SecretNumber(a)) == hash(a)
    assert SecretNumber(a) != "text"


@pytest.mark.parametrize(("secret", "other"), [(BYTES, b"very secret"), (NUMBER, int(NUMBER))], ids=["bytes", "number"])
def test_comparisons_do_not_stop_at_the_first_difference(monkeypatch, secret, other):
    asked = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: asked.append((a, b)) or real(a, b))
    assert secret == other
    assert other == secret
    assert (secret != other) is False
    assert len(asked) == 3


def test_the_numbers_of_an_rsa_key_are_secret_whoever_makes_it():
    key = default().generate("rsa1024", danger.fixed_random())
    numbers = (key.d, key.p, key.q, key.dp, key.dq, key.qinv)
    for made in (key, RsaPrivateKey(key.public, *map(int, numbers))):
        assert all(type(number) is SecretNumber for number in (made.d, made.p, made.q, made.dp, made.dq, made.qinv))
    assert not [number for number in numbers if str(int(number)) in repr(key)]
