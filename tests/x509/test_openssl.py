"""The chains of `test_rules`, judged by the command of OpenSSL as well: what it refuses, the default profile refuses too."""

import shutil
import subprocess

import pytest

from puretls.x509.pem import write_pem
from tests.x509.chains import HOST, NOW, Made, verify
from tests.x509.test_rules import VIOLATIONS, chain

pytestmark = [pytest.mark.interop, pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")]

ACCEPTED_HERE = {
    "must-not-be-critical": "key identifiers are understood here, critical or not",
    "authority-key-pair": "key identifiers are hints for the order of the search (RFC 5280 4.2.1.1); names and signatures bind",
    "key-identifier-match": "as above",
    "root-authority-key": "as above",
    "key-usage": "the handshake compares keyUsage with what the key is to do (RFC 5246 7.4.2)",
}
"""Rule -> why the default profile accepts what OpenSSL does not."""
ACCEPTED_STRICTLY = {"root-authority-key", "key-usage"}
"""What the strict profile accepts as well, for the same reasons: RFC 5280 says nothing of either."""


def openssl_accepts(directory, certificates, anchors, *options):
    ders = [made.der if isinstance(made, Made) else made for made in certificates]
    files = {"leaf": ders[:1], "untrusted": ders[1:], "anchors": [made.der for made in anchors]}
    for name, content in files.items():
        (directory / name).write_text("".join(write_pem("CERTIFICATE", der) for der in content))
    command = ["openssl", "verify", "-attime", str(NOW), "-CAfile", "anchors", "-untrusted", "untrusted", "-purpose", "sslserver",
               "-verify_hostname", HOST, *options, "leaf"]  # fmt: skip
    if not ders[1:]:
        del command[6:8]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return done.returncode == 0


def test_a_sound_chain_is_sound_to_both(tmp_path):
    certificates, anchors = chain()
    assert openssl_accepts(tmp_path, certificates, anchors, "-x509_strict")
    assert verify(certificates, anchors, profile="strict").accepted


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_what_openssl_refuses_is_refused(tmp_path, rule):
    certificates, anchors = VIOLATIONS[rule]()
    if not openssl_accepts(tmp_path, certificates, anchors):
        assert not verify(certificates, anchors).accepted or rule in ACCEPTED_HERE


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_what_openssl_refuses_strictly_is_refused_strictly(tmp_path, rule):
    certificates, anchors = VIOLATIONS[rule]()
    if not openssl_accepts(tmp_path, certificates, anchors, "-x509_strict"):
        assert not verify(certificates, anchors, profile="strict").accepted or rule in ACCEPTED_STRICTLY
