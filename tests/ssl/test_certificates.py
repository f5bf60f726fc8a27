"""What `getpeercert()` and `_ssl.Certificate` say of certificates, beside the C module and the command `openssl x509`."""

import base64
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puretls.der import oids, tags, writer
from puretls.errors import DecodeError
from puretls.ssl import certificates
from puretls.ssl.errors import SSLError
from puretls.ssl.names import name_hash
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.pem import write_pem
from tests.ssl.made import PLAIN, attribute, certificate, extension, name
from tests.support.credentials import issued
from tests.x509 import shared

_ssl = pytest.importorskip("_ssl", reason="compares with the C module _ssl")
BLOCK = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END")


def decoded_by_c(der, folder):
    path = folder / "one.pem"
    path.write_text(write_pem("CERTIFICATE", der))
    try:
        return _ssl._test_decode_cert(str(path))
    except (_ssl.SSLError, UnicodeDecodeError) as refused:
        return type(refused).__name__


def ours(der):
    try:
        return certificates.as_dict(Certificate.read(der))
    except DecodeError:
        return "DecodeError"


# Real ones


def blocks(text):
    return [base64.b64decode(block) for block in BLOCK.findall(text)]


def corpus(limbo):
    """Every certificate of the data, once."""
    cryptography_vectors = pytest.importorskip("cryptography_vectors")
    found = {}
    for case in shared.load(limbo)["testcases"]:
        texts = [case["peer_certificate"], *case["trusted_certs"], *case["untrusted_intermediates"]]
        found |= dict.fromkeys(der for text in texts for der in blocks(text.encode()))
    for case in shared.load("bssl-pki.json.gz")["chain"]:
        found |= dict.fromkeys(base64.b64decode(text) for text in case["chain"])
    for path in sorted(Path(cryptography_vectors.__file__).parent.rglob("*")):
        if path.suffix in {".pem", ".crt", ".der", ".cer"} and path.is_file():
            data = path.read_bytes()
            found |= dict.fromkeys(blocks(data) or ([data] if data[:1] == b"0" else []))
    return list(found)


DIFFERENT = {
    "notBefore": 1,  # of two dates, one cannot be read: we show neither
    "version": 1,  # version 8: we say 3, the most that there is
    "subjectAltName": 1,  # an ediPartyName whose DER is wrong inside
}
"""Fields in which all of the data differs, and how often."""


@pytest.mark.parametrize(
    ("limbo", "step"), [("limbo-public-light.json.gz", 9), pytest.param("limbo-public.json.gz", 1, marks=pytest.mark.full)]
)
def test_the_dictionary_of_every_certificate_is_the_c_modules(limbo, step, tmp_path):
    different, compared = Counter(), 0
    for der in corpus(limbo)[::step]:
        theirs = decoded_by_c(der, tmp_path)
        if isinstance(theirs, dict):
            mine = ours(der)
            compared += 1
            assert isinstance(mine, dict), (theirs, mine)
            both = theirs.keys() & mine.keys()
            assert [key for key in mine if key in both] == [key for key in theirs if key in both]
            different.update(key for key in theirs.keys() | mine.keys() if theirs.get(key) != mine.get(key))
    assert compared > (20_000 if step == 1 else 300)
    assert different == DIFFERENT if step == 1 else different <= Counter(DIFFERENT)


# Forms that none of them has


def other(kind, value):
    return writer.explicit(0, writer.oid(kind), writer.explicit(0, value))


def text(kind, value):
    return writer.implicit(kind, value.encode())


GENERAL_NAMES = {
    "dns": text(2, "example.org"),
    "dns-utf8": text(2, "münchen.example"),
    "dns-nul": text(2, "null.python.org\x00example.org"),
    "email": text(1, "user@example.org"),
    "email-nul": text(1, "null@python.org\x00user@example.org"),
    "uri": text(6, "http://example.org/a,b"),
    "ipv4": writer.implicit(7, bytes([192, 0, 2, 9])),
    "ipv6": writer.implicit(7, bytes.fromhex("20010db8000000000000000000000001")),
    "ip-of-five": writer.implicit(7, b"12345"),
    "ip-of-none": writer.implicit(7, b""),
    "registered": writer.implicit(8, writer.oid("1.2.3.4.5")[2:]),
    "registered-known": writer.implicit(8, writer.oid("2.5.4.3")[2:]),
    "directory": writer.explicit(
        4, name(attribute("2.5.4.6", writer.printable_string("XY")), attribute("2.5.4.3", writer.utf8_string("é")))
    ),
    "directory-empty": writer.explicit(4, name()),
    "other-unknown": other("1.2.3.4", writer.utf8_string("some other identifier")),
    "upn": other("1.3.6.1.4.1.311.20.2.3", writer.utf8_string("user@example.org")),
    "upn-ia5": other("1.3.6.1.4.1.311.20.2.3", writer.ia5_string("user@example.org")),
    "smtp": other("1.3.6.1.5.5.7.8.9", writer.utf8_string("usér@example.org")),
    "xmpp": other("1.3.6.1.5.5.7.8.5", writer.utf8_string("user@example.org")),
    "srv": other("1.3.6.1.5.5.7.8.7", writer.ia5_string("_imap.example.org")),
    "srv-utf8": other("1.3.6.1.5.5.7.8.7", writer.utf8_string("_imap.example.org")),
    "nai": other("1.3.6.1.5.5.7.8.8", writer.utf8_string("example.org")),
    "other-null": other("1.3.6.1.5.5.7.8.9", writer.null()),
    "edi": writer.explicit(5, writer.explicit(1, writer.printable_string("party"))),
}


