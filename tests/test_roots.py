"""The system's roots: where they are looked for, that nothing is read early, and what is said when there are none."""

import os
import subprocess
import sys
import time

import pytest

from puretls import roots
from puretls.ca import DevelopmentCa
from puretls.errors import UsageError
from puretls.spans import check_tiling
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.pem import write_pem
from puretls.x509.verifier import ChainRequest


@pytest.fixture(scope="module")
def ca():
    return DevelopmentCa.create(os.urandom, time.time())


def test_ssl_cert_file_is_trusted_and_nothing_else(ca, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("a comment\n" + ca.root_pem + ca.intermediate.pem)
    assert roots.system_roots({"SSL_CERT_FILE": str(path)}) == (ca.root.certificate, ca.intermediate.certificate)


def test_ssl_cert_dir_lists_directories_and_follows_links_once(ca, tmp_path):
    for name, text in (("a", ca.root_pem), ("b", ca.intermediate.pem)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.pem").write_text(text)
        (tmp_path / name / "README").write_text("not a certificate")
        (tmp_path / name / "0a1b2c3d.0").symlink_to("one.pem")
    environ = {"SSL_CERT_DIR": os.pathsep.join(str(tmp_path / name) for name in ("a", "b", "absent"))}
    assert roots.system_roots(environ) == (ca.root.certificate, ca.intermediate.certificate)


def test_der_files_are_read_too(ca, tmp_path):
    (tmp_path / "root.der").write_bytes(ca.root.certificate)
    assert roots.system_roots({"SSL_CERT_DIR": str(tmp_path)}) == (ca.root.certificate,)


@pytest.mark.parametrize("content", [None, "no pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"])
def test_a_named_file_without_certificates_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"ca\.pem"):
        roots.system_roots({"SSL_CERT_FILE": str(path)})


def test_usual_places_are_tried_in_order(ca, tmp_path, monkeypatch):
    bundle, directory = tmp_path / "bundle.pem", tmp_path / "certs"
    directory.mkdir()
    (directory / "root.pem").write_text(ca.root_pem)
    monkeypatch.setattr(roots, "BUNDLES", (str(bundle),))
    monkeypatch.setattr(roots, "DIRECTORIES", (str(tmp_path / "absent"), str(directory)))
    assert roots.system_roots({}) == (ca.root.certificate,)
    bundle.write_text(ca.intermediate.pem)
    assert roots.system_roots({}) == (ca.intermediate.certificate,)


def test_without_any_roots_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(roots, "BUNDLES", ())
    monkeypatch.setattr(roots, "DIRECTORIES", ())
    monkeypatch.setattr(roots, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        roots.system_roots({})


def test_certifi_is_the_last_resort(monkeypatch):
    pytest.importorskip("certifi")
    monkeypatch.setattr(roots, "BUNDLES", ())
    monkeypatch.setattr(roots, "DIRECTORIES", ())
    assert len(roots.system_roots({})) > 50


def test_the_store_is_loaded_once_and_parses_only_what_is_asked_for(ca, tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    other = DevelopmentCa.create(os.urandom, time.time(), organization="Other").root
    path.write_text(ca.root_pem + other.pem)
    environ = {"SSL_CERT_FILE": str(path)}
    store = roots.system_store(environ)
    assert roots.system_store(environ) is store
    parsed = []
    original = Certificate.parse
    monkeypatch.setattr(Certificate, "parse", lambda data: parsed.append(data) or original(data))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    leaf = ca.issue(["a.test"])
    report = roots.system_verifier()(ChainRequest(leaf.chain, "server", "a.test", time.time()))
    assert report.accepted
    assert parsed.count(ca.root.certificate) == 1
    assert other.certificate not in parsed


def test_a_rotten_certificate_among_the_roots_does_not_bring_down_the_others(ca, tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    path.write_text(write_pem("CERTIFICATE", b"\x30\x03rot") + ca.root_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    leaf = ca.issue(["a.test"])
    assert roots.system_verifier()(ChainRequest(leaf.chain, "server", "a.test", time.time())).accepted


def test_chains_of_strangers_are_refused_by_the_roots(ca, tmp_path, monkeypatch):
    path = tmp_path / "ca.pem"
    path.write_text(DevelopmentCa.create(os.urandom, time.time(), organization="Other").root_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert not roots.system_verifier()(ChainRequest(ca.issue(["a.test"]).chain, "server", "a.test", time.time())).accepted


@pytest.mark.parametrize("source", ["system", "certifi"])
def test_every_root_in_use_can_be_parsed_and_has_a_key_known_here(source):
    if source == "system":
        sources = next((roots.Sources((bundle,)) for bundle in roots.BUNDLES if os.path.isfile(bundle)), None)
        if sources is None:
            pytest.skip("this system has no bundle of roots")
    else:
        sources = roots.Sources((pytest.importorskip("certifi").where(),))
    for der in roots.read_sources(sources):
        certificate = Certificate.parse(der)
        assert certificate.public_key
        assert check_tiling(certificate.spans(), len(der)) == ""


def test_making_the_verifier_reads_no_file(tmp_path):
    code = "import os; os.environ['SSL_CERT_FILE'] = '/nowhere/ca.pem'; from puretls.roots import system_verifier; v = system_verifier(); print(v)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "SystemVerifier()", done.stderr
