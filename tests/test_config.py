"""Configurations are checked when they are made."""

import dataclasses
import pydoc
import re
from dataclasses import replace

import pytest

from puretls.config import DEFAULT_GROUPS, DEFAULT_SCHEMES, WEAK_SCHEMES, ClientConfig, Credential, Limits, ServerConfig
from puretls.errors import UsageError
from puretls.extensions import ORDER, Alpn, MaxFragmentLength, RecordSizeLimit, ServerName
from puretls.iana import NamedGroup, SignatureScheme
from puretls.suites import DEFAULT_PSK_SUITES, DEFAULT_SUITES, SUITES
from tests.support.credentials import authority, credential, issued

BAD = {
    "no suites": {"suites": ()},
    "dangerous suite": {"suites": (next(suite for suite in SUITES if suite.danger),)},
    "unknown group": {"groups": (0x6399,)},
    "unknown scheme": {"signature_schemes": (0x0102,)},
    "fragment of no bytes": {"max_send_fragment": 0},
    "fragment too long": {"max_send_fragment": 2**14 + 1},
    "trace level": {"trace_level": "verbose"},
    "trace limit": {"trace_limit": -1},
    "extension twice": {"extensions": (Alpn("h2"), Alpn("h3"))},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
@pytest.mark.parametrize("cls", [ClientConfig, ServerConfig])
def test_bad_field_is_refused_with_a_sentence(cls, fields):
    if cls is ServerConfig:
        fields = {"credentials": (credential(),)} | fields
    with pytest.raises(UsageError) as caught:
        cls(**fields)
    assert len(str(caught.value)) > 15
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fields", [{}, {"client_authentication": "maybe", "credentials": (credential(),)}])
def test_server_needs_a_credential_and_knows_three_kinds_of_client_authentication(fields):
    with pytest.raises(UsageError):
        ServerConfig(**fields)


def test_values_of_extensions_are_checked():
    for make in (lambda: Alpn(""), lambda: Alpn("x" * 256), lambda: MaxFragmentLength(1000), lambda: RecordSizeLimit(63),
                 lambda: RecordSizeLimit(2**14 + 1)):  # fmt: skip
        with pytest.raises(UsageError):
            make()


def test_defaults_are_safe():
    config = ClientConfig()
    assert config.suites == DEFAULT_SUITES
    assert config.verifier is None
    assert not config.renegotiation
    assert not WEAK_SCHEMES & set(config.signature_schemes)
    assert SignatureScheme.RSA_PKCS1_SHA256 in DEFAULT_SCHEMES
    assert DEFAULT_GROUPS[0] is NamedGroup.X25519


def test_a_pre_shared_key_brings_its_suites():
    assert ClientConfig(psk=lambda hint: None).suites == DEFAULT_PSK_SUITES + DEFAULT_SUITES
    assert ClientConfig(psk=lambda hint: None, suites=DEFAULT_SUITES[:1]).suites == DEFAULT_SUITES[:1]
    assert ServerConfig(psk=lambda identity: None, suites=DEFAULT_PSK_SUITES).credentials == ()


def test_configuration_is_frozen_and_has_variants():
    config = ClientConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.suites = ()
    assert dataclasses.replace(config, tickets=False).tickets is False


def test_all_extensions_are_active_unless_switched_off():
    assert tuple(type(extension) for extension in ClientConfig().active_extensions) == ORDER
    quiet = ClientConfig(extensions=(ServerName(enabled=False),))
    assert quiet.extension(ServerName) is None
    assert ClientConfig(extensions=(ServerName("x.test"),)).extension(ServerName).name == "x.test"


def test_credential_checks_that_key_and_certificate_belong_together():
    with pytest.raises(UsageError, match="does not belong"):
        Credential(issued().chain, issued("ed25519").key)
    with pytest.raises(UsageError, match="needs a certificate"):
        Credential((), issued().key)
    with pytest.raises(UsageError, match="cannot be used"):
        Credential((b"\x30\x03\2\1\1",), issued().key)


@pytest.mark.parametrize("wrong", [b"", b"\0\0", b"\0\6\0\2\1\2\0\0", b"\0\3\0\1xy"], ids=bytes.hex)
def test_credential_refuses_a_list_of_timestamps_that_no_client_could_read(wrong):
    assert replace(credential(), sct_list=b"\0\3\0\1x").sct_list
    with pytest.raises(UsageError, match="list of timestamps"):
        replace(credential(), sct_list=wrong)


def test_credential_knows_its_names_and_issuers():
    wild = credential(name="*.example.test")
    assert wild.serves("a.example.test")
    assert not wild.serves("a.b.example.test")
    assert not wild.serves("not a name\0")
    assert authority().intermediate.name in wild.issuers


def test_credential_knows_by_what_it_can_be_checked():
    assert credential().checkable_with((SignatureScheme.ECDSA_SECP256R1_SHA256,))
    assert not credential().checkable_with((SignatureScheme.RSA_PKCS1_SHA256,))


def test_secrets_are_not_shown():
    text = repr(ServerConfig(credentials=(credential(),), psk=lambda identity: b"sesame"))
    assert issued().key.scalar.hex() not in text
    assert "key=" not in repr(credential())


def test_largest_finite_fields_are_there_for_those_who_list_them():
    large = (NamedGroup.FFDHE6144, NamedGroup.FFDHE8192)
    assert not set(large) & set(DEFAULT_GROUPS)
    for group in large:
        assert ClientConfig(groups=(group,)).groups == (group,)


def test_suites_of_equal_preference_stand_together_each_in_one_group():
    a, b, c, d = DEFAULT_SUITES[:4]
    fields = {"credentials": (credential(),), "suites": (a, b, c)}
    assert ServerConfig(**fields, equal_suites=((b, c),)).suite_ranks == {a.id: 0, b.id: 1, c.id: 1}
    assert ServerConfig(**fields, equal_suites=((c, b, a),)).suite_ranks == {a.id: 0, b.id: 0, c.id: 0}
    for groups in (((a, c),), ((a, d),), ((),), ((a, b), (b, c))):
        with pytest.raises(UsageError, match="equal preference"):
            ServerConfig(**fields, equal_suites=groups)


@pytest.mark.parametrize("cls", [ClientConfig, ServerConfig, Limits, Credential])
def test_help_tells_what_each_field_means(cls):
    shown = pydoc.plain(pydoc.render_doc(cls))
    for field in dataclasses.fields(cls):
        assert re.search(rf"^[ |]+{field.name}: +\S.{{8}}", shown, re.M), field.name
    assert shown.count("Attributes:") == 1
    assert re.search(r"^[ |]+suites:", shown, re.M) is not None or not hasattr(cls, "suites_by_id")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("groups", NamedGroup.SECT163K1, "group SECT163K1 is"), ("groups", 0x1234, "group 0x1234 is"),
     ("signature_schemes", SignatureScheme.DSA_SHA256, "scheme DSA_SHA256 is"), ("signing_schemes", 0x1234, "scheme 0x1234 is")],
    ids=["known group", "unknown group", "known scheme", "unknown scheme"],
)  # fmt: skip
def test_what_is_not_supported_is_called_by_its_name(field, value, told):
    with pytest.raises(UsageError, match=f"{told} not supported"):
        ClientConfig(**{field: (value,)})