@pytest.mark.parametrize("names", [*((kind,) for kind in GENERAL_NAMES), tuple(GENERAL_NAMES)], ids="+".join)
def test_every_form_of_name_is_shown_as_the_c_module_shows_it(names, tmp_path):
    der = certificate(names=[GENERAL_NAMES[kind] for kind in names])
    assert ours(der) == decoded_by_c(der, tmp_path)


VALUES = {
    "utf8": writer.utf8_string("Zürich 東"),
    "printable": writer.printable_string("Example Ltd"),
    "printable-latin": writer.tlv(tags.PRINTABLE_STRING, b"Z\xfcrich"),
    "teletex": writer.tlv(tags.TELETEX_STRING, b"Z\xfcrich"),
    "ia5": writer.ia5_string("a@b"),
    "ia5-latin": writer.tlv(tags.IA5_STRING, b"\xe9"),
    "numeric": writer.tlv(tags.NUMERIC_STRING, b"12 34"),
    "bmp": writer.tlv(tags.BMP_STRING, "Zürich".encode("utf-16-be")),
    "universal": writer.tlv(tags.UNIVERSAL_STRING, "Zürich 😜".encode("utf-32-be")),
    "bits": writer.bit_string(b"\x01\x80", 3),
    "empty": writer.utf8_string(""),
    "controls": writer.utf8_string(' # a\n\x00\x7f,+"\\<>; '),
}


@pytest.mark.parametrize("kind", ["2.5.4.3", "2.5.4.45", "0.9.2342.19200300.100.1.25", "1.2.3.4.5", "1.3.6.1.4.1.311.60.2.1.3"])
@pytest.mark.parametrize("value", VALUES)
def test_every_type_of_string_in_a_name_is_shown_as_the_c_module_shows_it(kind, value, tmp_path):
    der = certificate(subject=name(attribute(kind, VALUES[value])))
    assert ours(der) == decoded_by_c(der, tmp_path)


def test_a_relative_name_of_several_attributes_is_one_tuple(tmp_path):
    pair = writer.set_of(*(writer.sequence(writer.oid(f"2.5.4.{n}"), writer.utf8_string(str(n))) for n in (3, 10, 11)))
    der = certificate(subject=name(pair, attribute("2.5.4.6", writer.printable_string("XY")), pair), issuer=name())
    assert ours(der) == decoded_by_c(der, tmp_path)
    assert len(ours(der)["subject"][0]) == 3


@pytest.mark.parametrize("serial", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**64, 2**159, 2**280 - 1])
def test_serial_numbers_are_whole_bytes_in_hexadecimal(serial, tmp_path):
    der = certificate(serial=serial)
    assert ours(der)["serialNumber"] == decoded_by_c(der, tmp_path)["serialNumber"]


def test_a_serial_number_of_more_than_35_bytes_is_whole_where_the_c_module_cuts_it(tmp_path):
    der = certificate(serial=2**320)
    assert ours(der)["serialNumber"] == f"{2**320:082X}"
    assert decoded_by_c(der, tmp_path)["serialNumber"] == f"{2**320:082X}"[:70] + "\\\n"


DATES = [(0, 1), (-1, 2**31), (-631_152_000, 253_402_300_799), (1_709_164_800, 4_102_444_799), (2_524_607_999, 2_524_608_000)]


@pytest.mark.parametrize("dates", DATES, ids=str)
def test_dates_are_those_that_cert_time_to_seconds_reads(dates, tmp_path):
    ssl = pytest.importorskip("ssl")
    der = certificate(dates=list(map(writer.time, dates)))
    shown = ours(der)
    assert shown == decoded_by_c(der, tmp_path)
    assert [ssl.cert_time_to_seconds(shown[key]) for key in ("notBefore", "notAfter")] == list(dates)


URI, DNS = GENERAL_NAMES["uri"], GENERAL_NAMES["dns"]
POINT = writer.sequence(writer.explicit(0, writer.explicit(0, URI, DNS, text(6, "ldap://x"))))
RELATIVE = writer.sequence(
    writer.explicit(0, writer.explicit(1, writer.sequence(writer.oid("2.5.4.3"), writer.utf8_string("x"))))
)
ACCESS = [
    writer.sequence(writer.oid(method), where)
    for method in (oids.ACCESS_OCSP, oids.ACCESS_CA_ISSUERS)
    for where in (URI, DNS, URI)
]


