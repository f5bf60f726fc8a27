import pytest

from puretls.crypto.keys import EcPublicKey, EdPublicKey, RsaPublicKey
from puretls.crypto.signatures import PSS_PSS_SCHEMES, SIGNATURE_SCHEMES, SignatureKind, fits
from puretls.iana import SignatureScheme

RSA = RsaPublicKey((1 << 2047) + 1, 65537)
PSS = RsaPublicKey((1 << 2047) + 1, 65537, pss_only=True)
P256 = EcPublicKey("secp256r1", b"")
P521 = EcPublicKey("secp521r1", b"")


def accepted(key):
    return {scheme.name for scheme in SignatureScheme if fits(scheme, key)}


@pytest.mark.rfc("8446", "4.2.3")
def test_rsa_keys_fit_by_their_mark():
    assert accepted(RSA) == {
        *(f"RSA_PKCS1_SHA{size}" for size in (1, 224, 256, 384, 512)),
        *(f"RSA_PSS_RSAE_SHA{size}" for size in (256, 384, 512)),
    }
    assert accepted(PSS) == {f"RSA_PSS_PSS_SHA{size}" for size in (256, 384, 512)} == {scheme.name for scheme in PSS_PSS_SCHEMES}


@pytest.mark.rfc("8422", "5.10")
def test_ecdsa_schemes_fit_every_curve_in_tls_1_2():
    assert accepted(P256) == accepted(P521) == {"ECDSA_SHA1", "ECDSA_SHA224", "ECDSA_SECP256R1_SHA256", "ECDSA_SECP384R1_SHA384", "ECDSA_SECP521R1_SHA512"}


@pytest.mark.rfc("8422", "5.1.3")
def test_edwards_keys_fit_their_own_scheme():
    assert accepted(EdPublicKey("ed25519", b"")) == {"ED25519"}
    assert accepted(EdPublicKey("ed448", b"")) == {"ED448"}


@pytest.mark.rfc("8017", "9")
@pytest.mark.parametrize(
    ("bits", "scheme", "room"),
    [(1040, "RSA_PSS_RSAE_SHA512", True), (1039, "RSA_PSS_RSAE_SHA512", True), (1033, "RSA_PSS_RSAE_SHA512", False), (1024, "RSA_PSS_RSAE_SHA512", False),
     (1024, "RSA_PSS_RSAE_SHA384", True), (745, "RSA_PKCS1_SHA512", True), (744, "RSA_PKCS1_SHA512", False)],
)  # fmt: skip
def test_modulus_must_have_room_for_hash_and_salt(bits, scheme, room):
    assert fits(SignatureScheme[scheme], RsaPublicKey((1 << (bits - 1)) + 1, 65537)) is room


def test_unknown_schemes_fit_nothing():
    for scheme in (0, 0x0202, 0x0101, 0xFFFF):
        assert SIGNATURE_SCHEMES.get(scheme) is None
        assert not any(fits(scheme, key) for key in (RSA, PSS, P256))


def test_meaning_of_schemes():
    pss = SIGNATURE_SCHEMES[SignatureScheme.RSA_PSS_RSAE_SHA384]
    assert (pss.kind, pss.hash, pss.mgf_hash, pss.salt_length) == (SignatureKind.RSA_PSS, "sha384", "sha384", 48)
    assert SIGNATURE_SCHEMES[0x0203].hash == "sha1"
    with pytest.raises(TypeError):
        SIGNATURE_SCHEMES[1] = pss
