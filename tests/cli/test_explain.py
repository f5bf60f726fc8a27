"""`puretls explain`: short texts in 80 columns; unknown names are told with what is like them."""

import pytest

from puretls.iana import AlertDescription, CipherSuiteId, ExtensionType, NamedGroup, SignatureScheme
from tests.cli.command import in_process, puretls

WIDTH = 80


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("handshake_failure", ["alert handshake_failure", "what to try:", "RFC 5246 7.2.2", "NO_SHARED_SUITE"]),
        ("0xC02F", ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "forward secrecy", "ServerHello.cipher_suite"]),
        ("AES128-SHA", ["TLS_RSA_WITH_AES_128_CBC_SHA", "no forward secrecy", "SHA-1"]),
        ("server_name", ["extension server_name", "0 (0x0000)", "ClientHello.extensions", "RFC 6066 3"]),
        ("prime256v1", ["group secp256r1", "65 bytes"]),
        ("ECDSA+SHA256", ["signature scheme ecdsa_secp256r1_sha256", "CertificateVerify.algorithm"]),
        ("wrong-host", ["certificate rule wrong-host", "bad_certificate", "RFC 9525 6"]),
        ("BAD_FINISHED", ["reason BAD_FINISHED", "decrypt_error"]),
        ("WAIT_FINISHED", ["client state WAIT_FINISHED", "server state WAIT_FINISHED", "may come:", "Finished", "CONNECTED"]),
        ("CertificateVerify", ["message CertificateVerify", "from the client:", "WAIT_CERTIFICATE_VERIFY"]),
        ("client.ClientHello.random", ["32 random bytes", "RFC 5246 7.4.1.2"]),
    ],
)  # fmt: skip
def test_it_tells_what_a_thing_is(name, words):
    result = in_process("explain", name)
    assert (result.returncode, result.stderr) == (0, "")
    for word in words:
        assert word in result.stdout


@pytest.mark.parametrize("registry", [AlertDescription, CipherSuiteId, ExtensionType, NamedGroup, SignatureScheme], ids=lambda r: r.__name__)
def test_every_explanation_fits_80_columns(registry):
    names = [one.name for one in registry]
    result = in_process("explain", *names)
    assert result.returncode == 0
    assert max(map(len, result.stdout.splitlines())) <= WIDTH
    assert "\N{NO-BREAK SPACE}" not in result.stdout


def test_it_fits_narrow_windows(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, in_process("explain", "0xC02F").stdout.splitlines())) <= 60


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("handshake_failrue", "did you mean handshake_failure"),
        ("serverhallo", "did you mean ServerHello"),
        ("ECDHE-RSA-AES128-GCM-SHA25", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("xyzzy", "puretls explain --help"),
        ("ClientHello.randon", "nothing here is called"),
        ("", "nothing here is called"),
        ("\x1b[31m", "nothing here is called"),
    ],
)
def test_unknown_name_is_one_line_and_status_2(name, hint):
    result = in_process("explain", name)
    assert result.returncode == 2
    assert result.stdout == ""
    assert hint in result.stderr
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


def test_several_names_are_told_one_after_the_other():
    result = in_process("explain", "x25519", "ed25519")
    assert result.stdout.count("\n\n") == 1
    assert result.stdout.index("group x25519") < result.stdout.index("signature scheme ed25519")


def test_no_name_is_a_usage_error():
    assert in_process("explain").returncode == 2


def test_the_command_runs_as_a_process():
    result = puretls("explain", "close_notify")
    assert result.returncode == 0
    assert b"proper end of a connection" in result.stdout
