"""What a server says where nothing in a ClientHello fits: the reason is what was really missing, and only want of a group is
insufficient_security (RFC 5246 7.4.1.3, RFC 7919 4)."""

from dataclasses import replace
from functools import lru_cache

import pytest

from puretls.config import Credential
from puretls.der import oids
from puretls.errors import Reason
from puretls.extensions import ServerName
from puretls.iana import NamedGroup as G
from puretls.iana import SignatureScheme as S
from puretls.key_exchange import Lack
from puretls.messages.handshake import ClientHello
from puretls.x509 import drafts
from tests.support.breaks import message
from tests.support.credentials import authority, credential, issued
from tests.support.pair import IDENTITY, PSK, pair, suite_named

ECDHE_RSA, ECDHE_ECDSA, DHE, RSA = (suite_named(f"TLS_{kx}_WITH_AES_128_GCM_SHA256") for kx in ("ECDHE_RSA", "ECDHE_ECDSA", "DHE_RSA", "RSA"))
PLAIN_PSK, ECDHE_PSK, DHE_PSK = (
    suite_named(name) for name in ("TLS_PSK_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256")
)
KEY = {"psk": lambda hint: (IDENTITY, PSK)}
SERVED = {"psk": lambda identity: PSK}
ED25519_ONLY = {"signature_schemes": (S.ED25519,)}
EC, FF = (G.X25519, G.SECP256R1), (G.FFDHE2048,)
# What the client has, what the server has, the reason, texts that must be in it
ROWS = {
    "no suite": ({"suites": (ECDHE_RSA,)}, {"suites": (ECDHE_ECDSA,)}, Reason.NO_SHARED_SUITE, ["none of the offered suites is enabled here"]),
    "no curve": ({"suites": (ECDHE_RSA,), "groups": (G.X448,)}, {"suites": (ECDHE_RSA,), "groups": EC}, Reason.NO_SHARED_SUITE, [Lack.CURVE.text]),
    "no curve (PSK)": (KEY | {"suites": (ECDHE_PSK,), "groups": (G.X448,)}, SERVED | {"suites": (ECDHE_PSK,), "groups": EC}, Reason.NO_SHARED_SUITE, [Lack.CURVE.text]),
    "no DH group": ({"suites": (DHE,), "groups": (G.FFDHE3072,)}, {"suites": (DHE,), "groups": FF}, Reason.NO_SHARED_DH_GROUP, [Lack.DH_GROUP.text]),
    "no DH group (PSK)": (KEY | {"suites": (DHE_PSK,), "groups": (G.FFDHE3072,)}, SERVED | {"suites": (DHE_PSK,), "groups": FF}, Reason.NO_SHARED_DH_GROUP, [Lack.DH_GROUP.text]),
    "a DH group, but no signature algorithm": ({"suites": (DHE,), "groups": FF} | ED25519_ONLY, {"suites": (DHE,), "groups": FF}, Reason.NO_SHARED_SCHEME, [Lack.SCHEME.text]),
    "no signature algorithm": ({"suites": (ECDHE_RSA,)} | ED25519_ONLY, {"suites": (ECDHE_RSA,)}, Reason.NO_SHARED_SCHEME, [Lack.SCHEME.text]),
    "no certificate of the kind": ({"suites": (ECDHE_ECDSA,)}, {"suites": (ECDHE_ECDSA,)}, Reason.NO_SHARED_SUITE, [Lack.CERTIFICATE.text]),
    "no certificate of the kind (DHE)": ({"suites": (DHE,)}, {"suites": (DHE,), "credentials": ("secp256r1",)}, Reason.NO_SHARED_SUITE, [Lack.CERTIFICATE.text]),
    "key usage": ({"suites": (RSA,)}, {"suites": (RSA,), "credentials": ("signing only",)}, Reason.NO_SHARED_SUITE, [Lack.KEY_USAGE.text]),
    "the certificate's curve": ({"suites": (ECDHE_ECDSA,), "groups": (G.X25519,)}, {"suites": (ECDHE_ECDSA,), "credentials": ("secp256r1",)}, Reason.NO_SHARED_SUITE, [Lack.CERTIFICATE_CURVE.text]),
    "no PSK": (KEY | {"suites": (PLAIN_PSK,)}, {"suites": (PLAIN_PSK, ECDHE_RSA)}, Reason.NO_SHARED_SUITE, [Lack.PSK.text]),
    "another thing for each": (
        KEY | {"suites": (PLAIN_PSK, DHE, ECDHE_RSA, ECDHE_ECDSA), "groups": (G.X448, G.FFDHE3072)},
        {"suites": (PLAIN_PSK, DHE, ECDHE_RSA, ECDHE_ECDSA), "groups": (G.X448, G.FFDHE2048), "signing_schemes": (S.ED448,)},
        Reason.NO_SHARED_SUITE, [Lack.PSK.text, Lack.DH_GROUP.text, Lack.SCHEME.text, Lack.CERTIFICATE.text, ECDHE_ECDSA.name],
    ),
}  # fmt: skip


