"""`puretls ca`: one line makes a CA and a certificate; what is there is kept."""

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from puretls.ca import DevelopmentCa
from puretls.cli import main
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.keys import key_fits, parse_private_key
from puretls.x509.pem import load_certificates


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leaf(path):
    return Certificate.parse(load_certificates(path.read_bytes())[0])


def test_one_line_makes_everything(folder, capsys):
    assert main(["ca", "--out", "pki", "example.test", "127.0.0.1"]) == 0
    made = {path.name for path in (folder / "pki").iterdir()}
    assert made == {"ca.pem", "ca.key", "intermediate.pem", "intermediate.key", "example.test.pem", "example.test.key"}
    certificate = leaf(folder / "pki" / "example.test.pem")
    assert certificate.dns_names == ("example.test",)
    assert certificate.ip_addresses == (bytes([127, 0, 0, 1]),)
    assert key_fits(certificate.public_key, parse_private_key((folder / "pki" / "example.test.key").read_text()))
    assert "puretls serve" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_keys_are_for_the_owner_alone_even_where_a_wider_file_was(folder):
    (folder / "ca").mkdir()
    (folder / "ca" / "a.test.key").write_text("old")
    (folder / "ca" / "a.test.key").chmod(0o644)
    assert main(["ca", "a.test"]) == 0
    for key in (folder / "ca").glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_second_run_goes_on_with_the_ca_that_is_there(folder):
    assert main(["ca", "a.test"]) == 0
    before = (folder / "ca" / "ca.pem").read_bytes()
    assert main(["ca", "b.test"]) == 0
    assert (folder / "ca" / "ca.pem").read_bytes() == before
    first, second = (leaf(folder / "ca" / f"{name}.test.pem") for name in "ab")
    assert first.issuer == second.issuer
    assert main(["x509", "verify", "ca/b.test.pem", "--ca", "ca/ca.pem", "--host", "b.test"]) == 0


@pytest.mark.parametrize("kind", ["P-256", "p-384", "P-521", "Ed25519", "Ed448", "rsa"])
def test_every_kind_of_key_verifies(folder, kind):
    assert main(["ca", "--key", kind, "a.test"]) == 0
    assert main(["x509", "verify", "ca/a.test.pem", "--ca", "ca/ca.pem", "--host", "a.test", "--profile", "strict"]) == 0


def test_mail_addresses_make_client_certificates(folder):
    assert main(["ca", "ann@example.test", "ann"]) == 0
    path = folder / "ca" / "ann@example.test.pem"
    assert main(["x509", "verify", str(path), "--ca", "ca/ca.pem", "--purpose", "client"]) == 0
    assert main(["x509", "verify", str(path), "--ca", "ca/ca.pem"]) == 1


def test_without_names_only_the_ca_is_made(folder):
    assert main(["ca", "--no-intermediate"]) == 0
    assert {path.name for path in (folder / "ca").iterdir()} == {"ca.pem", "ca.key"}
    assert main(["ca", "*.example.test", "--days", "3"]) == 0
    validity = leaf(folder / "ca" / "_.example.test.pem").validity
    assert validity.not_after - validity.not_before == 3 * 86_400


def test_must_staple_certificates_need_a_response(folder, capsys):
    assert main(["ca", "a.test", "--must-staple"]) == 0
    assert main(["x509", "verify", "ca/a.test.pem", "--ca", "ca/ca.pem"]) == 1
    assert "stapled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--key", "dsa", "a.test"], "known: secp256r1"),
        (["a b"], "no DNS name"),
        (["--days", "0", "a.test"], "--days"),
        (["ca"], "another name first"),
    ],
)
def test_bad_input_is_one_line_and_status_2(folder, capsys, arguments, words):
    assert main(["ca", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("name", "content"), [("ca.pem", "rubbish"), ("ca.key", "rubbish"), ("ca.key", None)])
def test_a_damaged_ca_is_reported_by_file(folder, capsys, name, content):
    assert main(["ca"]) == 0
    path = folder / "ca" / name
    path.unlink() if content is None else path.write_text(content)
    assert main(["ca", "a.test"]) == 2
    assert name in capsys.readouterr().err


def test_a_key_of_another_certificate_is_reported(folder, capsys):
    assert main(["ca"]) == 0
    (folder / "ca" / "ca.key").write_bytes((folder / "ca" / "intermediate.key").read_bytes())
    assert main(["ca", "a.test"]) == 2
    assert "not that of" in capsys.readouterr().err


@pytest.mark.interop
def test_openssl_agrees(folder):
    assert main(["ca", "a.test", "192.0.2.1"]) == 0
    try:
        done = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "192.0.2.1", "-CAfile", "ca/ca.pem", "-untrusted",
             "ca/a.test.pem", "ca/a.test.pem"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["bad name"], ["a..b"], ["--key", "dsa", "a.test"], ["ca"], ["a.test", "b c"], ["--days", "x", "a.test"]])
def test_what_cannot_be_made_leaves_nothing_behind(folder, capsys, arguments):
    assert main(["ca", *arguments]) == 2
    assert list(folder.iterdir()) == []


def test_longest_validity_ends_with_that_of_the_authority(folder):
    assert main(["ca", "a.test", "--days", "36500"]) == 0
    assert main(["x509", "verify", "ca/a.test.pem", "--ca", "ca/ca.pem"]) == 0


@pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX alone")
def test_several_at_the_same_time_share_one_authority(folder, monkeypatch):
    """Each finds no authority when it begins; the first one's is that of all. Whoever makes one gives the other time to do the same."""
    both, create = Barrier(2), DevelopmentCa.create

    def slowly(*arguments, **keywords):
        with suppress(BrokenBarrierError):
            both.wait(0.3)
        return create(*arguments, **keywords)

    monkeypatch.setattr(DevelopmentCa, "create", slowly)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda name: main(["ca", "--out", "new", f"{name}.test"]), "ab")) == [0, 0]
    for name in "ab":
        assert main(["x509", "verify", f"new/{name}.test.pem", "--ca", "new/ca.pem", "--host", f"{name}.test"]) == 0


def test_what_cannot_be_issued_leaves_no_folder(folder):
    assert main(["ca", "--out", "new", "no name"]) == 2
    assert main(["ca", "--out", "new", "--key", "RSA1", "a.test"]) == 2
    assert list(folder.iterdir()) == []
