"""The command as a whole: version, lists, help."""

import platform
import subprocess
import sys

import pytest

from puretls._version import __version__
from puretls.algorithm_names import suites
from puretls.cli import parser
from puretls.crypto.provider import default
from puretls.suites import SUITES
from tests.cli.command import ENVIRONMENT, in_process, puretls


def test_version():
    assert puretls("--version").stdout.decode().strip() == f"puretls {__version__}"


@pytest.mark.parametrize("order", [("--version", "-v"), ("-v", "--version")])
def test_version_tells_what_computes_what(order):
    first, python, *provider = puretls(*order).stdout.decode().splitlines()
    assert (first, python) == (f"puretls {__version__}", f"{platform.python_implementation()} {platform.python_version()}, {sys.platform}")
    assert "\n".join(provider) == default().describe()


def test_list_of_suites_has_every_suite_by_both_names():
    listing = in_process("list", "suites").stdout
    assert len(listing.splitlines()) == len(SUITES) + 1
    for suite in SUITES:
        assert f" {suite.name} " in listing
        assert f" {suite.openssl_name} " in listing


@pytest.mark.parametrize("text", ["kRSA", "ECDHE+AESGCM:!aNULL", "DEFAULT", "PSK", "AES128-SHA:kRSA", "ALL:@STRENGTH"])
@pytest.mark.parametrize("danger", [False, True])
def test_list_says_what_a_cipher_string_means(text, danger):
    listing = in_process("list", "suites", "--ciphers", text, *(["--danger-suites"] if danger else []))
    assert [line.split()[1] for line in listing.stdout.splitlines()[1:]] == [suite.name for suite in suites(text, danger=danger)]


def test_words_of_cipher_strings_bring_dangerous_suites_only_with_the_switch():
    """As in OpenSSL, kRSA says nothing of the cipher."""
    harmless, all_of_them = (in_process("list", "suites", "--ciphers", "kRSA", *more).stdout for more in ((), ("--danger-suites",)))
    for name in ("NULL-SHA256", "RC4-MD5", "DES-CBC3-SHA"):
        assert f" {name} " in all_of_them
        assert f" {name} " not in harmless
    for command in ("connect", "serve", "list"):
        assert "kRSA" in in_process(command, "--help").stdout


@pytest.mark.parametrize("arguments", [("groups", "--ciphers", "ALL"), ("suites", "--ciphers", "nosuch"), ("sigalgs", "--danger-suites")])
def test_list_refuses_what_it_cannot_list(arguments):
    result = in_process("list", *arguments)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("groups", ["x25519", "secp521r1", "ffdhe2048", "P-256"]),
        ("sigalgs", ["rsa_pss_rsae_sha256", "ed448", "when named"]),
        ("extensions", ["server_name", "record_size_limit", "RFC 8449"]),
    ],
)
def test_other_lists(what, words):
    result = in_process("list", what)
    assert result.returncode == 0
    for word in words:
        assert word in result.stdout


def test_every_option_has_help():
    for command in parser()._subparsers._group_actions[0].choices.values():
        for action in command._actions:
            assert action.help or action.choices, f"{command.prog} {action.dest}"


def test_parsing_the_command_line_loads_no_cryptography():
    code = "import sys, puretls.cli; puretls.cli.parser(); print([m for m in sys.modules if m.startswith(('tlslite', 'ecdsa', 'puretls.crypto'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout.strip() == "[]"
