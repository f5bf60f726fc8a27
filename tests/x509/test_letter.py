"""Where the letter of RFC 5280 decides: anchors without keyUsage, leaves that are CAs, nobody's certificates, critical extensions, salts."""

import shutil
import subprocess

import pytest

from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.pem import load_certificates
from tests.x509.chains import CA_BASIC, LEAF_USAGE, SAN, SERVER, authority, ids, key, leaf, root, verify

PROFILES = ("default", "strict", "webpki")
TOP = root()
MIDDLE = authority(TOP)


@pytest.mark.rfc("5280", "4.2.1.3")
@pytest.mark.parametrize("profile", PROFILES)
def test_an_anchor_may_do_without_key_usage(profile):
    """Validation begins below it (6.1), and 6.1.4 (n) asks for the bit only where the extension is present."""
    top = root(usage=b"")
    middle = authority(top)
    assert verify([leaf(middle), middle], [top], profile=profile).accepted
    assert verify([leaf(top)], [top], profile=profile).accepted
    forbidding = root(usage=drafts.key_usage(drafts.CRL_SIGN))
    assert ids(verify([leaf(forbidding)], [forbidding], profile=profile)) == {"key-cert-sign"}


@pytest.mark.rfc("5280", "6.3.3")
@pytest.mark.parametrize("profile", ["default", "strict"])
def test_an_anchor_without_key_usage_signs_its_crl(profile):
    from puretls.x509.crl import Crl
    from puretls.x509.drafts import CrlDraft, RevokedEntry, Signer
    from puretls.x509.revocation import Revocation
    from tests.x509.chains import NOW, PROVIDER, random

    top = root(usage=b"")
    end, other = leaf(top), leaf(top)
    extensions = (drafts.authority_key_identifier(top.key.public), drafts.crl_number(1))
    draft = CrlDraft(top.name, NOW - 10, NOW + 1000, (RevokedEntry(other.draft.serial, NOW - 20),), extensions)
    crl = Crl.parse(draft.signed(Signer(top.key, random, PROVIDER)))
    revocation = Revocation("hard", crls=(crl,))
    assert verify([end], [top], profile=profile, revocation=revocation).accepted
    assert ids(verify([other], [top], profile=profile, revocation=revocation)) == {"revoked"}


@pytest.mark.rfc("5280", "4.1.2.6")
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("purpose", ["server", "client"])
def test_a_certificate_of_nobody_is_refused_also_where_no_name_is_checked(profile, purpose):
    eku = drafts.extended_key_usage(oids.CLIENT_AUTH) if purpose == "client" else SERVER
    nobody = leaf(MIDDLE, name="", san=b"", eku=eku)
    assert "empty-subject" in ids(verify([nobody, MIDDLE], [TOP], host=None, purpose=purpose, profile=profile))
    named = leaf(MIDDLE, name="", san=drafts.subject_alt_name(["example.org"], critical=True), eku=eku)
    assert verify([named, MIDDLE], [TOP], host=None, purpose=purpose, profile=profile).accepted


@pytest.mark.rfc("5280", "4.2.1.9")
@pytest.mark.parametrize(
    ("extensions", "rule"),
    [
        ({"basic": drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(True))), "usage": LEAF_USAGE},
         "basic-constraints-critical"),
        ({"basic": CA_BASIC, "usage": b""}, "ca-key-usage"),
        ({"basic": CA_BASIC, "usage": drafts.key_usage(0, 5)}, None),
    ],
)  # fmt: skip
def test_rules_for_cas_hold_for_a_leaf_that_is_one(extensions, rule):
    end = authority(MIDDLE, "end", more=(SERVER, SAN), **extensions)
    assert verify([end, MIDDLE], [TOP]).accepted
    assert ids(verify([end, MIDDLE], [TOP], profile="strict")) == ({rule} if rule else set())


