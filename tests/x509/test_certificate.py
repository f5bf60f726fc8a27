"""Certificates: fields and extensions typed, every byte explained, any bytes at all survived."""

import hashlib
import random as randomness
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.spans import check_tiling
from puretls.x509 import drafts
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate, annotate
from puretls.x509.certificates.extension_types import TYPES
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.names.general import GeneralNameKind
from puretls.x509.pem import load_certificates
from tests.x509 import shared
from tests.x509.chains import HOST, NOW, YEAR, authority, common_name, key, leaf, make, root


@cache
def specimens():
    """Certificates of many shapes: those of the suites where they are at hand, and some of our own."""
    found = {leaf(root()).der, authority(root()).der, root("ed", own=key("ed", "ed448")).der, rich().der}
    try:
        document = shared.load("limbo-public-light.json.gz")
    except pytest.skip.Exception:
        return sorted(found)
    wanted = [c for c in document["testcases"] if not c["id"].startswith("bettertls::nameconstraints")]
    for case in wanted:
        for text in [*case["trusted_certs"], *case["untrusted_intermediates"], case["peer_certificate"]]:
            found.update(load_certificates(text))
    return sorted(der for der in found if len(der) < 20_000)


def policy(identifier, *qualifiers):
    listed = writer.sequence(*qualifiers) if qualifiers else b""
    return writer.sequence(writer.oid(identifier), listed)


def rich():
    """A certificate with every extension that is known here, and one that is not."""
    cps = writer.sequence(writer.oid(oids.QUALIFIER_CPS), writer.ia5_string("https://example.org/cps"))
    directory = writer.explicit(4, common_name("sub"))
    other = writer.explicit(0, writer.oid("1.2.3"), writer.explicit(0, writer.utf8_string("x")))
    point = writer.sequence(writer.explicit(0, writer.explicit(0, writer.implicit(6, b"http://crl.example.org/"))),
                            writer.tlv(0x81, b"\x01\x06"), writer.explicit(2, directory))  # fmt: skip
    relative = writer.sequence(writer.explicit(0, writer.explicit(1, writer.sequence(
        writer.oid(oids.COMMON_NAME), writer.utf8_string("crl")))))  # fmt: skip
    e = drafts.extension
    more = (
        drafts.basic_constraints(True, 3),
        drafts.key_usage(*range(9)),
        drafts.extended_key_usage(oids.SERVER_AUTH, oids.encode_oid("1.2.3.4")),
        e(oids.SUBJECT_ALT_NAME, writer.sequence(
            writer.implicit(2, HOST.encode()), writer.implicit(1, b"a@example.org"), writer.implicit(6, b"https://example.org/"),
            writer.implicit(7, bytes(16)), writer.implicit(7, b"\xc0\x00\x02\x01"), directory, other, writer.implicit(8, b"\x2a\x03"),
            writer.explicit(5, writer.implicit(0, b"x")))),
        e(oids.ISSUER_ALT_NAME, writer.sequence(writer.implicit(2, b"issuer.example"))),
        e(oids.NAME_CONSTRAINTS, writer.sequence(
            writer.explicit(0, writer.sequence(writer.implicit(2, b"example.org"))),
            writer.explicit(1, writer.sequence(writer.implicit(7, bytes(8)))))),
        e(oids.CERTIFICATE_POLICIES, writer.sequence(policy(oids.ANY_POLICY), policy("1.2.3.4", cps))),
        e(oids.POLICY_MAPPINGS, writer.sequence(writer.sequence(writer.oid("1.2.3"), writer.oid("1.2.4")))),
        e(oids.POLICY_CONSTRAINTS, writer.sequence(writer.implicit(0, b"\x02"), writer.implicit(1, b"\x03")), critical=True),
        e(oids.INHIBIT_ANY_POLICY, writer.integer(4), critical=True),
        e(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(point, relative)),
        e(oids.FRESHEST_CRL, writer.sequence(point)),
        drafts.authority_info_access(ocsp=["http://ocsp.example.org/"], issuers=["http://ca.example.org/"]),
        e(oids.SUBJECT_INFO_ACCESS, writer.sequence(
            writer.sequence(writer.oid(oids.ACCESS_CA_REPOSITORY), writer.implicit(6, b"http://repo.example.org/")))),
        drafts.must_staple(),
        e(oids.OCSP_NO_CHECK, writer.null()),
        e(oids.CT_PRECERTIFICATE_SCTS, writer.octet_string(b"\x00\x00")),
        e(oids.SUBJECT_DIRECTORY_ATTRIBUTES, writer.sequence(writer.sequence(writer.oid("1.2.3"), writer.set_of(writer.null())))),
        e(oids.PRIVATE_KEY_USAGE_PERIOD, writer.sequence(writer.implicit(0, b"20240101000000Z"))),
        e(oids.encode_oid("1.3.6.1.4.1.55738.666.1"), b"whatever"),
        e(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(
            writer.implicit(0, b"k" * 20), writer.explicit(1, directory), writer.implicit(2, b"\x7f"))),
        drafts.subject_key_identifier(key("leaf").public),
    )  # fmt: skip
    return make("rich", common_name("issuer"), key("leaf"), key("issuer"), more)


