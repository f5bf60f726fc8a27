"""Keys: against OpenSSL in both directions, strictness, and any bytes."""

import contextlib
import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.crypto.keys import EcPrivateKey, RsaPrivateKey, RsaPublicKey
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.errors import DecodeError, PuretlsError, UsageError
from puretls.spans import check_tiling
from puretls.x509 import pkcs8
from puretls.x509.keys import (
    key_fits,
    parse_private_key,
    parse_public_key,
    parse_spki,
    private_key_der,
    private_key_pem,
    public_key_pem,
    spki_bytes,
    traditional_key,
)
from puretls.x509.pem import write_pem

PROVIDER = default()
KINDS = {
    "rsa2048": ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "rsapss2048": ("RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
    "secp256r1": ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "secp384r1": ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "secp521r1": ("EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("ED25519",),
    "ed448": ("ED448",),
}
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def pkcs8_der(pem, *args):
    return openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", *args, data=pem)


@pytest.fixture(scope="module", params=KINDS)
def openssl_key(request):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem = openssl("genpkey", "-algorithm", *KINDS[request.param])
    return pem, parse_private_key(pem)


@pytest.fixture(scope="module")
def ec_key():
    return PROVIDER.generate("secp256r1", os.urandom)


@pytest.mark.interop
@pytest.mark.rfc("5958", "2")
def test_private_keys_are_written_byte_for_byte_as_openssl_writes_them(openssl_key):
    pem, key = openssl_key
    der = pkcs8_der(pem)
    assert private_key_der(key) == der
    assert parse_private_key(der) == parse_private_key(private_key_pem(key)) == key


@pytest.mark.interop
@pytest.mark.rfc("5280", "4.1.2.7")
def test_public_keys_are_written_byte_for_byte_as_openssl_writes_them(openssl_key):
    pem, key = openssl_key
    spki = openssl("pkey", "-pubout", "-outform", "DER", data=pem)
    assert spki_bytes(key.public) == spki
    assert parse_spki(spki) == parse_public_key(public_key_pem(key.public)) == key.public
    assert key_fits(parse_spki(spki), key)


@pytest.mark.interop
@pytest.mark.rfc("8018", "6.2")
@pytest.mark.parametrize(
    ("cipher", "prf"),
    [
        ("aes-128-cbc", "hmacWithSHA1"),
        ("aes-192-cbc", "hmacWithSHA512"),
        ("aes-256-cbc", "hmacWithSHA256"),
        ("des3", "hmacWithSHA1"),
    ],
)
def test_encrypted_pkcs8_of_openssl_opens(openssl_key, cipher, prf):
    pem, key = openssl_key
    encrypted = openssl("pkcs8", "-topk8", "-v2", cipher, "-v2prf", prf, "-passout", "pass:grün", data=pem)
    assert parse_private_key(encrypted, "grün") == key
    for wrong in ("blau", "", None):
        with pytest.raises(UsageError, match="password"):
            parse_private_key(encrypted, wrong)


@pytest.mark.interop
@pytest.mark.rfc("8018", "6.2")
def test_openssl_opens_our_encrypted_pkcs8(openssl_key):
    pem, key = openssl_key
    encrypted = pkcs8.encrypted_key_pem(key, "grün", os.urandom, PROVIDER, iterations=10_000)
    assert pkcs8_der(encrypted.encode(), "-passin", "pass:grün") == pkcs8_der(pem)


@pytest.mark.interop
@pytest.mark.parametrize("cipher", pkcs8.PEM_CIPHERS)
def test_traditional_encrypted_pem_goes_both_ways(openssl_key, cipher):
    pem, key = openssl_key
    if traditional_key(key)[0] == "PRIVATE KEY" and cipher != "AES-256-CBC":
        pytest.skip("has no traditional form: PKCS#8 in any case")
    ours = pkcs8.traditional_key_pem(key, os.urandom, PROVIDER, "pw", cipher)
    assert pkcs8_der(ours.encode(), "-passin", "pass:pw") == pkcs8_der(pem)
    assert parse_private_key(ours, "pw") == key
    if isinstance(key, (RsaPrivateKey, EcPrivateKey)) and not getattr(key.public, "pss_only", False):
        theirs = openssl(
            "pkey", "-traditional", f"-{cipher.lower()}".replace("des-ede3-cbc", "des3"), "-passout", "pass:pw", data=pem
        )
        assert b"DEK-Info" in theirs
        assert parse_private_key(theirs, "pw") == key
        with pytest.raises(UsageError, match="password"):
            parse_private_key(theirs, "other")


@pytest.mark.interop
@pytest.mark.skipif(shutil.which("certtool") is None, reason="certtool (gnutls-bin) is not installed")
@pytest.mark.parametrize("kind", ["rsa", "rsa-pss", "ecdsa", "ed25519", "ed448"])
def test_keys_of_gnutls_are_read_plain_and_encrypted(tmp_path, kind):
    command = ["certtool", "--generate-privkey", f"--key-type={kind}", "--outfile", str(tmp_path / "plain.pem")]
    subprocess.run([*command, *(("--bits=2048",) if kind.startswith("rsa") else ())], capture_output=True, check=True)
    key = parse_private_key((tmp_path / "plain.pem").read_bytes())
    encrypt = (
        "certtool",
        "-k",
        "--load-privkey",
        "plain.pem",
        "--to-p8",
        "--password",
        "pw",
        "--pkcs-cipher",
        "aes-256",
        "--outfile",
        "p8",
    )
    subprocess.run(encrypt, cwd=tmp_path, capture_output=True, check=True)
    assert parse_private_key((tmp_path / "p8").read_bytes(), "pw") == key


@OPENSSL
@pytest.mark.interop
def test_blocks_before_the_key_are_skipped():
    text = openssl("ecparam", "-genkey", "-name", "prime256v1")
    assert b"EC PARAMETERS" in text
    assert parse_private_key(text).public.curve == "secp256r1"


@pytest.mark.parametrize("label", ["OPENSSH PRIVATE KEY", "DSA PRIVATE KEY"])
def test_keys_of_other_kinds_are_named(label):
    with pytest.raises(DecodeError, match=label):
        parse_private_key(write_pem(label, b"0"))


@pytest.mark.interop
@pytest.mark.rfc("5915", "3")
def test_traditional_forms_of_openssl_are_read(openssl_key):
    pem, key = openssl_key
    if isinstance(key, (RsaPrivateKey, EcPrivateKey)) and not getattr(key.public, "pss_only", False):
        assert parse_private_key(openssl("pkey", "-traditional", data=pem)) == key
        assert parse_private_key(openssl("pkey", "-traditional", "-outform", "DER", data=pem)) == key


def test_the_public_key_of_a_bare_scalar_is_computed(ec_key):
    bare = writer.sequence(writer.integer(1), writer.octet_string(ec_key.scalar), writer.explicit(0, writer.oid(oids.SECP256R1)))
    assert parse_private_key(bare) == ec_key


def test_a_public_key_that_is_not_that_of_the_scalar_is_refused(ec_key):
    other = PROVIDER.generate("secp256r1", os.urandom)
    mixed = EcPrivateKey(other.public, ec_key.scalar)
    with pytest.raises(DecodeError, match="public key beside it"):
        parse_private_key(private_key_der(mixed))
    assert not key_fits(other.public, ec_key)


@pytest.mark.parametrize("scalar", [0, 2**256 - 1])
def test_scalars_out_of_range_are_refused(ec_key, scalar):
    bad = writer.sequence(
        writer.integer(1), writer.octet_string(scalar.to_bytes(32)), writer.explicit(0, writer.oid(oids.SECP256R1))
    )
    with pytest.raises(DecodeError):
        parse_private_key(bad)


def rsa_spki(n, e):
    key = writer.sequence(writer.integer(n), writer.integer(e))
    algorithm = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.null())
    return writer.sequence(algorithm, writer.bit_string(key))


@pytest.mark.rfc("8017", "3.1")
@pytest.mark.parametrize(
    ("n", "e"),
    [(2**2048 + 1, 1), (2**2048 + 1, 4), (2**2048, 3), (-5, 3), (2**20000 + 1, 3), (2**400000 + 1, 3), (2**2048 + 1, 2**64 + 1)],
    ids=lambda value: f"{value.bit_length()}bits",
)
def test_hostile_rsa_keys_are_refused_while_parsing(n, e):
    with pytest.raises(DecodeError):
        parse_spki(rsa_spki(n, e))


def ec_spki(parameters, point):
    return writer.sequence(writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), parameters), writer.bit_string(point))


