import hashlib
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.backends import python_ecdsa
from puretls.crypto.kernels.modular import rsa
from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.errors import InternalError, UsageError
from tests.crypto.vectors import rows

HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")


def pkcs1(hash_name):
    return SignatureAlgorithm(SignatureKind.RSA_PKCS1, hash_name)


def pss(hash_name, salt_length=None, mgf_hash=None):
    length = hashlib.new(hash_name).digest_size if salt_length is None else salt_length
    return SignatureAlgorithm(SignatureKind.RSA_PSS, hash_name, length, mgf_hash or hash_name)


@pytest.fixture(scope="module")
def key():
    return rsa.generate(1024, os.urandom)


@pytest.mark.rfc("8017", "8.2.2")
@pytest.mark.parametrize("row", rows("nist/rsa_pkcs1_verify.json"), ids=lambda row: row["source"])
def test_published_pkcs1_verdicts(row):
    assert rsa.verify(pkcs1(row["hash"]), RsaPublicKey(row["n"], row["e"]), row["message"], row["signature"]) is row["valid"]


@pytest.mark.rfc("8017", "8.1.2")
@pytest.mark.parametrize("row", rows("nist/rsa_pss_verify.json"), ids=lambda row: row["source"])
def test_published_pss_verdicts(row):
    algorithm = pss(row["hash"], row["salt_length"])
    assert rsa.verify(algorithm, RsaPublicKey(row["n"], row["e"]), row["message"], row["signature"]) is row["valid"]


@given(hash_name=st.sampled_from(HASHES[:4]), message=st.binary(max_size=60), padded=st.booleans())
@settings(max_examples=15, deadline=None)
def test_both_ways_with_the_reference(key, hash_name, message, padded):
    algorithm = pkcs1(hash_name) if padded else pss(hash_name)
    ours = rsa.sign(algorithm, key, message, os.urandom)
    theirs = python_ecdsa.sign(algorithm, key, message, os.urandom)
    assert python_ecdsa.verify(algorithm, key.public, message, ours)
    assert rsa.verify(algorithm, key.public, message, theirs)
    assert not rsa.verify(algorithm, key.public, message + b"!", theirs)
    if padded:
        assert ours == theirs