def test_webpki_wants_a_ca_to_name_the_purpose():
    """BR 7.1.2.10.6: anyExtendedKeyUsage does not stand for serverAuth."""
    middle = authority(TOP, more=(drafts.extended_key_usage(oids.ANY_EXTENDED_KEY_USAGE),))
    chain = [leaf(middle), middle]
    assert verify(chain, [TOP]).accepted
    assert verify(chain, [TOP], profile="strict").accepted
    assert ids(verify(chain, [TOP], profile="webpki")) == {"explicit-extended-key-usage"}


# Critical extensions


def policies(*purposes, critical=True, raw=None):
    value = writer.sequence(*(writer.sequence(writer.oid(purpose)) for purpose in purposes)) if raw is None else raw
    return drafts.extension(oids.MS_APPLICATION_POLICIES, value, critical=critical)


APPLICATION_POLICIES = [
    (policies(oids.SERVER_AUTH), None, None),
    (policies(oids.CODE_SIGNING, oids.SERVER_AUTH), None, None),
    (policies(oids.MS_ANY_APPLICATION_POLICY), None, None),
    (policies(oids.CODE_SIGNING), "extended-key-usage", "ca-extended-key-usage"),
    (policies(), *["unknown-critical-extension"] * 2),
    (policies(raw=b""), *["unknown-critical-extension"] * 2),
    (policies(raw=b"\x01\x02\x03\x04"), *["unknown-critical-extension"] * 2),
    (policies(oids.CODE_SIGNING, critical=False), None, None),
    (policies(raw=b"", critical=False), None, None),
]


@pytest.mark.rfc("5280", "4.2")
@pytest.mark.parametrize(("extension", "in_leaf", "in_ca"), APPLICATION_POLICIES)
@pytest.mark.parametrize("eku", [SERVER, b""])
def test_critical_application_policies_are_read_and_must_allow_the_purpose(extension, in_leaf, in_ca, eku):
    assert ids(verify([leaf(MIDDLE, eku=eku, more=(extension,)), MIDDLE], [TOP])) == ({in_leaf} if in_leaf else set())
    middle = authority(TOP, more=(extension,))
    assert ids(verify([leaf(middle, eku=eku), middle], [TOP])) == ({in_ca} if in_ca else set())


# RSASSA-PSS


@pytest.mark.rfc("8017", "9.1.1")
@pytest.mark.parametrize(("salt", "fits"), [(0, True), (32, True), (65, True), (222, True), (223, False), (60_000, False)])
def test_a_salt_may_be_as_long_as_fits(salt, fits):
    """2048 bits and SHA-256 leave room for 222 bytes."""
    issuer = root("rsa", own=key("rsa", "rsa2048"))
    made = leaf(issuer)
    if salt > 222:
        made_algorithm = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", salt, "sha256"))
        tbs = made.certificate.tbs
        inner = made.certificate.inner_signature.raw
        head = 4 if tbs[1] == 0x82 else 3
        content = tbs[head:].replace(inner, made_algorithm, 1)
        der = writer.sequence(writer.sequence(content), made_algorithm, writer.bit_string(bytes(256)))
    else:
        der = leaf(issuer, algorithm=SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", salt, "sha256")).der
    assert ids(verify([der], [issuer])) == (set() if fits else {"signature"})


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("salt", ["max", "digest", "64", "100"])
def test_salts_of_the_openssl_command_are_accepted(tmp_path, salt):
    run = lambda *words: subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)  # noqa: E731
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=pss", "-days", "30",
        "-addext", "keyUsage=critical,keyCertSign,digitalSignature", "-addext", "subjectAltName=DNS:example.org",
        "-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{salt}", "-sha256")  # fmt: skip
    (der,) = load_certificates((tmp_path / "cert.pem").read_bytes())
    certificate = Certificate.parse(der)
    expected = {"max": 222, "digest": 32}.get(salt) or int(salt)
    assert certificate.signature_algorithm.salt_length == expected
    from tests.x509.chains import PROVIDER

    assert PROVIDER.verify(certificate.signature_algorithm, certificate.public_key, certificate.tbs, certificate.signature)