@pytest.mark.rfc("5480", "2.1.1")
def test_explicit_curve_parameters_are_refused(ec_key):
    with pytest.raises(DecodeError, match="named"):
        parse_spki(ec_spki(writer.sequence(writer.integer(1)), ec_key.public.point))


@pytest.mark.rfc("5480", "2.2")
def test_points_that_are_compressed_off_the_curve_or_infinite_are_refused(ec_key):
    point = ec_key.public.point
    curve = writer.oid(oids.SECP256R1)
    assert parse_spki(ec_spki(curve, point)) == ec_key.public
    bad = {
        "compressed": bytes([2 + point[-1] % 2]) + point[1:33],
        "not on": point[:-1] + bytes([point[-1] ^ 1]),
        "no uncompressed": b"\0",
    }
    for message, wrong in bad.items():
        with pytest.raises(DecodeError, match=message):
            parse_spki(ec_spki(curve, wrong))
    with pytest.raises(DecodeError, match="secp256k1"):
        parse_spki(ec_spki(writer.oid(oids.SECP256K1), point))


@pytest.mark.rfc("3279", "2.3.1")
def test_rsa_keys_without_the_null_are_refused():
    spki = rsa_spki(2**2047 + 1, 3)
    algorithm = writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.null())
    bare = writer.sequence(writer.oid(oids.RSA_ENCRYPTION))
    start = spki.index(algorithm)
    with pytest.raises(DecodeError):
        parse_spki(writer.sequence(bare, spki[start + len(algorithm) :]))


