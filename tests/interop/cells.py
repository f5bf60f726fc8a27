"""What the peers have, asked from them, as parameters of tests."""

import os
import re

import pytest

from puretls import ClientConfig, ServerConfig
from puretls.crypto import provider as providers
from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPublicKey
from puretls.crypto.signatures import SIGNATURE_SCHEMES, fits
from puretls.iana import NamedGroup, SignatureScheme
from puretls.suites import BY_ID, SUITES, Authentication
from tests.interop.peers import ask

PSK = bytes.fromhex("0123456789abcdef0123456789abcdef")
IDENTITY, HINT = b"Client_identity", b"a hint"
EVERY_CIPHER = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
NAMED = {suite.openssl_name: suite for suite in SUITES}
GCM, CBC = NAMED["ECDHE-RSA-AES128-GCM-SHA256"], NAMED["ECDHE-RSA-AES128-SHA256"]
ECDSA, DHE = NAMED["ECDHE-ECDSA-AES128-GCM-SHA256"], NAMED["DHE-RSA-AES128-GCM-SHA256"]
BULKS = [
    NAMED[name]
    for name in (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-CCM8",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES256-SHA384",
        "AES128-GCM-SHA256",
        "DHE-RSA-AES256-SHA256",
    )
]
"""One of each kind of record protection and key exchange, for features that should not depend on them."""


def cells(values, name=str, peer="the peer"):
    """Parameters with readable names; where there are none, one that is skipped."""
    made = [pytest.param(value, id=name(value)) for value in values]
    return made or [pytest.param(None, id="none", marks=pytest.mark.skip(f"{peer} is not installed"))]


def suite_cells(suites, peer):
    return cells(suites, lambda suite: suite.openssl_name, peer)


def openssl_suites():
    """Those of ours that `openssl ciphers` lists."""
    listed = ask("openssl", "ciphers", "-s", "-psk", "-tls1_2", EVERY_CIPHER).strip().split(":")
    known = {suite.openssl_name: suite for suite in SUITES}
    return [known[name] for name in listed if name in known]


def gnutls_suites():
    """Those of ours that `gnutls-cli -l` lists, by number."""
    numbers = re.findall(r"^TLS_\S+\s+0x(..), 0x(..)", ask("gnutls-cli", "-l"), re.MULTILINE)
    return [BY_ID[int(high + low, 16)] for high, low in numbers if int(high + low, 16) in BY_ID]


_OPENSSL_CURVES = {"prime256v1": NamedGroup.SECP256R1, "secp384r1": NamedGroup.SECP384R1, "secp521r1": NamedGroup.SECP521R1}


def openssl_groups():
    """Curves by `openssl ecparam`, x25519 and x448 by the list of key exchange algorithms."""
    curves = ask("openssl", "ecparam", "-list_curves")
    exchanges = ask("openssl", "list", "-key-exchange-algorithms")
    found = [group for name, group in _OPENSSL_CURVES.items() if name in curves]
    return found + [group for group in (NamedGroup.X25519, NamedGroup.X448) if group.name in exchanges]


def gnutls_groups():
    """Groups that `gnutls-cli -l` lists and puretls has."""
    listed = re.findall(r"GROUP-(\w+)", ask("gnutls-cli", "-l"))
    ours = {group.name: group for group in ClientConfig().groups}
    return [ours[name] for name in listed if name in ours]


_KEYS = {
    "rsa": RsaPublicKey(1 << 2047, 65537),
    "pss": RsaPublicKey(1 << 2047, 65537, pss_only=True),
    "p256": EcPublicKey("secp256r1", b""),
    "p384": EcPublicKey("secp384r1", b""),
    "p521": EcPublicKey("secp521r1", b""),
    "ed25519": EdPublicKey("ed25519", b""),
    "ed448": EdPublicKey("ed448", b""),
}


def signing_cells(peer):
    """Every kind of certificate with every signature scheme that fits it, SHA-1 and SHA-224 included."""
    pairs = [(kind, scheme) for kind, key in _KEYS.items() for scheme in SIGNATURE_SCHEMES if fits(scheme, key)]
    return cells(pairs if peer else [], lambda pair: f"{pair[0]}-{pair[1].name.lower()}")


def gnutls_signing_cells():
    """As `signing_cells`, but for SHA-224, which GnuTLS 3.7 lists and does not use in TLS 1.2."""
    made = signing_cells(gnutls_suites())
    return [
        pytest.param(*cell.values, id=cell.id, marks=pytest.mark.skip("GnuTLS does not sign with SHA-224 in TLS 1.2"))
        if "sha224" in cell.id
        else cell
        for cell in made
    ]


def openssl_scheme(scheme):
    """OpenSSL's name of a signature scheme."""
    return {SignatureScheme.ECDSA_SHA1: "ECDSA+SHA1", SignatureScheme.ECDSA_SHA224: "ECDSA+SHA224"}.get(
        scheme, scheme.name.lower()
    )


def suite_for(kind):
    """A suite that a certificate of this kind can carry."""
    return GCM if kind in {"rsa", "pss"} else ECDSA


PROVIDER = providers.named(os.environ.get("PURETLS_PROVIDER", "default"))
"""Who computes: `PURETLS_PROVIDER=reference pytest -m interop` runs the suite with another provider."""


def certificate_for(suite):
    """A kind of certificate that can carry this suite."""
    return "p256" if suite.auth is Authentication.ECDSA else "rsa"


def client(certificates, *suites, **more):
    """A client that trusts the CA of the run, with these suites (or its default ones)."""
    if suites:
        more["suites"] = suites
    if any(suite.is_psk for suite in suites):
        more["psk"] = lambda hint: (IDENTITY, PSK)
    return ClientConfig(provider=PROVIDER, verifier=certificates.verifier, danger_suites=True, **more)


def server(certificates, *suites, kinds=("rsa", "p256"), **more):
    """A server with certificates of these kinds and these suites."""
    if suites:
        more["suites"] = suites
    if any(suite.is_psk for suite in suites):
        more["psk"] = {IDENTITY: PSK}.get
    more.setdefault("credentials", tuple(certificates.leaf(kind).credential for kind in kinds))
    return ServerConfig(provider=PROVIDER, verifier=certificates.verifier, danger_suites=True, **more)


GNUTLS_EVERYTHING = (
    "NONE:+VERS-TLS1.2:+CIPHER-ALL:+AES-128-CCM-8:+AES-256-CCM-8:+ARCFOUR-128:+3DES-CBC:+NULL:+MAC-ALL:+SHA256:+SHA384:+MD5:"
    "+KX-ALL:+ANON-ECDH:+ANON-DH:+PSK:+DHE-PSK:+ECDHE-PSK:+RSA-PSK:+SIGN-ALL:+SIGN-RSA-SHA224:+SIGN-ECDSA-SHA224:+SIGN-RSA-SHA1:"
    "+SIGN-ECDSA-SHA1:+GROUP-ALL:+COMP-NULL:%VERIFY_ALLOW_BROKEN:%UNSAFE_RENEGOTIATION"
)
GNUTLS_BULKS = [suite for suite in BULKS if suite.bulk.name != "AES-256-CCM-8"]
