"""PKCS#12: files of OpenSSL in every form it writes, wrong passwords, any bytes."""

import contextlib
import os
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.ca import DevelopmentCa
from puretls.errors import DecodeError, PuretlsError, UsageError
from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.spans import check_tiling
from puretls.x509 import pkcs12
from puretls.x509.keys import rc2
from puretls.x509.pkcs12 import parse_pkcs12
from puretls.x509.show import show

pytestmark = [
    pytest.mark.interop,
    pytest.mark.rfc("7292", "4"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]
FORMS = {
    "default": (),
    "legacy RC2": ("-legacy",),
    "3DES": ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"),
    "plain certificates": ("-keypbe", "AES-128-CBC", "-certpbe", "NONE"),
    "plain key": ("-keypbe", "NONE"),
    "SHA-512": ("-macalg", "sha512"),
    "no MAC": ("-nomac",),
    "few iterations": ("-noiter", "-nomaciter"),
}


@pytest.fixture(scope="module")
def issued():
    return DevelopmentCa.create(os.urandom, time.time()).issue(["example.test"])


@pytest.fixture(scope="module")
def export(issued, tmp_path_factory):
    folder = tmp_path_factory.mktemp("p12")
    (folder / "chain.pem").write_text(issued.chain_pem)
    (folder / "key.pem").write_text(issued.key_pem)

    def run(password, *options, key=("-inkey", "key.pem")):
        command = (
            "openssl",
            "pkcs12",
            "-export",
            "-in",
            "chain.pem",
            *key,
            "-passout",
            f"pass:{password}",
            "-name",
            "Schlüssel",
            *options,
        )
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"this openssl does not write it: {done.stderr[-80:]!r}")
        return done.stdout

    return run


@pytest.mark.parametrize("password", ["grün", ""])
@pytest.mark.parametrize("form", FORMS)
def test_files_of_openssl_are_read(issued, export, form, password):
    content = parse_pkcs12(export(password, *FORMS[form]), password)
    assert content.key == issued.key
    assert content.chain == issued.chain
    assert content.certificate == issued.certificate
    assert content.friendly_name


@pytest.mark.parametrize("form", ["default", "legacy RC2", "no MAC"])
def test_wrong_passwords_are_usage_errors(export, form):
    data = export("right", *FORMS[form])
    for wrong in ("wrong", None, "r"):
        with pytest.raises(UsageError, match="password"):
            parse_pkcs12(data, wrong)


@pytest.mark.parametrize("form", FORMS)
def test_every_byte_is_explained_and_no_secret_shown(issued, export, form):
    data = export("pw", *FORMS[form])
    sink = []
    parse_pkcs12(data, "pw", sink=sink)
    assert check_tiling(sink, len(data)) == ""
    told = []
    shown = show(data, "pw", every_byte=lambda data, spans: told.extend(spans) or hexdump(of_spans(data, spans), 10_000))
    assert issued.key.scalar[:8].hex(" ") not in shown
    assert all("RFC" in span.note for span in told)


def test_files_without_a_key_give_certificates(issued, export):
    content = parse_pkcs12(export("pw", key=("-nokeys",)), "pw")
    assert content.key is None
    assert content.chain == issued.chain


def test_a_tampered_file_is_refused_by_its_mac(export):
    data = bytearray(export("pw", "-certpbe", "NONE"))
    at = data.index(b"example.test")
    data[at] ^= 1
    with pytest.raises(UsageError, match="damaged"):
        parse_pkcs12(bytes(data), "pw")


def test_the_work_of_all_bags_together_is_bounded(export, monkeypatch):
    monkeypatch.setattr(pkcs12, "MAX_WORK", 3000)
    with pytest.raises(DecodeError, match="rounds of hashing"):
        parse_pkcs12(export("pw", "-iter", "2000"), "pw")


def test_neither_repr_nor_errors_show_the_password_or_the_key(export, issued):
    content = parse_pkcs12(export("correct horse"), "correct horse")
    assert issued.key.scalar.hex() not in repr(content)
    with pytest.raises(UsageError) as caught:
        parse_pkcs12(export("correct horse"), "battery staple")
    assert "battery" not in str(caught.value)


@pytest.mark.rfc("2268", "5")
@pytest.mark.parametrize(
    ("key", "bits", "plain", "cipher"),
    [
        ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
        ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", 64, "1000000000000001", "30649edf9be7d2c2"),
        ("88", 64, "0000000000000000", "61a8a244adacccf0"),
        ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_rc2_gives_the_published_vectors(key, bits, plain, cipher):
    words = rc2.expand_key(bytes.fromhex(key), bits)
    assert rc2._decrypt_block(words, bytes.fromhex(cipher)).hex() == plain


@pytest.mark.skipif(shutil.which("certtool") is None, reason="certtool (gnutls-bin) is not installed")
@pytest.mark.parametrize(
    "cipher", ["aes-256", *(pytest.param(name, marks=pytest.mark.slow) for name in ("aes-128", "3des", "3des-pkcs12", "rc2-40"))]
)
def test_files_of_gnutls_are_read(issued, tmp_path, cipher):
    (tmp_path / "chain.pem").write_text(issued.chain_pem)
    (tmp_path / "key.pem").write_text(issued.key_pem)
    command = ("certtool", "--to-p12", "--load-privkey", "key.pem", "--load-certificate", "chain.pem", "--pkcs-cipher", cipher,
               "--p12-name", "x", "--password", "pw", "--outder", "--outfile", "out.p12")  # fmt: skip
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    content = parse_pkcs12((tmp_path / "out.p12").read_bytes(), "pw")
    assert content.key == issued.key
    assert content.chain == issued.chain


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_mutated_files_raise_only_our_errors(export, data):
    original = export("pw", *data.draw(st.sampled_from([("-nomac", "-keypbe", "NONE", "-certpbe", "NONE"), ("-noiter",)])))
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PuretlsError):
        parse_pkcs12(bytes(mutated), "pw")


@given(st.binary(max_size=100))
def test_any_bytes_raise_only_our_errors(data):
    with contextlib.suppress(DecodeError):
        parse_pkcs12(data)