@pytest.mark.parametrize(
    "extensions",
    [
        [extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(*ACCESS))],
        [extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(ACCESS[1]))],
        [extension(oids.AUTHORITY_INFO_ACCESS, writer.sequence(ACCESS[0]))] * 2,
        [extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(POINT, POINT))],
        [extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(POINT))] * 2,
        [
            extension(
                oids.CRL_DISTRIBUTION_POINTS,
                writer.sequence(writer.sequence(writer.explicit(2, writer.explicit(4, PLAIN))), POINT),
            )
        ],
        [extension(oids.SUBJECT_ALT_NAME, writer.sequence(DNS))] * 2,
        [extension(oids.SUBJECT_ALT_NAME, b"0")],
        [extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.implicit(9, b"x"), DNS))],
    ],
    ids=["both", "no-uri", "access-twice", "points", "points-twice", "point-without-name", "names-twice", "cut", "unknown-form"],
)
def test_addresses_are_those_that_the_c_module_finds(extensions, tmp_path):
    der = certificate(extensions=extensions)
    assert ours(der) == decoded_by_c(der, tmp_path)


def test_a_point_that_is_relative_to_its_issuer_has_no_address():
    assert "crlDistributionPoints" not in ours(
        certificate(extensions=[extension(oids.CRL_DISTRIBUTION_POINTS, writer.sequence(RELATIVE))])
    )


# The class Certificate


@pytest.fixture(scope="module")
def openssl():
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    return lambda der, *options: subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", *options], input=der, capture_output=True, check=True
    ).stdout.decode()


SUBJECTS = {
    "each-known": [[attribute("2.5.4.3", value)] for value in VALUES.values()],
    "each-unknown": [[attribute("1.2.3.4.5", value)] for value in VALUES.values()],
    "all": [[attribute("2.5.4.3", value) for value in VALUES.values()]],
    "several-in-one": [
        [writer.set_of(*(writer.sequence(writer.oid(f"2.5.4.{n}"), writer.utf8_string(str(n))) for n in (3, 10, 11)))]
    ],
    "none": [[]],
}


@pytest.mark.interop
@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_name_is_hashed_and_shown_as_openssl_does(kind, openssl):
    for rdns in SUBJECTS[kind]:
        der = certificate(subject=name(*rdns))
        parsed = Certificate.read(der)
        hashed, shown = openssl(der, "-subject_hash", "-subject", "-nameopt", "RFC2253").split("\n", 1)
        assert f"{name_hash(parsed.subject):08x}" == hashed, rdns
        assert (
            repr(certificates.Certificate(parsed))
            == f"<_ssl.Certificate '{shown.removeprefix('subject=').removesuffix(chr(10))}'>"
        )


@pytest.mark.interop
@pytest.mark.parametrize("value", ["  Two   Words\t ", "ÄÖÜ äöü", "UPPER lower", "\n\v\f\r"])
def test_names_that_openssl_holds_for_equal_have_one_hash(value, openssl):
    der = certificate(
        subject=name(attribute("2.5.4.10", writer.utf8_string(value)), attribute("2.5.4.3", writer.ia5_string("X  y")))
    )
    assert f"{name_hash(Certificate.read(der).subject):08x}\n" == openssl(der, "-subject_hash")


def test_certificate_gives_its_bytes_and_its_fields_and_is_equal_to_the_same():
    der = issued().chain[0]
    one, same, another = (certificates.Certificate(Certificate.parse(data)) for data in (der, der, issued().chain[1]))
    assert one.public_bytes(2) == der
    assert one.public_bytes() == one.public_bytes(1) == write_pem("CERTIFICATE", der)
    assert one.get_info() == ours(der)
    assert one == same != another
    assert hash(one) == hash(same)
    with pytest.raises(ValueError, match="Unsupported format"):
        one.public_bytes(7)


def test_the_first_certificate_of_a_file_is_decoded(tmp_path):
    path = tmp_path / "two.pem"
    path.write_text("".join(write_pem("CERTIFICATE", der) for der in issued().chain))
    assert certificates.test_decode_cert(str(path)) == _ssl._test_decode_cert(str(path))


@pytest.mark.parametrize("text", [None, "", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_is_refused_in_the_c_modules_words(text, tmp_path):
    path = tmp_path / "one.pem"
    if text is not None:
        path.write_text(text)
    told = []
    for decode, error in ((certificates.test_decode_cert, SSLError), (_ssl._test_decode_cert, _ssl.SSLError)):
        with pytest.raises(error) as caught:
            decode(str(path))
        told.append(caught.value.args)
    assert told[0] == told[1]


ODD = [certificate(names=list(GENERAL_NAMES.values()), subject=name(*(attribute("2.5.4.3", value) for value in VALUES.values())))]


@given(st.sampled_from([*issued().chain, *ODD]), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_what_can_be_read_can_be_shown_whatever_is_in_it(der, changes):
    changed = bytearray(der)
    for at, octet in changes:
        changed[at % len(changed)] = octet
    try:
        parsed = Certificate.read(bytes(changed))
    except DecodeError:
        return
    shown = certificates.Certificate(parsed)
    assert {"subject", "issuer", "version", "serialNumber", "notBefore", "notAfter"} <= shown.get_info().keys()
    assert repr(shown).isascii()
    assert hash(shown) == hash(certificates.Certificate(parsed))
