"""`puretls x509`: shows what is in files, verifies chains, runs suites."""

import gzip
import io
import json
import os
import time

import pytest

from puretls.ca import DevelopmentCa
from puretls.cli import main
from puretls.crypto.provider import default
from puretls.x509 import pkcs8
from puretls.x509.keys import public_key_pem
from puretls.x509.pem import write_pem


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    ca = DevelopmentCa.create(os.urandom, time.time())
    leaf = ca.issue(["leaf.test"])
    files = {
        "ca.pem": ca.root_pem,
        "chain.pem": leaf.chain_pem,
        "leaf.pem": write_pem("CERTIFICATE", leaf.certificate),
        "middle.pem": ca.intermediate.pem,
        "key.pem": leaf.key_pem,
        "encrypted.pem": pkcs8.encrypted_key_pem(leaf.key, "pw", os.urandom, default(), iterations=1000),
        "traditional.pem": pkcs8.traditional_key_pem(leaf.key, os.urandom, default(), "pw"),
        "public.pem": public_key_pem(leaf.key.public),
        "good.crl": write_pem("X509 CRL", ca.crl()),
        "revoked.crl": write_pem("X509 CRL", ca.crl([leaf.certificate], reason=1)),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "good.ocsp").write_bytes(ca.ocsp_response(leaf.certificate))
    (folder / "revoked.ocsp").write_bytes(ca.ocsp_response(leaf.certificate, "revoked"))
    (folder / "leaf.der").write_bytes(leaf.certificate)
    (folder / "rubbish").write_bytes(b"rubbish")
    (folder / "rubbish.der").write_bytes(leaf.certificate[:-3] + b"abc" + b"xyz")
    return folder, leaf


@pytest.fixture
def there(pki, monkeypatch):
    monkeypatch.chdir(pki[0])
    return pki[1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chain.pem", ["CN=leaf.test", "intermediate", "Subject:"]),
        ("leaf.der", ["CN=leaf.test", "Serial:"]),
        ("revoked.crl", ["revocation list", "keyCompromise", "Next due"]),
        ("good.ocsp", ["OCSP response", "good"]),
        ("revoked.ocsp", ["revoked on"]),
        ("public.pem", ["Public key: secp256r1", "pin"]),
        ("key.pem", ["Private key (not shown)", "secp256r1"]),
    ],
)
def test_show_tells_what_is_in_a_file(there, capsys, name, words):
    assert main(["x509", "show", name]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in words), shown


@pytest.mark.parametrize("name", ["leaf.pem", "revoked.crl", "good.ocsp", "public.pem", "key.pem"])
def test_show_bytes_explains_every_byte_and_shows_no_secret(there, capsys, name):
    assert main(["x509", "show", "--bytes", name]) == 0
    shown = capsys.readouterr().out
    assert shown.count("RFC") > 5
    secret = there.key.scalar
    assert secret[:8].hex(" ") not in shown
    assert secret.hex() not in shown


def test_show_bytes_marks_the_fault(there, capsys):
    assert main(["x509", "show", "--bytes", "rubbish.der"]) == 0
    assert "FAULT" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["encrypted.pem", "traditional.pem"])
def test_show_opens_encrypted_keys_with_their_password(there, capsys, name):
    assert main(["x509", "show", name, "--password", "pw"]) == 0
    assert "Private key" in capsys.readouterr().out
    for arguments in ([], ["--password", "wrong"]):
        assert main(["x509", "show", name, *arguments]) == 2
        assert "password" in capsys.readouterr().err


def test_show_reads_standard_input(there, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(there.chain_pem.encode())))
    assert main(["x509", "show", "-"]) == 0
    assert "leaf.test" in capsys.readouterr().out


