"""The providers against each other: what one signs every other verifies, and all share the same secrets."""

import os
from contextlib import suppress
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.modular import ffdhe
from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPublicKey
from puretls.crypto.provider import reference
from puretls.crypto.signatures import SIGNATURE_SCHEMES, SignatureAlgorithm, SignatureKind, fits
from puretls.errors import UsageError
from tests.support.providers import compared

PROVIDERS = [*(provider for provider in compared() if provider is not reference()), reference()]
KINDS = ("rsa1088", "secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448")
KEYS = {kind: PROVIDERS[0].generate(kind, os.urandom) for kind in KINDS}
CASES = [(scheme, kind) for scheme, kind in product(SIGNATURE_SCHEMES, KINDS) if fits(scheme, KEYS[kind].public)]


@pytest.mark.parametrize(("scheme", "kind"), CASES, ids=lambda part: getattr(part, "name", part))
def test_every_provider_verifies_what_every_other_signs(scheme, kind):
    algorithm, key = SIGNATURE_SCHEMES[scheme], KEYS[kind]
    for signer, verifier in product(PROVIDERS, repeat=2):
        signature = signer.sign(algorithm, key, b"message", os.urandom)
        assert verifier.verify(algorithm, key.public, b"message", signature), (signer.name, verifier.name)
        assert not verifier.verify(algorithm, key.public, b"massage", signature)


@pytest.mark.parametrize("name", ["x25519", "x448", "secp256r1", "secp384r1", "secp521r1", "ffdhe2048"])
def test_every_provider_shares_secrets_with_every_other(name):
    for a, b in product(PROVIDERS, repeat=2):
        mine, yours = a.group(name).generate(os.urandom), b.group(name).generate(os.urandom)
        assert a.group(name).shared_secret(mine.private, yours.public) == b.group(name).shared_secret(yours.private, mine.public)
        answer, secret = b.group(name).answer(os.urandom, mine.public)
        assert a.group(name).shared_secret(mine.private, answer.public) == secret
        assert b.group(name).shared_secret(answer.private, mine.public) == secret


@given(st.integers(0, len(KINDS) - 1), st.binary(max_size=150), st.sampled_from(list(SignatureKind)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_as_signature_are_refused_whatever_the_key(index, signature, kind):
    algorithm = SignatureAlgorithm(kind, "sha256", 32, "sha256")
    for provider in PROVIDERS:
        assert not provider.verify(algorithm, KEYS[KINDS[index]].public, b"message", signature)


def test_key_of_another_kind_does_not_sign():
    for provider, kind, other in product(PROVIDERS, KINDS, SignatureKind):
        algorithm = SignatureAlgorithm(other, "sha256", 32, "sha256")
        if any(algorithm.kind is SIGNATURE_SCHEMES[scheme].kind for scheme, name in CASES if name == kind):
            continue
        with pytest.raises(UsageError, match="does not sign with"):
            provider.sign(algorithm, KEYS[kind], b"", os.urandom)
        assert not provider.verify(algorithm, KEYS[kind].public, b"", bytes(64))


@given(st.binary(max_size=140))
@settings(max_examples=60, deadline=None)
def test_any_bytes_as_public_value_give_a_secret_or_a_refusal(peer):
    for name in ("x25519", "x448", "secp256r1", "secp384r1", "secp521r1"):
        group = PROVIDERS[0].group(name)
        private = group.generate(os.urandom).private
        with suppress(BadPublicValue):
            assert group.shared_secret(private, peer)


@given(st.sampled_from(["secp256r1", "secp384r1", "secp521r1"]), st.binary(max_size=140))
@settings(max_examples=40, deadline=None)
def test_any_bytes_as_key_verify_nothing(curve, data):
    ecdsa = SignatureAlgorithm(SignatureKind.ECDSA, "sha256")
    assert not PROVIDERS[0].verify(ecdsa, EcPublicKey(curve, data), b"", bytes.fromhex("3006020101020101"))
    for name, kind in (("ed25519", SignatureKind.ED25519), ("ed448", SignatureKind.ED448)):
        assert not PROVIDERS[0].verify(SignatureAlgorithm(kind), EdPublicKey(name, data), b"", b"\1" * (64 if name == "ed25519" else 114))


def test_rsa_private_is_the_power():
    key = KEYS["rsa1088"]
    for provider in PROVIDERS:
        assert provider.rsa_private(key, 12345, os.urandom) == pow(12345, key.d, key.public.n)


def test_finite_field_of_a_server():
    for provider in PROVIDERS:
        assert provider.finite_field(ffdhe.named_prime("ffdhe2048"), 2).name == "ffdhe2048"
        with pytest.raises(BadPublicValue, match="1024 bits"):
            provider.finite_field((1 << 1023) + 1155, 2)
        assert provider.finite_field((1 << 1023) + 1155, 2, min_bits=1024).name == "dh1024"


def test_other_kinds_of_key_are_usage_errors():
    for provider in PROVIDERS:
        with pytest.raises(UsageError, match="no kind of key is called"):
            provider.generate("dsa2048", os.urandom)


def test_private_keys_do_not_show_themselves():
    for key in KEYS.values():
        text = repr(key) + str(key)
        secrets = [key.d, key.p, key.dp, key.qinv] if hasattr(key, "d") else [getattr(key, "scalar", None) or key.seed]
        for secret in secrets:
            assert str(secret) not in text or "bytes)" in str(secret)
            assert isinstance(secret, bytes) or f"{int(secret):d}" not in text
            assert bytes.hex(secret) not in text if isinstance(secret, bytes) else True


def test_rsa_keys_out_of_bounds_verify_nothing():
    key = KEYS["rsa1088"].public
    algorithm = SIGNATURE_SCHEMES[0x0401]
    for odd in (replace(key, n=key.n + 1), replace(key, e=2), replace(key, n=35), RsaPublicKey(0, 3)):
        assert not PROVIDERS[0].verify(algorithm, odd, b"", bytes(136))


@pytest.mark.parametrize("name", ["md5", "sha3_256", "no hash"])
def test_other_hashes_sign_and_verify_nothing(name):
    for kind, family in (("rsa1088", SignatureKind.RSA_PKCS1), ("rsa1088", SignatureKind.RSA_PSS), ("secp256r1", SignatureKind.ECDSA)):
        algorithm = SignatureAlgorithm(family, name, 32, "sha256")
        with pytest.raises(UsageError, match="signatures use one of sha1"):
            PROVIDERS[0].sign(algorithm, KEYS[kind], b"", os.urandom)
        assert not PROVIDERS[0].verify(algorithm, KEYS[kind].public, b"", bytes.fromhex("3006020101020101").ljust(136))
