import ctypes
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from importlib import util

import pytest

from puretls.crypto import provider as module
from puretls.crypto.provider import default, named, reference
from puretls.errors import UsageError
from tests.cli.command import in_process

HAS_GMPY2 = util.find_spec("gmpy2") is not None


def has_libgmp():
    try:
        from puretls.crypto.backends import libgmp  # noqa: F401
    except UsageError:
        return False
    return True


def test_provider_is_one_value_for_one_choice():
    assert default() is default()
    assert default(table_free=True) is not default()
    assert reference() is reference()


def test_provider_says_what_it_is():
    plain = default(accelerated=False).describe()
    assert plain.startswith("provider puretls\n")
    assert "elliptic curves: puretls kernels on Python integers" in plain
    assert "without secret-indexed tables" in default(table_free=True, accelerated=False).describe()
    assert "python-ecdsa" in reference().describe()
    assert default(table_free=True, accelerated=False).name == "puretls+table-free"


def test_provider_is_frozen_and_replaceable():
    provider = default()
    with pytest.raises(FrozenInstanceError):
        provider.name = "other"
    assert replace(provider, name="other").name == "other"


@pytest.fixture
def nothing_installed(monkeypatch):
    """Neither gmpy2 nor numpy nor libgmp."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.delenv(module.VARIABLE, raising=False)
    for name in ("gmp", "libgmp", "arrays"):
        monkeypatch.delitem(sys.modules, f"puretls.crypto.backends.{name}", raising=False)
    for name in ("gmpy2", "numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: (_ for _ in ()).throw(OSError(f"{name}: cannot open shared object file")))


@pytest.mark.usefixtures("nothing_installed")
def test_what_is_asked_for_and_missing_is_told_in_one_line():
    with pytest.raises(UsageError, match=r"^neither gmpy2 nor libgmp is here: pip install 'puretls\[fast\]'.*$"):
        module.default.__wrapped__(accelerated=True)
    for name, what in (("gmpy2", "gmpy2 is not installed: pip"), ("numpy", "numpy is not installed: pip"), ("libgmp", "libgmp was not found: install it")):
        with pytest.raises(UsageError, match=f"^{what}.*$"):
            named(name)
    assert module.default.__wrapped__(accelerated=None).name == "puretls"


def test_what_is_installed_and_broken_says_why_in_one_line(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    for package, backend, fault in (("gmpy2", "gmp", "ImportError"), ("numpy", "arrays", "RuntimeError")):
        (tmp_path / f"{package}.py").write_text(f"raise {fault}('built for\\n\\nanother machine')")
        monkeypatch.delitem(sys.modules, package, raising=False)
        monkeypatch.delitem(sys.modules, f"puretls.crypto.backends.{backend}", raising=False)
        with pytest.raises(UsageError, match=rf"^{package} cannot be imported \(built for another machine\): pip install .*$"):
            named(package)


def test_python_without_ctypes_says_so_for_libgmp(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)
    monkeypatch.delitem(sys.modules, "puretls.crypto.backends.libgmp", raising=False)
    with pytest.raises(UsageError, match=r"^libgmp is called by ctypes, which this Python was built without: .*$"):
        named("libgmp")


@pytest.mark.skipif(not HAS_GMPY2, reason="gmpy2 is not installed")
def test_gmpy2_is_taken_where_it_is_found_unless_told_not_to():
    assert default().name == "puretls+gmpy2"
    assert default(accelerated=True).name.startswith("puretls+gmpy2")
    assert "gmpy2" in default().describe()
    assert default(accelerated=False).name == "puretls"


@pytest.mark.skipif(not has_libgmp(), reason="the system has no libgmp")
def test_libgmp_is_taken_only_where_it_is_asked_for(monkeypatch):
    assert "libgmp" not in default().describe()
    assert "powers of secrets by libgmp" in named("libgmp").describe()
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert module.default.__wrapped__(accelerated=True).name == "puretls+libgmp"
    assert module.default.__wrapped__().name == "puretls"


def test_names_of_providers():
    assert named("puretls") is default(accelerated=False)
    assert named("reference") is reference()
    assert named("default") is default()
    assert named("table-free+puretls").name == "puretls+table-free"
    for name in ("", "fish", "puretls+fish", "reference+puretls", "gmpy2+libgmp", "PURETLS"):
        with pytest.raises(UsageError, match="no provider is called"):
            named(name)
    with pytest.raises(UsageError, match=r"no provider is called 'reference\+puretls'"):  # "reference" alone is called so
        named("reference+puretls")


def test_the_environment_names_the_default(tmp_path):
    code = "from puretls.crypto.provider import default; print(default().name, default(accelerated=False).name, default(table_free=True, accelerated=False).name)"
    for value, told in (("table-free+puretls", "puretls+table-free puretls puretls+table-free"), ("reference", "reference puretls puretls+table-free")):
        environment = os.environ | {"PURETLS_PROVIDER": value}
        assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout.strip() == told


def test_an_unknown_name_in_the_environment_is_one_line_of_the_command():
    environment = os.environ | {"PURETLS_PROVIDER": "fish"}
    result = subprocess.run([sys.executable, "-m", "puretls", "--version", "-v"], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("puretls: no provider is called 'fish': PURETLS_PROVIDER is")
    assert result.stderr.count("\n") == 1


def test_an_unknown_name_in_the_environment_is_blamed_on_no_file(monkeypatch):
    monkeypatch.setenv("PURETLS_PROVIDER", "fish")
    monkeypatch.setattr(module, "default", module.default.__wrapped__)
    for command in (["serve", "--port", "0", "--cert", "server.pem", "--key", "server.key"], ["demo"], ["list", "suites"]):
        result = in_process(*command)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("puretls: no provider is called 'fish': ")


def test_numpy_is_not_imported_unless_asked_for():
    """It takes a fifth of a second: a key of ChaCha20-Poly1305 uses it where the program has it already."""
    code = (
        "import sys; from puretls.crypto.aead import CHACHA20_POLY1305 as c; from puretls.crypto.provider import default;"
        "p = default(); p.aead(c, bytes(32)).seal(bytes(12), bytes(16384), b''); before = 'numpy' in sys.modules;"
        "import numpy; print(before, type(p.aead(c, bytes(32))).__name__, type(default(accelerated=False).aead(c, bytes(32))).__name__)"
    )
    if util.find_spec("numpy") is None:
        pytest.skip("numpy is not installed")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["False", "ArrayChaCha20Poly1305", "ChaCha20Poly1305"]


def test_making_a_provider_loads_no_kernel_and_no_library():
    code = (
        "import sys; from puretls.crypto.provider import default, reference; default(); reference();"
        "print([name for name in sys.modules if name.split('.')[0] in ('ecdsa', 'tlslite', 'gmpy2') or '.kernels' in name or '.backends' in name])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_key_exchange_loads_neither_library():
    code = (
        "import os, sys; from puretls.crypto.provider import default; p = default(accelerated=False); k = p.generate('secp256r1', os.urandom);"
        "[p.group(n).generate(os.urandom) for n in ('x25519', 'secp256r1')];"
        "print([name for name in sys.modules if name.split('.')[0] in ('ecdsa', 'tlslite', 'gmpy2', 'ssl')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("provider", [default(accelerated=False), reference()], ids=lambda provider: provider.name)
def test_every_group_agrees_with_itself(provider):
    for name in ("x25519", "x448", "secp256r1", "secp384r1", "secp521r1", "ffdhe2048"):
        group = provider.group(name)
        assert group.name == name
        a, b = group.generate(os.urandom), group.generate(os.urandom)
        assert group.shared_secret(a.private, b.public) == group.shared_secret(b.private, a.public)
    with pytest.raises(UsageError, match="no group is called 'sect163k1'"):
        provider.group("sect163k1")


@pytest.mark.rfc("5246", "5")
def test_prf_has_the_published_output():
    """The vector that implementers of TLS 1.2 exchange for P_SHA256 (IETF TLS mailing list, 2009, tested by GnuTLS and others)."""
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
    expected += "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
    for provider in (default(), reference()):
        assert provider.prf("sha256", secret, b"test label", seed, 100).hex() == expected
        assert provider.prf("sha256", secret, b"test label", seed, 7).hex() == expected[:14]
        assert provider.prf("sha256", secret, b"test label", seed, 0) == b""
