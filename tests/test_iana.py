"""The registries: generated, whole, and tolerant of what they do not know."""

import subprocess
import sys

import pytest

from puretls.iana import AlertDescription, CipherSuiteId, ExtensionType, NamedGroup, SignatureScheme, known


def test_module_is_what_the_tool_generates(root):
    check = subprocess.run([sys.executable, root / "tools" / "gen_iana.py", "--check"], check=False)
    assert check.returncode == 0, "run python tools/gen_iana.py"


@pytest.mark.rfc("5246", "7.2")
def test_alerts_have_their_rfc_numbers():
    assert (AlertDescription.CLOSE_NOTIFY, AlertDescription.HANDSHAKE_FAILURE, AlertDescription.NO_RENEGOTIATION) == (0, 40, 100)


def test_known_gives_members_for_registered_values_and_the_integer_for_others():
    assert known(NamedGroup, 29) is NamedGroup.X25519
    assert known(NamedGroup, 0x1234) == 0x1234
    assert type(known(NamedGroup, 0x1234)) is int


@pytest.mark.rfc("8701", "2")
@pytest.mark.parametrize("registry", [CipherSuiteId, ExtensionType, NamedGroup, SignatureScheme])
def test_grease_values_stay_unknown(registry):
    grease = [0x0A0A + 0x1010 * n for n in range(16)]
    assert not set(grease) & set(registry)


def test_suites_keep_their_registered_names():
    assert CipherSuiteId(0xC02F).name == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert CipherSuiteId(0x0034).name == "TLS_DH_anon_WITH_AES_128_CBC_SHA"
