"""CRLs and OCSP responses collected by pyca/cryptography: ours reads what theirs reads, but for the CRLs listed here."""

from pathlib import Path

import pytest

from puretls.errors import DecodeError
from puretls.x509.crl import Crl
from puretls.x509.ocsp import OcspResponse
from puretls.x509.pem import load_blocks

vectors = pytest.importorskip("cryptography_vectors")
pytest.importorskip("cryptography")
FOLDER = Path(vectors.__file__).parent / "x509"
STRICTER = ("dup_entry_ext", "inval_cert_issuer_entry_ext", "inval_date_fractional_seconds", "unsupported_reason")
"""Faults in entries, which theirs finds when the entry is looked at, and ours at once."""
CRLS = sorted(path.name for path in (FOLDER / "custom").glob("*crl*") if b"CERTIFICATE-----" not in path.read_bytes())


def is_read(parse, data, kinds):
    try:
        parse(data)
    except kinds:
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CRLS)
def test_crls_are_read_alike(name):
    from cryptography import x509

    data = (FOLDER / "custom" / name).read_bytes()
    theirs = is_read(
        x509.load_pem_x509_crl if b"-----" in data else x509.load_der_x509_crl, data, (ValueError, x509.InvalidVersion)
    )
    ours = is_read(lambda content: [Crl.parse(der) for der in load_blocks(content, "X509 CRL")], data, DecodeError)
    if any(part in name for part in STRICTER):
        assert (ours, theirs) == (False, True)
    else:
        assert ours == theirs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(path.name for path in (FOLDER / "ocsp").glob("resp-*.der")))
def test_ocsp_responses_are_read_alike(name):
    from cryptography.x509 import ocsp

    def load(data):
        loaded = ocsp.load_der_ocsp_response(data)
        if loaded.response_status.value:
            raise ValueError(loaded.response_status)
        return list(loaded.responses)

    data = (FOLDER / "ocsp" / name).read_bytes()
    assert is_read(OcspResponse.parse, data, DecodeError) == is_read(load, data, ValueError)
