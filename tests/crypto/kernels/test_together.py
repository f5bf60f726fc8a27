"""ECDSA signatures verified together: never one that is wrong, and none that is right in vain."""

import hashlib
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.kernels.arithmetic import PYTHON
from puretls.crypto.kernels.ec import combs, ecdsa, together
from puretls.crypto.kernels.ec.weierstrass import NAMES, curve
from puretls.crypto.keys import EcPublicKey
from puretls.crypto.provider import default
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind

KEYS = {name: [ecdsa.generate(name, os.urandom) for _ in range(3)] for name in NAMES}


@pytest.fixture(autouse=True)
def fresh_keys():
    combs.clear()


def signed(name, count, seed=b""):
    messages = [seed + bytes([i]) for i in range(count)]
    return [
        (key.public, "sha256", message, ecdsa.sign(key, "sha256", message, os.urandom))
        for key, message in zip(KEYS[name], messages, strict=False)
    ]


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from([2, 3]), st.binary(max_size=4), st.booleans())
def test_right_signatures_are_right_together(name, count, seed, divides):
    combs.clear()
    assert ecdsa.verify_together(signed(name, count, seed), os.urandom, PYTHON._replace(divides=divides))


def damages(name, signature):
    """Ways in which (key, hash, message, signature) can be wrong."""
    key, hash_name, message, data = signature
    r, s = ecdsa.decode_signature(data)
    n = curve(name).n
    return [
        (key, hash_name, message + b"!", data),
        (key, "sha384", message, data),
        (ecdsa.generate(name, os.urandom).public, hash_name, message, data),
        *(
            (key, hash_name, message, ecdsa.encode_signature(*pair))
            for pair in ((r, s ^ 1), (r ^ 1, s), (s, r), (0, s), (r, n), (n - r, s))
        ),
        (key, hash_name, message, data[:-1]),
        (EcPublicKey(name, key.point[:-1] + bytes([key.point[-1] ^ 1])), hash_name, message, data),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_one_wrong_signature_is_never_right(name):
    good = signed(name, 3)
    for place in range(3):
        for wrong in damages(name, good[place])[place::3]:
            combs.clear()
            assert not ecdsa.verify(*wrong)
            assert not ecdsa.verify_together([*good[:place], wrong, *good[place + 1 :]], os.urandom)


@pytest.mark.parametrize("name", NAMES)
def test_s_of_either_sign_is_right_as_it_is_by_itself(name):
    """(r, n - s) is a signature, too: R with the other sign, which the equation of all must find."""
    good = signed(name, 3)
    n = curve(name).n
    for signs in range(8):
        turned = []
        for i, (key, hash_name, message, data) in enumerate(good):
            r, s = ecdsa.decode_signature(data)
            turned.append((key, hash_name, message, ecdsa.encode_signature(r, n - s if signs >> i & 1 else s)))
        combs.clear()
        assert ecdsa.verify_together(turned, os.urandom), signs


def test_errors_that_cancel_out_are_caught_by_the_multipliers():
    """Two wrong equations whose sum is right: known multipliers would let them pass."""
    on = curve("secp256r1")
    equations = []
    for (key, _, message, data), change in zip(signed("secp256r1", 2), (12345, -12345), strict=True):
        r, s = ecdsa.decode_signature(data)
        inverse = pow(s, -1, on.n)
        e = ecdsa.digest_number(hashlib.sha256(message).digest(), on.n)
        equations.append(together.Equation(r, (e * inverse + change) % on.n, r * inverse % on.n, on.decode(key.point)))
    assert together.hold_together(on, equations, bytes)  # zeros: every multiplier is 1
    assert not any(together.hold_together(on, equations, os.urandom) for _ in range(5))


def test_numbers_and_curves_that_do_not_go_together_say_nothing():
    good = signed("secp256r1", 3)
    assert not ecdsa.verify_together(good[:1], os.urandom)
    assert not ecdsa.verify_together([*good, good[0]], os.urandom)
    assert not ecdsa.verify_together([good[0], signed("secp384r1", 1)[0]], os.urandom)


def test_a_key_that_comes_again_is_left_to_its_comb():
    good = signed("secp256r1", 2)
    assert ecdsa.verify_together(good, os.urandom)
    assert ecdsa.verify_together(good, os.urandom)
    assert not ecdsa.verify_together(good, os.urandom)  # the third use of a key makes its comb
    assert all(ecdsa.verify(*one) for one in good)
    assert len(combs._combs) == 2


def test_a_provider_finds_the_signatures_that_go_together():
    provider = default()
    ed25519 = provider.generate("ed25519", os.urandom)
    alone = SignatureAlgorithm(SignatureKind.ED25519)
    mixed = [(SignatureAlgorithm(SignatureKind.ECDSA, "sha256"), *(one[0], one[2], one[3])) for one in signed("secp256r1", 2)]
    mixed.insert(1, (alone, ed25519.public, b"m", provider.sign(alone, ed25519, b"m", os.urandom)))
    mixed.append((SignatureAlgorithm(SignatureKind.ECDSA, "sha384"), *(signed("secp384r1", 1)[0][i] for i in (0, 2, 3))))
    assert provider.verify.together(mixed, os.urandom) == [True, False, True, False]
    assert provider.verify.together([], os.urandom) == []
    assert not hasattr(replace(provider, verify=lambda *arguments: True).verify, "together")
