"""The constants of `_ssl` beside those of the C module, in each version of Python that is here."""

import json
import subprocess

import pytest

from puretls.ssl.constants import constants
from tests.support.interpreters import interpreter

DUMP = """
import _ssl, json
plain = {name: getattr(_ssl, name) for name in dir(_ssl) if not name.startswith("__")}
print(json.dumps({name: value for name, value in plain.items() if isinstance(value, (bool, int, str, tuple))}))
"""
OF_THE_BUILD = {
    "OPENSSL_VERSION", "OPENSSL_VERSION_NUMBER", "OPENSSL_VERSION_INFO", "_OPENSSL_API_VERSION", "_DEFAULT_CIPHERS",
    "HAS_TLSv1", "HAS_TLSv1_1", "HAS_TLSv1_3", "HAS_PSK", "HAS_PHA", "HAS_SSLv3",
}  # fmt: skip


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_names_and_values_are_those_of_the_c_module(version):
    python = interpreter(version)
    told = python and subprocess.run([python, "-c", DUMP], capture_output=True, text=True, check=False)
    if not told or told.returncode:
        pytest.skip(f"no Python {version} with _ssl here")
    theirs = json.loads(told.stdout)
    ours = constants(tuple(map(int, version.split("."))))
    assert set(ours) == set(theirs)
    if theirs["OPENSSL_VERSION_INFO"][0] == 3:
        assert {n: v for n, v in ours.items() if n not in OF_THE_BUILD} == {
            n: v for n, v in theirs.items() if n not in OF_THE_BUILD
        }
    assert {name: type(value) for name, value in ours.items() if not isinstance(value, tuple)} == {
        name: type(value) for name, value in theirs.items() if not isinstance(value, list)
    }


def test_what_is_said_of_the_version_is_true_behind_the_prefix_that_programs_insist_on():
    told = constants((3, 13))
    assert told["OPENSSL_VERSION"].startswith("OpenSSL ")
    assert "puretls" in told["OPENSSL_VERSION"]
    assert told["OPENSSL_VERSION_INFO"] >= (1, 1, 1)
    assert [told[f"HAS_{name}"] for name in ("SSLv2", "SSLv3", "TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")] == [False] * 4 + [
        True,
        False,
    ]