def test_fields_are_typed():
    made = leaf(root())
    certificate = made.certificate
    assert certificate.version == 3
    assert certificate.serial_number == made.draft.serial
    assert str(certificate.subject) == "CN=leaf"
    assert str(certificate.issuer) == "CN=root"
    assert (certificate.validity.not_before, certificate.validity.not_after) == (NOW - YEAR, NOW + YEAR)
    assert certificate.public_key == key("leaf").public
    assert certificate.dns_names == (HOST,)
    assert certificate.fingerprint == hashlib.sha256(made.der).digest()
    assert certificate.spki_pin == hashlib.sha256(certificate.spki).digest()
    assert KeyUsageBit.DIGITAL_SIGNATURE in certificate.get(ext.KeyUsage)
    assert not certificate.is_ca
    assert root().certificate.is_self_issued


def test_every_known_extension_is_typed_and_the_unknown_kept():
    certificate = rich().certificate
    found = {type(extension.value) for extension in certificate.extensions}
    assert {kind.cls for kind in TYPES.values()} <= found
    unknown = certificate.extension(oids.encode_oid("1.3.6.1.4.1.55738.666.1"))
    assert (unknown.value, unknown.raw) == (None, b"whatever")
    assert certificate.get(ext.BasicConstraints) == ext.BasicConstraints(True, 3)
    assert [name.kind for name in certificate.subject_alt_names] == [2, 1, 6, 7, 7, 4, 0, 8, 5]
    assert [str(n) for n in certificate.subject_alt_names if n.kind is GeneralNameKind.IP] == ["IP ::", "IP 192.0.2.1"]
    assert certificate.get(ext.NameConstraints).excluded_subtrees[0].base.value == bytes(8)
    assert certificate.get(ext.CrlDistributionPoints).points[0].reasons == frozenset({5, 6})
    assert certificate.get(ext.AuthorityKeyIdentifier).authority_cert_serial_number == 0x7F
    assert certificate.get(ext.TlsFeature).features == (5,)


def test_text_tells_all_of_it():
    text = rich().certificate.text()
    for part in (
        "Subject:      CN=rich", "ECDSA on secp256r1", "a CA, with at most 3 CAs below it", "DNS example.org",
        "permitted: DNS example.org", "excluded: IP 0.0.0.0/0", "anyPolicy", "1.2.3 is called 1.2.4", "must come with a stapled",
        "id-ad-ocsp: URI http://ocsp.example.org/", "8 bytes, not known here: 77 68 61", "RFC 5280 4.2.1.10", "signed by directory name CN=sub",
    ):  # fmt: skip
        assert part in text


def test_every_byte_is_explained():
    """100 and more assorted certificates: the spans tile each, and no byte is left as unknown."""
    certificates = specimens()[::2]
    sound = 0
    for der in certificates:
        spans = annotate(der)
        assert check_tiling(spans, len(der)) == ""
        if not spans[-1].fault:
            sound += 1
            assert all(span.note for span in spans)
    assert sound >= min(100, len(certificates))