@given(st.integers(0, 8 * 128 - 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_bit_of_a_signature_may_change(key, bit, padded):
    algorithm = pkcs1("sha256") if padded else pss("sha256")
    signature = bytearray(rsa.sign(algorithm, key, b"message", os.urandom))
    signature[bit // 8] ^= 1 << bit % 8
    assert not rsa.verify(algorithm, key.public, b"message", bytes(signature))


@given(data=st.binary(max_size=140))
@settings(max_examples=60, deadline=None)
def test_any_bytes_as_signature_are_refused(key, data):
    assert not rsa.verify(pkcs1("sha256"), key.public, b"", data)
    assert not rsa.verify(pss("sha256"), key.public, b"", data)


def test_signature_of_another_length_or_above_n_is_refused(key):
    signature = rsa.sign(pkcs1("sha256"), key, b"", os.urandom)
    s = int.from_bytes(signature, "big")
    for wrong in (signature[1:], b"\0" + signature, signature + b"\0", (s + key.public.n).to_bytes(129, "big"), b"\xff" * 128):
        assert not rsa.verify(pkcs1("sha256"), key.public, b"", wrong)


@pytest.mark.rfc("8446", "4.2.3")
def test_pss_salt_must_have_the_length_of_the_algorithm(key):
    signature = rsa.sign(pss("sha256", 20), key, b"", os.urandom)
    assert rsa.verify(pss("sha256", 20), key.public, b"", signature)
    assert not rsa.verify(pss("sha256", 32), key.public, b"", signature)
    assert not rsa.verify(pss("sha256", 20, "sha1"), key.public, b"", signature)


@pytest.mark.rfc("8017", "8.2.2")
@pytest.mark.parametrize("padding", [b"\xff" * 7 + b"\0", b"\xff" * 40 + b"\0", b"\xfe" * 74 + b"\0"])
def test_encodings_that_a_lenient_parser_would_take_are_refused(key, padding):
    """Short padding with data after the hash, and padding of other bytes (Bleichenbacher, 2006)."""
    info = rsa.DIGEST_INFO_PREFIX["sha256"] + hashlib.sha256(b"message").digest()
    encoded = (b"\0\1" + padding + info).ljust(128, b"\0")
    forged = pow(int.from_bytes(encoded, "big"), key.d, key.public.n).to_bytes(128, "big")
    assert not rsa.verify(pkcs1("sha256"), key.public, b"message", forged)


@pytest.mark.rfc("4055", "1.2")
def test_key_marked_for_pss_does_no_pkcs1(key):
    marked = replace(key, public=replace(key.public, pss_only=True))
    with pytest.raises(UsageError, match="marked for PSS"):
        rsa.sign(pkcs1("sha256"), marked, b"", os.urandom)
    signature = rsa.sign(pkcs1("sha256"), key, b"", os.urandom)
    assert not rsa.verify(pkcs1("sha256"), marked.public, b"", signature)
    assert rsa.verify(pss("sha256"), marked.public, b"", rsa.sign(pss("sha256"), marked, b"", os.urandom))


def test_key_too_short_for_hash_and_salt_is_a_usage_error(key):
    with pytest.raises(UsageError, match="1024 bits is too short for RSASSA-PSS with sha512"):
        rsa.sign(pss("sha512"), key, b"", os.urandom)
    assert not rsa.verify(pss("sha512"), key.public, b"", bytes(128))


@pytest.mark.parametrize(
    ("n", "e"),
    [(1 << 1023, 65537), ((1 << 1022) + 1, 65537), ((1 << 16384) + 1, 65537), ((1 << 1023) + 1, 65536), ((1 << 1023) + 1, 1), ((1 << 1023) + 1, (1 << 33) + 1)],
    ids=["n even", "n short", "n long", "e even", "e one", "e long"],
)
def test_numbers_that_cannot_be_a_key_cost_no_arithmetic(n, e):
    def never(*arguments):
        raise AssertionError("arithmetic with an unchecked key")

    arithmetic = rsa.PYTHON._replace(power=never)
    length = (n.bit_length() + 7) // 8
    assert not rsa.verify(pkcs1("sha256"), RsaPublicKey(n, e), b"", bytes(length), arithmetic)


# --- the private operation


@given(st.integers(min_value=0))
@settings(max_examples=40, deadline=None)
def test_private_operation_is_the_power(key, c):
    c %= key.public.n
    assert rsa.private_operation(key, c, os.urandom) == pow(c, key.d, key.public.n)


def test_powers_never_see_the_message(key):
    """Blinding: what is raised to the secret exponents is random, the same message twice gives other numbers."""
    seen = []

    def power(base, exponent, modulus):
        seen.append(base)
        return pow(base, exponent, modulus)

    arithmetic = rsa.PYTHON._replace(secret_power=power)
    c = 12345
    for _ in range(3):
        rsa.private_operation(key, c, os.urandom, arithmetic)
    assert len(set(seen)) == len(seen)
    assert not {c, c % key.p, c % key.q} & set(seen)


def _bases(key, c, random=os.urandom):
    """What a private operation raises to secret exponents."""
    seen = []

    def power(base, exponent, modulus):
        seen.append(base % modulus)
        return pow(base, exponent, modulus)

    rsa.private_operation(key, c, random, rsa.PYTHON._replace(secret_power=power))
    return set(seen)


def test_every_operation_has_a_blinding_pair_of_its_own(key):
    pairs = [rsa.blinding_pair(key.public, os.urandom) for _ in range(50)]
    assert len({int(number) for pair in pairs for number in pair}) == 100
    assert all(pow(unblind, key.public.e, key.public.n) * blind % key.public.n == 1 for blind, unblind in pairs)
    squares = {pow(blind, 2, key.public.n) for blind, _ in pairs}
    assert not squares & {int(blind) for blind, _ in pairs}


def test_what_is_drawn_does_not_depend_on_the_operations_before(key):
    def drawn():
        sizes = []
        rsa.private_operation(key, 5, lambda count: sizes.append(count) or os.urandom(count))
        return sizes

    assert [drawn() for _ in range(40)] == [[32]] * 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_blinding_pair_is_shared_after_a_fork(key):
    _bases(key, 5)  # whatever could be kept is kept now
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, ",".join(map(str, _bases(key, 5))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with open(reader) as answer:
        theirs = set(map(int, answer.read().split(",")))
    assert len(theirs) == 4
    assert not theirs & _bases(key, 5)


def test_fault_in_one_half_is_not_released(key):
    def faulty(base, exponent, modulus):
        return pow(base, exponent, modulus) ^ (exponent == key.dp)

    with pytest.raises(InternalError, match="wrong result"):
        rsa.private_operation(key, 5, os.urandom, rsa.PYTHON._replace(secret_power=faulty))


@pytest.mark.parametrize("c", [-1, "n"])
def test_number_outside_the_modulus_is_a_usage_error(key, c):
    with pytest.raises(UsageError):
        rsa.private_operation(key, key.public.n if c == "n" else c, os.urandom)


# --- keys


@pytest.mark.parametrize("bits", [1024, 1088])
def test_generated_key_is_consistent(bits):
    made = rsa.generate(bits, os.urandom)
    n, e = made.public.n, made.public.e
    assert n.bit_length() == bits
    assert n == made.p * made.q
    assert made.p > made.q
    assert e * made.d % (made.p - 1) == e * made.d % (made.q - 1) == 1
    assert (made.dp, made.dq, made.qinv * made.q % made.p) == (made.d % (made.p - 1), made.d % (made.q - 1), 1)


@pytest.mark.parametrize("kind", ["rsa512", "rsa1025", "rsa", "rsaX", "rsa999999", "dsa1024", ""])
def test_other_kinds_are_usage_errors(kind):
    with pytest.raises(UsageError):
        rsa.generate_named(kind, os.urandom)
