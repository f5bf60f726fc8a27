"""Any two configurations: compatible peers finish with equal secrets, others end in one defined alert at both ends, never in a stall."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.config import DEFAULT_GROUPS, DEFAULT_SCHEMES
from puretls.crypto.keys import EcPublicKey
from puretls.crypto.signatures import fits
from puretls.errors import FatalAlert, PeerError
from puretls.extensions import Alpn, EncryptThenMac, ExtendedMasterSecret, MaxFragmentLength, RecordSizeLimit
from puretls.extensions.supported_groups import FINITE_FIELD
from puretls.iana import NamedGroup
from puretls.suites import SUITES
from tests.support.conversations import tickets
from tests.support.credentials import credential
from tests.support.pair import pair, psk_client, psk_server

KINDS = ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448", "rsa2048", "rsa_pss")
CURVES = {"secp256r1": NamedGroup.SECP256R1, "secp384r1": NamedGroup.SECP384R1, "secp521r1": NamedGroup.SECP521R1}


def some(values, most):
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


extensions = st.builds(
    lambda *chosen: tuple(one for one in chosen if one is not None),
    st.sampled_from((None, ExtendedMasterSecret(enabled=False), ExtendedMasterSecret(required=True))),
    st.sampled_from((None, EncryptThenMac(enabled=False))),
    st.sampled_from((None, None, Alpn("h2"), Alpn("http/1.1", "h2"), Alpn("dot"))),
    st.sampled_from((None, None, MaxFragmentLength(512), MaxFragmentLength(4096))),
    st.sampled_from((None, None, RecordSizeLimit(64), RecordSizeLimit(2**14))),
)
common = {
    "suites": some(SUITES, 20) | st.just(SUITES),
    "groups": some(DEFAULT_GROUPS, 4) | st.just(DEFAULT_GROUPS),
    "signature_schemes": some(DEFAULT_SCHEMES, 6) | st.just(DEFAULT_SCHEMES),
    "extensions": extensions,
    "danger_suites": st.just(True),
}
clients = st.fixed_dictionaries(common | {"tickets": st.booleans(), "credentials": some(KINDS, 2).map(lambda kinds: tuple(map(credential, kinds)))})
servers = st.fixed_dictionaries(
    common
    | {
        "client_authentication": st.sampled_from(("none", "request", "require")),
        "prefer_client_order": st.booleans(),
        "kinds": some(KINDS, 4),
        "with_tickets": st.booleans(),
    }
)


def wanted(fields, cls):
    return next((one for one in fields["extensions"] if type(one) is cls), None)


def suite_fits(suite, client, server):
    """Whether group, certificate and signature algorithm are there: the rules once more, as the RFCs put them."""
    ours, theirs = client["groups"], server["groups"]
    elliptic_offered = any(one.is_elliptic for one in client["suites"])
    if suite.is_elliptic and not {g for g in ours if g not in FINITE_FIELD} & set(theirs):
        return False
    named = {g for g in ours if g in FINITE_FIELD}
    if suite.is_finite_field and named and not named & set(theirs):
        return False
    if not suite.has_certificate:
        return True
    for kind in server["kinds"]:
        if (suite.auth.value == "RSA") != kind.startswith("rsa"):
            continue
        if kind == "rsa_pss" and not suite.is_signed:
            continue
        if kind in CURVES and elliptic_offered and CURVES[kind] not in ours:
            continue
        key = credential(kind).public_key
        schemes = set(client["signature_schemes"]) & set(server["signature_schemes"])
        if not suite.is_signed or any(fits(scheme, key) for scheme in schemes):
            return True
    return False


def compatible(client, server):
    """True, False, or None where only the choice that the server makes could tell."""
    shared = [suite for suite in client["suites"] if suite in server["suites"]]
    if not any(suite_fits(suite, client, server) for suite in shared):
        return False
    alpn = wanted(client, Alpn), wanted(server, Alpn)
    if all(alpn) and not set(alpn[0].protocols) & set(alpn[1].protocols):
        return False
    ems = wanted(client, ExtendedMasterSecret), wanted(server, ExtendedMasterSecret)
    for one, other in (ems, ems[::-1]):
        if one and one.required and one.enabled and other and not other.enabled:
            return False
    return True if server["client_authentication"] != "require" else None


def check(client, server):
    expected = compatible(client, server)
    server = dict(server)
    kinds, with_tickets = server.pop("kinds"), server.pop("with_tickets")
    server |= {"credentials": tuple(map(credential, kinds)), "psk": psk_server, "tickets": tickets() if with_tickets else None}
    joined = pair(client | {"psk": psk_client}, server).handshake()
    if joined.connected:
        joined.check_secrets()
        joined.exchange(b"u" * 600, b"d" * 70)
        assert expected is not False, joined.story()
        return
    assert expected is not True, joined.story()
    errors = [end.error for end in joined.ends()]
    assert all(isinstance(error, PeerError | FatalAlert) for error in errors), joined.story()
    assert sum(isinstance(error, PeerError) for error in errors) == 1, joined.story()
    assert [end.state for end in joined.ends()] == ["FAILED", "FAILED"]
    sent = joined.client.alerts_sent + joined.server.alerts_sent
    assert len(sent) == 1
    assert sent == joined.client.alerts_received + joined.server.alerts_received


@given(client=clients, server=servers)
@settings(max_examples=150, deadline=None)
def test_any_two_configurations_finish_or_end_in_one_alert(client, server):
    check(client, server)


@pytest.mark.full
@given(client=clients, server=servers)
@settings(max_examples=5000, deadline=None)
def test_any_two_configurations_finish_or_end_in_one_alert_many_times(client, server):
    check(client, server)


def test_a_curve_is_told_by_the_key():
    assert {kind for kind in KINDS if isinstance(credential(kind).public_key, EcPublicKey)} == set(CURVES)