def test_spans_carry_path_value_and_section():
    spans = {span.path: span for span in rich().certificate.spans()}
    length = spans["Certificate.tbs_certificate.extensions[0].basic_constraints.path_len_constraint"]
    assert length.value == 3
    assert length.note == "RFC 5280 4.2.1.9"
    assert spans["Certificate.tbs_certificate.validity.not_after"].value == "2024-11-13 22:13:20 UTC"
    assert spans["Certificate.tbs_certificate.subject[0][0].value"].value == "rich"
    assert spans["Certificate.tbs_certificate.extensions[3].extn_id"].value == "subjectAltName"
    assert spans["Certificate.tbs_certificate.extensions[3].subject_alt_name[0]"].value == HOST
    assert spans["Certificate.tbs_certificate.extensions[1].key_usage"].value.startswith("digital_signature")


def test_bytes_that_stop_making_sense_are_explained_up_to_there():
    der = bytearray(rich().der)
    der[der.index(b"\x06\x03\x55\x1d\x11") + 4] |= 0x80  # the identifier never ends
    spans = annotate(bytes(der))
    assert check_tiling(spans, len(der)) == ""
    assert spans[-1].fault
    assert "OBJECT IDENTIFIER" in spans[-1].note


def test_errors_name_field_and_byte():
    made = leaf(root())
    with pytest.raises(DecodeError) as caught:
        Certificate.parse(made.der + b"\x00")
    assert caught.value.offset == len(made.der)
    bad = drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.integer(-1)))
    with pytest.raises(DecodeError) as caught:
        Certificate.parse(leaf(root(), more=(bad,)).der)
    assert caught.value.path == "Certificate.tbs_certificate.extensions[4].basic_constraints.path_len_constraint"


# Any bytes


def survives(data):
    """Parsing raises nothing but DecodeError, and what parses can be shown."""
    try:
        certificate = Certificate.parse(data)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data)  # noqa: PT017
        return False
    for lazy in ("public_key", "signature_algorithm"):
        with suppress(DecodeError):
            getattr(certificate, lazy)
    assert certificate.text()
    assert hash(certificate.subject) is not None
    return True


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutations_raise_nothing_but_decode_errors(data):
    der = bytearray(data.draw(st.sampled_from(specimens())))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(der) - 1))
        kind = data.draw(st.sampled_from(["set", "delete", "insert", "copy"]))
        if kind == "set":
            der[position] = data.draw(st.integers(0, 255))
        elif kind == "delete":
            del der[position : position + data.draw(st.integers(1, 8))]
        elif kind == "insert":
            der[position:position] = data.draw(st.binary(max_size=8))
        else:
            source = data.draw(st.integers(0, len(der) - 1))
            der[position : position + 16] = der[source : source + 16]
        if not der:
            return
    survives(bytes(der))


def flips(count):
    """Byte flips of real certificates; lengths and tags more often than chance would have it."""
    rng = randomness.Random(5280)
    certificates = specimens()
    for _ in range(count):
        der = bytearray(rng.choice(certificates))
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            position = rng.randrange(len(der))
            der[position] = rng.choice((der[position] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 0x80, 0xFF, 0x30))
        yield bytes(der)


def test_byte_flips_raise_nothing_but_decode_errors():
    parsed = sum(survives(data) for data in flips(3_000))
    assert 0 < parsed < 3_000


@pytest.mark.full
def test_a_hundred_thousand_byte_flips_raise_nothing_but_decode_errors():
    assert 0 < sum(survives(data) for data in flips(100_000)) < 100_000


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_decode_errors(data):
    assert not survives(data)


@given(st.binary(max_size=120))
def test_any_tbs_raises_nothing_but_decode_errors(content):
    survives(writer.sequence(writer.sequence(content), writer.sequence(writer.oid(oids.ED25519)), writer.bit_string(b"")))


def test_what_certificates_have_in_common_is_one_object():
    """Names and algorithm identifiers of equal bytes, and small extensions (RFC 5280 4.1): parsed once, shared, frozen."""
    issuer = root()
    one, two = (Certificate.parse(leaf(issuer, name=name).der) for name in ("one", "two"))
    assert one.issuer is two.issuer
    assert one.outer_signature is one.inner_signature is two.outer_signature
    assert one.get(ext.KeyUsage) is two.get(ext.KeyUsage)
    assert one.subject != two.subject
