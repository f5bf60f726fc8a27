import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from importlib import util

import pytest

from puretls.crypto import provider as module
from puretls.crypto.provider import default, reference
from puretls.errors import UsageError

HAS_GMPY2 = util.find_spec("gmpy2") is not None


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


def test_gmpy2_asked_for_but_missing_is_a_usage_error(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"puretls\[fast\]"):
        module.default.__wrapped__(accelerated=True)
    assert module.default.__wrapped__(accelerated=None).name == "puretls"


@pytest.mark.skipif(not HAS_GMPY2, reason="gmpy2 is not installed")
def test_gmpy2_is_taken_where_it_is_found_unless_told_not_to():
    assert default().name == default(accelerated=True).name == "puretls+gmpy2"
    assert "gmpy2" in default().describe()
    assert default(accelerated=False).name == "puretls"


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