@pytest.mark.rfc("5246", "7.4.1.3")
@pytest.mark.rfc("7919", "4")
@pytest.mark.parametrize("what", ROWS)
def test_reason_names_what_was_missing(what):
    client, server, reason, texts = ROWS[what]
    kinds = server.get("credentials", ("rsa2048",))
    server = server | {"credentials": tuple(signing_only() if kind == "signing only" else credential(kind) for kind in kinds)}
    refused = pair(client, server).handshake().server
    assert refused.error.reason is reason, refused.error
    assert refused.error.path
    for text in texts:
        assert text in str(refused.error)
    assert refused.alerts_sent == ["insufficient_security" if reason is Reason.NO_SHARED_DH_GROUP else "handshake_failure"]


@lru_cache
def signing_only():
    """An RSA certificate whose key usage lets it sign, and encipher nothing."""
    draft = issued("rsa2048").draft
    usage = drafts.extension(oids.KEY_USAGE, b"\x03\x02\x07\x80", critical=True)
    others = tuple(one for one in draft.extensions if oids.KEY_USAGE not in one)
    made = authority().issued(replace(draft, extensions=(*others, usage)), issued("rsa2048").key)
    return Credential(made.chain, made.key)


def test_every_lack_has_a_row():
    shown = {text for _, _, _, texts in ROWS.values() for text in texts}
    assert {lack.text for lack in Lack} <= shown


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("literal", [b"192.0.2.1", b"::1", b"2001:db8::1", b"[2001:db8::1]", b"fe80::1%eth0"])
@pytest.mark.parametrize("refuse", [False, True])
def test_address_as_server_name_is_passed_over(literal, refuse):
    def with_name(hello):
        names = b"\0" + len(literal).to_bytes(2, "big") + literal
        body = len(names).to_bytes(2, "big") + names
        return replace(hello, extensions=tuple(replace(e, extension_data=body) if e.extension_type == 0 else e for e in hello.extensions))

    joined = pair({"interceptors": (message(ClientHello, with_name),)}, {"refuse_unknown_names": refuse}).handshake()
    assert joined.connected, joined.story()
    assert joined.server.connection.server_name is None
    assert joined.client.connection.negotiated.result(ServerName) is None


@pytest.mark.rfc("6066", "3")
@pytest.mark.parametrize("name", [b"::not an address", b"a:b", b"name with blanks", b"\xff"])
def test_name_that_is_none_is_refused(name):
    names = b"\0" + len(name).to_bytes(2, "big") + name
    body = len(names).to_bytes(2, "big") + names
    change = message(ClientHello, lambda hello: replace(hello, extensions=tuple(replace(e, extension_data=body) if e.extension_type == 0 else e for e in hello.extensions)))
    assert pair({"interceptors": (change,)}).handshake().server.alerts_sent == ["illegal_parameter"]
