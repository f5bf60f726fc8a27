"""Keys and PKCS#12 files collected by pyca/cryptography: ours reads what theirs reads, but for the kinds listed here."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from puretls.crypto.keys import RsaPublicKey
from puretls.errors import PuretlsError
from puretls.x509.keys import parse_private_key, parse_spki
from puretls.x509.pkcs12 import parse_pkcs12

vectors = pytest.importorskip("cryptography_vectors")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
FOLDER = Path(vectors.__file__).parent
PASSWORDS = (None, "123456", "a123456", "password", "baz", "cryptography")
DECLINED = ("dsa", "dhkey", "explicit", "x25519", "x448", "mldsa", "mlkem", "rc4", "nilpotent")
"""In the name of a file: kinds of keys that TLS 1.2 certificates do not have here, explicit curves, RC4."""
TOLERATED = ("truncated-private-key", "invalid-version", "wrong-pem-delimiter")
"""Read here though not there: short scalars of old writers, version 2 without a public key, labels that do not fit the content."""
KEYS = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in (FOLDER / "asymmetric").rglob("*")
    if path.suffix in (".pem", ".der", ".key") and "OpenSSH" not in path.parts and "pub" not in path.name
)


def unmarked(key):
    return replace(key, pss_only=False) if isinstance(key, RsaPublicKey) else key


def theirs(data, password):
    """The public key, without the mark for PSS, which theirs drops; None where it is not read."""
    load = serialization.load_pem_private_key if b"-----" in data else serialization.load_der_private_key
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            public = load(data, password and password.encode()).public_key()
            return unmarked(
                parse_spki(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
            )
        except Exception:
            return None


def ours(data, password):
    try:
        return unmarked(parse_private_key(data, password).public)
    except PuretlsError:
        return None


@pytest.mark.parametrize("name", KEYS)
def test_private_keys_are_read_alike(name):
    data = (FOLDER / name).read_bytes()
    for password in PASSWORDS:
        expected, found = theirs(data, password), ours(data, password)
        if any(kind in name.lower() for kind in DECLINED):
            assert found is None
        elif found is None or not any(kind in name for kind in TOLERATED):
            # theirs takes a password for a key that is not encrypted as an error
            assert found == expected or (password is not None and found == theirs(data, None))


P12 = sorted(path.name for path in (FOLDER / "pkcs12").glob("*.p12"))


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
@pytest.mark.parametrize("name", P12)
def test_pkcs12_files_are_read_alike(name):
    data = (FOLDER / "pkcs12" / name).read_bytes()
    load = pytest.importorskip("cryptography.hazmat.primitives.serialization.pkcs12").load_pkcs12
    for password in (None, "", "password", "cryptography"):
        try:
            content = load(data, None if password is None else password.encode())
        except ValueError:
            if password:
                with pytest.raises(PuretlsError):
                    parse_pkcs12(data, password)
            continue
        found = parse_pkcs12(data, password)
        assert (found.key is None) == (content.key is None)
        certificates = [content.cert, *content.additional_certs]
        expected = {one.certificate.public_bytes(serialization.Encoding.DER) for one in certificates if one is not None}
        assert set(found.chain) == expected
