"""The command as a whole: version, lists, help."""

import subprocess
import sys

import pytest

from puretls._version import __version__
from puretls.cli import parser
from puretls.suites import SUITES
from tests.cli.command import ENVIRONMENT, in_process, puretls


def test_version():
    assert puretls("--version").stdout.decode().strip() == f"puretls {__version__}"


def test_list_of_suites_has_every_suite_by_both_names():
    listing = in_process("list", "suites").stdout
    assert len(listing.splitlines()) == len(SUITES) + 1
    for suite in SUITES:
        assert f" {suite.name} " in listing
        assert f" {suite.openssl_name} " in listing


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
