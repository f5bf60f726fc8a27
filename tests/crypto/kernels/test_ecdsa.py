import hashlib
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.backends import python_ecdsa
from puretls.crypto.groups import BadPublicValue
from puretls.crypto.kernels.ec import combs, ecdsa
from puretls.crypto.kernels.ec.weierstrass import NAMES, curve
from puretls.crypto.keys import EcPrivateKey, EcPublicKey
from puretls.crypto.secret import Secret
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import UsageError
from tests.crypto.vectors import rows

HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")


def label(row):
    return f"{row['curve']} {row['hash']} {row['source'][-3:]}"


@pytest.mark.rfc("6979", "A.2")
@pytest.mark.parametrize("row", rows("rfc/rfc6979.json"), ids=label)
def test_deterministic_signatures(row):
    key = EcPrivateKey(EcPublicKey(row["curve"], row["point"]), Secret(row["scalar"]))
    assert ecdsa.sign(key, row["hash"], row["message"], os.urandom, hedged=False) == row["signature"]
    assert ecdsa.verify(key.public, row["hash"], row["message"], row["signature"])
    hedged = ecdsa.sign(key, row["hash"], row["message"], os.urandom)
    assert hedged != row["signature"]
    assert ecdsa.verify(key.public, row["hash"], row["message"], hedged)


@pytest.mark.parametrize("row", rows("nist/ecdsa_sign.json"), ids=label)
def test_signatures_with_published_nonces(row, monkeypatch):
    monkeypatch.setattr(ecdsa, "nonces", lambda *arguments: iter([row["nonce"]]))
    key = EcPrivateKey(EcPublicKey(row["curve"], row["point"]), Secret(row["scalar"]))
    assert ecdsa.decode_signature(ecdsa.sign(key, row["hash"], row["message"], os.urandom)) == (row["r"], row["s"])
    size = len(row["scalar"])
    assert ecdsa.public_point(curve(row["curve"]), int.from_bytes(row["scalar"], "big"), os.urandom) == row["point"]
    assert len(row["point"]) == 1 + 2 * size


@pytest.mark.parametrize("row", rows("nist/ecdsa_verify.json"), ids=label)
def test_published_verdicts(row):
    signature = ecdsa.encode_signature(row["r"], row["s"])
    assert ecdsa.verify(EcPublicKey(row["curve"], row["point"]), row["hash"], row["message"], signature) is row["valid"]


@given(name=st.sampled_from(NAMES), hash_name=st.sampled_from(HASHES), seed=st.binary(max_size=8), message=st.binary(max_size=80))
@settings(max_examples=15, deadline=None)
def test_both_ways_with_the_reference(name, hash_name, seed, message):
    algorithm = SignatureAlgorithm(SignatureKind.ECDSA, hash_name)
    key = ecdsa.generate(name, lambda n: hashlib.shake_256(seed).digest(n))
    ours = ecdsa.sign(key, hash_name, message, os.urandom)
    theirs = python_ecdsa.sign(algorithm, key, message, os.urandom)
    assert python_ecdsa.verify(algorithm, key.public, message, ours)
    assert ecdsa.verify(key.public, hash_name, message, theirs)
    assert not ecdsa.verify(key.public, hash_name, message + b"!", theirs)


@pytest.mark.parametrize("name", NAMES)
def test_key_that_comes_again_gets_a_comb_and_the_same_verdicts(name):
    combs.clear()
    key = ecdsa.generate(name, os.urandom)
    signature = ecdsa.sign(key, "sha256", b"message", os.urandom)
    verdicts = [ecdsa.verify(key.public, "sha256", message, signature) for _ in range(4) for message in (b"message", b"other")]
    assert verdicts == [True, False] * 4


@pytest.mark.parametrize("name", NAMES)
def test_keys_and_signatures_that_cannot_be(name):
    key = ecdsa.generate(name, os.urandom)
    signature = ecdsa.sign(key, "sha256", b"", os.urandom)
    n = curve(name).n
    r, s = ecdsa.decode_signature(signature)
    for pair in ((0, s), (r, 0), (n, s), (r, n), (r + n, s)):
        assert not ecdsa.verify(key.public, "sha256", b"", ecdsa.encode_signature(*pair))
    for point in (b"", b"\0", b"\2" + key.public.point[1 : 1 + len(key.public.point) // 2], key.public.point[:-1] + b"\0\0", b"\4" + b"\xff" * 132):
        assert not ecdsa.verify(EcPublicKey(name, point), "sha256", b"", signature)
    for scalar in (0, n):
        with pytest.raises(UsageError, match="within 1"):
            ecdsa.sign(replace(key, scalar=Secret(scalar.to_bytes(66, "big"))), "sha256", b"", os.urandom)


@given(st.binary(max_size=160))
@settings(max_examples=300)
def test_any_bytes_as_signature_give_a_verdict(data):
    assert not ecdsa.verify(EcPublicKey("secp256r1", b""), "sha256", b"", data)
    ecdsa.decode_signature(data)


@given(st.integers(0, 2**521), st.integers(0, 2**521))
def test_der_goes_both_ways(r, s):
    assert ecdsa.decode_signature(ecdsa.encode_signature(r, s)) == (r, s)


@pytest.mark.parametrize(
    "text",
    ["", "3006020101020101ff", "300702010102020001", "3006020101020181", "30810602010102010130", "3106020101020101", "308106020101020101", "3006030101020101"],
)
def test_what_is_not_der_is_refused(text):
    assert ecdsa.decode_signature(bytes.fromhex(text)) is None


@pytest.mark.rfc("8422", "5.10")
@pytest.mark.parametrize("name", NAMES)
def test_shared_secrets_agree_with_the_reference(name):
    ours, theirs = ecdsa.EcdhGroup(name), python_ecdsa.group(name)
    a, b = ours.generate(os.urandom), theirs.generate(os.urandom)
    assert ours.shared_secret(a.private, b.public) == theirs.shared_secret(b.private, a.public)


@pytest.mark.rfc("8422", "5.11")
@pytest.mark.parametrize("name", NAMES)
def test_public_values_that_are_no_points_are_refused(name):
    group = ecdsa.EcdhGroup(name)
    share = group.generate(os.urandom)
    size = len(share.private)
    off = share.public[:-1] + bytes([share.public[-1] ^ 1])
    compressed = bytes([2 + share.public[-1] % 2]) + share.public[1 : 1 + size]
    hybrid = b"\6" + share.public[1:]
    for peer in (b"", b"\0", off, compressed, hybrid, share.public[:-1], share.public + b"\0", b"\4" + bytes(2 * size), b"\4" + b"\xff" * 2 * size):
        with pytest.raises(BadPublicValue, match=name):
            group.shared_secret(share.private, peer)


@pytest.mark.parametrize("name", NAMES)
def test_private_key_zero_is_infinity(name):
    group = ecdsa.EcdhGroup(name)
    share = group.generate(os.urandom)
    with pytest.raises(BadPublicValue, match="infinity"):
        group.shared_secret(Secret(bytes(len(share.private))), share.public)
    with pytest.raises(UsageError):
        ecdsa.public_point(curve(name), 0, os.urandom)
