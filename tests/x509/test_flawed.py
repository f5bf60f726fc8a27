"""Certificates that are not strict DER: a handshake takes their key, a verifier says what is wrong, and where."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.config import Credential
from puretls.der import oids, writer
from puretls.der.cursor import read_header
from puretls.der.reader import Reader
from puretls.der.tags import IA5_STRING, NUMERIC_STRING, PRINTABLE_STRING, UTF8_STRING, VISIBLE_STRING
from puretls.errors import DecodeError
from puretls.qt.qsslcertificate import QSslCertificate
from puretls.spans import check_tiling
from puretls.x509 import drafts
from puretls.x509.certificates import extensions as ext
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.fields import UNREADABLE
from puretls.x509.names.distinguished import parse_name
from puretls.x509.verifier import ChainRequest, pinned_verifier
from tests.support.pair import pair
from tests.x509.chains import HOST, NOW, authority, common_name, ids, key, leaf, root, verify
from tests.x509.test_certificate import specimens

TOP = root()
MIDDLE = authority(TOP)


def attribute(kind, tag, content):
    return writer.sequence(writer.oid(kind), writer.tlv(tag, content))


def named(*attributes):
    """A name of one RDN, in the order given."""
    return writer.sequence(writer.tlv(0x31, b"".join(attributes)))


def with_name(tag, content, kind=oids.COMMON_NAME):
    return lambda above=MIDDLE: leaf(above, subject=named(attribute(kind, tag, content)))


def written(oid, value, critical=None):
    """An extension, with a FALSE written out if told so."""
    flag = b"" if critical is None else writer.boolean(critical)
    return writer.sequence(writer.oid(oid), flag, writer.octet_string(value))


def with_extension(extension):
    return lambda above=MIDDLE: leaf(above, more=(extension,))


def null_with_content(above=MIDDLE):
    """A signature algorithm of which nobody has heard, with a NULL of one byte."""
    made = leaf(above)
    algorithm = writer.sequence(writer.oid("1.2.3.4"), b"\x05\x01\x00")
    inner = drafts.algorithm_identifier(made.certificate.signature_algorithm)
    _, start, _ = read_header(made.certificate.tbs, 0, len(made.certificate.tbs))
    content = made.certificate.tbs[start:].replace(inner, algorithm, 1)
    return replace(made, der=writer.sequence(writer.sequence(content), algorithm, writer.bit_string(b"\1")))


A, B = attribute(oids.COMMON_NAME, UTF8_STRING, b"x"), attribute(oids.ORGANIZATION, UTF8_STRING, b"x")
EMAIL = writer.implicit(1, "jürgen@example.org".encode("latin-1"))

LAPSES = {
    "empty SAN": (lambda above=MIDDLE: leaf(above, san=written(oids.SUBJECT_ALT_NAME, writer.sequence())), "subject_alt_name"),
    "cA FALSE written out": (with_extension(written(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(False)))), "basic_constraints.ca"),
    "critical FALSE written out": (with_extension(written(oids.ISSUER_ALT_NAME, writer.sequence(writer.implicit(2, b"x")), False)), "critical"),
    "TRUE that is not FF": (with_extension(written(oids.BASIC_CONSTRAINTS, writer.sequence(b"\1\1\1"))), "basic_constraints.ca"),
    "attributes out of order": (lambda above=MIDDLE: leaf(above, subject=named(*sorted((A, B), reverse=True))), "subject[0]"),
    "PrintableString with @": (with_name(PRINTABLE_STRING, b"a@b"), "subject[0][0].value"),
    "PrintableString with *": (with_name(PRINTABLE_STRING, b"*.example.org"), "subject[0][0].value"),
    "PrintableString with _": (with_name(PRINTABLE_STRING, b"a_b"), "subject[0][0].value"),
    "PrintableString with &": (with_name(PRINTABLE_STRING, b"a&b"), "subject[0][0].value"),
    "PrintableString with NUL": (with_name(PRINTABLE_STRING, b"a\0b"), "subject[0][0].value"),
    "NumericString with letters": (with_name(NUMERIC_STRING, b"12a"), "subject[0][0].value"),
    "VisibleString with control": (with_name(VISIBLE_STRING, b"a\tb"), "subject[0][0].value"),
    "IA5String beyond ASCII": (with_name(IA5_STRING, b"a\xe4"), "subject[0][0].value"),
    "UTF8String that is Latin-1": (with_name(UTF8_STRING, b"a\xe4b"), "subject[0][0].value"),
    "BMPString of odd length": (with_name(0x1E, b"\0a\0"), "subject[0][0].value"),
    "commonName INTEGER": (with_name(2, b"\5"), "subject[0][0].value"),
    "emailAddress OCTET STRING": (with_name(4, b"a@b", oids.EMAIL_ADDRESS), "subject[0][0].value"),
    "minimum 0 written out": (with_extension(written(oids.NAME_CONSTRAINTS, writer.sequence(writer.explicit(0, writer.sequence(
        writer.implicit(2, b"a.test"), writer.implicit(0, b"\0")))))), "minimum"),
}  # fmt: skip
"""What is plain and not DER: how it is made, and how the path of the field ends."""
MALFORMED = {
    "Latin-1 e-mail": (lambda above=MIDDLE: leaf(above, san=written(oids.SUBJECT_ALT_NAME, writer.sequence(
        EMAIL, writer.implicit(2, HOST.encode())))), "subject_alt_name[0]"),
    "NULL with content": (null_with_content, "signature.parameters"),
    "negative pathLen": (with_extension(written(oids.BASIC_CONSTRAINTS, writer.sequence(writer.integer(-1)))), "path_len_constraint"),
    "keyUsage no BIT STRING": (lambda above=MIDDLE: leaf(above, usage=written(oids.KEY_USAGE, writer.null())), "key_usage"),
    "bytes behind extensions": (lambda above=MIDDLE: leaf(above, more=(writer.null(),)), "extensions[4]"),
    "dates no dates": (lambda above=MIDDLE: _without_dates(above), "validity.not_before"),
}  # fmt: skip
"""What leaves a field without its value."""
FLAWS = LAPSES | MALFORMED


def _without_dates(above):
    made = leaf(above)
    date = made.der[made.der.index(b"\x17\x0d") :][:15]
    return replace(made, der=made.der.replace(date, b"\x17\x0d" + b"not a date..."))


def rule_of(flaw):
    return "strict-der" if flaw in LAPSES else "malformed"


@pytest.mark.parametrize("flaw", FLAWS)
def test_strict_parsing_refuses_and_reading_gives_the_key(flaw):
    make, _ = FLAWS[flaw]
    der = make().der
    for _ in range(2):  # nothing of the second may be remembered for the first
        with pytest.raises(DecodeError):
            Certificate.parse(der)
        certificate = Certificate.read(der)
        assert certificate.public_key == key("leaf").public
        assert not certificate.is_sound
        assert certificate.text()
        assert check_tiling(certificate.spans(), len(der)) == ""


@pytest.mark.rfc("5280", "4.1")
@pytest.mark.parametrize("profile", ["default", "strict", "webpki"])
@pytest.mark.parametrize("flaw", FLAWS)
def test_verifiers_refuse_and_name_rule_field_and_byte(flaw, profile):
    make, field = FLAWS[flaw]
    made = make()
    finding = verify([made, MIDDLE], [TOP], profile=profile).findings[0]
    assert (finding.id, finding.index) == (rule_of(flaw), 0)
    assert finding.path.endswith(field)
    start, end = finding.byte_range
    assert start <= finding.offset <= end
    assert f"at byte {finding.offset}" in str(finding)
    assert finding.as_dict()["offset"] == finding.offset


@pytest.mark.parametrize("flaw", FLAWS)
def test_pins_of_certificate_and_key_ask_for_nothing_else(flaw):
    der = FLAWS[flaw][0]().der
    for pin in (Certificate.read(der).fingerprint, Certificate.read(der).spki_pin):
        assert pinned_verifier([pin])(ChainRequest((der,), "server", HOST, NOW)).accepted
    assert not pinned_verifier([bytes(32)])(ChainRequest((der,), "server", HOST, NOW)).accepted


@pytest.mark.rfc("5246", "7.4.2")
@pytest.mark.parametrize("flaw", sorted(FLAWS.keys() - {"keyUsage no BIT STRING"}))
def test_a_handshake_needs_the_key_alone(flaw):
    """Where nobody verifies, in both roles."""
    credential = Credential((FLAWS[flaw][0]().der,), key("leaf"))
    joined = pair(
        {"credentials": (credential,)},
        {"credentials": (credential,), "client_authentication": "require"},
    )
    joined.handshake()
    assert joined.client.completed == joined.server.completed == 1
    assert joined.client.error is joined.server.error is None


def test_a_key_usage_that_cannot_be_read_allows_nothing():
    from puretls.handshake.authenticate import usage_allows

    certificate = Certificate.read(FLAWS["keyUsage no BIT STRING"][0]().der)
    assert not usage_allows(certificate, signing=True)
    assert not usage_allows(certificate, signing=False)


@pytest.mark.parametrize("flaw", LAPSES)
def test_of_an_anchor_the_encoding_does_not_matter(flaw):
    """Its name is compared, its key used, and its extensions bind; roots in use break rules of writing."""
    subject = Certificate.read(LAPSES[flaw][0]().der).subject.raw
    own = key("odd root")
    top = root("odd root", own=own, subject=subject, issuer=subject)
    assert verify([leaf(top)], [top]).accepted


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_lapse_can_be_borne_by_name_and_what_cannot_be_read_never(flaw):
    report = verify([FLAWS[flaw][0](), MIDDLE], [TOP], danger_without=["strict-der"], host=None if flaw == "empty SAN" else HOST)
    assert report.accepted == (flaw in LAPSES), report.explain()


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flawed_intermediate_is_the_first_finding(flaw):
    """What is malformed comes first, not that an issuer is missing."""
    make, field = FLAWS[flaw]
    odd = make(TOP)
    der = odd.der
    end = leaf(replace(odd, name=Certificate.read(der).subject.raw, key=key("leaf")), label="end")
    report = verify([end, odd], [TOP])
    assert not report.accepted
    assert (report.findings[0].id, report.findings[0].index) == (rule_of(flaw), 1)
    assert report.findings[0].path.endswith(field)


def test_the_issuer_s_name_answers_for_itself_unless_it_is_written_otherwise():
    """A copy has the lapses of what it is a copy of; a name of other bytes has its own."""
    top = root("x_y")
    odd = named(attribute(oids.COMMON_NAME, PRINTABLE_STRING, b"x_y"))
    report = verify([leaf(replace(top, name=odd))], [top])
    assert (report.findings[0].id, report.findings[0].path) == ("strict-der", "tbs_certificate.issuer[0][0].value")
    other = root("odd", own=top.key, subject=odd, issuer=odd)
    assert verify([leaf(other)], [other]).accepted


def test_what_is_no_certificate_at_all_comes_first_too():
    report = verify([leaf(MIDDLE), b"\x30\x03\x02\x01\x05"], [TOP])
    assert [finding.id for finding in report.findings] == ["malformed", "unknown-issuer"]
    assert str(report).startswith("presented certificate 1: Certificate.tbs_certificate at byte 2: SEQUENCE expected")


@pytest.mark.parametrize("flaw", FLAWS)
def test_qt_shows_what_can_be_shown(flaw):
    made = FLAWS[flaw][0]()
    shown = QSslCertificate(made.der, format=_der())
    assert not shown.isNull()
    assert bytes(shown.toDer()) == made.der
    assert not shown.publicKey().isNull()
    assert shown.issuerDisplayName() == "ca"
    assert shown.toText()
    assert repr(shown)
    assert shown.expiryDate().isValid() == (flaw != "dates no dates")


def test_of_names_those_that_can_be_read_are_shown():
    certificate = Certificate.read(FLAWS["Latin-1 e-mail"][0]().der)
    assert certificate.dns_names == (HOST,)
    assert Certificate.read(FLAWS["dates no dates"][0]().der).validity is UNREADABLE


def _der():
    from puretls.qt.qssl import QSsl

    return QSsl.EncodingFormat.Der


@pytest.mark.parametrize("flaw", ["PrintableString with @", "PrintableString with *", "PrintableString with _", "UTF8String that is Latin-1",
                                  "commonName INTEGER", "IA5String beyond ASCII", "Latin-1 e-mail",
                                  "cA FALSE written out", "critical FALSE written out", "attributes out of order", "TRUE that is not FF"])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_pyca_refuses_the_same(flaw):
    from tests.x509.test_differential import theirs

    certificate, fault = theirs(FLAWS[flaw][0]().der)
    assert certificate is None
    assert fault


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_reading_raises_nothing_but_decode_errors(data):
    der = bytearray(data.draw(st.sampled_from(specimens())))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        certificate = Certificate.read(bytes(der))
    except DecodeError:
        return
    assert certificate.text()
    assert QSslCertificate._of(certificate).toText()
    assert check_tiling(certificate._recorded, len(der)) == ""
    for error in (*certificate.malformed, *certificate.lapses):
        assert 0 <= error.offset <= len(der)
    verify([bytes(der), MIDDLE], [TOP]).explain()


def test_the_list_of_flaws_does_not_grow_with_the_certificate():
    many = written(oids.SUBJECT_ALT_NAME, writer.sequence(*[writer.implicit(1, b"\xff")] * 5000))
    odd = named(attribute(oids.COMMON_NAME, PRINTABLE_STRING, b"@"))
    subject = writer.sequence(*[Reader(odd).enter().raw()] * 5000)
    certificate = Certificate.read(leaf(MIDDLE, san=many, subject=subject).der)
    assert len(certificate.malformed) + len(certificate.lapses) < 50
    assert len(verify([certificate.raw, MIDDLE], [TOP]).findings) < 100


# Numbers and dates


@pytest.mark.rfc("5280", "4.2.1.9")
@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**64, 2**200])
def test_a_path_length_may_be_any_number(length):
    top = root(basic=drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(True), writer.integer(length)), critical=True))
    assert verify([leaf(top)], [top]).accepted
    assert top.certificate.get(ext.BasicConstraints).path_len_constraint == length
    assert str(length) in top.certificate.text()
    assert QSslCertificate._of(top.certificate).toText()


def test_the_year_0000_is_refused_strictly_and_harms_nothing_that_shows_it():
    made = leaf(MIDDLE, not_before=-62_167_219_200)
    assert ids(verify([made, MIDDLE], [TOP], profile="strict")) == {"time-encoding"}
    shown = QSslCertificate._of(made.certificate)
    assert not shown.effectiveDate().isValid()
    assert repr(shown)
    assert shown.effectiveDate().toString() == ""
    assert repr(QSslCertificate._of(leaf(MIDDLE, not_after=-62_167_219_200).certificate))


def test_names_to_be_compared_are_read_whatever_their_writing():
    assert parse_name(named(B, A)) == parse_name(named(A, B))
    assert parse_name(common_name("x"))