def test_rsa_numbers_that_do_not_fit_each_other_are_refused():
    key = PROVIDER.generate("rsa1024", os.urandom)
    for name in ("d", "p", "q", "dp", "dq", "qinv"):
        numbers = {field: getattr(key, field) for field in ("d", "p", "q", "dp", "dq", "qinv")}
        numbers[name] += 2
        with pytest.raises(DecodeError, match="fit"):
            parse_private_key(private_key_der(RsaPrivateKey(key.public, **numbers)))


def test_rsa_numbers_longer_than_the_modulus_are_refused_before_any_product():
    key = PROVIDER.generate("rsa1024", os.urandom)
    huge = RsaPrivateKey(key.public, key.d, 1 << 40_001, 1 << 40_001, key.dp, key.dq, key.qinv)
    with pytest.raises(DecodeError, match="fit"):
        parse_private_key(private_key_der(huge))


def test_pss_marked_and_plain_rsa_keys_fit_each_other():
    key = PROVIDER.generate("rsa1024", os.urandom)
    marked = RsaPublicKey(key.public.n, key.public.e, pss_only=True)
    assert key_fits(marked, key)
    assert parse_spki(spki_bytes(marked)) == marked


@OPENSSL
@pytest.mark.interop
def test_spans_of_keys_tile(openssl_key):
    pem, key = openssl_key
    for parse, data in ((parse_spki, spki_bytes(key.public)), (parse_private_key, pkcs8_der(pem))):
        sink = []
        parse(data, sink=sink)
        assert check_tiling(sorted(sink, key=lambda span: (span.start, span.end)), len(data)) == ""


def test_repr_and_errors_show_no_secret(ec_key):
    shown = repr(ec_key)
    assert ec_key.scalar.hex() not in shown
    damaged = private_key_der(ec_key)[:-1]
    with pytest.raises(DecodeError) as caught:
        parse_private_key(damaged)
    assert ec_key.scalar.hex() not in str(caught.value)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_mutated_keys_raise_only_our_errors(ec_key, data):
    original = data.draw(st.sampled_from([private_key_der(ec_key), spki_bytes(ec_key.public), rsa_spki(2**2047 + 1, 65537)]))
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    for parse in (parse_spki, parse_private_key, parse_public_key):
        with contextlib.suppress(PuretlsError):
            parse(bytes(mutated))


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_our_errors(data):
    for parse in (parse_spki, parse_private_key, parse_public_key):
        with contextlib.suppress(PuretlsError):
            parse(data)
