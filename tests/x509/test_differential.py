"""Certificates of the suites, flipped and not, read by pyca/cryptography as well: every disagreement has a class and a reason."""

import re

import pytest

from puretls.errors import DecodeError
from puretls.x509.certificates.certificate import Certificate
from tests.x509.test_certificate import flips, specimens

x509 = pytest.importorskip("cryptography.x509")
pytestmark = pytest.mark.filterwarnings("ignore")  # its remarks on serial numbers and encodings

STRICTER = {
    r"control characters|not ASCII": "names that cannot be compared with anything are not carried along (CVE-2009-2408)",
    r"that is no string": "RFC 5280 A.1: attributes that are text are strings; pyca takes times and numbers for some",
    r"NumericString with the octet": "X.680 41.2: digits and spaces, which pyca does not look at",
    r"trailing zero bits": "X.690 11.2.2: a named bit list has no trailing zeros",
    r"IP address of \d+ bytes": "constraints hold address and mask, names an address; nothing else can be compared",
    r"expected, found|unexpected bytes|exceeds|truncated|shortest form|OBJECT IDENTIFIER|BOOLEAN|BIT STRING|tag number|GeneralName": (
        "strict DER in parts of extensions that pyca leaves unread"),
}  # fmt: skip
"""What we refuse and pyca takes: our message -> why."""

LAXER = {
    r"EcParameters|AlgorithmIdentifier::params": "keys are judged where they are used (`Certificate.public_key`), for reports to name them",
    r'location: \["(issuer|subject)"|UnexpectedTag \{[^}]*\} \} \}$': "values of attributes that are not known to be text may be of any type (ANY)",
    r"authority_cert_issuer|permitted_subtrees|excluded_subtrees|DuplicateExtension": "a rule of the table, not a matter of parsing",
    r"Certificate::signature_alg": "algorithms are judged where they are used (`Certificate.signature_algorithm`)",
    r"UnsupportedGeneralNameType": "kept, matched by nothing, refused where constrained",
    r"netmask|host bits set": "masks that are no prefix are refused where they bind (a rule); host bits mean the network they are in",
    r"CpsUri|UserNotice": "qualifiers are kept as bytes; those of a critical extension must be of a known kind (a rule)",
    r" SCT|UNIQUE_IDENTIFIER": "kept as bytes for those who use them",
    r"TbsCertificate::serial": "serial numbers of any size are read; their size is a rule",
}  # fmt: skip
"""What pyca refuses and we take: its message -> why."""


def theirs(data):
    """Their certificate with all fields read, or why not."""
    try:
        certificate = x509.load_der_x509_certificate(data)
        for field in ("version", "serial_number", "issuer", "subject", "not_valid_before_utc", "extensions", "signature"):
            getattr(certificate, field)
    except Exception as error:  # what a foreign library raises is the subject here
        return None, f"{type(error).__name__}: {error}"
    return certificate, ""


def ours(data):
    try:
        return Certificate.parse(data), ""
    except DecodeError as error:
        return None, error.message


def disagreement(data):
    """Empty, or a class from the tables; fails where none fits."""
    mine, my_fault = ours(data)
    other, other_fault = theirs(data)
    if mine is not None and other is not None:
        assert mine.serial_number == other.serial_number
        assert mine.validity.not_before == int(other.not_valid_before_utc.timestamp())
        assert mine.signature == other.signature
        assert mine.tbs == other.tbs_certificate_bytes
        assert [e.critical for e in mine.extensions] == [e.critical for e in other.extensions]
        return ""
    if mine is None and other is None:
        return ""
    table, fault = (STRICTER, my_fault) if mine is None else (LAXER, other_fault)
    for pattern, reason in table.items():
        if re.search(pattern, fault):
            return reason
    raise AssertionError(f"unclassified: {'we' if mine is None else 'pyca'} refused for {fault!r}: {data.hex()}")


def test_disagreements_on_real_certificates_are_classified():
    assert sum(not disagreement(data) for data in specimens()) > 0.7 * len(specimens())


def test_disagreements_on_flipped_certificates_are_classified():
    assert sum(not disagreement(data) for data in flips(1_500)) > 1_200


@pytest.mark.full
def test_disagreements_on_many_flipped_certificates_are_classified():
    assert sum(not disagreement(data) for data in flips(100_000)) > 80_000
