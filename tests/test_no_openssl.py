"""puretls without OpenSSL: `_ssl`, `ssl` and `_hashlib` blocked, nothing heavy loaded before it is needed."""

import os
import subprocess
import sys

import pytest

HANDSHAKE = """
import sys
for name in ("ssl", "_ssl", "_hashlib"):
    sys.modules[name] = None
from tests.support.pair import fields_for, pair, real, suite_named

for name in {suites!r}:
    client, server = fields_for(suite_named(name))
    joined = pair(client | {{"provider": real()}}, server | {{"provider": real()}}).handshake()
    joined.check_secrets()
    joined.exchange(b"u" * 1000, b"d" * 1000)
print("done", sorted(name for name in ("tlslite", "ecdsa", "socket", "asyncio") if name in sys.modules))
"""
SUITES = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CCM_8",
    "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
)


def python(root, *arguments):
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_handshakes_work_without_openssl_and_without_other_libraries(root):
    assert python(root, "-W", "error", "-c", HANDSHAKE.format(suites=SUITES)).strip() == "done []"


def test_demo_works_without_openssl(root):
    assert "ClientHello" in python(root, "tools/no_openssl.py", "puretls", "demo")


def test_import_works_without_openssl(root):
    python(root, "-c", "import sys\nfor n in ('ssl', '_ssl', '_hashlib'): sys.modules[n] = None\nimport puretls\nprint(puretls.Connection)")


@pytest.mark.parametrize("statement", ["import puretls", "import puretls; puretls.Connection, puretls.ClientConfig, puretls.Alpn"])
def test_import_loads_nothing_heavy(root, statement):
    heavy = ("tlslite", "ecdsa", "ssl", "_ssl", "socket", "asyncio", "rich", "cryptography", "gmpy2")
    script = f"import sys\n{statement}\nprint([name for name in {heavy!r} if name in sys.modules])"
    assert python(root, "-c", script).strip() == "[]"


def test_a_verifier_and_a_clients_hello_load_no_part_of_the_standard_library_that_takes_milliseconds(root):
    slow = ("dataclasses", "inspect", "ast", "threading", "difflib", "tempfile", "random", "json", "email", "logging")
    hello = "client = Connection.client(ClientConfig(), 'x.test'); client.start(); assert client.bytes_to_send()"
    imports = "from puretls import ClientConfig, Connection\nimport puretls.x509.verifier"
    script = f"import sys\n{imports}\n{hello}\nprint([name for name in {slow!r} if name in sys.modules])"
    assert python(root, "-c", script).strip() == "[]"


def test_import_alone_loads_next_to_nothing_of_puretls(root):
    script = "import sys\nimport puretls\nprint(sorted(name for name in sys.modules if name.startswith('puretls')))"
    assert python(root, "-c", script).strip() == "['puretls', 'puretls._version']"


@pytest.mark.parametrize("workers", ["0", "1"])
def test_tests_without_openssl_are_without_it_in_every_process(root, tmp_path, workers):
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it():\n    with pytest.raises(ImportError):\n        import ssl\n")
    told = python(root, "tools/no_openssl.py", "pytest", "-n", workers, "-c", str(tmp_path / "pytest.ini"), str(tmp_path))
    assert "1 passed" in told
