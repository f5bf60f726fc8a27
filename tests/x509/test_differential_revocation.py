"""CRLs and OCSP responses against pyca/cryptography: mutated ones are read by both or by neither, but for the classes listed here."""

import random
import re
from dataclasses import replace

import pytest

from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.x509 import drafts
from puretls.x509.crl import Crl
from puretls.x509.ocsp import OcspResponse

from .test_crl import EXAMPLE as CRL
from .test_ocsp import NOW, SINGLE, response

pytest.importorskip("cryptography")
OCSP = response(
    SINGLE,
    replace(
        SINGLE, status="revoked", reason=1, extensions=(drafts.extension(oids.OCSP_ARCHIVE_CUTOFF, writer.generalized_time(NOW)),)
    ),
    extensions=(drafts.extension(oids.OCSP_NONCE, writer.octet_string(b"nonce")),),
)
"""Without certificates, which ours does not look into before it needs them."""

CLASSES = (
    ("ours", r"name with control characters", "a NUL or line feed in a name must neither end nor hide anything (CVE-2009-2408)"),
    (
        "ours",
        r"signature.* BIT STRING that is not whole octets",
        "no signature scheme here has a length that is no multiple of 8 bits",
    ),
    ("ours", r"that is no string", "RFC 5280 A.1: attributes that are text are strings; pyca takes times and numbers for some"),
    ("ours", r"NumericString with the octet", "X.680 41.2: digits and spaces, which pyca does not look at"),
    ("ours", r"name that is not ASCII", "an IA5String is ASCII: what happens to be UTF-8 is not taken for it"),
    ("ours", r"archive_cutoff", "an extension that ours knows and theirs keeps as bytes"),
    ("ours", r"hold_instruction_code|invalidity_date", "an extension that ours knows and theirs keeps as bytes"),
    ("ours", r"nonce", "likewise"),
    (
        "theirs",
        r"UnexpectedTag \{.*\} \}$",
        "attribute values that are no strings: ours keeps their DER, to be compared byte by byte",
    ),
    (
        "theirs",
        r"InvalidValue \}$|InvalidTag \}$|ShortData \{ needed: \d+ \} \}$",
        "the same, where the bytes of the value are no DER themselves",
    ),
    ("theirs", r"X500_UNIQUE_IDENTIFIER", "attribute values that are no strings"),
    (
        "theirs",
        r"x400Address/EDIPartyName|UnsupportedGeneralNameType",
        "forms of names that cannot be matched: ours keeps them as bytes",
    ),
    ("theirs", r"not recognized", "unknown hashes in a certificate id: ours says that the answer is about another certificate"),
    (
        "theirs",
        r"CertID::serial_number|user_certificate",
        "serial numbers written too long, which some deployed certificates have",
    ),
    ("theirs", r"CertID::hash_algorithm", "parameters of an unknown hash"),
    ("theirs", r"TooShort|utf-8|ascii|codec", "text of other encodings"),
)
"""Who refuses alone; what the error says; why both are right."""


def load_crl(data):
    """Everything of it: pyca reads lazily."""
    from cryptography import x509

    crl = x509.load_der_x509_crl(data)
    entries = [(entry.serial_number, entry.revocation_date_utc, list(entry.extensions)) for entry in crl]
    return entries, list(crl.extensions), crl.issuer, crl.last_update_utc, crl.next_update_utc, crl.signature_algorithm_oid


SINGLE_FIELDS = (
    "certificate_status", "this_update_utc", "next_update_utc", "serial_number", "hash_algorithm", "revocation_time_utc",
    "revocation_reason",
)  # fmt: skip


def load_ocsp(data):
    from cryptography.x509 import ocsp

    loaded = ocsp.load_der_ocsp_response(data)
    if loaded.response_status.value:
        raise ValueError(loaded.response_status)
    singles = [[getattr(single, name) for name in SINGLE_FIELDS] for single in loaded.responses]
    return singles, loaded.responder_name, loaded.responder_key_hash, loaded.produced_at_utc, list(loaded.extensions)


def mutated(data, source):
    changed = bytearray(data)
    for _ in range(source.randint(1, 2)):
        at = source.randrange(len(changed))
        changed[at] = source.choice((source.randrange(256), changed[at] ^ 1 << source.randrange(8)))
    return bytes(changed)


def refusal(parse, data, kinds):
    try:
        parse(data)
    except kinds as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [1_500, pytest.param(40_000, marks=pytest.mark.full)])
@pytest.mark.parametrize(("original", "ours", "theirs"), [(CRL, Crl.parse, load_crl), (OCSP, OcspResponse.parse, load_ocsp)])
def test_disagreements_fall_into_the_classes_listed(original, ours, theirs, count):
    source = random.Random(20_260_101)
    unexplained = []
    agreed = 0
    for _ in range(count):
        data = mutated(original, source)
        mine, yours = refusal(ours, data, DecodeError), refusal(theirs, data, Exception)
        if bool(mine) == bool(yours):
            agreed += 1
            continue
        side, text = ("ours", mine) if mine else ("theirs", yours)
        if not any(side == row[0] and re.search(row[1], text) for row in CLASSES):
            unexplained.append((side, text, data.hex()))
    assert unexplained[:3] == []
    assert agreed > 0.9 * count