VERIFY = ["x509", "verify", "chain.pem", "--ca", "ca.pem"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--host", "leaf.test"], 0, "verified"),
        (["--host", "other.test"], 1, "other.test"),
        (["--at", "2001-01-01"], 1, "not valid before"),
        (["--at", "2001-01-01T00:00:00Z"], 1, "not valid before"),
        (["--at", "4000000000"], 1, "expired"),
        (["--purpose", "client"], 1, "clientAuth"),
        (["--profile", "strict"], 0, "verified"),
        (["--crl", "good.crl"], 0, "verified"),
        (["--crl", "revoked.crl"], 1, "revoked"),
        (["--ocsp", "good.ocsp"], 0, "verified"),
        (["--ocsp", "revoked.ocsp"], 1, "revoked"),
        (["--ocsp", "rubbish"], 1, "OCSP response is unusable"),
        (["--crl", "good.crl", "--at", "4000000000", "--danger-without", "expired"], 1, "out of date"),
    ],
)
def test_verify_tells_the_verdict_in_one_line(there, capsys, arguments, status, words):
    assert main([*VERIFY, *arguments]) == status
    captured = capsys.readouterr()
    line = captured.err if status else captured.out
    assert words in line
    assert line.count("\n") == 1


def test_verify_takes_intermediates_from_other_files(there, capsys):
    assert main(["x509", "verify", "leaf.der", "--ca", "ca.pem"]) == 1
    assert main(["x509", "verify", "leaf.der", "middle.pem", "--ca", "ca.pem"]) == 0


def test_verify_trusts_the_system_unless_told_otherwise(there, capsys, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
    assert main(["x509", "verify", "chain.pem"]) == 0


def test_explain_tells_more(there, capsys):
    assert main([*VERIFY, "--host", "other.test", "--explain"]) == 1
    shown = capsys.readouterr().out
    assert "mend:" in shown
    assert "bytes" in shown


def test_rules_are_listed_and_misspelt_ones_corrected(there, capsys):
    assert main(["x509", "rules"]) == 0
    assert "not-yet-valid" in capsys.readouterr().out
    assert main([*VERIFY, "--without", "expird"]) == 2
    assert "'expired' is" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["x509", "show", "absent"],
        ["x509", "show", "rubbish"],
        ["x509", "show", "rubbish.der"],
        ["x509", "verify", "rubbish", "--ca", "ca.pem"],
        ["x509", "verify", "absent"],
        ["x509", "verify", "chain.pem", "--ca", "absent"],
        ["x509", "verify", "chain.pem", "--ca", "rubbish"],
        [*VERIFY, "--at", "yesterday"],
        [*VERIFY, "--without", "gravity"],
        [*VERIFY, "--without", "expired"],
        [*VERIFY, "--crl", "rubbish"],
        [*VERIFY, "--crl", "leaf.pem"],
        [*VERIFY, "--ocsp", "absent"],
        ["x509", "limbo", "rubbish"],
        ["x509", "limbo", "absent"],
    ],
)
def test_bad_input_is_one_line_and_status_2(there, capsys, arguments):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("puretls: ")
    assert error.count("\n") == 1
    assert len(error) < 400


@pytest.mark.parametrize("packed", [False, True])
def test_limbo_prints_results_in_the_suites_format(there, pki, capsys, packed):
    ca = (pki[0] / "ca.pem").read_text()
    case = {
        "id": "rfc5280::one",
        "trusted_certs": [ca],
        "untrusted_intermediates": [(pki[0] / "middle.pem").read_text()],
        "peer_certificate": (pki[0] / "leaf.pem").read_text(),
        "validation_time": None,
        "validation_kind": "SERVER",
        "expected_peer_name": {"kind": "DNS", "value": "leaf.test"},
        "expected_peer_names": [],
        "extended_key_usage": [],
        "key_usage": [],
        "max_chain_depth": None,
        "crls": [],
    }
    other = case | {"id": "rfc5280::two", "expected_peer_name": {"kind": "DNS", "value": "other.test"}}
    text = json.dumps({"version": 1, "testcases": [case, other]}).encode()
    (pki[0] / "cases").write_bytes(gzip.compress(text) if packed else text)
    assert main(["x509", "limbo", "cases"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["actual_result"] for one in results["results"]] == ["SUCCESS", "FAILURE"]
    assert results["version"] == 1
